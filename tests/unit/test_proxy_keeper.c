/* SPDX-License-Identifier: Apache-2.0 */
/* What a master does for a gate, and what not: the gate may be somebody
 * else's. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd_message.h"
#include "keeper_master.h"

static struct {
	char dir[64];
	struct gate_config conf;
	struct addr dockerd;
	struct keeper keeper;
	int gate; /* its end */
	enum keeper_news news;
	unsigned n_news;
} world;

static void
on_news(void *arg, enum keeper_news news, const char *text)
{
	(void)arg;
	(void)text;
	world.news = news;
	world.n_news++;
}

static void
put(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", world.dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static int
setup(void **state)
{
	static const char *const names[] = { "ca.crt", "ca-key.pem",
		"docker.crt", "docker.key", "docker-client.key", "crl.pem",
		"issued.tsv", "tokens.tsv", "policy.json", "pass" };
	static char policy[128], pass[128];
	int pair[2];
	size_t i;

	(void)state;
	memset(&world, 0, sizeof(world));
	strcpy(world.dir, "/tmp/dinv-keeper.XXXXXX");
	assert_non_null(mkdtemp(world.dir));
	for (i = 0; i < NELEM(names); i++) {
		put(names[i]);
	}
	snprintf(policy, sizeof(policy), "%s/policy.json", world.dir);
	snprintf(pass, sizeof(pass), "%s/pass", world.dir);
	world.conf.certs = world.dir;
	world.conf.policy = policy;
	world.conf.key_pass_file = pass;
	assert_int_equal(
	    addr_parse("unix:///nowhere.sock", &world.dockerd, NULL), ERR_OK);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	keeper_init(&world.keeper, pair[0], &world.conf, &world.dockerd);
	world.keeper.news = on_news;
	world.gate = pair[1];
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	keeper_fini(&world.keeper);
	close(world.gate);
	snprintf(command, sizeof(command), "rm -rf %s", world.dir);
	return system(command);
}

/* Sends n bytes and has them served; what came back, and fd or -1. */
static void
say(const void *p, size_t n, struct keeper_answer *a, int *fd)
{
	assert_int_equal(send(world.gate, p, n, 0), (ssize_t)n);
	keeper_serve(&world.keeper);
	assert_true(fd_message_receive(world.gate, a, sizeof(*a), fd, 0) > 0);
}

static enum err
ask(enum keeper_deed deed, uint64_t n, const char *text, int *fd)
{
	struct keeper_ask q = { .number = 7, .deed = (uint32_t)deed, .n = n };
	struct keeper_answer a;

	snprintf(q.text, sizeof(q.text), "%s", text);
	say(&q, offsetof(struct keeper_ask, text) + strlen(q.text) + 1, &a, fd);
	assert_int_equal(a.number, 7);
	assert_int_equal(a.with_fd, *fd != -1);
	return (enum err)a.rc;
}

static enum err
ask_file(const char *name, int *fd)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", world.dir, name);
	return ask(KEEPER_OPEN, 0, path, fd);
}

static void
its_own_files_are_opened(void **state)
{
	static const char *const names[] = { "ca.crt", "docker.crt",
		"docker.key", "crl.pem", "issued.tsv", "policy.json", "pass" };
	char text[64];
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < NELEM(names); i++) {
		expect_err(names[i], ask_file(names[i], &fd), ERR_OK);
		memset(text, 0, sizeof(text));
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		assert_string_equal(text, names[i]);
		/* to be read, and no more */
		assert_int_equal(write(fd, "x", 1), -1);
		close(fd);
	}
}

static void
no_other_file_is(void **state)
{
	static const char *const names[] = { "ca-key.pem", "docker-client.key",
		"tokens.tsv", "", ".", "..", "../etc/passwd",
		"docker.key/../ca-key.pem", "./docker.key", "/docker.key",
		"docker.key/", "docker.keyx" };
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < NELEM(names); i++) {
		expect_err(names[i], ask_file(names[i], &fd), ERR_IO);
		assert_int_equal(fd, -1);
	}
	expect_err("passwd", ask(KEEPER_OPEN, 0, "/etc/passwd", &fd), ERR_IO);
	expect_err("empty", ask(KEEPER_OPEN, 0, "", &fd), ERR_IO);
}

static void
tokens_are_for_who_takes_them(void **state)
{
	int fd;

	(void)state;
	expect_err("without -enroll", ask_file("tokens.tsv", &fd), ERR_IO);
	assert_int_equal(
	    str_list_add(&world.conf.enroll, "tcp://127.0.0.1:2378"), ERR_OK);
	expect_err("with it", ask_file("tokens.tsv", &fd), ERR_OK);
	close(fd);
	str_list_fini(&world.conf.enroll);
}

