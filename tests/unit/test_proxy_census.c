/* SPDX-License-Identifier: Apache-2.0 */
/* Counting connections: the caps first. */
#include "unit.h"

#include <pthread.h>

#include "census.h"

static const uint8_t *
key_of(uint32_t host)
{
	static uint8_t key[2][16];
	static unsigned next;
	uint8_t *k = key[next++ % 2];

	memset(k, 0, 16);
	memcpy(k + 4, &host, sizeof(host));
	return k;
}

static void
refuses_past_the_cap_of_one_host(void **state)
{
	struct census *c = census_new(100, 3, 2);
	int i;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < 3; i++) {
		assert_int_equal(census_enter(c, true, key_of(1)), ERR_OK);
	}
	for (i = 0; i < 5; i++) {
		assert_int_equal(census_enter(c, true, key_of(1)), ERR_SHARE);
	}
	assert_int_equal(census_total(c), 3); /* the refused do not count */
	assert_int_equal(census_enter(c, true, key_of(2)), ERR_OK);
	census_leave(c, true, key_of(1));
	assert_int_equal(census_enter(c, true, key_of(1)), ERR_OK);
	assert_int_equal(census_enter(c, true, key_of(1)), ERR_SHARE);
	census_free(c);
}

static void
refuses_past_the_cap_of_all(void **state)
{
	struct census *c = census_new(4, 3, 2);
	uint32_t i;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < 3; i++) {
		assert_int_equal(census_enter(c, true, key_of(i)), ERR_OK);
	}
	assert_int_equal(census_enter(c, false, key_of(0)), ERR_OK);
	assert_int_equal(census_enter(c, false, key_of(0)), ERR_LIMIT);
	assert_int_equal(census_enter(c, true, key_of(9)), ERR_LIMIT);
	census_leave(c, false, key_of(0));
	assert_int_equal(census_total(c), 3);
	assert_int_equal(census_enter(c, true, key_of(9)), ERR_OK);
	census_free(c);
}

static void
counts_no_host_where_there_is_none(void **state)
{
	struct census *c = census_new(100, 1, 2);
	int i;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < 10; i++) {
		assert_int_equal(census_enter(c, false, key_of(1)), ERR_OK);
	}
	assert_int_equal(census_enter(c, true, key_of(1)), ERR_OK);
	for (i = 0; i < 10; i++) {
		census_leave(c, false, key_of(1));
	}
	assert_int_equal(census_total(c), 1);
	assert_int_equal(census_enter(c, true, key_of(1)), ERR_SHARE);
	census_free(c);
}

/* More hosts than buckets: chains are walked and mended. */
static void
tells_many_hosts_apart(void **state)
{
	struct census *c = census_new(10000, 2, 2);
	uint32_t i;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < 6000; i++) {
		assert_int_equal(
		    census_enter(c, true, key_of(i % 3000)), ERR_OK);
	}
	for (i = 0; i < 3000; i += 2) {
		census_leave(c, true, key_of(i));
		census_leave(c, true, key_of(i));
	}
	for (i = 0; i < 3000; i++) {
		assert_int_equal(census_enter(c, true, key_of(i)),
		    i % 2 == 0 ? ERR_OK : ERR_SHARE);
	}
	assert_int_equal(census_total(c), 4500);
	census_free(c);
	census_free(NULL);
}

static void
as_many_again_of_a_client_are_told_and_more_are_not_counted(void **state)
{
	struct census *c = census_new(100, 100, 2);
	int i;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < 3; i++) {
		assert_int_equal(census_join(c, key_of(1)), ERR_OK);
		assert_int_equal(census_join(c, key_of(1)), ERR_OK);
		assert_int_equal(census_join(c, key_of(1)), ERR_SHARE);
		assert_int_equal(census_join(c, key_of(1)), ERR_SHARE);
		assert_int_equal(census_join(c, key_of(1)), ERR_LIMIT);
		assert_int_equal(census_join(c, key_of(2)), ERR_OK);
		census_part(c, key_of(1));
		census_part(c, key_of(1));
		assert_int_equal(census_join(c, key_of(1)), ERR_SHARE);
		census_part(c, key_of(1));
		census_part(c, key_of(1));
		census_part(c, key_of(1));
		census_part(c, key_of(2));
	}
	/* A host of the same key is somebody else. */
	assert_int_equal(census_enter(c, true, key_of(1)), ERR_OK);
	assert_int_equal(census_join(c, key_of(1)), ERR_OK);
	assert_int_equal(census_total(c), 1);
	census_free(c);
}

static void *
come_and_go(void *arg)
{
	uint8_t key[16] = { 7 };
	uintptr_t in = 0;
	int i;

	for (i = 0; i < 20000; i++) {
		if (census_enter(arg, true, key) == ERR_OK) {
			in++;
			census_leave(arg, true, key);
		}
	}
	return (void *)in;
}

static void
counts_across_threads(void **state)
{
	struct census *c = census_new(3, 2, 2);
	pthread_t thread[4];
	uintptr_t all = 0;
	size_t i;
	void *in;

	(void)state;
	assert_non_null(c);
	for (i = 0; i < NELEM(thread); i++) {
		assert_int_equal(
		    pthread_create(&thread[i], NULL, come_and_go, c), 0);
	}
	for (i = 0; i < NELEM(thread); i++) {
		assert_int_equal(pthread_join(thread[i], &in), 0);
		all += (uintptr_t)in;
	}
	assert_true(all > 0); /* one thread alone may never get in */
	assert_int_equal(census_total(c), 0);
	census_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_past_the_cap_of_one_host),
		cmocka_unit_test(refuses_past_the_cap_of_all),
		cmocka_unit_test(counts_no_host_where_there_is_none),
		cmocka_unit_test(tells_many_hosts_apart),
		cmocka_unit_test(
		    as_many_again_of_a_client_are_told_and_more_are_not_counted),
		cmocka_unit_test(counts_across_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
