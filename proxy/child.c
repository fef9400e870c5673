/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes; see child.h.
 *
 * fork and exec by hand: posix_spawn(3) can neither ask for a signal at the
 * parent's death nor say which step failed.  A pipe that closes at exec
 * carries errno back, so "no such file" is known at once and is not taken
 * for a program that died young.
 *
 * PR_SET_PDEATHSIG asks for SIGTERM, not SIGKILL: a dockerd that is killed
 * leaves its containers running with nobody to watch them, one that is told
 * to stop takes them along.  The parent may die between fork and prctl:
 * getppid() tells.
 *
 * Who attacks: what runs in the children.  Nothing of ours is inherited:
 * every descriptor from 3 on gets close-on-exec, whoever opened it, and the
 * gate, which faces the network, starts from a fresh image with no byte of
 * the certificate authority's key in its memory.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int64_t
backoff_wait(struct backoff *b, int64_t lived_ms)
{
	int64_t wait;

	if (b->next_ms == 0 || lived_ms >= b->calm_ms) {
		b->next_ms = b->first_ms;
	}
	wait = b->next_ms;
	b->next_ms = wait > b->max_ms / 2 ? b->max_ms : wait * 2;
	return wait;
}

/* What is held stays blocked from our fork on, so none gets lost between. */
static void
reset_signals(const int *held)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t mask;
	int sig;

	for (sig = 1; sig < NSIG; sig++) {
		(void)sigaction(sig, &sa, NULL); /* KILL and STOP refuse */
	}
	sigemptyset(&mask);
	for (; held != NULL && *held != 0; held++) {
		sigaddset(&mask, *held);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static bool
redirect(const char *log_path)
{
	int null_fd, log_fd;

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1) {
		return false;
	}
	if (log_path == NULL) {
		return true;
	}
	log_fd = open(log_path,
	    O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0640);
	return log_fd != -1 && dup2(log_fd, STDOUT_FILENO) != -1 &&
	       dup2(log_fd, STDERR_FILENO) != -1;
}

/* In the child, up to the exec; returns only on failure, with errno. */
static void
become(const struct child *c, pid_t parent)
{
	if (setpgid(0, 0) == -1 || prctl(PR_SET_PDEATHSIG, SIGTERM) == -1) {
		return;
	}
	if (getppid() != parent) {
		_exit(1);
	}
	if (!redirect(c->log_path)) {
		return;
	}
	/* An old kernel or seccomp filter may refuse; ours have the flag. */
	(void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	reset_signals(c->held);
	execvp(c->path, c->argv);
}

/* Waits for the exec: 0, or the errno of the step that failed. */
static int
read_failure(int fd)
{
	int failure = 0;
	ssize_t n;

	do {
		n = read(fd, &failure, sizeof(failure));
	} while (n == -1 && errno == EINTR);
	return n == sizeof(failure) ? failure : 0;
}

enum err
child_start(struct child *c, int64_t now_ms)
{
	pid_t pid, parent = getpid();
	ssize_t written;
	int fds[2], failure;

	c->restart_ms = 0;
	c->started_ms = now_ms;
	if (pipe2(fds, O_CLOEXEC) == -1) {
		return ERR_IO;
	}
	pid = fork();
	if (pid == 0) {
		become(c, parent);
		failure = errno;
		written = write(fds[1], &failure, sizeof(failure));
		_exit(written == sizeof(failure) ? 127 : 126);
	}
	failure = pid == -1 ? errno : 0;
	close(fds[1]);
	if (pid != -1) {
		failure = read_failure(fds[0]);
	}
	close(fds[0]);
	if (failure != 0) {
		if (pid != -1) {
			waitpid(pid, NULL, 0);
		}
		errno = failure;
		return ERR_IO;
	}
	c->pid = pid;
	return ERR_OK;
}

void
child_signal(const struct child *c, int sig)
{
	if (c->pid > 0) {
		kill(c->pid, sig);
	}
}

void
child_kill(const struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
	}
}

void
child_status_text(int status, char *out, size_t size)
{
	if (WIFEXITED(status)) {
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
		return;
	}
	snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(status),
	    strsignal(WTERMSIG(status)));
}
