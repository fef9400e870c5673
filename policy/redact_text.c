/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs without their secrets; see redact_text.h.
 *
 * Attackers write what two readers of a URL end in two places: where it is
 * not clear what is a password, all of it goes.
 */
#include "redact_text.h"

void
redact_put(struct redact_out *o, const char *p, size_t n)
{
	if (o->rc == ERR_OK) {
		o->rc = buf_append(o->b, p, n);
	}
}

void
redact_hide(struct redact_out *o)
{
	redact_put(o, REDACT_HIDDEN, strlen(REDACT_HIDDEN));
}

/* The end of the run of bytes from at that may belong to a URL. */
static size_t
url_end(struct span s, size_t at)
{
	while (at < s.len && (unsigned char)s.p[at] > 0x20 && s.p[at] != '"' &&
	       s.p[at] != '\'' && s.p[at] != '<' && s.p[at] != '>') {
		at++;
	}
	return at;
}

/*
 * "scheme://user:password@host", "scheme://token@host": what is before the
 * last '@' goes.  So does what follows a '?': "?token=..." opens as much as a
 * password does.  Where the '@' comes later one cannot tell, and all goes.
 */
static void
put_url(struct redact_out *o, struct span s)
{
	const char *at = s.len == 0 ? NULL : memrchr(s.p, '@', s.len);
	const char *ask = s.len == 0 ? NULL : memchr(s.p, '?', s.len);

	if (at != NULL && ask != NULL && ask < at) {
		redact_hide(o);
		return;
	}
	if (at != NULL) {
		redact_hide(o);
		s = span_make(at, (size_t)(s.p + s.len - at));
	}
	if (ask == NULL) {
		redact_put(o, s.p, s.len);
		return;
	}
	redact_put(o, s.p, (size_t)(ask - s.p) + 1);
	redact_hide(o);
}

void
redact_urls(struct redact_out *o, struct span s)
{
	size_t done = 0, at, end;

	for (at = 0; at + 3 <= s.len; at++) {
		if (memcmp(s.p + at, "://", 3) != 0) {
			continue;
		}
		end = url_end(s, at + 3);
		redact_put(o, s.p + done, at + 3 - done);
		put_url(o, span_make(s.p + at + 3, end - at - 3));
		done = end;
		at = end - 1;
	}
	redact_put(o, s.p + done, s.len - done);
}
