/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the admin listener: one request, one answer, the end.
 *
 * The head is read by the same strict reader as clients' (http1.c), under a
 * cap of its own; a request with a body, an upgrade or an expectation is
 * refused, and what follows the head is never looked at.  Keeping
 * connections was rejected: who watches asks every few seconds, and a
 * connection that ends needs no idle limit and no framing.
 *
 * Attackers say nothing, half a head, or a head without end; they do not
 * read their answer: each state has a deadline, and the caps bound what they
 * can make this thread hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_impl.h"
#include "log.h"

#define ARENA_BYTES 65536
#define LINGER_BYTES 16384

/* What an answer needs first. */
enum admin_need {
	NEED_NOTHING = 0,
	NEED_PROBE, /* what dockerd says now */
	NEED_LOCAL, /* root, or the gate's user, on a unix socket */
};

struct admin_route {
	const char *target;
	enum method method;
	enum admin_need need;
	void (*show)(struct admin_conn *c);
};

static const struct admin_route routes[] = {
	{ "/healthz", METHOD_GET, NEED_NOTHING, admin_show_health },
	{ "/readyz", METHOD_GET, NEED_PROBE, admin_show_ready },
	{ "/status", METHOD_GET, NEED_PROBE, admin_show_status },
	{ "/metrics", METHOD_GET, NEED_PROBE, admin_show_metrics },
	{ "/reload", METHOD_POST, NEED_LOCAL, admin_reload },
};

/* --- ends ---------------------------------------------------------------- */

void
admin_conn_free(struct admin_conn *c)
{
	if (c->prev != NULL) {
		c->prev->next = c->next;
	} else {
		c->a->conns = c->next;
	}
	if (c->next != NULL) {
		c->next->prev = c->prev;
	}
	c->a->n_conns--;
	loop_io_free(c->io);
	stream_close(c->s);
	loop_timer_free(c->timer);
	loop_post_free(c->back);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
}

bool
admin_conn_may_go(const struct admin_conn *c)
{
	return c->state != AS_RELOAD;
}

static void
go(struct admin_conn *c, enum admin_state state, uint32_t limit_ms)
{
	c->state = state;
	if (limit_ms > 0) {
		loop_timer_set(c->timer, limit_ms);
	} else {
		loop_timer_clear(c->timer);
	}
}

/* --- answers ------------------------------------------------------------- */

void
admin_answer(struct admin_conn *c, unsigned status, const char *type,
    const struct buf *body)
{
	struct span s = buf_span(body);
	enum err rc;

	rc = buf_printf(&c->out,
	    "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "%sConnection: close\r\n\r\n",
	    status, http1_reason(status), type, s.len,
	    status == 405 ? "Allow: GET\r\n" : "");
	if (rc == ERR_OK) {
		rc = buf_append(&c->out, s.p, s.len);
	}
	go(c, rc == ERR_OK ? AS_WRITE : AS_CLOSED, LIMIT_ADMIN_WRITE_MS);
}

void
admin_answer_text(struct admin_conn *c, unsigned status, const char *text)
{
	struct buf body;

	buf_init(&body, 4096);
	if (buf_printf(&body, "%s\n", text) == ERR_OK) {
		admin_answer(c, status, "text/plain; charset=utf-8", &body);
	} else {
		c->state = AS_CLOSED;
	}
	buf_fini(&body);
}

/* --- the request --------------------------------------------------------- */

static const struct admin_route *
find_route(const struct http_head *h, bool *other_method)
{
	size_t i;

	*other_method = false;
	for (i = 0; i < NELEM(routes); i++) {
		if (!span_is(h->target, routes[i].target)) {
			continue;
		}
		if (method_parse(h->method) == routes[i].method) {
			return &routes[i];
		}
		*other_method = true;
	}
	return NULL;
}

