/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists as the gate asks them; see crl_set.h.
 *
 * Mbed TLS would do the same at each handshake: hash the whole list, verify
 * its signature and walk it (x509_crt_verifycrl).  bench/crl.c measures what
 * that costs: more than the handshake itself with a few thousand entries.  So
 * the checks that do not depend on the client are made once, here, and the
 * serials are sorted.  What is checked is the same, and where it differs it
 * is stricter:
 *
 *	Mbed TLS, each time		here
 *	issuer's name is the CA's	once; a list of no CA is an error
 *	CA may sign lists		once; an error
 *	digest and key are good		once; an error
 *	signature			once; an error
 *	nextUpdate, thisUpdate		each time (crl_set_look)
 *	serial is listed		each time, by bisection; leading
 *					zeros do not count
 *
 * A critical extension (a delta, an indirect list) makes Mbed TLS's parser
 * refuse the file, and with it this.
 *
 * Attackers: see crl.c.  The file is the operator's.
 */
#include "crl_set.h"

/* The signature's fields of a list have no other way to them. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <errno.h>
#include <mbedtls/asn1.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crl.h>
#include <stdio.h>
#include <stdlib.h>

#include "crl.h"
#include "ledger.h"
#include "mbed.h"

#define CRL_FILE_MAX ((size_t)64 * 1024 * 1024)
#define SERIAL_MAX 32 /* bytes; RFC 5280 4.1.2.2 allows 20 */

struct serial {
	uint8_t len;
	uint8_t byte[SERIAL_MAX];
};

struct list {
	struct list *next;
	struct span issuer; /* a Name in DER, behind the struct */
	time_t from, to;
	uint64_t number;
	size_t n;
	struct serial *serial; /* sorted */
};

struct crl_set {
	struct list *head;
};

static void
list_free(struct list *l)
{
	if (l != NULL) {
		free(l->serial);
		free(l);
	}
}

void
crl_set_free(struct crl_set *s)
{
	struct list *l;

	if (s == NULL) {
		return;
	}
	while ((l = s->head) != NULL) {
		s->head = l->next;
		list_free(l);
	}
	free(s);
}

static bool
serial_set(struct serial *to, const uint8_t *p, size_t len)
{
	while (len > 1 && *p == 0) {
		p++;
		len--;
	}
	if (len > sizeof(to->byte)) {
		return false;
	}
	memset(to, 0, sizeof(*to));
	to->len = (uint8_t)len;
	memcpy(to->byte, p, len);
	return true;
}

static int
serial_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct serial)); /* padded with zeros */
}

static time_t
to_time(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return timegm(&tm);
}

/* ---- one list -------------------------------------------------------------
 */

