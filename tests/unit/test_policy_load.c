/* SPDX-License-Identifier: Apache-2.0 */
/* policy/load.c and match.c: policies that are refused, then who has what. */
#include "policy_fixture.h"

#include "role.h"

#define ROLES(text) "{\"clients\":[],\"roles\":{" text "}}"
#define MATCH(text) "{\"clients\":[{\"match\":{" text "},\"role\":\"admin\"}]}"

static const struct {
	const char *text;
	const char *says; /* a part of the complaint */
	unsigned line;
	unsigned col;
} refused[] = {
	{ "", "expected a value", 1, 1 },
	{ "[]", "must be an object", 1, 1 },
	{ "{\n}", "\"clients\" is missing", 1, 1 },
	{ "{\"clients\": {}}", "must be a list", 1, 13 },
	{ "{\"clients\":[], \"cliens\":[]}", "no member \"cliens\"", 1, 25 },
	{ "{\"clients\":[],\n \"clients\":[]}", "names a member twice", 2, 12 },
	{ "{\"clients\":[],\n//x\n}", "expected a member name", 3, 1 },
	{ "{\"clients\":[\n3]}", "must be an object", 2, 1 },
	{ "{\"clients\":[\n {}]}", "needs both", 2, 2 },
	{ "{\"clients\":[{\"match\":{\"cn\":\"x\"},\n\"role\":\"rot\"}]}",
	    "no role \"rot\"", 2, 8 },
	{ "{\"clients\":[{\"match\":{\"cn\":\"x\"},\n\"role\":3}]}",
	    "expected the name of a role", 2, 8 },
	{ "{\"clients\":[{\"match\":{\"cn\":\"x\"},\n\"role\":\"../admin\"}]}",
	    "no role", 2, 8 },
	{ "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"admin\","
	  "\"rule\":1}]}",
	    "no member \"rule\"", 1, 55 },
	{ MATCH(""), "an empty match", 1, 22 },
	{ MATCH("\"cn\":\"\""), "not empty", 1, 28 },
	{ MATCH("\"cn\":[\"x\"]"), "not empty", 1, 28 },
	{ MATCH("\"CN\":\"x\""), "no member \"CN\"", 1, 28 },
	{ MATCH("\"uid\":\"x\""), "expected a number", 1, 29 },
	{ MATCH("\"uid\":-1"), "expected a number", 1, 29 },
	{ MATCH("\"uid\":1e3"), "expected a number", 1, 29 },
	{ MATCH("\"uid\":4294967296"), "expected a number", 1, 29 },
	{ MATCH("\"anonymous\":false"), "can only be true", 1, 35 },
	{ MATCH("\"anonymous\":true,\"cn\":\"*\""), "never hold together", 1,
	    45 },
	{ MATCH("\"uid\":0,\"cn\":\"*\""), "never hold together", 1, 36 },
	{ "{\"clients\":[],\"roles\":[]}", "must be an object", 1, 23 },
	{ ROLES("\"a\":1"), "must be an object", 1, 28 },
	{ ROLES("\"\":{}"), "needs a name", 1, 27 },
	{ ROLES("\"\\u001b\":{}"), "printable ASCII", 1, 33 },
	{ ROLES("\"a\":{\"alow\":[]}"), "no member \"alow\"", 1, 36 },
	{ ROLES("\"a\":{\"allow\":\"@read\"}"), "expected a list", 1, 37 },
	{ ROLES("\"a\":{\"allow\":[\"@reed\"]}"), "no class \"@reed\"", 1, 38 },
	{ ROLES("\"a\":{\"allow\":[\"@\"]}"), "no class", 1, 38 },
	{ ROLES("\"a\":{\"allow\":[\"containerlist\"]}"), "no operation", 1,
	    38 },
	{ ROLES("\"a\":{\"deny\":[\"Foo\"]}"), "no operation", 1, 37 },
	{ ROLES("\"a\":{\"may\":[\"privilege\"]}"), "no rule", 1, 36 },
	{ ROLES("\"a\":{\"may\":[\"unknown-field\"]}"),
	    "holds for every constrained role", 1, 36 },
	{ ROLES("\"a\":{\"may\":{}}"), "list of rules", 1, 35 },
	{ ROLES("\"a\":{\"buildkit\":true}"), "can only be \"unjudged\"", 1,
	    40 },
	{ ROLES("\"a\":{\"unconstrained\":false}"), "can only be true", 1, 45 },
	{ ROLES("\"a\":{\"unconstrained\":true,\"deny\":[]}"),
	    "allowed everything", 1, 28 },
	{ ROLES("\"a\":{\"extends\":\"admin\",\"deny\":[]}"),
	    "allowed everything", 1, 28 },
	{ ROLES("\"a\":{\"extends\":\"a\"}"), "no role \"a\"", 1, 39 },
	{ ROLES("\"a\":{\"extends\":\"b\"},\"b\":{\"extends\":\"a\"}"),
	    "extends itself", 1, 59 },
	{ ROLES("\"a\":{\"about\":3}"), "must be a text", 1, 37 },
};

