/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for a dockerd in a container; see room.h.
 *
 * A privileged container has all of this writable.  One that was only given
 * capabilities has not: Docker mounts /proc/sys and the cgroups read-only
 * over themselves.  With CAP_SYS_ADMIN that can be undone from inside, one
 * remount each, which spares people --privileged and with it every device of
 * the host.  Only those two are touched: /proc/sysrq-trigger, /proc/bus and
 * /sys stay as they are.
 *
 * On cgroup v2, dockerd wants to make groups below ours and give them
 * limits.  The kernel refuses to hand controllers down from a group with
 * processes in it (cgroup-v2.rst, "no internal process constraint"), so ours
 * move one level down first.  With cgroup v1 there is nothing to do.
 *
 * On a machine /run is emptied at boot; in a container that is started again
 * it is not, and dockerd takes the process ids of its last life, in its
 * exec-root, for containers that run: it waits for them, and may signal
 * whoever has the number now.
 *
 * Who attacks: nobody; all that is read is the kernel's, from before any
 * container was started.
 */
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log.h"

#define CGROUP2_MAGIC 0x63677270
#define PATH_BYTES 4096

bool
room_is_container(void)
{
	return access("/.dockerenv", F_OK) == 0 ||
	       access("/run/.containerenv", F_OK) == 0 ||
	       getenv("KUBERNETES_SERVICE_HOST") != NULL;
}

/* ---- read-only mounts -----------------------------------------------------
 */

/* The kernel writes blanks and backslashes as \040 and so on. */
static void
unescape(char *s)
{
	char *to = s;

	while (*s != '\0') {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				       (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool
is_ours_to_unlock(const char *path)
{
	static const char cgroup[] = "/sys/fs/cgroup";

	return strcmp(path, "/proc/sys") == 0 ||
	       (strncmp(path, cgroup, sizeof(cgroup) - 1) == 0 &&
		   (path[sizeof(cgroup) - 1] == '\0' ||
		       path[sizeof(cgroup) - 1] == '/'));
}

bool
room_is_locked(const char *line, char *path, size_t size)
{
	char where[PATH_BYTES], options[256];

	/* id, parent, device, root, mount point, options */
	if (sscanf(line, "%*s %*s %*s %*s %4095s %255s", where, options) != 2) {
		return false;
	}
	unescape(where);
	if ((strcmp(options, "ro") != 0 && strncmp(options, "ro,", 3) != 0) ||
	    !is_ours_to_unlock(where) || strlen(where) >= size) {
		return false;
	}
	memcpy(path, where, strlen(where) + 1);
	return true;
}

/* Its other flags stay: a remount sets them all. */
static unsigned long
other_flags(const char *path)
{
	static const struct {
		long seen;
		unsigned long flag;
	} both[] = { { ST_NOSUID, MS_NOSUID }, { ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC } };
	unsigned long flags = 0;
	struct statfs sb;
	size_t i;

	if (statfs(path, &sb) == -1) {
		return MS_NOSUID | MS_NODEV | MS_NOEXEC;
	}
	for (i = 0; i < NELEM(both); i++) {
		if ((sb.f_flags & both[i].seen) != 0) {
			flags |= both[i].flag;
		}
	}
	return flags;
}

void
room_unlock(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_BYTES], path[PATH_BYTES];
	unsigned n = 0;

	if (f == NULL) {
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (!room_is_locked(line, path, sizeof(path))) {
			continue;
		}
		if (mount(NULL, path, NULL,
			MS_REMOUNT | MS_BIND | other_flags(path), NULL) == 0) {
			n++;
		} else {
			log_debug("stays read-only: %s path=%s",
			    strerror(errno), path);
		}
	}
	fclose(f);
	if (n > 0) {
		log_debug(
		    "mounted to be written: /proc/sys, cgroups mounts=%u", n);
	}
}

/* ---- the last life ---------------------------------------------------------
 */

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	(void)sb;
	(void)type;
	if (at->level > 0) {
		(void)remove(path); /* what stays is dockerd's to complain of */
	}
	return 0;
}

void
room_forget_anyway(const char *exec_root)
{
	/* No links followed, no other file system entered, children first. */
	(void)nftw(exec_root, remove_one, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
}

void
room_forget(const char *exec_root)
{
	if (getpid() == 1 || getppid() == 1) {
		room_forget_anyway(exec_root);
	}
}

/* ---- cgroup v2 ----------------------------------------------------------- */

static bool
read_all(const char *path, char *out, size_t size)
{
	size_t n = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		return false;
	}
	while (n < size - 1 && (got = read(fd, out + n, size - 1 - n)) > 0) {
		n += (size_t)got;
	}
	close(fd);
	out[n] = '\0';
	return got >= 0;
}

/* One write(2) each: the kernel takes one value at a time. */
static bool
write_word(const char *path, const char *prefix, const char *word)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s%s\n", prefix, word);
	int saved, fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool ok;

	if (fd == -1) {
		return false;
	}
	ok = n > 0 && (size_t)n < sizeof(text) &&
	     write(fd, text, (size_t)n) == n;
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

/* Again until none is left: one may have forked meanwhile. */
static enum err
move_all(const char *from, const char *to)
{
	char pids[65536], *rest, *pid;
	unsigned round;

	for (round = 0; round < 10; round++) {
		if (!read_all(from, pids, sizeof(pids))) {
			return ERR_IO;
		}
		if (pids[strspn(pids, "\n")] == '\0') {
			return ERR_OK;
		}
		rest = pids;
		while ((pid = strsep(&rest, "\n")) != NULL) {
			/* 0: of another namespace; ESRCH: gone by now */
			if (pid[0] != '\0' && !write_word(to, "", pid) &&
			    errno != ESRCH) {
				return ERR_IO;
			}
		}
	}
	errno = EBUSY;
	return ERR_IO;
}

enum err
room_nest_anyway(const char *root)
{
	char from[256], to[256], list[1024], *rest = list, *word;

	snprintf(from, sizeof(from), "%s/cgroup.controllers", root);
	if (!read_all(from, list, sizeof(list))) {
		return ERR_IO;
	}
	snprintf(to, sizeof(to), "%s/init", root);
	if (mkdir(to, 0755) == -1 && errno != EEXIST) {
		return ERR_IO;
	}
	snprintf(from, sizeof(from), "%s/cgroup.procs", root);
	snprintf(to, sizeof(to), "%s/init/cgroup.procs", root);
	if (move_all(from, to) != ERR_OK) {
		return ERR_IO;
	}
	snprintf(to, sizeof(to), "%s/cgroup.subtree_control", root);
	while ((word = strsep(&rest, " \n")) != NULL) {
		if (word[0] != '\0' && !write_word(to, "+", word)) {
			log_warn("a cgroup controller cannot be handed to "
				 "containers: %s controller=%s",
			    strerror(errno), word);
		}
	}
	return ERR_OK;
}

enum err
room_nest(const char *root)
{
	struct statfs sb;

	if (statfs(root, &sb) == -1 ||
	    (unsigned long)sb.f_type != CGROUP2_MAGIC) {
		return ERR_OK;
	}
	return room_nest_anyway(root);
}
