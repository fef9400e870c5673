/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading audit files; see audit_read.h.
 *
 * One block of memory whatever the size of the file.  gzip is a program of
 * its own, which every system that rotates logs has: no library of it comes
 * into the process that holds keys.
 *
 * Attackers who could write to the file put in lines without end, and bytes
 * that are no text; what is shown to a terminal is escaped by who shows it.
 */
#include "audit_read.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit.h"

#define READER_BYTES (2u * LIMIT_AUDIT_RECORD_BYTES)

extern char **environ;

struct audit_reader {
	char *path;
	int fd;
	pid_t gzip; /* 0: none */
	char *p;
	size_t off, len; /* what is left in p */
	bool ended;
	bool follow;
	int why; /* errno of a read */
};

static bool
is_gzip(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f &&
	       magic[1] == 0x8b;
}

/* fd becomes the end of a pipe from gzip, which reads what fd was. */
static bool
through_gzip(struct audit_reader *r)
{
	char *argv[] = { (char[]){ "gzip" }, (char[]){ "-dc" }, NULL };
	posix_spawn_file_actions_t fa;
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC) == -1) {
		return false;
	}
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, r->fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, pipes[1], STDOUT_FILENO);
	rc = posix_spawnp(&r->gzip, "gzip", &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(pipes[1]);
	close(r->fd);
	r->fd = pipes[0];
	errno = rc;
	return rc == 0;
}

enum err
audit_reader_open(const char *path, struct audit_reader **out, struct diag *d)
{
	struct audit_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		return ERR_NOMEM;
	}
	r->path = strdup(path);
	r->p = malloc(READER_BYTES);
	r->fd = strcmp(path, "-") == 0
		    ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->path == NULL || r->p == NULL || r->fd == -1 ||
	    (is_gzip(r->fd) && !through_gzip(r))) {
		diag_set(d, 0, 0, "cannot read %s: %s", path, strerror(errno));
		r->gzip = 0;
		(void)!audit_reader_close(r, NULL);
		return ERR_IO;
	}
	*out = r;
	return ERR_OK;
}

enum err
audit_reader_close(struct audit_reader *r, struct diag *d)
{
	enum err rc = ERR_OK;
	int status = 0;

	if (r == NULL) {
		return ERR_OK;
	}
	if (r->fd != -1) {
		close(r->fd);
	}
	if (r->gzip != 0) {
		while (waitpid(r->gzip, &status, 0) == -1 && errno == EINTR) {
		}
	}
	if (r->why != 0) {
		diag_set(
		    d, 0, 0, "cannot read %s: %s", r->path, strerror(r->why));
		rc = ERR_IO;
	} else if (status != 0 && r->ended) {
		diag_set(d, 0, 0, "gzip cannot read %s to its end", r->path);
		rc = ERR_IO;
	}
	free(r->path);
	free(r->p);
	free(r);
	return rc;
}

static void
fill(struct audit_reader *r)
{
	ssize_t n;

	if (r->off > 0) {
		memmove(r->p, r->p + r->off, r->len);
		r->off = 0;
	}
	do {
		n = read(r->fd, r->p + r->len, READER_BYTES - r->len);
	} while (n == -1 && errno == EINTR);
	if (n <= 0) {
		r->ended = true;
		r->why = n == -1 ? errno : 0;
		return;
	}
	r->len += (size_t)n;
}

bool
audit_reader_line(struct audit_reader *r, struct span *line, bool *whole)
{
	size_t looked = 0;
	const char *lf;

	for (;;) {
		lf = r->len == looked ? NULL
				      : memchr(r->p + r->off + looked, '\n',
					    r->len - looked);
		if (lf != NULL || r->ended || r->len == READER_BYTES) {
			break;
		}
		looked = r->len;
		fill(r);
	}
	if (r->len == 0 || (lf == NULL && r->follow && r->len < READER_BYTES)) {
		return false;
	}
	*whole = lf != NULL;
	*line = span_make(
	    r->p + r->off, lf == NULL ? r->len : (size_t)(lf - r->p) - r->off);
	r->off += line->len + (lf != NULL);
	r->len -= line->len + (lf != NULL);
	return true;
}

void
audit_reader_follow(struct audit_reader *r)
{
	r->follow = true;
	r->ended = false;
}

bool
audit_reader_moved(const struct audit_reader *r)
{
	struct stat mine, there;

	return fstat(r->fd, &mine) == 0 && stat(r->path, &there) == 0 &&
	       (mine.st_ino != there.st_ino || mine.st_dev != there.st_dev);
}
