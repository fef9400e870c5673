/* SPDX-License-Identifier: Apache-2.0 */
/* Counting: what is unknown first, then sums over workers. */
#include "unit.h"

#include <pthread.h>

#include "metrics.h"

static void
what_is_unknown_has_one_place(void **state)
{
	struct metrics *m = metrics_new();
	unsigned i;

	(void)state;
	assert_non_null(m);
	metrics_request(m, NULL, METRICS_DENY, 403);
	metrics_request(m, NULL, METRICS_DENY, 403);
	expect_u64("unknown op",
	    metrics_get(&m->requests[METRICS_OPS - 1][METRICS_DENY][4]), 2);
	/* no status of ours, but no place beside the table either */
	metrics_request(m, NULL, METRICS_ERROR, 0);
	metrics_request(m, NULL, METRICS_ERROR, 999);
	metrics_request(m, NULL, METRICS_ERROR, 600);
	expect_u64("no status",
	    metrics_get(&m->requests[METRICS_OPS - 1][METRICS_ERROR][0]), 3);
	metrics_refusal(m, "");
	metrics_refusal(m, "no such rule");
	metrics_refusal(m, "privileged");
	expect_u64("unknown rule", metrics_get(&m->refusals[RULE_NONE]), 2);
	expect_u64("rule", metrics_get(&m->refusals[RULE_PRIVILEGED]), 1);
	for (i = 0; i < 1000; i++) {
		char name[200];

		(void)snprintf(name, sizeof(name), "role-%u-%0150u", i, 0u);
		assert_true(metrics_role_slot(m, name) < METRICS_ROLES);
	}
	assert_int_equal(metrics_role_slot(m, "one more"), METRICS_ROLE_OTHER);
	assert_int_equal(metrics_role_slot(m, NULL), METRICS_ROLE_NONE);
	metrics_free(m);
	metrics_free(NULL);
}

/* Each operation has a place of its own. */
static void
every_operation_has_a_place(void **state)
{
	struct metrics *m = metrics_new();
	const struct op *op;
	size_t i, n;

	(void)state;
	assert_non_null(m);
	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		metrics_request(m, &op[i], METRICS_ALLOW, 200);
		expect_u64(op[i].name,
		    metrics_get(&m->requests[i][METRICS_ALLOW][2]), 1);
	}
	expect_u64("unknown",
	    metrics_get(&m->requests[METRICS_OPS - 1][METRICS_ALLOW][2]), 0);
	metrics_free(m);
}

static void
a_time_is_in_the_first_bucket_that_holds_it(void **state)
{
	struct metrics *m = metrics_new();
	const uint64_t *bound;
	unsigned what, i;

	(void)state;
	assert_non_null(m);
	for (what = 0; what < METRICS_TIMES; what++) {
		bound = metrics_bound[what];
		metrics_time(m, what, 0);
		for (i = 0; i < METRICS_BUCKETS; i++) {
			assert_true(i == 0 || bound[i] > bound[i - 1]);
			metrics_time(m, what, bound[i]);
			metrics_time(m, what, bound[i] + 1);
		}
		for (i = 0; i <= METRICS_BUCKETS; i++) {
			expect_u64("bucket",
			    metrics_get(&m->time[what].bucket[i]),
			    i == METRICS_BUCKETS ? 1 : 2);
		}
	}
	metrics_free(m);
}

static void
sums_know_roles_by_name(void **state)
{
	struct metrics *a = metrics_new(), *b = metrics_new();
	struct metrics *total = metrics_new();
	unsigned slot;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(total);
	slot = metrics_role_slot(a, "x");
	metrics_add(&a->role[slot].connections, 1);
	slot = metrics_role_slot(a, "y");
	metrics_add(&a->role[slot].connections, 2);
	slot = metrics_role_slot(b, "y"); /* another order */
	metrics_add(&b->role[slot].connections, 3);
	metrics_add(&b->role[slot].streams, 4);
	metrics_add(&b->role[slot].streams, (uint64_t)-1);
	metrics_add(&b->role[METRICS_ROLE_NONE].connections, 5);
	metrics_add(&a->bytes[METRICS_TO_CLIENT], 6);
	metrics_add(&b->bytes[METRICS_TO_CLIENT], 7);
	metrics_time(a, METRICS_POLICY, 8);
	metrics_time(b, METRICS_POLICY, 9);
	metrics_sum(total, a);
	metrics_sum(total, b);
	slot = metrics_role_slot(total, "x");
	expect_u64("x", metrics_get(&total->role[slot].connections), 1);
	slot = metrics_role_slot(total, "y");
	expect_u64("y", metrics_get(&total->role[slot].connections), 5);
	expect_u64("y", metrics_get(&total->role[slot].streams), 3);
	expect_u64("none",
	    metrics_get(&total->role[METRICS_ROLE_NONE].connections), 5);
	expect_u64("bytes", metrics_get(&total->bytes[METRICS_TO_CLIENT]), 13);
	expect_u64(
	    "time", metrics_get(&total->time[METRICS_POLICY].sum_ns), 17);
	metrics_free(a);
	metrics_free(b);
	metrics_free(total);
}

static void *
count(void *arg)
{
	struct metrics *m = arg;
	char name[16];
	unsigned i;

	for (i = 0; i < 20000; i++) {
		metrics_request(m, NULL, METRICS_ALLOW, 200);
		(void)snprintf(name, sizeof(name), "r%u", i % 50);
		metrics_add(
		    &m->role[metrics_role_slot(m, name)].connections, 1);
	}
	return NULL;
}

/* One writes, one reads: no number is ever torn, none goes back. */
static void
is_read_while_it_is_written(void **state)
{
	struct metrics *m = metrics_new(), *total;
	uint64_t last = 0, now = 0;
	pthread_t thread;

	(void)state;
	assert_non_null(m);
	assert_int_equal(pthread_create(&thread, NULL, count, m), 0);
	while (now < 20000) {
		total = metrics_new();
		assert_non_null(total);
		metrics_sum(total, m);
		now = metrics_get(
		    &total->requests[METRICS_OPS - 1][METRICS_ALLOW][2]);
		assert_true(now >= last);
		last = now;
		metrics_free(total);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	metrics_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_unknown_has_one_place),
		cmocka_unit_test(every_operation_has_a_place),
		cmocka_unit_test(a_time_is_in_the_first_bucket_that_holds_it),
		cmocka_unit_test(sums_know_roles_by_name),
		cmocka_unit_test(is_read_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