static void
what_there_is_not_is_refused(void **state)
{
	struct keeper_answer a;
	int fd;

	(void)state;
	expect_err("nothing", ask(KEEPER_NOTHING, 0, "", &fd), ERR_USAGE);
	expect_err("past the end", ask(KEEPER_N, 0, "", &fd), ERR_USAGE);
	expect_err(
	    "far past", ask((enum keeper_deed)9999, 0, "", &fd), ERR_USAGE);
	expect_err(
	    "no news", ask(KEEPER_TELL, KEEPER_NEWS_N, "", &fd), ERR_USAGE);
	assert_int_equal(world.n_news, 0);
	say("x", 1, &a, &fd); /* no question at all */
	assert_int_equal(a.rc, ERR_USAGE);
	/* A process that is not one of its jobs, such as we. */
	expect_err("kill", ask(KEEPER_ENOUGH, (uint64_t)getpid(), "", &fd),
	    ERR_NOTFOUND);
	expect_err("init", ask(KEEPER_ENOUGH, 0, "", &fd), ERR_NOTFOUND);
	/* To be issued something takes a question. */
	expect_err("issue", ask(KEEPER_ISSUE, 0, "", &fd), ERR_LIMIT);
}

/* Whoever has taken it over does not fill the disk with our log. */
static void
refusals_are_logged_some_times(void **state)
{
	unsigned i;
	int fd;

	(void)state;
	for (i = 0; i < 3 * KEEPER_REFUSALS; i++) {
		expect_err(
		    "again", ask(KEEPER_OPEN, 0, "/etc/shadow", &fd), ERR_IO);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(world.keeper.refusals, KEEPER_REFUSALS);
}

/* A listener is kept while the gate starts: later it is not to be trusted. */
static void
nothing_is_kept_once_it_is_ready(void **state)
{
	int fd;

	(void)state;
	expect_err("without a descriptor",
	    ask(KEEPER_KEEP, 0, "tcp://127.0.0.1:1", &fd), ERR_USAGE);
	expect_err("ready", ask(KEEPER_TELL, KEEPER_READY, "", &fd), ERR_OK);
	assert_int_equal(world.n_news, 1);
	assert_true(world.keeper.settled);
}

/* No NUL, and as long as can be. */
static void
text_ends_where_the_datagram_does(void **state)
{
	static struct keeper_ask q;
	struct keeper_answer a;
	int fd;

	(void)state;
	memset(&q, 'a', sizeof(q));
	q.number = 7;
	q.deed = KEEPER_OPEN;
	say(&q, sizeof(q), &a, &fd);
	assert_int_equal(a.rc, ERR_IO);
	q.deed = KEEPER_FOLLOW;
	say(&q, sizeof(q), &a, &fd);
	assert_int_not_equal(a.rc, ERR_OK);
}

static size_t
fds_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		n++;
	}
	closedir(dir);
	return n;
}

/* Nobody wants it, or two at once: the master keeps none. */
static void
no_descriptor_is_left_over(void **state)
{
	struct keeper_ask q = { .number = 7, .deed = KEEPER_LOOK };
	static const int two[2] = { 0, 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(two))];
		struct cmsghdr h;
	} c = { .h = { CMSG_LEN(sizeof(two)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { &q, sizeof(q) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &c,
		.msg_controllen = sizeof(c) };
	size_t before = fds_open();

	(void)state;
	memcpy(CMSG_DATA(&c.h), two, sizeof(two));
	assert_int_equal(fd_message_send(world.gate, &q, sizeof(q), 0, 0),
	    (ssize_t)sizeof(q));
	keeper_serve(&world.keeper);
	assert_int_equal(sendmsg(world.gate, &m, 0), (ssize_t)sizeof(q));
	keeper_serve(&world.keeper);
	assert_int_equal(fds_open(), before);
	iov.iov_len = 0; /* no byte, which is as its end */
	assert_int_equal(sendmsg(world.gate, &m, 0), 0);
	keeper_serve(&world.keeper);
	assert_int_equal(world.keeper.fd, -1);
	assert_int_equal(fds_open(), before - 1);
}

static void
its_end_is_noticed(void **state)
{
	(void)state;
	(void)shutdown(world.gate, SHUT_WR);
	keeper_serve(&world.keeper);
	assert_int_equal(world.keeper.fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    its_own_files_are_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    no_other_file_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tokens_are_for_who_takes_them, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_there_is_not_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refusals_are_logged_some_times, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    nothing_is_kept_once_it_is_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    text_ends_where_the_datagram_does, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    no_descriptor_is_left_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    its_end_is_noticed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
