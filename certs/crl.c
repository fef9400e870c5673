/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists; see crl.h.
 *
 * Mbed TLS reads them and cannot write them, so the bytes come from der.h,
 * from the last field to the first like those of certificates (draft.c), and
 * are read back before anyone gets them.
 *
 * An entry stays for a month after its certificate has expired, so that a
 * gate whose clock is behind does not let it in again; then it is left out
 * (RFC 5280 3.3), or lists would only grow.
 *
 * Rejected: delta CRLs and distribution points: the one reader that matters
 * has the file beside it.  OCSP needs a service that signs.
 *
 * Attackers hold a certificate that was revoked, and hope for a list that is
 * old, cut short, or signed by another CA: crl_set.c refuses those.
 */
#include "crl.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crl.h>
#include <stdlib.h>

#include "base/text.h"
#include "draft.h"
#include "mbed.h"
#include "sign.h"

#define DAY ((time_t)24 * 3600)
#define BACKDATE 3600
#define KEEP (30 * DAY)

#define ENTRY_MAX 64	/* bytes: serial 22, date 17, reason 14 */
#define FRAME_MAX 16384 /* bytes: name, extensions, signature */

#define OID_REASON "\x55\x1d\x15" /* 2.5.29.21 */
#define OID_NUMBER "\x55\x1d\x14" /* 2.5.29.20 */

static void
write_extension(struct der *w, const uint8_t *mark, const char *oid, size_t len)
{
	der_wrap(w, mark, DER_OCTETS);
	der_value(w, DER_OID, oid, len);
	der_wrap(w, mark, DER_SEQUENCE);
}

/* RFC 5280 5.3.1: "unspecified" is said by leaving it out. */
static void
write_reason(struct der *w, enum ledger_reason reason)
{
	const uint8_t *mark = w->p;
	uint8_t value = (uint8_t)reason;

	if (reason == REASON_UNSPECIFIED) {
		return;
	}
	der_value(w, DER_ENUM, &value, 1);
	write_extension(w, mark, OID_REASON, sizeof(OID_REASON) - 1);
	der_wrap(w, mark, DER_SEQUENCE);
}

static void
write_serial(struct der *w, struct span hex)
{
	uint8_t raw[32];
	size_t i, n = hex.len / 2;

	if (n == 0 || n > sizeof(raw)) {
		w->failed = true;
		return;
	}
	for (i = 0; i < n; i++) {
		raw[i] = (uint8_t)(text_hex_digit(hex.p[2 * i]) * 16 +
				   text_hex_digit(hex.p[2 * i + 1]));
	}
	der_unsigned(w, raw, n);
}

static bool
belongs(const struct ledger_entry *e, const char *issuer, time_t now)
{
	return e->state != LEDGER_VALID && span_is(e->issuer, issuer) &&
	       e->to > now - KEEP;
}

/* revokedCertificates, which is left out where there are none (5.1.2.6). */
static void
write_entries(struct der *w, const struct crl_request *req, const char *issuer)
{
	const struct ledger *l = req->ledger;
	const uint8_t *all = w->p, *mark;
	size_t i;

	for (i = l->n; i-- > 0;) {
		const struct ledger_entry *e = &l->entry[i];

		if (!belongs(e, issuer, req->now)) {
			continue;
		}
		mark = w->p;
		write_reason(w, e->reason);
		der_time(w, e->when);
		write_serial(w, e->serial);
		der_wrap(w, mark, DER_SEQUENCE);
	}
	if (w->p != all) {
		der_wrap(w, all, DER_SEQUENCE);
	}
}

/* authorityKeyIdentifier and cRLNumber (5.2.1, 5.2.3). */
static void
write_extensions(struct der *w, uint64_t number, struct span key_id)
{
	const uint8_t *all = w->p, *mark = w->p;
	uint8_t be[8];
	size_t i;

	for (i = 0; i < sizeof(be); i++) {
		be[i] = (uint8_t)(number >> (56 - 8 * i));
	}
	der_unsigned(w, be, sizeof(be));
	write_extension(w, mark, OID_NUMBER, sizeof(OID_NUMBER) - 1);
	mark = w->p;
	der_value(w, DER_CONTEXT | 0, key_id.p, key_id.len);
	der_wrap(w, mark, DER_SEQUENCE);
	write_extension(w, mark, MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER,
	    sizeof(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER) - 1);
	der_wrap(w, all, DER_SEQUENCE);
	der_wrap(w, all, DER_CONTEXT | DER_CONSTRUCTED | 0);
}

