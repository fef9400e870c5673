/* SPDX-License-Identifier: Apache-2.0 */
/* Lines from a process that may be an attacker's: records, or nothing. */
#include "audit_fixture.h"

#include "audit_line.h"
#include "limit.h"

#define AT "{\"time\":\"2026-11-21T10:00:00.000Z\",\"event\":"
#define REC AT "\"end\","
#define ID "\"0123456789abcdef\""

static const char *const wrong[] = {
	"",
	"{}",
	"[]",
	"\"\"",
	"x",
	AT "\"end\"}",
	AT "\"lost\",}",
	AT "\"checkpoint\",\"records\":1}",
	AT "\"End\",\"records\":1}",
	AT "\"\\u0065nd\",\"records\":1}",
	AT "[],\"records\":1}",
	"{\"event\":\"end\",\"time\":\"2026-11-21T10:00:00.000Z\","
	"\"records\":1}",
	"{\"time\":\"2026-11-21T10:00:00.00xZ\",\"event\":\"end\","
	"\"records\":1}",
	" " REC "\"id\":1}",
	REC "\"id\":1} ",
	REC "\"id\": 1}",
	REC "\"id\" :1}",
	REC "\"id\":1}{}",
	REC "\"id\":1}}",
	REC "\"id\":1,}",
	REC "\"id\":[1,]}",
	REC "\"id\":[1}",
	REC "\"id\":{\"a\":1]",
	REC "\"id\":{\"a\"}}",
	REC "\"id\":{1:2}}",
	REC "\"id\":}",
	REC "\"id\":1",
	REC "\"id\":\"1}",
	REC "\"id\":nul}",
	REC "\"id\":truex}",
	REC "\"id\":01}",
	REC "\"id\":-}",
	REC "\"id\":1.}",
	REC "\"id\":1e}",
	REC "\"id\":+1}",
	REC "\"id\":NaN}",
	REC "id:1}",
	/* the chain's own, and what folds to them or hides them */
	REC "\"seq\":1}",
	REC "\"prev\":\"\"}",
	REC "\"v\":2}",
	REC "\"key\":1}",
	REC "\"signature\":1}",
	REC "\"Seq\":1}",
	REC "\"\\u0073eq\":1}",
	REC "\"\xc5\xbf"
	    "eq\":1}",
	REC "\"event\":\"checkpoint\"}",
	REC "\"time\":1}",
	REC "\"id\":1,\"id\":2}",
	REC "\"client\":3}",
	REC "\"client\":[]}",
	REC "\"\":1}",
	REC "\"id\":{\"a\":\"\",\"event\":\"checkpoint\",\"key\":" ID
	    ",\"signature\":\"AA==\"}}",
	/* controls, escapes that jsonw has not, no UTF-8 */
	REC "\"id\":\"\t\"}",
	REC "\"id\":\"\x1b[2J\"}",
	REC "\"id\":\"\x7f\"}",
	REC "\"id\":\"\r\"}",
	REC "\"id\":\"\\n\"}",
	REC "\"id\":\"\\\"\"}",
	REC "\"id\":\"\\u2028\"}",
	REC "\"id\":\"\\ud800\"}",
	REC "\"id\":\"\\u0041\"}",
	REC "\"id\":\"\\u00\"}",
	REC "\"id\":\"\\u00+2\"}",
	REC "\"id\":\"\\u000x\"}",
	REC "\"id\":\"\xff\"}",
	REC "\"id\":\"\xc3\"}",
	REC "\"id\":\"\xed\xa0\x80\"}",
};

static void
refuses_what_is_no_record(void **state)
{
	struct span nul = { REC "\"id\":\"\0\"}", sizeof(REC "\"id\":\"0\"}") };
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(wrong); i++) {
		if (audit_line_wrong(span_of(wrong[i])) == NULL) {
			fail_msg("passes: %s", wrong[i]);
		}
	}
	nul.len--;
	assert_non_null(audit_line_wrong(nul));
}

static void
takes_what_a_record_may_be(void **state)
{
	static const char *const right[] = {
		AT "\"lost\",\"records\":1}",
		AT "\"enroll\",\"name\":\"\"}",
		AT "\"handshake\",\"reason\":\"\\u0000\\u000a\\u0022\\u005c\"}",
		REC "\"status\":0,\"object\":\"\xc3\xa9\"}",
		REC "\"request\":{\"seq\":1,\"Key\":[{},[],[[]],{\"\":{}}]}}",
		REC "\"facts\":[-1,0.5,1e9,1E+2,1e-2,true,false,null]}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(right); i++) {
		if (audit_line_wrong(span_of(right[i])) != NULL) {
			fail_msg("%s: %s", audit_line_wrong(span_of(right[i])),
			    right[i]);
		}
	}
}

/* A body may have JSON_MAX_DEPTH levels, and a record has it within. */
static void
has_a_depth(void **state)
{
	static const struct {
		unsigned depth;
		bool right;
	} cases[] = { { JSON_MAX_DEPTH + 8, true }, { 127, true },
		{ 128, false }, { 100000, false } };
	struct buf b;
	unsigned i, n;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		buf_init(&b, 1u << 20);
		assert_int_equal(buf_append_str(&b, REC "\"request\":"), 0);
		for (n = 0; n < cases[i].depth; n++) {
			assert_int_equal(buf_append_str(&b, "["), 0);
		}
		assert_int_equal(buf_append_str(&b, "0"), 0);
		for (n = 0; n < cases[i].depth; n++) {
			assert_int_equal(buf_append_str(&b, "]"), 0);
		}
		assert_int_equal(buf_append_str(&b, "}"), 0);
		assert_int_equal(
		    audit_line_wrong(buf_span(&b)) == NULL, cases[i].right);
		buf_fini(&b);
	}
}

/* Many short lines grow by their links, and the store has a bound. */
static void
bounds_a_batch(void **state)
{
	static const char line[] = AT "\"lost\",\"records\":1}\n";
	struct buf b;
	unsigned i;

	(void)state;
	assert_non_null(audit_lines_wrong(span_of("")));
	assert_non_null(audit_lines_wrong(span_of("\n")));
	assert_non_null(audit_lines_wrong(span_make(line, strlen(line) - 1)));
	buf_init(&b, 1u << 20);
	for (i = 0; i < LIMIT_AUDIT_BATCH_RECORDS; i++) {
		assert_int_equal(buf_append_str(&b, line), 0);
		assert_null(audit_lines_wrong(buf_span(&b)));
	}
	assert_int_equal(buf_append_str(&b, line), 0);
	assert_non_null(audit_lines_wrong(buf_span(&b)));
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_record),
		cmocka_unit_test(takes_what_a_record_may_be),
		cmocka_unit_test(has_a_depth),
		cmocka_unit_test(bounds_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
