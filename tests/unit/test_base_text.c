/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts, errors and diagnoses: the refusals first. */
#include "unit.h"

#include "base/text.h"

static void
refuses_numbers_that_are_not_plain(void **state)
{
	static const struct span bad[] = { LIT(""), LIT(" "), LIT(" 1"),
		LIT("1 "), LIT("\t1"), LIT("1\n"), LIT("+1"), LIT("-1"),
		LIT("-0"), LIT("00"), LIT("01"), LIT("0x1"), LIT("1e3"),
		LIT("1."), LIT("1,0"), LIT("1_0"), LIT("a"), LIT("1a"),
		LIT("1\0"), LIT("\0"), LIT("\xd9\xa1"),
		LIT("18446744073709551616"), LIT("18446744073709551620"),
		LIT("99999999999999999999"), LIT("184467440737095516150") };
	uint64_t v = 42;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		expect_err(bad[i].p, text_parse_u64(bad[i], UINT64_MAX, &v),
		    ERR_NUMBER);
	}
	assert_int_equal(
	    text_parse_u64(span_of("65536"), 65535, &v), ERR_NUMBER);
	assert_int_equal(text_parse_u64(span_of("1"), 0, &v), ERR_NUMBER);
	assert_true(v == 42);
}

static void
reads_numbers_up_to_the_most(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_int_equal(text_parse_u64(span_of("0"), 0, &v), ERR_OK);
	assert_true(v == 0);
	assert_int_equal(text_parse_u64(span_of("65535"), 65535, &v), ERR_OK);
	assert_true(v == 65535);
	assert_int_equal(
	    text_parse_u64(span_of("18446744073709551615"), UINT64_MAX, &v),
	    ERR_OK);
	assert_true(v == UINT64_MAX);
	/* bytes behind the span are not looked at */
	assert_int_equal(text_parse_u64(span_make("123", 2), 99, &v), ERR_OK);
	assert_true(v == 12);
}

static void
refuses_what_is_not_utf8(void **state)
{
	static const struct span bad[] = {
		LIT("\x80"),
		LIT("\xbf"),
		LIT("a\x80"), /* continuations */
		LIT("\xc0\x80"),
		LIT("\xc1\xbf"),
		LIT("\xe0\x80\x80"),
		LIT("\xe0\x9f\xbf"),
		LIT("\xf0\x80\x80\x80"),
		LIT("\xf0\x8f\xbf\xbf"), /* over-long */
		LIT("\xed\xa0\x80"),
		LIT("\xed\xbf\xbf"), /* surrogates */
		LIT("\xf4\x90\x80\x80"),
		LIT("\xf5\x80\x80\x80"),
		LIT("\xf8\x88\x80\x80\x80"),
		LIT("\xfe"),
		LIT("\xff"), /* past U+10FFFF */
		LIT("\xc3"),
		LIT("\xe2\x82"),
		LIT("\xf0\x9f\x98"), /* cut */
		LIT("\xc3("),
		LIT("\xe2\x82("),
		LIT("\xe2(\xac"),
		LIT("\xf0\x9f\x98("),
		LIT("ok\xc3"),
		LIT("\xc3\xc3\xa9"),
	};
	static const struct span good[] = { LIT(""), LIT("a"), LIT("\0"),
		LIT("\x7f"), LIT("\xc2\x80"), LIT("\xdf\xbf"),
		LIT("\xe0\xa0\x80"), LIT("\xed\x9f\xbf"), LIT("\xee\x80\x80"),
		LIT("\xef\xbf\xbf"), LIT("\xf0\x90\x80\x80"),
		LIT("\xf4\x8f\xbf\xbf"), LIT("a\xc3\xa9z\xe2\x82\xac") };
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		if (text_is_utf8(bad[i])) {
			fail_msg("bad[%zu] is taken for UTF-8", i);
		}
	}
	for (i = 0; i < NELEM(good); i++) {
		if (!text_is_utf8(good[i])) {
			fail_msg("good[%zu] is refused", i);
		}
	}
}

/* Each byte alone: is it printable, is it a tchar (RFC 9110 5.6.2)? */
static void
knows_every_byte(void **state)
{
	static const char more[] = "!#$%&'*+-.^_`|~";
	char c;
	bool token;
	int i;

	(void)state;
	for (i = 0; i < 256; i++) {
		c = (char)i;
		token = (i >= '0' && i <= '9') || (i >= 'A' && i <= 'Z') ||
			(i >= 'a' && i <= 'z') ||
			memchr(more, i, sizeof(more) - 1) != NULL;
		assert_int_equal(text_is_token(span_make(&c, 1)), token);
		assert_int_equal(
		    text_is_printable(span_make(&c, 1)), i >= 0x20 && i < 0x7f);
	}
	assert_false(text_is_token(span_of("")));
	assert_false(text_is_token(span_of("a b")));
	assert_true(text_is_printable(span_of("")));
}

