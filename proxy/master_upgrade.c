/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master becomes another program, or the same one anew; see
 * master_impl.h.
 *
 * The process stays: its pid, its children, its descriptors.  One variable of
 * the environment tells the next program which descriptors are what:
 *
 *	DINV_UPGRADE=1 gate PID FD AUDIT DRAINING ... sock FD NUMBER URL ...
 *
 * FD is what that gate asks on; -1: it has closed it, and is about to end.
 * AUDIT is the descriptor that its records come from, plus one; 0: none do.
 *
 * The file is run first with -check, in a process of its own: one that cannot
 * be run, or that does not take our flags, file or policy, must not become us.
 *
 * Rejected: a second master beside the first, as nginx has it (the service
 * manager would have to be told which process it is to watch).
 *
 * Nobody but who starts this program can set the variable; it is removed at
 * once, so that no child has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "activation.h"
#include "base/text.h"
#include "log.h"
#include "master_impl.h"
#include "notify.h"
#include "sockets.h"

#define UPGRADE_VAR "DINV_UPGRADE"
#define UPGRADE_VERSION "1"
#define UPGRADE_TEXT_BYTES (64u << 10)
#define UPGRADE_TRY_MS 10000
#define UPGRADE_NAP_MS 10
#define UPGRADE_AUDIT_MS 2000

/* --- going --------------------------------------------------------------- */

/* The file that we were started from, also where another has its name now. */
static bool
find_program(char *path, size_t size)
{
	static const char gone[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t end;

	if (n <= 0) {
		return false;
	}
	path[n] = '\0';
	end = (size_t)n;
	if (end > strlen(gone) &&
	    strcmp(path + end - strlen(gone), gone) == 0) {
		path[end - strlen(gone)] = '\0';
	}
	return true;
}

/* Ends by itself, or is ended; did it end well? */
static bool
ends_well(pid_t pid)
{
	const struct timespec nap = { 0, UPGRADE_NAP_MS * 1000000L };
	int status = 1, waited;
	pid_t got = 0;

	for (waited = 0; waited < UPGRADE_TRY_MS; waited += UPGRADE_NAP_MS) {
		got = waitpid(pid, &status, WNOHANG);
		if (got != 0) {
			break;
		}
		(void)nanosleep(&nap, NULL);
	}
	if (got == 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "dinv gate -check" and our own flags. */
static char **
check_argv(const struct master *m)
{
	static char check[] = "-check";
	size_t n = 0, i;
	char **v;

	while (m->argv[n] != NULL) {
		n++;
	}
	v = calloc(n + 2, sizeof(*v));
	for (i = 0; v != NULL && i < n; i++) {
		v[i < 2 ? i : i + 1] = m->argv[i];
	}
	if (v != NULL) {
		v[2] = check;
	}
	return v;
}

static bool
start_check(char *path, char **argv, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	bool ok;

	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0) {
		return false;
	}
	ok = posix_spawnattr_init(&attr) == 0 &&
	     posix_spawnattr_setsigmask(&attr, &none) == 0 &&
	     posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK) == 0 &&
	     posix_spawn_file_actions_addclosefrom_np(&files, 3) == 0 &&
	     posix_spawn(pid, path, &files, &attr, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&files);
	return ok;
}

static bool
runs(const struct master *m, char *path)
{
	char **argv = check_argv(m);
	pid_t pid;
	bool ok =
	    argv != NULL && start_check(path, argv, &pid) && ends_well(pid);

	free(argv);
	return ok;
}

/* -1: nothing */
static void
pass(int fd, bool on)
{
	(void)fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC);
}

/* Everything that the next program needs, through the exec or not. */
static void
pass_all(struct master *m, bool on)
{
	const struct kept_socket *s;
	size_t i, n;

	for (i = 0; i < m->n_gates; i++) {
		pass(m->gate[i]->keeper.fd, on);
		pass(m->gate[i]->audit_fd, on);
	}
	s = sockets_all(&n);
	for (i = 0; i < n; i++) {
		pass(s[i].fd, on);
	}
	activation_pass(m->conf->passed, on);
}

static bool
write_state(const struct master *m, char *out, size_t size)
{
	const struct kept_socket *s;
	size_t i, n, len;
	FILE *f = fmemopen(out, size, "w");
	bool ok;

	if (f == NULL) {
		return false;
	}
	fprintf(f, "%s", UPGRADE_VERSION);
	for (i = 0; i < m->n_gates; i++) {
		fprintf(f, " gate %d %d %d %d", (int)m->gate[i]->pid,
		    m->gate[i]->keeper.fd, m->gate[i]->audit_fd + 1,
		    m->gate[i]->draining);
	}
	s = sockets_all(&n);
	for (i = 0; i < n; i++) {
		fprintf(
		    f, " sock %d %u %s", s[i].fd, s[i].number, s[i].addr.text);
	}
	ok = fflush(f) == 0 && !ferror(f);
	len = (size_t)ftell(f);
	(void)fclose(f);
	return ok && len < size - 1;
}

