/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_DER_H
#define CERTS_DER_H

/*
 * Writes DER (X.690) from the back of a buffer to its front, so that every
 * length is known when it is written: contents first, then der_wrap().
 * Running out of room sticks; look at der_done() once, at the end.
 *
 *	mark = w.p;
 *	der_raw(&w, value, n);
 *	der_wrap(&w, mark, DER_OCTETS);
 */
#include <time.h>

#include "base/span.h"

/* X.690 8.1.2: universal tags as they are needed in certificates. */
enum der_tag {
	DER_BOOL = 0x01,
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUM = 0x0a,
	DER_UTF8 = 0x0c,
	DER_UTCTIME = 0x17,
	DER_GENTIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,	/* | number: primitive */
	DER_CONSTRUCTED = 0x20, /* | DER_CONTEXT | number */
};

struct der {
	uint8_t *start;
	uint8_t *p; /* first byte written so far */
	uint8_t *end;
	bool failed;
};

void der_init(struct der *w, uint8_t *buf, size_t size);

/* What was written; the empty span after a failure. */
struct span der_done(const struct der *w);

void der_raw(struct der *w, const void *bytes, size_t n);

/* Length and tag in front of everything between w->p and mark. */
void der_wrap(struct der *w, const uint8_t *mark, unsigned tag);

/* Tag, length and contents at once. */
void der_value(struct der *w, unsigned tag, const void *bytes, size_t n);

/* An INTEGER of n big-endian bytes, unsigned, shortest form (8.3). */
void der_unsigned(struct der *w, const uint8_t *bytes, size_t n);

/* A BIT STRING of whole bytes. */
void der_bits(struct der *w, const void *bytes, size_t n);

/*
 * Time as RFC 5280 4.1.2.5 has it: UTCTime through 2049, GeneralizedTime
 * from 2050.  A year before 1950 or after 9999 is a failure.
 */
void der_time(struct der *w, time_t t);

#endif
