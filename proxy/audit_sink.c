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
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct audit_sink {
	char *path; /* NULL: standard output */
	int fd;
	bool whole; /* a file: takes all it is given, at once */
	bool torn;  /* its last line has no end, and nobody will finish it */
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
	struct stat st;
	int fd;

	s->torn = false;
	s->whole = fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (s->path == NULL || !s->whole) {
		return;
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
	return strcmp(to, "-") != 0;
}

enum err
audit_sink_open(const char *to, struct audit_sink **out, struct diag *d)
{
	struct audit_sink *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		return ERR_NOMEM;
	}
	s->fd = STDOUT_FILENO;
	if (strcmp(to, "-") != 0) {
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
	free(s->path);
	free(s);
}

enum err
audit_sink_reopen(struct audit_sink *s, struct diag *d)
{
	int fd;

	if (s->path == NULL) {
		return ERR_OK;
	}
	fd = open_file(s->path, d);
	if (fd == -1) {
		return ERR_IO;
	}
	close(s->fd);
	s->fd = fd;
	look_at(s);
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

int
audit_sink_put(
    struct audit_sink *s, struct span lines, size_t *took, int wait_ms)
{
	ssize_t n;

	*took = 0;
	if (s->torn) {
		if (write_some(s, span_of("\n"), wait_ms) != 1) {
			return errno;
		}
		s->torn = false;
	}
	while (*took < lines.len) {
		n = write_some(
		    s, span_make(lines.p + *took, lines.len - *took), wait_ms);
		if (n == -1 && errno != EINTR) {
			return errno;
		}
		*took += n == -1 ? 0 : (size_t)n;
	}
	return 0;
}

const char *
audit_errno_text(int why)
{
	return why == EAGAIN ? "nobody takes its records" : strerror(why);
}
