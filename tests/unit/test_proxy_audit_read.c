/* SPDX-License-Identifier: Apache-2.0 */
/* Records as the commands read them: whoever wrote the file may be hostile. */
#include "unit.h"

#include <unistd.h>

#include "audit_chain.h"
#include "audit_fields.h"
#include "audit_read.h"
#include "audit_show.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define RECORD                                                                 \
	"{\"seq\":7,\"prev\":\"" ZEROS                                         \
	"\",\"time\":\"2026-11-21T08:00:00.000Z\",\"event\":\"end\","          \
	"\"client\":{\"kind\":\"local\",\"cn\":\"\",\"o\":[\"}\",\"]\"],"      \
	"\"uid\":1000},\"op\":\"ContainerExec\",\"object\":\"a\\\"b\","        \
	"\"request\":{\"body\":{\"op\":\"forged\",\"status\":200}},"           \
	"\"status\":403}"

/* --- fields -------------------------------------------------------------- */

static void
refuses_what_is_no_object_in_one_piece(void **state)
{
	static const char *const t[] = { "", "{", "}", "[]", "x", "{\"a\"}",
		"{\"a\":}x", "{\"a\":1", "{\"a\":\"}", "{\"a\":\"\\\"}",
		"{\"a\":[1,2}", "{\"a\":1,}", "{a:1}", "{\"a\":1}}",
		"{\"client\":1}", "{\"client\":{\"cn\":\"x\"}",
		"{\"client\":{\"cn\"}}", "\"{}\"", "{\"", "{\"\\" };
	struct audit_fields r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		if (audit_fields_scan(span_of(t[i]), &r)) {
			fail_msg("taken: %s", t[i]);
		}
	}
}

/* Each beginning, and each byte changed, from memory that ends where the
 * line does: a sanitizer sees what reads on. */
static void
reads_no_byte_beyond_the_line(void **state)
{
	static const char bytes[] = { '"', '\\', '{', '}', '[', ']', ':', ',',
		'\0', (char)0xff };
	struct span bytes_of, key, seal;
	struct audit_fields r;
	struct audit_link l;
	size_t n = strlen(RECORD), i, k;
	char *p;

	(void)state;
	for (i = 0; i <= n; i++) {
		p = malloc(i == 0 ? 1 : i);
		assert_non_null(p);
		memcpy(p, RECORD, i);
		assert_int_equal(
		    audit_fields_scan(span_make(p, i), &r), i == n);
		(void)audit_link_parse(span_make(p, i), &l);
		(void)audit_link_seal(span_make(p, i), &bytes_of, &key, &seal);
		free(p);
	}
	for (i = 0; i < n; i++) {
		for (k = 0; k < NELEM(bytes); k++) {
			p = malloc(n);
			assert_non_null(p);
			memcpy(p, RECORD, n);
			p[i] = bytes[k];
			(void)audit_fields_scan(span_make(p, n), &r);
			(void)audit_link_parse(span_make(p, n), &l);
			free(p);
		}
	}
}

static void
takes_no_member_of_a_body_for_one_of_the_record(void **state)
{
	struct audit_fields r;
	char buf[32];

	(void)state;
	assert_true(audit_fields_scan(span_of(RECORD), &r));
	expect_span("op", r.of[AF_OP], "ContainerExec");
	assert_int_equal(audit_field_u64(&r, AF_STATUS), 403);
	assert_int_equal(audit_field_u64(&r, AF_DURATION_MS), 0);
	expect_span("who", audit_field_who(&r, buf, sizeof(buf)), "uid:1000");
}

/* --- links --------------------------------------------------------------- */

