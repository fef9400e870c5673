/* SPDX-License-Identifier: Apache-2.0 */
/* Command-line flags: wrong usage first. */
#include "unit.h"

#include "flags.h"

#define MAX_ARGS 12

/* What one run of the parser left behind. */
struct run {
	bool tls;
	const char *name;
	struct str_list host;
	unsigned days;
	char *argv[MAX_ARGS + 1];
	int argc;
	char **rest;
	bool help;
	struct diag d;
	struct flag flag[4];
	struct flag_set set;
};

/* line: arguments with one blank between them; it is cut into pieces. */
static enum err
run(struct run *r, char *line, unsigned operands, bool with_rest)
{
	static char program[] = "dinv";
	char *at;

	memset(r, 0, sizeof(*r));
	r->name = "default";
	r->days = 90;
	r->flag[0] = (struct flag){ "tls", FLAG_BOOL, &r->tls, "", "use TLS" };
	r->flag[1] = (struct flag){ "name", FLAG_STRING, &r->name, "NAME",
		"a name\non two lines" };
	r->flag[2] =
	    (struct flag){ "host", FLAG_LIST, &r->host, "HOST", "a host" };
	r->flag[3] = (struct flag){ "days", FLAG_UINT, &r->days, "N", "days" };
	r->set = (struct flag_set){ "dinv try [flags]", "Tries.", r->flag, 4,
		operands };
	r->argv[r->argc++] = program;
	for (at = line; at != NULL && *at != '\0';) {
		assert_true(r->argc < MAX_ARGS);
		r->argv[r->argc++] = at;
		at = strchr(at, ' ');
		if (at != NULL) {
			*at++ = '\0';
		}
	}
	return flags_parse(&r->set, &r->argc, r->argv,
	    with_rest ? &r->rest : NULL, &r->help, &r->d);
}

static enum err
run_text(struct run *r, const char *text, unsigned operands, bool with_rest)
{
	static char line[256];

	assert_true(strlen(text) < sizeof(line));
	memcpy(line, text, strlen(text) + 1);
	return run(r, line, operands, with_rest);
}

static void
refuses_wrong_usage(void **state)
{
	static const struct {
		const char *line, *word;
	} bad[] = {
		{ "-nope", "-nope" },
		{ "--nope=1", "-nope" },
		{ "-tlsverify", "-tlsverify" },
		{ "-t", "-t" },
		{ "-TLS", "-TLS" },
		{ "---tls", "-tls" },
		{ "-=x", "unknown" },
		{ "-tls=yes", "true or false" },
		{ "-tls=", "true or false" },
		{ "-tls=TRUE", "true or false" },
		{ "-name", "NAME" },
		{ "-tls -host", "HOST" },
		{ "-days=", "whole number" },
		{ "-days -1", "whole number" },
		{ "-days=1.5", "whole number" },
		{ "-days 030", "whole number" },
		{ "-days 4294967296", "whole number" },
		{ "a", "\"a\"" },
		{ "-tls true", "\"true\"" },
		{ "-", "\"-\"" },
		{ "-- a", "\"a\"" },
	};
	struct run r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		expect_err(bad[i].line, run_text(&r, bad[i].line, 0, false),
		    ERR_USAGE);
		if (strstr(r.d.text, bad[i].word) == NULL) {
			fail_msg("%s: no \"%s\": %s", bad[i].line, bad[i].word,
			    r.d.text);
		}
		free(r.host.item);
	}
}

static void
takes_one_dash_or_two(void **state)
{
	static const char *const same[] = {
		"-tls -name x -host a -host b -days 7",
		"--tls --name x --host a --host b --days 7",
		"-tls=true -name=x -host=a --host=b -days=7",
		"-tls=1 --name=y -name=x -host a -host=b -days 1 -days 7",
	};
	struct run r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(same); i++) {
		expect_err(same[i], run_text(&r, same[i], 0, false), ERR_OK);
		assert_true(r.tls);
		assert_string_equal(r.name, "x");
		assert_int_equal(r.host.n, 2);
		assert_string_equal(r.host.item[0], "a");
		assert_string_equal(r.host.item[1], "b");
		assert_int_equal(r.days, 7);
		assert_int_equal(r.argc, 1);
		assert_false(r.help);
		free(r.host.item);
	}
}

