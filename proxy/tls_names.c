/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names in a client certificate; see tls_names.h.
 *
 * Policy compares these names with patterns, logs print them, messages quote
 * them.  So a name is UTF-8 without control characters in one of three string
 * types, or the certificate is nobody's; a BMPString that reads "root" when
 * half of its bytes are dropped is not "root".  Two common names would be two
 * answers to "who is it", and are refused.
 *
 * Our CA makes sound names only; attackers who can get a certificate from
 * another CA that is trusted here choose theirs: NUL, newlines, escapes of a
 * terminal, 10,000 units.
 */
#include "tls_names.h"

#include <mbedtls/oid.h>

#include "base/text.h"

/* A name the rest of the program may handle as text. */
static bool
name_is_sound(struct span s)
{
	size_t i;

	if (s.len == 0 || !text_is_utf8(s)) {
		return false;
	}
	for (i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

static enum err
names_add(struct principal_names *names, struct arena *arena, struct span s)
{
	char *copy;

	if (names->n == PRINCIPAL_MAX_NAMES) {
		return ERR_LIMIT;
	}
	copy = arena_dup(arena, s);
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	names->name[names->n++] = span_make(copy, s.len);
	return ERR_OK;
}

/* Attributes of the subject that policy looks at (RFC 5280 4.1.2.6). */
static enum err
take_attribute(const mbedtls_x509_name *a, struct arena *arena,
    struct principal *who, struct diag *d)
{
	struct span value = span_make(a->val.p, a->val.len);
	bool text = a->val.tag == MBEDTLS_ASN1_UTF8_STRING ||
		    a->val.tag == MBEDTLS_ASN1_PRINTABLE_STRING ||
		    a->val.tag == MBEDTLS_ASN1_IA5_STRING;
	bool cn = MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &a->oid) == 0;
	bool o = MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORGANIZATION, &a->oid) == 0;
	bool ou = MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORG_UNIT, &a->oid) == 0;

	if (!cn && !o && !ou) {
		return ERR_OK;
	}
	if (!text || !name_is_sound(value)) {
		diag_set(
		    d, 0, 0, "a name in the certificate is not plain text");
		return ERR_CERT;
	}
	if (!cn) {
		return names_add(o ? &who->o : &who->ou, arena, value);
	}
	if (who->cn.len != 0) {
		diag_set(d, 0, 0, "the certificate has more than one CN");
		return ERR_CERT;
	}
	who->cn = arena_span(arena, value);
	return who->cn.p == NULL ? ERR_NOMEM : ERR_OK;
}

static enum err
take_san(const mbedtls_x509_buf *raw, struct arena *arena,
    struct principal *who, struct diag *d)
{
	struct span value = span_make(raw->p, raw->len);
	struct principal_names *to;

	switch (raw->tag &
		(MBEDTLS_ASN1_TAG_CLASS_MASK | MBEDTLS_ASN1_TAG_VALUE_MASK)) {
	case MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_DNS_NAME:
		to = &who->san_dns;
		break;
	case MBEDTLS_ASN1_CONTEXT_SPECIFIC |
	    MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER:
		to = &who->san_uri;
		break;
	case MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_RFC822_NAME:
		to = &who->san_email;
		break;
	default:
		return ERR_OK;
	}
	if (!text_is_printable(value)) {
		diag_set(
		    d, 0, 0, "a name in the certificate is not plain text");
		return ERR_CERT;
	}
	return names_add(to, arena, value);
}

enum err
tls_take_names(const mbedtls_x509_crt *crt, struct arena *arena,
    struct principal *who, struct diag *d)
{
	const mbedtls_x509_name *a;
	const mbedtls_x509_sequence *san;
	enum err rc = ERR_OK;

	for (a = &crt->subject; a != NULL && rc == ERR_OK; a = a->next) {
		if (a->oid.p != NULL) {
			rc = take_attribute(a, arena, who, d);
		}
	}
	if (!mbedtls_x509_crt_has_ext_type(
		crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
		return rc;
	}
	san = &crt->subject_alt_names;
	for (; san != NULL && rc == ERR_OK; san = san->next) {
		rc = take_san(&san->buf, arena, who, d);
	}
	return rc;
}
