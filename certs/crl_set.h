/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_CRL_SET_H
#define CERTS_CRL_SET_H

/*
 * Revocation lists as the gate asks them: signatures are checked once, when
 * they are read; a serial is then found by bisection.
 */
#include "cert.h"

struct crl_set;

enum crl_answer {
	CRL_REVOKED = 0,
	CRL_STALE, /* it should have been replaced by a newer one */
	CRL_EARLY, /* its time has not come: is the clock right? */
	CRL_NONE,  /* this issuer has no list */
	CRL_GOOD,
};

/*
 * One or more lists in PEM (or one in DER), each by a CA of ca's.  d says
 * what is wrong.  The number is the smallest that any of them has.
 */
enum err crl_set_parse(struct span text, const struct cert *ca,
    struct crl_set **out, struct diag *d) MUST_USE;

/*
 * What a directory asks for: NULL where it never issued a list and has none.
 * Once it has issued one, a crl.pem that is missing, older than that or not
 * by its CAs is an error: what it would have said is not known.
 */
enum err crl_set_load(
    const char *dir, struct crl_set **out, struct diag *d) MUST_USE;

void crl_set_free(struct crl_set *s); /* NULL is fine */

/* issuer: a Name in DER; serial: big-endian bytes. */
enum crl_answer crl_set_look(const struct crl_set *s, struct span issuer,
    struct span serial, time_t now);

/* When the first of them becomes stale. */
time_t crl_set_ends(const struct crl_set *s);
/* When the first of them was made. */
time_t crl_set_begins(const struct crl_set *s);

uint64_t crl_set_number(const struct crl_set *s);
size_t crl_set_count(const struct crl_set *s); /* serials, of all lists */

#endif
