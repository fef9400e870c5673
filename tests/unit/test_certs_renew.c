/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal of the server's and of clients' certificates, and of the CA. */
#include "bundle.h"
#include "certs_store_fixture.h"
#include "crl_set.h"
#include "ledger.h"
#include "renew_client.h"
#include "revoke.h"
#include "rollover.h"

static struct renew_request
at(struct tmp *t, time_t now)
{
	return (struct renew_request){
		.dir = t->dir,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = now,
	};
}

static void
make_store(struct tmp *t)
{
	struct store_report report;

	tmp_init(t);
	must(t, STORE_TLSVERIFY, &report);
}

static struct cert *
load(struct tmp *t, const char *name)
{
	struct cert *c = NULL;

	assert_int_equal(cert_load(tmp_path(t, name), name, &c, NULL), ERR_OK);
	return c;
}

/* Is the certificate of one file under those of another? */
static bool
under(struct tmp *a, const char *name, struct tmp *b, const char *ca_name)
{
	struct cert *c = load(a, name), *ca = load(b, ca_name);
	bool is = cert_is_under(c, ca);

	cert_free(c);
	cert_free(ca);
	return is;
}

static enum err
renew(struct tmp *t, unsigned what, time_t now, struct diag *d)
{
	struct renew_request req = at(t, now);

	d->text[0] = '\0';
	return renew_make(&req, what, d);
}

static enum err
begin_rollover(struct tmp *t, struct diag *d)
{
	struct renew_request req = at(t, NOW);

	return rollover_begin(&req, d);
}

static unsigned
due(struct tmp *t, time_t now)
{
	struct renew_request req = at(t, now);

	return renew_due(&req);
}

static void
is_due_when_it_should_be(void **state)
{
	static const char *const more[] = { "build.example", "new.example" };
	struct renew_request req;
	struct store_report report;
	struct revoke_result res;
	struct tmp t;

	(void)state;
	make_store(&t);
	assert_int_equal(due(&t, NOW), 0);
	assert_int_equal(due(&t, NOW + 365 * DAY), 0);
	assert_int_equal(due(&t, NOW + 367 * DAY), RENEW_SERVER);
	assert_int_equal(due(&t, NOW + 500 * DAY), RENEW_SERVER);
	req = at(&t, NOW);
	req.hosts = more;
	assert_int_equal(renew_due(&req), RENEW_SERVER);
	/* the list, with half of its time left */
	const struct revoke_request revoke_req = {
		.dir = t.dir,
		.what = "docker-client",
		.now = NOW,
		.days = 90,
	};

	assert_int_equal(revoke_cert(&revoke_req, &res, NULL), ERR_OK);
	assert_int_equal(due(&t, NOW + 44 * DAY), 0);
	assert_int_equal(due(&t, NOW + 46 * DAY), RENEW_CRL);
	/* what was not made here never is */
	take_away(&t, SC);
	assert_int_equal(due(&t, NOW), 0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW, &report, &(struct diag){ 0 }),
	    ERR_OK);
	assert_int_equal(due(&t, NOW + 367 * DAY), RENEW_SERVER | RENEW_CRL);
	assert_int_equal(unlink(tmp_path(&t, "issued.tsv")), 0);
	assert_int_equal(due(&t, NOW + 367 * DAY), 0);
	tmp_fini(&t);
}

static void
keeps_key_and_names(void **state)
{
	static const char *const other[] = { "10.9.8.7" };
	static const char *const all[] = { "build.example", "127.0.0.1",
		"10.9.8.7" };
	struct renew_request req;
	char key[4096];
	struct cert *c;
	struct host h;
	struct tmp t;
	time_t from, to;
	size_t i;

	(void)state;
	make_store(&t);
	snprintf(key, sizeof(key), "%.4000s", tmp_get(&t, "docker.key"));
	req = at(&t, NOW + 370 * DAY);
	req.hosts = other;
	req.n_hosts = 1;
	assert_int_equal(renew_make(&req, RENEW_SERVER, NULL), ERR_OK);
	assert_string_equal(key, tmp_get(&t, "docker.key"));
	c = load(&t, "docker.crt");
	cert_validity(c, &from, &to);
	assert_int_equal(to, NOW + (370 + 396) * DAY);
	for (i = 0; i < NELEM(all); i++) {
		assert_int_equal(host_parse(all[i], &h, NULL), ERR_OK);
		assert_true(cert_names_host(c, &h));
	}
	cert_free(c);
	assert_true(under(&t, "docker.crt", &t, "ca.crt"));
	assert_int_equal(due(&t, NOW + 370 * DAY), 0);
	tmp_fini(&t);
}

