/* SPDX-License-Identifier: Apache-2.0 */
/* The DER writer: lengths at their edges, numbers, times, a full buffer. */
#include "certs_fixture.h"
#include "der.h"

static void
assert_der(const struct der *w, const char *want, size_t n)
{
	struct span got = der_done(w);

	assert_int_equal(got.len, n);
	assert_memory_equal(got.p, want, n);
}

#define IS(w, lit) assert_der(w, lit, sizeof(lit) - 1)

static void
sticks_when_the_buffer_is_full(void **state)
{
	uint8_t buf[8];
	struct der w;
	size_t size;

	(void)state;
	for (size = 0; size < 5; size++) {
		der_init(&w, buf, size);
		der_value(&w, DER_OCTETS, "abc", 3);
		assert_int_equal(der_done(&w).len, 0);
		der_value(&w, DER_NULL, NULL, 0); /* would fit by itself */
		assert_int_equal(der_done(&w).len, 0);
	}
	der_init(&w, buf, 5);
	der_value(&w, DER_OCTETS, "abc", 3);
	IS(&w, "\x04\x03"
	       "abc");
}

/* length of the contents, bytes of the head */
static const struct {
	size_t n;
	size_t head_len;
	const char *head;
} lengths[] = {
	{ 0, 2, "\x04\x00" },
	{ 1, 2, "\x04\x01" },
	{ 127, 2, "\x04\x7f" },
	{ 128, 3, "\x04\x81\x80" },
	{ 255, 3, "\x04\x81\xff" },
	{ 256, 4, "\x04\x82\x01\x00" },
	{ 4096, 4, "\x04\x82\x10\x00" },
};

static void
writes_shortest_lengths(void **state)
{
	static uint8_t buf[5000], body[4096];
	struct der w;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(lengths); i++) {
		der_init(&w, buf, sizeof(buf));
		der_value(&w, DER_OCTETS, body, lengths[i].n);
		assert_int_equal(
		    der_done(&w).len, lengths[i].n + lengths[i].head_len);
		assert_memory_equal(
		    der_done(&w).p, lengths[i].head, lengths[i].head_len);
	}
}

static void
writes_shortest_positive_numbers(void **state)
{
	uint8_t buf[32];
	struct der w;

	(void)state;
#define NUMBER(in, out)                                                        \
	der_init(&w, buf, sizeof(buf));                                        \
	der_unsigned(&w, (const uint8_t *)(in), sizeof(in) - 1);               \
	IS(&w, out)

	NUMBER("\x00", "\x02\x01\x00");
	NUMBER("\x00\x00", "\x02\x01\x00");
	NUMBER("\x7f", "\x02\x01\x7f");
	NUMBER("\x80", "\x02\x02\x00\x80");
	NUMBER("\x00\x80", "\x02\x02\x00\x80");
	NUMBER("\x00\x01\x00", "\x02\x02\x01\x00");
	NUMBER("\xff\xff", "\x02\x03\x00\xff\xff");
}

static void
nests(void **state)
{
	uint8_t buf[64];
	const uint8_t *all;
	struct der w;

	(void)state;
	der_init(&w, buf, sizeof(buf));
	all = w.p;
	der_bits(&w, "\xaa", 1);
	der_value(&w, DER_NULL, NULL, 0);
	der_wrap(&w, all, DER_SEQUENCE);
	IS(&w, "\x30\x06\x05\x00\x03\x02\x00\xaa");
}

/* seconds since 1970, the whole value; NULL where it is refused */
static const struct {
	int64_t t;
	const char *want;
} times[] = {
	{ -631152001, NULL },	/* 1949-12-31 23:59:59 */
	{ 253402300800, NULL }, /* year 10000 */
	{ INT64_MAX, NULL },
	{ -631152000, "\x17\x0d"
		      "500101000000Z" },
	{ 0, "\x17\x0d"
	     "700101000000Z" },
	{ 1709210096, "\x17\x0d"
		      "240229123456Z" },
	{ 2524607999, "\x17\x0d"
		      "491231235959Z" },
	{ 2524608000, "\x18\x0f"
		      "20500101000000Z" },
	{ 253402300799, "\x18\x0f"
			"99991231235959Z" },
};

static void
writes_times_across_2050(void **state)
{
	uint8_t buf[32];
	struct der w;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(times); i++) {
		der_init(&w, buf, sizeof(buf));
		der_time(&w, (time_t)times[i].t);
		if (times[i].want == NULL) {
			assert_int_equal(der_done(&w).len, 0);
			continue;
		}
		assert_der(&w, times[i].want, strlen(times[i].want));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sticks_when_the_buffer_is_full),
		cmocka_unit_test(writes_shortest_lengths),
		cmocka_unit_test(writes_shortest_positive_numbers),
		cmocka_unit_test(nests),
		cmocka_unit_test(writes_times_across_2050),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
