/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON writer: hostile bytes first, then its commas. */
#include "unit.h"

#include "base/jsonw.h"
#include "base/text.h"
#include "policy/json.h"

/* What a string becomes, quotes included. */
static const struct {
	struct span in;
	const char *out;
} strings[] = {
	{ LIT(""), "\"\"" },
	{ LIT("plain"), "\"plain\"" },
	{ LIT("\""), "\"\\u0022\"" },
	{ LIT("\\"), "\"\\u005c\"" },
	{ LIT("a\"},{\"b"), "\"a\\u0022},{\\u0022b\"" },
	{ LIT("\n\r\t"), "\"\\u000a\\u000d\\u0009\"" },
	{ LIT("\0"), "\"\\u0000\"" },
	{ LIT("\x1f\x7f"), "\"\\u001f\\u007f\"" },
	{ LIT("/<>&'"), "\"/<>&'\"" },
	{ LIT("\xc3\xa9"), "\"\xc3\xa9\"" },
	{ LIT("\xf0\x9f\x98\x80x"), "\"\xf0\x9f\x98\x80x\"" },
	{ LIT("\xff"), "\"\xef\xbf\xbd\"" },
	{ LIT("a\xc3"), "\"a\xef\xbf\xbd\"" },
	{ LIT("\xc3\""), "\"\xef\xbf\xbd\\u0022\"" },
	{ LIT("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ LIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ LIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ LIT("\xe2\x80\xa8"), "\"\xe2\x80\xa8\"" },
};

static void
escapes_strings(void **state)
{
	struct jsonw w;
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(strings); i++) {
		buf_init(&out, 256);
		jsonw_init(&w, &out);
		jsonw_span(&w, strings[i].in);
		assert_int_equal(w.err, ERR_OK);
		expect_span("string", buf_span(&out), strings[i].out);
		buf_fini(&out);
	}
}

/* Whatever bytes go in, one line of JSON comes out. */
static void
is_always_json(void **state)
{
	char bytes[40];
	struct json_doc *doc;
	uint32_t seed = 11;
	struct jsonw w;
	struct buf out;
	struct diag d;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < 5000; i++) {
		n = unit_random(&seed) % sizeof(bytes);
		for (k = 0; k < n; k++) { /* no NUL: json.h refuses it */
			bytes[k] = (char)(1 + unit_random(&seed) % 255);
		}
		buf_init(&out, 1024);
		jsonw_init(&w, &out);
		jsonw_object(&w);
		jsonw_kv_span(&w, "k", span_make(bytes, n));
		jsonw_object_end(&w);
		assert_int_equal(w.err, ERR_OK);
		assert_null(memchr(buf_span(&out).p, '\n', out.len));
		assert_int_equal(
		    json_parse(buf_span(&out), JSON_STRICT, &doc, &d), ERR_OK);
		if (text_is_utf8(span_make(bytes, n))) {
			assert_true(span_eq(span_make(bytes, n),
			    json_string(json_get(json_root(doc), "k"))));
		}
		json_free(doc);
		buf_fini(&out);
	}
}

static void
puts_commas_where_they_belong(void **state)
{
	struct jsonw w;
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_kv_str(&w, "a", "x");
	jsonw_kv_str(&w, "n", NULL);
	jsonw_kv_u64(&w, "u", UINT64_MAX);
	jsonw_kv_bool(&w, "t", true);
	jsonw_key(&w, "l");
	jsonw_array(&w);
	jsonw_array(&w);
	jsonw_array_end(&w);
	jsonw_u64(&w, 0);
	jsonw_bool(&w, false);
	jsonw_object(&w);
	jsonw_object_end(&w);
	jsonw_str(&w, "s");
	jsonw_array_end(&w);
	jsonw_key(&w, "o");
	jsonw_object(&w);
	jsonw_kv_str(&w, "\n", "");
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	assert_int_equal(w.err, ERR_OK);
	expect_span("all", buf_span(&out),
	    "{\"a\":\"x\",\"n\":null,\"u\":18446744073709551615,\"t\":true,"
	    "\"l\":[[],0,false,{},\"s\"],\"o\":{\"\\u000a\":\"\"}}");
	buf_fini(&out);
}

static void
remembers_that_it_failed(void **state)
{
	struct jsonw w;
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	jsonw_init(&w, &out);
	jsonw_str(&w, "long");
	assert_int_equal(w.err, ERR_LIMIT);
	buf_consume(&out, out.len);
	jsonw_u64(&w, 1);
	assert_int_equal(w.err, ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_strings),
		cmocka_unit_test(is_always_json),
		cmocka_unit_test(puts_commas_where_they_belong),
		cmocka_unit_test(remembers_that_it_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
