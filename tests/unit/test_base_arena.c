/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: the ceiling first, then what is given out. */
#include "unit.h"

#include "base/arena.h"

static void
gives_nothing_past_the_ceiling(void **state)
{
	struct arena a;
	char *kept, *none;
	void *p;
	unsigned n = 0;

	(void)state;
	arena_init(&a, 10000);
	kept = arena_dup(&a, span_of("kept"));
	assert_non_null(kept);
	p = arena_alloc(&a, 10001);
	assert_null(p);
	p = arena_alloc(&a, SIZE_MAX);
	assert_null(p);
	p = arena_alloc(&a, SIZE_MAX - 15);
	assert_null(p);
	p = arena_array(&a, SIZE_MAX / 8 + 2, 8);
	assert_null(p); /* wraps to 8 */
	p = arena_array(&a, SIZE_MAX, SIZE_MAX);
	assert_null(p); /* wraps to 1 */
	for (p = arena_alloc(&a, 1000); p != NULL; p = arena_alloc(&a, 1000)) {
		n++;
	}
	assert_in_range(n, 4, 10);
	none = arena_printf(&a, "%08000d", 1);
	assert_null(none);
	assert_true(a.total <= 10000);
	assert_string_equal(kept, "kept");
	arena_fini(&a);
}

static void
gives_aligned_zeroes(void **state)
{
	static const uint8_t zero[5000];
	uint32_t seed = 3;
	struct arena a;
	uint8_t *p;
	size_t i, n;

	(void)state;
	arena_init(&a, 8u << 20);
	for (i = 0; i < 2000; i++) {
		n = unit_random(&seed) % (i % 50 == 0 ? sizeof(zero) : 100);
		p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_memory_equal(p, zero, n);
		memset(p, 0xff, n);
	}
	p = arena_array(&a, 0, 8);
	assert_non_null(p);
	p = arena_array(&a, 8, 0);
	assert_non_null(p);
	arena_fini(&a);
}

static void
copies_and_prints(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, 1u << 20);
	p = arena_dup(&a, span_make("ab\0cd", 5));
	assert_memory_equal(p, "ab\0cd", 6);
	p = arena_dup(&a, span_make(NULL, 0));
	assert_string_equal(p, "");
	p = arena_printf(&a, "%s-%d", "a", 12);
	assert_string_equal(p, "a-12");
	p = arena_printf(&a, "%06000d", 7);
	assert_int_equal(strlen(p), 6000);
	arena_fini(&a);
}

static void
can_be_used_anew(void **state)
{
	struct arena a;
	void *p;
	int i;

	(void)state;
	arena_init(&a, 5000);
	for (i = 0; i < 100; i++) {
		p = arena_alloc(&a, 4000);
		assert_non_null(p);
		p = arena_alloc(&a, 4000);
		assert_null(p);
		arena_reset(&a);
		assert_int_equal(a.total, 0);
	}
	arena_fini(&a);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_nothing_past_the_ceiling),
		cmocka_unit_test(gives_aligned_zeroes),
		cmocka_unit_test(copies_and_prints),
		cmocka_unit_test(can_be_used_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
