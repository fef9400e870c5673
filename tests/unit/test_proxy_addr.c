/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: the refusals first, then listening. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addr.h"

/* 108 letters: one more than a socket's path may have with its NUL */
#define PATH_108                                                               \
	"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const bad[] = {
	"",
	"tcp",
	"tcp:",
	"tcp:/1.2.3.4:1",
	"tcp://",
	"tcp://:2376",
	"tcp://1.2.3.4",
	"tcp://1.2.3.4:",
	"tcp://1.2.3.4:0",
	"tcp://1.2.3.4:65536",
	"tcp://1.2.3.4:02376",
	"tcp://1.2.3.4:-1",
	"tcp://1.2.3.4:+1",
	"tcp://1.2.3.4: 1",
	"tcp://1.2.3.4:1 ",
	"tcp://1.2.3.4:1/",
	"tcp://1.2.3.4:http",
	" tcp://1.2.3.4:1",
	"TCP://1.2.3.4:1",
	"http://1.2.3.4:1",
	"1.2.3.4:1",
	"tcp://1.2.3:1",
	"tcp://1.2.3.4.5:1",
	"tcp://256.2.3.4:1",
	"tcp://01.2.3.4:1",
	"tcp://1.2.3.4 :1",
	"tcp://localhost:1",
	"tcp://[::1:1",
	"tcp://::1]:1",
	"tcp://[]:1",
	"tcp://[:1",
	"tcp://]:1",
	"tcp://[::1%lo]:1",
	"tcp://[:::1]:1",
	"tcp://[::g]:1",
	"tcp://user@1.2.3.4:1",
	"tcp://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:1",
	"unix:",
	"unix://",
	"unix://run/docker.sock",
	"unix:/run/docker.sock",
	"unix://" PATH_108,
	"fd://",
};

static void
refuses_what_is_not_an_address(void **state)
{
	struct addr a, before;
	struct diag d;
	size_t i;

	(void)state;
	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < NELEM(bad); i++) {
		a = before;
		memset(&d, 0, sizeof(d));
		expect_err(bad[i], addr_parse(bad[i], &a, &d), ERR_SYNTAX);
		assert_true(d.text[0] != '\0');
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

/* What it is as a peer, without "tcp://". */
static const struct {
	const char *url, *peer;
	int family;
} good[] = {
	{ "tcp://0.0.0.0:2376", "0.0.0.0:2376", AF_INET },
	{ "tcp://192.0.2.1:65535", "192.0.2.1:65535", AF_INET },
	{ "tcp://[::]:1", "[::]:1", AF_INET6 },
	{ "tcp://[2001:DB8::1]:80", "[2001:db8::1]:80", AF_INET6 },
	/* an IPv4 client of a socket that takes both */
	{ "tcp://[::ffff:1.2.3.4]:80", "1.2.3.4:80", AF_INET6 },
	{ "unix:///var/run/docker.sock", "unix", AF_UNIX },
	{ "unix:///", "unix", AF_UNIX },
};

static void
reads_and_prints_addresses(void **state)
{
	struct diag d = { 0, 0, "" };
	char text[64];
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good); i++) {
		expect_err(
		    good[i].url, addr_parse(good[i].url, &a, &d), ERR_OK);
		assert_int_equal(a.sa.sa_family, good[i].family);
		assert_string_equal(a.text, good[i].url);
		addr_print_peer(&a.ss, text, sizeof(text));
		assert_string_equal(text, good[i].peer);
	}
	assert_int_equal(addr_parse("unix:///run/a b\n", &a, &d), ERR_OK);
	assert_string_equal(a.un.sun_path, "/run/a b\n");
	assert_string_equal(a.text, "unix:///run/a b\\x0a");
}

static void
cuts_a_peer_that_is_too_long(void **state)
{
	struct diag d;
	struct addr a;
	char text[8];

	(void)state;
	assert_int_equal(addr_parse("tcp://[2001:db8::1]:80", &a, &d), ERR_OK);
	addr_print_peer(&a.ss, text, sizeof(text));
	assert_string_equal(text, "[2001:d");
}

static bool
key_of(const char *url, uint8_t key[16])
{
	struct diag d;
	struct addr a;

	assert_int_equal(addr_parse(url, &a, &d), ERR_OK);
	return addr_host_key(&a.ss, key);
}

static void
knows_hosts_by_address_or_network(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	assert_false(key_of("unix:///x", a));
	assert_true(key_of("tcp://192.0.2.1:1", a));
	assert_true(key_of("tcp://192.0.2.1:9", b));
	assert_memory_equal(a, b, 16);
	assert_true(key_of("tcp://192.0.2.2:1", b));
	assert_memory_not_equal(a, b, 16);
	assert_true(key_of("tcp://[2001:db8:0:1::1]:1", a));
	assert_true(key_of("tcp://[2001:db8:0:1:ffff::2]:1", b));
	assert_memory_equal(a, b, 16); /* the same /64 */
	assert_true(key_of("tcp://[::ffff:192.0.2.1]:1", a));
	assert_true(key_of("tcp://[::ffff:192.0.2.2]:1", b));
	assert_memory_not_equal(a, b, 16); /* two hosts all the same */
	assert_true(key_of("tcp://192.0.2.2:1", a));
	assert_memory_equal(a, b, 16);
	assert_true(key_of("tcp://[2001:db8:0:2::1]:1", b));
	assert_memory_not_equal(a, b, 16);
}

