/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS stream that rests between records loses none, rests nowhere else, and
 * knows its client to the end; under TLS 1.2 and 1.3.  Records are read in
 * pieces of every length.
 *
 * The client is a thread that sends back what it gets.
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <mbedtls/pem.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "certs/store.h"
#include "certs_fixture.h"
#include "proxy/tls_client.h"
#include "proxy/tls_impl.h"
#include "proxy/tls_mem.h"
#include "unit.h"

#define DEADLINE_MS 30000
#define PIECE_BYTES 20480
#define PAGE_BYTES 4096

static struct tmp ours, others;

/* One connection, both ends. */
struct pair {
	struct tls_server *server;
	struct stream *s;
	pthread_t thread;
	int client_fd;
	enum err client_rc;
	struct principal who;
	struct arena arena;
};

static void *
echo(void *arg)
{
	struct pair *p = arg;
	struct tls_client_options opt = { .host = "127.0.0.1" };
	char ca[128], cert[128], key[128], text[65536];
	struct stream *s = NULL;
	size_t n, put, part;

	snprintf(ca, sizeof(ca), "%s/ca.crt", ours.dir);
	snprintf(cert, sizeof(cert), "%s/docker-client.crt", ours.dir);
	snprintf(key, sizeof(key), "%s/docker-client.key", ours.dir);
	opt.ca_path = ca;
	opt.cert_path = cert;
	opt.key_path = key;
	p->client_rc = tls_connect(&opt, p->client_fd, &s, NULL);
	if (p->client_rc != ERR_OK) {
		close(p->client_fd);
		return NULL;
	}
	while (stream_read(s, text, sizeof(text), &n) == IO_OK) {
		for (put = 0; put < n; put += part) {
			if (stream_write(s, text + put, n - put, &part) !=
			    IO_OK) {
				part = n - put;
			}
		}
		if (text[n - 1] == '.') { /* it was the last */
			(void)stream_shut(s);
		}
	}
	stream_close(s);
	return NULL;
}

static struct tls_server *
server_of(struct tmp *t, enum tls_version v)
{
	char ca[128], cert[128], key[128];
	struct tls_options opt = { .cert_path = cert,
		.key_path = key,
		.ca_path = ca,
		.min = v,
		.max = v };
	struct tls_server *out = NULL;

	snprintf(ca, sizeof(ca), "%s/ca.crt", t->dir);
	snprintf(cert, sizeof(cert), "%s/docker.crt", t->dir);
	snprintf(key, sizeof(key), "%s/docker.key", t->dir);
	assert_int_equal(tls_server_new(&opt, &out, NULL), ERR_OK);
	return out;
}

static void
wait_for(struct stream *s, enum io io)
{
	struct pollfd p = { .fd = s->fd,
		.events = io == IO_WANT_WRITE ? POLLOUT : POLLIN };

	assert_true(io == IO_WANT_READ || io == IO_WANT_WRITE);
	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
}

static void
pair_init(struct pair *p, enum tls_version v)
{
	struct diag d = { 0, 0, "" };
	int fd[2];
	enum io io;

	memset(p, 0, sizeof(*p));
	arena_init(&p->arena, 1 << 20);
	p->server = server_of(&ours, v);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	p->client_fd = fd[1];
	assert_int_equal(pthread_create(&p->thread, NULL, echo, p), 0);
	assert_int_equal(tls_accept(p->server, fd[0], &p->s), ERR_OK);
	while ((io = tls_handshake(p->s, &d)) != IO_OK) {
		wait_for(p->s, io);
	}
	assert_int_equal(tls_principal(p->s, &p->arena, &p->who, &d), ERR_OK);
	assert_int_equal(tls_settle(p->s), ERR_OK);
}

static void
pair_fini(struct pair *p)
{
	stream_close(p->s);
	assert_int_equal(pthread_join(p->thread, NULL), 0);
	assert_int_equal(p->client_rc, ERR_OK);
	tls_server_drop(p->server);
	arena_fini(&p->arena);
}

static void
put(struct pair *p, const char *text, size_t len)
{
	size_t n;
	enum io io;

	while (len > 0) {
		io = stream_write(p->s, text, len, &n);
		if (io != IO_OK) {
			wait_for(p->s, io);
			continue;
		}
		text += n;
		len -= n;
	}
}

static void
get(struct pair *p, const char *want, size_t len)
{
	static char text[65536];
	size_t n;
	enum io io;

	while (len > 0) {
		io = stream_read(p->s, text, len, &n);
		if (io != IO_OK) {
			wait_for(p->s, io);
			continue;
		}
		assert_memory_equal(text, want, n);
		want += n;
		len -= n;
	}
}