/* TBSCertList */
static void
write_body(struct der *w, const struct crl_request *req, const struct cert *ca,
    const char *issuer, struct span key_id)
{
	const uint8_t *all = w->p;
	struct span name = cert_subject(ca);

	write_extensions(w, req->number, key_id);
	write_entries(w, req, issuer);
	der_time(w, req->now + (time_t)req->days * DAY);
	der_time(w, req->now - BACKDATE);
	der_raw(w, name.p, name.len);
	sign_algorithm(w, req->by.key);
	der_value(w, DER_INTEGER, "\x01", 1); /* v2 */
	der_wrap(w, all, DER_SEQUENCE);
}

static enum err
append_pem(struct buf *out, struct span der)
{
	size_t room = der.len * 2 + 128, n;
	uint8_t *to = buf_reserve(out, room);

	if (to == NULL) {
		return ERR_LIMIT;
	}
	if (mbedtls_pem_write_buffer("-----BEGIN X509 CRL-----\n",
		"-----END X509 CRL-----\n", (const uint8_t *)der.p, der.len, to,
		room, &n) != 0) {
		return ERR_CERT;
	}
	buf_commit(out, n - 1); /* without the NUL */
	return ERR_OK;
}

/* What was written has to be readable. */
static enum err
read_back(struct span der)
{
	mbedtls_x509_crl crl;
	int ret;

	mbedtls_x509_crl_init(&crl);
	ret = mbedtls_x509_crl_parse_der(&crl, (const uint8_t *)der.p, der.len);
	mbedtls_x509_crl_free(&crl);
	return ret == 0 ? ERR_OK : ERR_CERT;
}

/* Signs it; both buffers have `size` bytes. */
static enum err
sign(struct rng *r, const struct crl_request *req, uint8_t *body_buf,
    uint8_t *buf, size_t size, struct buf *out)
{
	const struct cert *ca = cert_find_key(req->by.ca, req->by.key, r);
	uint8_t id[DRAFT_KEY_ID_LEN];
	char issuer[ISSUE_ID_SIZE];
	struct span key_id, body, all;
	struct der w;
	enum err rc;

	if (ca == NULL) {
		return ERR_CERT_MISMATCH;
	}
	rc = draft_key_id(req->by.key, id);
	if (rc != ERR_OK) {
		return rc;
	}
	text_hex(id, sizeof(id), issuer);
	key_id = cert_key_id(ca);
	if (key_id.len == 0) {
		key_id = span_make(id, sizeof(id));
	}
	der_init(&w, body_buf, size);
	write_body(&w, req, ca, issuer, key_id);
	body = der_done(&w);
	der_init(&w, buf, size);
	rc = body.len == 0 ? ERR_LIMIT : sign_wrap(r, &w, req->by.key, body);
	if (rc != ERR_OK) {
		return rc;
	}
	all = der_done(&w);
	rc = all.len == 0 ? ERR_LIMIT : read_back(all);
	return rc == ERR_OK ? append_pem(out, all) : rc;
}

enum err
crl_issue(struct rng *r, const struct crl_request *req, struct buf *out,
    struct diag *d)
{
	size_t size = req->ledger->n * ENTRY_MAX + FRAME_MAX;
	uint8_t *body, *buf;
	enum err rc;

	if (req->days < 1 || req->days > CRL_DAYS_MAX) {
		diag_set(d, 0, 0, "days must be 1 to %d, got %u", CRL_DAYS_MAX,
		    req->days);
		return ERR_NUMBER;
	}
	body = malloc(size);
	buf = malloc(size);
	rc = body == NULL || buf == NULL ? ERR_NOMEM
					 : sign(r, req, body, buf, size, out);
	free(body);
	free(buf);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "no CRL could be made: %s", err_text(rc));
	}
	return rc;
}
