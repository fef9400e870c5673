/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor under real signals, with this program again in the place of
 * dockerd and of the gate ("fake NAME MODE JOURNAL SOCKET").  Fakes write what
 * happens to them into a journal, a line each; the tests wait for lines, with
 * a deadline, and never for time to pass.
 *
 * lint: one file, because every test uses the same rig of real processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervise.h"

#define DEADLINE_MS 20000
#define FOREVER_MS 600000 /* a test that waits for it fails */

/* ---- the fakes ----------------------------------------------------------- */

static const char *fake_name, *fake_journal;
static volatile sig_atomic_t fake_term, fake_hup;

static void
note(const char *what)
{
	char line[128];
	int n, fd;

	n = snprintf(
	    line, sizeof(line), "%s %s %d\n", fake_name, what, (int)getpid());
	fd = open(fake_journal, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd == -1 || write(fd, line, (size_t)n) != n) {
		_exit(99);
	}
	close(fd);
}

static void
on_signal(int sig)
{
	if (sig == SIGTERM) {
		fake_term = 1;
	} else {
		fake_hup = 1;
	}
}

/* Says "clean" where nothing of the supervisor was inherited, and "held" where
 * the signals are blocked that a gate takes when it is up. */
static void
note_inheritance(void)
{
	struct sigaction sa;
	sigset_t set;
	int fd, sig;

	sigprocmask(SIG_BLOCK, NULL, &set);
	if (sigismember(&set, SIGHUP) == 1 && sigismember(&set, SIGUSR1) == 1 &&
	    sigismember(&set, SIGUSR2) == 1) {
		note("held");
		sigdelset(&set, SIGHUP);
		sigdelset(&set, SIGUSR1);
		sigdelset(&set, SIGUSR2);
	}
	for (sig = 1; sig < NSIG; sig++) {
		if (sigismember(&set, sig) == 1 ||
		    (sigaction(sig, NULL, &sa) == 0 &&
			sa.sa_handler == SIG_IGN)) {
			note("dirty-signals");
			return;
		}
	}
	for (fd = 3; fd < 256; fd++) {
		if (fcntl(fd, F_GETFD) != -1) {
			note("dirty-fds");
			return;
		}
	}
	note(getpgrp() == getpid() ? "clean" : "dirty-group");
}

static int
fake_listen(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    listen(fd, 5) != 0) {
		_exit(98);
	}
	return fd;
}

/* Answers one connection; in two pieces, as a network may. */
static void
fake_answer(int fd, const char *status)
{
	char request[512], rest[64];
	int n, c = accept(fd, NULL, NULL);

	if (c == -1) {
		return;
	}
	n = snprintf(rest, sizeof(rest), "1.1 %s OK\r\n\r\nOK", status);
	if (recv(c, request, sizeof(request), 0) > 0 &&
	    strncmp(request, "GET /_ping HTTP/1.1\r\n", 21) == 0 &&
	    send(c, "HTTP/", 5, MSG_NOSIGNAL) == 5) {
		(void)send(c, rest, (size_t)n, MSG_NOSIGNAL);
	}
	close(c);
}

/* Serves, or sits where fd is -1, until SIGTERM. */
static int
fake_live(int fd, const char *status)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec tick = { 0, 5000000 };
	sigset_t none;

	if (sigaction(SIGHUP, &sa, NULL) != 0 ||
	    (strcmp(status, "deaf") != 0 &&
		sigaction(SIGTERM, &sa, NULL) != 0)) {
		return 97;
	}
	if (fd != -1) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	note("up");
	while (!fake_term) {
		if (fake_hup) {
			fake_hup = 0;
			note("hup");
		}
		if (fd != -1) {
			fake_answer(
			    fd, strcmp(status, "deaf") == 0 ? "200" : status);
		}
		nanosleep(&tick, NULL);
	}
	note("term");
	return 0;
}

/* How many lines of the journal begin so. */
static int
count_lines(const char *journal, const char *prefix)
{
	char line[256];
	int n = 0;
	FILE *f = fopen(journal, "re");

	if (f == NULL) {
		return 0;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		n += strncmp(line, prefix, strlen(prefix)) == 0;
	}
	fclose(f);
	return n;
}

