/* SPDX-License-Identifier: Apache-2.0 */
/* Why a client is refused: no fault may pass for none. */
#include "unit.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "tls_refuse.h"

static void
every_fault_has_an_alert_a_name_and_a_sentence(void **state)
{
	static const struct {
		uint32_t flags;
		enum tls_failure failure;
		unsigned char alert; /* RFC 8446 6.2 */
	} cases[] = {
		{ MBEDTLS_X509_BADCERT_REVOKED, TLS_FAILED_REVOKED, 44 },
		{ MBEDTLS_X509_BADCERT_EXPIRED, TLS_FAILED_EXPIRED, 45 },
		{ MBEDTLS_X509_BADCERT_FUTURE, TLS_FAILED_EXPIRED, 45 },
		{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_FAILED_UNKNOWN_CA, 48 },
		{ MBEDTLS_X509_BADCRL_EXPIRED, TLS_FAILED_CRL, 46 },
		{ MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, TLS_FAILED_CERTIFICATE,
		    43 },
		/* the worse one is told */
		{ MBEDTLS_X509_BADCERT_REVOKED | MBEDTLS_X509_BADCERT_EXPIRED,
		    TLS_FAILED_REVOKED, 44 },
		/* not in the table */
		{ MBEDTLS_X509_BADCERT_BAD_MD, TLS_FAILED_CERTIFICATE, 42 },
		{ 0x80000000, TLS_FAILED_CERTIFICATE, 42 },
	};
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		expect_u64("failure", tls_failure_of(0, true, cases[i].flags),
		    cases[i].failure);
		expect_u64(
		    "alert", tls_alert_for(cases[i].flags), cases[i].alert);
		d.text[0] = '\0';
		tls_say_verify(cases[i].flags, &d);
		assert_true(strlen(d.text) > strlen("client certificate "
						    "refused: "));
		assert_null(strchr(d.text, '\n'));
	}
}

static void
what_comes_first_decides(void **state)
{
	uint32_t any = MBEDTLS_X509_BADCERT_REVOKED;

	(void)state;
	assert_int_equal(tls_failure_of(MBEDTLS_ERR_SSL_CONN_EOF, true, any),
	    TLS_FAILED_LOST);
	assert_int_equal(
	    tls_failure_of(MBEDTLS_ERR_SSL_INTERNAL_ERROR, false, 0),
	    TLS_FAILED_LOST);
	assert_int_equal(
	    tls_failure_of(MBEDTLS_ERR_SSL_NO_APPLICATION_PROTOCOL, true, 0),
	    TLS_FAILED_PROTOCOL);
	assert_int_equal(
	    tls_failure_of(0, false, any), TLS_FAILED_NO_CERTIFICATE);
	/* the certificate is good: its names were not */
	assert_int_equal(tls_failure_of(0, true, 0), TLS_FAILED_NAME);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_fault_has_an_alert_a_name_and_a_sentence),
		cmocka_unit_test(what_comes_first_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
