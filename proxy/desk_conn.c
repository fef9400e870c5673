/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a desk: one request, one answer, the end.
 *
 * The head is read by the same strict reader as clients' (http1.c), under
 * caps of its own; upgrades are refused, and what follows the request is
 * never looked at.  Keeping connections was rejected: who asks here asks
 * seldom, and a connection that ends needs no idle limit.
 *
 * Attackers say nothing, half a head, or a head without end; they do not
 * read their answer: each state has a deadline, and the caps bound what they
 * can make this thread hold.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "desk_impl.h"
#include "tls.h"

#define DESK_ARENA_BYTES 65536
#define DESK_LINGER_BYTES 16384
#define DESK_ANSWER_HEAD_BYTES 1024

/* --- ends ---------------------------------------------------------------- */

void
desk_conn_end(struct desk_conn *c)
{
	struct desk *d = c->desk;

	if (c->asked && d->conf->ops->gone != NULL) {
		d->conf->ops->gone(d->conf->arg, c);
	}
	if (c->prev != NULL) {
		c->prev->next = c->next;
	} else {
		d->conns = c->next;
	}
	if (c->next != NULL) {
		c->next->prev = c->prev;
	}
	d->n_conns--;
	loop_io_free(c->io);
	stream_close(c->s);
	loop_timer_free(c->timer);
	buf_fini(&c->in);
	buf_fini(&c->out);
	buf_fini(&c->content);
	body_fini(&c->body);
	arena_fini(&c->arena);
	free(c);
}

static void
go(struct desk_conn *c, enum desk_state state, uint32_t limit_ms)
{
	c->state = state;
	if (limit_ms > 0) {
		loop_timer_set(c->timer, limit_ms);
	} else {
		loop_timer_clear(c->timer);
	}
}

/* Waits for the event that io asks for, or is over.  false: not now. */
static bool
blocked(struct desk_conn *c, enum io io)
{
	if (io == IO_WANT_READ) {
		c->want = LOOP_READ;
		return false;
	}
	if (io == IO_WANT_WRITE) {
		c->want = LOOP_WRITE;
		return false;
	}
	c->state = DS_CLOSED;
	return true;
}

/* --- answers ------------------------------------------------------------- */

static bool write_out(struct desk_conn *c);

static void
put_answer(struct desk_conn *c, unsigned status, const char *type,
    const char *more, struct span body)
{
	enum err rc;

	rc = buf_printf(&c->out,
	    "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "%sConnection: close\r\n\r\n",
	    status, http1_reason(status), type, body.len, more);
	if (rc == ERR_OK) {
		rc = buf_append(&c->out, body.p, body.len);
	}
	go(c, rc == ERR_OK ? DS_WRITE : DS_CLOSED, c->desk->conf->write_ms);
}

static void
put_text(struct desk_conn *c, unsigned status, const char *text)
{
	put_answer(c, status, "text/plain; charset=utf-8", "", span_of(text));
}

void
desk_answer(struct desk_conn *c, unsigned status, const char *type,
    const char *more, struct span body)
{
	put_answer(c, status, type, more, body);
	/* Its next step is taken from the loop: c is good until we return. */
	loop_io_want(c->io, LOOP_WRITE);
}

/* --- the request --------------------------------------------------------- */

static void
hand_over(struct desk_conn *c)
{
	const struct desk_config *conf = c->desk->conf;

	go(c, DS_WAIT, 0);
	c->asked = true;
	conf->ops->request(conf->arg, c, &c->head, buf_span(&c->content));
}

static void
take_head(struct desk_conn *c, size_t len)
{
	const struct desk_config *conf = c->desk->conf;
	struct diag d = { 0, 0, "" };
	struct http_head *h = &c->head;
	struct span head = span_make(buf_span(&c->in).p, len);

	/* The head's spans point into a copy: bytes move in the queue. */
	head.p = arena_dup(&c->arena, head);
	if (head.p == NULL) {
		c->state = DS_CLOSED;
		return;
	}
	buf_consume(&c->in, len);
	if (http1_parse_request(&c->arena, head, h, &d) != ERR_OK) {
		put_text(c, 400, "this is not plain HTTP/1.1\n");
	} else if (h->upgrade != UPGRADE_NONE ||
		   (h->expect_continue && h->body == BODY_NONE)) {
		put_text(c, 400, "nothing but HTTP/1.1 is spoken\n");
	} else if (h->body == BODY_LENGTH && h->length > conf->body_bytes) {
		put_text(c, 413, "the body is larger than any here\n");
	} else if (h->body == BODY_CHUNKED && conf->body_bytes == 0) {
		put_text(c, 413, "no request here has a body\n");
	} else if (h->expect_continue &&
		   buf_append_str(&c->out, "HTTP/1.1 100 Continue\r\n\r\n") !=
		       ERR_OK) {
		c->state = DS_CLOSED;
	} else {
		body_init(&c->body, h->body, h->length);
		c->state = DS_BODY; /* the deadline goes on */
	}
}

/* More bytes; false: none for now, or the end. */
static bool
read_more(struct desk_conn *c)
{
	size_t n = 0, room = buf_room(&c->in);
	uint8_t *to = buf_reserve(&c->in, room);
	enum io io;

	if (to == NULL) {
		c->state = DS_CLOSED;
		return false;
	}
	io = stream_read(c->s, to, room, &n);
	if (io != IO_OK) {
		(void)blocked(c, io);
		return false;
	}
	buf_commit(&c->in, n);
	return true;
}

