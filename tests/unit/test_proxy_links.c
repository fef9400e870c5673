/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead, on a real file system: refusals first. */
#include "unit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/links.h"

static char dir[PATH_MAX];

static const char *
in(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned at;
	char *p = paths[at++ % 4];

	snprintf(p, PATH_MAX, "%.2000s%.2000s", dir, name);
	return p;
}

static int
make_tree(void **state)
{
	char made[] = "/tmp/dinv-links.XXXXXX";

	(void)state;
	if (mkdtemp(made) == NULL || realpath(made, dir) == NULL) {
		return -1;
	}
	return mkdir(in("/a"), 0700) != 0 || mkdir(in("/a/b"), 0700) != 0 ||
	       symlink("/", in("/a/root")) != 0 ||
	       symlink("b", in("/a/near")) != 0 ||
	       symlink("nowhere", in("/a/dangling")) != 0 ||
	       symlink("loop", in("/a/loop")) != 0 ||
	       close(creat(in("/a/file"), 0600)) != 0;
}

static int
remove_tree(void **state)
{
	static const char *const names[] = { "/a/root", "/a/near",
		"/a/dangling", "/a/loop", "/a/file" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)unlink(in(names[i]));
	}
	return rmdir(in("/a/b")) != 0 || rmdir(in("/a")) != 0 ||
	       rmdir(dir) != 0;
}

static void
refuses_what_leads_nowhere(void **state)
{
	char out[PATH_MAX], *path;

	(void)state;
	assert_int_equal(
	    links_follow(in("/a/dangling"), out, sizeof(out)), ERR_IO);
	assert_int_equal(
	    links_follow(in("/a/dangling/x/y"), out, sizeof(out)), ERR_IO);
	assert_int_equal(
	    links_follow(in("/a/loop/x"), out, sizeof(out)), ERR_IO);
	assert_int_equal(
	    links_follow(in("/a/file/x"), out, sizeof(out)), ERR_IO);
	assert_int_equal(links_follow(in("/a/b"), out, 5), ERR_LIMIT);
	path = malloc(3 * PATH_MAX);
	assert_non_null(path);
	memset(path, 'x', 3 * PATH_MAX);
	path[0] = '/';
	path[3 * PATH_MAX - 1] = '\0';
	assert_int_equal(links_follow(path, out, sizeof(out)), ERR_LIMIT);
	path[1000] = '\0'; /* a name of 999 bytes */
	assert_int_equal(links_follow(path, out, sizeof(out)), ERR_IO);
	free(path);
}

static void
follows_what_is_there(void **state)
{
	static const struct {
		const char *path, *leads; /* under dir, but where it says / */
		bool out;
		enum err rc;
	} c[] = {
		{ "/a", "/a", false, ERR_OK },
		{ "/a/b", "/a/b", false, ERR_OK },
		{ "/a/b/", "/a/b", false, ERR_OK },
		{ "/a/near", "/a/b", false, ERR_OK },
		{ "/a/near/new/er", "/a/b/new/er", false, ERR_NOTFOUND },
		{ "/a/new", "/a/new", false, ERR_NOTFOUND },
		{ "/x/y/z", "/x/y/z", false, ERR_NOTFOUND },
		{ "/a/root", "/", true, ERR_OK },
		{ "/a/root/no-such-name-here", "/no-such-name-here", true,
		    ERR_NOTFOUND },
		{ "/a/root/usr", "/usr", true, ERR_OK },
	};
	char out[PATH_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		assert_int_equal(
		    links_follow(in(c[i].path), out, sizeof(out)), c[i].rc);
		assert_string_equal(
		    out, c[i].out ? c[i].leads : in(c[i].leads));
	}
	assert_int_equal(links_follow("/", out, sizeof(out)), ERR_OK);
	assert_string_equal(out, "/");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_leads_nowhere),
		cmocka_unit_test(follows_what_is_there),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
