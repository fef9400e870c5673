/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON.  Whatever is accepted, strictly or with comments, is written
 * anew from its tree, is accepted strictly, and is the same tree; strings
 * are UTF-8 without NUL; places lie in the text and go forward only.
 */
#include "fuzz.h"

#include "base/jsonw.h"
#include "base/text.h"
#include "policy/json.h"

struct place {
	unsigned line, col;
};

static void
check_place(const struct json_node *v, struct place *last)
{
	struct place p;

	json_where(v, &p.line, &p.col);
	if (last == NULL) {
		CHECK(p.line == 0 && p.col == 0);
		return;
	}
	CHECK(
	    p.line > last->line || (p.line == last->line && p.col > last->col));
	*last = p;
}

static void
write_string(struct span s, struct buf *out)
{
	struct jsonw w;

	CHECK(text_is_utf8(s) && memchr(s.p, '\0', s.len) == NULL);
	jsonw_init(&w, out);
	jsonw_span(&w, s);
	CHECK(w.err == ERR_OK);
}

static void
put(struct buf *out, struct span s)
{
	CHECK(buf_append(out, s.p, s.len) == ERR_OK);
}

/* Recursion ends at JSON_MAX_DEPTH. */
static void
write_node(const struct json_node *v, struct place *last, struct buf *out)
{
	const struct json_node *m;
	bool object = json_type(v) == JSON_OBJECT;

	check_place(v, last);
	switch (json_type(v)) {
	case JSON_NULL:
		put(out, span_of("null"));
		return;
	case JSON_BOOL:
		put(out, span_of(json_bool(v) ? "true" : "false"));
		return;
	case JSON_NUMBER:
		put(out, json_number(v));
		return;
	case JSON_STRING:
		write_string(json_string(v), out);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	put(out, span_of(object ? "{" : "["));
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (m != json_first(v)) {
			put(out, span_of(","));
		}
		if (object) {
			write_string(json_key(m), out);
			put(out, span_of(":"));
		}
		write_node(m, last, out);
	}
	put(out, span_of(object ? "}" : "]"));
}

static void
check_numbers(const struct json_node *v)
{
	const struct json_node *m;
	char text[32];
	int64_t n;

	if (json_type(v) == JSON_NUMBER && json_int(v, &n) == ERR_OK) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)n);
		CHECK(span_is(json_number(v), text) ||
		      span_is(json_number(v), "-0"));
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		check_numbers(m);
	}
}

static void
check_node(const struct json_node *a, const struct json_node *b)
{
	const struct json_node *x = json_first(a), *y = json_first(b);

	CHECK(json_type(a) == json_type(b));
	CHECK(json_count(a) == json_count(b));
	if (json_type(a) == JSON_STRING) {
		CHECK(span_eq(json_string(a), json_string(b)));
	}
	if (json_type(a) == JSON_NUMBER) {
		CHECK(span_eq(json_number(a), json_number(b)));
	}
	for (; x != NULL; x = json_next(x), y = json_next(y)) {
		CHECK(json_type(a) != JSON_OBJECT ||
		      span_eq(json_key(x), json_key(y)));
		check_node(x, y);
	}
}

static void
check(struct span text, enum json_flags flags)
{
	struct json_doc *doc, *again;
	struct place last = { 0, 0 };
	struct diag d = { 0, 0, "" };
	struct buf out;

	if (json_parse(text, flags, &doc, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
		return;
	}
	buf_init(&out, 8 * text.len + 16);
	write_node(json_root(doc), flags == JSON_COMMENTS ? &last : NULL, &out);
	check_numbers(json_root(doc));
	CHECK(json_parse(buf_span(&out), JSON_STRICT, &again, &d) == ERR_OK);
	check_node(json_root(doc), json_root(again));
	json_free(again);
	json_free(doc);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(span_make(data, size), JSON_STRICT);
	check(span_make(data, size), JSON_COMMENTS);
	return 0;
}
