/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies.  The same bytes give the same content, the same end and the same
 * error in whatever pieces they come, and however little room there is; and
 * chunks of ours read back as what they hold.
 *
 * Input: a byte that says which kind, two bytes of length, one of how it is
 * cut; the rest is the body and what follows it.
 */
#include "fuzz.h"

#include "body.h"

struct result {
	enum err rc;
	bool done;
	uint64_t bytes;
	size_t taken;
	struct buf out;
};

struct cut {
	size_t feed; /* bytes a time */
	size_t room; /* of the queue that is filled */
	enum body_out as;
};

static void
pump(struct body *b, struct buf *in, struct buf *out, enum body_out as,
    struct result *r)
{
	struct span s;
	size_t had;

	do {
		had = in->len;
		r->rc = body_pass(b, in, out, as);
		CHECK(in->len <= had);
		CHECK(out->len <= out->max);
		s = buf_span(out);
		CHECK(buf_append(&r->out, s.p, s.len) == ERR_OK);
		had = had - in->len + s.len;
		buf_consume(out, s.len);
	} while (r->rc == ERR_OK && !b->done && had > 0);
}

static void
pass(enum body_kind kind, uint64_t length, struct cut cut, struct span text,
    struct result *r)
{
	struct body b;
	struct buf in, out;
	size_t at = 0, n;

	memset(r, 0, sizeof(*r));
	buf_init(&r->out, 100 * text.len + 4096);
	buf_init(&in, text.len + 1);
	buf_init(&out, cut.room);
	body_init(&b, kind, length);
	while (r->rc == ERR_OK && !b.done && at < text.len) {
		n = text.len - at < cut.feed ? text.len - at : cut.feed;
		CHECK(buf_append(&in, text.p + at, n) == ERR_OK);
		at += n;
		pump(&b, &in, &out, cut.as, r);
	}
	r->done = b.done;
	r->bytes = b.bytes;
	r->taken = at - in.len;
	body_fini(&b);
	buf_fini(&in);
	buf_fini(&out);
}

static void
check_same(const struct result *a, const struct result *b)
{
	CHECK(a->rc == b->rc);
	CHECK(a->done == b->done);
	if (a->rc == ERR_OK) {
		CHECK(a->bytes == b->bytes);
		CHECK(a->taken == b->taken);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cut whole = { SIZE_MAX, 1u << 20, BODY_OUT_PLAIN }, cut;
	struct result plain, cut_plain, chunked, again, none;
	enum body_kind kind;
	uint64_t length;
	struct span text;

	if (size < 4) {
		return 0;
	}
	kind = (enum body_kind)(data[0] % 4);
	length = (uint64_t)data[1] << 8 | data[2];
	cut = (struct cut){ 1u + data[3] % 16, 1u + data[3] / 16,
		BODY_OUT_PLAIN };
	text = span_make(data + 4, size - 4);

	pass(kind, length, whole, text, &plain);
	pass(kind, length, cut, text, &cut_plain);
	check_same(&plain, &cut_plain);
	CHECK(plain.rc != ERR_OK ||
	      span_eq(buf_span(&plain.out), buf_span(&cut_plain.out)));
	CHECK(kind != BODY_LENGTH || plain.bytes <= length);

	cut.as = BODY_OUT_DISCARD;
	pass(kind, length, cut, text, &none);
	check_same(&plain, &none);
	CHECK(none.out.len == 0);

	if (kind == BODY_CHUNKED) {
		cut.as = BODY_OUT_CHUNKED;
		cut.room = 16384;
		pass(kind, length, cut, text, &chunked);
		check_same(&plain, &chunked);
		pass(kind, length, whole, buf_span(&chunked.out), &again);
		if (plain.rc == ERR_OK) {
			CHECK(again.rc == ERR_OK && again.done == plain.done);
			CHECK(again.taken == chunked.out.len);
			CHECK(span_eq(
			    buf_span(&plain.out), buf_span(&again.out)));
		}
		buf_fini(&chunked.out);
		buf_fini(&again.out);
	}
	buf_fini(&plain.out);
	buf_fini(&cut_plain.out);
	buf_fini(&none.out);
	return 0;
}
