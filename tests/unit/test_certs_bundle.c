/* SPDX-License-Identifier: Apache-2.0 */
/* A client's three files. */
#include <signal.h>
#include <sys/resource.h>

#include "bundle.h"
#include "cert.h"
#include "certs_fixture.h"
#include "store.h"

static const char *const hosts[] = { "build.example" };

static void
make_store(struct tmp *t)
{
	const struct store_request req = {
		.dir = t->dir,
		.hosts = hosts,
		.n_hosts = 1,
		.now = NOW,
	};
	struct store_report report;

	assert_int_equal(store_ensure(&req, &report, NULL), ERR_OK);
}

static struct bundle_request
request_of(struct tmp *store, const char *out)
{
	return (struct bundle_request){
		.dir = store->dir,
		.out = out,
		.name = "laptop-7",
		.days = 30,
		.now = NOW,
	};
}

static enum err
refused(const struct bundle_request *req, const char *say)
{
	struct bundle_result res;
	struct diag d = { 0, 0, "" };
	enum err rc = bundle_write(req, &res, &d);

	if (rc == ERR_OK || strstr(d.text, say) == NULL) {
		fail_msg("%s: %s", err_tag(rc), d.text);
	}
	return rc;
}

static void
refuses_without_a_ca(void **state)
{
	struct bundle_request req;
	struct tmp store, t;

	(void)state;
	tmp_init(&store);
	tmp_init(&t);
	req = request_of(&store, tmp_path(&t, "out"));
	assert_int_equal(refused(&req, "dinv cert init"), ERR_NOTFOUND);
	make_store(&store);
	assert_int_equal(
	    rename(tmp_path(&store, "ca-key.pem"), tmp_path(&store, "k")), 0);
	assert_int_equal(refused(&req, "no ca-key.pem"), ERR_NOTFOUND);
	tmp_copy(&store, "docker.key", &store, "ca-key.pem");
	assert_int_equal(refused(&req, "does not belong"), ERR_CERT_MISMATCH);
	assert_int_equal(tmp_count(&t), 0);
	tmp_fini(&store);
	tmp_fini(&t);
}

static void
refuses_bad_requests_before_it_writes(void **state)
{
	struct bundle_request req;
	struct tmp store, t;

	(void)state;
	tmp_init(&store);
	tmp_init(&t);
	make_store(&store);
	req = request_of(&store, tmp_path(&t, "out"));
	req.name = "";
	assert_int_equal(refused(&req, "the name"), ERR_CERT_NAME);
	req.name = "a\nb";
	assert_int_equal(refused(&req, "the name"), ERR_CERT_NAME);
	req.name = "a";
	req.days = 0;
	assert_int_equal(refused(&req, "days"), ERR_NUMBER);
	req.days = 1;
	req.out = tmp_path(&t, "no/such");
	assert_int_equal(refused(&req, "cannot be made"), ERR_IO);
	assert_int_equal(tmp_count(&t), 0);
	tmp_fini(&store);
	tmp_fini(&t);
}

static void
replaces_nothing(void **state)
{
	static const char *const names[] = { "key.pem", "ca.pem", "cert.pem" };
	struct bundle_request req;
	struct tmp store, t;
	size_t i;

	(void)state;
	tmp_init(&store);
	make_store(&store);
	for (i = 0; i < NELEM(names); i++) {
		tmp_init(&t);
		req = request_of(&store, t.dir);
		tmp_put(&t, names[i], "mine");
		assert_int_equal(refused(&req, "exists already"), ERR_EXISTS);
		assert_int_equal(refused(&req, names[i]), ERR_EXISTS);
		assert_string_equal(tmp_get(&t, names[i]), "mine");
		assert_int_equal(tmp_count(&t), 1);
		tmp_fini(&t);
	}
	tmp_fini(&store);
}