static void
takes_a_link_in_one_spelling(void **state)
{
	static const char *const bad[] = {
		"{\"seq\":07,\"prev\":\"" ZEROS "\",\"a\":1}",
		"{\"seq\":-7,\"prev\":\"" ZEROS "\",\"a\":1}",
		"{\"seq\":18446744073709551616,\"prev\":\"" ZEROS "\",\"a\":1}",
		"{\"seq\":,\"prev\":\"" ZEROS "\",\"a\":1}",
		"{ \"seq\":7,\"prev\":\"" ZEROS "\",\"a\":1}",
		"{\"seq\":7,\"prev\":\"0" ZEROS "\",\"a\":1}",
		"{\"seq\":7,\"prev\":\"g\",\"a\":1}",
		"{\"seq\":7,\"prev\":\"" ZEROS "\"}",
		"{\"seq\":7,\"prev\":\"" ZEROS "\",\"a\":1",
	};
	struct audit_link l;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		if (audit_link_parse(span_of(bad[i]), &l)) {
			fail_msg("taken: %s", bad[i]);
		}
	}
	assert_true(audit_link_parse(span_of(RECORD), &l));
	assert_int_equal(l.seq, 7);
}

/* --- showing ------------------------------------------------------------- */

static void
shows_nothing_that_a_terminal_or_a_spreadsheet_obeys(void **state)
{
	static const char line[] =
	    "{\"time\":\"t\",\"client\":{\"cn\":\"=cmd()\"},"
	    "\"op\":\"\x1b[2J\xe2\x80\xae\",\"object\":\"a\\\"b\"}";
	struct audit_fields r;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	(void)state;
	assert_true(audit_fields_scan(span_of(line), &r));
	f = open_memstream(&text, &size);
	assert_non_null(f);
	audit_show(AUDIT_TABLE, false, span_of(line), &r, f);
	assert_int_equal(fclose(f), 0);
	assert_null(strpbrk(text, "\x1b\xe2"));
	free(text);
	f = open_memstream(&text, &size);
	assert_non_null(f);
	audit_show(AUDIT_CSV, false, span_of(line), &r, f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(strstr(text, "\"'=cmd()\""));
	assert_non_null(strstr(text, "\"a\\\"\"b\""));
	free(text);
}

/* --- files --------------------------------------------------------------- */

static void
reads_lines_of_any_length_and_says_which_has_no_end(void **state)
{
	char path[] = "/tmp/dinv-audit-read-XXXXXX";
	int fd = mkstemp(path);
	struct audit_reader *r = NULL;
	struct diag d = { 0, 0, "" };
	size_t n = 5u << 20, got = 0;
	char *big = malloc(n);
	struct span line;
	bool whole;

	(void)state;
	assert_true(fd != -1);
	assert_non_null(big);
	memset(big, 'x', n);
	assert_int_equal(write(fd, "a\n\n", 3), 3);
	assert_int_equal(write(fd, big, n), n);
	assert_int_equal(write(fd, "\nend", 4), 4);
	close(fd);
	assert_int_equal(audit_reader_open(path, &r, &d), ERR_OK);
	assert_true(audit_reader_line(r, &line, &whole));
	expect_span("first", line, "a");
	assert_true(audit_reader_line(r, &line, &whole));
	assert_int_equal(line.len, 0);
	while (audit_reader_line(r, &line, &whole) && !span_is(line, "end")) {
		got += line.len;
	}
	assert_int_equal(got, n);
	assert_false(whole);
	assert_false(audit_reader_line(r, &line, &whole));
	assert_int_equal(audit_reader_close(r, &d), ERR_OK);
	assert_int_equal(
	    audit_reader_open("/nonexistent/audit", &r, &d), ERR_IO);
	free(big);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_object_in_one_piece),
		cmocka_unit_test(reads_no_byte_beyond_the_line),
		cmocka_unit_test(takes_a_link_in_one_spelling),
		cmocka_unit_test(
		    takes_no_member_of_a_body_for_one_of_the_record),
		cmocka_unit_test(
		    shows_nothing_that_a_terminal_or_a_spreadsheet_obeys),
		cmocka_unit_test(
		    reads_lines_of_any_length_and_says_which_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