static bool
read_head(struct desk_conn *c)
{
	size_t len = http1_head_length(buf_span(&c->in), &c->scanned);

	if (len > 0) {
		take_head(c, len);
		return true;
	}
	if (buf_room(&c->in) == 0) {
		put_text(c, 431, "the request head is too large\n");
		return true;
	}
	return read_more(c);
}

static bool
read_body(struct desk_conn *c)
{
	if (c->out.len > 0) {
		return write_out(c); /* 100 Continue */
	}
	if (c->body.kind == BODY_NONE) {
		hand_over(c);
		return true;
	}
	if (body_pass(&c->body, &c->in, &c->content, BODY_OUT_PLAIN) !=
	    ERR_OK) {
		put_text(c, 400, "the body is malformed\n");
		return true;
	}
	if (c->body.done) {
		hand_over(c);
		return true;
	}
	if (buf_room(&c->content) == 0) {
		put_text(c, 413, "the body is larger than any here\n");
		return true;
	}
	return read_more(c);
}

/* --- the states ---------------------------------------------------------- */

static bool
shake_hands(struct desk_conn *c)
{
	struct diag d = { 0, 0, "" };
	enum io io = tls_handshake(c->s, &d);

	if (io != IO_OK) {
		return blocked(c, io);
	}
	go(c, DS_HEAD, c->desk->conf->read_ms);
	return true;
}

static bool
write_out(struct desk_conn *c)
{
	struct span s = buf_span(&c->out);
	size_t n = 0;
	enum io io = stream_write(c->s, s.p, s.len, &n);

	if (io != IO_OK) {
		return blocked(c, io);
	}
	buf_consume(&c->out, n);
	return true;
}

static bool
write_answer(struct desk_conn *c)
{
	enum io io;

	if (c->out.len > 0) {
		return write_out(c);
	}
	io = stream_shut(c->s);
	if (io != IO_OK) {
		return blocked(c, io);
	}
	(void)shutdown(c->s->fd, SHUT_WR);
	go(c, DS_LINGER, c->desk->conf->linger_ms);
	return true;
}

/* To close with unread bytes would send a reset, which can overtake the
 * answer (RFC 9112 9.6). */
static bool
linger(struct desk_conn *c)
{
	char sink[DESK_LINGER_BYTES];
	ssize_t n = recv(c->s->fd, sink, sizeof(sink), 0);

	c->want = LOOP_READ;
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR)) {
		c->state = DS_CLOSED;
	}
	return false; /* once a turn: who sends for ever waits its turn */
}

/* One turn; false: wait for an event. */
static bool
step(struct desk_conn *c)
{
	c->want = 0;
	switch (c->state) {
	case DS_HANDSHAKE:
		return shake_hands(c);
	case DS_HEAD:
		return read_head(c);
	case DS_BODY:
		return read_body(c);
	case DS_WRITE:
		return write_answer(c);
	case DS_LINGER:
		return linger(c);
	case DS_WAIT:
	case DS_CLOSED:
		break;
	}
	return false;
}

static void
pump(struct desk_conn *c)
{
	while (step(c) && c->state != DS_CLOSED) {
		continue;
	}
	if (c->state == DS_CLOSED) {
		desk_conn_end(c);
		return;
	}
	loop_io_want(c->io, c->want);
}

static void
on_io(void *arg, short what)
{
	(void)what;
	pump(arg);
}

static void
on_limit(void *arg)
{
	desk_conn_end(arg);
}

/* --- beginning ----------------------------------------------------------- */

static enum err
open_stream(struct desk *d, int fd, struct stream **out)
{
	if (d->conf->ops->open != NULL) {
		return d->conf->ops->open(d->conf->arg, fd, out);
	}
	*out = stream_plain_new(fd);
	return *out == NULL ? ERR_NOMEM : ERR_OK;
}

void
desk_conn_begin(struct desk *d, int fd, const struct sockaddr_storage *peer)
{
	struct desk_conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	c->desk = d;
	c->next = d->conns;
	if (c->next != NULL) {
		c->next->prev = c;
	}
	d->conns = c;
	d->n_conns++;
	buf_init(&c->in, d->conf->head_bytes);
	buf_init(&c->out, d->conf->answer_bytes + DESK_ANSWER_HEAD_BYTES);
	buf_init(&c->content, d->conf->body_bytes);
	body_init(&c->body, BODY_NONE, 0);
	arena_init(&c->arena, DESK_ARENA_BYTES);
	addr_print_peer(peer, c->peer, sizeof(c->peer));
	c->has_host = addr_host_key(peer, c->host);
	if (open_stream(d, fd, &c->s) != ERR_OK) {
		close(fd);
	} else {
		c->io = loop_io_new(d->loop, fd, on_io, c);
		c->timer = loop_timer_new(d->loop, on_limit, c);
	}
	if (c->io == NULL || c->timer == NULL) {
		desk_conn_end(c);
		return;
	}
	if (tls_is(c->s)) {
		go(c, DS_HANDSHAKE, d->conf->handshake_ms);
	} else {
		go(c, DS_HEAD, d->conf->read_ms);
	}
	pump(c);
}

/* --- of a connection ----------------------------------------------------- */

void
desk_set_own(struct desk_conn *c, void *own)
{
	c->own = own;
}

void *
desk_own(const struct desk_conn *c)
{
	return c->own;
}

int
desk_fd(const struct desk_conn *c)
{
	return c->s->fd;
}

const char *
desk_peer(const struct desk_conn *c)
{
	return c->peer;
}

bool
desk_host(const struct desk_conn *c, uint8_t key[16])
{
	memcpy(key, c->host, sizeof(c->host));
	return c->has_host;
}

void
desk_hold(struct desk_conn *c)
{
	c->held = true;
}
