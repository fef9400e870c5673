/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate directory: every state it can be in, refusals first. */
#include "cert.h"
#include "certs_fixture.h"
#include "plan.h"
#include "store.h"

static const char *const hosts[] = { "build.example", "127.0.0.1" };

#define CK BIT(STORE_CA_KEY)
#define CC BIT(STORE_CA_CERT)
#define SK BIT(STORE_SERVER_KEY)
#define SC BIT(STORE_SERVER_CERT)
#define LK BIT(STORE_CLIENT_KEY)
#define LC BIT(STORE_CLIENT_CERT)
#define ALL (CK | CC | SK | SC | LK | LC)

static enum err
ensure_at(struct tmp *t, enum store_mode mode, time_t now,
    struct store_report *report, struct diag *d)
{
	const struct store_request req = {
		.dir = t->dir,
		.mode = mode,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = now,
	};

	d->text[0] = '\0';
	return store_ensure(&req, report, d);
}

static enum err
ensure(struct tmp *t, enum store_mode mode, struct store_report *report,
    struct diag *d)
{
	return ensure_at(t, mode, NOW, report, d);
}

/* Fails with the report's and the diagnosis' own words. */
static void
must(struct tmp *t, enum store_mode mode, struct store_report *report)
{
	struct diag d;
	enum err rc = ensure(t, mode, report, &d);

	if (rc != ERR_OK) {
		fail_msg("%s: %s", err_tag(rc), d.text);
	}
}

static bool
noted(const struct store_report *report, enum store_note_kind kind,
    const char *part)
{
	size_t i;

	for (i = 0; i < report->n_notes; i++) {
		if (report->note[i].kind == kind &&
		    strstr(report->note[i].text, part) != NULL) {
			return true;
		}
	}
	return false;
}

static void
take_away(struct tmp *t, unsigned files)
{
	int f;

	for (f = 0; f < STORE_N_FILES; f++) {
		if ((files & BIT(f)) != 0) {
			(void)unlink(
			    tmp_path(t, store_file_name((enum store_file)f)));
		}
	}
}

static bool
pair_is_good(struct tmp *t, enum store_file key_file, enum cert_use use)
{
	struct cert *ca = NULL, *c = NULL;
	struct key *k = NULL;
	struct rng *r = NULL;
	bool ok;

	assert_int_equal(rng_new(&r), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(t, "ca.crt"), "ca.crt", &ca, NULL), ERR_OK);
	assert_int_equal(
	    cert_load(tmp_path(t, store_file_name(key_file + 1)), "", &c, NULL),
	    ERR_OK);
	assert_int_equal(
	    key_load(tmp_path(t, store_file_name(key_file)), "", r, &k, NULL),
	    ERR_OK);
	ok = cert_matches_key(c, k, r) && cert_is_for(c, use) &&
	     cert_is_under(c, ca);
	cert_free(ca);
	cert_free(c);
	key_free(k);
	rng_free(r);
	return ok;
}

/*
 * What is there, the mode, the files that are made.  REFUSED: nothing is
 * made, and the way out is told.
 */
