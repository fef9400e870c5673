/* SPDX-License-Identifier: Apache-2.0 */
/* What a container lacks, and the words that give it. */
#include <errno.h>

#include "needs.h"
#include "unit.h"

#define ALL 0xffffffffffffffffull
#define CAP(n) (1ull << (n))
#define SYS_ADMIN 21
#define NET_ADMIN 12
#define MKNOD 27

/* seen; how many gaps; what the first says, what it wants added */
static const struct {
	const char *name;
	struct needs_seen seen;
	size_t gaps;
	const char *what, *add;
} cases[] = {
	{ "no SYS_ADMIN, docker's own profiles in the way next",
	    { .caps = ALL & ~CAP(SYS_ADMIN),
		.seccomp = true,
		.apparmor = "docker-default",
		.mount_errno = EPERM,
		.pivot_errno = EPERM,
		.cgroup_errno = EROFS },
	    1, "capabilities are missing: SYS_ADMIN",
	    "--cap-add SYS_ADMIN --security-opt seccomp=unconfined "
	    "--security-opt apparmor=unconfined" },
	{ "two are named in one line",
	    { .caps = ALL & ~CAP(SYS_ADMIN) & ~CAP(NET_ADMIN) }, 1,
	    "capabilities are missing: SYS_ADMIN NET_ADMIN",
	    "--cap-add SYS_ADMIN --cap-add NET_ADMIN" },
	{ "one that containers inside will want", { .caps = ALL & ~CAP(MKNOD) },
	    1, "capabilities are missing: MKNOD", "--cap-add MKNOD" },
	{ "seccomp alone",
	    { .caps = ALL, .seccomp = true, .pivot_errno = EPERM }, 1,
	    "pivot_root(2) is refused (Operation not permitted), under a "
	    "seccomp profile",
	    "--security-opt seccomp=unconfined" },
	{ "AppArmor alone",
	    { .caps = ALL,
		.apparmor = "docker-default",
		.mount_errno = EACCES },
	    1,
	    "mount(2) is refused (Permission denied), under the AppArmor "
	    "profile docker-default",
	    "--security-opt apparmor=unconfined" },
	{ "both, and it cannot be told which",
	    { .caps = ALL,
		.seccomp = true,
		.apparmor = "x",
		.mount_errno = EPERM },
	    1,
	    "mount(2) is refused (Operation not permitted), under a seccomp "
	    "profile, under the AppArmor profile x",
	    "--security-opt seccomp=unconfined --security-opt "
	    "apparmor=unconfined" },
	{ "neither: something that has no name here",
	    { .caps = ALL, .keyring_errno = EPERM }, 1,
	    "keyctl(2) is refused (Operation not permitted)", "--privileged" },
	{ "cgroups", { .caps = ALL, .cgroup_errno = EROFS }, 1,
	    "/sys/fs/cgroup cannot be written (Read-only file system)",
	    "-v /sys/fs/cgroup:/sys/fs/cgroup:rw" },
	{ "forwarding", { .caps = ALL, .forward_errno = EROFS }, 1,
	    "/proc/sys/net/ipv4/ip_forward cannot be written (Read-only file "
	    "system)",
	    "--sysctl net.ipv4.ip_forward=1" },
	{ "every gap has a line",
	    { .caps = ALL & ~CAP(MKNOD),
		.seccomp = true,
		.mount_errno = EPERM,
		.pivot_errno = EPERM,
		.cgroup_errno = EROFS,
		.forward_errno = EROFS },
	    4, "capabilities are missing: MKNOD", "--cap-add MKNOD" },
	{ "a filter that lets all through", { .caps = ALL, .seccomp = true }, 0,
	    NULL, NULL },
	{ "nothing", { .caps = ALL }, 0, NULL, NULL },
};

static void
says_what_is_missing(void **state)
{
	struct needs_gap gap[NEEDS_GAPS_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_u64(cases[i].name, needs_judge(&cases[i].seen, gap),
		    cases[i].gaps);
		if (cases[i].gaps > 0) {
			expect_span(
			    cases[i].name, span_of(gap[0].what), cases[i].what);
			expect_span(
			    cases[i].name, span_of(gap[0].add), cases[i].add);
		}
	}
}

/* With no capability at all, all sixteen names fit. */
static void
every_name_fits(void **state)
{
	struct needs_gap gap[NEEDS_GAPS_MAX];
	struct needs_seen seen = {
		.caps = 0, .seccomp = true, .apparmor = "docker-default"
	};

	(void)state;
	expect_u64("gaps", needs_judge(&seen, gap), 1);
	assert_non_null(strstr(gap[0].what, " AUDIT_WRITE SETFCAP"));
	assert_non_null(strstr(gap[0].add, "--cap-add SETFCAP"));
	assert_non_null(strstr(gap[0].add, "apparmor=unconfined"));
}

/* What the tests themselves run with: looking breaks nothing. */
static void
looks_without_a_trace(void **state)
{
	struct needs_seen a, b;

	(void)state;
	needs_look(&a);
	needs_look(&b);
	assert_memory_equal(&a, &b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(every_name_fits),
		cmocka_unit_test(looks_without_a_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
