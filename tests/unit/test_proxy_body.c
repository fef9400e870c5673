/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: what is refused, then content in any pieces, in any framing. */
#include "unit.h"

#include "body.h"
#include "limit.h"

/* One passage through a body: text in pieces of feed, out in room at most. */
struct passage {
	enum body_kind kind;
	uint64_t length;
	enum body_out as;
	size_t feed;
	size_t room;
};

struct result {
	enum err rc;
	bool done;
	uint64_t bytes; /* what the body counted */
	size_t taken;	/* of the text */
	struct buf out;
};

static void
drain(struct buf *from, struct buf *to)
{
	struct span s = buf_span(from);

	if (s.len > 0) {
		assert_int_equal(buf_append(to, s.p, s.len), ERR_OK);
		buf_consume(from, s.len);
	}
}

/* Calls body_pass() until it stands still; out is emptied after each call. */
static enum err
pump(struct body *b, struct buf *in, struct buf *out, enum body_out as,
    struct buf *to)
{
	enum err rc;
	size_t had;

	do {
		had = in->len;
		rc = body_pass(b, in, as == BODY_OUT_DISCARD ? NULL : out, as);
		assert_true(out->len <= out->max);
		had += out->len;
		drain(out, to);
	} while (rc == ERR_OK && !b->done && had != in->len);
	return rc;
}

static void
pass(const struct passage *p, struct span text, struct result *r)
{
	struct body b;
	struct buf in, out;
	size_t at = 0, n;

	memset(r, 0, sizeof(*r));
	buf_init(&r->out, 1u << 22);
	buf_init(&in, 1u << 20);
	buf_init(&out, p->room);
	body_init(&b, p->kind, p->length);
	while (r->rc == ERR_OK && !b.done && at < text.len) {
		n = text.len - at < p->feed ? text.len - at : p->feed;
		assert_int_equal(buf_append(&in, text.p + at, n), ERR_OK);
		at += n;
		r->rc = pump(&b, &in, &out, p->as, &r->out);
	}
	r->done = b.done;
	r->bytes = b.bytes;
	r->taken = at - in.len;
	body_fini(&b);
	buf_fini(&in);
	buf_fini(&out);
}

/* --- refusals ------------------------------------------------------------ */

