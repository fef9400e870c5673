/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator: docker clients as a server sees them, many at once.
 * OpenSSL on blocking sockets, one thread a client: what it costs is nobody's
 * figure, only the server's processor time is measured, by bench.py, between
 * the words that are printed here:
 *
 *	load [options] handshake | request | down | up | idle [TARGET]
 *	-> ready FAILED	connections that the mode keeps are open
 *	<- a line	begin (bench.py has read the server's processor time)
 *	-> done FAILED RATE P50 P90 P99 MAX
 *			all answers have come, and were what they had to be:
 *			so many a second, each in so many us
 *	<- a line	close everything and end
 *
 * FAILED handshakes so far were tried again.
 *
 * Modes: handshake makes a connection with a full TLS handshake for each GET;
 * request sends them over connections that stay; down reads a chunked answer
 * of -b bytes; up sends a chunked body of -b bytes; idle opens streams (101)
 * and leaves them.  Any other answer than expected ends it with status 1.
 *
 * Rejected: wrk, ab, h2load.  None presents a client certificate, hijacks, or
 * shows where a measurement begins.
 */
#include "chunks.h"
#include "hist.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BATCH_CHUNKS 8
#define HANDSHAKE_TRIES 3
#define ANSWER_BYTES 65536
#define AGENT "Host: docker\r\nUser-Agent: Docker-Client/20.10.24 (linux)\r\n"

struct link {
	int fd;
	SSL *ssl; /* NULL: in the clear */
};

struct mode {
	const char *name;
	const char *target;
	const char *after; /* NULL: target is whole; else an id is between */
	void (*one)(struct link *);
	bool each_anew; /* a connection for each */
	bool stays;	/* opened before "begin", and nothing after it */
};

static struct {
	const char *path; /* of a unix socket; NULL: TLS on port */
	const char *certs;
	const char *ciphers;
	const char *target;
	int port;
	int version;
	long clients;
	long count;
	uint64_t bytes;
} opt = { .clients = 8, .count = 8, .version = TLS1_3_VERSION };

static const struct mode *mode;
static SSL_CTX *ctx;
static pthread_barrier_t opened, begun, finished, closing;
static atomic_long given, failed;
static char batch[BATCH_CHUNKS * (size_t)CHUNK_WIRE];

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what,
	    errno != 0 ? strerror(errno) : "not as expected");
	ERR_print_errors_fp(stderr);
	_exit(1);
}

/* --- a link -----------------------------------------------------------------
 */

static int
dial_unix(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", opt.path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		die(opt.path);
	}
	return fd;
}

static int
dial_tcp(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	sa.sin_port = htons((uint16_t)opt.port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1) {
		die("connect");
	}
	return fd;
}

static bool
link_try(struct link *l)
{
	l->fd = dial_tcp();
	l->ssl = SSL_new(ctx);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1) {
		die("TLS");
	}
	return SSL_connect(l->ssl) == 1;
}

/* A handshake that fails is tried again, and told about at the end. */
static void
link_open(struct link *l)
{
	if (opt.path != NULL) {
		l->fd = dial_unix();
		return;
	}
	for (int i = 0; !link_try(l); i++) {
		if (i == HANDSHAKE_TRIES) {
			die("TLS handshake");
		}
		atomic_fetch_add(&failed, 1);
		ERR_clear_error();
		SSL_free(l->ssl);
		close(l->fd);
	}
}

static void
link_close(struct link *l)
{
	if (l->ssl != NULL) {
		SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
		l->ssl = NULL;
	}
	close(l->fd);
}

static void
link_write(struct link *l, const char *p, size_t n)
{
	while (n > 0) {
		int part = n < 1 << 20 ? (int)n : 1 << 20;
		ssize_t w = l->ssl != NULL ? SSL_write(l->ssl, p, part)
					   : write(l->fd, p, n);

		if (w <= 0) {
			die("write");
		}
		p += w;
		n -= (size_t)w;
	}
}

static size_t
link_read(struct link *l, char *p, size_t room)
{
	ssize_t n = l->ssl != NULL ? SSL_read(l->ssl, p, (int)room)
				   : read(l->fd, p, room);

	if (n <= 0) {
		die("read: the server ended the connection");
	}
	return (size_t)n;
}

/* --- one exchange -----------------------------------------------------------
 */

static void
ask(struct link *l, const char *method, const char *more)
{
	char head[2048];
	int n = snprintf(head, sizeof(head),
	    "%s %s HTTP/1.1\r\n" AGENT "%s\r\n", method, opt.target, more);

	if (n < 0 || (size_t)n >= sizeof(head)) {
		die("a target of that length");
	}
	link_write(l, head, (size_t)n);
}

/* Reads to the end of the head, checks the status; returns the text's length
 * and, through body, where the head ends. */
