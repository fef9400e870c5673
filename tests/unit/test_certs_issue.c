/* SPDX-License-Identifier: Apache-2.0 */
/* What certificates say: the refusals first, then every field. */
#include <mbedtls/oid.h>

#include "certs_issue_fixture.h"

static void
refuses_bad_clients(void **state)
{
	static const char *const none[] = { "ok", "" };
	static const char *const many[17] = { "a", "b", "c", "d", "e", "f", "g",
		"h", "i", "j", "k", "l", "m", "n", "o", "p", "q" };
	const struct world *w = *state;
	const struct issue_client good = client_of(w);
	struct {
		struct issue_client req;
		enum err want;
	} cases[] = {
		{ good, ERR_CERT_NAME },
		{ good, ERR_CERT_NAME },
		{ good, ERR_CERT_NAME },
		{ good, ERR_CERT_NAME },
		{ good, ERR_LIMIT },
		{ good, ERR_NUMBER },
		{ good, ERR_NUMBER },
		{ good, ERR_CERT },
		{ good, ERR_CERT },
		{ good, ERR_CERT },
		{ good, ERR_CERT_MISMATCH },
	};
	struct cert *out = NULL;
	struct diag d;
	size_t i;

	cases[0].req.name = "";
	cases[1].req.name = "a\nb";
	cases[2].req.units = none;
	cases[2].req.n_units = 2;
	cases[3].req.org = "";
	cases[4].req.units = many;
	cases[4].req.n_units = 17;
	cases[5].req.days = 0;
	cases[6].req.days = 3651;
	cases[7].req.now = 0;
	cases[8].req.now = NOW + 3651 * DAY; /* the CA has expired */
	cases[9].req.now = NOW - 2 * DAY;    /* it does not begin yet */
	cases[10].req.by.key = w->key;
	for (i = 0; i < NELEM(cases); i++) {
		d.text[0] = '\0';
		if (issue_client(w->r, &cases[i].req, &out, &d) !=
		    cases[i].want) {
			fail_msg("case %zu", i);
		}
		assert_null(out);
		assert_true(d.text[0] != '\0');
	}
}

static void
refuses_bad_servers(void **state)
{
	static char text[200][260];
	const char *hosts[200];
	const struct world *w = *state;
	struct issue_server req = server_of(w);
	struct cert *out = NULL;
	struct diag d;
	size_t i;

	req.n_hosts = 0;
	assert_int_equal(issue_server(w->r, &req, &out, &d), ERR_CERT_NAME);
	req.hosts = hosts;
	req.n_hosts = 1;
	hosts[0] = "a b";
	assert_int_equal(issue_server(w->r, &req, &out, &d), ERR_CERT_NAME);

	/* more names than allowed */
	for (i = 0; i < NELEM(hosts); i++) {
		snprintf(text[i], sizeof(text[i]), "10.0.%zu.1", i);
		hosts[i] = text[i];
	}
	req.n_hosts = ISSUE_HOSTS_MAX + 1;
	assert_int_equal(issue_server(w->r, &req, &out, &d), ERR_LIMIT);
	req.n_hosts = ISSUE_HOSTS_MAX;
	assert_int_equal(issue_server(w->r, &req, &out, &d), ERR_OK);
	cert_free(out);
	out = NULL;

	/* as many, but too long together */
	for (i = 0; i < NELEM(hosts); i++) {
		memset(text[i], 'a', 120);
		memset(text[i] + 60, '.', 1);
		snprintf(text[i] + 120, 8, ".h%zu", i);
	}
	assert_int_equal(issue_server(w->r, &req, &out, &d), ERR_LIMIT);
	assert_null(out);
}

static void
refuses_an_issuer_that_is_no_ca(void **state)
{
	const struct world *w = *state;
	struct cert *leaf = client(w), *out = NULL;
	struct issue_client req = client_of(w);
	struct diag d;

	req.by.ca = leaf;
	req.by.key = w->key;
	assert_int_equal(issue_client(w->r, &req, &out, &d), ERR_CERT);
	assert_non_null(strstr(d.text, "may not sign"));
	assert_null(out);
	cert_free(leaf);
}

