/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is dockerd there?  One GET /_ping on a connection of its own, read by the
 * same reader as all answers of dockerd; its Server header names the version
 * (moby api/server/middleware, "Docker/26.1.5 (linux)").
 *
 * /version was rejected: dockerd runs other programs to answer it, which is
 * much to ask every few seconds, and hangs where they hang.
 *
 * Many may want to know at a time: they wait for one question, and an answer
 * is good for a moment, so that who can ask the gate cannot flood dockerd.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_impl.h"
#include "base/text.h"
#include "keeper.h"

#define PROBE_HEAD_BYTES 16384
#define PROBE_ARENA_BYTES 65536

static const char question[] = "GET /_ping HTTP/1.1\r\nHost: docker\r\n"
			       "User-Agent: dinv\r\nConnection: close\r\n\r\n";

struct probe {
	struct loop *loop;
	const struct addr *dockerd;
	loop_fn done;
	void *arg;
	struct loop_timer *limit; /* of the question */
	struct loop_timer *soon;  /* the answer is there; or try again */
	struct loop_io *io;
	int fd; /* -1: no question is under way */
	struct buf in;
	size_t scanned;
	bool asking;
	bool known; /* result was found at asked_ms */
	int64_t asked_ms;
	struct probe_result result;
};

static void
hang_up(struct probe *p)
{
	loop_io_free(p->io);
	p->io = NULL;
	if (p->fd != -1) {
		close(p->fd);
	}
	p->fd = -1;
	buf_fini(&p->in);
	p->scanned = 0;
	loop_timer_clear(p->limit);
}

static void
found(struct probe *p, bool up, const char *why)
{
	hang_up(p);
	p->result.up = up;
	if (!up) {
		p->result.version[0] = '\0';
	}
	(void)snprintf(p->result.why, sizeof(p->result.why), "%s", why);
	p->asking = false;
	p->known = true;
	p->asked_ms = loop_now_ms();
	loop_timer_set(p->soon, 0);
}

/* "Docker/26.1.5 (linux)": what is between. */
static void
take_version(struct probe *p, const struct http_head *h)
{
	const struct header *server = http1_find(h, "server");
	struct span v;
	size_t n = 0;

	p->result.version[0] = '\0';
	if (server == NULL || !span_starts(server->value, "Docker/")) {
		return;
	}
	v = span_make(server->value.p + 7, server->value.len - 7);
	while (n < v.len && v.p[n] != ' ') {
		n++;
	}
	text_escape(
	    span_make(v.p, n), p->result.version, sizeof(p->result.version));
}

static void
take_answer(struct probe *p, struct span head)
{
	struct diag d = { 0, 0, "" };
	struct http_head h;
	struct arena arena;

	arena_init(&arena, PROBE_ARENA_BYTES);
	if (http1_parse_answer(&arena, head, METHOD_GET, &h, &d) != ERR_OK) {
		found(p, false, "dockerd's answer is not HTTP/1.1");
	} else if (h.status != 200) {
		found(p, false, "dockerd answers, but not that it is well");
	} else {
		take_version(p, &h);
		found(p, true, "");
	}
	arena_fini(&arena);
}

static void
on_answer(void *arg, short what)
{
	struct probe *p = arg;
	size_t len, room = buf_room(&p->in);
	uint8_t *to = buf_reserve(&p->in, room);
	ssize_t n;

	(void)what;
	if (to == NULL) {
		found(p, false, "dockerd's answer is too long");
		return;
	}
	n = recv(p->fd, to, room, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (n <= 0) {
		found(p, false, "dockerd closed the connection");
		return;
	}
	buf_commit(&p->in, (size_t)n);
	len = http1_head_length(buf_span(&p->in), &p->scanned);
	if (len > 0) {
		take_answer(p, span_make(buf_span(&p->in).p, len));
	}
}

static void
on_limit(void *arg)
{
	found(arg, false, "dockerd does not answer");
}

static void
connect_now(struct probe *p)
{
	int fd = keeper_connect(p->dockerd);
	char why[160];

	if (fd != -1) {
		p->fd = fd;
		p->io = loop_io_new(p->loop, fd, on_answer, p);
		/* A new socket's buffer takes the whole of it. */
		if (p->io == NULL ||
		    send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) !=
			(ssize_t)sizeof(question) - 1) {
			found(p, false, "dockerd could not be asked");
			return;
		}
		loop_io_want(p->io, LOOP_READ);
		return;
	}
	if (errno == EAGAIN) { /* its backlog is full */
		loop_timer_set(p->soon, LIMIT_RETRY_MS);
		return;
	}
	(void)snprintf(
	    why, sizeof(why), "dockerd does not listen: %s", strerror(errno));
	found(p, false, why);
}

static void
on_soon(void *arg)
{
	struct probe *p = arg;

	if (p->asking) {
		connect_now(p);
	} else {
		p->done(p->arg);
	}
}

struct probe *
probe_new(struct loop *l, const struct addr *dockerd, loop_fn done, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		return NULL;
	}
	p->loop = l;
	p->dockerd = dockerd;
	p->done = done;
	p->arg = arg;
	p->fd = -1;
	buf_init(&p->in, PROBE_HEAD_BYTES);
	p->limit = loop_timer_new(l, on_limit, p);
	p->soon = loop_timer_new(l, on_soon, p);
	if (p->limit == NULL || p->soon == NULL) {
		probe_free(p);
		return NULL;
	}
	return p;
}

void
probe_free(struct probe *p)
{
	if (p == NULL) {
		return;
	}
	if (p->limit != NULL) {
		hang_up(p);
	}
	loop_timer_free(p->limit);
	loop_timer_free(p->soon);
	free(p);
}

void
probe_ask(struct probe *p)
{
	if (p->asking) {
		return;
	}
	if (!p->known ||
	    loop_now_ms() - p->asked_ms >= LIMIT_ADMIN_PROBE_FRESH_MS) {
		p->asking = true;
		loop_timer_set(p->limit, LIMIT_ADMIN_PROBE_MS);
	}
	loop_timer_set(p->soon, 0);
}

const struct probe_result *
probe_result(const struct probe *p)
{
	return &p->result;
}