#define REFUSED (~0u)
static const struct {
	unsigned have;
	enum store_mode mode;
	unsigned made;
} states[] = {
	/* a certificate without its key */
	{ ALL & ~SK, STORE_TLSVERIFY, REFUSED },
	{ ALL & ~SK, STORE_TLS, REFUSED },
	{ SC, STORE_TLSVERIFY, REFUSED },
	{ SC, STORE_TLS, REFUSED },
	{ CC | SC, STORE_TLSVERIFY, REFUSED },
	/* the clients' CA is not known */
	{ ALL & ~CC, STORE_TLSVERIFY, REFUSED },
	{ SC | SK, STORE_TLSVERIFY, REFUSED },
	{ SC | SK | CK, STORE_TLSVERIFY, REFUSED },
	{ LC, STORE_TLSVERIFY, REFUSED },
	{ LC | LK | CK, STORE_TLSVERIFY, REFUSED },
	{ LC | LK | CK, STORE_TLS, REFUSED },
	/* a CA that cannot sign, and no server pair */
	{ CC, STORE_TLSVERIFY, REFUSED },
	{ CC, STORE_TLS, REFUSED },
	{ CC | SK, STORE_TLSVERIFY, REFUSED },
	{ CC | SK, STORE_TLS, REFUSED },
	{ CC | LC | LK, STORE_TLSVERIFY, REFUSED },
	/* somebody's key without its certificate */
	{ SK, STORE_TLSVERIFY, REFUSED },
	{ SK, STORE_TLS, REFUSED },
	/* complete */
	{ ALL, STORE_TLSVERIFY, 0 },
	{ ALL, STORE_TLS, 0 },
	{ ALL & ~LK, STORE_TLSVERIFY, 0 },
	{ SC | SK, STORE_TLS, 0 },
	{ CC | SC | SK, STORE_TLS, 0 },
	{ CC | SC | SK, STORE_TLSVERIFY, 0 }, /* supplied */
	{ CC | SC | SK | LC, STORE_TLSVERIFY, 0 },
	{ CC | SC | SK | LK, STORE_TLSVERIFY, 0 },
	{ ALL & ~CK, STORE_TLSVERIFY, 0 },
	/* every beginning of the order of writing */
	{ 0, STORE_TLSVERIFY, ALL },
	{ CK, STORE_TLSVERIFY, ALL & ~CK },
	{ CK | CC, STORE_TLSVERIFY, SK | SC | LK | LC },
	{ CK | CC | SK, STORE_TLSVERIFY, SC | LK | LC },
	{ CK | CC | SK | SC, STORE_TLSVERIFY, LK | LC },
	{ ALL & ~LC, STORE_TLSVERIFY, LC },
	{ 0, STORE_TLS, CK | CC | SK | SC },
	{ CK, STORE_TLS, CC | SK | SC },
	{ CK | CC, STORE_TLS, SK | SC },
	{ CK | CC | SK, STORE_TLS, SC },
	/* holes that the CA key fills */
	{ CK | CC | LK | LC, STORE_TLSVERIFY, SK | SC },
	{ CK | CC | LC, STORE_TLSVERIFY, SK | SC },
	{ CK | SK, STORE_TLSVERIFY, CC | SC | LK | LC },
	{ LK, STORE_TLSVERIFY, CK | CC | SK | SC | LC },
};

static void
every_state_is_refused_or_completed(void **state)
{
	struct store_report report;
	struct tmp full, t;
	struct diag d;
	enum err rc;
	size_t i;
	int f;

	(void)state;
	tmp_init(&full);
	must(&full, STORE_TLSVERIFY, &report);
	for (i = 0; i < NELEM(states); i++) {
		tmp_init(&t);
		for (f = 0; f < STORE_N_FILES; f++) {
			const char *name = store_file_name((enum store_file)f);

			if ((states[i].have & BIT(f)) != 0) {
				tmp_copy(&full, name, &t, name);
				assert_int_equal(
				    chmod(tmp_path(&t, name), 0600), 0);
			}
		}
		rc = ensure(&t, states[i].mode, &report, &d);
		if (states[i].made == REFUSED) {
			if (rc != ERR_CERT_STORE || report.made != 0) {
				fail_msg("state %zu: %s", i, err_tag(rc));
			}
			assert_non_null(strstr(d.text, "here"));
			assert_non_null(strstr(d.text, t.dir));
			assert_true(strlen(d.text) < sizeof(d.text) - 1);
		} else if (rc != ERR_OK || report.made != states[i].made) {
			fail_msg(
			    "state %zu: %s made %#x", i, d.text, report.made);
		} else {
			assert_int_equal(
			    report.present, states[i].have | states[i].made);
		}
		for (f = 0; f < STORE_N_FILES; f++) {
			const char *name = store_file_name((enum store_file)f);
			char was[4096];

			assert_int_equal(
			    tmp_has(&t, name), (report.present & BIT(f)) != 0);
			if ((states[i].have & BIT(f)) != 0) {
				stpcpy(was, tmp_get(&full, name));
				assert_string_equal(tmp_get(&t, name), was);
			}
		}
		tmp_fini(&t);
	}
	tmp_fini(&full);
}

/* For all 128 states and modes: a plan, once carried out, is final. */
static void
no_plan_needs_a_second(void **state)
{
	unsigned have, make, again;
	int mode;

	(void)state;
	for (mode = 0; mode < 2; mode++) {
		for (have = 0; have <= ALL; have++) {
			if (plan_make(have, (enum store_mode)mode, &make,
				NULL) != ERR_OK) {
				continue;
			}
			assert_int_equal(make & have, 0);
			have |= make;
			assert_int_equal(plan_make(have, (enum store_mode)mode,
					     &again, NULL),
			    ERR_OK);
			assert_int_equal(again, 0);
			assert_int_equal(have & (SK | SC), SK | SC);
			assert_true(mode == STORE_TLS || (have & CC) != 0);
			have &= ~make;
		}
	}
}

