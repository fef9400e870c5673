/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate directory under crashes and company.
 *
 * This program has fsync(2), renameat(2), renameat2(2) and write(2) of its
 * own, which the linker prefers to the C library's: each call counts down, and
 * at zero the process is gone, before or after the call.  So a child can be
 * made to die at every single step, and the next call has to complete what it
 * left.
 */
#include <signal.h>
#include <sys/resource.h>

#include "bundle.h"
#include "cert.h"
#include "certs_crash_fixture.h"
#include "crl_set.h"
#include "ledger.h"
#include "revoke.h"
#include "store.h"

static const char *const hosts[] = { "build.example", "127.0.0.1" };

static enum err
ensure(struct tmp *t, enum store_mode mode, struct store_report *report)
{
	const struct store_request req = {
		.dir = t->dir,
		.mode = mode,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = NOW,
	};
	struct diag d;

	return store_ensure(&req, report, &d);
}

/* ensure() in a process of its own; true if it died of the countdown. */
static bool
dies_at(struct tmp *t, enum store_mode mode, int n, bool after)
{
	struct store_report report;
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		countdown = n;
		die_after = after;
		_exit(ensure(t, mode, &report) == ERR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == DIED) {
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* Is the certificate in the file one that the ledger knows? */
static bool
is_listed(struct tmp *t, const char *path)
{
	struct cert *c = NULL;
	struct ledger l;
	bool is;

	ledger_init(&l);
	assert_int_equal(ledger_load(&l, t->dir, NULL), ERR_OK);
	assert_int_equal(cert_load(path, "", &c, NULL), ERR_OK);
	is = ledger_find_cert(&l, c) != NULL;
	cert_free(c);
	ledger_fini(&l);
	return is;
}

/* All pairs fit, all are under ca.crt, and the ledger knows them. */
static void
assert_whole(struct tmp *t, bool with_client)
{
	static const enum store_file keys[] = { STORE_CA_KEY, STORE_SERVER_KEY,
		STORE_CLIENT_KEY };
	struct cert *ca = NULL, *c = NULL;
	struct key *k = NULL;
	struct rng *r = NULL;
	size_t i;

	assert_int_equal(rng_new(&r), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(t, "ca.crt"), "", &ca, NULL), ERR_OK);
	for (i = 0; i < NELEM(keys) - !with_client; i++) {
		const char *key = store_file_name(keys[i]);
		const char *crt = store_file_name(keys[i] + 1);

		assert_int_equal(
		    key_load(tmp_path(t, key), key, r, &k, NULL), ERR_OK);
		assert_int_equal(
		    cert_load(tmp_path(t, crt), crt, &c, NULL), ERR_OK);
		assert_true(cert_matches_key(c, k, r));
		assert_true(cert_is_under(c, ca));
		assert_true(is_listed(t, tmp_path(t, crt)));
		cert_free(c);
		key_free(k);
	}
	cert_free(ca);
	rng_free(r);
}

/* The texts of all files, one after the other; missing ones are empty. */
static void
snapshot(struct tmp *t, char text[STORE_N_FILES][2048])
{
	int f;

	for (f = 0; f < STORE_N_FILES; f++) {
		const char *name = store_file_name((enum store_file)f);

		text[f][0] = '\0';
		if (tmp_has(t, name)) {
			snprintf(text[f], sizeof(text[f]), "%.2000s",
			    tmp_get(t, name));
		}
	}
}

static void
each_crash_is_completed(enum store_mode mode, bool after)
{
	static char was[STORE_N_FILES][2048], is[STORE_N_FILES][2048];
	struct store_report report;
	struct tmp t;
	int n, f;
	bool died = true;

	for (n = 1; died; n++) {
		tmp_init(&t);
		died = dies_at(&t, mode, n, after);
		snapshot(&t, was);
		assert_int_equal(ensure(&t, mode, &report), ERR_OK);
		assert_whole(&t, mode == STORE_TLSVERIFY);
		snapshot(&t, is);
		for (f = 0; f < STORE_N_FILES; f++) {
			/* what had its name is kept, and nothing is empty */
			if (was[f][0] != '\0') {
				assert_string_equal(was[f], is[f]);
			}
		}
		/* no temporary file is left */
		assert_int_equal(tmp_count(&t), mode == STORE_TLS ? 4 : 6);
		tmp_fini(&t);
		assert_true(n < 1000);
	}
	/* five calls a file at the least: write, write, fsync, name, fsync */
	assert_true(n > (mode == STORE_TLS ? 4 : 6) * 5);
}

static void
a_crash_before_any_step_is_completed(void **state)
{
	(void)state;
	each_crash_is_completed(STORE_TLSVERIFY, false);
	each_crash_is_completed(STORE_TLS, false);
}

static void
a_crash_after_any_step_is_completed(void **state)
{
	(void)state;
	each_crash_is_completed(STORE_TLSVERIFY, true);
}

static struct bundle_request
bundle_of(struct tmp *t, const char *out)
{
	return (struct bundle_request){
		.dir = t->dir,
		.out = out,
		.name = "laptop",
		.days = 3,
		.now = NOW,
	};
}

/* Whatever a client got, the ledger knows, and it can go on. */
static void
a_crash_while_issuing_leaves_nothing_unlisted(void **state)
{
	struct bundle_request req;
	struct bundle_result res;
	struct store_report report;
	int n, status = DIED, after;
	struct tmp t, out;
	pid_t pid;

	(void)state;
	for (after = 0; after < 2; after++, status = DIED) {
		for (n = 1; status == DIED; n++) {
			tmp_init(&t);
			tmp_init(&out);
			assert_int_equal(
			    ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
			req = bundle_of(&t, out.dir);
			pid = fork();
			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				countdown = n;
				die_after = after != 0;
				_exit(bundle_write(&req, &res, NULL) == ERR_OK
					  ? 0
					  : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			status = WEXITSTATUS(status);
			assert_true(status == DIED || status == 0);
			if (tmp_has(&out, "cert.pem")) {
				assert_true(
				    is_listed(&t, tmp_path(&out, "cert.pem")));
			}
			req.out = tmp_path(&out, "again");
			assert_int_equal(
			    bundle_write(&req, &res, NULL), ERR_OK);
			assert_int_equal(tmp_count(&t), 6);
			tmp_fini(&t);
			tmp_fini(&out);
		}
		assert_true(n > 4 * 5);
	}
}

/* Is the client's certificate on the list?  No list: no. */
static enum crl_answer
ask(struct tmp *t, const char *path, enum err *rc)
{
	enum crl_answer answer = CRL_NONE;
	struct crl_set *set = NULL;
	struct cert *c = NULL, *ca = NULL;

	*rc = crl_set_load(t->dir, &set, NULL);
	if (set == NULL) {
		return CRL_NONE;
	}
	assert_int_equal(cert_load(path, "", &c, NULL), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(t, "ca.crt"), "", &ca, NULL), ERR_OK);
	answer = crl_set_look(set, cert_subject(ca), cert_serial(c), NOW);
	cert_free(c);
	cert_free(ca);
	crl_set_free(set);
	return answer;
}

/* Revoked in the ledger means on the list, or a list that is refused. */
static void
assert_no_gap(struct tmp *t, const char *path)
{
	struct cert *c = NULL;
	enum crl_answer answer;
	struct ledger l;
	enum err rc;

	answer = ask(t, path, &rc);
	ledger_init(&l);
	assert_int_equal(ledger_load(&l, t->dir, NULL), ERR_OK);
	assert_int_equal(cert_load(path, "", &c, NULL), ERR_OK);
	if (ledger_find_cert(&l, c)->state == LEDGER_REVOKED) {
		assert_true(rc == ERR_CERT || answer == CRL_REVOKED);
	} else {
		assert_int_equal(rc, ERR_OK);
	}
	cert_free(c);
	ledger_fini(&l);
}

static void
a_crash_while_revoking_leaves_no_gap(void **state)
{
	struct revoke_request req = {
		.what = "laptop", .now = NOW, .days = 30
	};
	struct bundle_request issue;
	struct bundle_result issued;
	struct revoke_result res;
	struct store_report report;
	int n, after, status = DIED;
	struct tmp t, out;
	enum err rc;
	pid_t pid;

	(void)state;
	for (after = 0; after < 2; after++, status = DIED) {
		for (n = 1; status == DIED; n++) {
			tmp_init(&t);
			tmp_init(&out);
			assert_int_equal(
			    ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
			issue = bundle_of(&t, out.dir);
			assert_int_equal(
			    bundle_write(&issue, &issued, NULL), ERR_OK);
			req.dir = t.dir;
			pid = fork();
			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				countdown = n;
				die_after = after != 0;
				_exit(revoke_cert(&req, &res, NULL) == ERR_OK
					  ? 0
					  : 1);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			status = WEXITSTATUS(status);
			assert_true(status == DIED || status == 0);
			assert_no_gap(&t, tmp_path(&out, "cert.pem"));
			assert_int_equal(revoke_cert(&req, &res, NULL), ERR_OK);
			assert_int_equal(
			    ask(&t, tmp_path(&out, "cert.pem"), &rc),
			    CRL_REVOKED);
			assert_int_equal(tmp_count(&t), 7);
			tmp_fini(&t);
			tmp_fini(&out);
		}
		assert_true(n > 2 * 4);
	}
}

static void
two_crashes_are_completed(void **state)
{
	struct store_report report;
	struct tmp t;
	int n;

	(void)state;
	for (n = 1; n < 32; n += 3) {
		tmp_init(&t);
		assert_true(dies_at(&t, STORE_TLSVERIFY, n, false));
		(void)dies_at(&t, STORE_TLSVERIFY, n / 2 + 1, true);
		assert_int_equal(ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
		assert_whole(&t, true);
		assert_int_equal(tmp_count(&t), 6);
		tmp_fini(&t);
	}
}

static void
a_full_disk_leaves_nothing_half(void **state)
{
	struct store_report report;
	struct tmp t;
	pid_t pid;
	int status;

	(void)state;
	tmp_init(&t);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		/* files of 300 bytes at most: keys yes, certificates no */
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 300, 300 });
		_exit(ensure(&t, STORE_TLSVERIFY, &report) == ERR_IO ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(tmp_has(&t, "ca-key.pem"));
	assert_int_equal(tmp_count(&t), 1);
	assert_int_equal(ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
	assert_whole(&t, true);
	tmp_fini(&t);
}

static void
file_systems_without_noreplace_will_do(void **state)
{
	static const int why[] = { EINVAL, ENOSYS };
	struct store_report report;
	struct tmp t;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(why); i++) {
		tmp_init(&t);
		refuse_rename = why[i];
		assert_int_equal(ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
		refuse_rename = 0;
		assert_whole(&t, true);
		assert_int_equal(tmp_count(&t), 6);
		tmp_fini(&t);
	}
}

static void
many_at_once_make_one_directory(void **state)
{
	enum { ROUNDS = 6, PROCESSES = 6 };
	static char was[STORE_N_FILES][2048], is[STORE_N_FILES][2048];
	struct store_report report;
	int round, i, status;
	struct tmp t;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		tmp_init(&t);
		for (i = 0; i < PROCESSES; i++) {
			pid_t pid = fork();

			assert_int_not_equal(pid, -1);
			if (pid == 0) {
				_exit(ensure(&t, (enum store_mode)(i % 2),
					  &report) == ERR_OK
					  ? 0
					  : 1);
			}
		}
		for (i = 0; i < PROCESSES; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, 0);
		}
		assert_whole(&t, true);
		assert_int_equal(tmp_count(&t), 6);
		snapshot(&t, was);
		assert_int_equal(ensure(&t, STORE_TLSVERIFY, &report), ERR_OK);
		assert_int_equal(report.made, 0);
		snapshot(&t, is);
		assert_memory_equal(was, is, sizeof(was));
		tmp_fini(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_before_any_step_is_completed),
		cmocka_unit_test(a_crash_after_any_step_is_completed),
		cmocka_unit_test(a_crash_while_issuing_leaves_nothing_unlisted),
		cmocka_unit_test(a_crash_while_revoking_leaves_no_gap),
		cmocka_unit_test(two_crashes_are_completed),
		cmocka_unit_test(a_full_disk_leaves_nothing_half),
		cmocka_unit_test(file_systems_without_noreplace_will_do),
		cmocka_unit_test(many_at_once_make_one_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
