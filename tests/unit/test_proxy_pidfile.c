/* SPDX-License-Identifier: Apache-2.0 */
/* Pid files: which are kept and refused, which are removed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pidfile.h"

static const char *const ours[] = { "other", "test (a) b) pidfile-long", NULL };
static char dir[64], path[96];

static void
write_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void
write_pid(pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d\n", (int)pid);
	write_file(text, strlen(text));
}

static void
keeps_the_file_of_a_living_one(void **state)
{
	pid_t pid = 0;

	(void)state;
	/* Longer than the kernel keeps, with brackets to confuse a reader. */
	prctl(PR_SET_NAME, ours[1]);
	write_pid(getpid());
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_EXISTS);
	assert_int_equal(pid, getpid());
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

static void
refuses_what_is_no_file(void **state)
{
	pid_t pid;

	(void)state;
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_SYNTAX);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_SYNTAX);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_SYNTAX);
	rmdir(path);
}

static void
removes_the_file_of_a_dead_one(void **state)
{
	siginfo_t info;
	pid_t pid = 0, child = fork();

	(void)state;
	if (child == 0) {
		_exit(0);
	}
	/* A zombie keeps its name and its number, and does nothing. */
	assert_int_equal(
	    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	write_pid(child);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
	waitpid(child, NULL, 0);
	write_pid(child);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
}

static void
removes_the_file_when_the_number_has_another_owner(void **state)
{
	static const char *const others[] = { "dockerd", "test", NULL };
	pid_t pid = 0;

	(void)state;
	write_pid(getpid());
	assert_int_equal(pidfile_clear(path, others, &pid), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
}

static void
removes_garbage(void **state)
{
	static const char zeroes[100000];
	static const char *const texts[] = { "", "\n", "0", "-1", "1x", "x",
		"99999999", "18446744073709551617", "1 2", "0x1", "+1", " 1",
		"4194305", "\xff\xfe", "../../etc/passwd" };
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(texts); i++) {
		write_file(texts[i], strlen(texts[i]));
		assert_int_equal(pidfile_clear(path, ours, &pid), ERR_OK);
		assert_int_equal(access(path, F_OK), -1);
	}
	write_file(zeroes, sizeof(zeroes));
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(pidfile_clear(path, ours, &pid), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_file_of_a_living_one),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(removes_the_file_of_a_dead_one),
		cmocka_unit_test(
		    removes_the_file_when_the_number_has_another_owner),
		cmocka_unit_test(removes_garbage),
	};
	int failed;

	snprintf(dir, sizeof(dir), "/tmp/dinv-pid.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		return 1;
	}
	snprintf(path, sizeof(path), "%s/pid", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