static void
another_ca_is_refused(void **state)
{
	struct world *w = *state;
	struct cert *c = client(w), *s = server(w), *other = NULL;
	struct key *k = NULL;

	assert_int_equal(verify(c, w->ca), 0);
	assert_int_equal(verify(s, w->ca), 0);
	assert_true(cert_is_under(c, w->ca));
	assert_int_equal(key_new(w->r, &k), ERR_OK);
	assert_int_equal(issue_ca(w->r, k, NOW, &other, NULL), ERR_OK);
	assert_int_equal(verify(c, other), MBEDTLS_X509_BADCERT_NOT_TRUSTED);
	assert_int_equal(verify(s, other), MBEDTLS_X509_BADCERT_NOT_TRUSTED);
	assert_false(cert_is_under(c, other));
	/* and a client's certificate signs nothing */
	assert_int_not_equal(verify(s, c), 0);
	cert_free(c);
	cert_free(s);
	cert_free(other);
	key_free(k);
}

static void
each_is_for_its_own_use(void **state)
{
	const struct world *w = *state;
	struct cert *c = client(w), *s = server(w);
	const mbedtls_x509_crt *x = &c->crt;

	assert_true(cert_is_for(c, CERT_CLIENT));
	assert_false(cert_is_for(c, CERT_SERVER));
	assert_true(cert_is_for(s, CERT_SERVER));
	assert_false(cert_is_for(s, CERT_CLIENT));
	assert_true(cert_may_sign(w->ca));
	assert_false(cert_may_sign(c));
	assert_false(cert_may_sign(s));
	assert_int_equal(mbedtls_x509_crt_check_key_usage(
			     x, MBEDTLS_X509_KU_DIGITAL_SIGNATURE),
	    0);
	assert_int_not_equal(
	    mbedtls_x509_crt_check_key_usage(x, MBEDTLS_X509_KU_KEY_AGREEMENT),
	    0);
	x = &w->ca->crt;
	assert_int_equal(
	    mbedtls_x509_crt_check_key_usage(
		x, MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN),
	    0);
	assert_int_not_equal(mbedtls_x509_crt_check_key_usage(
				 x, MBEDTLS_X509_KU_DIGITAL_SIGNATURE),
	    0);
	assert_int_equal(x->MBEDTLS_PRIVATE(max_pathlen), 1); /* plus one */
	cert_free(c);
	cert_free(s);
}

/* Does the extension (its arc under 2.5.29) stand there, so marked? */
static bool
has_extension(const struct cert *c, char arc, bool critical)
{
	const char yes[] = { 6, 3, 0x55, 0x1d, arc, 1, 1, (char)0xff, 4 };
	const char no[] = { 6, 3, 0x55, 0x1d, arc, 4 };
	const mbedtls_x509_buf *der = &c->crt.raw;

	return memmem(der->p, der->len, critical ? yes : no,
		   critical ? sizeof(yes) : sizeof(no)) != NULL;
}

static void
extensions_are_critical_where_they_must(void **state)
{
	const struct world *w = *state;
	struct cert *c = client(w), *s = server(w);
	const struct cert *all[] = { c, s, w->ca };
	size_t i;

	for (i = 0; i < NELEM(all); i++) {
		assert_true(has_extension(all[i], 0x13, true));	 /* basic */
		assert_true(has_extension(all[i], 0x0f, true));	 /* usage */
		assert_true(has_extension(all[i], 0x0e, false)); /* own id */
		assert_true(has_extension(all[i], 0x23, false)); /* CA's id */
		/* purpose, on all but the CA; names, on the server alone */
		assert_int_equal(has_extension(all[i], 0x25, false), i < 2);
		assert_int_equal(has_extension(all[i], 0x11, false), i == 1);
	}
	cert_free(c);
	cert_free(s);
}

/* The values of one attribute type, in order, each between bars. */
static void
subject_values(const struct cert *c, const char *oid, char *out, size_t size)
{
	const mbedtls_x509_name *n;
	size_t used = 0;

	out[0] = '\0';
	for (n = &c->crt.subject; n != NULL; n = n->next) {
		if (span_is(span_make(n->oid.p, n->oid.len), oid)) {
			assert_int_equal(n->val.tag, MBEDTLS_ASN1_UTF8_STRING);
			used += (size_t)snprintf(out + used, size - used,
			    "%.*s|", (int)n->val.len, (const char *)n->val.p);
		}
	}
}

