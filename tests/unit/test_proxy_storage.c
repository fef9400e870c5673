/* SPDX-License-Identifier: Apache-2.0 */
/* The storage driver for a folder: on an overlay, beside one, with old data. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage.h"
#include "unit.h"

static char dir[64];

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
make(const char *name)
{
	assert_int_equal(mkdir(in_dir(name), 0755), 0);
}

/* Whether anything of ours was left in the folder. */
static bool
is_empty(const char *name)
{
	return rmdir(in_dir(name)) == 0 && mkdir(in_dir(name), 0755) == 0;
}

static void
refuses_an_overlay_on_an_overlay(void **state)
{
	struct diag d = { 0, 0, "" };
	char what[400];

	(void)state;
	make("low");
	make("up");
	make("work");
	make("over");
	snprintf(what, sizeof(what),
	    "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work", dir, dir, dir);
	if (mount("overlay", in_dir("over"), "overlay", 0, what) == -1) {
		print_message("skipped: no overlay can be mounted here\n");
		return;
	}
	expect_err("overlay", storage_try_overlay(in_dir("over"), &d), ERR_IO);
	assert_non_null(strstr(d.text, "lies on overlayfs"));
	d.text[0] = '\0';
	assert_string_equal(storage_choose(in_dir("over"), &d), "vfs");
	assert_non_null(strstr(d.text, "lies on overlayfs"));
	umount(in_dir("over"));
}

static void
takes_overlay_where_it_works_and_leaves_nothing(void **state)
{
	struct diag d = { 0, 0, "" };

	(void)state;
	/* made with what is missing above it */
	assert_string_equal(storage_choose(in_dir("a/b/data"), &d), "overlay2");
	assert_string_equal(d.text, "");
	assert_true(is_empty("a/b/data"));
}

static void
keeps_the_driver_of_the_data(void **state)
{
	struct diag d = { 0, 0, "" };

	(void)state;
	make("old");
	make("old/image");
	make("old/image/vfs");
	assert_string_equal(storage_choose(in_dir("old"), &d), "vfs");
	assert_non_null(strstr(d.text, "holds what vfs has written"));
	make("old/image/overlay2");
	d.text[0] = '\0';
	assert_string_equal(storage_choose(in_dir("old"), &d), "overlay2");
	assert_string_equal(d.text, "");
}

static void
says_what_is_wrong_with_a_folder(void **state)
{
	struct diag d = { 0, 0, "" };
	int fd = open(in_dir("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	close(fd);
	expect_err("a file in the way",
	    storage_try_overlay(in_dir("file/data"), &d), ERR_IO);
	assert_non_null(strstr(d.text, "Not a directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_an_overlay_on_an_overlay),
		cmocka_unit_test(
		    takes_overlay_where_it_works_and_leaves_nothing),
		cmocka_unit_test(keeps_the_driver_of_the_data),
		cmocka_unit_test(says_what_is_wrong_with_a_folder),
	};

	/* On a tmpfs of its own, which goes with this process. */
	snprintf(dir, sizeof(dir), "/tmp");
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == -1) {
		print_message("skipped: no mounts without root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
