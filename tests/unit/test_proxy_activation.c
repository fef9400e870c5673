/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets from systemd: what is refused first, then what is taken. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include "activation.h"

#define FIRST 3

/* A letter a descriptor: what is passed from 3 on. */
enum { PASS_MAX = 20 };

static int
make_one(char kind)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = -1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	switch (kind) {
	case '4': /* listens */
	case 'c': /* does not */
		fd = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(
		    bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
		break;
	case '6':
		fd = socket(AF_INET6, SOCK_STREAM, 0);
		assert_int_equal(
		    bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
		break;
	case '@': /* abstract, with a byte that a log must not have */
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		(void)snprintf(un.sun_path + 1, 40, "dinv\n%d", (int)getpid());
		assert_int_equal(
		    bind(fd, (struct sockaddr *)&un,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    strlen(un.sun_path + 1))),
		    0);
		break;
	case 'u': /* datagrams */
		return socket(AF_INET, SOCK_DGRAM, 0);
	case 's':
		return socket(AF_UNIX, SOCK_SEQPACKET, 0);
	case 'f':
		return open("/dev/null", O_RDWR);
	case '-':
		return -1;
	default:
		fail_msg("kind %c", kind);
	}
	if (kind != 'c') {
		assert_int_equal(listen(fd, 1), 0);
	}
	return fd;
}

/* Descriptors from 3 on, without close-on-exec, as systemd leaves them. */
static void
pass(const char *kinds)
{
	size_t i;
	int fd;

	for (i = 0; i < PASS_MAX; i++) {
		close(FIRST + (int)i);
	}
	for (i = 0; kinds[i] != '\0'; i++) {
		fd = make_one(kinds[i]);
		if (fd != -1 && fd != FIRST + (int)i) {
			assert_true(dup2(fd, FIRST + (int)i) != -1);
			close(fd);
		}
	}
}

static void
set(const char *name, const char *value)
{
	if (value == NULL) {
		unsetenv(name);
	} else {
		assert_int_equal(setenv(name, value, 1), 0);
	}
}

/* pid "us": our own. */
static void
say(const char *pid, const char *fds, const char *names)
{
	char own[24];

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	set("LISTEN_PID", pid != NULL && strcmp(pid, "us") == 0 ? own : pid);
	set("LISTEN_FDS", fds);
	set("LISTEN_FDNAMES", names);
}

static const struct {
	const char *what, *kinds, *pid, *fds, *names;
	enum err rc;
} bad[] = {
	{ "a sign", "4", "us", "+1", NULL, ERR_SYNTAX },
	{ "a blank", "4", "us", " 1", NULL, ERR_SYNTAX },
	{ "nothing", "4", "us", "", NULL, ERR_SYNTAX },
	{ "a zero before", "4", "us", "01", NULL, ERR_SYNTAX },
	{ "a negative", "4", "us", "-1", NULL, ERR_SYNTAX },
	{ "beyond an int", "4", "us", "4294967297", NULL, ERR_SYNTAX },
	{ "a pid that is none", "4", "us1", "1", NULL, ERR_SYNTAX },
	{ "an empty pid", "4", "", "1", NULL, ERR_SYNTAX },
	{ "too many", "4", "us", "17", NULL, ERR_LIMIT },
	{ "one that is not open", "4-", "us", "2", NULL, ERR_SYNTAX },
	{ "datagrams", "4u", "us", "2", NULL, ERR_SYNTAX },
	{ "packets", "s", "us", "1", NULL, ERR_SYNTAX },
	{ "a file", "f4", "us", "2", NULL, ERR_SYNTAX },
	{ "one that does not listen", "c", "us", "1", NULL, ERR_SYNTAX },
	{ "fewer names", "44", "us", "2", "a", ERR_SYNTAX },
	{ "more names", "44", "us", "2", "a:b:c", ERR_SYNTAX },
	{ "a name beyond ASCII", "4", "us", "1", "a\n", ERR_SYNTAX },
};

static void
expect_clean_environment(const char *what)
{
	if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL ||
	    getenv("LISTEN_FDNAMES") != NULL) {
		fail_msg("%s: the environment still has it", what);
	}
}

static void
refuses_what_is_not_as_it_should_be(void **state)
{
	struct activation a;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		memset(&d, 0, sizeof(d));
		pass(bad[i].kinds);
		say(bad[i].pid, bad[i].fds, bad[i].names);
		expect_err(bad[i].what, activation_take(&a, &d), bad[i].rc);
		assert_true(d.text[0] != '\0');
		expect_clean_environment(bad[i].what);
	}
}