static void
names_go_in_literally(void **state)
{
	static const char *const names[] = { "a,b", "a+b", "a=b", "CN=root",
		"a,CN=root", "#0c0161", "\"q\"", "a\\", "\\2c", " lead",
		"trail ", "  ", "<>;", "b\303\274cher", "\xf0\x9f\x90\xb3", "*",
		"/CN=root" };
	static const char *const units[] = { "team-a", "b,OU=c", "team-a" };
	const struct world *w = *state;
	struct issue_client req = client_of(w);
	char got[512], want[512];
	struct cert *c = NULL;
	size_t i;

	req.units = units;
	req.n_units = NELEM(units);
	for (i = 0; i < NELEM(names); i++) {
		req.name = req.org = names[i];
		assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
		snprintf(want, sizeof(want), "%s|", names[i]);
		subject_values(c, MBEDTLS_OID_AT_CN, got, sizeof(got));
		assert_string_equal(got, want);
		subject_values(
		    c, MBEDTLS_OID_AT_ORGANIZATION, got, sizeof(got));
		assert_string_equal(got, want);
		subject_values(c, MBEDTLS_OID_AT_ORG_UNIT, got, sizeof(got));
		assert_string_equal(got, "team-a|b,OU=c|team-a|");
		assert_int_equal(verify(c, w->ca), 0);
		cert_free(c);
	}
}

static void
largest_subject_fits(void **state)
{
	const struct world *w = *state;
	const char *units[ISSUE_UNITS_MAX];
	struct issue_client req = client_of(w);
	char whales[SUBJECT_MAX * 4 + 1] = "";
	struct cert *c = NULL;
	size_t i;

	for (i = 0; i < SUBJECT_MAX; i++) {
		memcpy(whales + 4 * i, "\xf0\x9f\x90\xb3", 5);
	}
	for (i = 0; i < NELEM(units); i++) {
		units[i] = whales;
	}
	req.name = req.org = whales;
	req.units = units;
	req.n_units = NELEM(units);
	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	assert_int_equal(verify(c, w->ca), 0);
	cert_free(c);
}

static bool
names_host(const struct cert *c, const char *name)
{
	struct host h;

	assert_int_equal(host_parse(name, &h, NULL), ERR_OK);
	return cert_names_host(c, &h);
}

