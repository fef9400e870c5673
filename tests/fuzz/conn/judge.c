/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold of every connection whenever nothing happens any more, and
 * when it is over; see world.h.
 */
#include "world.h"

/* --- between two events -------------------------------------------------- */

static bool
open_for(const struct sock *s)
{
	return s->window > 0 && !s->closed && !s->reset;
}

/* Its last read wants to write first, and there is no room. */
static bool
waits_to_write(const struct sock *s)
{
	return s->twisted && s->window == 0;
}

static bool
all_read(const struct sock *s, const struct end *e)
{
	return s->taken == s->peer.len &&
	       (e->eof || (!s->fin && !s->reset && !s->closed));
}

static void
check_lanes(const struct conn *c, const struct sock *cs, const struct sock *ds)
{
	bool down = open_for(cs), up = open_for(ds) || c->daemon.gone;

	if (c->state == CS_RELAY) {
		CHECK(!down ||
		      (all_read(ds, &c->daemon) && c->daemon_in.len == 0));
		CHECK(!up || all_read(cs, &c->client) || waits_to_write(cs));
	} else {
		CHECK(!down || all_read(ds, &c->daemon));
		CHECK(!down || !c->req->have_answer || c->daemon_in.len == 0);
		CHECK(!up || c->req->body.done || all_read(cs, &c->client) ||
		      waits_to_write(cs));
	}
}

/*
 * Nothing that could go on waits: what a peer would take was written, what
 * can be read and is wanted was read.  And something will wake it.
 */
static void
check_awake(const struct conn *c)
{
	const struct sock *cs = sock_of(c->client.s->fd), *ds = NULL;
	short wants = loop_wants(c->client.io);

	if (c->daemon.s != NULL) {
		ds = sock_of(c->daemon.s->fd);
		wants |= loop_wants(c->daemon.io);
		CHECK(
		    !open_for(ds) || c->daemon.gone || c->daemon_out.len == 0);
	}
	CHECK(wants != 0 || loop_has_timer((void *)(uintptr_t)c));
	CHECK(!open_for(cs) || c->client_out.len == 0);
	switch (c->state) {
	case CS_RELAY:
	case CS_EXCHANGE:
		CHECK(ds != NULL);
		check_lanes(c, cs, ds);
		break;
	case CS_FACT:
		CHECK(ds != NULL && ds->taken == ds->peer.len);
		break;
	case CS_IDLE:
	case CS_HEAD:
	case CS_COLLECT:
		CHECK(cs->taken == cs->peer.len || waits_to_write(cs));
		break;
	case CS_LINGER:
		CHECK(!c->linger_raw || cs->taken == cs->peer.len);
		break;
	default:
		break;
	}
}

/* In order, once, and nothing else: both lanes of a raw stream. */
static void
check_raw(const struct sock *cs)
{
	const struct sock *ds = cs->relay;
	struct span up = tape_from(&cs->peer, cs->relay_from), to;
	struct span down = tape_from(&ds->peer, ds->relay_from);
	const struct seen *r = cs->relay_of;
	struct content body;

	if (r->has_up) { /* the rest of a body is not stdin */
		content_read(&body, tape_from(&cs->peer, r->up_from),
		    r->up_kind, r->up_length);
		up = body.whole ? tape_from(&cs->peer, r->up_from + body.taken)
				: span_of("");
		tape_free(&body.bytes);
	}
	if (ds->gate.len > ds->relay_to) {
		to = tape_from(&ds->gate, ds->relay_to);
		CHECK(to.len <= up.len && memcmp(to.p, up.p, to.len) == 0);
		up.len -= to.len;
	}
	if (cs->gate.len > cs->relay_to) {
		to = tape_from(&cs->gate, cs->relay_to);
		CHECK(to.len <= down.len && memcmp(to.p, down.p, to.len) == 0);
		down.len -= to.len;
	}
	if (r->whole) { /* every byte, but where its reader is gone */
		CHECK(down.len == 0);
		CHECK(up.len == 0 || ds->reset || ds->closed);
	}
}

void
judge_settled(void)
{
	const struct conn *c;
	const struct sock *s;
	size_t i;

	for (c = world.w.conns; c != NULL; c = conn_next(c)) {
		check_awake(c);
	}
	for (i = 0; i < world.n_socks; i++) {
		s = &world.sock[i];
		if (!s->daemon && s->relay != NULL && s->open) {
			check_raw(s);
		}
	}
}

/* --- what the client was told -------------------------------------------- */