static void
refuses_policies_with_a_mistake(void **state)
{
	struct policy *pol = NULL;
	unsigned wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(refused); i++) {
		struct diag d = { 0, 0, "" };
		enum err rc = policy_load(span_of(refused[i].text), &pol, &d);

		if (rc != ERR_POLICY ||
		    strstr(d.text, refused[i].says) == NULL ||
		    d.line != refused[i].line || d.col != refused[i].col) {
			print_error("%s: %s %u:%u: %s\n", refused[i].text,
			    err_tag(rc), d.line, d.col, d.text);
			wrong++;
		}
		assert_null(pol);
	}
	assert_int_equal(wrong, 0);
}

static void
count_report(void *arg, const struct diag *d)
{
	unsigned *n = arg;

	assert_true(d->line > 0 && d->text[0] != '\0');
	++*n;
}

static void
reports_every_mistake_at_once(void **state)
{
	static const char text[] = "{\"clients\":[{\"match\":{},\"role\":\"x\"}"
				   ",{}],\"roles\":{\"a\":{\"allow\":[\"Foo\","
				   "\"@bar\"]}},\"more\":1}";
	unsigned n = 0;

	(void)state;
	assert_int_equal(policy_check(span_of(text), count_report, &n), 6);
	assert_int_equal(n, 6);
	n = 0;
	assert_int_equal(
	    policy_check(span_of("{\"clients\":[]}"), count_report, &n), 0);
	assert_int_equal(n, 0);
}

