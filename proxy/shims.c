/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that will not stop; see shims.h.
 *
 * When it is told to stop, dockerd gives each container its own stop timeout
 * (10 s by default) and has no option to shorten that; "docker stop" gives
 * the whole of us 10 s.  A container whose first process ignores SIGTERM, as
 * every "sleep" and every shell does, would so turn each stop into a SIGKILL
 * for dockerd, with its state half written.  So shortly before the end the
 * stubborn containers are killed here; dockerd sees them end, and has the
 * seconds it needs to write that down.
 *
 * Over the API it cannot be done: dockerd closes its socket first, and a stop
 * asked for before that would count as the user's own, after which
 * "unless-stopped" containers stay down.
 *
 * Whose a container is, is read from its shim's command line, which names
 * the socket of its containerd: EXECROOT/containerd/containerd.sock belongs
 * to our dockerd alone.  A container's processes are the shim's children; the
 * kernel ends the rest of a PID namespace with its first process.
 *
 * Who attacks: a container may name itself anything, but is no parent of
 * processes outside; a user of this machine may start a program with a
 * forged command line, and gets his own children killed.
 */
#include "shims.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#define CMDLINE_BYTES 4096 /* a shim's is a few hundred */

static ssize_t
read_proc(long pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		return -1;
	}
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

/* The word behind a NUL-separated one; NULL at the end. */
static const char *
next_word(const char *word, const char *end)
{
	word += strnlen(word, (size_t)(end - word)) + 1;
	return word < end ? word : NULL;
}

/* /var/run is a link to /run; dockerd is told either. */
static const char *
without_var(const char *path)
{
	return strncmp(path, "/var/run/", 9) == 0 ? path + 4 : path;
}

bool
shims_is_ours(const char *cmdline, size_t len, const char *exec_root)
{
	const char *end = cmdline + len, *slash, *word = cmdline;
	char want[512];

	if (len == 0 || end[-1] != '\0') {
		return false;
	}
	slash = strrchr(cmdline, '/');
	if (strncmp(slash == NULL ? cmdline : slash + 1, "containerd-shim",
		15) != 0) {
		return false;
	}
	snprintf(want, sizeof(want), "%s/containerd/containerd.sock",
	    without_var(exec_root));
	while ((word = next_word(word, end)) != NULL) {
		if (strcmp(word, "-address") == 0 ||
		    strcmp(word, "--address") == 0) {
			word = next_word(word, end);
			return word != NULL &&
			       strcmp(without_var(word), want) == 0;
		}
	}
	return false;
}

/* The parent's id: the second field behind the name (proc(5)); 0: gone. */
static long
parent_of(long pid)
{
	char stat[512], *p;

	if (read_proc(pid, "stat", stat, sizeof(stat)) <= 0) {
		return 0;
	}
	p = strrchr(stat, ')');
	if (p == NULL || strlen(p) < 5) {
		return 0;
	}
	return strtol(p + 4, NULL, 10);
}

static bool
is_shim(long pid, const char *exec_root)
{
	char cmdline[CMDLINE_BYTES];
	ssize_t n;

	n = read_proc(pid, "cmdline", cmdline, sizeof(cmdline));
	return n > 0 && shims_is_ours(cmdline, (size_t)n, exec_root);
}

size_t
shims_kill(const char *exec_root, enum shims_what what)
{
	const struct dirent *e;
	size_t killed = 0;
	uint64_t pid;
	DIR *proc;

	proc = opendir("/proc");
	if (proc == NULL) {
		return 0;
	}
	while ((e = readdir(proc)) != NULL) {
		if (text_parse_u64(span_of(e->d_name), INT32_MAX, &pid) !=
		    ERR_OK) {
			continue;
		}
		if ((is_shim((long)pid, exec_root) && what == SHIMS_ALL) ||
		    is_shim(parent_of((long)pid), exec_root)) {
			killed += kill((pid_t)pid, SIGKILL) == 0;
		}
	}
	closedir(proc);
	return killed;
}