static void
keeps_defaults(void **state)
{
	struct run r;

	(void)state;
	assert_int_equal(run_text(&r, "", 0, false), ERR_OK);
	assert_false(r.tls);
	assert_string_equal(r.name, "default");
	assert_int_equal(r.days, 90);
	assert_int_equal(run_text(&r, "-tls -tls=false", 0, false), ERR_OK);
	assert_false(r.tls);
	assert_int_equal(run_text(&r, "-tls -tls=0", 0, false), ERR_OK);
	assert_false(r.tls);
	assert_int_equal(run_text(&r, "-name=", 0, false), ERR_OK);
	assert_string_equal(r.name, "");
	/* a value may look like a flag, an equals sign may stand in it */
	assert_int_equal(run_text(&r, "-name -tls", 0, false), ERR_OK);
	assert_string_equal(r.name, "-tls");
	assert_int_equal(run_text(&r, "-name=a=b", 0, false), ERR_OK);
	assert_string_equal(r.name, "a=b");
	assert_int_equal(run_text(&r, "-days 4294967295", 0, false), ERR_OK);
	assert_int_equal(r.days, UINT32_MAX);
}

static void
finds_operands_anywhere(void **state)
{
	struct run r;

	(void)state;
	assert_int_equal(run_text(&r, "a -tls b -name x c", 3, false), ERR_OK);
	assert_int_equal(r.argc, 4);
	assert_string_equal(r.argv[1], "a");
	assert_string_equal(r.argv[2], "b");
	assert_string_equal(r.argv[3], "c");
	assert_true(r.tls);
	assert_int_equal(run_text(&r, "a -- -tls -h", 3, false), ERR_OK);
	assert_int_equal(r.argc, 4);
	assert_string_equal(r.argv[2], "-tls");
	assert_false(r.tls);
	assert_false(r.help);
	assert_int_equal(run_text(&r, "a b c d", 3, false), ERR_USAGE);
	assert_non_null(strstr(r.d.text, "\"d\""));
}

static void
leaves_the_rest_to_another_program(void **state)
{
	struct run r;

	(void)state;
	assert_int_equal(run_text(&r, "-tls -- -H x --", 0, true), ERR_OK);
	assert_int_equal(r.argc, 1);
	assert_string_equal(r.rest[0], "-H");
	assert_string_equal(r.rest[1], "x");
	assert_string_equal(r.rest[2], "--");
	assert_null(r.rest[3]);
	assert_int_equal(run_text(&r, "-tls --", 0, true), ERR_OK);
	assert_null(r.rest[0]);
	assert_int_equal(run_text(&r, "-tls", 0, true), ERR_OK);
	assert_null(r.rest[0]);
}

static void
asks_for_help(void **state)
{
	static const char *const lines[] = { "-h", "--help", "-help", "--h",
		"-tls -h -nope" };
	static const char *const words[] = { "Usage: dinv try [flags]",
		"Tries.", "-tls", "-name NAME", "on two lines",
		"(default default)", "(repeatable)", "(default 90)" };
	struct run r;
	char *text = NULL;
	size_t size, i;
	FILE *to;

	(void)state;
	for (i = 0; i < NELEM(lines); i++) {
		expect_err(lines[i], run_text(&r, lines[i], 0, false), ERR_OK);
		assert_true(r.help);
	}
	assert_int_equal(run_text(&r, "", 0, false), ERR_OK);
	to = open_memstream(&text, &size);
	assert_non_null(to);
	flags_help(&r.set, to);
	assert_int_equal(fclose(to), 0);
	for (i = 0; i < NELEM(words); i++) {
		if (strstr(text, words[i]) == NULL) {
			fail_msg("no \"%s\" in: %s", words[i], text);
		}
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_wrong_usage),
		cmocka_unit_test(takes_one_dash_or_two),
		cmocka_unit_test(keeps_defaults),
		cmocka_unit_test(finds_operands_anywhere),
		cmocka_unit_test(leaves_the_rest_to_another_program),
		cmocka_unit_test(asks_for_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