/* A file with a mistake on most lines, and what is said of each. */
static const struct {
	const char *line;
	const char *says; /* NULL: nothing */
	unsigned col;
} twenty[] = {
	{ "{ \"abuot\": \"x\",", "no member \"abuot\"; expected $schema", 12 },
	{ "  \"clients\": [", NULL, 0 },
	{ "    { \"match\": { \"cm\": \"x\" }, \"role\": \"admin\" },",
	    "no member \"cm\"; expected cn, o", 24 },
	{ "    { \"match\": { \"uid\": \"root\" }, \"role\": \"admin\" },",
	    "expected a number, or \"*\"", 25 },
	{ "    { \"match\": { \"cn\": \"x\" } },",
	    "needs both \"match\" and \"role\"", 5 },
	{ "    { \"match\": { \"cn\": \"x\" }, \"role\": \"admim\" } ],",
	    "no role \"admim\"", 39 },
	{ "  \"clients\": [],", "names a member twice: \"clients\"", 14 },
	{ "  \"roles\": { \"a\": {", NULL, 0 },
	{ "    \"extends\": \"b\",", "no role \"b\"", 16 },
	{ "    \"allow\": [ \"ContainerStrat\",",
	    "no operation \"ContainerStrat\"; expected", 16 },
	{ "      \"@exce\" ],", "no class \"@exce\"; expected @read", 7 },
	{ "    \"deny\": \"@read\",", "expected a list of operations", 13 },
	{ "    \"may\": [ \"priviledged\",", "no rule \"priviledged\"", 14 },
	{ "      \"op\" ],", "holds for every constrained role", 7 },
	{ "    \"buildkit\": \"judged\",", "can only be \"unjudged\"", 17 },
	{ "    \"unknown_fields\": \"skip\",",
	    "expected \"refuse\" or \"drop\"", 23 },
	{ "    \"fields\": [ \"HostConfig.Privileged\" ],", "dinv judges it",
	    17 },
	{ "    \"query\": [ \"foo\" ],", "expected an operation and a", 16 },
	{ "    \"rules\": [ { \"deny\": [ \"@run\" ], \"about\": 1,",
	    "expected a text of at most", 47 },
	{ "        \"when\": { \"body.Imgae\": \"x\",", "no operation of", 33 },
	{ "          \"body.Tty\": \"x\" } },", "a pattern is for texts", 23 },
	{ "      { \"allow\": [ \"@run\" ], \"when\": { \"query.v\": true }, "
	  "\"wen\": 1 } ],",
	    "no member \"wen\"; expected allow, deny", 66 },
	{ "    \"constraints\": { \"image\": {},", "no constraint \"image\"",
	    31 },
	{ "      \"images\": { \"run\": [ \"alpine\" ],",
	    "expected a pattern of a full name", 28 },
	{ "        \"pul\": [] },", "no member \"pul\"; expected run", 16 },
	{ "      \"resources\": { \"memory\": { \"max\": \"2x\",",
	    "expected a size such as \"2g\"", 41 },
	{ "        \"required\": false } },", "can only be true", 21 },
	{ "      \"host_paths\": [ { \"path\": \"srv\",",
	    "expected an absolute path", 33 },
	{ "        \"mode\": \"rx\" } ],", "expected \"ro\" or \"rw\"", 17 },
	{ "      \"ulimits\": { \"nofile\": -1 },", "expected a number", 30 },
	{ "      \"tty\": true } } } }", "can only be false", 14 },
};

struct said {
	unsigned n[NELEM(twenty)];
	unsigned wrong;
	unsigned line; /* of the last one */
};

static void
hold_against_its_line(void *arg, const struct diag *d)
{
	struct said *s = arg;
	bool known = d->line > 0 && d->line <= NELEM(twenty);
	size_t i = known ? d->line - 1 : 0;

	assert_true(d->line >= s->line);
	s->line = d->line;
	if (known && twenty[i].says != NULL && twenty[i].col == d->col &&
	    strstr(d->text, twenty[i].says) != NULL) {
		s->n[i]++;
		return;
	}
	print_error("%u:%u: %s\n", d->line, d->col, d->text);
	s->wrong++;
}

static void
says_each_of_twenty_mistakes_once(void **state)
{
	struct said s = { .wrong = 0 };
	char text[4096] = "";
	unsigned want = 0;
	size_t i, errors;

	(void)state;
	for (i = 0; i < NELEM(twenty); i++) {
		strcat(text, twenty[i].line);
		strcat(text, "\n");
		want += twenty[i].says != NULL;
	}
	assert_true(want >= 20);
	errors = policy_check(span_of(text), hold_against_its_line, &s);
	for (i = 0; i < NELEM(twenty); i++) {
		if (s.n[i] != (twenty[i].says != NULL)) {
			print_error("line %zu: said %u times: %s\n", i + 1,
			    s.n[i], twenty[i].line);
			s.wrong++;
		}
	}
	assert_int_equal(s.wrong, 0);
	assert_int_equal(errors, want);
}

/* --- who has which role -------------------------------------------------- */

static const char example[] =
    "{\n"
    "  // who may do what\n"
    "  \"clients\": [\n"
    "    { \"match\": { \"cn\": \"root\" }, \"role\": \"admin\" },\n"
    "    { \"match\": { \"ou\": \"ci\" }, \"role\": \"ci-runner\" },\n"
    "    { \"match\": { \"ou\": \"watch\" }, \"role\": \"read-only\" }\n"
    "  ]\n"
    "}\n";

