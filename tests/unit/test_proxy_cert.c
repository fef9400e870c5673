/* SPDX-License-Identifier: Apache-2.0 */
/* dinv cert from the outside: exit status, what is printed where. */
#include "certs_fixture.h"
#include "cmd.h"

#define MAX_ARGS 12

/* Runs cmd_cert() in t; stdout and stderr go to the files out and err. */
static int
run(struct tmp *t, const char *const *args)
{
	char text[MAX_ARGS][160], *argv[MAX_ARGS + 1];
	pid_t pid = fork();
	int argc, status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		for (argc = 0; args[argc] != NULL; argc++) {
			snprintf(text[argc], sizeof(text[0]), "%s", args[argc]);
			argv[argc] = text[argc];
		}
		argv[argc] = NULL;
		if (chdir(t->dir) == -1 ||
		    freopen("out", "w", stdout) == NULL ||
		    freopen("err", "w", stderr) == NULL) {
			_exit(99);
		}
		status = cmd_cert(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static unsigned
lines(const char *s)
{
	unsigned n = 0;

	for (; *s != '\0'; s++) {
		n += *s == '\n';
	}
	return n;
}

/* arguments, exit status, part of the one line on standard error */
static const struct {
	const char *args[MAX_ARGS];
	int status;
	const char *say;
} refusals[] = {
	{ { "cert" }, 2, "needs a command" },
	{ { "cert", "nope" }, 2, "unknown command" },
	{ { "cert", "list", "-certs", "no" }, 1, "no such directory" },
	{ { "cert", "show" }, 2, "needs a name" },
	{ { "cert", "renew" }, 2, "needs a NAME" },
	{ { "cert", "renew", "-server", "n" }, 2, "needs a NAME" },
	{ { "cert", "renew", "a/b" }, 2, "-out" },
	{ { "cert", "renew", "-certs", "c", "n" }, 1, "cannot be opened" },
	{ { "cert", "renew", "-server", "-certs", "c" }, 1, "cannot be" },
	{ { "cert", "renew", "-server", "-host", "a b" }, 2, "\"a b\"" },
	{ { "cert", "rollover", "-anyway" }, 2, "-anyway is for" },
	{ { "cert", "rollover", "-certs", "c" }, 1, "cannot be opened" },
	{ { "cert", "issue", "-name", "a", "-hours", "99999" }, 2, "hours" },
	{ { "cert", "issue", "-name", "a", "-context", "x" }, 2, "context's" },
	{ { "cert", "issue", "-name", "a", "-context", "-x" }, 2, "context's" },
	{ { "cert", "issue", "-name", "a", "-gate", "a b" }, 2, "-gate" },
	{ { "cert", "issue", "-name", "a", "-csr", "f", "-context", "xx" }, 2,
	    "-csr leaves" },
	{ { "cert", "bundle" }, 2, "needs the name" },
	{ { "cert", "bundle", "a/b" }, 2, "-out" },
	{ { "cert", "bundle", "a" }, 1, "no ca.pem" },
	{ { "cert", "revoke" }, 2, "needs a name" },
	{ { "cert", "revoke", "-reason", "x", "n" }, 2, "keyCompromise" },
	{ { "cert", "revoke", "-certs", "c", "n" }, 1, "cannot be opened" },
	{ { "cert", "crl", "-certs", "c" }, 1, "nothing was revoked" },
	{ { "cert", "crl", "-renew", "-certs", "c" }, 1, "cannot be opened" },
	{ { "cert", "show", "-certs", "c", "who" }, 1, "cert list -all" },
	{ { "cert", "a\nb" }, 2, "unknown command" },
	{ { "cert", "init", "-nope" }, 2, "unknown flag" },
	{ { "cert", "init", "word" }, 2, "unexpected argument" },
	{ { "cert", "init", "-certs", "new", "-host", "a b" }, 2, "\"a b\"" },
	{ { "cert", "init", "-certs", "no/such" }, 1, "cannot be made" },
	{ { "cert", "init", "-certs", "out" }, 1, "Not a directory" },
	{ { "cert", "issue" }, 2, "-name is needed" },
	{ { "cert", "issue", "-name", "" }, 2, "must not be empty" },
	{ { "cert", "issue", "-name", "a\nb" }, 2, "control" },
	{ { "cert", "issue", "-name", "a/b", "-certs", "c" }, 2, "-out" },
	{ { "cert", "issue", "-name", "..", "-certs", "c" }, 2, "-out" },
	{ { "cert", "issue", "-name", "a", "-days", "0" }, 2, "days" },
	{ { "cert", "issue", "-name", "a", "-days", "-1" }, 2, "days" },
	{ { "cert", "issue", "-name", "a", "-ou", "" }, 2, "the unit" },
	{ { "cert", "issue", "-name", "a", "-certs", "c" }, 1, "cert init" },
};

static void
refuses_in_one_line(void **state)
{
	struct tmp t;
	size_t i;
	int got;

	(void)state;
	tmp_init(&t);
	for (i = 0; i < NELEM(refusals); i++) {
		got = run(&t, refusals[i].args);
		if (got != refusals[i].status ||
		    strstr(tmp_get(&t, "err"), refusals[i].say) == NULL ||
		    lines(tmp_get(&t, "err")) != 1) {
			fail_msg("case %zu: %d %s", i, got, tmp_get(&t, "err"));
		}
		assert_string_equal(tmp_get(&t, "out"), "");
		assert_int_equal(tmp_count(&t), 2);
	}
	tmp_fini(&t);
}

static void
helps(void **state)
{
	static const char *const ask[][4] = { { "cert", "-h" },
		{ "cert", "--help" }, { "cert", "init", "-h" },
		{ "cert", "issue", "-h" } };
	struct tmp t;
	size_t i;

	(void)state;
	tmp_init(&t);
	for (i = 0; i < NELEM(ask); i++) {
		assert_int_equal(run(&t, ask[i]), 0);
		assert_non_null(strstr(tmp_get(&t, "out"), "Usage: dinv cert"));
		assert_string_equal(tmp_get(&t, "err"), "");
	}
	tmp_fini(&t);
}

static void
makes_and_issues(void **state)
{
	static const char *const init[] = { "cert", "init", "-certs", "c",
		"--host=h.example", NULL };
	static const char *const issue[] = { "cert", "issue", "-certs", "c",
		"-name", "it's", "-ou", "a", "-ou", "b", NULL };
	static const char *const take_back[] = { "cert", "revoke", "-certs",
		"c", "it's", NULL };
	static const char *const revoke_none[] = { "cert", "revoke", "-certs",
		"c", "nobody", NULL };
	static const char *const crl[] = { "cert", "crl", "-certs", "c", NULL };
	static const char *const list[] = { "cert", "list", "-certs", "c",
		NULL };
	static const char *const json[] = { "cert", "show", "-certs", "c",
		"-json", "it's", NULL };
	static const char *const file[] = { "cert", "show", "-certs", "c",
		"it's/cert.pem", NULL };
	struct tmp t;

	(void)state;
	tmp_init(&t);
	assert_int_equal(run(&t, init), 0);
	assert_int_equal(lines(tmp_get(&t, "out")), 6);
	assert_non_null(strstr(tmp_get(&t, "out"), "made c/docker.crt\n"));
	assert_string_equal(tmp_get(&t, "err"), "");
	assert_int_equal(run(&t, init), 0);
	assert_null(strstr(tmp_get(&t, "out"), "made"));
	assert_non_null(strstr(tmp_get(&t, "out"), "kept c/docker.crt\n"));

	assert_int_equal(run(&t, issue), 0);
	assert_true(tmp_has(&t, "it's/key.pem"));
	/* what is printed can be given to a shell */
	assert_int_equal(tmp_sh(&t, ". ./out && test -f "
				    "\"$DOCKER_CERT_PATH/cert.pem\" && "
				    "test \"$DOCKER_TLS_VERIFY\" = 1"),
	    0);
	assert_int_equal(run(&t, list), 0);
	assert_int_equal(lines(tmp_get(&t, "out")), 5);
	assert_non_null(strstr(tmp_get(&t, "out"), "\nit's "));
	/* a day less as soon as a second has passed */
	assert_true(strstr(tmp_get(&t, "out"), "365 days") != NULL ||
		    strstr(tmp_get(&t, "out"), "364 days") != NULL);
	assert_non_null(strstr(tmp_get(&t, "out"), "  a, b\n"));
	assert_int_equal(run(&t, json), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), "\"units\":[\"a\",\"b\"]"));
	assert_non_null(strstr(tmp_get(&t, "out"), "\"days_left\":36"));
	assert_int_equal(run(&t, file), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), "name         it's\n"));

	assert_int_equal(run(&t, take_back), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), "revoked 1, "));
	assert_int_equal(run(&t, take_back), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), "before 1, list number 2"));
	assert_int_equal(run(&t, list), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), " revoked "));
	assert_int_equal(run(&t, crl), 0);
	assert_non_null(strstr(tmp_get(&t, "out"), "BEGIN X509 CRL"));
	assert_int_equal(run(&t, revoke_none), 1);
	assert_non_null(strstr(tmp_get(&t, "err"), "no certificate has that"));

	assert_int_equal(run(&t, issue), 1);
	assert_non_null(strstr(tmp_get(&t, "err"), "key.pem exists already"));
	tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_in_one_line),
		cmocka_unit_test(helps),
		cmocka_unit_test(makes_and_issues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
