/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a client is refused: as an alert for it, as a sentence for the
 * operator, as a short name for counting; see tls_refuse.h.
 *
 * One table, so that the three never differ.  A fault that is not in it is
 * "bad certificate": never a reason to let somebody in.
 *
 * Attackers choose which fault they show, nothing of what is said of it.
 */
#include "tls_refuse.h"

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

/* flags: what Mbed TLS says of a certificate; alert: RFC 8446 6.2 */
static const struct {
	uint32_t flags;
	unsigned char alert;
	enum tls_failure failure;
} verify_alerts[] = {
	{ MBEDTLS_X509_BADCERT_REVOKED, MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED,
	    TLS_FAILED_REVOKED },
	{ MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE,
	    MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, TLS_FAILED_EXPIRED },
	{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA,
	    TLS_FAILED_UNKNOWN_CA },
	{ MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE,
	    MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, TLS_FAILED_CRL },
	{ MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_KEY_USAGE |
		MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_BAD_PK,
	    MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, TLS_FAILED_CERTIFICATE },
};

unsigned char
tls_alert_for(uint32_t flags)
{
	size_t i;

	for (i = 0; i < NELEM(verify_alerts); i++) {
		if ((flags & verify_alerts[i].flags) != 0) {
			return verify_alerts[i].alert;
		}
	}
	return MBEDTLS_SSL_ALERT_MSG_BAD_CERT;
}

/* What was wrong with the client's certificate, for the operator. */
void
tls_say_verify(uint32_t flags, struct diag *d)
{
	char info[160];
	size_t i;
	int n;

	n = mbedtls_x509_crt_verify_info(info, sizeof(info), "", flags);
	for (i = 0; n > 0 && info[i] != '\0'; i++) {
		if (info[i] == '\n') {
			info[i] = info[i + 1] == '\0' ? '\0' : ';';
		}
	}
	diag_set(d, 0, 0, "client certificate refused: %s",
	    n > 0 ? info : "unknown reason");
}

void
tls_say_handshake(int rc, struct diag *d)
{
	char why[96];

	if (rc == MBEDTLS_ERR_SSL_CONN_EOF) {
		diag_set(d, 0, 0, "client went away during the handshake");
	} else if (rc == MBEDTLS_ERR_SSL_INTERNAL_ERROR) {
		diag_set(d, 0, 0, "connection reset during the handshake");
	} else {
		mbedtls_strerror(rc, why, sizeof(why));
		diag_set(d, 0, 0, "%s", why);
	}
}

enum tls_failure
tls_failure_of(int rc, bool has_certificate, uint32_t flags)
{
	size_t i;

	if (rc != 0) {
		return rc == MBEDTLS_ERR_SSL_CONN_EOF ||
			       rc == MBEDTLS_ERR_SSL_INTERNAL_ERROR
			   ? TLS_FAILED_LOST
			   : TLS_FAILED_PROTOCOL;
	}
	if (!has_certificate) {
		return TLS_FAILED_NO_CERTIFICATE;
	}
	for (i = 0; i < NELEM(verify_alerts); i++) {
		if ((flags & verify_alerts[i].flags) != 0) {
			return verify_alerts[i].failure;
		}
	}
	return flags == 0 ? TLS_FAILED_NAME : TLS_FAILED_CERTIFICATE;
}