static struct policy *
load(const char *text)
{
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };

	if (policy_load(span_of(text), &pol, &d) != ERR_OK) {
		fail_msg("%s: %u:%u: %s", text, d.line, d.col, d.text);
	}
	return pol;
}

static const char *
role_of(const struct policy *pol, const struct principal *who)
{
	const struct role *r = policy_role(pol, who);

	return r == NULL ? "" : role_name(r);
}

static void
gives_roles_by_the_first_match(void **state)
{
	struct principal who = { .kind = PRINCIPAL_CERT };
	struct policy *pol = load(example);
	struct policy_why why;
	struct asked a;

	(void)state;
	(void)why;
	assert_string_equal(role_of(pol, &who), "");
	who.cn = span_of("Root");
	assert_string_equal(role_of(pol, &who), "");
	who.ou.name[0] = span_of("dev");
	who.ou.name[1] = span_of("ci");
	who.ou.n = 2;
	assert_string_equal(role_of(pol, &who), "ci-runner");
	who.ou.n = 1;
	assert_string_equal(role_of(pol, &who), "");
	ask_policy(pol, &who, "GET /info", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_DENY);
	assert_string_equal(a.why.rule, "no-client");
	assert_string_equal(a.why.message,
	    "dinv: no client entry of the "
	    "policy matches certificate \"Root\"; ask the owner of this host");
	who.cn = span_of("root");
	assert_string_equal(role_of(pol, &who), "admin");
	assert_true(role_unconstrained(policy_role(pol, &who)));
	ask_policy(pol, &who, "GET /info", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_int_equal(a.why.line, 4);
	who.kind = PRINCIPAL_NONE;
	assert_string_equal(role_of(pol, &who), "");
	who.kind = PRINCIPAL_LOCAL;
	assert_string_equal(role_of(pol, &who), "");
	who.kind = PRINCIPAL_ANONYMOUS;
	assert_string_equal(role_of(pol, &who), "");
	ask_policy(pol, &who, "GET /info", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_DENY);
	policy_free(pol);
}

static void
holds_every_member_of_a_match(void **state)
{
	struct principal who = { .kind = PRINCIPAL_CERT };
	struct policy *pol = load(
	    MATCH("\"cn\":\"run-*\",\"o\":\"x\",\"san\":"
		  "\"*.lan\",\"serial\":\"0A:FF\",\"fingerprint\":\"AB*\""));

	(void)state;
	who.cn = span_of("run-7");
	who.o.name[0] = span_of("x");
	who.o.n = 1;
	who.san_uri.name[0] = span_of("a.lan");
	who.san_uri.n = 1;
	strcpy(who.serial, "0aff");
	strcpy(who.fingerprint, "abcd");
	assert_string_equal(role_of(pol, &who), "admin");
	who.serial[0] = '1';
	assert_string_equal(role_of(pol, &who), "");
	who.serial[0] = '0';
	who.san_uri.n = 0;
	assert_string_equal(role_of(pol, &who), "");
	who.san_dns.name[0] = span_of("b.lan");
	who.san_dns.n = 1;
	assert_string_equal(role_of(pol, &who), "admin");
	who.cn = span_of("xrun-7");
	assert_string_equal(role_of(pol, &who), "");
	policy_free(pol);
}

static void
tells_kinds_of_principals_apart(void **state)
{
	struct principal who = { .kind = PRINCIPAL_LOCAL, .uid = 1000 };
	struct policy *pol = load(
	    "{\"clients\":["
	    "{\"match\":{\"cn\":\"*\"},\"role\":\"admin\"},"
	    "{\"match\":{\"uid\":1000,\"gid\":\"*\"},\"role\":\"ci-runner\"},"
	    "{\"match\":{\"anonymous\":true},\"role\":\"read-only\"}]}");

	(void)state;
	assert_string_equal(role_of(pol, &who), "ci-runner");
	who.uid = 100;
	assert_string_equal(role_of(pol, &who), "");
	who.kind = PRINCIPAL_ANONYMOUS;
	assert_string_equal(role_of(pol, &who), "read-only");
	who.kind = PRINCIPAL_CERT;
	assert_string_equal(role_of(pol, &who), "admin");
	policy_free(pol);
}

static void
matches_globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} c[] = {
		{ "*", "", true },
		{ "*", "x", true },
		{ "a*", "a", true },
		{ "a*", "ba", false },
		{ "*a", "ba", true },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "aXbY", false },
		{ "a.c", "abc", false },
		{ "a?c", "abc", false },
		{ "a", "A", false },
		{ "**", "x", true },
		{ "a", "", false },
		{ "*ab", "aab", true },
		{ "*aab", "aaaab", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		if (match_glob(span_of(c[i].pattern), span_of(c[i].text)) !=
		    c[i].want) {
			fail_msg("%s %s", c[i].pattern, c[i].text);
		}
	}
}

