/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests: what is refused, then what is read out of the rest. */
#include "unit.h"

#include "http1.h"
#include "limit.h"

#define GET "GET /_ping HTTP/1.1\r\n"
#define POST "POST /v1.41/containers/create HTTP/1.1\r\n"
#define HOST "Host: docker\r\n"
#define END "\r\n"
/* 64 bytes of a list */
#define C64                                                                    \
	"close,a,b,c,d,e,f,g,h,i,j,k,l,m,"                                     \
	"close,a,b,c,d,e,f,g,h,i,j,k,l,m,"

/* Heads that are refused, with the reason. */
static const struct {
	const char *what;
	struct span head;
	enum err rc;
} bad_requests[] = {
	/* lines (RFC 9112 2.2) */
	{ "nothing", LIT(""), ERR_HTTP_SYNTAX },
	{ "a blank line alone", LIT(END), ERR_HTTP_SYNTAX },
	{ "no blank line", LIT(GET HOST), ERR_HTTP_SYNTAX },
	{ "half a blank line", LIT(GET HOST "\r"), ERR_HTTP_SYNTAX },
	{ "an empty line in front", LIT("\r\n" GET HOST END), ERR_HTTP_SYNTAX },
	{ "an LF in front", LIT("\n" GET HOST END), ERR_HTTP_SYNTAX },
	{ "a blank in front", LIT(" " GET HOST END), ERR_HTTP_SYNTAX },
	{ "bytes behind", LIT(GET HOST END "x"), ERR_HTTP_SYNTAX },
	{ "a second head behind", LIT(GET HOST END GET HOST END),
	    ERR_HTTP_SYNTAX },
	{ "LF after the request line", LIT("GET / HTTP/1.1\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "LF after a header", LIT(GET "Host: x\n" END), ERR_HTTP_SYNTAX },
	{ "LF LF", LIT(GET "Host: x\n\n"), ERR_HTTP_SYNTAX },
	{ "CRLF LF", LIT(GET HOST "\n"), ERR_HTTP_SYNTAX },
	{ "LF CRLF", LIT(GET "Host: x\n\r\n"), ERR_HTTP_SYNTAX },
	{ "CR CRLF", LIT(GET "Host: x\r\r\n" END), ERR_HTTP_SYNTAX },
	{ "CR inside a value", LIT(GET HOST "A: b\rc\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "CR inside a name", LIT(GET HOST "A\rB: c\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "CR inside the request line", LIT("GET /\r HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "NUL in a value", LIT(GET HOST "A: b\0c\r\n" END), ERR_HTTP_SYNTAX },
	{ "NUL in a name", LIT(GET HOST "A\0: b\r\n" END), ERR_HTTP_SYNTAX },
	{ "NUL in the target", LIT("GET /\0 HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "NUL behind the version", LIT("GET / HTTP/1.1\0\r\n" HOST END),
	    ERR_HTTP_VERSION },
	{ "a control in a value", LIT(GET HOST "A: \x01\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "DEL in a value", LIT(GET HOST "A: \x7f\r\n" END), ERR_HTTP_SYNTAX },
	{ "VT in a value", LIT(GET HOST "A: \v\r\n" END), ERR_HTTP_SYNTAX },
	/* field lines (RFC 9112 5) */
	{ "folding with a blank", LIT(GET HOST "A: b\r\n c\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "folding with a tab", LIT(GET HOST "A: b\r\n\tc\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "folding of Transfer-Encoding",
	    LIT(POST HOST "Transfer-Encoding:\r\n chunked\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "a blank before the first name", LIT(GET " Host: x\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "a blank before the colon", LIT(GET "Host : x\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "a tab before the colon", LIT(GET "Host\t: x\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "a blank in a name", LIT(GET HOST "A B: c\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "no colon", LIT(GET HOST "Accept\r\n" END), ERR_HTTP_SYNTAX },
	{ "no name", LIT(GET HOST ": x\r\n" END), ERR_HTTP_SYNTAX },
	{ "a name with a slash", LIT(GET HOST "A/B: c\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "a name that is not ASCII", LIT(GET HOST "\xc3\xa9: c\r\n" END),
	    ERR_HTTP_SYNTAX },
	/* the request line (RFC 9112 3) */
	{ "no target", LIT("GET HTTP/1.1\r\n" HOST END), ERR_HTTP_SYNTAX },
	{ "an empty target", LIT("GET  HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "two blanks after the method", LIT("GET  / HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "two blanks after the target", LIT("GET /  HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "a blank in the target", LIT("GET /a b HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "a tab for a blank", LIT("GET\t/ HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "a tab in the target", LIT("GET /\t HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "a target that is not ASCII",
	    LIT("GET /\xc3\xa9 HTTP/1.1\r\n" HOST END), ERR_HTTP_SYNTAX },
	{ "an unknown method", LIT("BREW / HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "a method in small letters", LIT("get / HTTP/1.1\r\n" HOST END),
	    ERR_HTTP_SYNTAX },
	{ "no version (HTTP/0.9)", LIT("GET /\r\n" HOST END), ERR_HTTP_SYNTAX },
	{ "an empty version", LIT("GET / \r\n" HOST END), ERR_HTTP_SYNTAX },
	{ "a blank behind the version", LIT("GET / HTTP/1.1 \r\n" HOST END),
	    ERR_HTTP_VERSION },
	{ "HTTP/1.0", LIT("GET / HTTP/1.0\r\n" HOST END), ERR_HTTP_VERSION },
	{ "HTTP/1.2", LIT("GET / HTTP/1.2\r\n" HOST END), ERR_HTTP_VERSION },
	{ "HTTP/1.10", LIT("GET / HTTP/1.10\r\n" HOST END), ERR_HTTP_VERSION },
	{ "HTTP/01.1", LIT("GET / HTTP/01.1\r\n" HOST END), ERR_HTTP_VERSION },
	{ "HTTP/2.0", LIT("GET / HTTP/2.0\r\n" HOST END), ERR_HTTP_VERSION },
	{ "the HTTP/2 preface", LIT("PRI * HTTP/2.0\r\n" END),
	    ERR_HTTP_VERSION },
	{ "http/1.1", LIT("GET / http/1.1\r\n" HOST END), ERR_HTTP_SYNTAX },
	{ "an answer", LIT("HTTP/1.1 200 OK\r\n" HOST END), ERR_HTTP_SYNTAX },
	/* Host (RFC 9112 3.2) */
	{ "no Host", LIT(GET END), ERR_HTTP_SYNTAX },
	{ "no Host among others", LIT(GET "Accept: */*\r\n" END),
	    ERR_HTTP_SYNTAX },
	{ "two Hosts", LIT(GET HOST "Host: other\r\n" END), ERR_HTTP_FRAMING },
	{ "Host twice, alike", LIT(GET HOST "hOST: docker\r\n" END),
	    ERR_HTTP_FRAMING },
	/* framing (RFC 9112 6.3) */
	{ "Transfer-Encoding and Content-Length",
	    LIT(POST HOST
		"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length and Transfer-Encoding",
	    LIT(POST HOST
		"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 0 and Transfer-Encoding",
	    LIT(POST HOST
		"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "two Transfer-Encodings",
	    LIT(POST HOST "Transfer-Encoding: chunked\r\n"
			  "Transfer-Encoding: chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "chunked and identity",
	    LIT(POST HOST "Transfer-Encoding: chunked\r\n"
			  "Transfer-Encoding: identity\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: identity",
	    LIT(POST HOST "Transfer-Encoding: identity\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: gzip, chunked",
	    LIT(POST HOST "Transfer-Encoding: gzip, chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: chunked, chunked",
	    LIT(POST HOST "Transfer-Encoding: chunked, chunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: chunked, gzip",
	    LIT(POST HOST "Transfer-Encoding: chunked, gzip\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: chunked,",
	    LIT(POST HOST "Transfer-Encoding: chunked,\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: chunked;q=1",
	    LIT(POST HOST "Transfer-Encoding: chunked;q=1\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: xchunked",
	    LIT(POST HOST "Transfer-Encoding: xchunked\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Transfer-Encoding: \"chunked\"",
	    LIT(POST HOST "Transfer-Encoding: \"chunked\"\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "an empty Transfer-Encoding",
	    LIT(POST HOST "Transfer-Encoding:\r\n" END), ERR_HTTP_FRAMING },
	{ "two Content-Lengths",
	    LIT(POST HOST "Content-Length: 3\r\nContent-Length: 4\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length twice, alike",
	    LIT(POST HOST "Content-Length: 3\r\nContent-Length: 3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 3, 3", LIT(POST HOST "Content-Length: 3, 3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "an empty Content-Length", LIT(POST HOST "Content-Length: \r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: +3", LIT(POST HOST "Content-Length: +3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: -3", LIT(POST HOST "Content-Length: -3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 03", LIT(POST HOST "Content-Length: 03\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 0x3", LIT(POST HOST "Content-Length: 0x3\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 3.0", LIT(POST HOST "Content-Length: 3.0\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 1 2", LIT(POST HOST "Content-Length: 1 2\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 12 and a tab",
	    LIT(POST HOST "Content-Length: 12\t\r\n" END), ERR_HTTP_FRAMING },
	{ "Content-Length: 2^63",
	    LIT(POST HOST "Content-Length: 9223372036854775808\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "Content-Length: 2^64 + 3",
	    LIT(POST HOST "Content-Length: 18446744073709551619\r\n" END),
	    ERR_HTTP_FRAMING },
	/* Connection is looked through for each header: it stays short */
	{ "a Connection that names too much",
	    LIT(GET HOST "Connection: " C64 C64 C64 C64 "x\r\n" END),
	    ERR_HTTP_HEAD_LIMIT },
	{ "several that name too much",
	    LIT(GET HOST "Connection: " C64 C64 C64 "\r\n"
			 "connection: " C64 "\r\n" END),
	    ERR_HTTP_HEAD_LIMIT },
	/* what may stand once, and what is known */
	{ "two Upgrades",
	    LIT(POST HOST "Connection: Upgrade\r\nUpgrade: tcp\r\n"
			  "Upgrade: h2c\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "two Expects",
	    LIT(POST HOST "Expect: 100-continue\r\n"
			  "Expect: 100-continue\r\n" END),
	    ERR_HTTP_FRAMING },
	{ "an Expect that nobody knows",
	    LIT(POST HOST "Expect: 200-ok\r\n" END), ERR_HTTP_EXPECT },
	{ "an empty Expect", LIT(POST HOST "Expect:\r\n" END),
	    ERR_HTTP_EXPECT },
	{ "two Content-Types",
	    LIT(POST HOST
		"Content-Type: application/json\r\n"
		"content-type: application/x-www-form-urlencoded\r\n" END),
	    ERR_HTTP_FRAMING },
};

static void
refuses_what_two_readers_could_read_differently(void **state)
{
	struct http_head h, before;
	struct arena arena;
	struct diag d;
	enum err rc;
	size_t i;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < NELEM(bad_requests); i++) {
		arena_init(&arena, LIMIT_ARENA_BYTES);
		h = before;
		memset(&d, 0, sizeof(d));
		rc = http1_parse_request(&arena, bad_requests[i].head, &h, &d);
		expect_err(bad_requests[i].what, rc, bad_requests[i].rc);
		if (d.text[0] == '\0') {
			fail_msg("%s: no reason given", bad_requests[i].what);
		}
		assert_memory_equal(&h, &before, sizeof(h));
		arena_fini(&arena);
	}
}

/* Head with n headers besides Host, each with a value of len bytes. */
static void
put_many(struct buf *out, size_t n, size_t len)
{
	char value[1024];
	size_t i;

	assert_true(len < sizeof(value));
	memset(value, 'v', len);
	assert_int_equal(buf_append_str(out, GET HOST), ERR_OK);
	for (i = 0; i < n; i++) {
		assert_int_equal(buf_append_str(out, "A: "), ERR_OK);
		assert_int_equal(buf_append(out, value, len), ERR_OK);
		assert_int_equal(buf_append_str(out, "\r\n"), ERR_OK);
	}
	assert_int_equal(buf_append_str(out, END), ERR_OK);
}

static enum err
parse_many(size_t n, size_t len, struct diag *d)
{
	struct http_head h;
	struct arena arena;
	struct buf head;
	enum err rc;

	memset(d, 0, sizeof(*d));
	buf_init(&head, 1u << 20);
	arena_init(&arena, LIMIT_ARENA_BYTES);
	put_many(&head, n, len);
	rc = http1_parse_request(&arena, buf_span(&head), &h, d);
	if (rc == ERR_OK) {
		assert_int_equal(h.n_headers, n + 1);
	}
	arena_fini(&arena);
	buf_fini(&head);
	return rc;
}

static void
counts_headers(void **state)
{
	struct diag d;

	(void)state;
	assert_int_equal(parse_many(LIMIT_HEADERS - 1, 1, &d), ERR_OK);
	assert_int_equal(parse_many(LIMIT_HEADERS, 1, &d), ERR_HTTP_HEAD_LIMIT);
	assert_non_null(strstr(d.text, "headers"));
	/* 64 KiB, the default of limits.head_bytes, are no problem ... */
	assert_int_equal(parse_many(64, 1000, &d), ERR_OK);
	/* ... and what http-parser has no room for is a limit, not a lie. */
	assert_int_equal(parse_many(100, 1000, &d), ERR_HTTP_HEAD_LIMIT);
	assert_true(d.text[0] != '\0');
}

static void
says_when_memory_is_short(void **state)
{
	struct http_head h;
	struct arena arena;
	struct diag d;

	(void)state;
	arena_init(&arena, 16);
	assert_int_equal(
	    http1_parse_request(&arena, span_of(GET HOST END), &h, &d),
	    ERR_NOMEM);
	arena_fini(&arena);
}

/* Heads that are read, and what the framing is. */
static const struct {
	const char *what;
	struct span head;
	enum body_kind body;
	uint64_t length;
	enum upgrade upgrade;
	bool close, expect;
} good_requests[] = {
	{ "a ping", LIT(GET HOST END), BODY_NONE, 0, UPGRADE_NONE, false,
	    false },
	{ "an empty Host (buildx)", LIT(GET "Host:\r\n" END), BODY_NONE, 0,
	    UPGRADE_NONE, false, false },
	{ "an absolute target is for policy to judge",
	    LIT("GET http://x/_ping HTTP/1.1\r\n" HOST END), BODY_NONE, 0,
	    UPGRADE_NONE, false, false },
	{ "no blank after the colon", LIT(GET "Host:docker\r\n" END), BODY_NONE,
	    0, UPGRADE_NONE, false, false },
	{ "obs-text in a value", LIT(GET HOST "A: \xc3\xa9\xff\r\n" END),
	    BODY_NONE, 0, UPGRADE_NONE, false, false },
	{ "a tab in a value", LIT(GET HOST "A: b\tc\r\n" END), BODY_NONE, 0,
	    UPGRADE_NONE, false, false },
	{ "Content-Length: 0", LIT(POST HOST "Content-Length: 0\r\n" END),
	    BODY_LENGTH, 0, UPGRADE_NONE, false, false },
	{ "Content-Length: 12", LIT(POST HOST "content-length: \t12 \r\n" END),
	    BODY_LENGTH, 12, UPGRADE_NONE, false, false },
	{ "Content-Length: 2^63-1",
	    LIT(POST HOST "Content-Length: 9223372036854775807\r\n" END),
	    BODY_LENGTH, INT64_MAX, UPGRADE_NONE, false, false },
	{ "chunked", LIT(POST HOST "Transfer-Encoding: chunked\r\n" END),
	    BODY_CHUNKED, 0, UPGRADE_NONE, false, false },
	{ "Chunked", LIT(POST HOST "TRANSFER-ENCODING:  Chunked \r\n" END),
	    BODY_CHUNKED, 0, UPGRADE_NONE, false, false },
	{ "a body with GET is framed too",
	    LIT(GET HOST "Content-Length: 5\r\n" END), BODY_LENGTH, 5,
	    UPGRADE_NONE, false, false },
	{ "close", LIT(GET HOST "Connection: close\r\n" END), BODY_NONE, 0,
	    UPGRADE_NONE, true, false },
	{ "close in a list",
	    LIT(GET HOST "Connection: a\r\nConnection: x,\tClose ,y\r\n" END),
	    BODY_NONE, 0, UPGRADE_NONE, true, false },
	{ "closed is not close",
	    LIT(GET HOST "Connection: closed, keep-alive\r\n" END), BODY_NONE,
	    0, UPGRADE_NONE, false, false },
	{ "100-continue",
	    LIT(POST HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n" END),
	    BODY_LENGTH, 1, UPGRADE_NONE, false, true },
	{ "an upgrade to tcp (docker attach)",
	    LIT(POST HOST
		"Connection: Upgrade\r\nUpgrade: tcp\r\n"
		"Content-Type: text/plain\r\nContent-Length: 0\r\n" END),
	    BODY_LENGTH, 0, UPGRADE_TCP, false, false },
	{ "an upgrade to h2c (buildx)",
	    LIT(POST "Host:\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n" END),
	    BODY_NONE, 0, UPGRADE_H2C, false, false },
	{ "an upgrade to websocket",
	    LIT(GET HOST "Connection: keep-alive, upgrade\r\n"
			 "Upgrade: WebSocket\r\n" END),
	    BODY_NONE, 0, UPGRADE_WEBSOCKET, false, false },
	{ "an upgrade to a list",
	    LIT(POST HOST "Connection: Upgrade\r\n"
			  "Upgrade: h2c, tcp\r\n" END),
	    BODY_NONE, 0, UPGRADE_OTHER, false, false },
	{ "Upgrade without Connection (RFC 9110 7.8)",
	    LIT(POST HOST "Upgrade: tcp\r\n" END), BODY_NONE, 0, UPGRADE_NONE,
	    false, false },
	{ "Connection without Upgrade",
	    LIT(POST HOST "Connection: upgrade\r\n" END), BODY_NONE, 0,
	    UPGRADE_NONE, false, false },
};

static void
reads_the_framing_of_requests(void **state)
{
	const char *what;
	struct arena arena;
	struct http_head h;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good_requests); i++) {
		what = good_requests[i].what;
		arena_init(&arena, LIMIT_ARENA_BYTES);
		memset(&d, 0, sizeof(d));
		expect_err(what,
		    http1_parse_request(&arena, good_requests[i].head, &h, &d),
		    ERR_OK);
		expect_u64(what, h.body, good_requests[i].body);
		expect_u64(what, h.length, good_requests[i].length);
		expect_u64(what, h.upgrade, good_requests[i].upgrade);
		expect_u64(what, h.close, good_requests[i].close);
		expect_u64(what, h.expect_continue, good_requests[i].expect);
		arena_fini(&arena);
	}
}

static void
reads_the_fields_of_a_request(void **state)
{
	static const char text[] =
	    "DELETE /v1.41/x?force=1&v=%20 HTTP/1.1\r\n"
	    "Host: a:1\r\nX-Empty:\r\nX-Blank: \t \r\nx-Two:  a b \r\n"
	    "X-Two: c:d\r\n\r\n";
	struct http_head h;
	struct arena arena;
	struct diag d;

	(void)state;
	arena_init(&arena, LIMIT_ARENA_BYTES);
	assert_int_equal(
	    http1_parse_request(&arena, span_of(text), &h, &d), ERR_OK);
	expect_span("method", h.method, "DELETE");
	expect_span("target", h.target, "/v1.41/x?force=1&v=%20");
	assert_int_equal(h.n_headers, 5);
	expect_span("name", h.headers[3].name, "x-Two");
	expect_span("value", h.headers[0].value, "a:1");
	expect_span("empty", h.headers[1].value, "");
	expect_span("blank", h.headers[2].value, "");
	expect_span("trimmed", h.headers[3].value, "a b");
	expect_span("a colon", h.headers[4].value, "c:d");
	assert_ptr_equal(http1_find(&h, "X-TWO"), &h.headers[3]);
	assert_null(http1_find(&h, "x-tw"));
	assert_null(http1_find(&h, "x-two:"));
	arena_fini(&arena);
}

/* --- where a head ends --------------------------------------------------- */

/* Texts with the length of the head at their front; 0: it has no end. */
static const struct {
	const char *what;
	struct span text;
	size_t length;
} ends[] = {
	{ "CRLF CRLF", LIT("G\r\nH\r\n\r\n"), 8 },
	{ "bytes behind", LIT("G\r\nH\r\n\r\nPOST\r\n\r\n"), 8 },
	{ "LF LF", LIT("G\nH\n\nP\r\n\r\n"), 5 },
	{ "LF CRLF", LIT("G\r\nH\n\r\nP\r\n\r\n"), 7 },
	{ "CRLF LF", LIT("G\r\nH\r\n\nP\r\n\r\n"), 7 },
	{ "CRLF CRLF at once", LIT("\r\n\r\n"), 4 },
	{ "LF LF at once", LIT("\n\n"), 2 },
	{ "LF CRLF at once", LIT("\n\r\n"), 3 },
	{ "no end", LIT("G\r\nH\r\n"), 0 },
	{ "CR alone is none", LIT("G\r\r\r\rH\r\n"), 0 },
	{ "CR CRLF is none", LIT("G\r\nH\r\n\r\r\nx"), 0 },
	{ "LF alone is none", LIT("\n"), 0 },
	{ "nothing", LIT(""), 0 },
	{ "NUL is a byte", LIT("G\0\r\n\0\r\n\r\n"), 9 },
};

static void
finds_the_end_wherever_the_head_is_cut(void **state)
{
	struct span part;
	size_t i, first, n, scanned, got;

	(void)state;
	for (i = 0; i < NELEM(ends); i++) {
		/* first bytes at once, then one by one */
		for (first = 0; first <= ends[i].text.len; first++) {
			scanned = 0;
			got = 0;
			for (n = first; n <= ends[i].text.len; n++) {
				part = span_make(ends[i].text.p, n);
				got = http1_head_length(part, &scanned);
				if (got != 0) {
					break;
				}
			}
			expect_u64(ends[i].what, got, ends[i].length);
			if (got != 0 && first <= got) {
				expect_u64(ends[i].what, n, got);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    refuses_what_two_readers_could_read_differently),
		cmocka_unit_test(counts_headers),
		cmocka_unit_test(says_when_memory_is_short),
		cmocka_unit_test(reads_the_framing_of_requests),
		cmocka_unit_test(reads_the_fields_of_a_request),
		cmocka_unit_test(finds_the_end_wherever_the_head_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