static size_t
read_head(struct link *l, char *text, const char *status, char **body)
{
	size_t n = 0;
	char *end = NULL;

	while (end == NULL && n < ANSWER_BYTES - 1) {
		n += link_read(l, text + n, ANSWER_BYTES - 1 - n);
		text[n] = '\0';
		end = strstr(text, "\r\n\r\n");
	}
	if (end == NULL ||
	    strncmp(text + strlen("HTTP/1.1 "), status, 3) != 0) {
		fprintf(
		    stderr, "load: answer to %s: %.200s\n", opt.target, text);
		exit(1);
	}
	*body = end + 4;
	return n;
}

static uint64_t
read_chunked(struct link *l, char *text, char *body, size_t n)
{
	struct chunks c = { 0 };

	chunks_feed(&c, body, n);
	while (!c.done) {
		n = link_read(l, text, ANSWER_BYTES);
		if (chunks_feed(&c, text, n) != n || c.bad) {
			die("a chunked answer");
		}
	}
	return c.bytes;
}

/* Reads a 200 and its body; returns the length of that. */
static uint64_t
read_answer(struct link *l)
{
	char text[ANSWER_BYTES], *body, *length;
	size_t n = read_head(l, text, "200", &body);
	uint64_t want;

	n -= (size_t)(body - text);
	body[-2] = '\0';
	length = strcasestr(text, "\r\ncontent-length:");
	if (length == NULL) {
		return read_chunked(l, text, body, n);
	}
	want = strtoull(strchr(length, ':') + 1, NULL, 10);
	for (uint64_t left = want - n; left > 0;) {
		left -= link_read(l, text, sizeof(text));
	}
	return want;
}

static void
do_get(struct link *l)
{
	ask(l, "GET", "");
	read_answer(l);
}

static void
do_down(struct link *l)
{
	ask(l, "GET", "");
	if (read_answer(l) < opt.bytes) {
		die("the length of an answer");
	}
}

/* Less than a batch: with its length, in one piece. */
static void
do_small_up(struct link *l)
{
	char more[128];

	snprintf(more, sizeof(more),
	    "Content-Type: application/x-tar\r\nContent-Length: %llu\r\n",
	    (unsigned long long)opt.bytes);
	ask(l, "POST", more);
	link_write(l, batch, opt.bytes);
	read_answer(l);
}

static void
do_up(struct link *l)
{
	if (opt.bytes < sizeof(batch)) {
		do_small_up(l);
		return;
	}
	ask(l, "POST",
	    "Content-Type: application/x-tar\r\n"
	    "Transfer-Encoding: chunked\r\n");
	for (uint64_t sent = 0; sent < opt.bytes;
	     sent += (uint64_t)BATCH_CHUNKS * CHUNK_BYTES) {
		link_write(l, batch, sizeof(batch));
	}
	link_write(l, CHUNKS_END, strlen(CHUNKS_END));
	read_answer(l);
}

static void
do_attach(struct link *l)
{
	char text[ANSWER_BYTES], *body;

	ask(l, "POST",
	    "Content-Length: 0\r\nConnection: Upgrade\r\n"
	    "Content-Type: text/plain\r\nUpgrade: tcp\r\n");
	read_head(l, text, "101", &body);
}

/* A container's id is the number of bytes: upstream.c. */
static const struct mode modes[] = {
	{ "handshake", "/_ping", NULL, do_get, true, false },
	{ "request", "/_ping", NULL, do_get, false, false },
	{ "down", "/v1.41/containers/", "/export", do_down, false, false },
	{ "up", "/v1.41/images/load?quiet=1", NULL, do_up, false, false },
	{ "idle", "/v1.41/containers/",
	    "/attach?stderr=1&stdin=1&stdout=1&stream=1", do_attach, false,
	    true },
};

/* --- clients ----------------------------------------------------------------
 */

static void
serve_turns(struct link *l)
{
	while (atomic_fetch_add(&given, 1) < opt.count) {
		uint64_t began = hist_now_ns();

		if (mode->each_anew) {
			link_open(l);
		}
		mode->one(l);
		hist_add(hist_now_ns() - began);
		if (mode->each_anew) {
			link_close(l);
		}
	}
}

static void *
client(void *unused)
{
	long n = mode->stays ? opt.count / opt.clients : 1;
	struct link *links = calloc((size_t)n, sizeof(*links));

	(void)unused;
	if (links == NULL) {
		die("calloc");
	}
	for (long i = 0; i < n && !mode->each_anew; i++) {
		link_open(&links[i]);
		if (mode->stays) {
			mode->one(&links[i]);
		}
	}
	pthread_barrier_wait(&opened);
	pthread_barrier_wait(&begun);
	if (!mode->stays) {
		serve_turns(links);
	}
	pthread_barrier_wait(&finished);
	pthread_barrier_wait(&closing);
	for (long i = 0; i < n && !mode->each_anew; i++) {
		link_close(&links[i]);
	}
	free(links);
	return NULL;
}