static void
too_many_names_are_not_due_for_ever(void **state)
{
	enum { N = 200 };
	static char text[N][32];
	const char *many[N];
	struct renew_request req;
	struct tmp t;
	size_t i;

	(void)state;
	make_store(&t);
	for (i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "h%zu.example", i);
		many[i] = text[i];
	}
	req = at(&t, NOW);
	req.hosts = many;
	req.n_hosts = N;
	assert_int_equal(renew_due(&req), RENEW_SERVER);
	assert_int_equal(renew_make(&req, RENEW_SERVER, NULL), ERR_OK);
	assert_int_equal(renew_due(&req), 0);
	tmp_fini(&t);
}

static void
replaces_nothing_that_was_not_made_here(void **state)
{
	char was[4096];
	struct tmp t, other;
	struct diag d;

	(void)state;
	make_store(&t);
	make_store(&other);
	tmp_copy(&other, "docker.crt", &t, "docker.crt");
	tmp_copy(&other, "docker.key", &t, "docker.key");
	snprintf(was, sizeof(was), "%.4000s", tmp_get(&t, "docker.crt"));
	assert_int_equal(renew(&t, RENEW_SERVER, NOW, &d), ERR_EXISTS);
	assert_non_null(strstr(d.text, "was not made here"));
	assert_string_equal(was, tmp_get(&t, "docker.crt"));
	/* a CA that was put there is not replaced either */
	tmp_copy(&other, "ca.crt", &t, "ca.crt");
	tmp_copy(&other, "ca-key.pem", &t, "ca-key.pem");
	assert_int_equal(begin_rollover(&t, &d), ERR_EXISTS);
	assert_non_null(strstr(d.text, "was not made here"));
	/* and without the CA's key there is nothing to be done */
	take_away(&other, CK);
	assert_int_equal(renew(&other, RENEW_SERVER, NOW, &d), ERR_NOTFOUND);
	assert_non_null(strstr(d.text, "where that key is"));
	tmp_fini(&t);
	tmp_fini(&other);
}

static void
issue_laptop(struct tmp *t, const char *out)
{
	static const char *const units[] = { "a", "b" };
	const struct bundle_request req = {
		.dir = t->dir,
		.out = out,
		.name = "laptop",
		.units = units,
		.n_units = 2,
		.org = "O",
		.days = 30,
		.now = NOW,
	};
	struct bundle_result res;

	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
}

static enum err
renew_laptop(struct tmp *t, const char *out, const char *name, struct diag *d)
{
	const struct renew_client_request req = {
		.dir = t->dir,
		.name = name,
		.out = out,
		.hours = 5,
		.now = NOW + 29 * DAY,
	};
	struct bundle_result res = { 0, false };
	enum err rc;

	d->text[0] = '\0';
	rc = renew_client(&req, &res, d);
	if (rc == ERR_OK) {
		assert_int_equal(res.expires, NOW + 29 * DAY + 5 * 3600);
		assert_false(res.cut);
	}
	return rc;
}

static void
a_client_is_renewed_with_its_key(void **state)
{
	struct revoke_request revoke_req = {
		.what = "laptop", .now = NOW, .days = 9
	};
	struct revoke_result res;
	struct ledger l;
	struct tmp t, out, other;
	char key[4096];
	struct diag d;

	(void)state;
	make_store(&t);
	tmp_init(&out);
	tmp_init(&other);
	issue_laptop(&t, out.dir);
	issue_laptop(&t, other.dir);
	snprintf(key, sizeof(key), "%.4000s", tmp_get(&out, "key.pem"));
	assert_int_equal(renew_laptop(&t, out.dir, "laptop", &d), ERR_OK);
	assert_string_equal(key, tmp_get(&out, "key.pem"));
	assert_true(under(&out, "cert.pem", &t, "ca.crt"));
	ledger_init(&l);
	assert_int_equal(ledger_load(&l, t.dir, NULL), ERR_OK);
	assert_int_equal(l.n, 6);
	assert_true(span_is(l.entry[5].units, "a\tb"));
	assert_true(span_is(l.entry[5].org, "O"));
	ledger_fini(&l);

	assert_int_equal(
	    renew_laptop(&t, out.dir, "other", &d), ERR_CERT_MISMATCH);
	assert_int_equal(renew_laptop(&t, t.dir, "laptop", &d), ERR_NOTFOUND);
	assert_non_null(strstr(d.text, "cert issue"));
	tmp_copy(&other, "cert.pem", &out, "cert.pem");
	assert_int_equal(
	    renew_laptop(&t, out.dir, "laptop", &d), ERR_CERT_MISMATCH);
	assert_non_null(strstr(d.text, "not the key of"));
	revoke_req.dir = t.dir;
	assert_int_equal(revoke_cert(&revoke_req, &res, NULL), ERR_OK);
	assert_int_equal(res.revoked, 3);
	assert_int_equal(renew_laptop(&t, other.dir, "laptop", &d), ERR_CERT);
	assert_non_null(strstr(d.text, "was revoked"));
	tmp_fini(&t);
	tmp_fini(&out);
	tmp_fini(&other);
}

