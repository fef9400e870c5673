/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mounted anew, and the move that cgroup v2 wants.
 *
 * The move is tried on a real cgroup v2 where this machine has one that can
 * be written; the handing down of controllers on a folder of files, because
 * on a machine of cgroup v1 no controller is v2's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "room.h"
#include "unit.h"

/* A line of mountinfo, and the path that is unlocked; NULL: none is. */
static const struct {
	const char *line, *path;
} mounts[] = {
	{ "166 317 0:83 /sys /proc/sys ro,nosuid,nodev,noexec,relatime - proc "
	  "proc rw",
	    "/proc/sys" },
	{ "325 321 0:31 /docker/0b94 /sys/fs/cgroup/memory ro,nosuid - cgroup "
	  "cgroup rw,memory",
	    "/sys/fs/cgroup/memory" },
	{ "321 320 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw",
	    "/sys/fs/cgroup" },
	{ "1 2 0:1 / /sys/fs/cgroup/a\\040b ro,x - cgroup c rw",
	    "/sys/fs/cgroup/a b" },
	/* writable already */
	{ "166 317 0:83 /sys /proc/sys rw,nosuid - proc proc rw", NULL },
	{ "166 317 0:83 /sys /proc/sys rootmode,ro - proc proc rw", NULL },
	/* not ours */
	{ "320 316 0:88 / /sys ro,nosuid - sysfs sysfs ro", NULL },
	{ "1 2 0:1 / /proc/sysrq-trigger ro,nosuid - proc proc rw", NULL },
	{ "1 2 0:1 / /proc/sys/kernel ro,nosuid - proc proc rw", NULL },
	{ "1 2 0:1 / /sys/fs/cgroupx ro - tmpfs t ro", NULL },
	{ "1 2 0:1 / /etc/resolv.conf ro - ext4 /dev/vda ro", NULL },
	/* no line at all */
	{ "", NULL },
	{ "1 2 0:1 /", NULL },
};

static void
unlocks_two_places_and_no_other(void **state)
{
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		bool got = room_is_locked(mounts[i].line, path, sizeof(path));

		expect_u64(mounts[i].line, got, mounts[i].path != NULL);
		if (got) {
			expect_span(
			    mounts[i].line, span_of(path), mounts[i].path);
		}
	}
	assert_false(room_is_locked(mounts[0].line, path, 4));
}

static char dir[64];

static const char *in_dir(const char *name);
static void put(const char *name, const char *text);

static void
forgets_all_but_what_links_lead_to(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/dinv-room.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(in_dir("exec"), 0700), 0);
	assert_int_equal(mkdir(in_dir("exec/containerd"), 0700), 0);
	put("exec/containerd/containerd.pid", "12");
	put("keep", "this");
	assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
	put("folder/keep", "this");
	assert_int_equal(symlink("../keep", in_dir("exec/link")), 0);
	assert_int_equal(symlink("../folder", in_dir("exec/folder")), 0);
	room_forget_anyway(in_dir("exec"));
	assert_int_equal(rmdir(in_dir("exec")), 0); /* empty, and there */
	assert_int_equal(unlink(in_dir("keep")), 0);
	assert_int_equal(unlink(in_dir("folder/keep")), 0);
	assert_int_equal(rmdir(in_dir("folder")), 0);
	room_forget_anyway(in_dir("exec")); /* not there at all */
	assert_int_equal(rmdir(dir), 0);
}

/* ---- cgroup v2 ----------------------------------------------------------- */

static const char *
in_dir(const char *name)
{
	static char path[2][160];
	static unsigned n;

	n ^= 1;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
expect_file(const char *name, const char *want)
{
	char text[256] = "";
	FILE *f = fopen(in_dir(name), "re");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void
hands_every_controller_down(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/dinv-room.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mkdir(in_dir("init"), 0755), 0);
	put("cgroup.controllers", "cpuset cpu memory pids\n");
	put("cgroup.procs", "");
	put("cgroup.subtree_control", "");
	put("init/cgroup.procs", "");
	expect_err("nest", room_nest_anyway(dir), ERR_OK);
	/* A file keeps all that the kernel would take one by one. */
	expect_file(
	    "cgroup.subtree_control", "+cpuset\n+cpu\n+memory\n+pids\n");
	/* Files of this machine's own are no cgroup v2, and stay as they are.
	 */
	put("cgroup.subtree_control", "");
	expect_err("no cgroup v2", room_nest(dir), ERR_OK);
	expect_file("cgroup.subtree_control", "");
	unlink(in_dir("init/cgroup.procs"));
	unlink(in_dir("cgroup.controllers"));
	unlink(in_dir("cgroup.procs"));
	unlink(in_dir("cgroup.subtree_control"));
	rmdir(in_dir("init"));
	expect_err("nothing there", room_nest_anyway(dir), ERR_IO);
	rmdir(in_dir("init"));
	assert_int_equal(rmdir(dir), 0);
}

static bool
enter(const char *group)
{
	char path[160];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	f = fopen(path, "we");
	if (f == NULL) {
		return false;
	}
	ok = fputs("0\n", f) >= 0;
	return fclose(f) == 0 && ok;
}

/* The group of cgroup v2 that a process is in ends so. */
static bool
is_in(pid_t pid, const char *end)
{
	char path[64], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0 &&
		    strlen(line) > strlen(end)) {
			found =
			    strcmp(line + strlen(line) - strlen(end), end) == 0;
		}
	}
	if (f != NULL) {
		fclose(f);
	}
	return found;
}

static void
wait_for_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
moves_every_process_of_a_real_group(void **state)
{
	static const char *const roots[] = { "/sys/fs/cgroup",
		"/sys/fs/cgroup/unified" };
	pid_t pid[3];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(dir, sizeof(dir), "%s/dinv-room-%d", roots[i],
		    (int)getpid());
		if (access(roots[i], W_OK) == 0 && mkdir(dir, 0755) == 0 &&
		    access(in_dir("cgroup.controllers"), F_OK) == 0) {
			break;
		}
		rmdir(dir);
	}
	if (i == 2) {
		print_message("skipped: no cgroup v2 that can be written\n");
		return;
	}
	for (i = 0; i < 3; i++) {
		int fds[2];
		char c;

		assert_int_equal(pipe(fds), 0);
		pid[i] = fork();
		if (pid[i] == 0) {
			c = enter(dir) ? 'y' : 'n';
			_exit(write(fds[1], &c, 1) == 1 ? pause() : 1);
		}
		assert_int_equal(read(fds[0], &c, 1), 1);
		assert_int_equal(c, 'y');
		close(fds[0]);
		close(fds[1]);
	}
	expect_err("nest", room_nest(dir), ERR_OK);
	for (i = 0; i < 3; i++) {
		assert_true(is_in(pid[i], "/init"));
	}
	expect_file("cgroup.procs", "");
	/* again, as after a restart of the container */
	expect_err("nest", room_nest(dir), ERR_OK);
	for (i = 0; i < 3; i++) {
		wait_for_end(pid[i]);
	}
	assert_int_equal(rmdir(in_dir("init")), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unlocks_two_places_and_no_other),
		cmocka_unit_test(forgets_all_but_what_links_lead_to),
		cmocka_unit_test(hands_every_controller_down),
		cmocka_unit_test(moves_every_process_of_a_real_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
