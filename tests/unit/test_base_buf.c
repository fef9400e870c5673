/* SPDX-License-Identifier: Apache-2.0 */
/* Byte queues: what does not fit first, then against a plain model. */
#include "unit.h"

#include "base/buf.h"

static void
refuses_what_passes_the_ceiling(void **state)
{
	struct buf b;
	uint8_t *p;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_append(&b, "abcde", 5), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_append(&b, "abc", 3), ERR_OK);
	assert_int_equal(buf_append_str(&b, "de"), ERR_LIMIT);
	assert_int_equal(buf_printf(&b, "%d", 10), ERR_LIMIT);
	p = buf_reserve(&b, 2);
	assert_null(p);
	p = buf_reserve(&b, SIZE_MAX);
	assert_null(p);
	expect_span("nothing was added", buf_span(&b), "abc");
	assert_int_equal(buf_append(&b, "d", 1), ERR_OK);
	assert_int_equal(buf_room(&b), 0);
	b.max = 2; /* a ceiling that came down */
	assert_int_equal(buf_room(&b), 0);
	assert_int_equal(buf_append(&b, "e", 1), ERR_LIMIT);
	assert_int_equal(buf_append(&b, "", 0), ERR_OK);
	expect_span("all is kept", buf_span(&b), "abcd");
	buf_fini(&b);
}

static void
prints_a_line_or_nothing(void **state)
{
	char longer[600];
	struct buf b;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	buf_init(&b, 4096);
	assert_int_equal(buf_printf(&b, "%s", longer), ERR_OK);
	expect_span("as long as it is", buf_span(&b), longer);
	buf_fini(&b);
	buf_init(&b, sizeof(longer) - 2);
	assert_int_equal(buf_printf(&b, "%s", longer), ERR_LIMIT);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_printf(&b, "%s=%u\n", "a", 7u), ERR_OK);
	expect_span("printed", buf_span(&b), "a=7\n");
	buf_fini(&b);
}

static void
has_no_storage_while_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_null(b.data);
	assert_int_equal(buf_span(&b).len, 0);
	buf_release(&b);
	assert_int_equal(buf_append_str(&b, "ab"), ERR_OK);
	buf_release(&b); /* not empty: kept */
	buf_consume(&b, 1);
	expect_span("kept", buf_span(&b), "b");
	buf_consume(&b, 1);
	assert_non_null(b.data);
	buf_release(&b);
	assert_null(b.data);
	assert_int_equal(buf_append_str(&b, "again"), ERR_OK);
	expect_span("used anew", buf_span(&b), "again");
	buf_fini(&b);
	buf_fini(&b);
}

static void
slides_before_it_grows(void **state)
{
	char block[500];
	struct buf b;
	size_t cap;

	(void)state;
	memset(block, 'x', sizeof(block));
	buf_init(&b, 4096);
	assert_int_equal(buf_append(&b, block, sizeof(block)), ERR_OK);
	assert_int_equal(buf_append_str(&b, "tail"), ERR_OK);
	cap = b.cap;
	buf_consume(&b, sizeof(block));
	assert_int_equal(buf_append(&b, block, 100), ERR_OK);
	assert_int_equal(b.cap, cap);
	assert_int_equal(b.len, 104);
	assert_true(span_starts(buf_span(&b), "tailxxx"));
	buf_fini(&b);
}

static void
moves_what_there_is_and_fits(void **state)
{
	struct buf from, to;
	const uint8_t *storage;

	(void)state;
	buf_init(&from, 100);
	buf_init(&to, 5);
	assert_int_equal(buf_move(&to, &from, 10), 0);
	assert_int_equal(buf_append_str(&from, "abcdefgh"), ERR_OK);
	assert_int_equal(buf_move(&to, &from, 0), 0);
	assert_int_equal(buf_move(&to, &from, 2), 2);
	assert_int_equal(buf_move(&to, &from, 100), 3);
	assert_int_equal(buf_move(&to, &from, 100), 0);
	expect_span("to", buf_span(&to), "abcde");
	expect_span("from", buf_span(&from), "fgh");
	buf_consume(&to, 5);
	storage = from.data; /* all of it, into an empty one: no copy */
	assert_int_equal(buf_move(&to, &from, 100), 3);
	assert_ptr_equal(to.data, storage);
	expect_span("to", buf_span(&to), "fgh");
	assert_int_equal(from.len, 0);
	assert_int_equal(buf_append_str(&from, "i"), ERR_OK);
	expect_span("from", buf_span(&from), "i");
	buf_fini(&from);
	buf_fini(&to);
}

/* Two queues and an array that does the same in the plainest way. */
struct model {
	struct buf b;
	uint8_t byte[4000];
	size_t len;
};

static void
model_add(struct model *m, uint32_t *seed)
{
	uint8_t piece[900];
	size_t n = unit_random(seed) % sizeof(piece), i;
	uint8_t *to;

	for (i = 0; i < n; i++) {
		piece[i] = (uint8_t)unit_random(seed);
	}
	if (n > buf_room(&m->b)) {
		assert_int_equal(buf_append(&m->b, piece, n), ERR_LIMIT);
		return;
	}
	if (n % 2 == 0) {
		assert_int_equal(buf_append(&m->b, piece, n), ERR_OK);
	} else { /* more is reserved than is written */
		to = buf_reserve(&m->b, buf_room(&m->b));
		assert_non_null(to);
		memcpy(to, piece, n);
		buf_commit(&m->b, n);
	}
	memcpy(m->byte + m->len, piece, n);
	m->len += n;
}

static void
model_take(struct model *m, size_t n)
{
	memmove(m->byte, m->byte + n, m->len - n);
	m->len -= n;
}

static void
model_check(const struct model *m)
{
	struct span s = buf_span(&m->b);

	assert_int_equal(s.len, m->len);
	assert_int_equal(buf_room(&m->b), m->b.max - m->len);
	if (s.len > 0) {
		assert_memory_equal(s.p, m->byte, s.len);
	}
}

static void
does_what_an_array_does(void **state)
{
	static struct model a, b;
	uint32_t seed = 7;
	size_t i, n;

	(void)state;
	buf_init(&a.b, 4000);
	buf_init(&b.b, 3000);
	for (i = 0; i < 20000; i++) {
		switch (unit_random(&seed) % 4) {
		case 0:
			model_add(&a, &seed);
			break;
		case 1:
			n = a.len == 0 ? 0 : unit_random(&seed) % (a.len + 1);
			buf_consume(&a.b, n);
			model_take(&a, n);
			break;
		case 2:
			n = buf_move(&b.b, &a.b, unit_random(&seed) % 4000);
			memcpy(b.byte + b.len, a.byte, n);
			b.len += n;
			model_take(&a, n);
			break;
		default:
			n = b.len / 2 + b.len % 2;
			buf_consume(&b.b, n);
			model_take(&b, n);
			buf_release(&b.b);
			break;
		}
		model_check(&a);
		model_check(&b);
	}
	buf_fini(&a.b);
	buf_fini(&b.b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_passes_the_ceiling),
		cmocka_unit_test(prints_a_line_or_nothing),
		cmocka_unit_test(has_no_storage_while_empty),
		cmocka_unit_test(slides_before_it_grows),
		cmocka_unit_test(moves_what_there_is_and_fits),
		cmocka_unit_test(does_what_an_array_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
