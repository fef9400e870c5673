/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writer; see jsonw.h.
 *
 * Used for what the gate itself says (error bodies, audit records), which
 * quotes peers: so every string is escaped here and nowhere else.  A tree
 * (cJSON) was rejected: these records are built and forgotten at each
 * request, and a writer needs no allocation of its own.
 */
#include "jsonw.h"

#include <stdio.h>

#include "text.h"

void
jsonw_init(struct jsonw *w, struct buf *out)
{
	w->out = out;
	w->err = ERR_OK;
	w->comma = false;
}

static void
put(struct jsonw *w, const void *p, size_t n)
{
	if (w->err == ERR_OK) {
		w->err = buf_append(w->out, p, n);
	}
}

static void
before_value(struct jsonw *w)
{
	if (w->comma) {
		put(w, ",", 1);
	}
	w->comma = true;
}

void
jsonw_object(struct jsonw *w)
{
	before_value(w);
	put(w, "{", 1);
	w->comma = false;
}

void
jsonw_object_end(struct jsonw *w)
{
	put(w, "}", 1);
	w->comma = true;
}

void
jsonw_array(struct jsonw *w)
{
	before_value(w);
	put(w, "[", 1);
	w->comma = false;
}

void
jsonw_array_end(struct jsonw *w)
{
	put(w, "]", 1);
	w->comma = true;
}

/* One character that needs more than itself; returns bytes of s it took. */
static size_t
put_special(struct jsonw *w, struct span s)
{
	unsigned char c = (unsigned char)s.p[0];
	char esc[8];
	size_t n;

	if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
		(void)snprintf(esc, sizeof(esc), "\\u%04x", c);
		put(w, esc, 6);
		return 1;
	}
	for (n = 2; n <= 4 && n <= s.len; n++) {
		if (text_is_utf8(span_make(s.p, n))) {
			put(w, s.p, n);
			return n;
		}
	}
	put(w, "\xef\xbf\xbd", 3);
	return 1;
}

/* Printable ASCII but quote and backslash: the length of such a run. */
static size_t
plain_run(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\') {
			break;
		}
	}
	return i;
}

/* A text that is one such run, in one piece. */
static enum err
put_plain(struct buf *out, struct span s)
{
	uint8_t *to = buf_reserve(out, s.len + 2);

	if (to == NULL) {
		return s.len + 2 > buf_room(out) ? ERR_LIMIT : ERR_NOMEM;
	}
	to[0] = '"';
	if (s.len > 0) {
		memcpy(to + 1, s.p, s.len);
	}
	to[s.len + 1] = '"';
	buf_commit(out, s.len + 2);
	return ERR_OK;
}

void
jsonw_span(struct jsonw *w, struct span s)
{
	size_t i = plain_run(s.p, s.len), from = 0;

	before_value(w);
	if (w->err != ERR_OK) {
		return;
	}
	if (i == s.len) {
		w->err = put_plain(w->out, s);
		return;
	}
	put(w, "\"", 1);
	while (i < s.len) {
		put(w, s.p + from, i - from);
		i += put_special(w, span_make(s.p + i, s.len - i));
		from = i;
		i += plain_run(s.p + i, s.len - i);
	}
	put(w, s.p + from, i - from);
	put(w, "\"", 1);
}

void
jsonw_str(struct jsonw *w, const char *cstr)
{
	if (cstr == NULL) {
		before_value(w);
		put(w, "null", 4);
		return;
	}
	jsonw_span(w, span_of(cstr));
}

void
jsonw_u64(struct jsonw *w, uint64_t v)
{
	char num[24];
	int n = snprintf(num, sizeof(num), "%llu", (unsigned long long)v);

	before_value(w);
	put(w, num, (size_t)n);
}

void
jsonw_raw(struct jsonw *w, struct span json)
{
	jsonw_number(w, json); /* as it is, too */
}

void
jsonw_number(struct jsonw *w, struct span text)
{
	before_value(w);
	put(w, text.p, text.len);
}

void
jsonw_bool(struct jsonw *w, bool v)
{
	before_value(w);
	put(w, v ? "true" : "false", v ? 4 : 5);
}

void
jsonw_key(struct jsonw *w, const char *key)
{
	jsonw_str(w, key);
	put(w, ":", 1);
	w->comma = false;
}

void
jsonw_key_span(struct jsonw *w, struct span key)
{
	jsonw_span(w, key);
	put(w, ":", 1);
	w->comma = false;
}

void
jsonw_kv_span(struct jsonw *w, const char *key, struct span s)
{
	jsonw_key(w, key);
	jsonw_span(w, s);
}

void
jsonw_kv_str(struct jsonw *w, const char *key, const char *cstr)
{
	jsonw_key(w, key);
	jsonw_str(w, cstr);
}

void
jsonw_kv_u64(struct jsonw *w, const char *key, uint64_t v)
{
	jsonw_key(w, key);
	jsonw_u64(w, v);
}

void
jsonw_kv_bool(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}
