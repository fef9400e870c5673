/* SPDX-License-Identifier: Apache-2.0 */
/* policy/json.c: what is refused and with which tag, then what is read. */
#include "unit.h"

#include "json.h"

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	enum err want;
} refused[] = {
	{ "", 0, ERR_JSON_SYNTAX },
	{ " ", 0, ERR_JSON_SYNTAX },
	{ "nul", 0, ERR_JSON_SYNTAX },
	{ "NULL", 0, ERR_JSON_SYNTAX },
	{ "True", 0, ERR_JSON_SYNTAX },
	{ "\xef\xbb\xbf{}", 0, ERR_JSON_SYNTAX },
	{ "{} x", 0, ERR_JSON_TRAILING },
	{ "{}{}", 0, ERR_JSON_TRAILING },
	{ "{}}", 0, ERR_JSON_TRAILING },
	{ "{}]", 0, ERR_JSON_TRAILING },
	{ "{}\0", 3, ERR_JSON_TRAILING },
	{ "{} // x", 0, ERR_JSON_TRAILING },
	{ "/**/{}", 0, ERR_JSON_SYNTAX },
	{ "{,}", 0, ERR_JSON_SYNTAX },
	{ "{\"a\":1,}", 0, ERR_JSON_SYNTAX },
	{ "[1,]", 0, ERR_JSON_SYNTAX },
	{ "[1 2]", 0, ERR_JSON_SYNTAX },
	{ "{\"a\" 1}", 0, ERR_JSON_SYNTAX },
	{ "{a:1}", 0, ERR_JSON_SYNTAX },
	{ "{'a':1}", 0, ERR_JSON_SYNTAX },
	{ "{\"a\":}", 0, ERR_JSON_SYNTAX },
	{ "[\f1]", 0, ERR_JSON_SYNTAX },
	{ "[\v1]", 0, ERR_JSON_SYNTAX },
	{ "[\xc2\xa0"
	  "1]",
	    0, ERR_JSON_SYNTAX },
	{ "[1\0]", 4, ERR_JSON_SYNTAX },
	{ "{\"a\":1", 0, ERR_JSON_SYNTAX },
	{ "[", 0, ERR_JSON_SYNTAX },
	/* numbers */
	{ "01", 0, ERR_JSON_SYNTAX },
	{ "-01", 0, ERR_JSON_SYNTAX },
	{ "+1", 0, ERR_JSON_SYNTAX },
	{ "1.", 0, ERR_JSON_SYNTAX },
	{ ".5", 0, ERR_JSON_SYNTAX },
	{ "1e", 0, ERR_JSON_SYNTAX },
	{ "1e+", 0, ERR_JSON_SYNTAX },
	{ "-", 0, ERR_JSON_SYNTAX },
	{ "NaN", 0, ERR_JSON_SYNTAX },
	{ "-Infinity", 0, ERR_JSON_SYNTAX },
	{ "0x10", 0, ERR_JSON_TRAILING },
	{ "11111111111111111111111111111111111111111", 0, ERR_JSON_NUMBER },
	/* strings */
	{ "\"", 0, ERR_JSON_SYNTAX },
	{ "\"\\", 0, ERR_JSON_SYNTAX },
	{ "\"\\u12", 0, ERR_JSON_SYNTAX },
	{ "\"\\x41\"", 0, ERR_JSON_SYNTAX },
	{ "\"\\u00g0\"", 0, ERR_JSON_SYNTAX },
	{ "\"\\u0000\"", 0, ERR_JSON_NUL },
	{ "\"a\nb\"", 0, ERR_JSON_SYNTAX },
	{ "\"a\tb\"", 0, ERR_JSON_SYNTAX },
	{ "\"a\0b\"", 5, ERR_JSON_SYNTAX },
	{ "\"\x1f\"", 0, ERR_JSON_SYNTAX },
	{ "\"\\ud800\"", 0, ERR_JSON_UTF8 },
	{ "\"\\udc00\"", 0, ERR_JSON_UTF8 },
	{ "\"\\ud800\\ud800\"", 0, ERR_JSON_UTF8 },
	{ "\"\\ud800x\"", 0, ERR_JSON_UTF8 },
	{ "\"\\ud800\\n\"", 0, ERR_JSON_UTF8 },
	{ "\"\xff\"", 0, ERR_JSON_UTF8 },
	{ "\"\xc0\x80\"", 0, ERR_JSON_UTF8 },
	{ "\"\xed\xa0\x80\"", 0, ERR_JSON_UTF8 },
	{ "\"\xf4\x90\x80\x80\"", 0, ERR_JSON_UTF8 },
	{ "{\"\xc3\":1}", 0, ERR_JSON_UTF8 },
	/* members */
	{ "{\"a\":1,\"a\":1}", 0, ERR_JSON_DUPKEY },
	{ "{\"a\":1,\"\\u0061\":1}", 0, ERR_JSON_DUPKEY },
	{ "{\"x\":[{\"b\":1,\"a\":2,\"b\":3}]}", 0, ERR_JSON_DUPKEY },
	{ "{\"\":1,\"\":2}", 0, ERR_JSON_DUPKEY },
	{ "{1:2}", 0, ERR_JSON_SYNTAX },
};

