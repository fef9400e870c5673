/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The storage driver for dockerd's data folder; see storage.h.
 *
 * overlay2 on a folder that is an overlay itself, such as a container's own
 * file system without a volume, is what the kernel refuses; so it is tried,
 * with the very mount that dockerd would make, in a child with a mount
 * namespace of its own.  The fall-back is vfs, which works on anything and
 * copies whole images: slow, so it is said.  fuse-overlayfs was rejected as
 * a fall-back: one more program in each image, for a case that a volume
 * mends.
 *
 * Data that vfs has written stays vfs's: dockerd shows the images of one
 * driver only, and a user whose images are gone after a restart has lost
 * them as far as he can see.
 *
 * Who attacks: nobody; the folder is root's.
 */
#include "storage.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* Of the lower file systems that dockerd refuses (overlay2/overlay.go). */
static const struct {
	unsigned long magic;
	const char *name;
} unfit[] = {
	{ 0x794c7630, "overlayfs" },
	{ 0x61756673, "aufs" },
	{ 0x0000f15f, "ecryptfs" },
	{ 0x00006969, "NFS" },
	{ 0x2fc12fc1, "ZFS" },
};

/* As dockerd makes it: 0711, and what is missing above. */
static bool
make_folder(const char *path)
{
	char part[PATH_BYTES];
	size_t i, len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0') {
			continue;
		}
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0711) == -1 && errno != EEXIST) {
			return false;
		}
	}
	return true;
}

static const char *const parts[] = { "l", "u", "w", "m" };

static bool
make_parts(const char *dir)
{
	char path[PATH_BYTES + 8];
	bool ok = true;
	size_t i;

	for (i = 0; i < NELEM(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		ok = ok && mkdir(path, 0700) == 0;
	}
	return ok;
}

static void
remove_parts(const char *dir)
{
	char path[PATH_BYTES + 8];
	size_t i;

	snprintf(path, sizeof(path), "%s/w/work", dir);
	(void)rmdir(path); /* the kernel's, left behind */
	for (i = 0; i < NELEM(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		(void)rmdir(path);
	}
	(void)rmdir(dir);
}

/* In a child; the mount goes with it. */
static int
mount_parts(const char *dir)
{
	static const char what[] = "lowerdir=l,upperdir=u,workdir=w";

	if (chdir(dir) == -1 || unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("overlay", "m", "overlay", 0, what) == -1) {
		return errno;
	}
	return 0;
}

static int
try_mount(const char *dir)
{
	int status;
	pid_t pid = fork();

	if (pid == -1) {
		return errno;
	}
	if (pid == 0) {
		_exit(mount_parts(dir) & 0xff); /* errnos are below 134 */
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return EPERM;
	}
	return WEXITSTATUS(status);
}

enum err
storage_try_overlay(const char *data, struct diag *why)
{
	char dir[PATH_BYTES];
	struct statfs sb;
	int failed;
	size_t i;

	if (!make_folder(data) || statfs(data, &sb) == -1) {
		diag_set(why, 0, 0, "%s: %s", data, strerror(errno));
		return ERR_IO;
	}
	for (i = 0; i < NELEM(unfit); i++) {
		if ((unsigned long)sb.f_type == unfit[i].magic) {
			diag_set(
			    why, 0, 0, "%s lies on %s", data, unfit[i].name);
			return ERR_IO;
		}
	}
	snprintf(dir, sizeof(dir), "%s/.dinv-probe-XXXXXX", data);
	if (mkdtemp(dir) == NULL) {
		diag_set(why, 0, 0, "%s: %s", data, strerror(errno));
		return ERR_IO;
	}
	failed = make_parts(dir) ? try_mount(dir) : errno;
	remove_parts(dir);
	if (failed != 0) {
		diag_set(why, 0, 0, "an overlay cannot be mounted in %s: %s",
		    data, strerror(failed));
		return ERR_IO;
	}
	return ERR_OK;
}

static bool
has_data_of(const char *data, const char *driver)
{
	char path[PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/image/%s", data, driver);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

const char *
storage_choose(const char *data, struct diag *why)
{
	if (has_data_of(data, "vfs") && !has_data_of(data, "overlay2")) {
		diag_set(why, 0, 0, "%s holds what vfs has written", data);
		return "vfs";
	}
	return storage_try_overlay(data, why) == ERR_OK ? "overlay2" : "vfs";
}
