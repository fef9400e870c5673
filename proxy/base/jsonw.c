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

static bool
is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

void
jsonw_span(struct jsonw *w, struct span s)
{
	size_t i = 0, from = 0;

	before_value(w);
	put(w, "\"", 1);
	while (i < s.len) {
		if (is_plain(s.p[i])) {
			i++;
			continue;
		}
		put(w, s.p + from, i - from);
		i += put_special(w, span_make(s.p + i, s.len - i));
		from = i;
	}
	if (i > from) {
		put(w, s.p + from, i - from);
	}
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
