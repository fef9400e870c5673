/* SPDX-License-Identifier: Apache-2.0 */
/* Posts to a loop: one that never runs is dropped, once. */
#include "unit.h"

#include <pthread.h>

#include "loop.h"

struct seen {
	struct loop *loop;
	unsigned ran, dropped;
	unsigned order[8];
};

struct item {
	struct seen *seen;
	unsigned number;
	bool last;
};

static void
run(void *arg)
{
	struct item *i = arg;

	i->seen->order[i->seen->ran++] = i->number;
	if (i->last) {
		loop_stop(i->seen->loop);
	}
}

static void
drop(void *arg)
{
	struct item *i = arg;

	i->seen->dropped++;
}

static void
what_never_runs_is_dropped(void **state)
{
	struct seen seen = { 0 };
	struct item item = { &seen, 1, false };
	struct loop_post *post;

	(void)state;
	seen.loop = loop_new();
	assert_non_null(seen.loop);
	post = loop_post_new(run, drop, &item);
	assert_non_null(post);
	loop_post_free(post); /* nobody sent it */
	assert_int_equal(seen.dropped, 1);
	post = loop_post_new(run, drop, &item);
	assert_non_null(post);
	loop_post_send(seen.loop, post);
	post = loop_post_new(run, NULL, &item);
	assert_non_null(post);
	loop_post_send(seen.loop, post);
	loop_free(seen.loop); /* it never turned */
	assert_int_equal(seen.dropped, 2);
	assert_int_equal(seen.ran, 0);
	loop_post_free(NULL);
}

static void
others_run_in_order_and_once(void **state)
{
	struct seen seen = { 0 };
	struct item item[3] = { { &seen, 1, false }, { &seen, 2, false },
		{ &seen, 3, true } };
	struct loop_post *post;
	unsigned i;

	(void)state;
	seen.loop = loop_new();
	assert_non_null(seen.loop);
	for (i = 0; i < 2; i++) {
		post = loop_post_new(run, drop, &item[i]);
		assert_non_null(post);
		loop_post_send(seen.loop, post);
	}
	assert_int_equal(loop_post(seen.loop, run, &item[2]), ERR_OK);
	loop_run(seen.loop);
	loop_free(seen.loop);
	assert_int_equal(seen.ran, 3);
	assert_int_equal(seen.dropped, 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(seen.order[i], i + 1);
	}
}

static void *
turn(void *arg)
{
	loop_run(arg);
	return NULL;
}

/* From another thread, as a worker answers the admin thread. */
static void
a_post_from_another_thread_wakes_the_loop(void **state)
{
	struct seen seen = { 0 };
	struct item item = { &seen, 1, true };
	struct loop_post *post;
	pthread_t thread;

	(void)state;
	seen.loop = loop_new();
	assert_non_null(seen.loop);
	assert_int_equal(pthread_create(&thread, NULL, turn, seen.loop), 0);
	post = loop_post_new(run, drop, &item);
	assert_non_null(post);
	loop_post_send(seen.loop, post);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(seen.ran, 1);
	loop_free(seen.loop);
	assert_int_equal(seen.dropped, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_never_runs_is_dropped),
		cmocka_unit_test(others_run_in_order_and_once),
		cmocka_unit_test(a_post_from_another_thread_wakes_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
