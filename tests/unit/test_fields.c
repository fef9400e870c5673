/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy/fields*.c: names as Go folds them, and the tables against the API's
 * newest description, where that is at hand (see test_ops.c).
 */
#include "unit.h"

#include "fields.h"

#define NEWEST "../shared/engine-api/swagger-v1.56.yaml"

static const struct {
	const char *key;
	const char *name;
	bool same;
} folds[] = {
	{ "HostConfig", "HostConfig", true },
	{ "hostconfig", "HostConfig", true },
	{ "HOSTCONFIG", "HostConfig", true },
	{ "Ho\xc5\xbftConfig", "HostConfig", true },
	{ "Networ\xe2\x84\xaaMode", "NetworkMode", true },
	{ "\xe2\x84\xaa\xc5\xbf", "ks", true },
	{ "HostConfi", "HostConfig", false },
	{ "HostConfigs", "HostConfig", false },
	{ "HostConfig ", "HostConfig", false },
	{ "HostConf\xc4\xb1g", "HostConfig", false },	  /* dotless i */
	{ "HostConf\xc4\xb0g", "HostConfig", false },	  /* I with dot */
	{ "\xef\xbc\xa8ostConfig", "HostConfig", false }, /* full-width H */
	{ "H\xcc\x81ostConfig", "HostConfig", false },	  /* combining */
	{ "\xe2\x84", "k", false },
	{ "\xc5", "s", false },
	{ "", "k", false },
	{ "", "", true },
};

static void
folds_names_as_go_does(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(folds); i++) {
		if (fields_fold(span_of(folds[i].key), folds[i].name) !=
		    folds[i].same) {
			fail_msg("%s %s", folds[i].key, folds[i].name);
		}
	}
}

static void
quotes_for_messages(void **state)
{
	char text[200];

	(void)state;
	assert_string_equal(quote(span_of("a")).s, "\"a\"");
	assert_string_equal(quote(span_of("")).s, "\"\"");
	assert_string_equal(quote(span_of("\x1b\n")).s, "\"\\x1b\\x0a\"");
	memset(text, 'a', sizeof(text));
	assert_true(strlen(quote(span_make(text, sizeof(text))).s) < 80);
	memset(text, '\xff', sizeof(text));
	assert_true(strlen(quote(span_make(text, sizeof(text))).s) < 80);
}

static void
tells_zero_values(void **state)
{
	static const struct {
		const char *text;
		bool zero;
	} c[] = {
		{ "null", true },
		{ "false", true },
		{ "0", true },
		{ "-0", true },
		{ "\"\"", true },
		{ "[]", true },
		{ "{}", true },
		{ "{\"a\":[],\"b\":{\"c\":0}}", true },
		{ "true", false },
		{ "1", false },
		{ "0.0", false },
		{ "\" \"", false },
		{ "[0]", false },
		{ "[null]", false },
		{ "{\"a\":\"x\"}", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		struct json_doc *doc = NULL;

		expect_err(c[i].text,
		    json_parse(span_of(c[i].text), JSON_STRICT, &doc, NULL),
		    ERR_OK);
		if (fields_zero(json_root(doc)) != c[i].zero) {
			fail_msg("%s", c[i].text);
		}
		json_free(doc);
	}
}

/* --- the newest description ---------------------------------------------- */

/*
 * A definition, how deep its properties' names stand in the file, and the
 * table with the body around a property that it is about.
 */
static const struct {
	const char *definition;
	size_t indent;
	const struct fields *table;
	const char *before, *after;
} definitions[] = {
	{ "ContainerConfig", 6, &fields_container_create, "{", "}" },
	{ "HostConfig", 10, &fields_container_create, "{\"HostConfig\":{",
	    "}}" },
	{ "Resources", 6, &fields_container_create, "{\"HostConfig\":{", "}}" },
	{ "Resources", 6, &fields_container_update, "{", "}" },
	{ "HealthConfig", 6, &fields_container_create, "{\"Healthcheck\":{",
	    "}}" },
	{ "RestartPolicy", 6, &fields_container_create,
	    "{\"HostConfig\":{\"RestartPolicy\":{", "}}}" },
	{ "Mount", 6, &fields_container_create,
	    "{\"HostConfig\":{\"Mounts\":[{", "}]}}" },
	{ "DeviceMapping", 6, &fields_container_create,
	    "{\"HostConfig\":{\"Devices\":[{", "}]}}" },
	{ "DeviceRequest", 6, &fields_container_create,
	    "{\"HostConfig\":{\"DeviceRequests\":[{", "}]}}" },
	{ "EndpointSettings", 6, &fields_network_connect,
	    "{\"EndpointConfig\":{", "}}" },
	{ "EndpointIPAMConfig", 6, &fields_network_connect,
	    "{\"EndpointConfig\":{\"IPAMConfig\":{", "}}}" },
	{ "NetworkingConfig", 6, &fields_container_create,
	    "{\"NetworkingConfig\":{", "}}" },
	{ "IPAM", 6, &fields_network_create, "{\"IPAM\":{", "}}" },
	{ "IPAMConfig", 6, &fields_network_create, "{\"IPAM\":{\"Config\":[{",
	    "}]}}" },
	{ "AuthConfig", 6, &fields_auth, "{", "}" },
};

/* A value of no type that a table has: a type error, but a known field. */
static void
check_property(size_t i, const char *name)
{
	struct walk w = { .may = UINT64_MAX };
	struct json_doc *doc = NULL;
	char text[512];

	snprintf(text, sizeof(text), "%s\"%s\":-1.5%s", definitions[i].before,
	    name, definitions[i].after);
	expect_err(
	    text, json_parse(span_of(text), JSON_STRICT, &doc, NULL), ERR_OK);
	(void)!fields_walk(&w, definitions[i].table, json_root(doc));
	json_free(doc);
	if (w.found.rule == RULE_UNKNOWN_FIELD) {
		fail_msg("%s has no field %s", definitions[i].definition,
		    w.found.path);
	}
}

/* Lines of one definition; a name is followed by a colon and nothing. */
static unsigned
check_definition(FILE *f, size_t i)
{
	char line[1024], want[64], name[64];
	bool inside = false;
	unsigned n = 0;
	size_t indent;

	rewind(f);
	snprintf(want, sizeof(want), "  %s:", definitions[i].definition);
	while (fgets(line, sizeof(line), f) != NULL) {
		indent = strspn(line, " ");
		if (indent == 2) {
			inside = strncmp(line, want, strlen(want)) == 0;
		}
		if (inside && indent == definitions[i].indent &&
		    sscanf(line, " %60[A-Za-z0-9]:", name) == 1 &&
		    strcspn(line, "\r\n") == indent + strlen(name) + 1 &&
		    (name[0] < 'a' || definitions[i].table == &fields_auth)) {
			check_property(i, name);
			n++;
		}
	}
	return n;
}

static void
knows_every_field_of_the_newest_version(void **state)
{
	FILE *f = fopen(NEWEST, "r");
	unsigned n, total = 0;
	size_t i;

	(void)state;
	if (f == NULL) {
		skip();
	}
	for (i = 0; i < NELEM(definitions); i++) {
		n = check_definition(f, i);
		if (n == 0) {
			fail_msg("%s: nothing read", definitions[i].definition);
		}
		total += n;
	}
	fclose(f);
	assert_true(total > 150);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_names_as_go_does),
		cmocka_unit_test(quotes_for_messages),
		cmocka_unit_test(tells_zero_values),
		cmocka_unit_test(knows_every_field_of_the_newest_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