/* --- what roles hold ----------------------------------------------------- */

static bool
allows(const struct policy *pol, const char *request)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = { "x", 1 } };
	struct asked a;

	ask_policy(pol, &who, request, NULL, NULL, &a);
	return a.verdict == VERDICT_ALLOW;
}

static void
builds_roles_on_one_another(void **state)
{
	struct policy *pol = load(
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},"
	    "\"role\":\"c\"}],\"roles\":{"
	    "\"c\":{\"deny\":[\"SystemInfo\"],\"extends\":\"b\",\"allow\":["
	    "\"ImagePrune\"]},"
	    "\"b\":{\"extends\":\"read-only\",\"allow\":[\"@image\"],"
	    "\"deny\":[\"ImagePush\"]}}}");

	(void)state;
	assert_true(allows(pol, "GET /version"));
	assert_true(allows(pol, "POST /images/create?fromImage=x"));
	assert_true(allows(pol, "POST /images/prune"));
	assert_false(allows(pol, "GET /info"));
	assert_false(allows(pol, "POST /images/x/push"));
	assert_false(allows(pol, "POST /containers/create"));
	policy_free(pol);
	/* a role may extend the preset whose name it takes */
	pol = load("{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":"
		   "\"read-only\"}],\"roles\":{\"read-only\":{\"extends\":"
		   "\"read-only\",\"deny\":[\"ContainerLogs\"]}}}");
	assert_true(allows(pol, "GET /info"));
	assert_false(allows(pol, "GET /containers/x/logs"));
	policy_free(pol);
}

static void
reads_its_presets(void **state)
{
	const char *const *name;
	struct policy *pol = NULL;
	unsigned n = 0;

	(void)state;
	for (name = policy_preset_names(); *name != NULL; name++) {
		struct principal who = { .kind = PRINCIPAL_ANONYMOUS };

		n++;
		assert_non_null(policy_preset_text(*name).p);
		expect_err(*name, policy_load_preset(*name, &pol), ERR_OK);
		assert_string_equal(role_of(pol, &who), *name);
		who.kind = PRINCIPAL_CERT;
		assert_string_equal(role_of(pol, &who), *name);
		who.kind = PRINCIPAL_NONE;
		assert_string_equal(role_of(pol, &who), "");
		policy_free(pol);
	}
	assert_true(n >= 3);
	assert_null(policy_preset_text("x").p);
	assert_int_equal(policy_load_preset("x", &pol), ERR_NOTFOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_policies_with_a_mistake),
		cmocka_unit_test(reports_every_mistake_at_once),
		cmocka_unit_test(says_each_of_twenty_mistakes_once),
		cmocka_unit_test(gives_roles_by_the_first_match),
		cmocka_unit_test(holds_every_member_of_a_match),
		cmocka_unit_test(tells_kinds_of_principals_apart),
		cmocka_unit_test(matches_globs),
		cmocka_unit_test(builds_roles_on_one_another),
		cmocka_unit_test(reads_its_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