/* Leaves an orphan behind, and says when its id is gone: it was reaped. */
static int
fake_orphan(void)
{
	struct timespec tick = { 0, 2000000 };
	int fds[2], i;
	pid_t pid = -1;

	if (pipe(fds) != 0) {
		return 96;
	}
	if (fork() == 0) {
		pid = fork();
		if (pid != 0) {
			_exit(write(fds[1], &pid, sizeof(pid)) < 0);
		}
		_exit(0);
	}
	wait(NULL);
	if (read(fds[0], &pid, sizeof(pid)) != sizeof(pid)) {
		return 95;
	}
	for (i = 0; i < 5000 && kill(pid, 0) == 0; i++) {
		nanosleep(&tick, NULL);
	}
	note(kill(pid, 0) == -1 && errno == ESRCH ? "reaped" : "zombie");
	return fake_live(-1, "200");
}

static int
fake_main(char **argv)
{
	const char *mode = argv[3], *path = argv[5];

	fake_name = argv[2];
	fake_journal = argv[4];
	note("start");
	note_inheritance();
	if (strncmp(mode, "exit", 4) == 0) {
		printf("about to exit\n");
		return (int)strtol(mode + 4, NULL, 10);
	}
	if (strcmp(mode, "orphan") == 0) {
		return fake_orphan();
	}
	if (strcmp(mode, "deaf") == 0) {
		signal(SIGTERM, SIG_IGN);
	}
	if (strcmp(mode, "mute") == 0) {
		return fake_live(-1, "200");
	}
	if (strcmp(mode, "late") == 0 &&
	    count_lines(fake_journal, "dockerd start") < 3) {
		return 1;
	}
	return fake_live(fake_listen(path),
	    strcmp(mode, "serve") == 0 || strcmp(mode, "late") == 0 ? "200"
								    : mode);
}

/* ---- the rig ------------------------------------------------------------- */

struct rig {
	char self[512];
	char dir[64], journal[96], socket[96], pid_file[96], log[96];
	char *dockerd[8], *gate[8], *preload[8], *app[8];
	struct supervise_plan plan;
	pid_t sup;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
set_argv(struct rig *r, char **argv, const char *name, const char *mode)
{
	const char *v[] = { r->self, "fake", name, mode, r->journal,
		r->socket };
	size_t i;

	for (i = 0; i < NELEM(v); i++) {
		argv[i] = strdup(v[i]);
		assert_non_null(argv[i]);
	}
	argv[i] = NULL;
}

static struct rig *
rig_new(const char *dockerd_mode, const char *gate_mode)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fd;

