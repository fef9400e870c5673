/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal and rollover under crashes: whatever the step, what is there serves
 * the clients of before, nobody who was revoked comes back, and doing it
 * again completes it.
 */
#include "bundle.h"
#include "certs_crash_fixture.h"
#include "crl_set.h"
#include "ledger.h"
#include "revoke.h"
#include "rollover.h"
#include "store.h"

static const char *const hosts[] = { "build.example", "127.0.0.1" };

struct scene {
	struct tmp t;	   /* the directory */
	struct tmp client; /* kept/ and gone/, issued before */
};

static struct renew_request
request(struct scene *s)
{
	return (struct renew_request){
		.dir = s->t.dir,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = NOW,
	};
}

static void
issue(struct scene *s, const char *name)
{
	const struct bundle_request req = {
		.dir = s->t.dir,
		.out = tmp_path(&s->client, name),
		.name = name,
		.days = 30,
		.now = NOW,
	};
	struct bundle_result res;

	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
}

static void
scene_init(struct scene *s)
{
	const struct store_request req = {
		.dir = s->t.dir,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = NOW,
	};
	const struct revoke_request gone = {
		.dir = s->t.dir, .what = "gone", .now = NOW, .days = 30
	};
	struct store_report report;
	struct revoke_result res;

	tmp_init(&s->t);
	tmp_init(&s->client);
	assert_int_equal(store_ensure(&req, &report, NULL), ERR_OK);
	issue(s, "kept");
	issue(s, "gone");
	assert_int_equal(revoke_cert(&gone, &res, NULL), ERR_OK);
}

static void
scene_fini(struct scene *s)
{
	tmp_fini(&s->t);
	tmp_fini(&s->client);
}

static struct cert *
load(struct tmp *t, const char *name)
{
	struct cert *c = NULL;

	assert_int_equal(cert_load(tmp_path(t, name), name, &c, NULL), ERR_OK);
	return c;
}

static bool
is_under(struct tmp *t, const char *name, struct tmp *b, const char *ca_name)
{
	struct cert *c = load(t, name), *ca = load(b, ca_name);
	bool is = cert_is_under(c, ca);

	cert_free(c);
	cert_free(ca);
	return is;
}

/* Is who was revoked kept out, by whatever the gate would do now? */
static void
assert_gone(struct scene *s)
{
	struct cert *c = load(&s->client, "gone/cert.pem");
	struct crl_set *set = NULL;

	if (is_under(&s->client, "gone/cert.pem", &s->t, "ca.crt") &&
	    crl_set_load(s->t.dir, &set, NULL) == ERR_OK) {
		assert_non_null(set);
		assert_int_equal(
		    crl_set_look(set, cert_issuer(c), cert_serial(c), NOW),
		    CRL_REVOKED);
		crl_set_free(set);
	}
	cert_free(c);
}

/* The store loads, and the server's pair fits. */
static void
assert_serves(struct scene *s)
{
	const struct store_request req = {
		.dir = s->t.dir,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = NOW,
	};
	struct store_report report;

	assert_int_equal(store_ensure(&req, &report, NULL), ERR_OK);
	assert_int_equal(report.made, 0);
	assert_true(is_under(&s->t, "docker.crt", &s->t, "ca.crt"));
	assert_gone(s);
}

static bool
do_renew(void *arg)
{
	struct renew_request req = request(arg);

	return renew_make(&req, RENEW_SERVER | RENEW_CRL, NULL) == ERR_OK;
}

static bool
do_begin(void *arg)
{
	struct scene *s = arg;

	const struct renew_request req = { .dir = s->t.dir, .now = NOW };

	return rollover_begin(&req, NULL) == ERR_OK;
}

static bool
do_end(void *arg)
{
	struct renew_request req = request(arg);

	return rollover_end(&req, true, NULL) == ERR_OK;
}

static void
a_crash_while_renewing_is_completed(void **state)
{
	struct scene s;
	int n, after, status = DIED;

	(void)state;
	for (after = 0; after < 2; after++, status = DIED) {
		for (n = 1; status == DIED; n++) {
			scene_init(&s);
			status = crash_at(n, after != 0, do_renew, &s);
			assert_true(status == DIED || status == 0);
			assert_serves(&s);
			assert_true(is_under(
			    &s.t, "docker.crt", &s.client, "kept/ca.pem"));
			assert_true(do_renew(&s));
			assert_serves(&s);
			assert_int_equal(tmp_count(&s.t), 7);
			scene_fini(&s);
		}
		assert_true(n > 3 * 5);
	}
}

static void
a_crash_while_beginning_is_completed(void **state)
{
	struct scene s;
	int n, after, status = DIED;

	(void)state;
	for (after = 0; after < 2; after++, status = DIED) {
		for (n = 1; status == DIED; n++) {
			scene_init(&s);
			status = crash_at(n, after != 0, do_begin, &s);
			assert_true(status == DIED || status == 0);
			assert_serves(&s);
			/* those of before: both ways */
			assert_true(is_under(
			    &s.client, "kept/cert.pem", &s.t, "ca.crt"));
			assert_true(is_under(
			    &s.t, "docker.crt", &s.client, "kept/ca.pem"));
			issue(&s, "new");
			assert_true(is_under(
			    &s.client, "new/cert.pem", &s.t, "ca.crt"));
			/* again: it is completed, or it was */
			(void)do_begin(&s);
			assert_true(tmp_has(&s.t, "ca-key-old.pem"));
			assert_false(tmp_has(&s.t, "ca-key-next.pem"));
			assert_serves(&s);
			issue(&s, "newer");
			assert_false(is_under(&s.client, "newer/cert.pem",
			    &s.client, "kept/ca.pem"));
			assert_true(do_end(&s));
			assert_serves(&s);
			scene_fini(&s);
		}
		assert_true(n > 4 * 5);
	}
}

static void
a_crash_while_ending_is_completed(void **state)
{
	struct scene s;
	int n, after, status = DIED;

	(void)state;
	for (after = 0; after < 2; after++, status = DIED) {
		for (n = 1; status == DIED; n++) {
			scene_init(&s);
			assert_true(do_begin(&s));
			issue(&s, "new");
			status = crash_at(n, after != 0, do_end, &s);
			assert_true(status == DIED || status == 0);
			assert_serves(&s);
			assert_true(is_under(
			    &s.client, "new/cert.pem", &s.t, "ca.crt"));
			assert_true(is_under(
			    &s.t, "docker.crt", &s.client, "new/ca.pem"));
			(void)do_end(&s); /* it may have been done */
			assert_false(tmp_has(&s.t, "ca-key-old.pem"));
			assert_serves(&s);
			assert_false(is_under(
			    &s.client, "kept/cert.pem", &s.t, "ca.crt"));
			assert_int_equal(tmp_count(&s.t), 7);
			scene_fini(&s);
		}
		assert_true(n > 3 * 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_while_renewing_is_completed),
		cmocka_unit_test(a_crash_while_beginning_is_completed),
		cmocka_unit_test(a_crash_while_ending_is_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
