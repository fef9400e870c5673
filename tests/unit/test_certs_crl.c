/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists: what is refused, what openssl and certtool say of ours,
 * and that the sorted lists answer as Mbed TLS's own walk does.
 */
#include <mbedtls/x509_crl.h>

#include "certs_issue_fixture.h"
#include "crl.h"
#include "crl_set.h"
#include "ledger.h"

static struct ledger_entry *
add(struct ledger *l, const struct world *w, const struct cert *c)
{
	struct ledger_entry *e = NULL;
	char id[ISSUE_ID_SIZE];

	assert_int_equal(issue_id(w->ca_key, id), ERR_OK);
	assert_int_equal(ledger_add(l, c, LEDGER_CLIENT, id, &e, NULL), ERR_OK);
	return e;
}

static void
revoked(struct ledger_entry *e, enum ledger_reason reason)
{
	e->state = LEDGER_REVOKED;
	e->reason = reason;
	e->when = NOW;
}

/* The list as text, ended by a NUL that is counted. */
static void
make(const struct world *w, const struct ledger *l, time_t now, struct buf *out)
{
	const struct crl_request req = {
		.by = { w->ca, w->ca_key },
		.ledger = l,
		.number = 258,
		.days = 30,
		.now = now,
	};

	buf_init(out, 1 << 24);
	assert_int_equal(crl_issue(w->r, &req, out, NULL), ERR_OK);
	assert_int_equal(buf_append(out, "", 1), ERR_OK);
}

static struct span
issuer_of(const struct cert *c)
{
	return span_make(c->crt.issuer_raw.p, c->crt.issuer_raw.len);
}

static struct span
serial_of(const struct cert *c)
{
	return span_make(c->crt.serial.p, c->crt.serial.len);
}

static enum crl_answer
ask(const struct crl_set *s, const struct cert *c, time_t now)
{
	return crl_set_look(s, issuer_of(c), serial_of(c), now);
}

static void
answers_as_the_ledger_says(void **state)
{
	const struct world *w = *state;
	struct cert *bad = client(w), *good = client(w);
	struct crl_set *s = NULL;
	struct ledger l;
	struct buf b;

	ledger_init(&l);
	revoked(add(&l, w, bad), REASON_KEY_COMPROMISE);
	(void)add(&l, w, good);
	make(w, &l, NOW, &b);
	assert_int_equal(crl_set_parse(buf_span(&b), w->ca, &s, NULL), ERR_OK);
	assert_int_equal(crl_set_count(s), 1);
	assert_int_equal(crl_set_number(s), 258);
	assert_int_equal(crl_set_ends(s), NOW + 30 * DAY);
	assert_int_equal(ask(s, bad, NOW), CRL_REVOKED);
	assert_int_equal(ask(s, good, NOW), CRL_GOOD);
	assert_int_equal(ask(s, good, NOW + 30 * DAY), CRL_GOOD);
	assert_int_equal(ask(s, good, NOW + 30 * DAY + 1), CRL_STALE);
	assert_int_equal(ask(s, good, NOW - 3601), CRL_EARLY);
	/* revoked is revoked, however old the list */
	assert_int_equal(ask(s, bad, NOW + 900 * DAY), CRL_REVOKED);
	assert_int_equal(
	    crl_set_look(s, span_of("x"), serial_of(bad), NOW), CRL_NONE);
	assert_int_equal(
	    crl_set_look(s, issuer_of(bad), span_of(""), NOW), CRL_REVOKED);
	crl_set_free(s);
	buf_fini(&b);
	ledger_fini(&l);
	cert_free(bad);
	cert_free(good);
}

static void
what_expired_is_left_out(void **state)
{
	const struct world *w = *state;
	struct cert *c = client(w); /* 30 days */
	struct crl_set *s = NULL;
	struct ledger l;
	struct buf b;

	ledger_init(&l);
	revoked(add(&l, w, c), REASON_UNSPECIFIED);
	make(w, &l, NOW + 59 * DAY, &b);
	assert_int_equal(crl_set_parse(buf_span(&b), w->ca, &s, NULL), ERR_OK);
	assert_int_equal(crl_set_count(s), 1);
	crl_set_free(s);
	buf_fini(&b);
	make(w, &l, NOW + 61 * DAY, &b);
	assert_int_equal(crl_set_parse(buf_span(&b), w->ca, &s, NULL), ERR_OK);
	assert_int_equal(crl_set_count(s), 0);
	crl_set_free(s);
	buf_fini(&b);
	ledger_fini(&l);
	cert_free(c);
}