	assert_non_null(r);
	assert_true(
	    readlink("/proc/self/exe", r->self, sizeof(r->self) - 1) > 0);
	snprintf(r->dir, sizeof(r->dir), "/tmp/dinv-sup.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->journal, sizeof(r->journal), "%s/journal", r->dir);
	snprintf(r->socket, sizeof(r->socket), "%s/s", r->dir);
	snprintf(r->pid_file, sizeof(r->pid_file), "%s/pid", r->dir);
	snprintf(r->log, sizeof(r->log), "%s/log", r->dir);
	fd = open(r->journal, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd != -1);
	close(fd);
	set_argv(r, r->dockerd, "dockerd", dockerd_mode);
	set_argv(r, r->gate, "gate", gate_mode);
	set_argv(r, r->preload, "preload", "exit1");
	set_argv(r, r->app, "app", "mute");
	r->plan = (struct supervise_plan){ .dockerd = r->self,
		.dockerd_argv = r->dockerd,
		.gate = r->self,
		.gate_argv = r->gate,
		.socket = r->socket,
		.pid_file = r->pid_file,
		.exec_root = r->dir,
		.limits = SUPERVISE_LIMITS };
	r->plan.limits.ping_ms = 5;
	r->plan.limits.backoff_first_ms = 5;
	r->plan.limits.backoff_max_ms = 20;
	r->plan.limits.grace_ms = FOREVER_MS;
	r->plan.limits.hurry_ms = FOREVER_MS;
	return r;
}

static void
rig_free(struct rig *r)
{
	const char *const files[] = { r->journal, r->socket, r->pid_file,
		r->log };
	size_t i;

	for (i = 0; i < NELEM(files); i++) {
		unlink(files[i]);
	}
	assert_int_equal(rmdir(r->dir), 0);
	for (i = 0; r->dockerd[i] != NULL; i++) {
		free(r->dockerd[i]);
		free(r->gate[i]);
		free(r->preload[i]);
		free(r->app[i]);
	}
	free(r);
}

static void
rig_run(struct rig *r, int pending)
{
	if (supervise_block_signals() != ERR_OK) {
		_exit(94);
	}
	signal(SIGPIPE, SIG_IGN);
	if (dup(0) == -1) { /* without close-on-exec */
		_exit(95);
	}
	if (pending != 0) {
		raise(pending);
	}
	_exit(supervise_run(&r->plan));
}

/* pending: a signal that comes before the start, or 0. */
static void
rig_start(struct rig *r, int pending)
{
	r->sup = fork();
	assert_true(r->sup != -1);
	if (r->sup == 0) {
		rig_run(r, pending);
	}
}

static void
rig_wait(struct rig *r, const char *prefix, int n)
{
	int64_t until = now_ms() + DEADLINE_MS;
	struct timespec tick = { 0, 2000000 };

	while (count_lines(r->journal, prefix) < n) {
		if (now_ms() > until) {
			kill(r->sup, SIGKILL);
			fail_msg("no %d lines \"%s\"", n, prefix);
		}
		nanosleep(&tick, NULL);
	}
}

static int
rig_count(struct rig *r, const char *prefix)
{
	return count_lines(r->journal, prefix);
}

/* The process id on the last such line. */
static pid_t
rig_pid(struct rig *r, const char *prefix)
{
	char line[256];
	pid_t pid = -1;
	FILE *f = fopen(r->journal, "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, prefix, strlen(prefix)) == 0) {
			pid = (pid_t)strtol(strrchr(line, ' '), NULL, 10);
		}
	}
	fclose(f);
	assert_true(pid > 0);
	return pid;
}

/* The supervisor's exit status. */
static int
rig_status(struct rig *r)
{
	int64_t until = now_ms() + DEADLINE_MS;
	struct timespec tick = { 0, 2000000 };
	int status;

	while (waitpid(r->sup, &status, WNOHANG) != r->sup) {
		if (now_ms() > until) {
			kill(r->sup, SIGKILL);
			fail_msg("the supervisor does not end");
		}
		nanosleep(&tick, NULL);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
assert_gone(struct rig *r, const char *prefix)
{
	assert_int_equal(kill(rig_pid(r, prefix), 0), -1);
	assert_int_equal(errno, ESRCH);
}

/* ---- refusals ------------------------------------------------------------ */

static void
refuses_a_socket_where_somebody_listens(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	int fd = fake_listen(r->socket);
	struct stat st;

	(void)state;
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd"), 0);
	assert_int_equal(stat(r->socket, &st), 0);
	close(fd);
	rig_free(r);
}

static void
refuses_a_socket_that_is_a_file(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	int fd = open(r->socket, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	close(fd);
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd"), 0);
	rig_free(r);
}

static void
refuses_to_start_beside_a_live_dockerd(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	FILE *f = fopen(r->pid_file, "we");

	(void)state;
	assert_non_null(f);
	fprintf(f, "%d", (int)getpid());
	fclose(f);
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd"), 0);
	assert_int_equal(access(r->pid_file, F_OK), 0);
	rig_free(r);
}

static void
gives_up_where_dockerd_is_not_there(void **state)
{
	struct rig *r = rig_new("serve", "mute");

	(void)state;
	r->plan.dockerd = "/nonexistent/dockerd";
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "gate"), 0);
	rig_free(r);
}

static void
gives_up_after_five_early_deaths(void **state)
{
	struct rig *r = rig_new("exit1", "mute");

	(void)state;
	r->plan.dockerd_log = r->log;
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd start"), 5);
	assert_int_equal(rig_count(r, "gate"), 0);
	assert_int_equal(count_lines(r->log, "about to exit"), 5);
	rig_free(r);
}

static void
gives_up_at_once_on_wrong_flags_for_the_gate(void **state)
{
	struct rig *r = rig_new("serve", "exit2");

	(void)state;
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "gate start"), 1);
	assert_int_equal(rig_count(r, "dockerd term"), 1);
	rig_free(r);
}

