/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer of DER; see der.h.
 *
 * Certificates are written here and not by mbedtls_x509write_crt_*() for
 * three reasons.  The issuer of a certificate must be the subject of its CA
 * byte for byte: Go, and so the docker client, compares the raw bytes, and
 * Mbed TLS would encode the name of a supplied CA anew.  A subject must hold
 * several units: Mbed TLS keeps one value of a kind.  And names must go in
 * as they are, without a language of escapes in between.
 *
 * Nothing here reads: what was written is parsed back by Mbed TLS before
 * anyone gets it (issue.c), so a slip in here is a failure, not a bad
 * certificate.
 *
 * Attackers: whoever asks for a certificate chooses the names.  They try
 * lengths around 127, 255 and the end of the buffer.
 */
#include "der.h"

#include <stdio.h>

void
der_init(struct der *w, uint8_t *buf, size_t size)
{
	w->start = buf;
	w->end = buf + size;
	w->p = w->end;
	w->failed = false;
}

struct span
der_done(const struct der *w)
{
	if (w->failed) {
		return (struct span){ NULL, 0 };
	}
	return span_make(w->p, (size_t)(w->end - w->p));
}

void
der_raw(struct der *w, const void *bytes, size_t n)
{
	if (w->failed || n > (size_t)(w->p - w->start)) {
		w->failed = true;
		return;
	}
	w->p -= n;
	if (n > 0) {
		memcpy(w->p, bytes, n);
	}
}

static void
der_byte(struct der *w, unsigned b)
{
	uint8_t one = (uint8_t)b;

	der_raw(w, &one, 1);
}

void
der_wrap(struct der *w, const uint8_t *mark, unsigned tag)
{
	size_t n = (size_t)(mark - w->p), rest = n;
	unsigned digits = 0;

	/* X.690 10.1: definite form, shortest. */
	if (n < 0x80) {
		der_byte(w, (unsigned)n);
	} else {
		for (; rest > 0; rest >>= 8) {
			der_byte(w, rest & 0xff);
			digits++;
		}
		der_byte(w, 0x80 | digits);
	}
	der_byte(w, tag);
}

void
der_value(struct der *w, unsigned tag, const void *bytes, size_t n)
{
	const uint8_t *mark = w->p;

	der_raw(w, bytes, n);
	der_wrap(w, mark, tag);
}

void
der_unsigned(struct der *w, const uint8_t *bytes, size_t n)
{
	const uint8_t *mark = w->p;

	while (n > 1 && bytes[0] == 0) {
		bytes++;
		n--;
	}
	der_raw(w, bytes, n);
	if (n == 0 || (bytes[0] & 0x80) != 0) {
		der_byte(w, 0); /* else it would be negative */
	}
	der_wrap(w, mark, DER_INTEGER);
}

void
der_bits(struct der *w, const void *bytes, size_t n)
{
	const uint8_t *mark = w->p;

	der_raw(w, bytes, n);
	der_byte(w, 0); /* no unused bits in the last byte */
	der_wrap(w, mark, DER_BITS);
}

void
der_time(struct der *w, time_t t)
{
	struct tm tm;
	char text[32];
	int year, n;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 50 ||
	    tm.tm_year > 9999 - 1900) {
		w->failed = true;
		return;
	}
	year = tm.tm_year + 1900;
	n = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", year,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (year < 2050) {
		der_value(w, DER_UTCTIME, text + 2, (size_t)n - 2);
		return;
	}
	der_value(w, DER_GENTIME, text, (size_t)n);
}