/* cRLNumber (RFC 5280 5.2.3); 0 where there is none that fits. */
static uint64_t
read_number(const mbedtls_x509_crl *crl)
{
	unsigned char *p = crl->crl_ext.p, *end = p + crl->crl_ext.len, *stop;
	uint64_t v = 0;
	size_t len;

	if (p == NULL ||
	    mbedtls_asn1_get_tag(&p, end, &len,
		MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0) {
		return 0;
	}
	for (end = p + len; p < end; p = stop) {
		if (mbedtls_asn1_get_tag(&p, end, &len,
			MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) !=
		    0) {
			return 0;
		}
		stop = p + len;
		if (mbedtls_asn1_get_tag(&p, stop, &len, MBEDTLS_ASN1_OID) !=
		    0) {
			return 0;
		}
		if (len != 3 || memcmp(p, "\x55\x1d\x14", 3) != 0) {
			continue;
		}
		p += len;
		if (mbedtls_asn1_get_tag(
			&p, stop, &len, MBEDTLS_ASN1_OCTET_STRING) != 0 ||
		    mbedtls_asn1_get_tag(
			&p, stop, &len, MBEDTLS_ASN1_INTEGER) != 0 ||
		    len > 8) {
			return 0;
		}
		for (; len > 0; len--) {
			v = v << 8 | *p++;
		}
		return v;
	}
	return 0;
}

static bool
digest_is_good(mbedtls_md_type_t md)
{
	return md == MBEDTLS_MD_SHA256 || md == MBEDTLS_MD_SHA384 ||
	       md == MBEDTLS_MD_SHA512;
}

/* Has this CA signed it? */
static bool
is_signed_by(const mbedtls_x509_crl *crl, const mbedtls_x509_crt *ca)
{
	const mbedtls_md_info_t *md = mbedtls_md_info_from_type(crl->sig_md);
	uint8_t hash[MBEDTLS_MD_MAX_SIZE];
	/* Mbed TLS lacks a const here; verifying changes no key. */
	union {
		const mbedtls_pk_context *in;
		mbedtls_pk_context *out;
	} pk = { &ca->pk };

	return md != NULL && digest_is_good(crl->sig_md) &&
	       mbedtls_md(md, crl->tbs.p, crl->tbs.len, hash) == 0 &&
	       mbedtls_pk_verify_ext(crl->sig_pk, crl->sig_opts, pk.out,
		   crl->sig_md, hash, mbedtls_md_get_size(md), crl->sig.p,
		   crl->sig.len) == 0;
}

/* By one of the CAs, which may sign lists.  (RFC 5280 6.3.3 (f), (g)) */
static enum err
check_signer(const mbedtls_x509_crl *crl, const struct cert *ca, struct diag *d)
{
	const mbedtls_x509_crt *c;
	bool named = false;

	for (c = &ca->crt; c != NULL; c = c->next) {
		if (!span_eq(span_make(crl->issuer_raw.p, crl->issuer_raw.len),
			span_make(c->subject_raw.p, c->subject_raw.len))) {
			continue;
		}
		named = true;
		if (mbedtls_x509_crt_check_key_usage(
			c, MBEDTLS_X509_KU_CRL_SIGN) == 0 &&
		    is_signed_by(crl, c)) {
			return ERR_OK;
		}
	}
	diag_set(d, 0, 0,
	    named ? CRL_NAME " holds a list whose signature is not good, or "
			     "whose CA may not sign lists"
		  : CRL_NAME " holds a list of a CA that is not in ca.crt");
	return ERR_CERT;
}

static enum err
take_serials(struct list *l, const mbedtls_x509_crl *crl)
{
	const mbedtls_x509_crl_entry *e;
	size_t n = 0;

	for (e = &crl->entry; e != NULL && e->raw.len > 0; e = e->next) {
		n++;
	}
	l->serial = calloc(n + 1, sizeof(*l->serial));
	if (l->serial == NULL) {
		return ERR_NOMEM;
	}
	for (e = &crl->entry; e != NULL && e->raw.len > 0; e = e->next) {
		if (!serial_set(
			&l->serial[l->n++], e->serial.p, e->serial.len)) {
			return ERR_LIMIT;
		}
	}
	qsort(l->serial, l->n, sizeof(*l->serial), serial_cmp);
	return ERR_OK;
}

static enum err
take_list(struct crl_set *s, const mbedtls_x509_crl *crl, const struct cert *ca,
    struct diag *d)
{
	struct list *l;
	char *name;
	enum err rc = check_signer(crl, ca, d);

	if (rc != ERR_OK) {
		return rc;
	}
	l = calloc(1, sizeof(*l) + crl->issuer_raw.len);
	if (l == NULL) {
		return ERR_NOMEM;
	}
	name = (char *)(l + 1);
	memcpy(name, crl->issuer_raw.p, crl->issuer_raw.len);
	l->issuer = span_make(name, crl->issuer_raw.len);
	l->from = to_time(&crl->this_update);
	l->to = to_time(&crl->next_update);
	l->number = read_number(crl);
	if (crl->next_update.year == 0) {
		diag_set(d, 0, 0,
		    CRL_NAME " does not say until when it is good "
			     "(nextUpdate)");
		rc = ERR_CERT; /* RFC 5280 5.1.2.5 wants it */
	} else {
		rc = take_serials(l, crl);
	}
	if (rc != ERR_OK) {
		list_free(l);
		return rc;
	}
	l->next = s->head;
	s->head = l;
	return ERR_OK;
}

enum err
crl_set_parse(struct span text, const struct cert *ca, struct crl_set **out,
    struct diag *d)
{
	struct crl_set *s = calloc(1, sizeof(*s));
	const mbedtls_x509_crl *c;
	mbedtls_x509_crl crl;
	enum err rc = ERR_OK;
	int ret;

	if (s == NULL) {
		return ERR_NOMEM;
	}
	mbedtls_x509_crl_init(&crl);
	ret = mbedtls_x509_crl_parse(
	    &crl, (const unsigned char *)text.p, text.len);
	if (ret != 0 || crl.version == 0) {
		diag_set(d, 0, 0,
		    CRL_NAME " is not a list that can be read (code -0x%04x)",
		    (unsigned)-ret);
		rc = ERR_CERT;
	}
	for (c = &crl; c != NULL && rc == ERR_OK; c = c->next) {
		rc = take_list(s, c, ca, d);
	}
	mbedtls_x509_crl_free(&crl);
	if (rc != ERR_OK) {
		crl_set_free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

/* ---- of a directory --------------------------------------------------------
 */

static enum err
path_of(const char *dir, const char *name, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= size ? ERR_LIMIT : ERR_OK;
}

/* What the ledger says the file has to be. */
static enum err
look_up_need(
    const char *dir, uint64_t *number, unsigned *n_lists, struct diag *d)
{
	struct ledger l;
	enum err rc;

	ledger_init(&l);
	rc = ledger_load(&l, dir, d);
	*number = l.crl_number;
	*n_lists = l.n_crls;
	ledger_fini(&l);
	return rc;
}

static enum err
read_file(const char *dir, uint64_t need, struct secret *file, struct diag *d)
{
	char path[1024];
	enum err rc = path_of(dir, CRL_NAME, path, sizeof(path));

	if (rc != ERR_OK) {
		return rc;
	}
	errno = 0;
	rc = secret_read_file(file, path, CRL_FILE_MAX);
	if (rc == ERR_NOTFOUND && need > 0) {
		diag_set(d, 0, 0,
		    CRL_NAME " is missing, and who was revoked is not known "
			     "without it: put it back, or make it anew with "
			     "dinv cert crl -renew");
		return ERR_CERT;
	}
	if (rc != ERR_OK && rc != ERR_NOTFOUND) {
		diag_set(d, 0, 0, CRL_NAME ": %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
	}
	return rc;
}

static enum err
check_need(
    const struct crl_set *s, uint64_t number, unsigned n_lists, struct diag *d)
{
	const struct list *l;
	unsigned n = 0;

	for (l = s->head; l != NULL; l = l->next) {
		n += l->number >= number;
	}
	if (n >= n_lists) {
		return ERR_OK;
	}
	diag_set(d, 0, 0,
	    CRL_NAME " is older than what was revoked (number %llu is "
		     "needed): put back the newest, or make it anew with dinv "
		     "cert crl -renew",
	    (unsigned long long)number);
	return ERR_CERT;
}

static enum err
parse_file(const char *dir, const struct secret *file, struct crl_set **out,
    struct diag *d)
{
	struct cert *ca = NULL;
	char path[1024];
	size_t len = file->len;
	enum err rc = path_of(dir, "ca.crt", path, sizeof(path));

	if (rc == ERR_OK) {
		rc = cert_load(path, "ca.crt", &ca, d);
	}
	if (rc == ERR_OK) {
		/* Mbed TLS wants the NUL of PEM text counted. */
		len += len == 0 || file->data[0] != 0x30;
		rc = crl_set_parse(span_make(file->data, len), ca, out, d);
	}
	cert_free(ca);
	return rc;
}

enum err
crl_set_load(const char *dir, struct crl_set **out, struct diag *d)
{
	struct secret file = { NULL, 0 };
	struct crl_set *s = NULL;
	unsigned n_lists;
	uint64_t number;
	enum err rc;

	rc = look_up_need(dir, &number, &n_lists, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = read_file(dir, number, &file, d);
	if (rc == ERR_NOTFOUND) {
		*out = NULL;
		return ERR_OK;
	}
	if (rc == ERR_OK) {
		rc = parse_file(dir, &file, &s, d);
	}
	if (rc == ERR_OK) {
		rc = check_need(s, number, n_lists, d);
	}
	secret_fini(&file);
	if (rc != ERR_OK) {
		crl_set_free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

/* ---- asking ----------------------------------------------------------------
 */

static bool
is_listed(const struct list *l, const struct serial *want)
{
	return bsearch(want, l->serial, l->n, sizeof(*want), serial_cmp) !=
	       NULL;
}

/* All lists of the issuer are asked, and the worst answer counts. */
enum crl_answer
crl_set_look(
    const struct crl_set *s, struct span issuer, struct span serial, time_t now)
{
	enum crl_answer answer = CRL_NONE, one;
	const struct list *l;
	struct serial want;

	if (serial.len == 0 ||
	    !serial_set(&want, (const uint8_t *)serial.p, serial.len)) {
		return CRL_REVOKED; /* no such serial is ours */
	}
	for (l = s->head; l != NULL; l = l->next) {
		if (!span_eq(l->issuer, issuer)) {
			continue;
		}
		one = is_listed(l, &want) ? CRL_REVOKED
		      : now > l->to	  ? CRL_STALE
		      : now < l->from	  ? CRL_EARLY
					  : CRL_GOOD;
		if (answer == CRL_NONE || one < answer) {
			answer = one;
		}
	}
	return answer;
}

time_t
crl_set_ends(const struct crl_set *s)
{
	const struct list *l;
	time_t first = 0;

	for (l = s->head; l != NULL; l = l->next) {
		if (first == 0 || l->to < first) {
			first = l->to;
		}
	}
	return first;
}

time_t
crl_set_begins(const struct crl_set *s)
{
	const struct list *l;
	time_t first = 0;

	for (l = s->head; l != NULL; l = l->next) {
		if (first == 0 || l->from < first) {
			first = l->from;
		}
	}
	return first;
}

uint64_t
crl_set_number(const struct crl_set *s)
{
	const struct list *l;
	uint64_t least = UINT64_MAX;

	for (l = s->head; l != NULL; l = l->next) {
		least = l->number < least ? l->number : least;
	}
	return least;
}

size_t
crl_set_count(const struct crl_set *s)
{
	const struct list *l;
	size_t n = 0;

	for (l = s->head; l != NULL; l = l->next) {
		n += l->n;
	}
	return n;
}
