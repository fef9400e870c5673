/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dockerd that costs nothing: the far end of the benchmark.  One thread on
 * a unix socket answers what the load generator asks, in dockerd's own forms
 * (its headers, chunks of 32 KiB, 101 UPGRADED), and forgets it:
 *
 *	/_ping				OK, as dockerd says it
 *	/containers/ID/export		ID bytes, chunked (docker export): ids
 *are numbers, of 64 hexadecimal digits /big?bytes=N			N bytes
 *	/images/load, /sink		a body is read and dropped (docker load)
 *	/containers/ID/attach		101, then silence until the other end
 *ends /containers/ID/json		a container without anything special
 *
 * Rejected: a real dockerd here.  Its own cost of making and reading images
 * would hide that of the server in front, and vary.  It trusts its peers, who
 * are started by the same script; it is no server for anybody else.
 *
 *	upstream PATH
 */
#include "chunks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define CYCLE_CHUNKS 8
#define CYCLE_WIRE (CYCLE_CHUNKS * (size_t)CHUNK_WIRE)
#define ANSWER                                                                 \
	"Api-Version: 1.41\r\nDocker-Experimental: false\r\n"                  \
	"Ostype: linux\r\nServer: Docker/20.10.24 (linux)\r\n"

enum state { ST_HEAD, ST_BODY_LENGTH, ST_BODY_CHUNKS, ST_SEND, ST_RAW };

struct peer {
	int fd;
	enum state state;
	size_t head_len;
	uint64_t pos;  /* of what is sent, on the wire */
	uint64_t wire; /* that much without the last chunk; or body left */
	struct chunks chunks;
	char head[HEAD_MAX];
};

static int loop_fd;
static char cycle[CYCLE_WIRE];
static char in[262144];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
peer_watch(struct peer *p, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = p };

	if (epoll_ctl(loop_fd, op, p->fd, &ev) == -1) {
		die("epoll_ctl");
	}
}

/* Short answers fit any socket buffer; a peer who is gone shows at reading. */
static void
answer(struct peer *p, const char *text)
{
	if (send(p->fd, text, strlen(text), MSG_NOSIGNAL) == -1 &&
	    errno != EPIPE && errno != ECONNRESET) {
		die("send");
	}
}

/* --- answers ---------------------------------------------------------------
 */

static void
answer_ping(struct peer *p)
{
	answer(p, "HTTP/1.1 200 OK\r\n" ANSWER "Builder-Version: 1\r\n"
		  "Cache-Control: no-cache, no-store, must-revalidate\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Pragma: no-cache\r\n"
		  "Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
		  "Content-Length: 2\r\n\r\nOK");
}

/* An id of 64 hexadecimal digits stands in the target: it is the one. */
static void
answer_container(struct peer *p)
{
	static const char containers[] = "/containers/";
	const char *id = strstr(p->head, containers);
	char body[512], text[1024];
	int n;

	id = id != NULL ? id + strlen(containers) : "";
	n = snprintf(body, sizeof(body),
	    "{\"Id\":\"%.64s\",\"Name\":\"/x\",\"State\":{\"Running\":true},"
	    "\"HostConfig\":{\"Privileged\":false,\"NetworkMode\":\"default\"},"
	    "\"Config\":{\"User\":\"\",\"Tty\":false,\"Labels\":{}}}",
	    id);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\n" ANSWER
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	    n, body);
	answer(p, text);
}

static void
answer_missing(struct peer *p)
{
	answer(p, "HTTP/1.1 404 Not Found\r\n" ANSWER
		  "Content-Type: application/json\r\n"
		  "Content-Length: 28\r\n\r\n{\"message\":\"page not found\"}");
}

