/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole worker between a client and a dockerd that this test plays: once a
 * stream or a body is under way it asks the heap for nothing, large blocks are
 * passed on in large pieces, and a single byte is passed on at once; under TLS
 * 1.2 and 1.3.
 *
 * Allocations are counted where they are made: malloc and its like are this
 * program's own here, in front of the C library's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "certs/store.h"
#include "certs_fixture.h"
#include "policy/policy.h"
#include "proxy/tls_client.h"
#include "proxy/tls_mem.h"
#include "proxy/worker.h"
#include "unit.h"

#define BLOCK_BYTES 65536
#define WARM_BLOCKS 16
#define BLOCKS 400
#define RECORD_BYTES 16384
/* TLS 1.3 takes some of it for type and padding. */
#define RECORD_LEAST_BYTES 16300

#define ATTACH                                                                 \
	"POST /v1.41/containers/abc/attach?stream=1&stdin=1&stdout=1 "         \
	"HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n"                  \
	"Upgrade: tcp\r\nContent-Length: 0\r\n\r\n"
#define UPGRADED                                                               \
	"HTTP/1.1 101 UPGRADED\r\n"                                            \
	"Content-Type: application/vnd.docker.raw-stream\r\n"                  \
	"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"

#define LOAD                                                                   \
	"POST /v1.41/images/load HTTP/1.1\r\nHost: docker\r\n"                 \
	"Content-Type: application/x-tar\r\n"                                  \
	"Transfer-Encoding: chunked\r\n\r\n"
#define SAVE                                                                   \
	"GET /v1.41/images/get?names=busybox HTTP/1.1\r\nHost: docker\r\n\r\n"
#define SAVED                                                                  \
	"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n"               \
	"Transfer-Encoding: chunked\r\n\r\n"

/* --- the heap ------------------------------------------------------------ */

static atomic_ulong asked; /* of the heap, by others than the test itself */
static _Thread_local bool is_test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED 0 /* the sanitizer has its own malloc, and calls for itself */
#else
#define COUNTED 1
static void
count(void)
{
	if (!is_test) {
		atomic_fetch_add(&asked, 1);
	}
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	count();
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	count();
	return __libc_realloc(p, n);
}
#endif

/* --- a worker and its two neighbours ------------------------------------- */

static struct tmp certs;

struct world {
	struct gate gate;
	struct worker_thread *worker;
	struct stream *client;
	struct stream *daemon;
};

