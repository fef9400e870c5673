/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in PEM or DER from elsewhere: certificate requests, lists of
 * revoked certificates, certificates.  What is refused says why.
 */
#include "fuzz.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Ended by a NUL, which is not counted, as a file that was read. */
	char *copy = malloc(size + 1);
	struct diag d = { 0, 0, "" };
	struct key *key = NULL;

	CHECK(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	check_cert(span_make(copy, size));
	if (csr_parse(span_make(copy, size), &key, &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
	}
	key_free(key);
	free(copy);
	return 0;
}