static void
writes_what_a_client_needs(void **state)
{
	static const char *const units[] = { "team-a", "b, c" };
	struct bundle_request req;
	struct bundle_result res;
	struct cert *ca = NULL, *c = NULL;
	struct key *k = NULL;
	struct rng *r = NULL;
	struct tmp store, t;
	struct stat st;
	char out[64];

	(void)state;
	tmp_init(&store);
	tmp_init(&t);
	make_store(&store);
	stpcpy(out, tmp_path(&t, "out"));
	req = request_of(&store, out);
	req.units = units;
	req.n_units = 2;
	req.org = "Example";
	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
	assert_int_equal(res.expires, NOW + 30 * DAY);
	assert_false(res.cut);
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(tmp_path(&t, "out/key.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(rng_new(&r), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(&t, "out/ca.pem"), "", &ca, NULL), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(&t, "out/cert.pem"), "", &c, NULL), ERR_OK);
	assert_int_equal(
	    key_load(tmp_path(&t, "out/key.pem"), "", r, &k, NULL), ERR_OK);
	assert_true(cert_matches_key(c, k, r));
	assert_true(cert_is_under(c, ca));
	assert_true(cert_is_for(c, CERT_CLIENT));

	/* a second time is refused; past the CA's end is cut */
	assert_int_equal(refused(&req, "exists already"), ERR_EXISTS);
	req.out = tmp_path(&t, "two");
	req.now = NOW + 3640 * DAY;
	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
	assert_true(res.cut);
	cert_free(ca);
	cert_free(c);
	key_free(k);
	rng_free(r);
	tmp_fini(&store);
	tmp_fini(&t);
}

static void
a_key_in_ca_crt_is_not_given_away(void **state)
{
	struct bundle_request req;
	struct bundle_result res;
	struct tmp store, t;

	(void)state;
	tmp_init(&store);
	tmp_init(&t);
	make_store(&store);
	assert_int_equal(
	    tmp_sh(&store, "cat ca-key.pem ca.crt ca-key.pem > x && "
			   "mv x ca.crt"),
	    0);
	req = request_of(&store, t.dir);
	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
	assert_non_null(strstr(tmp_get(&t, "ca.pem"), "BEGIN CERTIFICATE"));
	assert_null(strstr(tmp_get(&t, "ca.pem"), "KEY"));
	tmp_fini(&store);
	tmp_fini(&t);
}

static void
a_failure_half_way_takes_back_what_was_made(void **state)
{
	struct bundle_request req;
	struct bundle_result res;
	struct tmp store, t;
	pid_t pid;
	int status;

	(void)state;
	tmp_init(&store);
	tmp_init(&t);
	make_store(&store);
	assert_int_equal(
	    tmp_sh(&store, "for i in 1 2 3 4 5 6 7 8; do "
			   "cat ca.crt; done > x && mv x ca.crt && "
			   "cp issued.tsv before"),
	    0);
	req = request_of(&store, tmp_path(&t, "out"));
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* files of 3 KiB at most: key and ledger yes, ca.pem no */
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 3072, 3072 });
		_exit(refused(&req, "ca.pem cannot be written: File too") ==
			      ERR_IO
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(tmp_count(&t), 0);
	assert_int_equal(tmp_sh(&store, "cmp before issued.tsv"), 0);
	assert_int_equal(bundle_write(&req, &res, NULL), ERR_OK);
	assert_int_not_equal(tmp_sh(&store, "cmp before issued.tsv"), 0);
	tmp_fini(&store);
	tmp_fini(&t);
}

static void
of_two_who_want_one_directory_one_gets_it(void **state)
{
	struct bundle_request req;
	struct bundle_result res;
	struct cert *c = NULL;
	struct key *k = NULL;
	struct rng *r = NULL;
	struct tmp store, t;
	int round, i, status, won;

	(void)state;
	tmp_init(&store);
	make_store(&store);
	assert_int_equal(rng_new(&r), ERR_OK);
	for (round = 0; round < 8; round++) {
		tmp_init(&t);
		req = request_of(&store, t.dir);
		for (i = 0; i < 3; i++) {
			pid_t pid = fork();

			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				_exit((int)bundle_write(&req, &res, NULL));
			}
		}
		for (i = won = 0; i < 3; i++) {
			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status));
			won += WEXITSTATUS(status) == ERR_OK;
			assert_true(WEXITSTATUS(status) == ERR_OK ||
				    WEXITSTATUS(status) == ERR_EXISTS);
		}
		assert_int_equal(won, 1);
		assert_int_equal(tmp_count(&t), 3);
		assert_int_equal(
		    cert_load(tmp_path(&t, "cert.pem"), "", &c, NULL), ERR_OK);
		assert_int_equal(
		    key_load(tmp_path(&t, "key.pem"), "", r, &k, NULL), ERR_OK);
		assert_true(cert_matches_key(c, k, r));
		cert_free(c);
		key_free(k);
		tmp_fini(&t);
	}
	rng_free(r);
	tmp_fini(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_without_a_ca),
		cmocka_unit_test(refuses_bad_requests_before_it_writes),
		cmocka_unit_test(replaces_nothing),
		cmocka_unit_test(writes_what_a_client_needs),
		cmocka_unit_test(a_key_in_ca_crt_is_not_given_away),
		cmocka_unit_test(a_failure_half_way_takes_back_what_was_made),
		cmocka_unit_test(of_two_who_want_one_directory_one_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