static void
reads_and_writes_hexadecimal(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at;
	char out[9];
	int i;

	(void)state;
	for (i = 0; i < 256; i++) {
		at = memchr(digits, i, sizeof(digits) - 1);
		assert_int_equal(text_hex_digit((char)i), at == NULL ? -1
							  : at - digits > 15
							      ? at - digits - 6
							      : at - digits);
	}
	text_hex("\x00\x7f\x80\xff", 4, out);
	assert_string_equal(out, "007f80ff");
	text_hex("", 0, out);
	assert_string_equal(out, "");
}

static void
trims_blanks_and_tabs_alone(void **state)
{
	(void)state;
	expect_span("both", text_trim(span_of(" \t a\t b \t")), "a\t b");
	expect_span("none", text_trim(span_of(" \t ")), "");
	expect_span("empty", text_trim(span_of("")), "");
	expect_span(
	    "others stay", text_trim(span_of("\r\n\v a\f\n")), "\r\n\v a\f\n");
}

static void
escapes_for_operators(void **state)
{
	char out[32];

	(void)state;
	text_escape(span_make("a\n\\\"\0\x7f\xc3", 7), out, sizeof(out));
	assert_string_equal(out, "a\\x0a\\x5c\"\\x00\\x7f\\xc3");
	text_escape(span_of("abcdefgh"), out, 8);
	assert_true(strlen(out) < 8);
	assert_memory_equal(out, "abcdefgh", strlen(out));
	memset(out, 'x', sizeof(out));
	text_escape(span_of("\n\n\n"), out, 9);
	assert_string_equal(out, "\\x0a\\x0a"); /* never half of one */
	out[0] = 'x';
	text_escape(span_of("abc"), out, 1);
	assert_string_equal(out, "");
	out[0] = 'x';
	text_escape(span_of("abc"), out, 0);
	assert_int_equal(out[0], 'x');
}

static void
has_a_tag_and_a_sentence_for_each_error(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < ERR_N; i++) {
		assert_true(err_tag((enum err)i)[0] != '\0');
		assert_true(err_text((enum err)i)[0] != '\0');
		for (k = 0; k < i; k++) {
			assert_string_not_equal(
			    err_tag((enum err)i), err_tag((enum err)k));
		}
	}
	assert_string_equal(err_tag(ERR_OK), "ok");
	assert_string_equal(err_tag(ERR_N), "unknown");
	assert_non_null(err_text((enum err) - 1));
}

static void
cuts_a_diagnosis_that_is_too_long(void **state)
{
	char longer[1000];
	struct diag d;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	diag_set(NULL, 1, 2, "%s", longer);
	diag_set(&d, 1, 2, "%s", longer);
	assert_int_equal(strlen(d.text), sizeof(d.text) - 1);
	assert_int_equal(d.line, 1);
	assert_int_equal(d.col, 2);
}

static void
compares_spans(void **state)
{
	(void)state;
	assert_true(span_eq(span_make(NULL, 0), span_of("")));
	assert_true(span_of(NULL).len == 0);
	assert_true(span_is(span_make("abc", 2), "ab"));
	assert_false(span_is(span_make("ab\0", 3), "ab"));
	assert_true(span_is_nocase(span_of("HoSt"), "hOsT"));
	assert_false(span_is_nocase(span_of("Hos"), "Host"));
	assert_false(span_is_nocase(span_of("@"), "`"));
	assert_true(span_starts(span_of("abc"), ""));
	assert_false(span_starts(span_of("ab"), "abc"));
	assert_true(span_starts_nocase(span_of("Proxy-X"), "proxy-"));
	assert_false(span_starts_nocase(span_of("Proxy"), "proxy-"));
}

static void
columns_hold_no_other_control(void **state)
{
	(void)state;
	assert_true(text_is_columns(span_of(""), 0));
	assert_true(text_is_columns(span_of("a\tb\t"), 2));
	assert_false(text_is_columns(span_of("a\tb\t"), 3));
	assert_false(text_is_columns(span_make("a\0\t", 3), 1));
	assert_false(text_is_columns(span_of("a\t\x1f"), 1));
	assert_false(text_is_columns(span_of("a\t\x7f"), 1));
	assert_true(text_is_columns(span_of("\xc3\xa4\t~"), 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_numbers_that_are_not_plain),
		cmocka_unit_test(reads_numbers_up_to_the_most),
		cmocka_unit_test(refuses_what_is_not_utf8),
		cmocka_unit_test(knows_every_byte),
		cmocka_unit_test(reads_and_writes_hexadecimal),
		cmocka_unit_test(trims_blanks_and_tabs_alone),
		cmocka_unit_test(escapes_for_operators),
		cmocka_unit_test(has_a_tag_and_a_sentence_for_each_error),
		cmocka_unit_test(cuts_a_diagnosis_that_is_too_long),
		cmocka_unit_test(compares_spans),
		cmocka_unit_test(columns_hold_no_other_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
