/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving rights away; see confine.h.
 *
 * Three walls, each of which would do on a good day: another user without
 * capabilities; Landlock, whose rules here allow nothing at all; and a list
 * of the system calls that serving takes.  What is not on the list ends in
 * EPERM and not in a signal: a C library that tries something new shall not
 * take the gate down, it shall be told no.
 *
 * The list names no call that opens a file, makes a socket, connects, starts
 * a program or touches another process.  Memory cannot be made executable
 * later.  clone(2) makes threads only; clone3(2), whose flags a filter cannot
 * see, is said not to exist, and the C library takes the other.
 *
 * Rejected: chroot(2), which Landlock does better; a filter that kills, see
 * above; the list of another program, which is as long as what it does.
 *
 * Attackers are inside already when this counts: they run code of theirs as
 * the gate.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "log.h"

#define CONFINE_CAPS 64

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_FILTERS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONFINE_FILTERS 0
#endif
#endif
#ifndef CONFINE_FILTERS
#define CONFINE_FILTERS 1
#endif

bool
confine_filters(void)
{
	return CONFINE_FILTERS;
}

/* --- who ----------------------------------------------------------------- */

static bool
look_up(const char *name, struct confine_user *u)
{
	const struct passwd *pw = getpwnam(name);
	uint64_t n;

	if (pw != NULL) {
		u->uid = pw->pw_uid;
		u->gid = pw->pw_gid;
	} else if (text_parse_u64(span_of(name), INT32_MAX, &n) == ERR_OK) {
		u->uid = (uid_t)n;
		u->gid = (gid_t)n;
	} else {
		return false;
	}
	snprintf(u->name, sizeof(u->name), "%s", name);
	return true;
}

enum err
confine_find_user(const char *name, struct confine_user *out, struct diag *d)
{
	struct confine_user u = { false, geteuid(), getegid(), "" };
	bool known;

	if (name != NULL) {
		known = look_up(name, &u);
	} else if (geteuid() != 0) {
		known = true;
	} else {
		known = look_up("dinv", &u) || look_up("nobody", &u) ||
			look_up("65534", &u);
	}
	if (!known) {
		diag_set(d, 0, 0,
		    "-user %s: there is no such user (a name, or a number)",
		    name);
		return ERR_USAGE;
	}
	if (geteuid() != 0 && u.uid != geteuid()) {
		diag_set(d, 0, 0, "-user %s: only root can become another user",
		    name);
		return ERR_USAGE;
	}
	u.change = geteuid() == 0 && u.uid != 0;
	*out = u;
	return ERR_OK;
}

static enum err
become(const struct confine_user *u, struct diag *d)
{
	if (!u->change) {
		return ERR_OK;
	}
	if (setgroups(0, NULL) == -1 ||
	    setresgid(u->gid, u->gid, u->gid) == -1 ||
	    setresuid(u->uid, u->uid, u->uid) == -1) {
		diag_set(d, 0, 0,
		    "the gate cannot become the user %s: %s (it takes the "
		    "capabilities SETUID and SETGID; -user root does without)",
		    u->name, strerror(errno));
		return ERR_IO;
	}
	if (setresuid(0, 0, 0) != -1 || geteuid() == 0) {
		diag_set(d, 0, 0, "the gate is still root after it became %s",
		    u->name);
		return ERR_IO;
	}
	return ERR_OK;
}

/* Those that a program with file capabilities would bring; while we may. */
static void
drop_bounding_set(void)
{
	unsigned long cap;

	for (cap = 0; cap < CONFINE_CAPS; cap++) {
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
}

/* Who may not say that he has none (a service manager's filter) may have none
 * all the same. */
static bool
has_none(struct __user_cap_header_struct *head)
{
	struct __user_cap_data_struct has[2];

	memset(has, 0xff, sizeof(has));
	return syscall(SYS_capget, head, has) == 0 &&
	       (has[0].effective | has[0].permitted | has[0].inheritable |
		   has[1].effective | has[1].permitted | has[1].inheritable) ==
		   0;
}

/* Also those of root, where we stay that. */
static enum err
drop_capabilities(struct diag *d)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct none[2];

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	memset(none, 0, sizeof(none));
	if ((syscall(SYS_capset, &head, none) == -1 && !has_none(&head)) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		diag_set(d, 0, 0, "the gate cannot give its rights away: %s",
		    strerror(errno));
		return ERR_IO;
	}
	return ERR_OK;
}

#if CONFINE_FILTERS

/* --- Landlock ------------------------------------------------------------ */

/* linux/landlock.h as of ABI 6, which is newer than what we are built with;
 * a shorter one is what an older kernel knows. */
struct ruleset {
	uint64_t files, net, scoped;
};

