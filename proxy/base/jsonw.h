/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

/*
 * Writes JSON (RFC 8259) into a buffer, compact, on one line.  Failures
 * (the buffer's ceiling, memory) stick: look at jw.err once, at the end.
 * Strings may hold any bytes: controls are escaped, bytes that are not
 * valid UTF-8 become U+FFFD, so the result is always valid JSON.
 */
#include "buf.h"

struct jsonw {
	struct buf *out;
	enum err err;
	bool comma; /* the next value needs a comma in front */
};

void jsonw_init(struct jsonw *w, struct buf *out);

void jsonw_object(struct jsonw *w);
void jsonw_object_end(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_array_end(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_key_span(struct jsonw *w, struct span key);
void jsonw_span(struct jsonw *w, struct span s);
void jsonw_str(struct jsonw *w, const char *cstr); /* NULL writes null */
void jsonw_u64(struct jsonw *w, uint64_t v);
/* A number by its text, which is one (RFC 8259 6). */
void jsonw_number(struct jsonw *w, struct span text);
/* A whole value that is JSON on one line already. */
void jsonw_raw(struct jsonw *w, struct span json);
void jsonw_bool(struct jsonw *w, bool v);

/* jsonw_key() and the value in one call. */
void jsonw_kv_span(struct jsonw *w, const char *key, struct span s);
void jsonw_kv_str(struct jsonw *w, const char *key, const char *cstr);
void jsonw_kv_u64(struct jsonw *w, const char *key, uint64_t v);
void jsonw_kv_bool(struct jsonw *w, const char *key, bool v);

#endif
