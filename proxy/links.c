/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows symbolic links as dockerd's mount will; see links.h.
 *
 * dockerd makes the folder of a bind where there is none, so the path may end
 * in names that do not exist: these are cut off one by one until the rest can
 * be followed.  A name that exists and leads nowhere is a dangling link, which
 * could lead anywhere a moment later: it is an error.
 *
 * The answer is true now.  Who can change folders of the path can change it
 * before dockerd mounts; policy/constraint_paths.c refuses such paths first.
 * The gate must see the file system that dockerd sees.
 *
 * Rejected: openat2() with RESOLVE_NO_SYMLINKS, which refuses the links that
 * the owner of the host made; opening the folder and handing dockerd
 * /proc/PID/fd/N, which a restart of the container would not find again.
 *
 * Attackers name a dangling link, a loop, a path through a file, and paths
 * too long to be followed.
 */
#include "links.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The part of path of length n, followed; found: it is there. */
static enum err
follow(const char *path, size_t n, char *real, bool *found)
{
	char part[PATH_MAX];
	struct stat st;

	memcpy(part, n == 0 ? "/" : path, n == 0 ? 1 : n);
	part[n == 0 ? 1 : n] = '\0';
	*found = realpath(part, real) != NULL;
	if (*found) {
		return ERR_OK;
	}
	if (errno != ENOENT || lstat(part, &st) == 0 || n == 0) {
		return ERR_IO;
	}
	return ERR_OK;
}

enum err
links_follow(const char *path, char *out, size_t size)
{
	char real[PATH_MAX];
	size_t len = strlen(path), n = len, head;
	bool found = false;
	enum err rc;

	if (len >= PATH_MAX) {
		return ERR_LIMIT;
	}
	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	n = len == 1 ? 0 : len;
	for (;;) {
		rc = follow(path, n, real, &found);
		if (rc != ERR_OK) {
			return rc;
		}
		if (found) {
			break;
		}
		while (n > 0 && path[n - 1] != '/') {
			n--;
		}
		n -= n > 0;
	}
	head = strcmp(real, "/") == 0 ? 0 : strlen(real);
	len = len == 1 ? 0 : len;
	if (head + (len - n) + 2 > size) {
		return ERR_LIMIT;
	}
	memcpy(out, real, head);
	memcpy(out + head, path + n, len - n);
	out[head + len - n] = '\0';
	if (out[0] == '\0') {
		memcpy(out, "/", 2);
	}
	return n < len ? ERR_NOTFOUND : ERR_OK;
}
