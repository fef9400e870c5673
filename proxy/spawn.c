/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This program again; see spawn.h.
 *
 * A new image and not a fork: the gate has threads, and what it holds in
 * memory (keys, clients' bytes) is no business of the other process.
 *
 * Attackers: the child inherits nothing of the gate's but the descriptors
 * that were named; what it is told comes on its standard input, since a
 * command line is there for everybody to read.
 */
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/* posix_spawn(3) takes what it does not change without const. */
static char *const *
words(const char *const argv[])
{
	union {
		const char *const *in;
		char *const *out;
	} u = { argv };

	return u.out;
}

static int
start(const char *const argv[], int in, int out, posix_spawnattr_t *attr,
    posix_spawn_file_actions_t *files, pid_t *pid)
{
	sigset_t none;
	int why;

	sigemptyset(&none);
	why = posix_spawnattr_setsigmask(attr, &none);
	if (why == 0) {
		why = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
	}
	if (why == 0 && in != -1) {
		why = posix_spawn_file_actions_adddup2(files, in, STDIN_FILENO);
	}
	if (why == 0 && out != -1) {
		why =
		    posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
	}
	if (why == 0) {
		why = posix_spawn_file_actions_addclosefrom_np(files, 3);
	}
	return why != 0 ? why
			: posix_spawn(pid, "/proc/self/exe", files, attr,
			      words(argv), environ);
}

enum err
spawn_self(const char *const argv[], int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int why;

	why = posix_spawnattr_init(&attr);
	if (why == 0) {
		why = posix_spawn_file_actions_init(&files);
		if (why == 0) {
			why = start(argv, in, out, &attr, &files, pid);
			(void)posix_spawn_file_actions_destroy(&files);
		}
		(void)posix_spawnattr_destroy(&attr);
	}
	errno = why;
	return why == 0 ? ERR_OK : ERR_IO;
}