/* Pages of both record buffers that are there. */
static size_t
pages(const struct pair *p)
{
	const mbedtls_ssl_context *ssl = &((struct tls_stream *)p->s)->ssl;
	unsigned char *buf[] = { ssl->MBEDTLS_PRIVATE(in_buf),
		ssl->MBEDTLS_PRIVATE(out_buf) };
	unsigned char there[PIECE_BYTES / PAGE_BYTES];
	size_t i, j, n = 0;

	for (i = 0; i < NELEM(buf); i++) {
		assert_true(tls_mem_has(buf[i]));
		assert_int_equal(mincore(buf[i], PIECE_BYTES, there), 0);
		for (j = 0; j < NELEM(there); j++) {
			n += there[j] & 1;
		}
	}
	return n;
}

static bool
rests(const struct pair *p)
{
	return ((struct tls_stream *)p->s)->rests;
}

static void
rest_and_go_on(enum tls_version v)
{
	static char text[40000];
	static const size_t length[] = { 1, 2, 100, 16384, 16385, 40000, 1 };
	struct pair p;
	size_t i, n;
	enum io io;

	for (i = 0; i < sizeof(text); i++) {
		text[i] = (char)('a' + i % 23);
	}
	pair_init(&p, v);
	for (i = 0; i < NELEM(length); i++) {
		stream_rest(p.s);
		assert_true(rests(&p));
		assert_int_equal(pages(&p), 0);
		put(&p, text, length[i]);
		assert_false(rests(&p));
		stream_rest(p.s);
		get(&p, text, length[i]);
		assert_true(pages(&p) > 0);
	}
	/* Its end arrives at one that rests, and ours leaves it. */
	put(&p, ".", 1);
	get(&p, ".", 1);
	stream_rest(p.s);
	while ((io = stream_read(p.s, text, 1, &n)) == IO_WANT_READ) {
		wait_for(p.s, io);
	}
	assert_int_equal(io, IO_EOF);
	stream_rest(p.s);
	assert_int_equal(stream_shut(p.s), IO_OK);
	pair_fini(&p);
}

/* What the client has sent, as it is on the wire: three records. */
static size_t
three_records(struct pair *p, unsigned char *wire, size_t size)
{
	static const char *const text[] = { "a", "bcdefghijklmnopqrst", "uv" };
	size_t i, n = 0;
	ssize_t got;

	for (i = 0; i < NELEM(text); i++) {
		put(p, text[i], strlen(text[i]));
		wait_for(p->s, IO_WANT_READ);
		/* One send, so it comes whole. */
		got = recv(p->s->fd, wire + n, size - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
	}
	return n;
}

/* They come in three pieces, cut at every two places. */
static void
records_in_pieces(enum tls_version v)
{
	unsigned char wire[512];
	struct pair p;
	char text[64];
	size_t cut[4] = { 0 }, got, n, i, len, first = 1, second;
	int fd[2], own;
	enum io io;

	pair_init(&p, v);
	own = p.s->fd;
	for (second = 2; second < 70; second++) {
		first = 1 + (second * 7) % (second - 1);
		len = three_records(&p, wire, sizeof(wire));
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
		p.s->fd = fd[0];
		cut[1] = first;
		cut[2] = second < len ? second : len;
		cut[3] = len;
		got = 0;
		for (i = 0; i < 3; i++) {
			assert_int_equal(
			    send(fd[1], wire + cut[i], cut[i + 1] - cut[i], 0),
			    cut[i + 1] - cut[i]);
			do {
				io = stream_read(
				    p.s, text + got, sizeof(text) - got, &n);
				got += io == IO_OK ? n : 0;
			} while (io == IO_OK);
			assert_int_equal(io, IO_WANT_READ);
			stream_rest(p.s);
		}
		assert_true(rests(&p)); /* nothing is left over */
		assert_int_equal(got, 22);
		assert_memory_equal(text, "abcdefghijklmnopqrstuv", 22);
		p.s->fd = own;
		close(fd[0]);
		close(fd[1]);
	}
	put(&p, "x", 1);
	get(&p, "x", 1);
	pair_fini(&p);
}

/* Both ends of one by TCP; the first never blocks. */
static void
tcp_pair(int fd[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), no_delay = 1;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd[0], (struct sockaddr *)&at, len), 0);
	fd[1] = accept(listener, NULL, NULL);
	assert_true(fd[1] >= 0);
	close(listener);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &no_delay,
			     sizeof(no_delay)),
	    0);
}

static int
unsent(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, SIOCOUTQNSD, &n), 0);
	return n;
}

/* Of long text the first records may wait for the last one, which goes at once
 * and takes them with it.  (That they do wait is not asked: the kernel sends
 * what waited for a fifth of a second.) */