/* Bytes of a list that are not its CA's, one after the other. */
static void
a_changed_byte_is_refused(void **state)
{
	const struct world *w = *state;
	unsigned char der[2048];
	struct crl_set *s = NULL;
	struct cert *c = client(w);
	struct ledger l;
	struct buf b;
	mbedtls_x509_crl crl;
	size_t i, n, refused = 0;

	ledger_init(&l);
	revoked(add(&l, w, c), REASON_SUPERSEDED);
	make(w, &l, NOW, &b);
	mbedtls_x509_crl_init(&crl);
	assert_int_equal(mbedtls_x509_crl_parse(&crl,
			     (const unsigned char *)buf_span(&b).p, b.len),
	    0);
	n = crl.raw.len;
	assert_true(n < sizeof(der));
	memcpy(der, crl.raw.p, n);
	mbedtls_x509_crl_free(&crl);
	assert_int_equal(
	    crl_set_parse(span_make(der, n), w->ca, &s, NULL), ERR_OK);
	crl_set_free(s);
	for (i = 0; i < n; i++) {
		der[i] ^= 0x01;
		refused +=
		    crl_set_parse(span_make(der, n), w->ca, &s, NULL) != ERR_OK;
		der[i] ^= 0x01;
		assert_int_not_equal(
		    crl_set_parse(span_make(der, i), w->ca, &s, NULL), ERR_OK);
	}
	assert_int_equal(refused, n);
	buf_fini(&b);
	ledger_fini(&l);
	cert_free(c);
}

static void
lists_of_strangers_are_refused(void **state)
{
	struct world *w = *state, *other = NULL;
	struct crl_set *s = NULL;
	struct diag d = { 0, 0, "" };
	struct ledger l;
	struct buf b;

	assert_int_equal(setup((void **)&other), 0);
	ledger_init(&l);
	make(other, &l, NOW, &b);
	assert_int_equal(crl_set_parse(buf_span(&b), w->ca, &s, &d), ERR_CERT);
	assert_non_null(strstr(d.text, "not in ca.crt"));
	buf_fini(&b);
	assert_int_equal(
	    crl_set_parse(span_make("junk", 5), w->ca, &s, &d), ERR_CERT);
	assert_int_equal(
	    crl_set_parse(span_make("", 1), w->ca, &s, &d), ERR_CERT);
	ledger_fini(&l);
	assert_int_equal(teardown((void **)&other), 0);
}

/* One answer by each: ours, and Mbed TLS's verifier with the same list. */
static void
agree(struct world *w, struct crl_set *s, mbedtls_x509_crl *crl, struct cert *c)
{
	uint32_t flags = 0;
	bool theirs;

	(void)mbedtls_x509_crt_verify(
	    &c->crt, &w->ca->crt, crl, NULL, &flags, NULL, NULL);
	theirs = (flags & MBEDTLS_X509_BADCERT_REVOKED) != 0;
	assert_true(theirs == (ask(s, c, NOW) == CRL_REVOKED));
	assert_int_equal(flags & MBEDTLS_X509_BADCRL_NOT_TRUSTED, 0);
}

static void
agrees_with_mbedtls(void **state)
{
	enum { N = 300 };
	static struct cert *c[N];
	struct world *w = *state;
	struct crl_set *s = NULL;
	mbedtls_x509_crl crl;
	struct ledger l;
	struct buf b;
	size_t i;

	ledger_init(&l);
	for (i = 0; i < N; i++) {
		c[i] = client(w);
		if (i % 2 == 0) {
			revoked(add(&l, w, c[i]), REASON_CESSATION);
		}
	}
	make(w, &l, NOW, &b);
	assert_int_equal(crl_set_parse(buf_span(&b), w->ca, &s, NULL), ERR_OK);
	assert_int_equal(crl_set_count(s), N / 2);
	mbedtls_x509_crl_init(&crl);
	assert_int_equal(mbedtls_x509_crl_parse(&crl,
			     (const unsigned char *)buf_span(&b).p, b.len),
	    0);
	for (i = 0; i < N; i++) {
		agree(w, s, &crl, c[i]);
		cert_free(c[i]);
	}
	mbedtls_x509_crl_free(&crl);
	crl_set_free(s);
	buf_fini(&b);
	ledger_fini(&l);
}

