/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a certificate (RFC 5280 4.1) and its signature; see draft.h.
 *
 * Written from the last field to the first, because der.h writes backwards.
 * What differs between CA, server and client is in one table.  The finished
 * bytes are read back by Mbed TLS's parser, and that reading is what leaves
 * this file.
 *
 * Extensions are those that a strict reader wants (openssl verify
 * -x509_strict) and no others: each one more is one more that some client
 * may stumble over.  SHA-1 serves as the name of a key, where a collision
 * gains nothing; signatures are SHA-256.
 *
 * Attackers cannot reach this but through names, which names.c has checked;
 * a serial that can be foreseen would help a chosen-prefix attack on the
 * hash, so all of it is random.
 */
#include "draft.h"

#include <mbedtls/md.h>
#include <mbedtls/oid.h>

#include "mbed.h"
#include "sign.h"

#define DRAFT_MAX 8192	   /* bytes; fits the 16 KiB of a TLS record */
#define DRAFT_KEY_MAX 2304 /* bytes of a public key; RSA 16384 has 2,080 */

#define OID(x)                                                                 \
	{                                                                      \
		x, sizeof(x) - 1                                               \
	}

/* RFC 5280 4.2.1.9: CA, pathLenConstraint 0; or an empty sequence. */
#define BASIC_CA "\x30\x06\x01\x01\xff\x02\x01\x00"
#define BASIC_END "\x30\x00"
/* RFC 5280 4.2.1.3: keyCertSign and cRLSign; digitalSignature. */
#define USAGE_CA "\x03\x02\x01\x06"
#define USAGE_END "\x03\x02\x07\x80"

/* basicConstraints, keyUsage (both in DER), extended key usage's purpose */
static const struct {
	struct span basic;
	struct span usage;
	struct span purpose;
} kinds[] = {
	[DRAFT_CLIENT] = { OID(BASIC_END), OID(USAGE_END),
	    OID(MBEDTLS_OID_CLIENT_AUTH) },
	[DRAFT_SERVER] = { OID(BASIC_END), OID(USAGE_END),
	    OID(MBEDTLS_OID_SERVER_AUTH) },
	[DRAFT_CA] = { OID(BASIC_CA), OID(USAGE_CA), { NULL, 0 } },
};

static const struct span oid_basic = OID(MBEDTLS_OID_BASIC_CONSTRAINTS);
static const struct span oid_usage = OID(MBEDTLS_OID_KEY_USAGE);
static const struct span oid_purpose = OID(MBEDTLS_OID_EXTENDED_KEY_USAGE);
static const struct span oid_names = OID(MBEDTLS_OID_SUBJECT_ALT_NAME);
static const struct span oid_own_id = OID(MBEDTLS_OID_SUBJECT_KEY_IDENTIFIER);
static const struct span oid_its_id = OID(MBEDTLS_OID_AUTHORITY_KEY_IDENTIFIER);

/* Wraps the value between w->p and mark as one Extension. */
static void
wrap_extension(
    struct der *w, const uint8_t *mark, struct span oid, bool critical)
{
	der_wrap(w, mark, DER_OCTETS);
	if (critical) {
		der_value(w, DER_BOOL, "\xff", 1);
	}
	der_value(w, DER_OID, oid.p, oid.len);
	der_wrap(w, mark, DER_SEQUENCE);
}

/* RFC 5280 4.2.1.6 */
static void
write_alt_names(struct der *w, const struct draft *dr)
{
	const uint8_t *mark = w->p;
	size_t i;

	if (dr->n_hosts == 0) {
		return;
	}
	for (i = dr->n_hosts; i-- > 0;) {
		const struct host *h = &dr->hosts[i];

		if (h->kind == HOST_IP) {
			der_value(w, DER_CONTEXT | MBEDTLS_X509_SAN_IP_ADDRESS,
			    h->addr, h->addr_len);
		} else {
			der_value(w, DER_CONTEXT | MBEDTLS_X509_SAN_DNS_NAME,
			    h->text, strlen(h->text));
		}
	}
	der_wrap(w, mark, DER_SEQUENCE);
	wrap_extension(w, mark, oid_names, false);
}