/* Nothing that a gate has said is lost, whatever becomes of us. */
static bool
rest(const struct master *m)
{
	if (m->store == NULL ||
	    audit_store_suspend(m->store, UPGRADE_AUDIT_MS)) {
		return true;
	}
	log_error("not upgraded: audit records cannot be written, and would "
		  "be lost");
	return false;
}

static void
become(struct master *m, char *path)
{
	static char state[UPGRADE_TEXT_BYTES];

	if (!write_state(m, state, sizeof(state)) ||
	    setenv(UPGRADE_VAR, state, 1) == -1) {
		log_error("not upgraded: no memory");
		return;
	}
	log_info("upgrading program=%s", path);
	notify_reloading(m->conf->notify);
	notify_pass(m->conf->notify);
	pass_all(m, true);
	(void)execv(path, m->argv);
	log_error(
	    "not upgraded: %s cannot be started: %s", path, strerror(errno));
	pass_all(m, false);
	(void)unsetenv(UPGRADE_VAR);
	notify_ready(m->conf->notify, "not upgraded: see the log");
}

void
master_upgrade(struct master *m)
{
	char path[4096];

	if (!find_program(path, sizeof(path)) || !runs(m, path)) {
		log_error("not upgraded: %s cannot be run, or does not take "
			  "our flags and policy",
		    path);
		return;
	}
	if (rest(m)) {
		become(m, path);
		if (m->store != NULL) {
			audit_store_resume(m->store);
		}
	}
}

/* --- coming -------------------------------------------------------------- */

/* The next word, NULL at the end. */
static char *
word(char **at)
{
	char *w;

	do {
		w = strsep(at, " ");
	} while (w != NULL && *w == '\0');
	return w;
}

static bool
number(char **at, uint64_t max, uint64_t *out)
{
	const char *w = word(at);

	return w != NULL && text_parse_u64(span_of(w), max, out) == ERR_OK;
}

/* A number, or -1. */
static bool
descriptor(char **at, int *fd)
{
	const char *w = word(at);
	uint64_t n;

	*fd = -1;
	if (w != NULL && strcmp(w, "-1") == 0) {
		return true;
	}
	if (w == NULL || text_parse_u64(span_of(w), INT32_MAX, &n) != ERR_OK) {
		return false;
	}
	*fd = (int)n;
	return true;
}

static bool
take_gate(struct master *m, char **at)
{
	uint64_t pid, audit, draining;
	struct master_gate *g;
	int fd;

	if (!number(at, INT32_MAX, &pid) || !descriptor(at, &fd) ||
	    !number(at, INT32_MAX, &audit) || !number(at, 1, &draining)) {
		return false;
	}
	pass(fd, false);
	pass((int)audit - 1, false);
	g = master_add_gate(m, (pid_t)pid, fd, (int)audit - 1);
	if (g == NULL) {
		return false;
	}
	g->ready = g->keeper.settled = true;
	g->draining = draining == 1;
	return true;
}

static bool
take_socket(char **at)
{
	uint64_t fd, n;
	const char *url;

	if (!number(at, INT32_MAX, &fd) || !number(at, UINT32_MAX, &n)) {
		return false;
	}
	url = word(at);
	pass((int)fd, false);
	return url != NULL &&
	       sockets_take((int)fd, (unsigned)n, url, false) == ERR_OK;
}

enum err
master_take_over(struct master *m, struct diag *d)
{
	char *text = getenv(UPGRADE_VAR);
	char *at, *copy, *w;
	bool ok = true;

	if (text == NULL) {
		return ERR_OK;
	}
	copy = at = strdup(text);
	(void)unsetenv(UPGRADE_VAR);
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	w = word(&at);
	ok = w != NULL && strcmp(w, UPGRADE_VERSION) == 0;
	while (ok && (w = word(&at)) != NULL) {
		ok = (strcmp(w, "gate") == 0 && take_gate(m, &at)) ||
		     (strcmp(w, "sock") == 0 && take_socket(&at));
	}
	free(copy);
	if (!ok) {
		diag_set(d, 0, 0,
		    "what the program before this one has left cannot be "
		    "read");
		return ERR_SYNTAX;
	}
	return ERR_OK;
}
