/* SPDX-License-Identifier: Apache-2.0 */
/* What the openssl command thinks, and CAs that it has made. */
#include "certs_issue_fixture.h"

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
openssl_agrees(void **state)
{
	const struct world *w = *state;
	struct cert *c = client(w), *s = server(w);
	struct tmp t;

	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	save(&t, "ca", w->ca);
	save(&t, "c", c);
	save(&t, "s", s);
#define VERIFY "openssl verify -x509_strict -attime 1790000000 -CAfile ca "
	assert_int_equal(tmp_sh(&t, VERIFY "-purpose sslclient c"), 0);
	assert_int_equal(tmp_sh(&t, VERIFY "-purpose sslserver s"), 0);
	assert_int_not_equal(tmp_sh(&t, VERIFY "-purpose sslserver c"), 0);
	assert_int_not_equal(tmp_sh(&t, VERIFY "-purpose sslclient s"), 0);
	assert_int_equal(tmp_sh(&t, VERIFY "-verify_ip 10.1.2.3 s"), 0);
	assert_int_equal(
	    tmp_sh(&t, VERIFY "-verify_hostname build.example s"), 0);
	assert_int_not_equal(tmp_sh(&t, VERIFY "-verify_ip 10.1.2.4 s"), 0);
	assert_int_equal(tmp_sh(&t, VERIFY "ca"), 0);
	tmp_fini(&t);
	cert_free(c);
	cert_free(s);
}

static void
certtool_agrees(void **state)
{
	const struct world *w = *state;
	struct issue_client creq = client_of(w);
	struct issue_server sreq = server_of(w);
	struct cert *ca = NULL, *c = NULL, *s = NULL;
	struct tmp t;

	tmp_init(&t);
	if (tmp_sh(&t, "certtool --version") != 0) {
		tmp_fini(&t);
		skip();
	}
	/* certtool looks at the clock */
	creq.now = sreq.now = time(NULL);
	assert_int_equal(
	    issue_ca(w->r, w->ca_key, creq.now, &ca, NULL), ERR_OK);
	creq.by.ca = sreq.by.ca = ca;
	assert_int_equal(issue_client(w->r, &creq, &c, NULL), ERR_OK);
	assert_int_equal(issue_server(w->r, &sreq, &s, NULL), ERR_OK);
	save(&t, "ca", ca);
	save(&t, "other", w->ca);
	save(&t, "c", c);
	save(&t, "s", s);
#define CERTTOOL "certtool --verify --load-ca-certificate "
	assert_int_equal(
	    tmp_sh(&t, CERTTOOL "ca --infile c "
				"--verify-purpose 1.3.6.1.5.5.7.3.2"),
	    0);
	assert_int_equal(tmp_sh(&t, CERTTOOL "ca --infile s --verify-purpose "
					     "1.3.6.1.5.5.7.3.1 "
					     "--verify-hostname build.example"),
	    0);
	assert_int_not_equal(
	    tmp_sh(&t, CERTTOOL "ca --infile c "
				"--verify-purpose 1.3.6.1.5.5.7.3.1"),
	    0);
	assert_int_not_equal(
	    tmp_sh(&t, CERTTOOL "ca --infile s --verify-hostname other"), 0);
	tmp_fini(&t);
	cert_free(ca);
	cert_free(c);
	cert_free(s);
}

/* Other people's CAs: how openssl makes the key, the subject, and the rest. */
static const struct {
	const char *key;
	const char *args;
} supplied[] = {
	{ "rsa -pkeyopt rsa_keygen_bits:2048", "-subj /CN=old" },
	{ "EC -pkeyopt ec_paramgen_curve:P-384", "-subj /C=DE/O=Ex/CN=a" },
	{ "EC -pkeyopt ec_paramgen_curve:P-256",
	    "-multivalue-rdn -subj /O=Ex/CN=a+OU=b" },
	{ "EC -pkeyopt ec_paramgen_curve:P-256",
	    "-subj /CN=x -addext subjectKeyIdentifier=01020304 "
	    "-addext authorityKeyIdentifier=none" },
	{ "EC -pkeyopt ec_paramgen_curve:P-256",
	    "-subj /CN=x -addext subjectKeyIdentifier=none "
	    "-addext authorityKeyIdentifier=none" },
};

static void
signs_with_supplied_cas(void **state)
{
	struct world *w = *state;
	struct issue_client req = client_of(w);
	struct cert *ca = NULL, *c = NULL;
	struct key *k = NULL;
	struct tmp t;
	size_t i;

	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	for (i = 0; i < NELEM(supplied); i++) {
		assert_int_equal(tmp_sh(&t,
				     "openssl genpkey -algorithm %s -out k && "
				     "openssl req -x509 -new -key k -days 900 "
				     "-sha256 -out ca %s",
				     supplied[i].key, supplied[i].args),
		    0);
		assert_int_equal(
		    key_load(tmp_path(&t, "k"), "k", w->r, &k, NULL), ERR_OK);
		assert_int_equal(
		    cert_load(tmp_path(&t, "ca"), "ca", &ca, NULL), ERR_OK);
		req.by = (struct issuer){ ca, k };
		req.now = time(NULL);
		assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
		assert_int_equal(verify(c, ca), 0);
		assert_true(span_eq(
		    span_make(c->crt.issuer_raw.p, c->crt.issuer_raw.len),
		    cert_subject(ca)));
		save(&t, "c", c);
		assert_int_equal(tmp_sh(&t, "openssl verify -purpose sslclient "
					    "-CAfile ca c"),
		    0);
		cert_free(c);
		cert_free(ca);
		key_free(k);
	}
	tmp_fini(&t);
}

static void
finds_the_signer_in_a_bundle(void **state)
{
	struct world *w = *state;
	struct issue_client req = client_of(w);
	struct cert *other = NULL, *both = NULL, *c = NULL;
	struct key *k = NULL;
	struct tmp t;

	tmp_init(&t);
	assert_int_equal(key_new(w->r, &k), ERR_OK);
	assert_int_equal(issue_ca(w->r, k, NOW, &other, NULL), ERR_OK);
	save(&t, "a", other);
	save(&t, "b", w->ca);
	assert_int_equal(
	    tmp_sh(&t, "{ echo text; cat a; echo; cat b; } > ab"), 0);
	assert_int_equal(
	    cert_load(tmp_path(&t, "ab"), "ab", &both, NULL), ERR_OK);
	req.by.ca = both;
	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	assert_int_equal(verify(c, w->ca), 0);
	tmp_fini(&t);
	cert_free(c);
	cert_free(both);
	cert_free(other);
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(openssl_agrees),
		T(certtool_agrees),
		T(signs_with_supplied_cas),
		T(finds_the_signer_in_a_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
