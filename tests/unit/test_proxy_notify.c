/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears, at either kind of address. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

static char dir[64];

/* A manager at "/..." or "@...": its socket. */
static int
listen_at(const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(un.sun_path, address, len + 1);
	if (address[0] == '@') {
		un.sun_path[0] = '\0';
	}
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	    0);
	return fd;
}

static const char *
heard(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
refuses_addresses_and_is_silent(void **state)
{
	static const char *const bad[] = { "", "/", "@", "notify",
		"vsock:2:1234", " /run/x",
		"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct notify n;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		setenv("WATCHDOG_USEC", "1000000", 1);
		notify_open(&n);
		assert_int_equal(n.fd, -1);
		assert_int_equal(n.watchdog_ms, 0); /* nobody would hear */
		assert_null(getenv("NOTIFY_SOCKET"));
		assert_null(getenv("WATCHDOG_USEC"));
		notify_ready(&n, "ready");
		notify_alive(&n);
	}
	notify_ready(NULL, "ready");
	notify_open(&n);
	assert_int_equal(n.fd, -1);
}

static void
tells_at(const char *address)
{
	int fd = listen_at(address);
	struct notify n;

	setenv("NOTIFY_SOCKET", address, 1);
	notify_open(&n);
	notify_ready(&n, "policy \"a\nREADY=0\"");
	assert_string_equal(
	    heard(fd), "READY=1\nSTATUS=policy \"a\\x0aREADY=0\"");
	notify_reloading(&n);
	assert_memory_equal(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27);
	notify_stopping(&n);
	assert_memory_equal(heard(fd), "STOPPING=1\nSTATUS=", 18);
	notify_alive(&n);
	assert_string_equal(heard(fd), "WATCHDOG=1");
	close(fd); /* the manager is gone: no signal, no end */
	notify_alive(&n);
	close(n.fd);
}

static void
tells_at_a_path_and_at_an_abstract_address(void **state)
{
	char address[96];

	(void)state;
	(void)snprintf(address, sizeof(address), "%s/notify", dir);
	tells_at(address);
	unlink(address);
	(void)snprintf(
	    address, sizeof(address), "@dinv-notify-%d", (int)getpid());
	tells_at(address);
}

static void
knows_when_it_is_watched(void **state)
{
	static const struct {
		const char *usec, *pid;
		uint64_t ms;
	} cases[] = { { NULL, NULL, 0 }, { "", NULL, 0 }, { "x", NULL, 0 },
		{ "-1", NULL, 0 }, { "1000000", "1", 0 }, { "1000000", "", 0 },
		{ "1000000", "us", 1000 }, { "30000000", NULL, 30000 } };
	char own[24];
	struct notify n;
	size_t i;

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	for (i = 0; i < NELEM(cases); i++) {
		setenv("NOTIFY_SOCKET", "@nobody", 1);
		if (cases[i].usec != NULL) {
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		}
		if (cases[i].pid != NULL) {
			setenv("WATCHDOG_PID",
			    strcmp(cases[i].pid, "us") == 0 ? own
							    : cases[i].pid,
			    1);
		}
		notify_open(&n);
		expect_u64("watchdog", n.watchdog_ms, cases[i].ms);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
		close(n.fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_addresses_and_is_silent),
		cmocka_unit_test(tells_at_a_path_and_at_an_abstract_address),
		cmocka_unit_test(knows_when_it_is_watched),
	};
	int failed;

	log_set_level(LOG_ERROR); /* what cannot be used is warned of */
	(void)snprintf(dir, sizeof(dir), "/tmp/dinv-notify.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