static void
gives_up_on_a_dockerd_that_never_answers(void **state)
{
	static const char *const modes[] = { "mute", "503" };
	struct rig *r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(modes); i++) {
		r = rig_new(modes[i], "mute");
		r->plan.limits.ready_ms = 2000;
		rig_start(r, 0);
		rig_wait(r, "dockerd up", 1);
		assert_int_equal(rig_status(r), 1);
		assert_int_equal(rig_count(r, "gate"), 0);
		assert_gone(r, "dockerd start");
		rig_free(r);
	}
}

/* ---- life ---------------------------------------------------------------- */

static void
starts_the_gate_behind_a_ready_dockerd_and_stops_both(void **state)
{
	static const int stop[] = { SIGTERM, SIGINT, SIGQUIT };
	struct rig *r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(stop); i++) {
		r = rig_new("serve", "mute");
		rig_start(r, 0);
		rig_wait(r, "gate up", 1);
		assert_int_equal(rig_count(r, "dockerd up"), 1);
		kill(r->sup, stop[i]);
		assert_int_equal(rig_status(r), 0);
		assert_int_equal(rig_count(r, "dockerd term"), 1);
		assert_int_equal(rig_count(r, "gate term"), 1);
		assert_gone(r, "dockerd start");
		assert_gone(r, "gate start");
		rig_free(r);
	}
}