/* Chunked bodies that are refused. */
static const struct {
	const char *what;
	struct span text;
} bad_chunks[] = {
	/* the size line (RFC 9112 7.1) */
	{ "an empty size", LIT("\r\n0\r\n\r\n") },
	{ "an extension", LIT("3;a=b\r\nabc\r\n0\r\n\r\n") },
	{ "an empty extension", LIT("3;\r\nabc\r\n0\r\n\r\n") },
	{ "an extension of the last chunk", LIT("0;a\r\n\r\n") },
	{ "a blank in front", LIT(" 3\r\nabc\r\n0\r\n\r\n") },
	{ "a blank behind", LIT("3 \r\nabc\r\n0\r\n\r\n") },
	{ "a tab behind", LIT("3\t\r\nabc\r\n0\r\n\r\n") },
	{ "a leading zero", LIT("03\r\nabc\r\n0\r\n\r\n") },
	{ "two zeros", LIT("00\r\n\r\n") },
	{ "a sign", LIT("+3\r\nabc\r\n0\r\n\r\n") },
	{ "a negative size", LIT("-1\r\nabc\r\n0\r\n\r\n") },
	{ "0x", LIT("0x3\r\nabc\r\n0\r\n\r\n") },
	{ "a letter that is no digit", LIT("g\r\n") },
	{ "2^52", LIT("10000000000000\r\n") },
	{ "2^64", LIT("10000000000000000\r\n") },
	{ "2^64 + 3", LIT("10000000000000003\r\nabc\r\n0\r\n\r\n") },
	{ "2^64 - 1", LIT("ffffffffffffffff\r\nabc\r\n") },
	{ "a size line without end", LIT("3333333333333333333333333333333") },
	{ "LF ends the size", LIT("3\nabc\r\n0\r\n\r\n") },
	{ "LF alone", LIT("\n") },
	{ "LF ends the last size", LIT("0\n\r\n") },
	{ "CR in the size", LIT("3\r\r\nabc\r\n0\r\n\r\n") },
	{ "CR ends the size", LIT("3\rabc\r\n0\r\n\r\n") },
	{ "NUL in the size", LIT("3\0\r\nabc\r\n0\r\n\r\n") },
	/* behind the data */
	{ "no CRLF behind the data", LIT("3\r\nabc0\r\n\r\n") },
	{ "LF behind the data", LIT("3\r\nabc\n0\r\n\r\n") },
	{ "CR CR LF behind the data", LIT("3\r\nabc\r\r\n0\r\n\r\n") },
	{ "CR x behind the data", LIT("3\r\nabc\rx\r\n0\r\n\r\n") },
	{ "more data than the size", LIT("3\r\nabcd\r\n0\r\n\r\n") },
	{ "less data than the size", LIT("4\r\nabc\r\n0\r\n\r\n") },
	{ "a blank line too many", LIT("3\r\nabc\r\n\r\n0\r\n\r\n") },
	/* trailers (RFC 9112 7.1.2, RFC 9110 6.5.1) */
	{ "a trailer without a colon", LIT("0\r\nabc\r\n\r\n") },
	{ "a trailer without a name", LIT("0\r\n: c\r\n\r\n") },
	{ "a blank before the colon", LIT("0\r\nA : c\r\n\r\n") },
	{ "a folded trailer", LIT("0\r\nA: b\r\n c\r\n\r\n") },
	{ "LF ends a trailer", LIT("0\r\nA: b\n\r\n") },
	{ "LF ends the trailers", LIT("0\r\nA: b\r\n\n") },
	{ "CR in a trailer", LIT("0\r\nA: b\rc\r\n\r\n") },
	{ "NUL in a trailer", LIT("0\r\nA: b\0\r\n\r\n") },
	{ "DEL in a trailer", LIT("0\r\nA: b\x7f\r\n\r\n") },
	{ "Content-Length", LIT("0\r\nContent-Length: 3\r\n\r\n") },
	{ "Transfer-Encoding", LIT("0\r\ntransfer-encoding: x\r\n\r\n") },
	{ "Host", LIT("0\r\nHOST: x\r\n\r\n") },
	{ "Connection", LIT("0\r\nA: b\r\nConnection: close\r\n\r\n") },
	{ "Upgrade", LIT("0\r\nUpgrade: tcp\r\n\r\n") },
	{ "Content-Type", LIT("0\r\nContent-Type: text/plain\r\n\r\n") },
	{ "Content-Encoding", LIT("0\r\nContent-Encoding: gzip\r\n\r\n") },
	{ "Expect", LIT("0\r\nExpect: 100-continue\r\n\r\n") },
	{ "Trailer", LIT("0\r\nTrailer: A\r\n\r\n") },
	{ "TE", LIT("0\r\nTE: trailers\r\n\r\n") },
	{ "Authorization", LIT("0\r\nAuthorization: x\r\n\r\n") },
	{ "X-Registry-Auth", LIT("0\r\nX-Registry-Auth: x\r\n\r\n") },
	{ "X-Registry-Config", LIT("0\r\nx-registry-config: x\r\n\r\n") },
};

static void
refuses_chunks_that_are_not_plain(void **state)
{
	static const size_t feeds[] = { 4096, 1, 2, 3 };
	static const enum body_out kinds[] = { BODY_OUT_DISCARD, BODY_OUT_PLAIN,
		BODY_OUT_CHUNKED };
	struct passage p = { BODY_CHUNKED, 0, BODY_OUT_PLAIN, 0, 4096 };
	struct result r;
	size_t i, k;

	(void)state;
	for (i = 0; i < NELEM(bad_chunks); i++) {
		for (k = 0; k < NELEM(feeds) * NELEM(kinds); k++) {
			p.feed = feeds[k % NELEM(feeds)];
			p.as = kinds[k / NELEM(feeds)];
			pass(&p, bad_chunks[i].text, &r);
			expect_err(bad_chunks[i].what, r.rc, ERR_HTTP_CHUNK);
			assert_false(r.done);
			buf_fini(&r.out);
		}
	}
}