static void
save(struct tmp *t, const char *name, const struct cert *c)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(cert_to_pem(c, &b), ERR_OK);
	assert_int_equal(buf_append(&b, "", 1), ERR_OK);
	tmp_put(t, name, buf_span(&b).p);
	buf_fini(&b);
}

static void
others_read_it(void **state)
{
	const struct world *w = *state;
	struct cert *bad = client(w), *good = client(w);
	struct ledger l;
	struct tmp t;
	struct buf b;

	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	ledger_init(&l);
	revoked(add(&l, w, bad), REASON_KEY_COMPROMISE);
	(void)add(&l, w, good);
	make(w, &l, NOW, &b);
	tmp_put(&t, "crl", buf_span(&b).p);
	save(&t, "ca", w->ca);
	save(&t, "bad", bad);
	save(&t, "good", good);
	assert_int_equal(
	    tmp_sh(&t, "openssl crl -in crl -CAfile ca -noout -verify 2>&1 | "
		       "grep -q 'verify OK'"),
	    0);
	assert_int_equal(
	    tmp_sh(&t, "openssl crl -in crl -noout -text > text && "
		       "grep -q 'Key Compromise' text && "
		       "grep -A1 'CRL Number' text | grep -q 258 && "
		       "grep -q 'Authority Key Identifier' text"),
	    0);
#define VERIFY                                                                 \
	"openssl verify -x509_strict -attime 1790000000 -CAfile ca "           \
	"-CRLfile crl -crl_check "
	assert_int_equal(tmp_sh(&t, VERIFY "good"), 0);
	assert_int_equal(
	    tmp_sh(&t, VERIFY "bad 2>&1 | grep -q 'certificate revoked'"), 0);
	buf_fini(&b);
	make(w, &l, time(NULL), &b); /* certtool looks at the clock */
	tmp_put(&t, "crl", buf_span(&b).p);
	if (tmp_sh(&t, "certtool --version") == 0) {
		assert_int_equal(
		    tmp_sh(&t, "certtool --verify-crl --infile crl "
			       "--load-ca-certificate ca | grep -q "
			       "'Verification output: Verified'"),
		    0);
		assert_int_equal(tmp_sh(&t, "certtool -i --infile good"), 0);
	}
	buf_fini(&b);
	ledger_fini(&l);
	cert_free(bad);
	cert_free(good);
	tmp_fini(&t);
}

/* Other people's lists: how openssl's config makes them, and what is said. */
static void
strange_lists_are_refused(void **state)
{
	static const struct {
		const char *extension;
		const char *flags;
		bool good;
	} lists[] = {
		{ "authorityKeyIdentifier=keyid", "", true },
		{ "issuingDistributionPoint=critical,@idp", "", false },
		{ "authorityKeyIdentifier=keyid", "-md sha1", false },
	};
	struct crl_set *s = NULL;
	struct cert *ca = NULL;
	struct tmp t;
	enum err rc;
	size_t i;

	(void)state;
	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	assert_int_equal(
	    tmp_sh(&t, "openssl req -x509 -newkey ec -pkeyopt "
		       "ec_paramgen_curve:P-384 -nodes -keyout k -out ca "
		       "-subj /CN=x -days 9 && : > db && echo 01 > n"),
	    0);
	assert_int_equal(cert_load(tmp_path(&t, "ca"), "", &ca, NULL), ERR_OK);
	for (i = 0; i < NELEM(lists); i++) {
		assert_int_equal(
		    tmp_sh(&t,
			"printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=db\\n"
			"crlnumber=n\\ndefault_md=sha384\\n"
			"default_crl_days=9\\ncrl_extensions=e\\n[e]\\n%s\\n"
			"[idp]\\nindirectCRL=TRUE\\n' > cnf && "
			"openssl ca -config cnf -gencrl -cert ca -keyfile k "
			"-out crl %s",
			lists[i].extension, lists[i].flags),
		    0);
		const char *text = tmp_get(&t, "crl");

		rc = crl_set_parse(
		    span_make(text, strlen(text) + 1), ca, &s, NULL);
		if ((rc == ERR_OK) != lists[i].good) {
			fail_msg("case %zu: %s", i, err_tag(rc));
		}
		if (rc == ERR_OK) {
			crl_set_free(s);
		}
	}
	cert_free(ca);
	tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(answers_as_the_ledger_says),
		T(what_expired_is_left_out),
		T(a_changed_byte_is_refused),
		T(lists_of_strangers_are_refused),
		T(agrees_with_mbedtls),
		T(others_read_it),
		cmocka_unit_test(strange_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
