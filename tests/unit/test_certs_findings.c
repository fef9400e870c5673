/* SPDX-License-Identifier: Apache-2.0 */
/* What is usable but should be known, and what users supply themselves. */
#include "certs_store_fixture.h"

static void
dates_are_notes(void **state)
{
	struct store_report report;
	struct tmp t;
	struct diag d;

	(void)state;
	tmp_init(&t);
	must(&t, STORE_TLSVERIFY, &report);
	assert_int_equal(report.n_notes, 0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW + 390 * DAY, &report, &d),
	    ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "docker.crt expires at"));
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW + 400 * DAY, &report, &d),
	    ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "docker.crt expired at"));
	assert_true(
	    noted(&report, STORE_NOTE_WARN, "docker-client.crt expired at"));
	assert_false(noted(&report, STORE_NOTE_WARN, "ca.crt expired"));
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW + 4000 * DAY, &report, &d),
	    ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "ca.crt expired at"));
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW - DAY, &report, &d), ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "is the clock right"));

	/* an expired CA makes no client pair, and still that is no failure */
	take_away(&t, LK | LC);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW + 4000 * DAY, &report, &d),
	    ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "no client pair was made"));
	assert_int_equal(report.made, 0);
	/* but it cannot make a server's */
	take_away(&t, SK | SC);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, NOW + 4000 * DAY, &report, &d),
	    ERR_CERT);
	assert_non_null(strstr(d.text, "expired"));
	assert_int_equal(report.made, 0);
	tmp_fini(&t);
}

static void
findings_are_notes(void **state)
{
	struct store_report report;
	struct tmp other, t;

	(void)state;
	tmp_init(&t);
	tmp_init(&other);
	must(&t, STORE_TLSVERIFY, &report);
	must(&other, STORE_TLSVERIFY, &report);

	/* its group may read the server's key, and no other */
	assert_int_equal(chmod(tmp_path(&t, "docker.key"), 0640), 0);
	assert_int_equal(chmod(tmp_path(&t, "ca-key.pem"), 0640), 0);
	must(&t, STORE_TLSVERIFY, &report);
	assert_false(noted(&report, STORE_NOTE_WARN, "docker.key"));
	assert_true(noted(&report, STORE_NOTE_WARN,
	    "ca-key.pem is open to others (mode 0640)"));
	assert_int_equal(chmod(tmp_path(&t, "ca-key.pem"), 0600), 0);
	assert_int_equal(chmod(tmp_path(&t, "docker.key"), 0644), 0);
	must(&t, STORE_TLSVERIFY, &report);
	assert_true(noted(&report, STORE_NOTE_WARN,
	    "docker.key is open to others (mode 0644)"));
	assert_int_equal(report.n_notes, 1);

	tmp_copy(&other, "docker-client.crt", &t, "docker-client.crt");
	must(&t, STORE_TLSVERIFY, &report);
	assert_true(
	    noted(&report, STORE_NOTE_WARN, "docker-client.crt is not"));

	tmp_put(&t, "docker-client.crt", "junk");
	must(&t, STORE_TLSVERIFY, &report);
	assert_true(
	    noted(&report, STORE_NOTE_WARN, "docker-client.crt is not a cert"));

	/* somebody else's server pair, and no CA key: as users supply it */
	take_away(&t, LK | LC | CK);
	tmp_copy(&other, "docker.crt", &t, "docker.crt");
	tmp_copy(&other, "docker.key", &t, "docker.key");
	must(&t, STORE_TLSVERIFY, &report);
	assert_int_equal(report.made, 0);
	assert_true(noted(&report, STORE_NOTE_INFO, "not issued by ca.crt"));
	assert_true(noted(&report, STORE_NOTE_INFO, "no client pair was made"));
	tmp_fini(&t);
	tmp_fini(&other);
}

static void
unnamed_hosts_are_noted(void **state)
{
	static const char *const more[] = { "build.example", "10.9.8.7",
		"other.example" };
	struct store_report report;
	struct store_request req = { .hosts = more, .n_hosts = 3, .now = NOW };
	struct diag d;
	struct tmp t;

	(void)state;
	tmp_init(&t);
	must(&t, STORE_TLSVERIFY, &report);
	req.dir = t.dir;
	assert_int_equal(store_ensure(&req, &report, &d), ERR_OK);
	assert_true(noted(&report, STORE_NOTE_INFO,
	    "does not name: 10.9.8.7, other.example"));
	tmp_fini(&t);
}

/* Runs f as a user that owns nothing; its exit status. */
static int
as_nobody(int (*f)(struct tmp *), struct tmp *t)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (setgid(65534) == -1 || setuid(65534) == -1) {
			_exit(99);
		}
		_exit(f(t));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int
reads_only(struct tmp *t)
{
	struct store_report report;
	struct diag d;

	if (ensure(t, STORE_TLSVERIFY, &report, &d) != ERR_OK) {
		return 1;
	}
	return noted(&report, STORE_NOTE_INFO, "no client pair was made") ? 0
									  : 2;
}