/* RFC 5280 4.2.1.1 and 4.2.1.2 */
static void
write_key_ids(struct der *w, const struct draft *dr, const uint8_t *own)
{
	const uint8_t *mark = w->p;

	der_value(
	    w, DER_CONTEXT | 0, dr->issuer_key_id.p, dr->issuer_key_id.len);
	der_wrap(w, mark, DER_SEQUENCE);
	wrap_extension(w, mark, oid_its_id, false);

	mark = w->p;
	der_value(w, DER_OCTETS, own, DRAFT_KEY_ID_LEN);
	wrap_extension(w, mark, oid_own_id, false);
}

static void
write_extensions(struct der *w, const struct draft *dr, const uint8_t *own)
{
	const uint8_t *all = w->p, *mark;
	struct span purpose = kinds[dr->kind].purpose;

	write_key_ids(w, dr, own);
	write_alt_names(w, dr);
	if (purpose.len > 0) {
		mark = w->p;
		der_value(w, DER_OID, purpose.p, purpose.len);
		der_wrap(w, mark, DER_SEQUENCE);
		wrap_extension(w, mark, oid_purpose, false);
	}
	mark = w->p;
	der_raw(w, kinds[dr->kind].usage.p, kinds[dr->kind].usage.len);
	wrap_extension(w, mark, oid_usage, true);
	mark = w->p;
	der_raw(w, kinds[dr->kind].basic.p, kinds[dr->kind].basic.len);
	wrap_extension(w, mark, oid_basic, true);

	der_wrap(w, all, DER_SEQUENCE);
	der_wrap(w, all, DER_CONTEXT | DER_CONSTRUCTED | 3);
}

/* SubjectPublicKeyInfo */
static void
write_public_key(struct der *w, const struct key *k)
{
	uint8_t tmp[DRAFT_KEY_MAX];
	int n = mbedtls_pk_write_pubkey_der(&k->pk, tmp, sizeof(tmp));

	if (n <= 0) {
		w->failed = true;
		return;
	}
	der_raw(w, tmp + sizeof(tmp) - n, (size_t)n); /* it wrote backwards */
}

/* TBSCertificate */
static void
write_body(struct der *w, const struct draft *dr, const uint8_t *serial,
    const uint8_t *own_id)
{
	const uint8_t *all = w->p, *mark;

	write_extensions(w, dr, own_id);
	write_public_key(w, dr->key);
	der_raw(w, dr->subject.p, dr->subject.len);

	mark = w->p;
	der_time(w, dr->to);
	der_time(w, dr->from);
	der_wrap(w, mark, DER_SEQUENCE);

	der_raw(w, dr->issuer.p, dr->issuer.len);
	sign_algorithm(w, dr->signer);
	der_unsigned(w, serial, DRAFT_SERIAL_LEN);

	mark = w->p;
	der_value(w, DER_INTEGER, "\x02", 1); /* v3 */
	der_wrap(w, mark, DER_CONTEXT | DER_CONSTRUCTED | 0);
	der_wrap(w, all, DER_SEQUENCE);
}

enum err
draft_key_id(const struct key *k, uint8_t id[DRAFT_KEY_ID_LEN])
{
	uint8_t tmp[DRAFT_KEY_MAX], *p = tmp + sizeof(tmp);
	int n = mbedtls_pk_write_pubkey(&p, tmp, &k->pk);

	if (n <= 0 || mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), p,
			  (size_t)n, id) != 0) {
		return ERR_KEY;
	}
	return ERR_OK;
}

enum err
draft_sign(
    struct rng *r, const struct draft *dr, struct cert **out, struct diag *d)
{
	uint8_t body_buf[DRAFT_MAX], buf[DRAFT_MAX + 1024];
	uint8_t serial[DRAFT_SERIAL_LEN], own_id[DRAFT_KEY_ID_LEN];
	struct span body, all;
	struct der w;
	enum err rc;

	rc = draft_key_id(dr->key, own_id);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = rng_bytes(r, serial, sizeof(serial));
	if (rc != ERR_OK) {
		return rc;
	}
	der_init(&w, body_buf, sizeof(body_buf));
	write_body(&w, dr, serial, own_id);
	body = der_done(&w);
	if (body.len == 0) {
		diag_set(d, 0, 0, "the certificate would be too large");
		return ERR_LIMIT;
	}
	der_init(&w, buf, sizeof(buf));
	rc = sign_wrap(r, &w, dr->signer, body);
	if (rc != ERR_OK) {
		return rc;
	}
	all = der_done(&w);
	if (all.len == 0) {
		return ERR_LIMIT;
	}
	return cert_parse(all.p, all.len, "the new certificate", out, d);
}
