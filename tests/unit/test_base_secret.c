/* SPDX-License-Identifier: Apache-2.0 */
/* Key bytes: files that are refused, then reading, wiping, comparing. */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

static char path[] = "/tmp/dinv-secret-XXXXXX";

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd == -1 || write(fd, "pem\0key\n", 8) != 8) {
		return -1;
	}
	return close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* Each leaves the secret as it was, and errno says something. */
static void
refuses_files(void **state)
{
	struct secret s = { NULL, 7 };

	(void)state;
	assert_int_equal(
	    secret_read_file(&s, "/nonexistent/key", 100), ERR_NOTFOUND);
	errno = 0;
	assert_int_equal(secret_read_file(&s, "/tmp", 100), ERR_IO);
	assert_int_equal(errno, EISDIR);
	errno = 0;
	assert_int_equal(secret_read_file(&s, "/dev/null", 100), ERR_IO);
	assert_int_not_equal(errno, 0);
	assert_int_equal(secret_read_file(&s, path, 7), ERR_LIMIT);
	assert_null(s.data);
	assert_int_equal(s.len, 7);
}

static void
does_not_wait_for_a_pipe(void **state)
{
	char fifo[] = "/tmp/dinv-fifo-XXXXXX";
	struct secret s = { NULL, 0 };

	(void)state;
	assert_non_null(mkdtemp(fifo));
	assert_int_equal(rmdir(fifo), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	alarm(10);
	assert_int_equal(secret_read_file(&s, fifo, 100), ERR_IO);
	alarm(0);
	assert_int_equal(unlink(fifo), 0);
}

static void
reads_a_file_and_ends_it_with_nul(void **state)
{
	struct secret s = { NULL, 0 };

	(void)state;
	assert_int_equal(secret_read_file(&s, path, 8), ERR_OK);
	assert_int_equal(s.len, 8);
	assert_memory_equal(s.data, "pem\0key\n\0", 9);
	secret_fini(&s);
	assert_null(s.data);
	assert_int_equal(s.len, 0);
	secret_fini(&s);
}

static void
wipes_and_compares(void **state)
{
	char key[] = "0123456789";

	(void)state;
	assert_true(secret_equal("", "", 0));
	assert_true(secret_equal("a\0b", "a\0b", 3));
	assert_false(secret_equal("a\0b", "a\0c", 3));
	assert_false(secret_equal("xab", "yab", 3));
	assert_true(secret_equal("abx", "aby", 2));
	secret_wipe(key, 5);
	assert_memory_equal(key,
	    "\0\0\0\0\0"
	    "56789",
	    10);
	secret_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_files),
		cmocka_unit_test(does_not_wait_for_a_pipe),
		cmocka_unit_test(reads_a_file_and_ends_it_with_nul),
		cmocka_unit_test(wipes_and_compares),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