static int
cannot_write(struct tmp *t)
{
	struct store_report report;
	struct diag d;

	if (ensure(t, STORE_TLSVERIFY, &report, &d) != ERR_IO) {
		return 1;
	}
	return strstr(d.text, "cannot be written to: Permission denied") != NULL
		   ? 0
		   : 2;
}

static int
cannot_read_ca_key(struct tmp *t)
{
	struct store_report report;
	struct diag d;

	if (ensure(t, STORE_TLSVERIFY, &report, &d) != ERR_OK) {
		return 1;
	}
	return noted(&report, STORE_NOTE_INFO, "ca-key.pem may not be read")
		   ? 0
		   : 2;
}

static int
cannot_read_server_key(struct tmp *t)
{
	struct store_report report;
	struct diag d;

	if (ensure(t, STORE_TLSVERIFY, &report, &d) != ERR_IO) {
		return 1;
	}
	return strstr(d.text, "docker.key: Permission denied") != NULL ? 0 : 2;
}

static void
a_read_only_directory_will_do(void **state)
{
	struct store_report report;
	struct tmp t;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	tmp_init(&t);
	must(&t, STORE_TLSVERIFY, &report);
	assert_int_equal(unlink(tmp_path(&t, ".dinv.lock")), 0);
	assert_int_equal(chmod(t.dir, 0555), 0);
	assert_int_equal(as_nobody(cannot_read_server_key, &t), 0);
	assert_int_equal(chmod(tmp_path(&t, "docker.key"), 0644), 0);
	assert_int_equal(as_nobody(cannot_read_ca_key, &t), 0);
	take_away(&t, LK | LC);
	assert_int_equal(as_nobody(reads_only, &t), 0);
	take_away(&t, SC | SK);
	assert_int_equal(as_nobody(cannot_write, &t), 0);
	assert_false(tmp_has(&t, ".dinv.lock"));
	tmp_fini(&t);
}

static void
supplied_files_are_taken(void **state)
{
	struct store_report report;
	struct tmp t;
	struct diag d;

	(void)state;
	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	/* an RSA CA, an intermediate, a server under it: a chain file */
	assert_int_equal(
	    tmp_sh(&t,
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout rk -out "
		"ca.crt "
		"-subj /CN=root -days 999 && "
		"openssl req -newkey rsa:2048 -nodes -keyout ik -out ir "
		"-subj /CN=mid && "
		"echo basicConstraints=critical,CA:TRUE > ext && "
		"openssl x509 -req -in ir -CA ca.crt -CAkey rk -CAcreateserial "
		"-extfile ext -days 900 -out ic && "
		"openssl req -newkey rsa:2048 -nodes -keyout docker.key -out "
		"sr "
		"-subj /CN=srv && "
		"printf 'subjectAltName=DNS:build.example,IP:127.0.0.1\n"
		"extendedKeyUsage=serverAuth' > ext && "
		"openssl x509 -req -in sr -CA ic -CAkey ik -CAcreateserial "
		"-extfile ext -days 800 -out sc && "
		"cat sc ic > docker.crt && chmod 600 docker.key"),
	    0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d), ERR_OK);
	assert_int_equal(report.made, 0);
	assert_int_equal(report.n_notes, 1); /* no client pair */

	/* the chain the wrong way round */
	assert_int_equal(tmp_sh(&t, "cat ic sc > docker.crt"), 0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d),
	    ERR_CERT_MISMATCH);
	assert_int_equal(tmp_sh(&t, "cat sc ic > docker.crt"), 0);

	/* keys with a passphrase, in both forms */
	assert_int_equal(tmp_sh(&t, "cp docker.key plain && openssl rsa "
				    "-aes128 -traditional -passout pass:x "
				    "-in plain -out docker.key"),
	    0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d), ERR_KEY);
	assert_non_null(strstr(d.text, "docker.key has a passphrase"));
	assert_int_equal(tmp_sh(&t, "openssl pkey -aes128 -passout pass:x "
				    "-in plain -out docker.key"),
	    0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d), ERR_KEY);
	assert_non_null(strstr(d.text, "docker.key has a passphrase"));

	/* with the CA key: the client pair is made under the RSA CA */
	assert_int_equal(tmp_sh(&t, "cat plain > docker.key && "
				    "cp rk ca-key.pem"),
	    0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d), ERR_OK);
	assert_int_equal(report.made, LK | LC);
	assert_int_equal(tmp_sh(&t, "openssl verify -purpose sslclient -CAfile "
				    "ca.crt docker-client.crt"),
	    0);
	/* one without alternative names is noted */
	assert_int_equal(tmp_sh(&t, "openssl x509 -req -in sr -CA ic -CAkey ik "
				    "-days 800 -out docker.crt"),
	    0);
	assert_int_equal(
	    ensure_at(&t, STORE_TLSVERIFY, time(NULL), &report, &d), ERR_OK);
	assert_true(noted(&report, STORE_NOTE_WARN, "alternative name"));
	tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_notes),
		cmocka_unit_test(findings_are_notes),
		cmocka_unit_test(unnamed_hosts_are_noted),
		cmocka_unit_test(a_read_only_directory_will_do),
		cmocka_unit_test(supplied_files_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
