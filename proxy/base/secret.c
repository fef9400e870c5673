/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key bytes; see secret.h.
 *
 * Read with read(2) into one allocation, so that no stdio buffer keeps a
 * second copy.  explicit_bzero(3) does the wiping.  Attackers look for keys
 * in core files, logs and reused heap memory.
 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void
secret_wipe(void *p, size_t n)
{
	if (p != NULL && n > 0) {
		explicit_bzero(p, n);
	}
}

void
secret_fini(struct secret *s)
{
	secret_wipe(s->data, s->len);
	free(s->data);
	s->data = NULL;
	s->len = 0;
}

static enum err
read_all(int fd, uint8_t *to, size_t want)
{
	size_t have = 0;
	ssize_t n;

	while (have < want) {
		n = read(fd, to + have, want - have);
		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return ERR_IO;
		}
		have += (size_t)n;
	}
	return ERR_OK;
}

/* O_NONBLOCK: a pipe in a file's place must not hold the gate up. */
static int
open_it(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int (*opens)(const char *path) = open_it;

void
secret_open_by(int (*fn)(const char *path))
{
	opens = fn == NULL ? open_it : fn;
}

enum err
secret_read_file(struct secret *s, const char *path, size_t max)
{
	enum err rc = ERR_IO;
	struct stat st;
	struct secret tmp = { NULL, 0 };
	int fd;

	fd = opens(path);
	if (fd == -1) {
		rc = errno == ENOENT ? ERR_NOTFOUND : ERR_IO;
		goto out;
	}
	if (fstat(fd, &st) == -1) {
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		goto out;
	}
	if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
		rc = ERR_LIMIT;
		goto out;
	}
	tmp.data = malloc((size_t)st.st_size + 1);
	if (tmp.data == NULL) {
		rc = ERR_NOMEM;
		goto out;
	}
	tmp.len = (size_t)st.st_size;
	rc = read_all(fd, tmp.data, tmp.len);
	if (rc != ERR_OK) {
		goto out;
	}
	tmp.data[tmp.len] = '\0';
	*s = tmp;
	tmp.data = NULL;
	tmp.len = 0;
out:
	secret_fini(&tmp);
	if (fd != -1) {
		close(fd);
	}
	return rc;
}

bool
secret_equal(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		diff |= x[i] ^ y[i];
	}
	return diff == 0;
}
