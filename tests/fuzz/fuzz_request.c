/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets.  Whatever is accepted and written anew is accepted again,
 * is the same request, and is written as the same bytes: dockerd reads what
 * policy judged.
 *
 * Input: "METHOD target", or a target alone (GET).
 */
#include "fuzz.h"

#include "policy/request.h"

static void
check_same(const struct canon_req *a, const struct canon_req *b)
{
	struct span v;
	size_t i;

	CHECK(a->method == b->method && a->api_minor == b->api_minor);
	CHECK(a->op == b->op);
	CHECK(span_eq(a->path, b->path));
	CHECK(span_eq(a->object, b->object));
	CHECK(span_eq(a->object2, b->object2));
	CHECK(a->n_segments == b->n_segments && a->n_query == b->n_query);
	for (i = 0; i < a->n_segments; i++) {
		CHECK(a->segment[i].len > 0);
		CHECK(span_eq(a->segment[i], b->segment[i]));
	}
	for (i = 0; i < a->n_query; i++) {
		CHECK(span_eq(a->query[i].key, b->query[i].key));
		CHECK(span_eq(a->query[i].value, b->query[i].value));
		CHECK(memchr(a->query[i].key.p, '\0', a->query[i].key.len) ==
			  NULL ||
		      a->query[i].key.len == 0);
	}
	CHECK(!canon_query(a, "t", &v) || canon_query(b, "t", &v));
}

/* Origin form, nothing that a line or a path could end with. */
static void
check_written(struct span s)
{
	size_t i;

	CHECK(s.len > 1 && s.p[0] == '/' && s.p[1] != '/' && s.p[1] != '?');
	for (i = 0; i < s.len; i++) {
		CHECK(s.p[i] > 0x20 && s.p[i] < 0x7f);
		CHECK(strchr("#;\\\"<>{}|^`", s.p[i]) == NULL);
	}
}

static void
check(struct arena *arena, enum method method, struct span target)
{
	struct diag d = { 0, 0, "" };
	struct canon_req a, b;
	struct buf one, two;

	if (canon_request(arena, method, target, &a, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
		return;
	}
	buf_init(&one, 4 * target.len + 64);
	buf_init(&two, 4 * target.len + 64);
	CHECK(canon_write_target(&a, &one) == ERR_OK);
	check_written(buf_span(&one));
	if (one.len <= 65536) {
		CHECK(canon_request(arena, method, buf_span(&one), &b, &d) ==
		      ERR_OK);
		check_same(&a, &b);
		CHECK(canon_write_target(&b, &two) == ERR_OK);
		CHECK(span_eq(buf_span(&one), buf_span(&two)));
	}
	buf_fini(&one);
	buf_fini(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span target = span_make(data, size);
	const char *blank = memchr(target.p, ' ', size);
	enum method method = METHOD_NONE;
	struct arena arena;

	if (size == 0) {
		return 0;
	}
	if (blank != NULL) {
		method = method_parse(
		    span_make(target.p, (size_t)(blank - target.p)));
	}
	if (method == METHOD_NONE) {
		method = METHOD_GET;
	} else {
		target.len -= (size_t)(blank - target.p) + 1;
		target.p = blank + 1;
	}
	arena_init(&arena, FUZZ_ARENA_BYTES);
	check(&arena, method, target);
	arena_fini(&arena);
	return 0;
}
