/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: what is refused and where, then every key. */
#include "unit.h"

#include <unistd.h>

#include "conf.h"

static const struct gate_config initial = {
	.upstream = "unix:///var/run/docker.sock",
	.certs = "/certs",
	.policy = "admin",
	.tls_max = TLS_VERSION_1_3,
	.limits = LIMITS_DEFAULT,
};

/* Loads a text through a file; path gets the file's name. */
static enum err
load(struct span text, struct gate_config *out, struct diag *d, char *path,
    size_t size)
{
	enum err rc;
	int fd;

	(void)snprintf(path, size, "/tmp/dinv-conf-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text.p, text.len), text.len);
	assert_int_equal(close(fd), 0);
	*out = initial;
	memset(d, 0, sizeof(*d));
	rc = conf_load(path, out, d);
	assert_int_equal(unlink(path), 0);
	return rc;
}

/* The strings of a file live as long as the program; tests outlive them. */
static void
drop(struct gate_config *c)
{
	const char *const *was[] = { &initial.upstream, &initial.certs,
		&initial.policy, &initial.audit, &initial.admin };
	const char *const *is[] = { &c->upstream, &c->certs, &c->policy,
		&c->audit, &c->admin };
	size_t i;

	for (i = 0; i < NELEM(is); i++) {
		if (*is[i] != *was[i]) {
			free((void *)(uintptr_t)*is[i]);
		}
	}
	for (i = 0; i < c->listen.n; i++) {
		free((void *)(uintptr_t)c->listen.item[i]);
	}
	free(c->listen.item);
}

/* Texts, where they are wrong, and a word that the message must have. */
static const struct {
	struct span text;
	unsigned line, col;
	const char *word;
} bad[] = {
	{ LIT(""), 1, 1, "value" },
	{ LIT("{"), 1, 2, "" },
	{ LIT("{} x"), 1, 4, "follow" },
	{ LIT("[]"), 1, 1, "object" },
	{ LIT("\"listen\""), 1, 1, "object" },
	{ LIT("{\"debug\": true,}"), 1, 16, "" },
	{ LIT("{\n  \"debug\": true\n  \"certs\": \"\"}"), 3, 3, "" },
	{ LIT("{\"certs\": \"a\0b\"}"), 1, 13, "control" },
	{ LIT("{\"certs\": \"\\u0000\"}"), 1, 13, "NUL" },
	{ LIT("{\"certs\": \"\xff\"}"), 1, 11, "UTF-8" },
	{ LIT("{\"debug\": true, \"debug\": false}"), 1, 26, "twice" },
	{ LIT("{ /* no end }"), 1, 3, "comment" },
	/* keys */
	{ LIT("{\n\t\"lisen\": []\n}"), 2, 11, "lisen" },
	{ LIT("{\"Debug\": true}"), 1, 11, "Debug" },
	{ LIT("{\"\": true}"), 1, 6, "unknown" },
	{ LIT("{\"tls\": {\n \"mod\": \"server\"}}"), 2, 9, "tls" },
	{ LIT("{\"limits\": {\"head\": 1}}"), 1, 21, "limits" },
	{ LIT("{\"head_ms\": 1}"), 1, 13, "head_ms" },
	/* kinds */
	{ LIT("{\"listen\": \"tcp://0.0.0.0:2376\"}"), 1, 12, "array" },
	{ LIT("{\"listen\": [\"a\",\n 1]}"), 2, 2, "strings" },
	{ LIT("{\"listen\": [[]]}"), 1, 13, "strings" },
	{ LIT("{\"listen\": null}"), 1, 12, "array" },
	{ LIT("{\"upstream\": 1}"), 1, 14, "string" },
	{ LIT("{\"policy\": null}"), 1, 12, "string" },
	{ LIT("{\"audit\": false}"), 1, 11, "string" },
	{ LIT("{\"admin\": [\"none\"]}"), 1, 11, "string" },
	{ LIT("{\"insecure_admin_remote\": 1}"), 1, 27, "true" },
	{ LIT("{\"debug\": 1}"), 1, 11, "true or false" },
	{ LIT("{\"debug\": \"true\"}"), 1, 11, "true or false" },
	{ LIT("{\"workers\": 0}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": -1}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": 1.0}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": 1e1}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": \"1\"}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": 2147483648}"), 1, 13, "whole number" },
	{ LIT("{\"workers\": 18446744073709551617}"), 1, 13, "whole" },
	{ LIT("{\"limits\": {\"body_bytes\": true}}"), 1, 27, "body_bytes" },
	{ LIT("{\"limits\": []}"), 1, 12, "object" },
	{ LIT("{\"tls\": \"server\"}"), 1, 9, "object" },
	{ LIT("{\"tls\": {\"mode\": \"none\"}}"), 1, 18, "verify" },
	{ LIT("{\"tls\": {\"mode\": \"Verify\"}}"), 1, 18, "verify" },
	{ LIT("{\"tls\": {\"mode\": 0}}"), 1, 18, "verify" },
	{ LIT("{\"tls\": {\"min\": 1.2}}"), 1, 17, "1.2" },
	{ LIT("{\"tls\": {\"max\": \"1.1\"}}"), 1, 17, "1.2" },
};

static void
says_where_a_file_is_wrong(void **state)
{
	char path[64], place[128];
	struct gate_config c;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		if (load(bad[i].text, &c, &d, path, sizeof(path)) == ERR_OK) {
			fail_msg("%s: is taken", bad[i].text.p);
		}
		(void)snprintf(place, sizeof(place), "%s:%u:%u: ", path,
		    bad[i].line, bad[i].col);
		if (!span_starts(span_of(d.text), place) ||
		    d.line != bad[i].line || d.col != bad[i].col) {
			fail_msg("%s: at %u:%u: %s", bad[i].text.p, bad[i].line,
			    bad[i].col, d.text);
		}
		if (strstr(d.text + strlen(place), bad[i].word) == NULL) {
			fail_msg("%s: no \"%s\": %s", bad[i].text.p,
			    bad[i].word, d.text);
		}
		drop(&c);
	}
}

