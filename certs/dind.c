/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker:dind's layout; see dind.h.
 *
 * Both layouts show the same files, so that neither can be newer: links in ca/
 * and server/, relative ones, for the directory is a volume that others mount
 * elsewhere.  CI systems mount client/ alone (as a volume of its own), where a
 * link would lead nowhere: it gets copies, written anew at each start, as
 * docker:dind does.  A client/ that outlived its CA is therefore no trouble.
 *
 * The order of copies is key, CA, certificate, each replaced whole: a job that
 * waits for cert.pem, as jobs do, finds the others there.
 *
 * Rejected: the store itself in this layout, with links under DinV's names;
 * one of the two has to be the real one, and a volume without sub-folders is
 * the simpler.
 *
 * Attackers who may write to client/ (a job with the volume) can put links
 * there; names are replaced, never written through.
 */
#include "dind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "file.h"
#include "store.h"

#define PEM_MAX ((size_t)1024 * 1024)

/* the store's file, its name here, whether it is a copy, its mode */
static const struct {
	enum store_file file;
	const char *folder;
	const char *name;
	bool copy;
	mode_t mode;
} views[] = {
	{ STORE_CA_KEY, "ca", "key.pem", false, 0 },
	{ STORE_CA_CERT, "ca", "cert.pem", false, 0 },
	{ STORE_SERVER_KEY, "server", "key.pem", false, 0 },
	{ STORE_CA_CERT, "server", "ca.pem", false, 0 },
	{ STORE_SERVER_CERT, "server", "cert.pem", false, 0 },
	{ STORE_CLIENT_KEY, "client", "key.pem", true, 0600 },
	{ STORE_CA_CERT, "client", "ca.pem", true, 0644 },
	{ STORE_CLIENT_CERT, "client", "cert.pem", true, 0644 },
};

static enum err
fail(const char *what, struct diag *d)
{
	diag_set(d, 0, 0, "%s: %s", what, strerror(errno));
	return ERR_IO;
}

/* ---- taking over -----------------------------------------------------------
 */

/* A link under the store's name, if that is free and the other is there. */
static enum err
take_one(int dir_fd, size_t i, struct diag *d)
{
	const char *to = store_file_name(views[i].file);
	char from[64];
	struct stat st;

	snprintf(from, sizeof(from), "%s/%s", views[i].folder, views[i].name);
	if (fstatat(dir_fd, from, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode)) {
		return ERR_OK;
	}
	if (symlinkat(from, dir_fd, to) == 0 || errno == EEXIST) {
		return ERR_OK;
	}
	return fail(to, d);
}

static bool
is_there(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

enum err
dind_take(const char *dir, struct diag *d)
{
	enum err rc = ERR_OK;
	bool made;
	size_t i;
	int fd;

	rc = dir_open(dir, 0755, &fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	/* Only from what is whole: a CA with its key. */
	if (is_there(fd, "ca/key.pem") && is_there(fd, "ca/cert.pem") &&
	    !is_there(fd, store_file_name(STORE_CA_CERT)) &&
	    !is_there(fd, store_file_name(STORE_CA_KEY))) {
		for (i = 0; i < NELEM(views) && rc == ERR_OK; i++) {
			if (!views[i].copy) {
				rc = take_one(fd, i, d);
			}
		}
	}
	close(fd);
	return rc;
}

/* ---- giving ----------------------------------------------------------------
 */

static enum err
give_link(int folder_fd, size_t i, struct diag *d)
{
	char to[64];

	snprintf(to, sizeof(to), "../%s", store_file_name(views[i].file));
	if (symlinkat(to, folder_fd, views[i].name) == 0 || errno == EEXIST) {
		return ERR_OK;
	}
	return fail(views[i].name, d);
}

static bool
is_same(const char *dir, size_t i, const struct secret *want)
{
	struct secret have = { NULL, 0 };
	char path[STORE_PATH_SIZE];
	struct stat st;
	bool same;
	int n;

	n = snprintf(path, sizeof(path), "%s/%s/%s", dir, views[i].folder,
	    views[i].name);
	if (n < 0 || (size_t)n >= sizeof(path) || lstat(path, &st) == -1 ||
	    !S_ISREG(st.st_mode) ||
	    secret_read_file(&have, path, PEM_MAX) != ERR_OK) {
		return false;
	}
	same = have.len == want->len &&
	       secret_equal(have.data, want->data, want->len);
	secret_fini(&have);
	return same;
}

static enum err
give_copy(const char *dir, int folder_fd, size_t i, struct diag *d)
{
	struct secret text = { NULL, 0 };
	char path[STORE_PATH_SIZE];
	enum err rc;

	rc = store_path(dir, views[i].file, path, sizeof(path));
	if (rc == ERR_OK) {
		rc = secret_read_file(&text, path, PEM_MAX);
	}
	if (rc == ERR_NOTFOUND) {
		return ERR_OK; /* no client pair was made */
	}
	if (rc == ERR_OK && !is_same(dir, i, &text)) {
		rc = file_replace(folder_fd, views[i].name, views[i].mode,
		    span_make(text.data, text.len));
	}
	secret_fini(&text);
	return rc == ERR_OK ? rc : fail(views[i].name, d);
}

static enum err
give_one(const char *dir, int dir_fd, size_t i, struct diag *d)
{
	int fd;
	enum err rc;

	if (!is_there(dir_fd, store_file_name(views[i].file))) {
		return ERR_OK;
	}
	if (mkdirat(dir_fd, views[i].folder, 0755) == -1 && errno != EEXIST) {
		return fail(views[i].folder, d);
	}
	fd = openat(dir_fd, views[i].folder,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1) {
		return fail(views[i].folder, d);
	}
	rc = views[i].copy ? give_copy(dir, fd, i, d) : give_link(fd, i, d);
	close(fd);
	return rc;
}

enum err
dind_give(const char *dir, struct diag *d)
{
	enum err rc;
	bool made;
	size_t i;
	int fd;

	rc = dir_open(dir, 0755, &fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	for (i = 0; i < NELEM(views) && rc == ERR_OK; i++) {
		rc = give_one(dir, fd, i, d);
	}
	close(fd);
	return rc;
}