static struct seen *
told(struct span head)
{
	const char *p = memmem(head.p, head.len, "\r\n" REQUEST_ID ": ", 16);
	struct seen *r = NULL;
	char id[40];
	size_t n;

	CHECK(p != NULL);
	p += 16;
	n = (size_t)((const char *)memchr(
			 p, '\r', head.len - (size_t)(p - head.p)) -
		     p);
	CHECK(n < sizeof(id));
	memcpy(id, p, n);
	id[n] = '\0';
	r = seen_of(id);
	CHECK(r != NULL);
	return r;
}

static enum body_kind
framing(struct span head, const struct seen *r, unsigned status, uint64_t *n)
{
	const char *p = memmem(head.p, head.len, "\r\nContent-Length: ", 18);

	if (r->method == METHOD_HEAD || status == 204 || status == 304) {
		return BODY_NONE;
	}
	if (memmem(head.p, head.len, "\r\nTransfer-Encoding: chunked\r\n",
		30) != NULL) {
		CHECK(p == NULL);
		return BODY_CHUNKED;
	}
	if (p == NULL) {
		return BODY_EOF;
	}
	*n = strtoull(p + 18, NULL, 10);
	return BODY_LENGTH;
}

/* Answers one behind the other, each to a request of its own, in order. */
void
judge_client(const struct sock *s)
{
	struct span all = tape_from(&s->gate, 0), head;
	struct seen *r, *last = NULL;
	struct content body;
	enum body_kind kind;
	uint64_t length = 0;
	size_t scanned = 0, n;
	unsigned status;

	if (s->relay != NULL) {
		check_raw(s);
	}
	while ((n = http1_head_length(all, &scanned)) > 0) {
		head = span_make(all.p, n);
		scanned = 0;
		CHECK(span_starts(head, "HTTP/1.1 "));
		status = (unsigned)strtoul(head.p + 9, NULL, 10);
		CHECK(status >= 100 && status < 1000);
		all = span_make(all.p + n, all.len - n);
		if (status < 200 && status != 101) {
			continue;
		}
		r = told(head);
		CHECK(r->client == s && (last == NULL || r > last));
		last = r;
		if (r->raw) {
			CHECK((size_t)((const uint8_t *)all.p - s->gate.p) ==
			      s->relay_to);
			return;
		}
		kind = framing(head, r, status, &length);
		content_read(&body, all, kind, length);
		CHECK(!body.broken);
		all = span_make(all.p + body.taken, all.len - body.taken);
		CHECK(body.whole || all.len == 0 || kind == BODY_CHUNKED);
		tape_free(&body.bytes);
		if (!body.whole) {
			return;
		}
	}
}

/* --- the end ------------------------------------------------------------- */

static void
sweep(void)
{
	struct conn *c, *next;

	world.in_gate = true;
	for (c = world.w.conns; c != NULL; c = next) {
		next = conn_next(c);
		conn_sweep(c);
	}
	world.in_gate = false;
	loop_settle();
}

/* What has a limit ends by it, though no peer says another word. */
static void
outlast_limits(void)
{
	const struct conn *c;

	loop_pass(4 * LIMIT_IDLE_MS);
	for (c = world.w.conns; c != NULL; c = conn_next(c)) {
		CHECK(c->state == CS_EXCHANGE || c->state == CS_RELAY);
	}
}

static void
check_nothing_left(void)
{
	size_t i;

	CHECK(world.w.conns == NULL);
	CHECK(census_total(world.gate.census) == 0);
	CHECK(atomic_load(&world.gate.bodies) == 0);
	for (i = 0; i < world.n_socks; i++) {
		CHECK(!world.sock[i].open);
	}
	for (i = 0; i < METRICS_ROLES; i++) {
		CHECK(metrics_get(&world.w.metrics->role[i].connections) == 0);
		CHECK(metrics_get(&world.w.metrics->role[i].streams) == 0);
	}
	for (i = 0; i < world.n_seen; i++) {
		CHECK(world.seen[i].freed);
	}
}

void
judge_end(void)
{
	size_t i;

	world.fail = 0;
	for (i = 0; i < world.n_socks; i++) {
		world.sock[i].window = world.sock[i].piece = SIZE_MAX;
	}
	loop_settle();
	sweep();
	outlast_limits();
	for (i = 0; i < world.n_socks; i++) {
		world.sock[i].closed |= world.sock[i].daemon;
	}
	world.door = DAEMON_REFUSES;
	loop_settle();
	for (i = 0; i < world.n_socks; i++) {
		world.sock[i].closed = true;
	}
	loop_settle();
	sweep();
	outlast_limits();
	check_nothing_left();
}
