/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of requests and answers.  Whatever is accepted has the fields that
 * stand in its lines, no more and no fewer, and means the same when it is
 * written anew; a head is found at the same place however it is cut.
 */
#include "fuzz.h"

#include "http1.h"

static void
check_length(struct span all, size_t want)
{
	size_t cut, scanned, got;

	for (cut = 0; cut < all.len; cut += 1 + all.len / 16) {
		scanned = 0;
		got = http1_head_length(span_make(all.p, cut), &scanned);
		if (got == 0) {
			got = http1_head_length(all, &scanned);
		}
		CHECK(got == want);
	}
}

/* The fields against the lines, read in the plainest way. */
static void
check_fields(struct span head, const struct http_head *h)
{
	const char *p = memchr(head.p, '\n', head.len), *end, *colon;
	size_t i;

	for (i = 0; i < h->n_headers; i++) {
		p++;
		end = memchr(p, '\n', head.len - (size_t)(p - head.p));
		CHECK(end != NULL);
		colon = memchr(p, ':', (size_t)(end - p));
		CHECK(colon != NULL);
		CHECK(span_eq(
		    h->headers[i].name, span_make(p, (size_t)(colon - p))));
		CHECK(h->headers[i].value.len < (size_t)(end - colon));
		CHECK(h->headers[i].value.len == 0 ||
		      (h->headers[i].value.p > colon &&
			  h->headers[i].value.p < end));
		p = end;
	}
	CHECK(p + 3 == head.p + head.len); /* only the blank line is left */
}

static void
check_same(const struct http_head *a, const struct http_head *b)
{
	size_t i;

	CHECK(span_eq(a->method, b->method));
	CHECK(span_eq(a->target, b->target));
	CHECK(span_eq(a->reason, b->reason));
	CHECK(span_eq(a->upgrade_value, b->upgrade_value));
	CHECK(a->status == b->status && a->upgrade == b->upgrade &&
	      a->expect_continue == b->expect_continue &&
	      a->upgraded_tcp == b->upgraded_tcp && a->body == b->body &&
	      a->length == b->length && a->has_length == b->has_length &&
	      a->close == b->close && a->n_headers == b->n_headers);
	for (i = 0; i < a->n_headers; i++) {
		CHECK(span_eq(a->headers[i].name, b->headers[i].name));
		CHECK(span_eq(a->headers[i].value, b->headers[i].value));
		CHECK(http1_hop_by_hop(a, a->headers[i].name) ==
		      http1_hop_by_hop(b, b->headers[i].name));
	}
}

static void
write_span(struct buf *out, struct span s)
{
	CHECK(buf_append(out, s.p, s.len) == ERR_OK);
}

static void
write_head(struct buf *out, const struct http_head *h, bool answer)
{
	size_t i;

	if (answer) {
		CHECK(buf_printf(out, "HTTP/1.1 %u ", h->status) == ERR_OK);
		write_span(out, h->reason);
	} else {
		write_span(out, h->method);
		write_span(out, span_of(" "));
		write_span(out, h->target);
		write_span(out, span_of(" HTTP/1.1"));
	}
	write_span(out, span_of("\r\n"));
	for (i = 0; i < h->n_headers; i++) {
		CHECK(http1_write_header(out, h->headers[i].name,
			  h->headers[i].value) == ERR_OK);
	}
	write_span(out, span_of("\r\n"));
}

static enum err
parse(struct arena *arena, struct span head, bool answer, enum method to,
    struct http_head *h, struct diag *d)
{
	return answer ? http1_parse_answer(arena, head, to, h, d)
		      : http1_parse_request(arena, head, h, d);
}

static void
check(struct span head, bool answer, enum method to)
{
	struct http_head h, again;
	struct diag d = { 0, 0, "" };
	struct arena arena;
	struct buf out;

	arena_init(&arena, FUZZ_ARENA_BYTES);
	buf_init(&out, 4 * head.len + 1024);
	if (parse(&arena, head, answer, to, &h, &d) == ERR_OK) {
		check_fields(head, &h);
		write_head(&out, &h, answer);
		CHECK(parse(&arena, buf_span(&out), answer, to, &again, &d) ==
		      ERR_OK);
		check_same(&h, &again);
	} else {
		CHECK(d.text[0] != '\0');
	}
	buf_fini(&out);
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span all = span_make(data, size);
	size_t scanned = 0, len = http1_head_length(all, &scanned);

	CHECK(len <= size);
	check_length(all, len);
	all.len = len == 0 ? size : len;
	if (span_starts(all, "HTTP/")) {
		check(all, true, METHOD_GET);
		check(all, true, METHOD_HEAD);
	} else {
		check(all, false, METHOD_NONE);
	}
	return 0;
}
