/* SPDX-License-Identifier: Apache-2.0 */
/* The entrypoint's command lines: what is refused, then what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "entry.h"
#include "shims.h"

#define LIST(...)                                                              \
	{                                                                      \
		(const char *[]){ __VA_ARGS__ },                               \
		    sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)   \
	}

static struct entry_opts
plain_opts(void)
{
	return (struct entry_opts){ .storage = "overlay2",
		.certs = "/certs",
		.socket = "/var/run/docker.sock",
		.dockerd = "dockerd",
		.grace_s = 10 };
}

static void
refuses_a_door_beside_the_gate(void **state)
{
	struct str_list bad[] = {
		LIST("-H", "tcp://0.0.0.0:2375"),
		LIST("-Htcp://0.0.0.0:2375"),
		LIST("-H=tcp://0.0.0.0:2375"),
		LIST("-DH", "tcp://0.0.0.0:2375"),
		LIST("-DHtcp://:2375"),
		LIST("-DDH=:2375"),
		LIST("--host", "tcp://0.0.0.0:2375"),
		LIST("--host=tcp://0.0.0.0:2375"),
		LIST("-H", "unix:///a", "-H", ":2375"),
		LIST("-H", "0.0.0.0"),
		LIST("-H", "fd://"),
		LIST("-H", "UNIX:///a"),
		LIST("-H", ""),
		LIST("--host="),
		LIST("-H"),
		LIST("--debug", "--host"),
	};
	struct entry_opts o = plain_opts();
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		o.dockerd_flags = bad[i];
		memset(&d, 0, sizeof(d));
		assert_int_equal(entry_check(&o, &d), ERR_USAGE);
		assert_non_null(strstr(d.text, "-listen"));
	}
}

static void
refuses_what_cannot_be(void **state)
{
	struct str_list listen = LIST("tcp://0.0.0.0:1");
	struct entry_opts o[6];
	struct diag d;
	char path[120];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(o); i++) {
		o[i] = plain_opts();
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	o[0].socket = "docker.sock";
	o[1].socket = path;
	o[2].local = true;
	o[2].listen = listen;
	o[3].dockerd = "";
	o[4].grace_s = 0;
	o[5].grace_s = 3601;
	for (i = 0; i < NELEM(o); i++) {
		memset(&d, 0, sizeof(d));
		assert_int_equal(entry_check(&o[i], &d), ERR_USAGE);
		assert_true(d.text[0] != '\0');
	}
	path[107] = '\0';
	assert_int_equal(entry_check(&o[1], &d), ERR_OK);
}

static void
lets_dockerd_be_tuned(void **state)
{
	struct str_list fine[] = {
		LIST("--mtu=1400", "--debug"),
		LIST("-H", "unix:///run/second.sock"),
		LIST("-Dl", "info", "-Hunix:///a"),
		LIST("--host-gateway-ip", "10.0.0.1"),
		LIST("--hostess=tcp://x"),
		LIST("-l", "H"),
		LIST("--label", "a=-H"),
	};
	struct entry_opts o = plain_opts();
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(fine); i++) {
		o.dockerd_flags = fine[i];
		assert_int_equal(entry_check(&o, &d), ERR_OK);
	}
}

/* Words joined by blanks; for comparing. */
static const char *
joined(char **argv)
{
	static char text[1024];

	text[0] = '\0';
	for (; *argv != NULL; argv++) {
		strncat(text, text[0] == '\0' ? "" : " ", 2);
		strncat(text, *argv, 200);
	}
	return text;
}

static void
assert_argv(const struct entry_opts *o, const char *dockerd, const char *gate)
{
	struct arena a;
	char **argv;

	arena_init(&a, 1u << 20);
	if (dockerd != NULL) {
		assert_int_equal(entry_dockerd_argv(o, &a, &argv), ERR_OK);
		assert_string_equal(joined(argv), dockerd);
	}
	if (gate != NULL) {
		assert_int_equal(entry_gate_argv(o, &a, &argv), ERR_OK);
		assert_string_equal(joined(argv), gate);
	}
	arena_fini(&a);
}