static int
unix_listener(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int
unix_connect(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static struct tls_server *
tls(enum tls_version v)
{
	char ca[128], cert[128], key[128];
	struct tls_options opt = { .cert_path = cert,
		.key_path = key,
		.ca_path = ca,
		.min = v,
		.max = v };
	struct tls_server *out = NULL;

	snprintf(ca, sizeof(ca), "%s/ca.crt", certs.dir);
	snprintf(cert, sizeof(cert), "%s/docker.crt", certs.dir);
	snprintf(key, sizeof(key), "%s/docker.key", certs.dir);
	assert_int_equal(tls_server_new(&opt, &out, NULL), ERR_OK);
	return out;
}

static void
start_worker(struct world *w, enum tls_version v)
{
	static const char text[] = "{\"clients\": [{\"match\": {\"cn\": "
				   "\"*\"}, \"role\": \"admin\"}]}";
	struct policy *pol = NULL;
	struct shared_policy *shared;
	char url[160];
	int fd;

	w->gate.limits = (struct limits)LIMITS_DEFAULT;
	snprintf(url, sizeof(url), "unix://%s/dockerd", certs.dir);
	assert_int_equal(addr_parse(url, &w->gate.upstream, NULL), ERR_OK);
	w->gate.handshakes_each = 16;
	w->gate.census = census_new(16, 16, 16);
	assert_int_equal(policy_load(span_of(text), &pol, NULL), ERR_OK);
	shared = shared_policy_new(pol);
	assert_int_equal(
	    worker_new(&w->gate, 0, tls(v), shared, &w->worker), ERR_OK);
	shared_policy_drop(shared);
	fd = unix_listener(tmp_path(&certs, "gate"));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(
	    worker_listen(w->worker, fd, LISTEN_TLS, false), ERR_OK);
	assert_int_equal(worker_start(w->worker), ERR_OK);
}

static void
read_whole(struct stream *s, char *to, size_t len)
{
	size_t n;

	while (len > 0) {
		assert_int_equal(stream_read(s, to, len, &n), IO_OK);
		to += n;
		len -= n;
	}
}

static void
write_whole(struct stream *s, const char *p, size_t len)
{
	size_t n;

	while (len > 0) {
		assert_int_equal(stream_write(s, p, len, &n), IO_OK);
		p += n;
		len -= n;
	}
}

/* To the blank line, not a byte further. */
static void
read_head(struct stream *s, struct span begin)
{
	char head[4096];
	size_t n = 0;

	do {
		assert_true(n < sizeof(head) - 1);
		read_whole(s, head + n++, 1);
		head[n] = '\0';
	} while (strstr(head, "\r\n\r\n") == NULL);
	assert_memory_equal(head, begin.p, begin.len);
}

/* The client has asked, and dockerd has heard; w->daemon is a connection. */
static void
ask(struct world *w, enum tls_version v, const char *request)
{
	char ca[128], cert[128], key[128];
	struct tls_client_options opt = { .host = "127.0.0.1",
		.ca_path = ca,
		.cert_path = cert,
		.key_path = key };
	int fd = unix_listener(tmp_path(&certs, "dockerd"));

	memset(w, 0, sizeof(*w));
	start_worker(w, v);
	snprintf(ca, sizeof(ca), "%s/ca.crt", certs.dir);
	snprintf(cert, sizeof(cert), "%s/docker-client.crt", certs.dir);
	snprintf(key, sizeof(key), "%s/docker-client.key", certs.dir);
	assert_int_equal(
	    tls_connect(
		&opt, unix_connect(tmp_path(&certs, "gate")), &w->client, NULL),
	    ERR_OK);
	write_whole(w->client, request, strlen(request));
	w->daemon = stream_plain_new(accept(fd, NULL, NULL));
	close(fd);
	read_head(w->daemon,
	    span_make(request, strcspn(request, " \r") + strlen(" /v1.41/")));
}

/* Attached: two raw lanes. */
static void
attach(struct world *w, enum tls_version v)
{
	ask(w, v, ATTACH);
	write_whole(w->daemon, UPGRADED, strlen(UPGRADED));
	read_head(w->client, span_of("HTTP/1.1 101 "));
}

static void
detach(struct world *w)
{
	stream_close(w->client);
	stream_close(w->daemon);
	worker_stop(w->worker);
	worker_free(w->worker);
	census_free(w->gate.census);
	assert_int_equal(unlink(tmp_path(&certs, "gate")), 0);
	assert_int_equal(unlink(tmp_path(&certs, "dockerd")), 0);
}

/* --- what it must do ----------------------------------------------------- */

static char sent[BLOCK_BYTES], got[BLOCK_BYTES];

/* Both ways; a block is read before the next is written. */
static void
pass_blocks(struct world *w, size_t len, unsigned n)
{
	while (n-- > 0) {
		sent[0] = sent[len - 1] = (char)n;
		write_whole(w->client, sent, len);
		read_whole(w->daemon, got, len);
		assert_memory_equal(got, sent, len);
		write_whole(w->daemon, sent, len);
		read_whole(w->client, got, len);
		assert_memory_equal(got, sent, len);
	}
}

static void
asks_for_nothing(enum tls_version v)
{
	static const size_t length[] = { 1, 300, RECORD_BYTES, BLOCK_BYTES };
	struct world w;
	unsigned long before;
	size_t i;

	attach(&w, v);
	for (i = 0; i < NELEM(length); i++) {
		pass_blocks(&w, length[i], WARM_BLOCKS);
	}
	before = atomic_load(&asked);
	for (i = 0; i < NELEM(length); i++) {
		pass_blocks(&w, length[i], BLOCKS);
	}
	assert_int_equal(atomic_load(&asked), before);
	detach(&w);
	if (COUNTED) {
		assert_true(before > 0); /* or nobody counts */
	}
}

static void
write_chunk(struct stream *s, size_t len)
{
	static char text[BLOCK_BYTES + 16];
	int head = snprintf(text, sizeof(text), "%zx\r\n", len);

	memcpy(text + head, sent, len);
	memcpy(text + head + len, "\r\n", 2);
	write_whole(s, text, (size_t)head + len + 2);
}

/* So many bytes in chunks of whatever size. */
static void
read_chunks(struct stream *s, size_t len)
{
	char line[16];
	size_t i, n;

	while (len > 0) {
		for (i = 0; i == 0 || line[i - 1] != '\n'; i++) {
			assert_true(i < sizeof(line) - 1);
			read_whole(s, line + i, 1);
		}
		line[i] = '\0';
		n = strtoul(line, NULL, 16);
		assert_in_range(n, 1, len);
		read_whole(s, got, n);
		read_whole(s, line, 2);
		assert_memory_equal(line, "\r\n", 2);
		len -= n;
	}
}

/* Bodies in chunks that end where no lane ends. */
static void
pass_chunks(struct stream *from, struct stream *to)
{
	static const size_t length[] = { 1, 300, 4096, 32768, 65536 };
	unsigned long before = 0;
	unsigned n;

	for (n = 0; n < WARM_BLOCKS + BLOCKS; n++) {
		if (n == WARM_BLOCKS) {
			before = atomic_load(&asked);
		}
		write_chunk(from, length[n % NELEM(length)]);
		read_chunks(to, length[n % NELEM(length)]);
	}
	assert_int_equal(atomic_load(&asked), before);
}

static void
bodies_ask_for_nothing(enum tls_version v)
{
	struct world w;

	ask(&w, v, LOAD);
	pass_chunks(w.client, w.daemon);
	detach(&w);
	ask(&w, v, SAVE);
	write_whole(w.daemon, SAVED, strlen(SAVED));
	read_head(w.client, span_of("HTTP/1.1 200 "));
	pass_chunks(w.daemon, w.client);
	detach(&w);
}

/* Bytes of the next read from dockerd's output by the client: of a record. */
static size_t
record(struct world *w)
{
	size_t n;

	assert_int_equal(stream_read(w->client, got, sizeof(got), &n), IO_OK);
	return n;
}

/* A byte comes alone and at once, for nothing follows it.  Blocks come in
 * records that are as large as records can be, but for what is left of a read
 * of dockerd's output: the kernel may hand a block over in two. */
static void
fills_records(enum tls_version v)
{
	struct world w;
	size_t n, left, full = 0;
	unsigned i;

	attach(&w, v);
	write_whole(w.daemon, "x", 1);
	assert_int_equal(record(&w), 1);
	write_whole(w.client, "y", 1);
	read_whole(w.daemon, got, 1);
	assert_int_equal(got[0], 'y');
	for (i = 0; i < BLOCKS; i++) {
		write_whole(w.daemon, sent, BLOCK_BYTES);
		for (left = BLOCK_BYTES; left > 0; left -= n) {
			n = record(&w);
			assert_true(n <= left);
			full += n >= RECORD_LEAST_BYTES ? n : 0;
		}
	}
	assert_true(full > (size_t)BLOCKS * BLOCK_BYTES / 2);
	detach(&w);
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
BOTH(asks_for_nothing)
BOTH(bodies_ask_for_nothing)
BOTH(fills_records)

static int
setup(void **state)
{
	static const char *const hosts[] = { "127.0.0.1" };
	struct store_report report;
	struct store_request req = {
		.hosts = hosts, .n_hosts = 1, .now = time(NULL)
	};

	(void)state;
	tmp_init(&certs);
	req.dir = certs.dir;
	tls_mem_open(8);
	return store_ensure(&req, &report, NULL) == ERR_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	tmp_fini(&certs);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_nothing_12),
		cmocka_unit_test(asks_for_nothing_13),
		cmocka_unit_test(bodies_ask_for_nothing_12),
		cmocka_unit_test(bodies_ask_for_nothing_13),
		cmocka_unit_test(fills_records_12),
		cmocka_unit_test(fills_records_13),
	};

	is_test = true;
	return cmocka_run_group_tests(tests, setup, teardown);
}