static void
nothing_stays_behind(enum tls_version v)
{
	static char text[40000];
	static const size_t length[] = { 1, 16384, 16385, 32768, 40000 };
	struct pair p;
	size_t i, n;
	int fd[2], own;

	memset(text, 'x', sizeof(text));
	pair_init(&p, v);
	own = p.s->fd;
	for (i = 0; i < NELEM(length); i++) {
		tcp_pair(fd);
		p.s->fd = fd[0];
		assert_int_equal(stream_write(p.s, text, length[i], &n), IO_OK);
		if (length[i] > n) {
			put(&p, text, length[i] - n);
		}
		assert_int_equal(unsent(fd[0]), 0);
		close(fd[0]);
		close(fd[1]);
	}
	p.s->fd = own;
	pair_fini(&p);
}

/* Half a record is kept, whoever rests. */
static void
no_rest_in_a_record(enum tls_version v)
{
	unsigned char wire[512];
	struct pair p;
	char text[64];
	size_t n, len;
	int fd[2], own;

	pair_init(&p, v);
	own = p.s->fd;
	len = three_records(&p, wire, sizeof(wire));
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	p.s->fd = fd[0];
	assert_int_equal(send(fd[1], wire, len - 1, 0), len - 1);
	/* A record that was read in part. */
	assert_int_equal(stream_read(p.s, text, 1, &n), IO_OK);
	assert_int_equal(stream_read(p.s, text, 1, &n), IO_OK);
	stream_rest(p.s);
	assert_false(rests(&p));
	assert_int_equal(stream_read(p.s, text, sizeof(text), &n), IO_OK);
	assert_int_equal(n, 18);
	/* One whose last byte is missing. */
	assert_int_equal(
	    stream_read(p.s, text, sizeof(text), &n), IO_WANT_READ);
	stream_rest(p.s);
	assert_false(rests(&p));
	assert_int_equal(send(fd[1], wire + len - 1, 1, 0), 1);
	assert_int_equal(stream_read(p.s, text, sizeof(text), &n), IO_OK);
	assert_memory_equal(text, "uv", 2);
	stream_rest(p.s);
	assert_true(rests(&p));
	p.s->fd = own;
	close(fd[0]);
	close(fd[1]);
	pair_fini(&p);
}

/* The handshake's secrets and the parsed chain are gone; who the client is
 * can still be told, also by those who ask later. */
static void
settled_and_known(enum tls_version v)
{
	const mbedtls_ssl_context *ssl;
	struct tls_server *again, *strange;
	struct diag d = { 0, 0, "" };
	struct pair p;
	struct buf pem;

	pair_init(&p, v);
	ssl = &((struct tls_stream *)p.s)->ssl;
	assert_null(ssl->MBEDTLS_PRIVATE(handshake));
	assert_null(mbedtls_ssl_get_peer_cert(ssl));
	assert_int_equal(p.who.kind, PRINCIPAL_CERT);
	buf_init(&pem, 65536);
	assert_int_equal(tls_peer_pem(p.s, &pem), ERR_OK);
	assert_memory_equal(
	    tmp_get(&ours, "docker-client.crt"), pem.data, pem.len);
	buf_fini(&pem);
	again = server_of(&ours, v);
	strange = server_of(&others, v);
	assert_true(tls_still_good(p.s, again, &d));
	assert_false(tls_still_good(p.s, strange, &d));
	assert_true(d.text[0] != '\0');
	tls_server_drop(again);
	tls_server_drop(strange);
	pair_fini(&p);
}

#define BOTH(f)                                                                \
	static void f##_12(void **state)                                       \
	{                                                                      \
		(void)state;                                                   \
		f(TLS_VERSION_1_2);                                            \
	}                                                                      \
	static void f##_13(void **state)                                       \
	{                                                                      \
		(void)state;                                                   \
		f(TLS_VERSION_1_3);                                            \
	}
BOTH(rest_and_go_on)
BOTH(records_in_pieces)
BOTH(nothing_stays_behind)
BOTH(no_rest_in_a_record)
BOTH(settled_and_known)

static void
make_store(struct tmp *t)
{
	static const char *const hosts[] = { "127.0.0.1" };
	struct store_report report;
	struct store_request req = {
		.hosts = hosts, .n_hosts = 1, .now = time(NULL)
	};

	tmp_init(t);
	req.dir = t->dir;
	assert_int_equal(store_ensure(&req, &report, NULL), ERR_OK);
}

static int
setup(void **state)
{
	(void)state;
	make_store(&ours);
	make_store(&others);
	tls_mem_open(8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tmp_fini(&ours);
	tmp_fini(&others);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_and_go_on_12),
		cmocka_unit_test(rest_and_go_on_13),
		cmocka_unit_test(records_in_pieces_12),
		cmocka_unit_test(records_in_pieces_13),
		cmocka_unit_test(nothing_stays_behind_12),
		cmocka_unit_test(nothing_stays_behind_13),
		cmocka_unit_test(no_rest_in_a_record_12),
		cmocka_unit_test(no_rest_in_a_record_13),
		cmocka_unit_test(settled_and_known_12),
		cmocka_unit_test(settled_and_known_13),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