static void
tells_dockerd_one_socket(void **state)
{
	struct str_list regs = LIST("a:5000", "b,c,", "d");
	struct str_list more = LIST("--mtu=1400", "--label", "x y");
	struct entry_opts o = plain_opts();

	(void)state;
	assert_argv(&o,
	    "dockerd -H unix:///var/run/docker.sock "
	    "--storage-driver overlay2",
	    NULL);
	o.storage = "";
	o.debug = true;
	o.data = "/data";
	o.socket = "/s";
	o.insecure_registry = regs;
	o.dockerd_flags = more;
	assert_argv(&o,
	    "dockerd -H unix:///s --data-root /data --log-level debug "
	    "--insecure-registry a:5000 --insecure-registry b "
	    "--insecure-registry c --insecure-registry d "
	    "--mtu=1400 --label x y",
	    NULL);
}

static void
tells_the_gate_how_open_it_is(void **state)
{
	struct str_list listen = LIST("tcp://127.0.0.1:1", "unix:///tmp/x");
	struct entry_opts o = plain_opts();

	(void)state;
	assert_argv(&o, NULL,
	    "dinv gate -listen tcp://0.0.0.0:2375 -upstream "
	    "unix:///var/run/docker.sock -insecure-plain -policy admin "
	    "-admin-default unix:///run/dinv/admin.sock");
	o.tls = true;
	o.ipv6 = true;
	assert_argv(&o, NULL,
	    "dinv gate -listen tcp://0.0.0.0:2376 -listen tcp://[::]:2376 "
	    "-upstream unix:///var/run/docker.sock -tls -certs /certs "
	    "-policy admin -admin-default unix:///run/dinv/admin.sock");
	o.tlsverify = true;
	o.admin = "none";
	o.debug = true;
	o.listen = listen;
	o.policy = "ci-runner";
	o.audit = "/a";
	assert_argv(&o, NULL,
	    "dinv gate -listen tcp://127.0.0.1:1 -listen unix:///tmp/x "
	    "-upstream unix:///var/run/docker.sock -tlsverify -certs /certs "
	    "-policy ci-runner -audit /a -admin none -debug");
}

/* A file may say all that flags say; what no flag says is left to it, and
 * never turns into clear text. */
static void
leaves_the_rest_to_the_configuration(void **state)
{
	struct entry_opts o = plain_opts();

	(void)state;
	o.config = "/c";
	assert_int_equal(entry_mode(&o), ENTRY_CONFIG);
	assert_argv(&o, NULL,
	    "dinv gate -upstream unix:///var/run/docker.sock -certs /certs "
	    "-config /c -admin-default unix:///run/dinv/admin.sock");
	o.tlsverify = true;
	assert_argv(&o, NULL,
	    "dinv gate -listen tcp://0.0.0.0:2376 -upstream "
	    "unix:///var/run/docker.sock -tlsverify -certs /certs "
	    "-config /c -admin-default unix:///run/dinv/admin.sock");
}

static void
out_of_memory_is_no_shorter_line(void **state)
{
	struct entry_opts o = plain_opts();
	struct arena a;
	char **argv;
	size_t max;

	(void)state;
	for (max = 0; max < 4096; max += 64) {
		arena_init(&a, max);
		argv = NULL;
		if (entry_gate_argv(&o, &a, &argv) == ERR_OK) {
			assert_non_null(strstr(joined(argv), "-upstream"));
			assert_non_null(strstr(joined(argv), "-listen"));
		} else {
			assert_null(argv);
		}
		arena_fini(&a);
	}
}

static void
finds_what_dockerd_was_told(void **state)
{
	struct str_list flags =
	    LIST("--pidfile=/a", "-D", "-p", "/b", "--exec-root", "/e", "-p/c");
	struct entry_opts o = plain_opts();

	(void)state;
	assert_string_equal(
	    entry_dockerd_value(&o, "pidfile", 'p', "/d"), "/d");
	o.dockerd_flags = flags;
	assert_string_equal(
	    entry_dockerd_value(&o, "pidfile", 'p', "/d"), "/c");
	assert_string_equal(
	    entry_dockerd_value(&o, "exec-root", '\0', "/d"), "/e");
}

