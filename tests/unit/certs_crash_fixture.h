/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CERTS_CRASH_FIXTURE_H
#define TESTS_CERTS_CRASH_FIXTURE_H

/*
 * A program that includes this has system calls that write of its own, which
 * the linker prefers to the C library's: each call counts down, and at zero
 * the process is gone, before or after the call.
 */
#include <sys/syscall.h>

#include "certs_fixture.h"

#define DIED 77

static int countdown; /* calls until death; 0: never */
static bool die_after;
static int refuse_rename
    __attribute__((unused)); /* errno that renameat2() gives, or 0 */

static void
step(bool after)
{
	if (countdown > 0 && after == die_after && --countdown == 0) {
		_exit(DIED);
	}
}

int
fsync(int fd)
{
	int ret;

	step(false);
	ret = (int)syscall(SYS_fsync, fd);
	step(true);
	return ret;
}

int
renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	int ret;

	if (refuse_rename != 0) {
		errno = refuse_rename;
		return -1;
	}
	step(false);
	ret = (int)syscall(SYS_renameat2, a, from, b, to, flags);
	step(true);
	return ret;
}

int
renameat(int a, const char *from, int b, const char *to)
{
	int ret;

	step(false);
	ret = (int)syscall(SYS_renameat2, a, from, b, to, 0);
	step(true);
	return ret;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	ssize_t ret;

	step(false);
	/* half of it, so that the rest takes a second call */
	ret = syscall(SYS_write, fd, p, n > 100 ? n / 2 : n);
	step(true);
	return ret;
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	int ret;

	step(false);
	ret = (int)syscall(SYS_linkat, a, from, b, to, flags);
	step(true);
	return ret;
}

int
unlinkat(int dir, const char *name, int flags)
{
	int ret;

	step(false);
	ret = (int)syscall(SYS_unlinkat, dir, name, flags);
	step(true);
	return ret;
}

/* What the child ends with that does work(arg) and dies at step n. */
static inline int
crash_at(int n, bool after, bool (*work)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		countdown = n;
		die_after = after;
		_exit(work(arg) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
