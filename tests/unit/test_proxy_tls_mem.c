/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces are apart, zeroed, bounded in number, and told from the heap. */
#include "unit.h"

#include "proxy/tls_mem.h"

#define PIECE 17000	/* about a record's buffer */
#define CONNECTIONS 100 /* more than keep their pages when freed */

static void
assert_zeroes(const char *p)
{
	size_t i;

	for (i = 0; i < PIECE; i++) {
		assert_int_equal(p[i], 0);
	}
}

static void
gives_zeroed_pieces_that_are_apart(void **state)
{
	char *p[2 * CONNECTIONS + 1], *again;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(p); i++) {
		p[i] = tls_mem_calloc(1, PIECE);
		assert_non_null(p[i]);
		/* One more than there are comes from the heap. */
		assert_int_equal(tls_mem_has(p[i]), i < 2 * CONNECTIONS);
		assert_zeroes(p[i]);
		memset(p[i], (int)i % 100 + 1, PIECE);
	}
	for (i = 0; i < NELEM(p); i++) {
		assert_int_equal(p[i][0], (int)i % 100 + 1);
		assert_int_equal(p[i][PIECE - 1], (int)i % 100 + 1);
	}
	tls_mem_free(p[1]);
	again = tls_mem_calloc(PIECE, 1);
	assert_true(tls_mem_has(again));
	assert_zeroes(again);
	p[1] = again;
	for (i = 0; i < NELEM(p); i++) {
		tls_mem_free(p[i]);
	}
	for (i = 0; i < NELEM(p); i++) { /* used before, by whomever */
		p[i] = tls_mem_calloc(1, PIECE);
		assert_int_equal(tls_mem_has(p[i]), i < 2 * CONNECTIONS);
		assert_zeroes(p[i]);
	}
	for (i = 0; i < NELEM(p); i++) {
		tls_mem_free(p[i]);
	}
}

static void
leaves_other_sizes_to_the_heap(void **state)
{
	static const size_t sizes[] = { 1, 100, 16384, 20481, 1 << 20 };
	size_t i;
	void *p;

	(void)state;
	for (i = 0; i < NELEM(sizes); i++) {
		p = tls_mem_calloc(1, sizes[i]);
		assert_non_null(p);
		assert_false(tls_mem_has(p));
		tls_mem_free(p);
	}
	assert_null(tls_mem_calloc(SIZE_MAX / 2, 4));
	tls_mem_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_pieces_that_are_apart),
		cmocka_unit_test(leaves_other_sizes_to_the_heap),
	};

	tls_mem_open(CONNECTIONS);
	tls_mem_open(CONNECTIONS); /* changes nothing */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
