/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CERTS_ISSUE_FIXTURE_H
#define TESTS_CERTS_ISSUE_FIXTURE_H

/* For the tests of certs/issue.c: a CA, and certificates by it. */
#include "certs_fixture.h"
#include "issue.h"
#include "mbed.h"

/* A CA and a key for whatever a test issues. */
struct world {
	struct rng *r;
	struct key *ca_key;
	struct key *key;
	struct cert *ca;
};

static inline int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(rng_new(&w->r), ERR_OK);
	assert_int_equal(key_new(w->r, &w->ca_key), ERR_OK);
	assert_int_equal(key_new(w->r, &w->key), ERR_OK);
	assert_int_equal(issue_ca(w->r, w->ca_key, NOW, &w->ca, NULL), ERR_OK);
	*state = w;
	return 0;
}

static inline int
teardown(void **state)
{
	struct world *w = *state;

	cert_free(w->ca);
	key_free(w->key);
	key_free(w->ca_key);
	rng_free(w->r);
	free(w);
	return 0;
}

static inline struct issue_client
client_of(const struct world *w)
{
	return (struct issue_client){
		.by = { w->ca, w->ca_key },
		.key = w->key,
		.name = "laptop-7",
		.days = 30,
		.now = NOW,
	};
}

static const char *const two_hosts[] = { "build.example", "10.1.2.3" };

static inline struct issue_server
server_of(const struct world *w)
{
	return (struct issue_server){
		.by = { w->ca, w->ca_key },
		.key = w->key,
		.hosts = two_hosts,
		.n_hosts = 2,
		.now = NOW,
	};
}

static inline struct cert *
client(const struct world *w)
{
	struct issue_client req = client_of(w);
	struct cert *c = NULL;

	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	return c;
}

static inline struct cert *
server(const struct world *w)
{
	struct issue_server req = server_of(w);
	struct cert *c = NULL;

	assert_int_equal(issue_server(w->r, &req, &c, NULL), ERR_OK);
	return c;
}

/* Flags of Mbed TLS's verifier, without those that depend on today. */
static inline uint32_t
verify(struct cert *c, struct cert *ca)
{
	uint32_t flags = 0;

	(void)mbedtls_x509_crt_verify(
	    &c->crt, &ca->crt, NULL, NULL, &flags, NULL, NULL);
	return flags & ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED |
				   MBEDTLS_X509_BADCERT_FUTURE);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