static void
children_inherit_nothing(void **state)
{
	struct rig *r = rig_new("serve", "mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	assert_int_equal(rig_count(r, "dockerd clean"), 1);
	assert_int_equal(rig_count(r, "gate clean"), 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

static void
local_has_no_gate(void **state)
{
	struct rig *r = rig_new("serve", "mute");

	(void)state;
	r->plan.gate = NULL;
	rig_start(r, 0);
	rig_wait(r, "dockerd up", 1);
	kill(r->sup, SIGHUP);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "gate"), 0);
	rig_free(r);
}

static void
a_dead_dockerd_comes_back_and_the_gate_stays(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	int i;

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	/* More often than it may die before it has ever been ready. */
	for (i = 1; i <= 7; i++) {
		kill(rig_pid(r, "dockerd start"), SIGKILL);
		rig_wait(r, "dockerd up", i + 1);
	}
	assert_int_equal(rig_count(r, "gate start"), 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

static void
a_dead_gate_comes_back(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	int i;

	(void)state;
	r->plan.limits.proven_ms = 0;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	for (i = 1; i <= 7; i++) {
		kill(rig_pid(r, "gate start"), SIGSEGV);
		rig_wait(r, "gate up", i + 1);
	}
	assert_int_equal(rig_count(r, "dockerd start"), 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

static void
a_dockerd_that_needs_three_starts_gets_them(void **state)
{
	struct rig *r = rig_new("late", "mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	assert_int_equal(rig_count(r, "dockerd start"), 3);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

static void
removes_a_stale_pid_file(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	FILE *f = fopen(r->pid_file, "we");

	(void)state;
	assert_non_null(f);
	fprintf(f, "1\n"); /* lives, and is no dockerd */
	fclose(f);
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	assert_int_equal(access(r->pid_file, F_OK), -1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

static void
passes_hangups_on(void **state)
{
	struct rig *r = rig_new("serve", "mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	kill(r->sup, SIGHUP);
	rig_wait(r, "dockerd hup", 1);
	rig_wait(r, "gate hup", 1);
	/* One that came before the gate could take it would have waited. */
	assert_int_equal(rig_count(r, "gate held"), 1);
	assert_int_equal(rig_count(r, "dockerd held"), 0);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	rig_free(r);
}

/* ---- stops in every phase --------------------------------------------------
 */

static void
a_signal_before_the_start_is_not_lost(void **state)
{
	struct rig *r = rig_new("serve", "mute");

	(void)state;
	rig_start(r, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "dockerd"), 0);
	rig_free(r);
}

static void
stops_while_dockerd_starts(void **state)
{
	struct rig *r = rig_new("mute", "mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "dockerd up", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "dockerd term"), 1);
	rig_free(r);
}

static void
stops_while_it_waits_to_start_again(void **state)
{
	struct rig *r = rig_new("exit1", "mute");

	(void)state;
	r->plan.limits.backoff_first_ms = FOREVER_MS;
	rig_start(r, 0);
	rig_wait(r, "dockerd clean", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "dockerd start"), 1);
	rig_free(r);
}

static void
kills_what_ignores_the_grace_period(void **state)
{
	struct rig *r = rig_new("deaf", "deaf");

	(void)state;
	r->plan.limits.grace_ms = 500;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 1);
	assert_gone(r, "dockerd start");
	assert_gone(r, "gate start");
	rig_free(r);
}

static void
a_second_signal_hurries(void **state)
{
	struct rig *r = rig_new("deaf", "mute");

	(void)state;
	r->plan.limits.hurry_ms = 100;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	kill(r->sup, SIGTERM);
	rig_wait(r, "gate term", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 1);
	assert_gone(r, "dockerd start");
	rig_free(r);
}

static void
a_third_signal_kills_at_once(void **state)
{
	struct rig *r = rig_new("deaf", "mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	kill(r->sup, SIGTERM);
	rig_wait(r, "gate term", 1);
	kill(r->sup, SIGINT);
	kill(r->sup, SIGQUIT);
	assert_int_equal(rig_status(r), 1);
	assert_gone(r, "dockerd start");
	rig_free(r);
}

static void
children_do_not_outlive_a_killed_supervisor(void **state)
{
	struct rig *r = rig_new("serve", "mute");
	int status;

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "gate up", 1);
	kill(r->sup, SIGKILL);
	rig_wait(r, "dockerd term", 1);
	rig_wait(r, "gate term", 1);
	assert_int_equal(waitpid(r->sup, &status, 0), r->sup);
	rig_free(r);
}

/* ---- what runs beside ------------------------------------------------------
 */

/* The rig with a program beside the gate, in that mode. */
static struct rig *
rig_with_app(const char *mode)
{
	struct rig *r = rig_new("serve", "mute");

	free(r->app[3]);
	r->app[3] = strdup(mode);
	assert_non_null(r->app[3]);
	r->plan.app = r->self;
	r->plan.app_argv = r->app;
	return r;
}

static void
the_end_of_the_app_is_the_end_of_all(void **state)
{
	struct rig *r = rig_with_app("exit7");

	(void)state;
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 7);
	assert_int_equal(rig_count(r, "app start"), 1);
	assert_int_equal(rig_count(r, "dockerd term"), 1);
	assert_gone(r, "dockerd start");
	rig_free(r);
}

/* Which of two lines is earlier in the journal? */
static bool
came_first(struct rig *r, const char *a, const char *b)
{
	char line[256];
	bool first = false, over = false;
	FILE *f = fopen(r->journal, "re");

	assert_non_null(f);
	while (!over && fgets(line, sizeof(line), f) != NULL) {
		first = strncmp(line, a, strlen(a)) == 0;
		over = first || strncmp(line, b, strlen(b)) == 0;
	}
	fclose(f);
	return first;
}

static void
a_stop_goes_to_the_app_first(void **state)
{
	struct rig *r = rig_with_app("mute");

	(void)state;
	rig_start(r, 0);
	rig_wait(r, "app up", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "app term"), 1);
	assert_true(came_first(r, "app term", "dockerd term"));
	rig_free(r);
}

static void
an_app_that_does_not_end_is_not_waited_for(void **state)
{
	struct rig *r = rig_with_app("deaf");

	(void)state;
	r->plan.limits.grace_ms = 500;
	rig_start(r, 0);
	rig_wait(r, "app up", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd term"), 1);
	assert_gone(r, "app start");
	rig_free(r);
}

static void
an_app_that_is_not_there_stops_all(void **state)
{
	struct rig *r = rig_with_app("mute");

	(void)state;
	r->plan.app = "/nonexistent/app";
	rig_start(r, 0);
	assert_int_equal(rig_status(r), 1);
	assert_int_equal(rig_count(r, "dockerd term"), 1);
	rig_free(r);
}

static void
doors_open_after_the_preload_whatever_became_of_it(void **state)
{
	static const char *const modes[] = { "exit0", "exit1" };
	struct rig *r;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(modes); i++) {
		r = rig_with_app("mute");
		free(r->preload[3]);
		r->preload[3] = strdup(modes[i]);
		r->plan.preload = r->self;
		r->plan.preload_argv = r->preload;
		rig_start(r, 0);
		rig_wait(r, "gate up", 1);
		rig_wait(r, "app up", 1);
		assert_int_equal(rig_count(r, "preload start"), 1);
		assert_true(came_first(r, "preload start", "gate start"));
		/* Not once more with a dockerd that came back. */
		kill(rig_pid(r, "dockerd start"), SIGKILL);
		rig_wait(r, "dockerd up", 2);
		kill(r->sup, SIGTERM);
		assert_int_equal(rig_status(r), 0);
		assert_int_equal(rig_count(r, "preload start"), 1);
		rig_free(r);
	}
}

static void
stops_while_it_preloads(void **state)
{
	struct rig *r = rig_with_app("mute");

	(void)state;
	free(r->preload[3]);
	r->preload[3] = strdup("mute");
	r->plan.preload = r->self;
	r->plan.preload_argv = r->preload;
	rig_start(r, 0);
	rig_wait(r, "preload up", 1);
	kill(r->sup, SIGTERM);
	assert_int_equal(rig_status(r), 0);
	assert_int_equal(rig_count(r, "preload term"), 1);
	assert_int_equal(rig_count(r, "gate"), 0);
	assert_int_equal(rig_count(r, "app"), 0);
	rig_free(r);
}

/* ---- PID 1 -----------------------------------------------------------------
 */

static void
reaps_orphans_as_pid_1(void **state)
{
	struct rig *r = rig_new("serve", "orphan");
	pid_t outer;

	(void)state;
	outer = fork();
	assert_true(outer != -1);
	if (outer == 0) {
		if (unshare(CLONE_NEWPID) != 0) {
			_exit(77);
		}
		r->sup = fork();
		if (r->sup == 0) {
			rig_run(r, 0);
		}
		rig_wait(r, "gate up", 1);
		kill(r->sup, SIGTERM);
		_exit(rig_status(r));
	}
	r->sup = outer;
	switch (rig_status(r)) {
	case 77:
		print_message("skipped: no PID namespace without root\n");
		break;
	case 0:
		assert_int_equal(rig_count(r, "gate reaped"), 1);
		break;
	default:
		fail();
	}
	rig_free(r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_socket_where_somebody_listens),
		cmocka_unit_test(refuses_a_socket_that_is_a_file),
		cmocka_unit_test(refuses_to_start_beside_a_live_dockerd),
		cmocka_unit_test(gives_up_where_dockerd_is_not_there),
		cmocka_unit_test(gives_up_after_five_early_deaths),
		cmocka_unit_test(gives_up_at_once_on_wrong_flags_for_the_gate),
		cmocka_unit_test(gives_up_on_a_dockerd_that_never_answers),
		cmocka_unit_test(
		    starts_the_gate_behind_a_ready_dockerd_and_stops_both),
		cmocka_unit_test(children_inherit_nothing),
		cmocka_unit_test(local_has_no_gate),
		cmocka_unit_test(a_dead_dockerd_comes_back_and_the_gate_stays),
		cmocka_unit_test(a_dead_gate_comes_back),
		cmocka_unit_test(a_dockerd_that_needs_three_starts_gets_them),
		cmocka_unit_test(removes_a_stale_pid_file),
		cmocka_unit_test(passes_hangups_on),
		cmocka_unit_test(a_signal_before_the_start_is_not_lost),
		cmocka_unit_test(stops_while_dockerd_starts),
		cmocka_unit_test(stops_while_it_waits_to_start_again),
		cmocka_unit_test(kills_what_ignores_the_grace_period),
		cmocka_unit_test(a_second_signal_hurries),
		cmocka_unit_test(a_third_signal_kills_at_once),
		cmocka_unit_test(children_do_not_outlive_a_killed_supervisor),
		cmocka_unit_test(the_end_of_the_app_is_the_end_of_all),
		cmocka_unit_test(a_stop_goes_to_the_app_first),
		cmocka_unit_test(an_app_that_does_not_end_is_not_waited_for),
		cmocka_unit_test(an_app_that_is_not_there_stops_all),
		cmocka_unit_test(
		    doors_open_after_the_preload_whatever_became_of_it),
		cmocka_unit_test(stops_while_it_preloads),
		cmocka_unit_test(reaps_orphans_as_pid_1),
	};

	if (argc == 6 && strcmp(argv[1], "fake") == 0) {
		return fake_main(argv);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