static void
leaves_what_is_not_for_us(void **state)
{
	static const struct {
		const char *pid, *fds;
	} none[] = { { NULL, NULL }, { "us", NULL }, { NULL, "1" },
		{ "1", "1" }, { "us", "0" } };
	struct activation a;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(none); i++) {
		pass("4");
		say(none[i].pid, none[i].fds, "name");
		assert_int_equal(activation_take(&a, &d), ERR_OK);
		assert_int_equal(a.n, 0);
		assert_int_equal(fcntl(FIRST, F_GETFD), 0); /* untouched */
		expect_clean_environment("not ours");
	}
}

static void
takes_what_was_passed(void **state)
{
	struct activation a;
	struct diag d;
	char want[64];
	int i;

	(void)state;
	pass("46@");
	say("us", "3", "web::local");
	expect_err("three", activation_take(&a, &d), ERR_OK);
	assert_int_equal(a.n, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(a.socket[i].fd, FIRST + i);
		assert_true((fcntl(FIRST + i, F_GETFD) & FD_CLOEXEC) != 0);
		assert_true((fcntl(FIRST + i, F_GETFL) & O_NONBLOCK) != 0);
	}
	assert_string_equal(a.socket[0].name, "web");
	assert_string_equal(a.socket[1].name, "");
	assert_string_equal(a.socket[2].name, "local");
	assert_memory_equal(a.socket[0].addr.text, "tcp://127.0.0.1:", 16);
	assert_memory_equal(a.socket[1].addr.text, "tcp://[::]:", 11);
	(void)snprintf(
	    want, sizeof(want), "unix://@dinv\\x0a%d", (int)getpid());
	assert_string_equal(a.socket[2].addr.text, want);
}

/* The list, with a blank between its words, once the sockets have names. */
static const struct {
	const char *names;
	const char *list[3];
	enum err rc;
	const char *sockets; /* their numbers, in the new order; x: no socket */
} lists[] = {
	{ "a:b", { "tcp://127.0.0.1:1" }, ERR_USAGE, "" },
	{ "a:b", { "fd://a" }, ERR_USAGE, "" },
	{ "a:b", { "fd://a", "fd://c" }, ERR_USAGE, "" },
	{ "a:b", { "fd://", "fd://a" }, ERR_USAGE, "" },
	{ "a:b", { "fd://a", "fd://b" }, ERR_OK, "01" },
	{ "a:b", { "fd://b", "tcp://127.0.0.1:1", "fd://a" }, ERR_OK, "1x0" },
	{ "a:a", { "fd://a" }, ERR_OK, "01" },
	{ "a:b", { "fd://" }, ERR_OK, "01" },
	{ "a:b", { "fd://*" }, ERR_OK, "01" },
	{ "a:b", { "fd://b", "fd://" }, ERR_OK, "10" },
};

static void
names_the_sockets_of_a_list(void **state)
{
	struct str_list l;
	struct activation a;
	struct diag d;
	size_t i, j;

	(void)state;
	for (i = 0; i < NELEM(lists); i++) {
		l = (struct str_list){ NULL, 0 };
		for (j = 0; j < 3 && lists[i].list[j] != NULL; j++) {
			assert_int_equal(
			    str_list_add(&l, lists[i].list[j]), ERR_OK);
		}
		pass("46");
		say("us", "2", lists[i].names);
		assert_int_equal(activation_take(&a, &d), ERR_OK);
		expect_err(
		    lists[i].list[0], activation_name(&a, &l, &d), lists[i].rc);
		for (j = 0; lists[i].sockets[j] != '\0'; j++) {
			char c = lists[i].sockets[j];

			assert_int_equal(activation_claim(&a, l.item[j]),
			    c == 'x' ? -1 : FIRST + c - '0');
			/* once given away, it is */
			assert_int_equal(activation_claim(&a, l.item[j]), -1);
		}
		assert_int_equal(l.n, lists[i].rc == ERR_OK ? j : l.n);
		str_list_fini(&l);
	}
}

static void
says_that_nothing_was_passed(void **state)
{
	struct str_list l = { NULL, 0 };
	struct activation a;
	struct diag d = { 0, 0, "" };

	(void)state;
	say(NULL, NULL, NULL);
	assert_int_equal(activation_take(&a, &d), ERR_OK);
	assert_int_equal(str_list_add(&l, "fd://"), ERR_OK);
	assert_int_equal(activation_name(&a, &l, &d), ERR_USAGE);
	assert_non_null(strstr(d.text, "systemd has passed no socket"));
	assert_string_equal(l.item[0], "fd://"); /* as it was */
	str_list_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_as_it_should_be),
		cmocka_unit_test(leaves_what_is_not_for_us),
		cmocka_unit_test(takes_what_was_passed),
		cmocka_unit_test(names_the_sockets_of_a_list),
		cmocka_unit_test(says_that_nothing_was_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