static void
say_and_wait(const char *word)
{
	char line[64];

	double s = hist_seconds();

	printf("%s %ld %.1f %.1f %.1f %.1f %.1f\n", word, atomic_load(&failed),
	    s > 0 ? (double)hist_count() / s : 0, hist_us(0.5), hist_us(0.9),
	    hist_us(0.99), hist_us(1));
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		_exit(0);
	}
}

static void
run(void)
{
	unsigned n = (unsigned)opt.clients + 1;
	pthread_t *threads = calloc((size_t)opt.clients, sizeof(*threads));

	if (threads == NULL || pthread_barrier_init(&opened, NULL, n) != 0 ||
	    pthread_barrier_init(&begun, NULL, n) != 0 ||
	    pthread_barrier_init(&finished, NULL, n) != 0 ||
	    pthread_barrier_init(&closing, NULL, n) != 0) {
		die("clients");
	}
	for (long i = 0; i < opt.clients; i++) {
		if (pthread_create(&threads[i], NULL, client, NULL) != 0) {
			die("pthread_create");
		}
	}
	pthread_barrier_wait(&opened);
	say_and_wait("ready");
	pthread_barrier_wait(&begun);
	pthread_barrier_wait(&finished);
	say_and_wait("done");
	pthread_barrier_wait(&closing);
	for (long i = 0; i < opt.clients; i++) {
		pthread_join(threads[i], NULL);
	}
	free(threads);
}

/* --- start ------------------------------------------------------------------
 */

static void
take_pair(void)
{
	char cert[4096], key[4096], ca[4096];

	snprintf(cert, sizeof(cert), "%s/cert.pem", opt.certs);
	snprintf(key, sizeof(key), "%s/key.pem", opt.certs);
	snprintf(ca, sizeof(ca), "%s/ca.pem", opt.certs);
	if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1 ||
	    SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		die(opt.certs);
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* One cipher suite, so that no server is measured with another one; X25519,
 * as docker's own TLS offers first.  Sessions are never resumed. */
static void
make_context(void)
{
	static char groups[] = "X25519:P-256";

	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, opt.version) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, opt.version) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1) {
		die("TLS");
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (opt.ciphers != NULL &&
	    (opt.version == TLS1_3_VERSION
		    ? SSL_CTX_set_ciphersuites(ctx, opt.ciphers)
		    : SSL_CTX_set_cipher_list(ctx, opt.ciphers)) != 1) {
		die(opt.ciphers);
	}
	if (opt.certs != NULL) {
		take_pair();
	}
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: load (-p PORT [-C DIR] [-t 1.2|1.3] [-s SUITE] | -u PATH)\n"
	    "	[-c CLIENTS] [-n COUNT] [-b BYTES] MODE [TARGET]\n"
	    "MODE: handshake request down up idle\n");
	exit(2);
}

static void
take_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "p:C:t:s:u:c:n:b:")) != -1) {
		switch (c) {
		case 'p':
			opt.port = (int)strtol(optarg, NULL, 10);
			break;
		case 'C':
			opt.certs = optarg;
			break;
		case 't':
			opt.version = strcmp(optarg, "1.2") == 0
					  ? TLS1_2_VERSION
					  : TLS1_3_VERSION;
			break;
		case 's':
			opt.ciphers = optarg;
			break;
		case 'u':
			opt.path = optarg;
			break;
		case 'c':
			opt.clients = strtol(optarg, NULL, 10);
			break;
		case 'n':
			opt.count = strtol(optarg, NULL, 10);
			break;
		case 'b':
			opt.bytes = strtoull(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (optind == argc || opt.clients < 1 || opt.count < opt.clients ||
	    (opt.path == NULL) == (opt.port == 0)) {
		usage();
	}
}

int
main(int argc, char **argv)
{
	static char target[256];

	take_options(argc, argv);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[optind], modes[i].name) == 0) {
			mode = &modes[i];
		}
	}
	if (mode == NULL) {
		usage();
	}
	opt.target = mode->target;
	if (argv[optind + 1] != NULL) {
		opt.target = argv[optind + 1];
	} else if (mode->after != NULL) {
		snprintf(target, sizeof(target), "%s%064llx%s", mode->target,
		    (unsigned long long)opt.bytes, mode->after);
		opt.target = target;
	}
	signal(SIGPIPE, SIG_IGN);
	chunks_fill(batch, BATCH_CHUNKS);
	if (opt.path == NULL) {
		make_context();
	}
	run();
	return 0;
}