/* what is refused from each ABI on, and the size of what that ABI reads */
static const struct {
	struct ruleset r;
	size_t size;
} landlock_abi[] = {
	{ { 0x1fff, 0, 0 }, sizeof(uint64_t) },
	{ { 0x3fff, 0, 0 }, sizeof(uint64_t) },	    /* 2: refer */
	{ { 0x7fff, 0, 0 }, sizeof(uint64_t) },	    /* 3: truncate */
	{ { 0x7fff, 3, 0 }, 2 * sizeof(uint64_t) }, /* 4: TCP */
	{ { 0xffff, 3, 0 }, 2 * sizeof(uint64_t) }, /* 5: ioctl of devices */
	{ { 0xffff, 3, 3 }, 3 * sizeof(uint64_t) }, /* 6: signals, abstract */
};

/* No rule is added: nothing is allowed. */
static bool
landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	size_t i;
	long fd;
	bool done;

	if (abi < 1) {
		return false;
	}
	i = (size_t)abi > NELEM(landlock_abi) ? NELEM(landlock_abi)
					      : (size_t)abi;
	fd = syscall(SYS_landlock_create_ruleset, &landlock_abi[i - 1].r,
	    landlock_abi[i - 1].size, 0);
	if (fd == -1) {
		return false;
	}
	done = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close((int)fd);
	return done;
}

/* --- system calls -------------------------------------------------------- */

static const int calls[] = {
	/* bytes, on descriptors that are open */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(lseek),
	SCMP_SYS(shutdown),
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getdents64),
	/* what they are */
	SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(fstat),
	/* waiting */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(memfd_create),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(futex),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(restart_syscall),
	/* memory */
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(getrandom),
	/* threads, signals, the end */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* who we are, what we have used */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),
	SCMP_SYS(times),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getrlimit),
};

static const struct {
	int call;
	struct scmp_arg_cmp arg;
} calls_if[] = {
	/* no memory that is both written and run, also one after the other */
	{ SCMP_SYS(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	/* threads */
	{ SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM,
			       CLONE_THREAD | CLONE_VM } },
	/* options of sockets, but not those of netfilter and the like */
	{ SCMP_SYS(setsockopt), { 1, SCMP_CMP_EQ, SOL_SOCKET, 0 } },
	{ SCMP_SYS(setsockopt), { 1, SCMP_CMP_EQ, 6, 0 } }, /* TCP */
	{ SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, FIONREAD, 0 } },
	{ SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, FIONBIO, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFL, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFL, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFD, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFD, 0 } },
	{ SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0 } },
	/* of a thread: its name; of the process: what it has */
	{ SCMP_SYS(prctl), { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
	{ SCMP_SYS(prlimit64), { 2, SCMP_CMP_EQ, 0, 0 } },
};

static int
fill(scmp_filter_ctx ctx)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < NELEM(calls) && rc == 0; i++) {
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	}
	for (i = 0; i < NELEM(calls_if) && rc == 0; i++) {
		rc = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, calls_if[i].call, 1, &calls_if[i].arg);
	}
	if (rc == 0) {
		rc = seccomp_rule_add(
		    ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	}
	if (rc == 0) { /* abort(3), and a fault that is raised again */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	}
	if (rc == 0) { /* fstat(2), as newer C libraries have it: no name */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat),
		    1, SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
	}
	return rc;
}

static enum err
filter(struct diag *d)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = -ENOMEM;

	if (ctx != NULL) {
		/* a tree, not a list: a few comparisons a call */
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		rc = fill(ctx);
		rc = rc == 0 ? seccomp_load(ctx) : rc;
		seccomp_release(ctx);
	}
	if (rc != 0) {
		diag_set(d, 0, 0,
		    "the gate's system calls cannot be filtered: %s (the "
		    "kernel must have CONFIG_SECCOMP_FILTER)",
		    strerror(-rc));
		return ERR_IO;
	}
	return ERR_OK;
}

static enum err
close_in(struct diag *d)
{
	if (!landlock()) {
		log_info("this kernel has no Landlock: the filter of system "
			 "calls is the only wall around files");
	}
	return filter(d);
}

#else

static enum err
close_in(struct diag *d)
{
	(void)d;
	log_warn("built with a sanitizer: system calls are not filtered");
	return ERR_OK;
}

#endif

/* Becoming somebody else has cleared what was asked for before. */
static enum err
die_with(pid_t parent, int death, struct diag *d)
{
	if (parent == 0) {
		return ERR_OK;
	}
	if (prctl(PR_SET_PDEATHSIG, death) == -1 || getppid() != parent) {
		diag_set(d, 0, 0, "the master process has gone");
		return ERR_IO;
	}
	return ERR_OK;
}

enum err
confine(
    const struct confine_user *user, pid_t parent, int death, struct diag *d)
{
	enum err rc;

	drop_bounding_set();
	rc = become(user, d);
	if (rc == ERR_OK) {
		rc = drop_capabilities(d);
	}
	if (rc == ERR_OK) {
		rc = die_with(parent, death, d);
	}
	/* nobody reads our memory, not even others of this user */
	if (rc == ERR_OK && CONFINE_FILTERS) {
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	return rc == ERR_OK ? close_in(d) : rc;
}