static void
server_names_each_host_once(void **state)
{
	static const char *const hosts[] = { "Build.Example", "10.1.2.3",
		"build.example", "::1", "0:0::1", "*.dyn.example", "127.0.0.1",
		"2001:db8::5" };
	const struct world *w = *state;
	struct issue_server req = server_of(w);
	const mbedtls_x509_sequence *s;
	struct cert *c = NULL;
	char got[128];
	size_t n = 0;

	req.hosts = hosts;
	req.n_hosts = NELEM(hosts);
	assert_int_equal(issue_server(w->r, &req, &c, NULL), ERR_OK);
	for (s = &c->crt.subject_alt_names; s != NULL; s = s->next) {
		n++;
	}
	assert_int_equal(n, 6);
	assert_true(names_host(c, "build.example"));
	assert_true(names_host(c, "10.1.2.3"));
	assert_true(names_host(c, "::1"));
	assert_true(names_host(c, "2001:db8::5"));
	assert_true(names_host(c, "a.dyn.example"));
	assert_false(names_host(c, "a.b.dyn.example"));
	assert_false(names_host(c, "dyn.example"));
	assert_false(names_host(c, "10.1.2.4"));
	assert_false(names_host(c, "::2"));
	assert_false(names_host(c, "example"));
	subject_values(c, MBEDTLS_OID_AT_CN, got, sizeof(got));
	assert_string_equal(got, "build.example|");
	assert_int_equal(mbedtls_x509_crt_verify(&c->crt, &w->ca->crt, NULL,
			     "nobody.example", &(uint32_t){ 0 }, NULL, NULL),
	    MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
	cert_free(c);
}

static void
a_long_host_is_no_common_name(void **state)
{
	static const char *const hosts[] = {
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
		"b-long.example",
		"short.example"
	};
	const struct world *w = *state;
	struct issue_server req = server_of(w);
	struct cert *c = NULL;
	char got[128];

	req.hosts = hosts;
	assert_int_equal(issue_server(w->r, &req, &c, NULL), ERR_OK);
	subject_values(c, MBEDTLS_OID_AT_CN, got, sizeof(got));
	assert_string_equal(got, "short.example|");
	assert_true(names_host(c, hosts[0]));
	cert_free(c);
	req.n_hosts = 1;
	assert_int_equal(issue_server(w->r, &req, &c, NULL), ERR_OK);
	subject_values(c, MBEDTLS_OID_AT_CN, got, sizeof(got));
	assert_string_equal(got, "dinv|");
	cert_free(c);
}

static void
issuer_is_the_subject_of_the_ca_byte_for_byte(void **state)
{
	const struct world *w = *state;
	struct cert *c = client(w);
	const mbedtls_x509_crt *x = &c->crt, *ca = &w->ca->crt;

	assert_true(span_eq(span_make(x->issuer_raw.p, x->issuer_raw.len),
	    cert_subject(w->ca)));
	assert_true(span_eq(span_make(x->authority_key_id.keyIdentifier.p,
				x->authority_key_id.keyIdentifier.len),
	    cert_key_id(w->ca)));
	assert_int_equal(cert_key_id(c).len, 20);
	assert_false(span_eq(cert_key_id(c), cert_key_id(w->ca)));
	assert_true(span_eq(span_make(ca->issuer_raw.p, ca->issuer_raw.len),
	    cert_subject(w->ca)));
	assert_int_equal(x->MBEDTLS_PRIVATE(sig_md), MBEDTLS_MD_SHA256);
	assert_int_equal(x->version, 3);
	cert_free(c);
}

static void
serials_are_random_and_positive(void **state)
{
	const struct world *w = *state;
	uint8_t seen[40][16];
	struct cert *c;
	size_t i, j, n;

	for (i = 0; i < NELEM(seen); i++) {
		c = client(w);
		n = c->crt.serial.len;
		assert_in_range(n, 12, 17); /* 128 bits, zeros in front cut */
		assert_int_equal(c->crt.serial.p[0] & 0x80, 0);
		memcpy(seen[i], c->crt.serial.p + n - 12, 12);
		for (j = 0; j < i; j++) {
			assert_memory_not_equal(seen[i], seen[j], 12);
		}
		cert_free(c);
	}
}

static void
dates_are_fitted(void **state)
{
	struct world *w = *state;
	struct issue_client req = client_of(w);
	struct cert *c = server(w);
	time_t from, to, ca_to;

	cert_validity(w->ca, &from, &ca_to);
	assert_int_equal(from, NOW - 3600);
	assert_int_equal(ca_to, NOW + 3650 * DAY);
	cert_validity(c, &from, &to);
	assert_int_equal(from, NOW - 3600);
	assert_true(to - from <= 397 * DAY);
	assert_true(to - from > 395 * DAY);
	cert_free(c);

	c = client(w);
	cert_validity(c, &from, &to);
	assert_int_equal(from, NOW - 3600);
	assert_int_equal(to, NOW + 30 * DAY);
	cert_free(c);

	/* near the end of the CA, and of what time_t had once */
	req.now = NOW + 3640 * DAY;
	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	cert_validity(c, &from, &to);
	assert_int_equal(from, req.now - 3600);
	assert_int_equal(to, ca_to);
	cert_free(c);
}

static void
dates_past_2050_are_right(void **state)
{
	const time_t far = 2400000000; /* 2046 */
	struct world *w = *state;
	struct issue_client req = client_of(w);
	struct cert *ca = NULL, *c = NULL;
	time_t from, to;

	assert_int_equal(issue_ca(w->r, w->ca_key, far, &ca, NULL), ERR_OK);
	cert_validity(ca, &from, &to);
	assert_int_equal(from, far - 3600);
	assert_int_equal(to, far + 3650 * DAY);
	assert_int_equal(ca->crt.valid_to.year, 2056);
	req.by.ca = ca;
	req.now = far;
	req.days = 3000;
	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	cert_validity(c, &from, &to);
	assert_int_equal(to, far + 3000 * DAY);
	assert_int_equal(verify(c, ca), 0);
	cert_free(c);
	cert_free(ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(refuses_bad_clients),
		T(refuses_bad_servers),
		T(refuses_an_issuer_that_is_no_ca),
		T(another_ca_is_refused),
		T(each_is_for_its_own_use),
		T(extensions_are_critical_where_they_must),
		T(names_go_in_literally),
		T(largest_subject_fits),
		T(server_names_each_host_once),
		T(a_long_host_is_no_common_name),
		T(issuer_is_the_subject_of_the_ca_byte_for_byte),
		T(serials_are_random_and_positive),
		T(dates_are_fitted),
		T(dates_past_2050_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
