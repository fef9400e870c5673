/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CERTS_FIXTURE_H
#define TESTS_CERTS_FIXTURE_H

/*
 * For the tests of certs/: directories that come and go, files, and other
 * people's certificates, made by the openssl command where it is installed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/span.h"

#define NOW ((time_t)1790000000) /* 2026-09-21 */
#define DAY ((time_t)86400)

struct tmp {
	char dir[64];
	char path[6][192]; /* a ring, for tmp_path() */
	unsigned next;
};

static inline void
tmp_init(struct tmp *t)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->dir, sizeof(t->dir), "/tmp/dinv-certs-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
}

static inline void
tmp_clear(const char *dir)
{
	char path[1024];
	struct dirent *e;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0) {
			continue;
		}
		assert_true(strlen(dir) + strlen(e->d_name) + 2 < sizeof(path));
		stpcpy(stpcpy(stpcpy(path, dir), "/"), e->d_name);
		if (unlink(path) == -1) {
			tmp_clear(path);
			assert_int_equal(rmdir(path), 0);
		}
	}
	closedir(d);
}

static inline void
tmp_fini(struct tmp *t)
{
	(void)chmod(t->dir, 0700);
	tmp_clear(t->dir);
	assert_int_equal(rmdir(t->dir), 0);
}

/* dir/name, good for five further calls. */
static inline const char *
tmp_path(struct tmp *t, const char *name)
{
	char *p = t->path[t->next++ % 6];

	assert_true(strlen(t->dir) + strlen(name) + 2 < sizeof(t->path[0]));
	stpcpy(stpcpy(stpcpy(p, t->dir), "/"), name);
	return p;
}

static inline bool
tmp_has(struct tmp *t, const char *name)
{
	return access(tmp_path(t, name), F_OK) == 0;
}

static inline void
tmp_put(struct tmp *t, const char *name, const char *text)
{
	FILE *f = fopen(tmp_path(t, name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The file's text, in storage that the next call reuses. */
static inline const char *
tmp_get(struct tmp *t, const char *name)
{
	static char text[65536];
	FILE *f = fopen(tmp_path(t, name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static inline void
tmp_copy(struct tmp *from, const char *a, struct tmp *to, const char *b)
{
	tmp_put(to, b, tmp_get(from, a));
}

/* How many names the directory has, lock and ledger not counted. */
static inline unsigned
tmp_count(struct tmp *t)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(t->dir);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		n += strcmp(e->d_name, ".") != 0 &&
		     strcmp(e->d_name, "..") != 0 &&
		     strcmp(e->d_name, ".dinv.lock") != 0 &&
		     strcmp(e->d_name, "issued.tsv") != 0;
	}
	closedir(d);
	return n;
}

/*
 * Runs a shell command in the directory, silently; its exit status.  Leaks
 * of other people's programs are not looked for.
 */
static inline int __attribute__((format(printf, 2, 3)))
tmp_sh(struct tmp *t, const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;
	int n, status;

	n = snprintf(
	    cmd, sizeof(cmd), "exec >/dev/null 2>&1; cd '%s' && ", t->dir);
	va_start(ap, fmt);
	n += vsnprintf(cmd + n, sizeof(cmd) - (size_t)n, fmt, ap);
	va_end(ap);
	assert_true((size_t)n < sizeof(cmd));
	status = system(cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool
have_openssl(void)
{
	return system("openssl version >/dev/null 2>&1") == 0;
}

#endif
