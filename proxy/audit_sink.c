/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks of audit records; see audit_sink.h.
 *
 * A write may take a part of a line (a disk fills up, a pipe has room for
 * less): the rest follows later, so that a line is torn only when the process
 * dies in between.  Whoever opens the file next ends such a line first, or
 * the next record would be lost with it.
 *
 * Nothing here waits longer than it is told: descriptors of our own do not
 * block, and of standard output, which others share, no more is asked than
 * poll() promised (POSIX: PIPE_BUF bytes of a pipe).
 */
#include "audit_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit_socket.h"

/* That run at a time; a file that finds all busy stays as it is. */
#define SINK_GZIPS 4

struct audit_sink {
	struct audit_socket *socket; /* NULL: a file, or standard output */
	char *path;		     /* NULL: standard output */
	int fd;
	bool whole; /* a file: takes all it is given, at once */
	uint64_t size;
	time_t born;
	struct audit_rotation rot;
	char *moved;		/* to be compressed; NULL: nothing */
	pid_t gzip[SINK_GZIPS]; /* 0: none runs */
	bool torn; /* its last line has no end, and nobody will finish it */
};

/* Does the file end in mid-line? */
static bool
ends_torn(int fd, off_t size)
{
	char last = '\n';

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* What fd is, once it is s->fd. */
static void
look_at(struct audit_sink *s)
{
	struct statx stx;
	struct stat st;
	int fd;

	s->torn = false;
	s->size = 0;
	s->born = time(NULL);
	s->whole = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (s->path == NULL || !s->whole) {
		return;
	}
	s->size = (uint64_t)st.st_size;
	if (statx(s->fd, "", AT_EMPTY_PATH, STATX_BTIME, &stx) == 0 &&
	    (stx.stx_mask & STATX_BTIME) != 0) {
		s->born = stx.stx_btime.tv_sec;
	}
	fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd != -1) {
		s->torn = ends_torn(fd, st.st_size);
		close(fd);
	}
}

static int
open_file(const char *path, struct diag *d)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0600);

	if (fd == -1) {
		diag_set(d, 0, 0, "cannot open the audit file %s: %s", path,
		    errno == ENXIO ? "a FIFO that nobody reads"
				   : strerror(errno));
	}
	return fd;
}

bool
audit_sink_is_file(const char *to)
{
	return strcmp(to, "-") != 0 && !audit_socket_is(to);
}

enum err
audit_sink_open(const char *to, const struct audit_rotation *rot,
    struct audit_sink **out, struct diag *d)
{
	struct audit_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return ERR_NOMEM;
	}
	s->rot = *rot;
	s->fd = STDOUT_FILENO;
	if (audit_socket_is(to)) {
		enum err rc = audit_socket_open(to, &s->socket, d);

		if (rc != ERR_OK) {
			free(s);
			return rc;
		}
	} else if (strcmp(to, "-") != 0) {
		s->fd = open_file(to, d);
		s->path = s->fd == -1 ? NULL : strdup(to);
		if (s->path == NULL) {
			if (s->fd != -1) {
				close(s->fd);
			}
			free(s);
			return ERR_IO;
		}
	}
	look_at(s);
	*out = s;
	return ERR_OK;
}

void
audit_sink_close(struct audit_sink *s)
{
	if (s == NULL) {
		return;
	}
	if (s->path != NULL && s->fd != -1) {
		close(s->fd);
	}
	audit_socket_close(s->socket);
	free(s->moved); /* its own last line may still be the newest one */
	free(s->path);
	free(s);
}

/* The new file has a line: the chain goes on from there. */
static void
tidy(struct audit_sink *s)
{
	size_t i, idle = SINK_GZIPS;

	for (i = 0; i < SINK_GZIPS; i++) {
		if (s->gzip[i] != 0 &&
		    waitpid(s->gzip[i], NULL, WNOHANG) != 0) {
			s->gzip[i] = 0;
		}
		idle = s->gzip[i] == 0 ? i : idle;
	}
	if (idle < SINK_GZIPS) {
		s->gzip[idle] = audit_rotate_compress(s->moved);
	}
	free(s->moved);
	s->moved = NULL;
	audit_rotate_prune(s->path, s->rot.keep);
}