static void
makes_pairs_that_fit(void **state)
{
	static const mode_t modes[STORE_N_FILES] = { 0600, 0644, 0600, 0644,
		0600, 0644 };
	struct store_report report;
	struct store_paths paths;
	struct stat st;
	struct tmp t;
	mode_t old = umask(0277);
	int f;

	(void)state;
	tmp_init(&t);
	umask(0077);
	must(&t, STORE_TLSVERIFY, &report);
	umask(old);
	assert_int_equal(report.made, ALL);
	assert_int_equal(report.n_notes, 0);
	assert_int_equal(tmp_count(&t), STORE_N_FILES);
	assert_true(pair_is_good(&t, STORE_SERVER_KEY, CERT_SERVER));
	assert_true(pair_is_good(&t, STORE_CLIENT_KEY, CERT_CLIENT));
	for (f = 0; f < STORE_N_FILES; f++) {
		assert_int_equal(
		    stat(
			tmp_path(&t, store_file_name((enum store_file)f)), &st),
		    0);
		assert_int_equal(st.st_mode & 07777, modes[f]);
	}
	assert_int_equal(store_paths(t.dir, &paths), ERR_OK);
	assert_string_equal(paths.ca, tmp_path(&t, "ca.crt"));
	assert_string_equal(paths.server_cert, tmp_path(&t, "docker.crt"));
	assert_string_equal(paths.server_key, tmp_path(&t, "docker.key"));
	tmp_fini(&t);
}

static void
tls_alone_makes_no_client_and_can_be_extended(void **state)
{
	struct store_report report;
	struct tmp t;

	(void)state;
	tmp_init(&t);
	must(&t, STORE_TLS, &report);
	assert_int_equal(report.made, CK | CC | SK | SC);
	must(&t, STORE_TLSVERIFY, &report);
	assert_int_equal(report.made, LK | LC);
	assert_true(pair_is_good(&t, STORE_CLIENT_KEY, CERT_CLIENT));
	tmp_fini(&t);
}

/* which file is replaced by which of another directory, and what is said */
static const struct {
	const char *file;
	const char *with;
	enum err want;
	const char *say;
} swaps[] = {
	{ "docker.key", "docker.key", ERR_CERT_MISMATCH, "docker.key is not" },
	{ "docker.crt", "docker.crt", ERR_CERT_MISMATCH, "docker.key is not" },
	{ "ca-key.pem", "ca-key.pem", ERR_CERT_MISMATCH, "ca-key.pem is not" },
	{ "ca.crt", "ca.crt", ERR_CERT_MISMATCH, "ca-key.pem is not" },
	{ "docker.key", "docker.crt", ERR_KEY, "docker.key is not a private" },
	{ "docker.crt", "docker.key", ERR_CERT, "docker.crt is not a cert" },
	{ "ca.crt", "ca-key.pem", ERR_CERT, "ca.crt is not a certificate" },
	{ "ca-key.pem", "ca.crt", ERR_KEY, "ca-key.pem is not a private" },
};

static void
refuses_files_that_do_not_fit(void **state)
{
	struct store_report report;
	struct tmp other, t;
	struct diag d;
	size_t i;

	(void)state;
	tmp_init(&other);
	must(&other, STORE_TLSVERIFY, &report);
	for (i = 0; i < NELEM(swaps); i++) {
		tmp_init(&t);
		must(&t, STORE_TLSVERIFY, &report);
		/* with something to make as well: it must not be made */
		take_away(&t, LK | LC);
		tmp_copy(&other, swaps[i].with, &t, swaps[i].file);
		if (ensure(&t, STORE_TLSVERIFY, &report, &d) != swaps[i].want ||
		    strstr(d.text, swaps[i].say) == NULL) {
			fail_msg("swap %zu: %s", i, d.text);
		}
		assert_int_equal(report.made, 0);
		tmp_fini(&t);
	}
	tmp_fini(&other);
}

static void
refuses_broken_files(void **state)
{
	static const char *const broken[] = { "", "junk",
		"-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n",
		"-----BEGIN EC PRIVATE KEY-----\nAAAA\n"
		"-----END EC PRIVATE KEY-----\n" };
	static const char *const files[] = { "docker.crt", "docker.key",
		"ca.crt", "ca-key.pem" };
	struct store_report report;
	struct tmp t;
	struct diag d;
	size_t i, j;

	(void)state;
	for (i = 0; i < NELEM(files); i++) {
		tmp_init(&t);
		must(&t, STORE_TLSVERIFY, &report);
		for (j = 0; j < NELEM(broken); j++) {
			tmp_put(&t, files[i], broken[j]);
			assert_int_equal(
			    ensure(&t, STORE_TLSVERIFY, &report, &d),
			    strstr(files[i], "crt") != NULL ? ERR_CERT
							    : ERR_KEY);
			assert_non_null(strstr(d.text, files[i]));
		}
		tmp_fini(&t);
	}
}