/* Wherever it was said: -data, or dockerd's own flags, old ones too. */
static void
finds_the_data_that_images_are_noted_in(void **state)
{
	static const struct {
		const char *data, *flag, *want;
	} cases[] = {
		{ NULL, NULL, "/var/lib/docker/dinv-preloaded" },
		{ "/d", NULL, "/d/dinv-preloaded" },
		{ "/d", "--data-root=/e", "/e/dinv-preloaded" },
		{ NULL, "--graph=/f", "/f/dinv-preloaded" },
		{ NULL, "-g/f", "/f/dinv-preloaded" },
	};
	struct entry_opts o = plain_opts();
	struct arena a;
	char **argv;
	size_t i;

	(void)state;
	o.preload = "/p";
	for (i = 0; i < NELEM(cases); i++) {
		arena_init(&a, 65536);
		o.data = cases[i].data;
		o.dockerd_flags = (struct str_list){
			(const char *[]){ cases[i].flag },
			cases[i].flag == NULL ? 0 : 1,
		};
		assert_int_equal(entry_preload_argv(&o, &a, &argv), ERR_OK);
		assert_string_equal(argv[0], "dinv");
		assert_string_equal(argv[1], "preload");
		assert_string_equal(argv[3], "/p");
		assert_string_equal(argv[5], "/var/run/docker.sock");
		assert_string_equal(argv[7], cases[i].want);
		assert_null(argv[8]);
		arena_fini(&a);
	}
}

static void
passes_the_app_its_own_words(void **state)
{
	struct str_list words = LIST("/bin/app", "-tls", "a b");
	struct entry_opts o = plain_opts();
	struct arena a;
	char **argv;

	(void)state;
	arena_init(&a, 65536);
	o.app = words;
	assert_int_equal(entry_app_argv(&o, &a, &argv), ERR_OK);
	assert_string_equal(argv[0], "/bin/app");
	assert_string_equal(argv[1], "-tls");
	assert_string_equal(argv[2], "a b");
	assert_null(argv[3]);
	arena_fini(&a);
}

#define SHIM "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0x\0"

static void
knows_its_own_shims(void **state)
{
	static const char ours[] =
	    SHIM "-address\0/run/docker/containerd/containerd.sock";
	static const char system_wide[] =
	    SHIM "-address\0/run/containerd/containerd.sock";
	static const char forged[] =
	    "sleep\0-address\0/run/docker/containerd/containerd.sock";
	static const char cut[] = SHIM "-address";

	(void)state;
	assert_false(shims_is_ours(system_wide, sizeof(system_wide),
	    "/run"
	    "/docker"));
	assert_false(shims_is_ours(forged, sizeof(forged), "/run/docker"));
	assert_false(shims_is_ours(cut, sizeof(cut), "/run/docker"));
	assert_false(shims_is_ours("", 0, "/run/docker"));
	assert_false(shims_is_ours(ours, sizeof(ours) - 1, "/run/docker"));
	assert_false(shims_is_ours(ours, sizeof(ours), "/run/dockerx"));
	assert_true(shims_is_ours(ours, sizeof(ours), "/run/docker"));
	assert_true(shims_is_ours(ours, sizeof(ours), "/var/run/docker"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_door_beside_the_gate),
		cmocka_unit_test(refuses_what_cannot_be),
		cmocka_unit_test(lets_dockerd_be_tuned),
		cmocka_unit_test(tells_dockerd_one_socket),
		cmocka_unit_test(tells_the_gate_how_open_it_is),
		cmocka_unit_test(leaves_the_rest_to_the_configuration),
		cmocka_unit_test(out_of_memory_is_no_shorter_line),
		cmocka_unit_test(finds_what_dockerd_was_told),
		cmocka_unit_test(finds_the_data_that_images_are_noted_in),
		cmocka_unit_test(passes_the_app_its_own_words),
		cmocka_unit_test(knows_its_own_shims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