static void
refuses_endless_trailers(void **state)
{
	struct passage p = { BODY_CHUNKED, 0, BODY_OUT_CHUNKED, 1000, 65536 };
	struct buf text;
	struct result r;
	size_t i;

	(void)state;
	buf_init(&text, 1u << 20);
	assert_int_equal(buf_append_str(&text, "0\r\n"), ERR_OK);
	for (i = 0; i < LIMIT_TRAILER_BYTES / 6 + 1; i++) {
		assert_int_equal(buf_append_str(&text, "A: b\r\n"), ERR_OK);
	}
	pass(&p, buf_span(&text), &r);
	expect_err("lines without end", r.rc, ERR_HTTP_CHUNK);
	assert_int_equal(r.out.len, 0);
	buf_fini(&r.out);

	buf_consume(&text, text.len);
	assert_int_equal(buf_append_str(&text, "0\r\nA: "), ERR_OK);
	for (i = 0; i < LIMIT_TRAILER_BYTES; i++) {
		assert_int_equal(buf_append_str(&text, "b"), ERR_OK);
	}
	pass(&p, buf_span(&text), &r);
	expect_err("a line without end", r.rc, ERR_HTTP_CHUNK);
	buf_fini(&r.out);
	buf_fini(&text);
}

static void
refuses_bodies_that_were_cut_short(void **state)
{
	static const struct {
		const char *what;
		enum body_kind kind;
		uint64_t length;
		const char *text;
		enum err rc;
	} cases[] = {
		{ "nothing of a length", BODY_LENGTH, 3, "", ERR_HTTP_FRAMING },
		{ "part of a length", BODY_LENGTH, 3, "ab", ERR_HTTP_FRAMING },
		{ "nothing of chunks", BODY_CHUNKED, 0, "", ERR_HTTP_FRAMING },
		{ "part of a chunk", BODY_CHUNKED, 0, "3\r\nab",
		    ERR_HTTP_FRAMING },
		{ "no last chunk", BODY_CHUNKED, 0, "3\r\nabc\r\n",
		    ERR_HTTP_FRAMING },
		{ "no blank line", BODY_CHUNKED, 0, "3\r\nabc\r\n0\r\n",
		    ERR_HTTP_FRAMING },
		{ "all of a length", BODY_LENGTH, 3, "abc", ERR_OK },
		{ "all chunks", BODY_CHUNKED, 0, "3\r\nabc\r\n0\r\n\r\n",
		    ERR_OK },
		{ "no body", BODY_NONE, 0, "", ERR_OK },
		{ "until the end", BODY_EOF, 0, "abc", ERR_OK },
		{ "until an early end", BODY_EOF, 0, "", ERR_OK },
	};
	struct buf in, out;
	struct body b;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		buf_init(&in, 64);
		buf_init(&out, 64);
		body_init(&b, cases[i].kind, cases[i].length);
		assert_int_equal(buf_append_str(&in, cases[i].text), ERR_OK);
		assert_int_equal(
		    body_pass(&b, &in, &out, BODY_OUT_PLAIN), ERR_OK);
		expect_err(cases[i].what, body_end(&b), cases[i].rc);
		assert_int_equal(b.done, cases[i].rc == ERR_OK);
		body_fini(&b);
		buf_fini(&in);
		buf_fini(&out);
	}
}

/*
 * Memory that is short must not look like a queue that is full: for a full
 * queue the connection waits, and nothing would ever wake it.
 */
static void
says_when_memory_is_short(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	(void)state;
	skip(); /* ASan ends the program instead of returning NULL */
#else
	static uint8_t few[16];
	const size_t huge = (size_t)1 << 60;
	struct buf in = { few, 0, huge, huge, huge }, out;
	struct body b;

	(void)state;
	buf_init(&out, 2 * huge);
	assert_int_equal(buf_append_str(&out, "x"), ERR_OK);
	body_init(&b, BODY_LENGTH, huge);
	assert_int_equal(body_pass(&b, &in, &out, BODY_OUT_PLAIN), ERR_NOMEM);
	assert_int_equal(body_pass(&b, &in, &out, BODY_OUT_CHUNKED), ERR_NOMEM);
	assert_int_equal(b.bytes, 0);
	assert_int_equal(out.len, 1);
	body_fini(&b);
	buf_fini(&out);
#endif
}

/* --- content ------------------------------------------------------------- */