static void
refuses_a_half_broken_chain(void **state)
{
	struct store_report report;
	struct tmp t;
	struct diag d;

	(void)state;
	tmp_init(&t);
	must(&t, STORE_TLSVERIFY, &report);
	assert_int_equal(tmp_sh(&t, "echo '-----BEGIN CERTIFICATE-----\n"
				    "MAAA\n-----END CERTIFICATE-----' "
				    ">> docker.crt"),
	    0);
	assert_int_equal(ensure(&t, STORE_TLSVERIFY, &report, &d), ERR_CERT);
	assert_non_null(strstr(d.text, "docker.crt: 1 of its"));
	tmp_fini(&t);
}

static void
refuses_bad_hosts_before_anything_is_made(void **state)
{
	static const char *const bad[] = { "ok.example", "not ok" };
	struct store_report report;
	struct store_request req = { .hosts = bad, .n_hosts = 2, .now = NOW };
	struct diag d;
	struct tmp t;

	(void)state;
	tmp_init(&t);
	req.dir = t.dir;
	assert_int_equal(store_ensure(&req, &report, &d), ERR_CERT_NAME);
	assert_non_null(strstr(d.text, "not ok"));
	assert_int_equal(tmp_count(&t), 0);
	req.n_hosts = 0;
	assert_int_equal(store_ensure(&req, &report, &d), ERR_CERT_NAME);
	assert_int_equal(tmp_count(&t), 0);
	req.n_hosts = 1;
	req.now = 1000;
	assert_int_equal(store_ensure(&req, &report, &d), ERR_CERT);
	assert_non_null(strstr(d.text, "clock"));
	assert_int_equal(tmp_count(&t), 0);
	tmp_fini(&t);
}

static void
refuses_directories_that_are_none(void **state)
{
	char longest[STORE_PATH_SIZE + 10];
	struct store_report report;
	struct store_request req = { .hosts = hosts, .n_hosts = 1, .now = NOW };
	struct store_paths paths;
	struct diag d;
	struct tmp t;

	(void)state;
	tmp_init(&t);
	tmp_put(&t, "file", "x");
	req.dir = tmp_path(&t, "file");
	assert_int_equal(store_ensure(&req, &report, &d), ERR_IO);
	assert_non_null(strstr(d.text, "Not a directory"));
	req.dir = tmp_path(&t, "a/b");
	assert_int_equal(store_ensure(&req, &report, &d), ERR_IO);
	req.dir = tmp_path(&t, "new");
	assert_int_equal(store_ensure(&req, &report, &d), ERR_OK);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(store_paths(longest, &paths), ERR_LIMIT);
	tmp_fini(&t);
}

static void
a_dangling_link_is_not_replaced(void **state)
{
	struct store_report report;
	struct tmp t;
	struct diag d;

	(void)state;
	tmp_init(&t);
	must(&t, STORE_TLSVERIFY, &report);
	take_away(&t, SC | SK);
	assert_int_equal(symlink("nowhere", tmp_path(&t, "docker.crt")), 0);
	assert_int_equal(symlink("nowhere", tmp_path(&t, "docker.key")), 0);
	assert_int_equal(
	    ensure(&t, STORE_TLSVERIFY, &report, &d), ERR_NOTFOUND);
	assert_non_null(strstr(d.text, "docker.crt"));
	assert_false(tmp_has(&t, "nowhere"));
	tmp_fini(&t);
}

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
		cmocka_unit_test(every_state_is_refused_or_completed),
		cmocka_unit_test(no_plan_needs_a_second),
		cmocka_unit_test(refuses_files_that_do_not_fit),
		cmocka_unit_test(refuses_broken_files),
		cmocka_unit_test(refuses_a_half_broken_chain),
		cmocka_unit_test(refuses_bad_hosts_before_anything_is_made),
		cmocka_unit_test(refuses_directories_that_are_none),
		cmocka_unit_test(a_dangling_link_is_not_replaced),
		cmocka_unit_test(makes_pairs_that_fit),
		cmocka_unit_test(tls_alone_makes_no_client_and_can_be_extended),
		cmocka_unit_test(dates_are_notes),
		cmocka_unit_test(findings_are_notes),
		cmocka_unit_test(unnamed_hosts_are_noted),
		cmocka_unit_test(a_read_only_directory_will_do),
		cmocka_unit_test(supplied_files_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