/* --- listening ----------------------------------------------------------- */

struct place {
	char dir[64];
	char path[96];
	struct addr a;
};

static void
place_begin(struct place *p)
{
	char url[128];
	struct diag d;

	(void)snprintf(p->dir, sizeof(p->dir), "/tmp/dinv-addr-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/sock", p->dir);
	(void)snprintf(url, sizeof(url), "unix://%s", p->path);
	assert_int_equal(addr_parse(url, &p->a, &d), ERR_OK);
}

static void
place_end(struct place *p)
{
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(rmdir(p->dir), 0);
}

static void
does_not_take_what_another_has(void **state)
{
	struct diag d = { 0, 0, "" };
	int fd, other = -1;
	struct place p;

	(void)state;
	place_begin(&p);
	fd = open(p.path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd != -1);
	close(fd); /* a file that is no socket */
	assert_int_equal(addr_listen(&p.a, &other, &d), ERR_IO);
	assert_non_null(strstr(d.text, p.path));
	assert_int_equal(access(p.path, F_OK), 0);
	assert_int_equal(unlink(p.path), 0);

	assert_int_equal(addr_listen(&p.a, &fd, &d), ERR_OK);
	assert_int_equal(addr_listen(&p.a, &other, &d), ERR_IO);
	assert_non_null(strstr(d.text, "-listen"));
	assert_int_equal(other, -1);
	close(fd);
	place_end(&p);
}

static void
removes_what_a_dead_one_left(void **state)
{
	struct diag d = { 0, 0, "" };
	struct place p;
	struct stat st;
	int fd, i;

	(void)state;
	place_begin(&p);
	for (i = 0; i < 3; i++) {
		assert_int_equal(addr_listen(&p.a, &fd, &d), ERR_OK);
		assert_int_equal(stat(p.path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0660);
		assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		close(fd);
	}
	place_end(&p);
}

/* Each worker has a listener of its own on one port. */
static void
shares_a_port_with_itself(void **state)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct diag d = { 0, 0, "" };
	int fd, second;
	struct addr a;
	char url[64];

	(void)state;
	assert_int_equal(addr_parse("tcp://127.0.0.1:1", &a, &d), ERR_OK);
	((struct sockaddr_in *)&a.ss)->sin_port = 0; /* any */
	assert_int_equal(addr_listen(&a, &fd, &d), ERR_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(
	    url, sizeof(url), "tcp://127.0.0.1:%u", ntohs(in.sin_port));
	assert_int_equal(addr_parse(url, &a, &d), ERR_OK);
	assert_int_equal(addr_listen(&a, &second, &d), ERR_OK);
	close(fd);
	close(second);
}

static void
one_alone_has_its_mode_at_once_and_shares_no_port(void **state)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct diag d = { 0, 0, "" };
	mode_t before = umask(0);
	int fd, second = -1;
	struct place p;
	struct stat st;
	struct addr a;
	char url[64];

	(void)state;
	place_begin(&p);
	assert_int_equal(addr_listen_alone(&p.a, 0600, &fd, &d), ERR_OK);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(umask(before), 0); /* as it was */
	assert_int_equal(addr_listen_alone(&p.a, 0600, &second, &d), ERR_IO);
	assert_non_null(strstr(d.text, "-admin"));
	close(fd);
	place_end(&p);

	assert_int_equal(addr_parse("tcp://127.0.0.1:1", &a, &d), ERR_OK);
	((struct sockaddr_in *)&a.ss)->sin_port = 0; /* any */
	assert_int_equal(addr_listen(&a, &fd, &d), ERR_OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(
	    url, sizeof(url), "tcp://127.0.0.1:%u", ntohs(in.sin_port));
	assert_int_equal(addr_parse(url, &a, &d), ERR_OK);
	assert_int_equal(addr_listen_alone(&a, 0600, &second, &d), ERR_IO);
	assert_int_equal(second, -1);
	close(fd);
}

static void
knows_loopback(void **state)
{
	static const struct {
		const char *url;
		bool is;
	} cases[] = {
		{ "tcp://0.0.0.0:1", false },
		{ "tcp://10.0.0.1:1", false },
		{ "tcp://128.0.0.1:1", false },
		{ "tcp://[::]:1", false },
		{ "tcp://[::2]:1", false },
		{ "tcp://[::ffff:127.0.0.1]:1", false },
		{ "unix:///x", false },
		{ "tcp://127.0.0.1:1", true },
		{ "tcp://127.255.0.9:1", true },
		{ "tcp://[::1]:1", true },
	};
	struct diag d = { 0, 0, "" };
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		assert_int_equal(addr_parse(cases[i].url, &a, &d), ERR_OK);
		if (addr_is_loopback(&a) != cases[i].is) {
			fail_msg("%s", cases[i].url);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_an_address),
		cmocka_unit_test(reads_and_prints_addresses),
		cmocka_unit_test(cuts_a_peer_that_is_too_long),
		cmocka_unit_test(knows_hosts_by_address_or_network),
		cmocka_unit_test(does_not_take_what_another_has),
		cmocka_unit_test(removes_what_a_dead_one_left),
		cmocka_unit_test(shares_a_port_with_itself),
		cmocka_unit_test(
		    one_alone_has_its_mode_at_once_and_shares_no_port),
		cmocka_unit_test(knows_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