static void
act(struct admin_conn *c)
{
	switch (c->route->need) {
	case NEED_PROBE:
		go(c, AS_PROBE, 0); /* the probe has a deadline */
		probe_ask(c->a->probe);
		return;
	case NEED_LOCAL:
		if (!c->local) {
			admin_answer_text(c, 403,
			    "orders are taken from root and from the gate's "
			    "own user, on a unix socket: start the gate with "
			    "-admin unix:///PATH");
			return;
		}
		break;
	case NEED_NOTHING:
		break;
	}
	c->route->show(c);
}

static void
take_head(struct admin_conn *c, struct span head)
{
	struct diag d = { 0, 0, "" };
	struct http_head h;
	struct arena arena;
	bool other_method;

	arena_init(&arena, ARENA_BYTES);
	if (http1_parse_request(&arena, head, &h, &d) != ERR_OK) {
		admin_answer_text(c, 400, "this is not plain HTTP/1.1");
	} else if (h.body == BODY_CHUNKED ||
		   (h.body == BODY_LENGTH && h.length > 0)) {
		admin_answer_text(c, 413, "no request here has a body");
	} else if (h.upgrade != UPGRADE_NONE || h.expect_continue) {
		admin_answer_text(c, 400, "nothing but HTTP/1.1 is spoken");
	} else {
		c->route = find_route(&h, &other_method);
		if (c->route != NULL) {
			act(c);
		} else if (other_method) {
			admin_answer_text(c, 405, "not by this method");
		} else {
			admin_answer_text(
			    c, 404, "there is nothing here by this name");
		}
	}
	arena_fini(&arena);
}

static bool
read_head(struct admin_conn *c)
{
	size_t len, n = 0, room = buf_room(&c->in);
	uint8_t *to = buf_reserve(&c->in, room);
	enum io io;

	if (to == NULL) {
		c->state = AS_CLOSED;
		return true;
	}
	io = stream_read(c->s, to, room, &n);
	if (io != IO_OK) {
		c->state = io == IO_WANT_READ ? AS_HEAD : AS_CLOSED;
		return io != IO_WANT_READ;
	}
	buf_commit(&c->in, n);
	len = http1_head_length(buf_span(&c->in), &c->scanned);
	if (len > 0) {
		take_head(c, span_make(buf_span(&c->in).p, len));
	} else if (buf_room(&c->in) == 0) {
		admin_answer_text(c, 431, "the request head is too large");
	}
	return true;
}

static bool
write_out(struct admin_conn *c)
{
	struct span s = buf_span(&c->out);
	size_t n = 0;
	enum io io;

	if (s.len == 0) {
		(void)stream_shut(c->s);
		go(c, AS_LINGER, LIMIT_ADMIN_LINGER_MS);
		return true;
	}
	io = stream_write(c->s, s.p, s.len, &n);
	if (io != IO_OK) {
		c->state = io == IO_WANT_WRITE ? AS_WRITE : AS_CLOSED;
		return io != IO_WANT_WRITE;
	}
	buf_consume(&c->out, n);
	return true;
}

/* To close with unread bytes would send a reset, which can overtake the
 * answer (RFC 9112 9.6). */
static bool
linger(struct admin_conn *c)
{
	char sink[LINGER_BYTES];
	size_t n = 0;
	enum io io = stream_read(c->s, sink, sizeof(sink), &n);

	if (io != IO_OK && io != IO_WANT_READ) {
		c->state = AS_CLOSED;
	}
	return false; /* once a turn: who sends for ever waits its turn */
}

/* One turn; false: wait for an event. */
static bool
step(struct admin_conn *c)
{
	switch (c->state) {
	case AS_HEAD:
		return read_head(c);
	case AS_WRITE:
		return write_out(c);
	case AS_LINGER:
		return linger(c);
	default:
		return false;
	}
}

static void
pump(struct admin_conn *c)
{
	short want = 0;

	while (step(c)) {
		continue;
	}
	if (c->state == AS_CLOSED) {
		admin_conn_free(c);
		return;
	}
	if (c->state == AS_HEAD || c->state == AS_LINGER) {
		want = LOOP_READ;
	} else if (c->state == AS_WRITE) {
		want = LOOP_WRITE;
	}
	loop_io_want(c->io, want);
}