bool
audit_sink_due(const struct audit_sink *s)
{
	if (s->path == NULL || !s->whole || s->size == 0) {
		return false;
	}
	return (s->rot.bytes > 0 && s->size >= s->rot.bytes) ||
	       (s->rot.hours > 0 &&
		   time(NULL) - s->born >= (time_t)s->rot.hours * 3600);
}

enum err
audit_sink_rotate(struct audit_sink *s, struct diag *d)
{
	char moved[PATH_MAX];
	bool same;
	enum err rc = audit_rotate_move(s->path, moved, sizeof(moved), d);

	if (rc == ERR_OK) {
		rc = audit_sink_reopen(s, &same, d);
		if (rc != ERR_OK) {
			(void)rename(moved, s->path); /* as if not begun */
		}
	}
	if (rc == ERR_OK) {
		free(s->moved); /* two at once: the other stays as it is */
		s->moved = strdup(moved);
	}
	return rc;
}

static bool
one_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

enum err
audit_sink_reopen(struct audit_sink *s, bool *same, struct diag *d)
{
	bool torn = s->torn;
	int fd;

	*same = true;
	if (s->path == NULL) {
		return ERR_OK;
	}
	fd = open_file(s->path, d);
	if (fd == -1) {
		return ERR_IO;
	}
	*same = one_file(s->fd, fd);
	close(s->fd);
	s->fd = fd;
	look_at(s);
	/* One that was emptied has no line that could go on. */
	*same = *same && (!s->whole || s->torn);
	if (*same) {
		s->torn = torn; /* what was put of a line will be finished */
	}
	return ERR_OK;
}

/* One write that does not block; -1 with errno. */
static ssize_t
write_some(const struct audit_sink *s, struct span bytes, int wait_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	ssize_t n;

	if (!s->whole) {
		n = poll(&p, 1, wait_ms);
		if (n <= 0) {
			errno = n == 0 ? EAGAIN : errno;
			return -1;
		}
		bytes.len = bytes.len > PIPE_BUF ? PIPE_BUF : bytes.len;
	}
	n = write(s->fd, bytes.p, bytes.len);
	if (n == 0) {
		errno = ENOSPC;
	}
	return n == 0 ? -1 : n;
}

int64_t
audit_sink_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
audit_sink_left(int64_t until)
{
	int64_t now = audit_sink_ms();

	return now < until ? (int)(until - now) : 0;
}

int
audit_sink_put(
    struct audit_sink *s, struct span lines, size_t *took, int wait_ms)
{
	const int64_t until = audit_sink_ms() + wait_ms;
	ssize_t n;

	if (s->socket != NULL) {
		return audit_socket_put(s->socket, lines, took, wait_ms);
	}
	*took = 0;
	if (s->torn) {
		if (write_some(s, span_of("\n"), wait_ms) != 1) {
			return errno;
		}
		s->torn = false;
	}
	while (*took < lines.len) {
		wait_ms = audit_sink_left(until);
		n = write_some(
		    s, span_make(lines.p + *took, lines.len - *took), wait_ms);
		if (n == -1 && errno == EAGAIN && *took > 0) {
			return 0;
		}
		if (n == -1 && errno != EINTR) {
			return errno;
		}
		*took += n == -1 ? 0 : (size_t)n;
		s->size += n == -1 ? 0 : (uint64_t)n;
	}
	if (s->moved != NULL) {
		tidy(s);
	}
	return 0;
}

const char *
audit_errno_text(int why)
{
	switch (why) {
	case EAGAIN:
		return "nobody takes its records";
	case AUDIT_GONE:
		return "the process that writes them is gone, or has refused "
		       "one";
	case AUDIT_SILENT:
		return "the process that writes them does not answer";
	default:
		return strerror(why);
	}
}
