/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stale pid files; see pidfile.h.
 *
 * dockerd refuses to start when docker.pid names a process that lives, and
 * takes containerd.pid at its word that a containerd runs.  Both look at the
 * number alone.  After a container was killed and started again the numbers
 * are in use by others (often by us), and dockerd never comes up; DinV had
 * this fault.  So the name of the process is compared as well.
 *
 * Removing a file that names a live dockerd would let two daemons loose on
 * one data folder: whenever /proc cannot be read, the process counts as
 * alive.  Killing what runs was rejected for the same reason: it may be the
 * machine's own.
 *
 * Who attacks: whoever can write into the runtime folder, which is root's.
 * Even so a link is not followed, a FIFO does not block the start, and a
 * file of any size is read for 32 bytes.
 */
#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define PID_MAX 4194304	  /* the kernel's PID_MAX_LIMIT */
#define PID_FILE_BYTES 32 /* more than any process id and a newline */
#define COMM_MAX 15	  /* bytes of a process name, TASK_COMM_LEN - 1 */

/* What the file says: ERR_NOTFOUND where it says nothing of use. */
static enum err
read_pid(const char *path, pid_t *pid)
{
	char text[PID_FILE_BYTES];
	struct stat st;
	uint64_t v;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1) {
		return errno == ELOOP ? ERR_SYNTAX : ERR_IO;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return ERR_SYNTAX;
	}
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n == -1) {
		return ERR_IO;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
		n--;
	}
	if (text_parse_u64(span_make(text, (size_t)n), PID_MAX, &v) != ERR_OK ||
	    v == 0) {
		return ERR_NOTFOUND;
	}
	*pid = (pid_t)v;
	return ERR_OK;
}

static bool
is_one_of(struct span comm, const char *const *comms)
{
	for (; *comms != NULL; comms++) {
		struct span want = span_of(*comms);

		if (want.len > COMM_MAX) {
			want.len = COMM_MAX;
		}
		if (span_eq(comm, want)) {
			return true;
		}
	}
	return false;
}

/*
 * True unless it is sure that no such program has this id.  /proc/PID/stat
 * is "17 (name) S ...", where the name may hold anything, ")" too (proc(5)).
 */
static bool
is_alive(pid_t pid, const char *const *comms)
{
	char path[64], text[256];
	const char *open_, *close_;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1) {
		return errno != ENOENT && errno != ESRCH;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0) {
		return n == -1 && errno != ESRCH;
	}
	text[n] = '\0';
	open_ = strchr(text, '(');
	close_ = strrchr(text, ')');
	if (open_ == NULL || close_ == NULL || close_ < open_) {
		return true;
	}
	if (close_[1] == ' ' && (close_[2] == 'Z' || close_[2] == 'X')) {
		return false;
	}
	return is_one_of(
	    span_make(open_ + 1, (size_t)(close_ - open_) - 1), comms);
}

enum err
pidfile_clear(const char *path, const char *const *comms, pid_t *pid)
{
	pid_t found = 0;
	enum err rc;

	rc = read_pid(path, &found);
	if (rc == ERR_IO && errno == ENOENT) {
		return ERR_OK;
	}
	if (rc != ERR_OK && rc != ERR_NOTFOUND) {
		return rc;
	}
	if (rc == ERR_OK && is_alive(found, comms)) {
		*pid = found;
		return ERR_EXISTS;
	}
	if (unlink(path) == -1 && errno != ENOENT) {
		return ERR_IO;
	}
	return ERR_OK;
}