static void
answer_attach(struct peer *p)
{
	answer(p, "HTTP/1.1 101 UPGRADED\r\n"
		  "Content-Type: application/vnd.docker.raw-stream\r\n"
		  "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
	p->state = ST_RAW;
}

/* Less than a chunk: with its length, in one piece. */
static void
answer_small(struct peer *p, size_t bytes)
{
	static char text[CHUNK_BYTES + 1024];
	int n = snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\n" ANSWER
	    "Content-Type: application/octet-stream\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    bytes);

	memset(text + n, 'x', bytes);
	text[(size_t)n + bytes] = '\0';
	answer(p, text);
}

static void
answer_big(struct peer *p)
{
	const char *at = strstr(p->head, "/containers/");
	uint64_t bytes;

	if (at != NULL) {
		bytes = strtoull(at + strlen("/containers/"), NULL, 16);
	} else {
		bytes = strtoull(strchr(p->head, '=') + 1, NULL, 10);
	}
	if (bytes < CHUNK_BYTES) {
		answer_small(p, (size_t)bytes);
		return;
	}
	answer(p, "HTTP/1.1 200 OK\r\n" ANSWER
		  "Content-Type: application/octet-stream\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n");
	p->wire = (bytes + CHUNK_BYTES - 1) / CHUNK_BYTES * CHUNK_WIRE;
	p->pos = 0;
	p->state = ST_SEND;
	peer_watch(p, EPOLL_CTL_MOD, EPOLLOUT);
}

static void
answer_sink(struct peer *p)
{
	const char *length = strcasestr(p->head, "\r\ncontent-length:");

	memset(&p->chunks, 0, sizeof(p->chunks));
	p->state = ST_BODY_CHUNKS;
	if (length != NULL) {
		p->state = ST_BODY_LENGTH;
		p->wire = strtoull(strchr(length, ':') + 1, NULL, 10);
	}
}

/* Part of the target, who answers; the first match does. */
static const struct {
	const char *part;
	void (*answer)(struct peer *);
} routes[] = {
	{ "/_ping", answer_ping },
	{ "/export", answer_big },
	{ "/big?bytes=", answer_big },
	{ "/images/load", answer_sink },
	{ "/sink", answer_sink },
	{ "/attach", answer_attach },
	{ "/json", answer_container },
	{ "", answer_missing },
};

static void
route(struct peer *p)
{
	char *line_end = strstr(p->head, "\r\n");
	size_t i = 0;

	*line_end = '\0';
	while (strstr(p->head, routes[i].part) == NULL) {
		i++;
	}
	*line_end = '\r';
	routes[i].answer(p);
}

/* --- reading and writing ---------------------------------------------------
 */

/* Returns how many bytes were the body's. */
static size_t
body_feed(struct peer *p, const char *data, size_t n)
{
	size_t used = n;
	bool done;

	if (p->state == ST_BODY_CHUNKS) {
		used = chunks_feed(&p->chunks, data, n);
		done = p->chunks.done;
		if (p->chunks.bad) {
			fprintf(stderr, "upstream: a bad chunk\n");
			exit(1);
		}
	} else {
		used = n < p->wire ? n : p->wire;
		p->wire -= used;
		done = p->wire == 0;
	}
	if (done) {
		answer(p, "HTTP/1.1 200 OK\r\n" ANSWER
			  "Content-Type: application/json\r\n"
			  "Content-Length: 2\r\n\r\n{}");
		p->state = ST_HEAD;
		p->head_len = 0;
	}
	return used;
}

/* Returns how many bytes were the head's. */
static size_t
head_feed(struct peer *p, const char *data, size_t n)
{
	size_t before = p->head_len;
	size_t room = HEAD_MAX - 1 - before;
	char *end;

	if (room == 0) {
		fprintf(stderr, "upstream: a head of %d bytes\n", HEAD_MAX);
		exit(1);
	}
	n = n < room ? n : room;
	memcpy(p->head + before, data, n);
	p->head_len += n;
	p->head[p->head_len] = '\0';
	end = strstr(p->head, "\r\n\r\n");
	if (end == NULL) {
		return n;
	}
	end[2] = '\0';
	n = (size_t)(end - p->head) + 4 - before;
	p->head_len = 0;
	route(p);
	return n;
}

static void
feed(struct peer *p, const char *data, size_t n)
{
	size_t used;

	while (n > 0 && p->state != ST_RAW && p->state != ST_SEND) {
		used = p->state == ST_HEAD ? head_feed(p, data, n)
					   : body_feed(p, data, n);
		data += used;
		n -= used;
	}
}

/* One write a turn; false: the peer is gone. */
static bool
send_more(struct peer *p)
{
	static const char end[] = CHUNKS_END;
	size_t at = p->pos % CYCLE_WIRE;
	size_t n = CYCLE_WIRE - at;
	const char *from = cycle + at;
	ssize_t sent;

	if (p->pos >= p->wire) {
		from = end + (p->pos - p->wire);
		n = strlen(from);
	} else if (n > p->wire - p->pos) {
		n = p->wire - p->pos;
	}
	sent = send(p->fd, from, n, MSG_NOSIGNAL);
	if (sent == -1) {
		return errno == EAGAIN;
	}
	p->pos += (size_t)sent;
	if (p->pos == p->wire + strlen(end)) {
		p->state = ST_HEAD;
		peer_watch(p, EPOLL_CTL_MOD, EPOLLIN);
	}
	return true;
}

static bool
serve(struct peer *p)
{
	ssize_t n;

	if (p->state == ST_SEND) {
		return send_more(p);
	}
	n = read(p->fd, in, sizeof(in));
	if (n == -1) {
		return errno == EAGAIN;
	}
	feed(p, in, (size_t)n);
	return n > 0;
}

static void
welcome(int listen_fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		die("calloc");
	}
	p->fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (p->fd == -1) {
		die("accept4");
	}
	peer_watch(p, EPOLL_CTL_ADD, EPOLLIN);
}

static int
listen_on(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(sa.sun_path, path, strlen(path));
	if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    listen(fd, 1024) == -1) {
		die(path);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event ev[64], first = { .events = EPOLLIN };
	int listen_fd;

	if (argc != 2) {
		fprintf(stderr, "usage: upstream PATH\n");
		return 2;
	}
	chunks_fill(cycle, CYCLE_CHUNKS);
	loop_fd = epoll_create1(EPOLL_CLOEXEC);
	listen_fd = listen_on(argv[1]);
	if (epoll_ctl(loop_fd, EPOLL_CTL_ADD, listen_fd, &first) == -1) {
		die("epoll_ctl");
	}
	for (;;) {
		int n = epoll_wait(loop_fd, ev, 64, -1);

		for (int i = 0; i < n; i++) {
			struct peer *p = ev[i].data.ptr;

			if (p == NULL) {
				welcome(listen_fd);
			} else if (!serve(p)) {
				close(p->fd);
				free(p);
			}
		}
	}
}