static void
says_why_a_file_cannot_be_read(void **state)
{
	struct gate_config c = initial;
	struct diag d;

	(void)state;
	assert_int_not_equal(conf_load("/nonexistent/c", &c, &d), ERR_OK);
	assert_non_null(strstr(d.text, "/nonexistent/c"));
	assert_non_null(strstr(d.text, "No such file"));
	assert_int_not_equal(conf_load("/tmp", &c, &d), ERR_OK);
	assert_non_null(strstr(d.text, "directory"));
}

static void
leaves_alone_what_is_not_named(void **state)
{
	static const struct span empty[] = { LIT("{}"), LIT(" { } \n"),
		LIT("// nothing yet\n{}"), LIT("{\"tls\": {}, \"limits\": {}}"),
		LIT("{\"listen\": []}") };
	struct gate_config c;
	struct diag d;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(empty); i++) {
		expect_err(empty[i].p,
		    load(empty[i], &c, &d, path, sizeof(path)), ERR_OK);
		assert_memory_equal(&c, &initial, sizeof(c));
	}
}

#define ALL                                                                    \
	"// all keys\n"                                                        \
	"{\n"                                                                  \
	"  \"listen\": [\"tcp://127.0.0.1:2376\", /* two */ \"unix:///d\"],\n" \
	"  \"upstream\": \"unix:///run/u\\u0061.sock\",\n"                     \
	"  \"certs\": \"/c\", \"policy\": \"p // no comment\",\n"              \
	"  \"audit\": \"-\", \"workers\": 3, \"debug\": true,\n"               \
	"  \"admin\": \"unix:///a\", \"insecure_admin_remote\": true,\n"       \
	"  \"tls\": { \"mode\": \"server\", \"min\": \"1.3\","                 \
	" \"max\": \"1.2\" },\n"                                               \
	"  \"limits\": {\n"                                                    \
	"    \"handshake_ms\": 1, \"head_ms\": 2, \"body_ms\": 3,\n"           \
	"    \"idle_ms\": 4, \"stop_ms\": 5, \"head_bytes\": 6,\n"             \
	"    \"target_bytes\": 7, \"body_bytes\": 8, \"connections\": 9,\n"    \
	"    \"connections_per_client\": 10, \"handshakes\": 11,\n"            \
	"    \"dead_peer_ms\": 12,\n"                                          \
	"    \"connections_per_address\": 2147483647\n"                        \
	"  }\n"                                                                \
	"}\n"

static void
takes_every_key(void **state)
{
	struct gate_config c;
	struct diag d;
	char path[64];

	(void)state;
	assert_int_equal(
	    load(span_of(ALL), &c, &d, path, sizeof(path)), ERR_OK);
	assert_int_equal(c.listen.n, 2);
	assert_string_equal(c.listen.item[0], "tcp://127.0.0.1:2376");
	assert_string_equal(c.listen.item[1], "unix:///d");
	assert_string_equal(c.upstream, "unix:///run/ua.sock");
	assert_string_equal(c.certs, "/c");
	assert_string_equal(c.policy, "p // no comment");
	assert_string_equal(c.audit, "-");
	assert_string_equal(c.admin, "unix:///a");
	assert_true(c.insecure_admin_remote);
	assert_int_equal(c.workers, 3);
	assert_true(c.debug);
	assert_int_equal(c.tls, GATE_TLS_SERVER);
	assert_int_equal(c.tls_min, TLS_VERSION_1_3);
	assert_int_equal(c.tls_max, TLS_VERSION_1_2);
	assert_int_equal(c.limits.handshake_ms, 1);
	assert_int_equal(c.limits.head_ms, 2);
	assert_int_equal(c.limits.body_ms, 3);
	assert_int_equal(c.limits.idle_ms, 4);
	assert_int_equal(c.limits.stop_ms, 5);
	assert_int_equal(c.limits.head_bytes, 6);
	assert_int_equal(c.limits.target_bytes, 7);
	assert_int_equal(c.limits.body_bytes, 8);
	assert_int_equal(c.limits.connections, 9);
	assert_int_equal(c.limits.connections_per_client, 10);
	assert_int_equal(c.limits.handshakes, 11);
	assert_int_equal(c.limits.dead_peer_ms, 12);
	assert_int_equal(c.limits.connections_per_address, INT32_MAX);
	drop(&c);
}

static void
knows_the_modes_of_tls(void **state)
{
	static const struct {
		struct span text;
		enum gate_tls mode;
	} cases[] = {
		{ LIT("{\"tls\": {\"mode\": \"verify\"}}"), GATE_TLS_VERIFY },
		{ LIT("{\"tls\": {\"mode\": \"server\"}}"), GATE_TLS_SERVER },
		{ LIT("{\"tls\": {\"mode\": \"insecure-plain\"}}"),
		    GATE_TLS_NONE },
	};
	struct gate_config c;
	struct diag d;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		expect_err(cases[i].text.p,
		    load(cases[i].text, &c, &d, path, sizeof(path)), ERR_OK);
		assert_int_equal(c.tls, cases[i].mode);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_a_file_is_wrong),
		cmocka_unit_test(says_why_a_file_cannot_be_read),
		cmocka_unit_test(leaves_alone_what_is_not_named),
		cmocka_unit_test(takes_every_key),
		cmocka_unit_test(knows_the_modes_of_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
