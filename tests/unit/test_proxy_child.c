/* SPDX-License-Identifier: Apache-2.0 */
/* Children: what does not start, the back-off, how an end is put in words. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

static void
says_why_it_does_not_start(void **state)
{
	static const struct {
		const char *path, *log;
		int failure;
	} cases[] = {
		{ "/nonexistent", NULL, ENOENT },
		{ "dinv-no-such-program", NULL, ENOENT },
		{ "/etc/passwd", NULL, EACCES },
		{ "/tmp", NULL, EACCES },
		{ "true", "/nonexistent/log", ENOENT },
	};
	char *argv[] = { strdup("x"), NULL };
	struct child c = { .argv = argv };
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		c.path = cases[i].path;
		c.log_path = cases[i].log;
		errno = 0;
		assert_int_equal(child_start(&c, 7), ERR_IO);
		assert_int_equal(errno, cases[i].failure);
		assert_int_equal(c.pid, 0);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	free(argv[0]);
}

/* What a program finds blocked: a shell that signals itself. */
static int
status_after(const char *signal_name, const int *held)
{
	char *argv[] = { strdup("sh"), strdup("-c"), NULL, NULL };
	struct child c = { .path = "/bin/sh", .argv = argv, .held = held };
	char script[64];
	int status = 0;

	(void)snprintf(
	    script, sizeof(script), "kill -%s $$; exit 7", signal_name);
	argv[2] = script;
	assert_int_equal(child_start(&c, 0), ERR_OK);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	free(argv[0]);
	free(argv[1]);
	return status;
}

static void
starts_with_what_is_held_blocked_and_nothing_else(void **state)
{
	static const int held[] = { SIGHUP, SIGUSR1, 0 };
	sigset_t all, old;

	(void)state;
	sigfillset(&all);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &old), 0);
	assert_int_equal(status_after("HUP", held), W_EXITCODE(7, 0));
	assert_int_equal(status_after("USR1", held), W_EXITCODE(7, 0));
	assert_int_equal(status_after("TERM", held), W_EXITCODE(0, SIGTERM));
	assert_int_equal(status_after("HUP", NULL), W_EXITCODE(0, SIGHUP));
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void
signals_to_nobody_reach_nobody(void **state)
{
	struct child c = { .pid = 0 };

	(void)state;
	child_signal(&c, SIGKILL); /* kill(0, ...) would be our own group */
	child_kill(&c);
}

static void
waits_longer_each_time_and_forgets_in_calm(void **state)
{
	static const int64_t want[] = { 1000, 2000, 4000, 8000, 16000, 30000,
		30000, 30000 };
	struct backoff b = { 1000, 30000, 60000, 0 };
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(want); i++) {
		assert_int_equal(backoff_wait(&b, 59999), want[i]);
	}
	assert_int_equal(backoff_wait(&b, 60000), 1000);
	assert_int_equal(backoff_wait(&b, 0), 2000);
}

static void
puts_an_end_in_words(void **state)
{
	char text[64], tiny[8];

	(void)state;
	child_status_text(W_EXITCODE(3, 0), text, sizeof(text));
	assert_string_equal(text, "exit status 3");
	child_status_text(W_EXITCODE(0, SIGKILL), text, sizeof(text));
	assert_string_equal(text, "killed by signal 9 (Killed)");
	child_status_text(W_EXITCODE(0, SIGKILL), tiny, sizeof(tiny));
	assert_string_equal(tiny, "killed ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why_it_does_not_start),
		cmocka_unit_test(
		    starts_with_what_is_held_blocked_and_nothing_else),
		cmocka_unit_test(signals_to_nobody_reach_nobody),
		cmocka_unit_test(waits_longer_each_time_and_forgets_in_calm),
		cmocka_unit_test(puts_an_end_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