static void
a_rollover_serves_clients_of_both(void **state)
{
	struct revoke_request revoke_req = {
		.what = "gone", .now = NOW, .days = 9
	};
	struct bundle_request issue;
	struct renew_request req;
	struct revoke_result res;
	struct bundle_result issued;
	struct tmp t, old, fresh;
	struct crl_set *set = NULL;
	struct diag d = { 0, 0, "" };

	(void)state;
	make_store(&t);
	tmp_init(&old);
	tmp_init(&fresh);
	issue_laptop(&t, old.dir);
	issue = (struct bundle_request){ .dir = t.dir,
		.out = tmp_path(&fresh, "gone"),
		.name = "gone",
		.days = 9,
		.now = NOW };
	assert_int_equal(bundle_write(&issue, &issued, NULL), ERR_OK);
	revoke_req.dir = t.dir;
	assert_int_equal(revoke_cert(&revoke_req, &res, NULL), ERR_OK);
	req = at(&t, NOW);
	assert_int_equal(rollover_end(&req, false, &d), ERR_NOTFOUND);

	assert_int_equal(begin_rollover(&t, &d), ERR_OK);
	assert_int_equal(begin_rollover(&t, &d), ERR_EXISTS);
	assert_non_null(strstr(d.text, "under way"));
	issue.name = "new";
	issue.out = tmp_path(&fresh, "new");
	assert_int_equal(bundle_write(&issue, &issued, NULL), ERR_OK);
	/* both ways, for the old and for the new */
	assert_true(under(&old, "cert.pem", &t, "ca.crt"));
	assert_true(under(&fresh, "new/cert.pem", &t, "ca.crt"));
	assert_true(under(&t, "docker.crt", &old, "ca.pem"));
	assert_true(under(&t, "docker.crt", &fresh, "new/ca.pem"));
	assert_false(under(&fresh, "new/cert.pem", &old, "ca.pem"));
	assert_int_equal(crl_set_load(t.dir, &set, &d), ERR_OK);
	assert_int_equal(crl_set_count(set), 1);
	crl_set_free(set);
	/* the server is renewed by the CA that everybody knows */
	assert_int_equal(renew(&t, RENEW_SERVER, NOW, &d), ERR_OK);
	assert_true(under(&t, "docker.crt", &old, "ca.pem"));

	assert_int_equal(rollover_end(&req, false, &d), ERR_EXISTS);
	assert_non_null(strstr(d.text, "2 certificates of the old CA"));
	assert_int_equal(renew_laptop(&t, old.dir, "laptop", &d), ERR_OK);
	assert_int_equal(renew_laptop(&t, NULL, "docker-client", &d), ERR_OK);
	assert_true(tmp_has(&t, "ca-key-old.pem"));
	req.now = NOW + 29 * DAY;
	assert_int_equal(rollover_end(&req, false, &d), ERR_OK);
	assert_false(tmp_has(&t, "ca-key-old.pem"));
	assert_true(under(&old, "cert.pem", &t, "ca.crt"));
	assert_true(under(&t, "docker.crt", &t, "ca.crt"));
	assert_true(under(&t, "docker.crt", &old, "ca.pem"));
	assert_false(under(&fresh, "gone/cert.pem", &t, "ca.crt"));
	assert_int_equal(crl_set_load(t.dir, &set, &d), ERR_OK);
	assert_int_equal(crl_set_count(set), 0);
	crl_set_free(set);
	tmp_fini(&t);
	tmp_fini(&old);
	tmp_fini(&fresh);
}

static void
anyway_locks_out(void **state)
{
	struct renew_request req;
	struct tmp t;

	(void)state;
	make_store(&t);
	req = at(&t, NOW);
	assert_int_equal(begin_rollover(&t, NULL), ERR_OK);
	assert_int_equal(rollover_end(&req, true, NULL), ERR_OK);
	assert_false(under(&t, "docker-client.crt", &t, "ca.crt"));
	assert_true(under(&t, "docker.crt", &t, "ca.crt"));
	tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_due_when_it_should_be),
		cmocka_unit_test(keeps_key_and_names),
		cmocka_unit_test(too_many_names_are_not_due_for_ever),
		cmocka_unit_test(replaces_nothing_that_was_not_made_here),
		cmocka_unit_test(a_client_is_renewed_with_its_key),
		cmocka_unit_test(a_rollover_serves_clients_of_both),
		cmocka_unit_test(anyway_locks_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