static void
refuses_what_is_not_strict_json(void **state)
{
	struct json_doc *doc = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(refused); i++) {
		struct diag d = { 0, 0, "" };
		size_t n = refused[i].len;
		enum err rc =
		    json_parse(span_make(refused[i].text,
				   n > 0 ? n : strlen(refused[i].text)),
			JSON_STRICT, &doc, &d);

		if (rc != refused[i].want) {
			fail_msg("%s: %s", refused[i].text, err_tag(rc));
		}
		assert_true(d.line > 0 && d.text[0] != '\0');
		assert_null(doc);
	}
}

static void
refuses_deep_nesting_and_many_values(void **state)
{
	char deep[2 * (JSON_MAX_DEPTH + 1)], *many;
	struct json_doc *doc = NULL;
	size_t i, n = 200000;

	(void)state;
	memset(deep, '[', JSON_MAX_DEPTH + 1);
	memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	assert_int_equal(
	    json_parse(span_make(deep, sizeof(deep)), JSON_STRICT, &doc, NULL),
	    ERR_JSON_DEPTH);
	assert_int_equal(json_parse(span_make(deep + 1, sizeof(deep) - 2),
			     JSON_STRICT, &doc, NULL),
	    ERR_OK);
	json_free(doc);
	doc = NULL;
	many = malloc(2 * n + 1);
	assert_non_null(many);
	for (i = 0; i < n; i++) {
		memcpy(many + 2 * i, i == 0 ? "[0" : ",0", 2);
	}
	many[2 * n] = ']';
	assert_int_equal(
	    json_parse(span_make(many, 2 * n + 1), JSON_STRICT, &doc, NULL),
	    ERR_LIMIT);
	free(many);
}

/* 60,000 members with one long prefix: sorted, not compared in pairs. */
static void
finds_a_member_named_twice_among_many(void **state)
{
	struct json_doc *doc = NULL;
	size_t i, n = 60000, at = 1;
	char *text = malloc(n * 32 + 64);

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	for (i = 0; i < n; i++) {
		at += (size_t)sprintf(
		    text + at, "%s\"member-name-%zu\":0", i > 0 ? "," : "", i);
	}
	text[at] = '}';
	assert_int_equal(
	    json_parse(span_make(text, at + 1), JSON_STRICT, &doc, NULL),
	    ERR_OK);
	json_free(doc);
	doc = NULL;
	at += (size_t)sprintf(text + at, ",\"member-name-77\":0}");
	assert_int_equal(
	    json_parse(span_make(text, at), JSON_STRICT, &doc, NULL),
	    ERR_JSON_DUPKEY);
	free(text);
}

