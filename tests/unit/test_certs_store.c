/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate directory: every state it can be in, refusals first. */
#include "cert.h"
#include "certs_store_fixture.h"
#include "plan.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
