/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dockerd in a container needs; see needs.h.
 *
 * dockerd fails late and darkly where something is missing ("driver not
 * supported", "operation not permitted"), after a restart or two.  So every
 * need is tried before it is started, by doing the thing itself in a child
 * with a mount namespace of its own: a list of what profiles of seccomp and
 * AppArmor allow would be out of date with their next release.
 *
 * The capabilities are SYS_ADMIN and NET_ADMIN, and all those that Docker
 * gives a container by default: runc cannot start one with a capability that
 * it does not have itself.
 *
 * needs_judge() knows nothing but what it is handed, so that its sentences
 * are tested without a kernel for each.
 *
 * Who attacks: nobody; what is read is the kernel's.
 */
#include "needs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define FORWARD "/proc/sys/net/ipv4/ip_forward"
#define CGROUP "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270

/* As docker run --cap-add calls them. */
static const struct {
	unsigned bit;
	const char *name;
} wanted[] = {
	{ CAP_SYS_ADMIN, "SYS_ADMIN" },
	{ CAP_NET_ADMIN, "NET_ADMIN" },
	{ CAP_CHOWN, "CHOWN" },
	{ CAP_DAC_OVERRIDE, "DAC_OVERRIDE" },
	{ CAP_FOWNER, "FOWNER" },
	{ CAP_FSETID, "FSETID" },
	{ CAP_KILL, "KILL" },
	{ CAP_SETGID, "SETGID" },
	{ CAP_SETUID, "SETUID" },
	{ CAP_SETPCAP, "SETPCAP" },
	{ CAP_NET_BIND_SERVICE, "NET_BIND_SERVICE" },
	{ CAP_NET_RAW, "NET_RAW" },
	{ CAP_SYS_CHROOT, "SYS_CHROOT" },
	{ CAP_MKNOD, "MKNOD" },
	{ CAP_AUDIT_WRITE, "AUDIT_WRITE" },
	{ CAP_SETFCAP, "SETFCAP" },
};

/* ---- looking --------------------------------------------------------------
 */

/* The hexadecimal or decimal number behind "name:" in /proc/self/status. */
static uint64_t
status_number(const char *name, int base)
{
	FILE *f = fopen("/proc/self/status", "re");
	size_t len = strlen(name);
	char line[256];
	uint64_t n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			n = strtoull(line + len + 1, NULL, base);
		}
	}
	if (f != NULL) {
		fclose(f);
	}
	return n;
}

/* "docker-default (enforce)" without the mode; "" where nothing confines. */
static void
read_apparmor(char *out, size_t size)
{
	static const char *const path[] = { "/proc/self/attr/apparmor/current",
		"/proc/self/attr/current" };
	ssize_t n = -1;
	size_t i;
	int fd;

	for (i = 0; i < NELEM(path) && n <= 0; i++) {
		fd = open(path[i], O_RDONLY | O_CLOEXEC);
		if (fd != -1) {
			n = read(fd, out, size - 1);
			close(fd);
		}
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, " \n")] = '\0';
	if (strcmp(out, "unconfined") == 0) {
		out[0] = '\0';
	}
}

/* In a child: a mount that goes with it. */
static int
try_mount(void)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", "/proc", "tmpfs", 0, NULL) == -1) {
		return errno;
	}
	return 0;
}

/* The kernel asks for the right before it looks at the paths. */
static int
try_pivot(void)
{
	(void)syscall(SYS_pivot_root, "/proc/none", "/proc/none");
	return errno == EPERM || errno == EACCES || errno == ENOSYS ? errno : 0;
}

/* KEYCTL_GET_KEYRING_ID of the session; runc makes one of its own. */
static int
try_keyring(void)
{
	if (syscall(SYS_keyctl, 0, -3, 0) == -1 && errno == EPERM) {
		return errno;
	}
	return 0;
}

static int
in_child(int (*try)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == -1) {
		return errno;
	}
	if (pid == 0) {
		_exit(try() & 0xff); /* Linux's are all below 134 */
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		return EPERM; /* a filter that kills */
	}
	return WEXITSTATUS(status);
}

static int
try_group(const char *parent)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/dinv-probe-%d", parent, (int)getpid());
	if (mkdir(path, 0755) == -1 && errno != EEXIST) {
		return errno;
	}
	return rmdir(path) == -1 ? errno : 0;
}

/* Of cgroup v1 every hierarchy is another; devices has to be there. */
static int
try_cgroup(void)
{
	struct statfs sb;

	if (statfs(CGROUP, &sb) == -1) {
		return errno;
	}
	if ((unsigned long)sb.f_type == CGROUP2_MAGIC) {
		return try_group(CGROUP);
	}
	return try_group(CGROUP "/devices");
}

/* dockerd switches it on where it is not. */
static int
try_forward(void)
{
	char value = '0';
	int fd;

	fd = open(FORWARD, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		if (read(fd, &value, 1) != 1) {
			value = '0';
		}
		close(fd);
	}
	if (value == '1') {
		return 0;
	}
	fd = open(FORWARD, O_WRONLY | O_CLOEXEC);
	if (fd == -1) {
		return errno;
	}
	close(fd);
	return 0;
}