/* Texts; the content; what goes out in chunks; how much is the body. */
static const struct {
	const char *what;
	enum body_kind kind;
	uint64_t length;
	const char *text, *plain, *chunked;
	size_t taken;
} good[] = {
	{ "a length", BODY_LENGTH, 3, "abcGET", "abc", NULL, 3 },
	{ "a length of nothing", BODY_LENGTH, 0, "GET", "", NULL, 0 },
	{ "no body", BODY_NONE, 0, "GET", "", NULL, 0 },
	{ "until the end", BODY_EOF, 0, "abc\r\n\r\n", "abc\r\n\r\n", NULL, 7 },
	{ "no chunk but the last", BODY_CHUNKED, 0, "0\r\n\r\nGET", "",
	    "0\r\n\r\n", 5 },
	{ "one chunk", BODY_CHUNKED, 0, "3\r\nabc\r\n0\r\n\r\nGET", "abc",
	    "3\r\nabc\r\n0\r\n\r\n", 13 },
	{ "hexadecimal, either case", BODY_CHUNKED, 0,
	    "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n\r\n",
	    "01234567890123456789a",
	    "a\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", 36 },
	{ "CRLF in the content", BODY_CHUNKED, 0,
	    "5\r\n\r\n0\r\n\r\n0\r\n\r\nGET", "\r\n0\r\n",
	    "5\r\n\r\n0\r\n\r\n0\r\n\r\n", 15 },
	{ "trailers", BODY_CHUNKED, 0,
	    "1\r\nx\r\n0\r\nA: b\r\nX-Sum:\tc:\xc3\xa9 \r\n\r\nGET", "x",
	    "1\r\nx\r\n0\r\nA: b\r\nX-Sum:\tc:\xc3\xa9 \r\n\r\n", 31 },
	{ "an empty trailer value", BODY_CHUNKED, 0, "0\r\nA:\r\n\r\n", "",
	    "0\r\nA:\r\n\r\n", 9 },
};

static void
check_good(size_t i, size_t feed, size_t room, enum body_out as)
{
	struct passage p = { good[i].kind, good[i].length, as, feed, room };
	const char *what = good[i].what;
	struct result r;

	pass(&p, span_of(good[i].text), &r);
	expect_err(what, r.rc, ERR_OK);
	expect_u64(what, r.done, good[i].kind != BODY_EOF);
	expect_u64(what, r.taken, good[i].taken);
	expect_u64(what, r.bytes, strlen(good[i].plain));
	if (as == BODY_OUT_PLAIN) {
		expect_span(what, buf_span(&r.out), good[i].plain);
	} else if (as == BODY_OUT_DISCARD) {
		expect_span(what, buf_span(&r.out), "");
	} else if (feed >= strlen(good[i].text)) {
		expect_span(what, buf_span(&r.out), good[i].chunked);
	}
	buf_fini(&r.out);
}

static void
takes_the_body_and_no_byte_more(void **state)
{
	size_t i, feed, room;

	(void)state;
	for (i = 0; i < NELEM(good); i++) {
		for (feed = 1; feed <= strlen(good[i].text); feed++) {
			for (room = 1; room < 20; room++) {
				check_good(i, feed, room, BODY_OUT_PLAIN);
			}
			check_good(i, feed, 1, BODY_OUT_DISCARD);
			if (good[i].kind == BODY_CHUNKED) {
				check_good(i, feed, 4096, BODY_OUT_CHUNKED);
			}
		}
	}
}

static void
passes_nothing_once_it_is_done(void **state)
{
	struct buf in, out;
	struct body b;

	(void)state;
	buf_init(&in, 64);
	buf_init(&out, 64);
	body_init(&b, BODY_LENGTH, 1);
	assert_int_equal(buf_append_str(&in, "abc"), ERR_OK);
	assert_int_equal(body_pass(&b, &in, &out, BODY_OUT_PLAIN), ERR_OK);
	assert_int_equal(body_pass(&b, &in, &out, BODY_OUT_PLAIN), ERR_OK);
	assert_true(b.done);
	expect_span("in", buf_span(&in), "bc");
	expect_span("out", buf_span(&out), "a");
	body_fini(&b);
	buf_fini(&in);
	buf_fini(&out);
}

