/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a certificate directory are told: at rest, in unrest, again. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "certs_watch.h"

struct dir {
	char path[64];
	char list[80];
	unsigned n;
	struct certs_watch w;
};

/* The list gets longer: no clock decides whether that shows. */
static void
change(struct dir *d)
{
	int fd = open(d->list, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd != -1);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	d->n++;
}

static void
begin(struct dir *d)
{
	memset(d, 0, sizeof(*d));
	(void)snprintf(d->path, sizeof(d->path), "/tmp/dinv-watch-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	(void)snprintf(d->list, sizeof(d->list), "%s/crl.pem", d->path);
	change(d);
	certs_watch_init(&d->w, d->path);
}

static void
end(struct dir *d)
{
	assert_int_equal(unlink(d->list), 0);
	assert_int_equal(rmdir(d->path), 0);
}

static void
tells_once_and_at_rest(void **state)
{
	struct dir d;

	(void)state;
	begin(&d);
	assert_false(certs_watch_look(&d.w));
	change(&d);
	assert_false(certs_watch_look(&d.w));
	change(&d);
	assert_false(certs_watch_look(&d.w));
	assert_true(certs_watch_look(&d.w));
	assert_false(certs_watch_look(&d.w));
	assert_false(certs_watch_look(&d.w));
	end(&d);
}

/* Somebody revokes without a pause: what was revoked is in force. */
static void
tells_what_never_rests(void **state)
{
	struct dir d;
	unsigned i, told = 0;

	(void)state;
	begin(&d);
	for (i = 0; i < 3 * CERTS_WATCH_RESTLESS; i++) {
		change(&d);
		told += certs_watch_look(&d.w);
	}
	assert_int_equal(told, 3);
	(void)!certs_watch_look(&d.w);
	assert_false(certs_watch_look(&d.w));
	end(&d);
}

static void
tells_again_what_came_to_nothing(void **state)
{
	struct dir d;
	unsigned i;

	(void)state;
	begin(&d);
	change(&d);
	assert_false(certs_watch_look(&d.w));
	assert_true(certs_watch_look(&d.w));
	certs_watch_failed(&d.w);
	for (i = 1; i < CERTS_WATCH_AGAIN; i++) {
		assert_false(certs_watch_look(&d.w));
	}
	assert_true(certs_watch_look(&d.w));
	for (i = 0; i < 2 * CERTS_WATCH_AGAIN; i++) {
		assert_false(certs_watch_look(&d.w));
	}
	end(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_once_and_at_rest),
		cmocka_unit_test(tells_what_never_rests),
		cmocka_unit_test(tells_again_what_came_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
