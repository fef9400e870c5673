/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says of its trace is kept in one shape, or not at all. */
#include "unit.h"

#include "traceparent.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define GOOD "00-" TRACE "-" PARENT "-01"

static struct span
of(const char *const *values, size_t n)
{
	static struct header headers[4];
	struct http_head h = { .headers = headers, .n_headers = n + 1 };
	size_t i;

	headers[0] = (struct header){ span_of("X-Other"), span_of(GOOD) };
	for (i = 0; i < n; i++) {
		headers[i + 1] = (struct header){ span_of("TraceParent"),
			span_of(values[i]) };
	}
	return traceparent_of(&h);
}

static void
ignores_what_is_not_exactly_one_of_version_00(void **state)
{
	static const char *const bad[] = {
		"",
		"00",
		"01-" TRACE "-" PARENT "-01",
		"ff-" TRACE "-" PARENT "-01",
		"0-" TRACE "-" PARENT "-01",
		"00-" TRACE "-" PARENT,
		"00-" TRACE "-" PARENT "-",
		"00-" TRACE "-" PARENT "-1",
		"00-" TRACE "-" PARENT "-0g",
		"00-" TRACE "-" PARENT "-001",
		"00-" TRACE "-" PARENT "-01-",
		"00-" TRACE "-" PARENT "-01 ",
		" 00-" TRACE "-" PARENT "-01",
		"00-" TRACE "_" PARENT "-01",
		"00_" TRACE "-" PARENT "-01",
		"00-" TRACE "-" PARENT "_01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-" TRACE "-00F067AA0BA902B7-01",
		"00-" TRACE "-" PARENT "-0A",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-4bf92f3577b34da6a3ce929d0e0e473-0" PARENT "-01",
		"00-\"}\n{\"event\":\"end\",\"id\":\"x\",\"a\":\"-" PARENT
		"-01",
		"hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter",
	};
	size_t i;

	(void)state;
	assert_int_equal(of(NULL, 0).len, 0);
	for (i = 0; i < NELEM(bad); i++) {
		if (of(&bad[i], 1).len != 0) {
			fail_msg("taken: %s", bad[i]);
		}
	}
}

static void
ignores_two_of_them(void **state)
{
	static const char *const two[] = { GOOD, GOOD };
	static const char *const odd[] = { GOOD, "" };

	(void)state;
	assert_int_equal(of(two, 2).len, 0);
	assert_int_equal(of(odd, 2).len, 0);
}

static void
keeps_a_sound_one(void **state)
{
	static const char *const good[] = { GOOD, "00-" TRACE "-" PARENT "-00",
		"00-" TRACE "-" PARENT "-ff",
		"00-00000000000000000000000000000001-0000000000000001-00" };
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good); i++) {
		expect_span(good[i], of(&good[i], 1), good[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ignores_what_is_not_exactly_one_of_version_00),
		cmocka_unit_test(ignores_two_of_them),
		cmocka_unit_test(keeps_a_sound_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