/* --- from outside -------------------------------------------------------- */

static void
on_io(void *arg, short what)
{
	(void)what;
	pump(arg);
}

static void
on_limit(void *arg)
{
	admin_conn_free(arg);
}

void
admin_conn_probed(struct admin_conn *c)
{
	if (c->state == AS_PROBE) {
		c->route->show(c);
		pump(c);
	}
}

/* The last worker has the new policy. */
static void
on_reloaded(void *arg)
{
	struct admin_conn *c = arg;

	admin_show_reloaded(c);
	pump(c);
}

static void
reload_done(void *arg, unsigned cut)
{
	struct admin_conn *c = arg;
	struct loop_post *back = c->back;

	c->cut = cut;
	c->back = NULL;
	loop_post_send(c->a->loop, back);
}

static void
reload_error(void *arg, const struct diag *d)
{
	struct admin_conn *c = arg;
	struct jsonw *w = c->errors;

	if (w->out->len > LIMIT_ADMIN_BODY_BYTES / 2) {
		c->more_errors++;
		return;
	}
	jsonw_object(w);
	jsonw_kv_u64(w, "line", d->line);
	jsonw_kv_u64(w, "col", d->col);
	jsonw_kv_str(w, "text", d->text);
	jsonw_object_end(w);
}

/* A file that is nothing but mistakes has more than anybody reads. */
static void
say_more(struct admin_conn *c)
{
	char text[64];

	if (c->more_errors > 0) {
		(void)snprintf(
		    text, sizeof(text), "and %u more", c->more_errors);
		jsonw_object(c->errors);
		jsonw_kv_u64(c->errors, "line", 0);
		jsonw_kv_u64(c->errors, "col", 0);
		jsonw_kv_str(c->errors, "text", text);
		jsonw_object_end(c->errors);
	}
}

void
admin_reload(struct admin_conn *c)
{
	const struct admin_gate *gate = &c->a->gate;
	struct admin_asker asker = { c, reload_error, reload_done };
	struct admin_view v;
	struct jsonw w;
	struct buf body;

	gate->view(gate->arg, &v);
	c->back = loop_post_new(on_reloaded, NULL, c);
	if (c->back == NULL) {
		admin_answer_text(c, 503, "out of memory");
		return;
	}
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	jsonw_init(&w, &body);
	jsonw_object(&w);
	jsonw_kv_str(&w, "policy", v.conf->policy);
	jsonw_key(&w, "errors");
	jsonw_array(&w);
	c->errors = &w;
	/* Before: the workers may be done before it returns. */
	go(c, AS_RELOAD, 0);
	if (gate->reload(gate->arg, &asker) != ERR_OK) {
		say_more(c);
		jsonw_array_end(&w);
		jsonw_object_end(&w);
		admin_answer(c, 422, "application/json", &body);
	}
	c->errors = NULL;
	buf_fini(&body);
}

/* --- beginning ----------------------------------------------------------- */

/* The kernel's word about the other end of a unix socket. */
static bool
is_local(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

void
admin_conn_start(struct admin *a, int fd)
{
	struct admin_conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	c->a = a;
	c->next = a->conns;
	if (c->next != NULL) {
		c->next->prev = c;
	}
	a->conns = c;
	a->n_conns++;
	buf_init(&c->in, LIMIT_ADMIN_HEAD_BYTES);
	buf_init(&c->out, LIMIT_ADMIN_BODY_BYTES + 1024);
	c->local = a->addr.sa.sa_family == AF_UNIX && is_local(fd);
	c->s = stream_plain_new(fd);
	if (c->s == NULL) {
		close(fd);
	} else {
		c->io = loop_io_new(a->loop, fd, on_io, c);
		c->timer = loop_timer_new(a->loop, on_limit, c);
	}
	if (c->io == NULL || c->timer == NULL) {
		admin_conn_free(c);
		return;
	}
	go(c, AS_HEAD, LIMIT_ADMIN_HEAD_MS);
	pump(c);
}
