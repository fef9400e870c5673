/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers: what is refused, then what follows the others. */
#include "unit.h"

#include "http1.h"
#include "limit.h"

#define END "\r\n"
#define OK200 "HTTP/1.1 200 OK\r\n"
#define RAW "Content-Type: application/vnd.docker.raw-stream\r\n"
#define MULTI "Content-Type: application/vnd.docker.multiplexed-stream\r\n"

static const struct {
	const char *what;
	struct span head;
	enum err rc;
} bad_answers[] = {
	{ "nothing", LIT(""), ERR_HTTP_SYNTAX },
	{ "a request", LIT("GET / HTTP/1.1\r\nHost: x\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "HTTP/1.0", LIT("HTTP/1.0 200 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "HTTP/2", LIT("HTTP/2 200 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "two digits", LIT("HTTP/1.1 20\r\n" END), ERR_HTTP_SYNTAX },
	{ "two digits and a blank", LIT("HTTP/1.1 20 OK\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "four digits", LIT("HTTP/1.1 2000 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "a leading zero", LIT("HTTP/1.1 020 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "099", LIT("HTTP/1.1 099 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "600", LIT("HTTP/1.1 600 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "2x0", LIT("HTTP/1.1 2x0 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "-20", LIT("HTTP/1.1 -20 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "two blanks", LIT("HTTP/1.1  200 OK\r\n" END), ERR_HTTP_SYNTAX },
	{ "a control in the reason", LIT("HTTP/1.1 200 O\x01K\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "CR in the reason", LIT("HTTP/1.1 200 O\rK\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "LF ends a line", LIT("HTTP/1.1 200 OK\n" END), ERR_HTTP_SYNTAX },
	{ "folding", LIT(OK200 "A: b\r\n c\r\n" END), ERR_HTTP_SYNTAX },
	{ "a blank before the colon", LIT(OK200 "Content-Length : 1\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "both framings",
	    LIT(OK200 "Transfer-Encoding: chunked\r\n"
		      "Content-Length: 3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "two lengths",
	    LIT(OK200 "Content-Length: 3\r\nContent-Length: 3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: gzip",
	    LIT(OK200 "Transfer-Encoding: gzip\r\n" END), ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: gzip, chunked",
	    LIT(OK200 "Transfer-Encoding: gzip, chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "an empty length", LIT(OK200 "Content-Length:\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "framing counts in answers without a body too",
	    LIT("HTTP/1.1 204 No Content\r\nContent-Length: x\r\n" END),
	    ERR_HTTP_FRAMING },
};

static void
refuses_answers_that_are_not_plain(void **state)
{
	struct http_head h, before;
	struct arena arena;
	struct diag d;
	size_t i;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < NELEM(bad_answers); i++) {
		arena_init(&arena, LIMIT_ARENA_BYTES);
		h = before;
		expect_err(bad_answers[i].what,
		    http1_parse_answer(
			&arena, bad_answers[i].head, METHOD_GET, &h, &d),
		    bad_answers[i].rc);
		assert_memory_equal(&h, &before, sizeof(h));
		arena_fini(&arena);
	}
}

/* to: the method it answers; raw: bytes of no protocol follow. */
static const struct {
	const char *what;
	struct span head;
	enum method to;
	unsigned status;
	const char *reason;
	enum body_kind body;
	uint64_t length;
	bool has_length, close, raw;
} good_answers[] = {
	{ "a length", LIT(OK200 "Content-Length: 2\r\n" END), METHOD_GET, 200,
	    "OK", BODY_LENGTH, 2, true, false, false },
	{ "chunked", LIT(OK200 "Transfer-Encoding: chunked\r\n" END),
	    METHOD_POST, 200, "OK", BODY_CHUNKED, 0, false, false, false },
	{ "until the end", LIT(OK200 "Connection: close\r\n" END), METHOD_GET,
	    200, "OK", BODY_EOF, 0, false, true, false },
	{ "no reason", LIT("HTTP/1.1 404 \r\nContent-Length: 0\r\n" END),
	    METHOD_GET, 404, "", BODY_LENGTH, 0, true, false, false },
	{ "no blank behind the status",
	    LIT("HTTP/1.1 404\r\nContent-Length: 0\r\n" END), METHOD_GET, 404,
	    "", BODY_LENGTH, 0, true, false, false },
	{ "a long reason", LIT("HTTP/1.1 500 It did  not work\r\n" END),
	    METHOD_GET, 500, "It did  not work", BODY_EOF, 0, false, false,
	    false },
	{ "HEAD with a length", LIT(OK200 "Content-Length: 7\r\n" END),
	    METHOD_HEAD, 200, "OK", BODY_NONE, 7, true, false, false },
	{ "HEAD with chunks", LIT(OK200 "Transfer-Encoding: chunked\r\n" END),
	    METHOD_HEAD, 200, "OK", BODY_NONE, 0, false, false, false },
	{ "HEAD with nothing", LIT(OK200 END), METHOD_HEAD, 200, "OK",
	    BODY_NONE, 0, false, false, false },
	{ "204", LIT("HTTP/1.1 204 No Content\r\n" END), METHOD_POST, 204,
	    "No Content", BODY_NONE, 0, false, false, false },
	{ "204 with chunks",
	    LIT("HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n" END),
	    METHOD_POST, 204, "X", BODY_NONE, 0, false, false, false },
	{ "304", LIT("HTTP/1.1 304 Not Modified\r\n" END), METHOD_POST, 304,
	    "Not Modified", BODY_NONE, 0, false, false, false },
	{ "304 with a length",
	    LIT("HTTP/1.1 304 X\r\nContent-Length: 9\r\n" END), METHOD_GET, 304,
	    "X", BODY_NONE, 9, true, false, false },
	{ "100", LIT("HTTP/1.1 100 Continue\r\n" END), METHOD_POST, 100,
	    "Continue", BODY_NONE, 0, false, false, false },
	{ "101 to tcp",
	    LIT("HTTP/1.1 101 UPGRADED\r\n" RAW "Connection: Upgrade\r\n"
		"Upgrade: tcp\r\n" END),
	    METHOD_POST, 101, "UPGRADED", BODY_NONE, 0, false, false, true },
	{ "101 with nothing else", LIT("HTTP/1.1 101 X\r\n" END), METHOD_POST,
	    101, "X", BODY_NONE, 0, false, false, true },
	{ "the old raw stream", LIT(OK200 RAW END), METHOD_POST, 200, "OK",
	    BODY_EOF, 0, false, false, true },
	{ "the newer raw stream", LIT(OK200 MULTI END), METHOD_POST, 200, "OK",
	    BODY_EOF, 0, false, false, true },
	{ "logs: a raw stream in chunks is HTTP",
	    LIT(OK200 RAW "Transfer-Encoding: chunked\r\n" END), METHOD_GET,
	    200, "OK", BODY_CHUNKED, 0, false, false, false },
	{ "a raw stream with a length is HTTP",
	    LIT(OK200 RAW "Content-Length: 3\r\n" END), METHOD_GET, 200, "OK",
	    BODY_LENGTH, 3, true, false, false },
	{ "201 is no raw stream", LIT("HTTP/1.1 201 X\r\n" RAW END),
	    METHOD_POST, 201, "X", BODY_EOF, 0, false, false, false },
	{ "another type is no raw stream",
	    LIT(OK200 "Content-Type: application/json\r\n" END), METHOD_POST,
	    200, "OK", BODY_EOF, 0, false, false, false },
};

static void
reads_answers(void **state)
{
	const char *what;
	struct http_head h;
	struct arena arena;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good_answers); i++) {
		what = good_answers[i].what;
		arena_init(&arena, LIMIT_ARENA_BYTES);
		expect_err(what,
		    http1_parse_answer(&arena, good_answers[i].head,
			good_answers[i].to, &h, &d),
		    ERR_OK);
		expect_u64(what, h.status, good_answers[i].status);
		expect_span(what, h.reason, good_answers[i].reason);
		expect_u64(what, h.body, good_answers[i].body);
		expect_u64(what, h.length, good_answers[i].length);
		expect_u64(what, h.has_length, good_answers[i].has_length);
		expect_u64(what, h.close, good_answers[i].close);
		expect_u64(what, h.upgraded_tcp, good_answers[i].raw);
		arena_fini(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_answers_that_are_not_plain),
		cmocka_unit_test(reads_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
