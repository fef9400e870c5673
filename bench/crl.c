/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list of revoked certificates costs a handshake: verifying a client's
 * certificate with Mbed TLS's own walk of the list, and with crl_set.h.
 *
 *	crl [REVOKED]		(default 5,000, of twice as many issued)
 */
#include <mbedtls/x509_crl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "certs/crl.h"
#include "certs/crl_set.h"
#include "certs/mbed.h"
#include "proxy/tls_crl.h"

#define ROUNDS 200

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
must(enum err rc)
{
	if (rc != ERR_OK) {
		fprintf(stderr, "crl: %s\n", err_text(rc));
		exit(1);
	}
}

/* One verification, in microseconds of CPU time. */
static double
verify(struct cert *c, struct cert *ca, mbedtls_x509_crl *crl,
    struct crl_set *set, bool revoked)
{
	struct tls_crl ours = { set, NULL };
	double begin = now_us();
	uint32_t flags;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		flags = 0;
		(void)mbedtls_x509_crt_verify(&c->crt, &ca->crt, crl, NULL,
		    &flags, set == NULL ? NULL : tls_crl_verify, &ours);
		if (((flags & MBEDTLS_X509_BADCERT_REVOKED) != 0) != revoked) {
			fprintf(stderr, "crl: a wrong answer\n");
			exit(1);
		}
	}
	return (now_us() - begin) / ROUNDS;
}

struct made {
	struct rng *r;
	struct key *ca_key, *key;
	struct cert *ca, *good, *bad;
	struct ledger l;
};

static struct cert *
issue(struct made *m, bool revoked)
{
	const struct issue_client req = {
		.by = { m->ca, m->ca_key },
		.key = m->key,
		.name = "client",
		.days = 30,
		.now = time(NULL),
	};
	struct ledger_entry *e;
	struct cert *c = NULL;
	char id[ISSUE_ID_SIZE];

	must(issue_id(m->ca_key, id));
	must(issue_client(m->r, &req, &c, NULL));
	must(ledger_add(&m->l, c, LEDGER_CLIENT, id, &e, NULL));
	if (revoked) {
		e->state = LEDGER_REVOKED;
		e->when = time(NULL);
	}
	return c;
}

int
main(int argc, char **argv)
{
	long i, n = argc > 1 ? strtol(argv[1], NULL, 10) : 5000;
	struct made m = { NULL };
	struct crl_set *set = NULL;
	mbedtls_x509_crl crl;
	struct buf text;
	double begin;

	ledger_init(&m.l);
	must(rng_new(&m.r));
	must(key_new(m.r, &m.ca_key));
	must(key_new(m.r, &m.key));
	must(issue_ca(m.r, m.ca_key, time(NULL), &m.ca, NULL));
	for (i = 0; i < n; i++) {
		cert_free(m.good);
		cert_free(m.bad);
		m.good = issue(&m, false);
		m.bad = issue(&m, true);
	}
	const struct crl_request req = {
		.by = { m.ca, m.ca_key },
		.ledger = &m.l,
		.number = 1,
		.days = 30,
		.now = time(NULL),
	};

	buf_init(&text, 1u << 30);
	begin = now_us();
	must(crl_issue(m.r, &req, &text, NULL));
	must(buf_append(&text, "", 1));
	printf(
	    "%ld issued, %ld revoked, %zu bytes of PEM\n", 2 * n, n, text.len);
	printf("written in          %9.0f us\n", now_us() - begin);
	begin = now_us();
	must(crl_set_parse(buf_span(&text), m.ca, &set, NULL));
	printf("read and sorted in  %9.0f us\n", now_us() - begin);
	mbedtls_x509_crl_init(&crl);
	if (mbedtls_x509_crl_parse(&crl,
		(const unsigned char *)buf_span(&text).p, text.len) != 0) {
		return 1;
	}
	printf("one verification    no list %6.0f us\n",
	    verify(m.good, m.ca, NULL, NULL, false));
	printf("                    Mbed TLS %5.0f us, revoked %5.0f us\n",
	    verify(m.good, m.ca, &crl, NULL, false),
	    verify(m.bad, m.ca, &crl, NULL, true));
	printf("                    sorted  %6.0f us, revoked %5.0f us\n",
	    verify(m.good, m.ca, NULL, set, false),
	    verify(m.bad, m.ca, NULL, set, true));
	mbedtls_x509_crl_free(&crl);
	crl_set_free(set);
	buf_fini(&text);
	ledger_fini(&m.l);
	cert_free(m.good);
	cert_free(m.bad);
	cert_free(m.ca);
	key_free(m.key);
	key_free(m.ca_key);
	rng_free(m.r);
	return 0;
}
