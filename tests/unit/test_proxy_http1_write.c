/* SPDX-License-Identifier: Apache-2.0 */
/* What of a head goes on, and how it is written. */
#include "unit.h"

#include "http1.h"
#include "limit.h"

#define GET "GET /_ping HTTP/1.1\r\n"
#define HOST "Host: docker\r\n"
#define END "\r\n"

/* 70 letters: longer than any name we know */
#define LONG_NAME                                                              \
	"x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                                  \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *name;
	bool hop;
} hops[] = {
	{ "Connection", true },
	{ "connection", true },
	{ "Keep-Alive", true },
	{ "Proxy-Connection", true },
	{ "Proxy-Authenticate", true },
	{ "Proxy-Authorization", true },
	{ "Proxy-Authentication-Info", true },
	{ "TE", true },
	{ "Transfer-Encoding", true },
	{ "Content-Length", true },
	{ "Upgrade", true },
	{ "HTTP2-Settings", true },
	{ "Expect", true },
	{ "Host", true },
	{ "X-Named", true },
	{ "x-nAMED", true },
	{ "X-Second", true },
	{ "X-Last", true },
	{ LONG_NAME, true },
	{ "X-Name", false },
	{ "X-Named-Too", false },
	{ "Accept", false },
	{ "Proxy", false },
	{ "Content-Type", false },
	{ "Content-Length-X", false },
	{ "X-Registry-Auth", false },
	{ "Trailer", false },
};

static void
keeps_to_itself_what_belongs_to_one_connection(void **state)
{
	static const char text[] =
	    GET HOST "Connection: keep-alive , X-Named,," LONG_NAME "\r\n"
		     "Connection: x-second\r\nCONNECTION:\tx-last\t\r\n" END;
	struct http_head h;
	struct arena arena;
	struct diag d;
	size_t i;

	(void)state;
	arena_init(&arena, LIMIT_ARENA_BYTES);
	assert_int_equal(
	    http1_parse_request(&arena, span_of(text), &h, &d), ERR_OK);
	for (i = 0; i < NELEM(hops); i++) {
		expect_u64(hops[i].name,
		    http1_hop_by_hop(&h, span_of(hops[i].name)), hops[i].hop);
	}
	arena_fini(&arena);
}

static void
writes_a_header(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	assert_int_equal(
	    http1_write_header(&out, span_of("A"), span_of("")), ERR_OK);
	expect_span("empty", buf_span(&out), "A: \r\n");
	buf_consume(&out, out.len);
	assert_int_equal(
	    http1_write_header(&out, span_of("Long"), span_of("value")),
	    ERR_LIMIT);
	buf_fini(&out);
}

static void
names_the_statuses_of_the_gate(void **state)
{
	(void)state;
	assert_string_equal(http1_reason(403), "Forbidden");
	assert_string_equal(http1_reason(502), "Bad Gateway");
	assert_string_equal(http1_reason(299), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    keeps_to_itself_what_belongs_to_one_connection),
		cmocka_unit_test(writes_a_header),
		cmocka_unit_test(names_the_statuses_of_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
