/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: every script of tests/fuzz/corpus/conn is played, as the
 * fuzzer plays it (tests/fuzz/fuzz_conn.c), and all must hold that it checks,
 * also where one allocation fails, whichever.
 * A script that broke something once is kept there; of one whose name begins
 * with "whole", each exchange has to be whole.
 */
#include "../fuzz/conn/world.h"

#include <dirent.h>

#include "unit.h"

#define SCRIPTS "tests/fuzz/corpus/conn"
#define SCRIPTS_MAX 128
#define SCRIPT_BYTES 65536
#define FAILING_ALLOCATIONS 200

static char names[SCRIPTS_MAX][64];

/* Once more for each of the first allocations, which fails then. */
static void
without_memory(const uint8_t *script, size_t n)
{
	static uint8_t with[SCRIPT_BYTES + 16];
	int head;
	unsigned i;

	for (i = 1; i <= FAILING_ALLOCATIONS; i++) {
		head = snprintf((char *)with, 16, "m %u\n", i);
		memcpy(with + head, script, n);
		assert_int_equal(
		    LLVMFuzzerTestOneInput(with, (size_t)head + n), 0);
	}
}

static void
all_whole(void)
{
	size_t i;

	assert_true(world.n_seen > 0);
	for (i = 0; i < world.n_seen; i++) {
		assert_string_equal(world.seen[i].ended, "complete");
	}
}

static void
test_script(void **state)
{
	static uint8_t script[SCRIPT_BYTES];
	char path[128];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), SCRIPTS "/%s", (char *)*state);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(script, 1, sizeof(script), f);
	(void)fclose(f);
	assert_in_range(n, 1, sizeof(script) - 1);
	assert_int_equal(LLVMFuzzerTestOneInput(script, n), 0);
	if (strncmp(*state, "whole", strlen("whole")) == 0) {
		all_whole();
	}
	without_memory(script, n);
}

int
main(void)
{
	static struct CMUnitTest tests[SCRIPTS_MAX];
	const struct dirent *e;
	size_t n = 0;
	DIR *dir = opendir(SCRIPTS);

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.' || n == SCRIPTS_MAX) {
			continue;
		}
		(void)snprintf(names[n], sizeof(names[n]), "%.63s", e->d_name);
		tests[n].name = names[n];
		tests[n].test_func = test_script;
		tests[n].initial_state = names[n];
		n++;
	}
	if (dir == NULL || n == 0) {
		fprintf(stderr, "no scripts in " SCRIPTS "\n");
		return 1;
	}
	(void)closedir(dir);
	return _cmocka_run_group_tests("conn", tests, n, NULL, NULL);
}