static void
reads_values_exactly(void **state)
{
	static const char text[] =
	    " {\"n\": 9223372036854775807, \"m\": -9223372036854775808,\r\n"
	    "\t\"big\": 9223372036854775808, \"f\": 1e9, \"z\": -0,\n"
	    "\"s\": \"a\\u20ac\\ud83d\\ude00\\/\x7f\", \"t\": true, \"f0\": "
	    "false,\n \"nul\": null, \"a\": [1, [], {}], \"A\": \"a\"} ";
	const struct json_node *root, *v;
	struct json_doc *doc = NULL;
	unsigned line, col;
	int64_t i;

	(void)state;
	assert_int_equal(
	    json_parse(span_of(text), JSON_STRICT, &doc, NULL), ERR_OK);
	root = json_root(doc);
	assert_int_equal(json_type(root), JSON_OBJECT);
	assert_int_equal(json_count(root), 11);
	assert_int_equal(json_int(json_get(root, "n"), &i), ERR_OK);
	assert_true(i == INT64_MAX);
	assert_int_equal(json_int(json_get(root, "m"), &i), ERR_OK);
	assert_true(i == INT64_MIN);
	assert_int_equal(json_int(json_get(root, "z"), &i), ERR_OK);
	assert_true(i == 0);
	assert_int_equal(json_int(json_get(root, "big"), &i), ERR_JSON_NUMBER);
	assert_int_equal(json_int(json_get(root, "f"), &i), ERR_JSON_NUMBER);
	assert_true(
	    span_is(json_number(json_get(root, "big")), "9223372036854775808"));
	assert_true(span_is(json_string(json_get(root, "s")),
	    "a\xe2\x82\xac\xf0\x9f\x98\x80/\x7f"));
	assert_true(json_bool(json_get(root, "t")));
	assert_int_equal(json_type(json_get(root, "f0")), JSON_BOOL);
	assert_false(json_bool(json_get(root, "f0")));
	assert_int_equal(json_type(json_get(root, "nul")), JSON_NULL);
	assert_null(json_get(root, "N"));
	v = json_get(root, "a");
	assert_true(span_is(json_key(v), "a"));
	json_where(json_next(json_first(v)), &line, &col);
	assert_int_equal(line, 0); /* places are for files */
	json_free(doc);
	assert_int_equal(
	    json_parse(span_of(text), JSON_COMMENTS, &doc, NULL), ERR_OK);
	v = json_get(json_root(doc), "a");
	json_where(json_next(json_first(v)), &line, &col);
	assert_int_equal(line, 4);
	assert_int_equal(col, 24);
	json_free(doc);
}

static void
reads_comments_where_they_are_allowed(void **state)
{
	static const char text[] =
	    "// one \"\n{ /* two\n*/ \"a//b\": /**/ 1, // three\n\"/*\": "
	    "\"*/\" }// end";
	struct json_doc *doc = NULL;
	unsigned line, col;
	struct diag d = { 0, 0, "" };

	(void)state;
	assert_int_equal(
	    json_parse(span_of(text), JSON_COMMENTS, &doc, NULL), ERR_OK);
	json_where(json_get(json_root(doc), "a//b"), &line, &col);
	assert_int_equal(line, 3);
	assert_int_equal(col, 17);
	assert_true(span_is(json_string(json_get(json_root(doc), "/*")), "*/"));
	json_free(doc);
	doc = NULL;
	assert_int_equal(
	    json_parse(span_of("{}\n/* x"), JSON_COMMENTS, &doc, &d),
	    ERR_JSON_SYNTAX);
	assert_int_equal(d.line, 2);
	assert_int_equal(json_parse(span_of("{/*/}"), JSON_COMMENTS, &doc, &d),
	    ERR_JSON_SYNTAX);
	assert_int_equal(json_parse(span_of("{}/"), JSON_COMMENTS, &doc, &d),
	    ERR_JSON_TRAILING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_strict_json),
		cmocka_unit_test(refuses_deep_nesting_and_many_values),
		cmocka_unit_test(finds_a_member_named_twice_among_many),
		cmocka_unit_test(reads_values_exactly),
		cmocka_unit_test(reads_comments_where_they_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
