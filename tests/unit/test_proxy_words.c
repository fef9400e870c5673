/* SPDX-License-Identifier: Apache-2.0 */
/* Words of DOCKER_OPTS: what is refused, then what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "words.h"

static void
refuses_open_ends(void **state)
{
	static const char *const bad[] = { "'", "\"", "a 'b", "a \"b c", "\\",
		"a \\", "\"a\\\"", "\"\\", "'a\\'b'", "a'b\"c" };
	struct str_list l = { NULL, 0 };
	struct diag d;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		strncpy(text, bad[i], sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		memset(&d, 0, sizeof(d));
		assert_int_equal(words_split(text, &l, &d), ERR_SYNTAX);
		assert_true(d.text[0] != '\0');
	}
	free(l.item);
}

/* Text, and its words with '|' between them ("-" for none at all). */
static const struct {
	const char *text, *words;
} cases[] = {
	{ "", "-" },
	{ " \t\n ", "-" },
	{ "a", "a" },
	{ "  a  bc\t d\n", "a|bc|d" },
	{ "--mtu=1400 --debug", "--mtu=1400|--debug" },
	{ "--label 'a b' c", "--label|a b|c" },
	{ "--label=\"a b\"c", "--label=a bc" },
	{ "''", "" },
	{ "'' a \"\"", "|a|" },
	{ "a\\ b \\'c \\\\", "a b|'c|\\" },
	{ "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d" },
	{ "'a\\b\"c'", "a\\b\"c" },
	{ "\"it's\" 'say \"x\"'", "it's|say \"x\"" },
	{ "$(reboot) `id` *.c ; # & $HOME ~",
	    "$(reboot)|`id`|*.c|;|#|&|$HOME|~" },
	{ "a'b'\"c\"\\d", "abcd" },
	{ "'a'  'b'", "a|b" },
	{ "x\\\n y", "x\n|y" },
};

static void
splits_as_a_shell_without_its_magic(void **state)
{
	struct str_list l;
	struct diag d;
	char text[128], got[128];
	size_t i, k;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		strncpy(text, cases[i].text, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		memset(&l, 0, sizeof(l));
		assert_int_equal(words_split(text, &l, &d), ERR_OK);
		got[0] = '\0';
		for (k = 0; k < l.n; k++) {
			strncat(got, k == 0 ? "" : "|", sizeof(got) / 4);
			strncat(got, l.item[k], sizeof(got) / 4);
		}
		assert_string_equal(l.n == 0 ? "-" : got, cases[i].words);
		free(l.item);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_open_ends),
		cmocka_unit_test(splits_as_a_shell_without_its_magic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
