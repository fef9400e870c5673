/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W3C Trace Context, as far as a record needs it; see traceparent.h.
 *
 * It is for the record alone: what dockerd gets is the client's own header,
 * which it reads (or does not) by itself.  So nothing is made up here, no
 * trace is begun, and nothing is decided by it.
 *
 * Rejected: versions after 00, whose ends nobody knows yet (Trace Context 2.2
 * would have us take their first 55 bytes).
 *
 * Attackers write here what they want to stand in a log: only hex digits and
 * dashes of one exact shape ever leave.
 */
#include "traceparent.h"

#define TRACEPARENT_BYTES 55

/* From byte at, n digits; *zero: all of them are 0. */
static bool
is_hex(struct span s, size_t at, size_t n, bool *zero)
{
	size_t i;

	*zero = true;
	for (i = at; i < at + n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (!digit && !(s.p[i] >= 'a' && s.p[i] <= 'f')) {
			return false;
		}
		*zero = *zero && s.p[i] == '0';
	}
	return true;
}

/* Trace Context 2.2.3: 00-<trace-id>-<parent-id>-<trace-flags> */
static bool
is_sound(struct span s)
{
	bool no_trace, no_parent, no_flags;

	return s.len == TRACEPARENT_BYTES && memcmp(s.p, "00-", 3) == 0 &&
	       is_hex(s, 3, 32, &no_trace) && !no_trace && s.p[35] == '-' &&
	       is_hex(s, 36, 16, &no_parent) && !no_parent && s.p[52] == '-' &&
	       is_hex(s, 53, 2, &no_flags);
}

struct span
traceparent_of(const struct http_head *h)
{
	struct span found = span_of("");
	size_t i, n = 0;

	for (i = 0; i < h->n_headers; i++) {
		if (span_is_nocase(h->headers[i].name, "traceparent")) {
			found = h->headers[i].value;
			n++;
		}
	}
	return n == 1 && is_sound(found) ? found : span_of("");
}
