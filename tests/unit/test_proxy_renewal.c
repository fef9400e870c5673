/* SPDX-License-Identifier: Apache-2.0 */
/* When the gate warns of an end. */
#include "certs_fixture.h"
#include "renewal.h"

static void
warns_thirty_seven_and_one_day_ahead(void **state)
{
	static const struct {
		time_t left;
		unsigned level;
	} cases[] = {
		{ 31 * DAY, 0 },
		{ 30 * DAY + 1, 0 },
		{ 30 * DAY, 1 },
		{ 7 * DAY + 1, 1 },
		{ 7 * DAY, 2 },
		{ DAY + 1, 2 },
		{ DAY, 3 },
		{ 1, 3 },
		{ 0, 4 },
		{ -DAY, 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		assert_int_equal(renewal_level(cases[i].left), cases[i].level);
	}
}

static void
looks_for_the_key_without_opening_it(void **state)
{
	struct tmp t;

	(void)state;
	tmp_init(&t);
	assert_false(renewal_has_ca_key(t.dir));
	tmp_put(&t, "ca-key.pem", "not a key");
	assert_true(renewal_has_ca_key(t.dir));
	tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(warns_thirty_seven_and_one_day_ahead),
		cmocka_unit_test(looks_for_the_key_without_opening_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
