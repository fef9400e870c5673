/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that signs may say to the gate; who fails too often. */
#include "unit.h"

#include "admin_client.h"
#include "failures.h"
#include "issuer.h"

#define GOOD                                                                   \
	"\"status\":200,\"rule\":\"\",\"message\":\"\",\"name\":\"a\","        \
	"\"serial\":\"01\",\"not_after\":\"x\",\"certificate\":\"PEM\","       \
	"\"ca\":\"CA\""

static void
only_a_whole_answer_is_one(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{ "", 503 },
		{ "{}", 503 },
		{ "[]", 503 },
		{ "{" GOOD, 503 },
		{ "{" GOOD "}x", 503 },
		{ "{" GOOD ",\"status\":200}", 503 },
		{ "{\"status\":100,\"rule\":\"\",\"message\":\"\",\"name\":"
		  "\"\","
		  "\"serial\":\"\"}",
		    503 },
		{ "{\"status\":201,\"rule\":\"\",\"message\":\"\",\"name\":"
		  "\"\","
		  "\"serial\":\"\"}",
		    503 },
		{ "{\"status\":\"403\",\"rule\":\"\",\"message\":\"\","
		  "\"name\":\"\",\"serial\":\"\"}",
		    503 },
		/* done, and nothing to show for it */
		{ "{\"status\":200,\"rule\":\"\",\"message\":\"\",\"name\":"
		  "\"a\","
		  "\"serial\":\"01\"}",
		    503 },
		{ "{\"status\":200,\"rule\":\"\",\"message\":\"\",\"name\":"
		  "\"\","
		  "\"serial\":\"01\",\"certificate\":\"PEM\"}",
		    503 },
		{ "{\"status\":403,\"rule\":"
		  "\"0123456789012345678901234567890123456789\","
		  "\"message\":\"\",\"name\":\"\",\"serial\":\"\"}",
		    503 },
		{ "{\"status\":403,\"rule\":\"token-used\",\"message\":\"no\","
		  "\"name\":\"\",\"serial\":\"\"}",
		    403 },
		{ "{" GOOD "}", 200 },
	};
	struct issuer_reply r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		issuer_read_reply(span_of(cases[i].text), &r);
		if (r.status != cases[i].status) {
			fail_msg("%s: %u", cases[i].text, r.status);
		}
		assert_int_equal(r.name[0] != '\0', r.status == 200);
		assert_int_equal(r.serial[0] != '\0', r.status == 200);
		assert_true(r.body.len > 0);
		buf_fini(&r.body);
	}
}

static void
who_asked_is_told(void **state)
{
	struct issuer_reply r;

	(void)state;
	issuer_read_reply(span_of("{" GOOD "}"), &r);
	assert_true(span_is(buf_span(&r.body),
	    "{\"name\":\"a\",\"serial\":\"01\",\"not_after\":\"x\","
	    "\"certificate\":\"PEM\",\"ca\":\"CA\"}\n"));
	buf_fini(&r.body);
	issuer_read_reply(
	    span_of("{\"status\":403,\"rule\":\"token-used\",\"message\":"
		    "\"was used\",\"name\":\"\",\"serial\":\"\"}"),
	    &r);
	assert_string_equal(r.rule, "token-used");
	assert_true(
	    span_is(buf_span(&r.body), "{\"message\":\"dinv: was used\"}\n"));
	buf_fini(&r.body);
}

static void
a_question_says_one_thing(void **state)
{
	struct issuer_ask ask = {
		.token = span_of("t"),
		.name = span_of("a"),
		.csr = span_of("c"),
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(issuer_write_ask(&ask, &out), ERR_OK);
	assert_true(span_is(
	    buf_span(&out), "{\"token\":\"t\",\"name\":\"a\",\"csr\":\"c\"}"));
	buf_consume(&out, out.len);
	ask.certificate = span_of("x");
	assert_int_equal(issuer_write_ask(&ask, &out), ERR_OK);
	assert_true(
	    span_is(buf_span(&out), "{\"certificate\":\"x\",\"csr\":\"c\"}"));
	buf_fini(&out);
}

static void
who_fails_too_often_waits(void **state)
{
	static struct failures f = { .max = 3, .window_ms = 1000 };
	uint8_t a[16] = { 1 }, b[16] = { 2 };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_false(failures_enough(&f, a, 10));
		failures_add(&f, a, 10 + i);
	}
	assert_true(failures_enough(&f, a, 1009));
	assert_false(failures_enough(&f, b, 1009));
	/* The window begins with the first. */
	assert_false(failures_enough(&f, a, 1010));
	failures_add(&f, a, 1010);
	assert_false(failures_enough(&f, a, 1011));
}

static void
many_hosts_push_out_the_oldest(void **state)
{
	static struct failures f = { .max = 1, .window_ms = 100000 };
	uint8_t host[16] = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < FAILURES_SLOTS + 1; i++) {
		host[0] = (uint8_t)(i >> 8);
		host[1] = (uint8_t)i;
		failures_add(&f, host, 100 + i);
		assert_true(failures_enough(&f, host, 1000));
	}
	memset(host, 0, sizeof(host));
	assert_false(failures_enough(&f, host, 1000));
	host[1] = 1;
	assert_true(failures_enough(&f, host, 1000));
}

/* A member that is not there, or is no string, has no bytes. */
static void
nothing_is_printable(void **state)
{
	char out[8] = "x";

	(void)state;
	admin_printable(span_make(NULL, 0), out, sizeof(out));
	assert_string_equal(out, "");
	admin_printable(span_of("a\n"), out, sizeof(out));
	assert_string_equal(out, "a\\x0a");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_whole_answer_is_one),
		cmocka_unit_test(who_asked_is_told),
		cmocka_unit_test(a_question_says_one_thing),
		cmocka_unit_test(who_fails_too_often_waits),
		cmocka_unit_test(many_hosts_push_out_the_oldest),
		cmocka_unit_test(nothing_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
