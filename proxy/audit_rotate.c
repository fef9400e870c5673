/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotation of audit files; see audit_rotate.h.
 *
 * gzip runs as a process of its own, so that neither the writer waits for it
 * nor the process with the keys holds a decompressor.  Without gzip the file
 * stays as it is.
 *
 * Rejected: numbers that count up with each rotation (.1 becomes .2): who
 * reads one while it is renamed reads another.
 */
#include "audit_rotate.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define ROTATE_TRIES 1000
#define ROTATE_STAMP_LEN 21 /* ".20261121T081500.123Z" */

extern char **environ;

pid_t
audit_rotate_compress(const char *moved)
{
	char *name = strdup(moved);
	char *argv[] = { (char[]){ "gzip" }, (char[]){ "-f" }, (char[]){ "--" },
		name, NULL };
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid = 0;
	int rc;

	if (name == NULL) {
		return 0;
	}
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawnp(&pid, "gzip", NULL, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	free(name);
	if (rc != 0) {
		log_warn("audit: %s stays uncompressed: gzip: %s", moved,
		    strerror(rc));
		return 0;
	}
	return pid;
}

/* --- those that are there ------------------------------------------------ */

/* The folder of path, "." without one; *base: behind its last '/'. */
static char *
folder_of(const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');

	*base = slash == NULL ? path : slash + 1;
	if (slash == NULL) {
		return strdup(".");
	}
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* "BASE.20261121T081500.123Z" or with .gz */
static bool
is_moved(const char *name, const char *base)
{
	size_t n = strlen(base), i;

	if (strncmp(name, base, n) != 0 || name[n] != '.' ||
	    strlen(name + n + 1) < 20) {
		return false;
	}
	for (i = 0; i < 8; i++) {
		if (name[n + 1 + i] < '0' || name[n + 1 + i] > '9') {
			return false;
		}
	}
	return name[n + 9] == 'T' && name[n + 20] == 'Z';
}

/* Sorted; *n counts those of base alone, which come first. */
static struct dirent **
list(const char *folder, const char *base, int *n)
{
	struct dirent **all = NULL;
	int i, total = scandir(folder, &all, NULL, alphasort);

	*n = 0;
	for (i = 0; i < total; i++) {
		if (is_moved(all[i]->d_name, base)) {
			all[(*n)++] = all[i];
		} else {
			free(all[i]);
		}
	}
	return total < 0 ? NULL : all;
}

static void
list_free(struct dirent **all, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		free(all[i]);
	}
	free(all);
}

static void
next_ms(struct timespec *ts)
{
	ts->tv_nsec += 1000000;
	ts->tv_sec += ts->tv_nsec / 1000000000;
	ts->tv_nsec %= 1000000000;
}

/* A clock that was set back must not make what is newest the oldest: it would
 * be the first to be removed, and the chain would go on from another. */
static void
stay_behind_newest(const char *path, struct timespec *ts)
{
	const char *base, *end;
	char *folder = folder_of(path, &base);
	struct dirent **all = NULL;
	struct timespec last = { 0, 0 };
	struct tm tm = { 0 };
	int n = 0;

	if (folder != NULL) {
		all = list(folder, base, &n);
	}
	if (n > 0) {
		end = strptime(all[n - 1]->d_name + strlen(base) + 1,
		    "%Y%m%dT%H%M%S", &tm);
		if (end != NULL && *end == '.') {
			last.tv_sec = timegm(&tm);
			last.tv_nsec = strtol(end + 1, NULL, 10) * 1000000;
			next_ms(&last);
		}
	}
	if (last.tv_sec > ts->tv_sec ||
	    (last.tv_sec == ts->tv_sec && last.tv_nsec > ts->tv_nsec)) {
		*ts = last;
	}
	list_free(all, n);
	free(folder);
}

enum err
audit_rotate_move(const char *path, char *moved, size_t size, struct diag *d)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];
	int i, n;

	clock_gettime(CLOCK_REALTIME, &ts);
	stay_behind_newest(path, &ts);
	for (i = 0; i < ROTATE_TRIES; i++) {
		gmtime_r(&ts.tv_sec, &tm);
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
		n = snprintf(moved, size, "%s.%s.%03ldZ", path, stamp,
		    ts.tv_nsec / 1000000);
		if (n < 0 || (size_t)n >= size) {
			diag_set(d, 0, 0, "the audit file's name is too long");
			return ERR_LIMIT;
		}
		/* link() and not rename(): it takes no name that is taken. */
		if (link(path, moved) == 0) {
			if (unlink(path) == 0) {
				return ERR_OK;
			}
			break;
		}
		if (errno != EEXIST) {
			break;
		}
		next_ms(&ts);
	}
	diag_set(d, 0, 0, "cannot move the audit file to %s: %s", moved,
	    strerror(errno));
	return ERR_IO;
}

static void
remove_one(const char *folder, const char *file)
{
	char *name;

	if (asprintf(&name, "%s/%s", folder, file) == -1) {
		return;
	}
	if (unlink(name) == -1 && errno != ENOENT) {
		log_warn("audit: cannot remove %s: %s", name, strerror(errno));
	}
	free(name);
}

/* While gzip runs, a file is there twice, one name behind the other. */
static bool
same_file(const char *a, const char *b, const char *base)
{
	return strncmp(a, b, strlen(base) + ROTATE_STAMP_LEN) == 0;
}

void
audit_rotate_prune(const char *path, unsigned keep)
{
	const char *base;
	char *folder = folder_of(path, &base);
	struct dirent **all = NULL;
	unsigned kept = 0;
	int n = 0, i;

	if (folder != NULL && keep > 0) {
		all = list(folder, base, &n);
	}
	for (i = n - 1; i >= 0; i--) {
		if (i == n - 1 ||
		    !same_file(all[i]->d_name, all[i + 1]->d_name, base)) {
			kept++;
		}
		if (kept > keep) {
			remove_one(folder, all[i]->d_name);
		}
	}
	list_free(all, n);
	free(folder);
}

bool
audit_rotate_newest(const char *path, char *out, size_t size)
{
	const char *base, *name;
	char *folder = folder_of(path, &base);
	struct dirent **all = NULL;
	bool found = false;
	int n = 0;

	if (folder != NULL) {
		all = list(folder, base, &n);
	}
	if (n > 0) {
		name = all[n - 1]->d_name;
		found = name[strlen(name) - 1] == 'Z' &&
			snprintf(out, size, "%s/%s", folder, name) < (int)size;
	}
	list_free(all, n);
	free(folder);
	return found;
}
