/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine is called: /etc/hosts in all its forms. */
#include "certs/names.h"
#include "certs_fixture.h"
#include "hosts.h"

static bool
has(const struct str_list *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (strcmp(l->item[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static void
forget(struct str_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free((void *)(uintptr_t)l->item[i]);
	}
	free(l->item);
	l->item = NULL;
	l->n = 0;
}

/* the file, the names that "box" has there, in order */
static const struct {
	const char *text;
	const char *want;
} files[] = {
	{ "", "" },
	{ "127.0.0.1 localhost\n", "" },
	{ "# 10.0.0.1 box box.example\n", "" },
	{ "10.0.0.1 other # box box.example\n", "" },
	{ "box box.example\n", "" }, /* the first word is the address */
	{ "10.0.0.1 boxes box.example\n", "" },
	{ "10.0.0.1\n", "" },
	{ "10.0.0.1 box\n", "box " },
	{ "10.0.0.1 box.example box\n", "box.example box " },
	{ "10.0.0.1\tBox.Example\tBOX  \r\n", "Box.Example BOX " },
	{ "  10.0.0.1 box a..b [x] box.example#c", "box box.example " },
	{ "10.0.0.1 a box\nfd00::1 box b\n10.0.0.2 c\n", "a box b " },
};

static void
aliases_come_from_the_lines_that_name_us(void **state)
{
	struct str_list l = { NULL, 0 };
	char got[256];
	struct tmp t;
	size_t i, j, n;

	(void)state;
	tmp_init(&t);
	for (i = 0; i < NELEM(files); i++) {
		tmp_put(&t, "hosts", files[i].text);
		assert_int_equal(
		    hosts_add_aliases(&l, tmp_path(&t, "hosts"), "box"),
		    ERR_OK);
		got[0] = '\0';
		n = 0;
		for (j = 0; j < l.n; j++) {
			n += (size_t)snprintf(
			    got + n, sizeof(got) - n, "%s ", l.item[j]);
		}
		assert_string_equal(got, files[i].want);
		forget(&l);
	}
	assert_int_equal(
	    hosts_add_aliases(&l, tmp_path(&t, "none"), "box"), ERR_OK);
	assert_int_equal(l.n, 0);
	tmp_fini(&t);
}

static void
gathers_what_can_stand_in_a_certificate(void **state)
{
	struct str_list l = { NULL, 0 };
	struct host h;
	size_t i;

	(void)state;
	assert_int_equal(hosts_gather(&l), ERR_OK);
	assert_true(has(&l, "localhost"));
	assert_true(has(&l, "docker"));
	assert_true(has(&l, "127.0.0.1"));
	assert_true(has(&l, "::1"));
	for (i = 0; i < l.n; i++) {
		assert_int_equal(host_parse(l.item[i], &h, NULL), ERR_OK);
		assert_int_not_equal(strncmp(l.item[i], "fe80:", 5), 0);
	}
	forget(&l);
}

static void
stops_at_a_hundred(void **state)
{
	struct str_list l = { NULL, 0 };
	struct tmp t;
	FILE *f;
	int i;

	(void)state;
	tmp_init(&t);
	f = fopen(tmp_path(&t, "hosts"), "w");
	assert_non_null(f);
	for (i = 0; i < 300; i++) {
		fprintf(f, "10.0.0.1 box box-%d.example\n", i);
	}
	fclose(f);
	assert_int_equal(
	    hosts_add_aliases(&l, tmp_path(&t, "hosts"), "box"), ERR_OK);
	assert_int_equal(l.n, 100);
	forget(&l);
	tmp_fini(&t);
}

static void
dockers_bridges_are_known(void **state)
{
	static const char *const no[] = { "eth0", "br0", "br-lan", "docker1",
		"br-0123456789ab0", "br-0123456789aX", "" };

	(void)state;
	assert_true(hosts_is_docker_bridge("docker0"));
	assert_true(hosts_is_docker_bridge("docker_gwbridge"));
	assert_true(hosts_is_docker_bridge("br-0123456789ab"));
	for (size_t i = 0; i < NELEM(no); i++) {
		assert_false(hosts_is_docker_bridge(no[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dockers_bridges_are_known),
		cmocka_unit_test(aliases_come_from_the_lines_that_name_us),
		cmocka_unit_test(gathers_what_can_stand_in_a_certificate),
		cmocka_unit_test(stops_at_a_hundred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
