/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New files in a directory; see file.h.
 *
 * Bytes go to a temporary file beside the target, onto the disk, and only
 * then get their name, by a rename that refuses to replace.  Whoever sees
 * the name sees the whole file, and a crash leaves at most a temporary file,
 * which the next holder of the lock removes by its name, .dinv-*.tmp.
 *
 * Rejected: O_TMPFILE with linkat(2), which leaves nothing behind, but which
 * neither NFS nor older overlay file systems have; plain rename(2), which
 * overwrites; opening the final name with O_EXCL, which shows half files.
 *
 * Attackers: another user on the host who may read the directory looks for a
 * moment in which a key is readable, so a file is made 0600 and widened
 * only when it is whole; one who may write to it owns the CA anyway.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define LOCK_NAME ".dinv.lock"
#define TMP_PATTERN ".dinv-*.tmp"

enum err
dir_open(const char *path, mode_t mode, int *fd, bool *made, struct diag *d)
{
	bool is_new = mkdir(path, mode) == 0;
	int why_not = errno, got;

	got = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (got == -1 && errno == ENOENT) {
		diag_set(d, 0, 0, "the directory cannot be made: %s",
		    strerror(why_not));
		return ERR_IO;
	}
	if (got == -1) {
		diag_set(d, 0, 0, "the directory cannot be opened: %s",
		    strerror(errno));
		return ERR_IO;
	}
	*fd = got;
	*made = is_new;
	return ERR_OK;
}

enum err
dir_lock(int dir_fd, int *lock_fd)
{
	int fd, ret;

	fd = openat(
	    dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1) {
		return ERR_IO;
	}
	do {
		ret = flock(fd, LOCK_EX);
	} while (ret == -1 && errno == EINTR);
	if (ret == -1) {
		close(fd);
		return ERR_IO;
	}
	*lock_fd = fd;
	return ERR_OK;
}

void
dir_sweep(int dir_fd)
{
	const struct dirent *e;
	DIR *dir;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1) {
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		if (fnmatch(TMP_PATTERN, e->d_name, 0) == 0) {
			(void)unlinkat(dir_fd, e->d_name, 0);
		}
	}
	closedir(dir);
}

enum err
file_exists(int dir_fd, const char *name, bool *is)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*is = true;
		return ERR_OK;
	}
	if (errno != ENOENT) {
		return ERR_IO;
	}
	*is = false;
	return ERR_OK;
}

static enum err
write_all(int fd, struct span s)
{
	ssize_t n;

	while (s.len > 0) {
		n = write(fd, s.p, s.len);
		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return ERR_IO;
		}
		s.p += n;
		s.len -= (size_t)n;
	}
	return ERR_OK;
}

/* The name of a temporary file that nobody else uses. */
static enum err
tmp_name(char *out, size_t size)
{
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];

	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		return ERR_RANDOM;
	}
	text_hex(random, sizeof(random), hex);
	snprintf(out, size, ".dinv-%s.tmp", hex);
	return ERR_OK;
}

/* Whole, with its mode, and on the disk. */
static enum err
write_tmp(int dir_fd, const char *tmp, mode_t mode, struct span bytes)
{
	enum err rc = ERR_IO;
	int fd;

	fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		return ERR_IO;
	}
	if (write_all(fd, bytes) == ERR_OK && fchmod(fd, mode) == 0 &&
	    fsync(fd) == 0) {
		rc = ERR_OK;
	}
	if (close(fd) == -1) {
		rc = ERR_IO; /* NFS tells of a full disk here */
	}
	return rc;
}

/* Gives tmp its name, if that is free. */
static enum err
publish(int dir_fd, const char *tmp, const char *name)
{
	if (renameat2(dir_fd, tmp, dir_fd, name, RENAME_NOREPLACE) == 0) {
		return ERR_OK;
	}
	if (errno == EINVAL || errno == ENOSYS) {
		/* This file system cannot; a second link does not replace. */
		if (linkat(dir_fd, tmp, dir_fd, name, 0) == 0) {
			(void)unlinkat(dir_fd, tmp, 0);
			return ERR_OK;
		}
	}
	return errno == EEXIST ? ERR_EXISTS : ERR_IO;
}

/* A temporary file with these bytes, under the name that tmp gets. */
static enum err
make_tmp(int dir_fd, mode_t mode, struct span bytes, char *tmp, size_t size)
{
	enum err rc = tmp_name(tmp, size);

	return rc != ERR_OK ? rc : write_tmp(dir_fd, tmp, mode, bytes);
}

static void
unlink_quietly(int dir_fd, const char *name)
{
	int saved = errno;

	(void)unlinkat(dir_fd, name, 0);
	errno = saved;
}

/* Some file systems cannot sync a directory, and need not. */
static bool
sync_dir(int dir_fd)
{
	return fsync(dir_fd) == 0 || errno == EINVAL;
}

enum err
file_create(int dir_fd, const char *name, mode_t mode, struct span bytes)
{
	char tmp[64] = "";
	enum err rc;

	rc = make_tmp(dir_fd, mode, bytes, tmp, sizeof(tmp));
	if (rc == ERR_OK) {
		rc = publish(dir_fd, tmp, name);
	}
	if (rc != ERR_OK) {
		unlink_quietly(dir_fd, tmp);
		return rc;
	}
	if (!sync_dir(dir_fd)) {
		unlink_quietly(dir_fd, name); /* ours: we gave the name */
		return ERR_IO;
	}
	return ERR_OK;
}

enum err
file_replace(int dir_fd, const char *name, mode_t mode, struct span bytes)
{
	char tmp[64] = "";
	enum err rc;

	rc = make_tmp(dir_fd, mode, bytes, tmp, sizeof(tmp));
	if (rc == ERR_OK && renameat(dir_fd, tmp, dir_fd, name) == -1) {
		rc = ERR_IO;
	}
	if (rc != ERR_OK) {
		unlink_quietly(dir_fd, tmp);
		return rc;
	}
	return sync_dir(dir_fd) ? ERR_OK : ERR_IO;
}