void
needs_look(struct needs_seen *out)
{
	memset(out, 0, sizeof(*out));
	out->caps = status_number("CapEff", 16) & status_number("CapBnd", 16);
	out->seccomp = status_number("Seccomp", 10) != 0;
	read_apparmor(out->apparmor, sizeof(out->apparmor));
	out->mount_errno = in_child(try_mount);
	out->pivot_errno = in_child(try_pivot);
	out->keyring_errno = in_child(try_keyring);
	out->cgroup_errno = try_cgroup();
	out->forward_errno = try_forward();
}

/* ---- judging ------------------------------------------------------------- */

static void
append(char *out, size_t size, const char *a, const char *b)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s%s", len == 0 ? "" : " ", a, b);
}

static bool
lacks(const struct needs_seen *seen, unsigned bit)
{
	return (seen->caps >> bit & 1) == 0;
}

/* What takes off whatever confines the container besides. */
static void
append_unconfined(const struct needs_seen *seen, char *out, size_t size)
{
	if (seen->seccomp) {
		append(out, size, "--security-opt seccomp=unconfined", "");
	}
	if (seen->apparmor[0] != '\0') {
		append(out, size, "--security-opt apparmor=unconfined", "");
	}
}

static size_t
judge_caps(const struct needs_seen *seen, struct needs_gap *gap)
{
	char names[200] = "";
	size_t i;

	gap->add[0] = '\0';
	for (i = 0; i < NELEM(wanted); i++) {
		if (lacks(seen, wanted[i].bit)) {
			append(names, sizeof(names), wanted[i].name, "");
			append(gap->add, sizeof(gap->add), "--cap-add ",
			    wanted[i].name);
		}
	}
	snprintf(gap->what, sizeof(gap->what), "capabilities are missing: %s",
	    names);
	return names[0] != '\0';
}

/* A call that the capabilities allow, and somebody else does not. */
static size_t
judge_call(const struct needs_seen *seen, const char *call, int failed,
    struct needs_gap *gap)
{
	if (failed == 0) {
		return 0;
	}
	gap->add[0] = '\0';
	append_unconfined(seen, gap->add, sizeof(gap->add));
	if (gap->add[0] == '\0') {
		append(gap->add, sizeof(gap->add), "--privileged", "");
	}
	snprintf(gap->what, sizeof(gap->what), "%s is refused (%s)%s%s%s", call,
	    strerror(failed), seen->seccomp ? ", under a seccomp profile" : "",
	    seen->apparmor[0] == '\0' ? "" : ", under the AppArmor profile ",
	    seen->apparmor);
	return 1;
}

/* What a filter of system calls refuses is said once. */
static size_t
judge_calls(const struct needs_seen *seen, struct needs_gap *gap)
{
	const struct {
		const char *call;
		int failed;
	} call[] = { { "mount(2)", seen->mount_errno },
		{ "pivot_root(2)", seen->pivot_errno },
		{ "keyctl(2)", seen->keyring_errno } };
	size_t i;

	for (i = 0; i < NELEM(call); i++) {
		if (judge_call(seen, call[i].call, call[i].failed, gap) > 0) {
			return 1;
		}
	}
	return 0;
}

static size_t
judge_file(const char *path, int failed, const char *add, struct needs_gap *gap)
{
	if (failed == 0) {
		return 0;
	}
	snprintf(gap->what, sizeof(gap->what), "%s cannot be written (%s)",
	    path, strerror(failed));
	snprintf(gap->add, sizeof(gap->add), "%s", add);
	return 1;
}

size_t
needs_judge(const struct needs_seen *seen, struct needs_gap gap[NEEDS_GAPS_MAX])
{
	size_t n = judge_caps(seen, &gap[0]);

	/* Without it nothing of the rest works, so nothing is known of it; but
	 * Docker's own profiles stand in the way next. */
	if (lacks(seen, CAP_SYS_ADMIN)) {
		append_unconfined(seen, gap[0].add, sizeof(gap[0].add));
		return n;
	}
	n += judge_calls(seen, &gap[n]);
	n += judge_file(CGROUP, seen->cgroup_errno,
	    "-v /sys/fs/cgroup:/sys/fs/cgroup:rw", &gap[n]);
	n += judge_file(FORWARD, seen->forward_errno,
	    "--sysctl net.ipv4.ip_forward=1", &gap[n]);
	return n;
}

bool
needs_are_met(void)
{
	struct needs_gap gap[NEEDS_GAPS_MAX];
	char add[NEEDS_GAPS_MAX * sizeof(gap[0].add)] = "";
	struct needs_seen seen;
	size_t i, n;

	needs_look(&seen);
	n = needs_judge(&seen, gap);
	for (i = 0; i < n; i++) {
		log_error(
		    "dockerd cannot run in this container: %s", gap[i].what);
		append(add, sizeof(add), gap[i].add, "");
	}
	if (n > 0) {
		log_error("add to docker run: %s (or --privileged)", add);
	}
	return n == 0;
}
