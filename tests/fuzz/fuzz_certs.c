/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in PEM or DER from elsewhere: certificate requests, lists of
 * revoked certificates, certificates.  What is refused says why.
 *
 * Input: PEM; or a byte that is no '-', for what it is, and DER.
 */
#include "fuzz.h"

#include <mbedtls/pem.h>

#include "certs/crl_set.h"
#include "certs/csr.h"

static void
check_cert(struct span text)
{
	struct diag d = { 0, 0, "" };
	struct cert *c = NULL;
	struct crl_set *set = NULL;
	struct buf pem;
	char pin[CERT_PIN_SIZE];
	time_t from, to;

	if (cert_parse(text.p, text.len, "input", &c, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
		return;
	}
	buf_init(&pem, FUZZ_ARENA_BYTES);
	CHECK(cert_to_pem(c, &pem) == ERR_OK);
	CHECK(cert_pin(c, pin) == ERR_OK);
	cert_validity(c, &from, &to);
	/* Lists behind the certificates of their CA, in one file. */
	if (crl_set_parse(text, c, &set, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
	}
	crl_set_free(set);
	buf_fini(&pem);
	cert_free(c);
}

/* DER in the form that we read; its length without the NUL. */
static size_t
to_pem(const uint8_t *data, size_t size, char *out, size_t cap)
{
	static const char *const kinds[] = { "CERTIFICATE",
		"CERTIFICATE REQUEST", "X509 CRL" };
	const char *kind = kinds[data[0] % NELEM(kinds)];
	char begin[64], end[64];
	size_t n = 0;

	snprintf(begin, sizeof(begin), "-----BEGIN %s-----\n", kind);
	snprintf(end, sizeof(end), "-----END %s-----\n", kind);
	CHECK(mbedtls_pem_write_buffer(begin, end, data + 1, size - 1,
		  (uint8_t *)out, cap, &n) == 0);
	return n - 1;
}

static void
check_all(const char *text, size_t size)
{
	struct diag d = { 0, 0, "" };
	struct key *key = NULL;

	check_cert(span_make(text, size));
	if (csr_parse(span_make(text, size), &key, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
	}
	key_free(key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Ended by a NUL, which is not counted, as a file that was read. */
	char *copy = malloc(2 * size + 256);

	CHECK(copy != NULL);
	if (size > 0 && data[0] != '-') {
		size = to_pem(data, size, copy, 2 * size + 256);
	} else {
		memcpy(copy, data, size);
		copy[size] = '\0';
	}
	check_all(copy, size);
	free(copy);
	return 0;
}