static void
waits_for_room_without_losing_its_place(void **state)
{
#define SUM "Sum: 0123456789012345678901234567890123456789\r\n"
	static const char text[] = "3\r\nabc\r\n0\r\n" SUM "\r\nGET";
	struct buf in, out;
	struct body b;
	size_t i;

	(void)state;
	buf_init(&in, 128);
	buf_init(&out, 32);
	body_init(&b, BODY_CHUNKED, 0);
	assert_int_equal(buf_append_str(&in, text), ERR_OK);
	for (i = 0; i < 3; i++) { /* no room for a chunk */
		assert_int_equal(
		    body_pass(&b, &in, &out, BODY_OUT_CHUNKED), ERR_OK);
		assert_int_equal(out.len, 0);
		assert_int_equal(b.left, 3);
	}
	for (i = 0; i < 3; i++) { /* room for the chunk, not the ending */
		out.max = 35 + i;
		assert_int_equal(
		    body_pass(&b, &in, &out, BODY_OUT_CHUNKED), ERR_OK);
		expect_span("chunk", buf_span(&out), "3\r\nabc\r\n");
		assert_false(b.done);
	}
	out.max = 128;
	assert_int_equal(body_pass(&b, &in, &out, BODY_OUT_CHUNKED), ERR_OK);
	assert_true(b.done);
	expect_span("all", buf_span(&out), "3\r\nabc\r\n0\r\n" SUM "\r\n");
	expect_span("the next message", buf_span(&in), "GET");
	body_fini(&b);
	buf_fini(&in);
	buf_fini(&out);
}

/* --- any pieces ---------------------------------------------------------- */

/* Content of n bytes in random chunks. */
static void
put_chunks(struct buf *text, const uint8_t *content, size_t n, uint32_t *seed)
{
	size_t at = 0, len;

	while (at < n) {
		len = 1 + unit_random(seed) % 300;
		len = len > n - at ? n - at : len;
		assert_int_equal(buf_printf(text, "%zx\r\n", len), ERR_OK);
		assert_int_equal(buf_append(text, content + at, len), ERR_OK);
		assert_int_equal(buf_append_str(text, "\r\n"), ERR_OK);
		at += len;
	}
	assert_int_equal(buf_append_str(text, "0\r\nA: b\r\n\r\n"), ERR_OK);
}

/* Chunks in, chunks of our own out, and those read again. */
static void
comes_out_as_it_went_in(void **state)
{
	struct passage p = { BODY_CHUNKED, 0, BODY_OUT_CHUNKED, 0, 0 };
	uint8_t content[2000];
	uint32_t seed = 20261121;
	struct result r, again;
	struct buf text;
	size_t i, k, n;

	(void)state;
	for (i = 0; i < 300; i++) {
		n = unit_random(&seed) % sizeof(content);
		for (k = 0; k < n; k++) {
			content[k] = (uint8_t)unit_random(&seed);
		}
		buf_init(&text, 1u << 20);
		put_chunks(&text, content, n, &seed);
		p.as = BODY_OUT_CHUNKED;
		p.feed = 1 + unit_random(&seed) % 200;
		p.room = 33 + unit_random(&seed) % 200;
		pass(&p, buf_span(&text), &r);
		assert_int_equal(r.rc, ERR_OK);
		assert_true(r.done);
		assert_int_equal(r.bytes, n);
		p.as = BODY_OUT_PLAIN;
		p.feed = 1 + unit_random(&seed) % 200;
		p.room = 1 + unit_random(&seed) % 200;
		pass(&p, buf_span(&r.out), &again);
		assert_int_equal(again.rc, ERR_OK);
		assert_true(again.done);
		assert_int_equal(again.taken, r.out.len);
		assert_int_equal(again.out.len, n);
		if (n > 0) {
			assert_memory_equal(buf_span(&again.out).p, content, n);
		}
		buf_fini(&r.out);
		buf_fini(&again.out);
		buf_fini(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_chunks_that_are_not_plain),
		cmocka_unit_test(refuses_endless_trailers),
		cmocka_unit_test(refuses_bodies_that_were_cut_short),
		cmocka_unit_test(says_when_memory_is_short),
		cmocka_unit_test(takes_the_body_and_no_byte_more),
		cmocka_unit_test(passes_nothing_once_it_is_done),
		cmocka_unit_test(waits_for_room_without_losing_its_place),
		cmocka_unit_test(comes_out_as_it_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
