/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections: states, the pump, the two ends; see conn.h and docs/relay.md.
 *
 * Every event (readable, writable, a timer) only notes what happened and
 * calls conn_pump(), which steps until nothing moves, then arms the events
 * once from what the buffers and ends say.  No step waits, no step arms.
 *
 * A state has one limit in time, set when it is entered; streams have none.
 * Dead peers on streams are found by TCP keep-alive and by the worker's
 * sweep (conn_sweep), within limits.dead_peer_ms and one sweep.
 *
 * Rejected: a callback for each direction that moves what it can and arms
 * for itself; each early return then leaves an event armed or not, and a
 * stall is nobody's fault.
 *
 * Attackers open many connections and stop at any byte, in any state.
 */
#include "conn_impl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>

#include "log.h"

static enum step step_none(struct conn *c);

/* step: what the state does; next: where it may go from here */
static const struct {
	const char *name;
	enum step (*step)(struct conn *c);
	uint32_t next;
} conn_table[CS_N] = {
	[CS_CLOSED] = { "closed", step_none, 0 },
	[CS_HANDSHAKE] = { "handshake", step_handshake,
	    BIT(CS_IDLE) | BIT(CS_LINGER) | BIT(CS_CLOSED) },
	[CS_IDLE] = { "idle", step_idle,
	    BIT(CS_HEAD) | BIT(CS_LINGER) | BIT(CS_CLOSED) },
	[CS_HEAD] = { "head", step_head,
	    BIT(CS_COLLECT) | BIT(CS_CONNECT) | BIT(CS_FACT) |
		BIT(CS_EXCHANGE) | BIT(CS_ANSWER) | BIT(CS_CLOSED) },
	[CS_COLLECT] = { "collect", step_collect,
	    BIT(CS_ISSUE) | BIT(CS_CONNECT) | BIT(CS_FACT) | BIT(CS_EXCHANGE) |
		BIT(CS_ANSWER) | BIT(CS_CLOSED) },
	[CS_ISSUE] = { "issue", step_issue, BIT(CS_ANSWER) | BIT(CS_CLOSED) },
	[CS_CONNECT] = { "connect", step_connect,
	    BIT(CS_FACT) | BIT(CS_EXCHANGE) | BIT(CS_ANSWER) | BIT(CS_CLOSED) },
	[CS_FACT] = { "fact", step_fact,
	    BIT(CS_FACT) | BIT(CS_CONNECT) | BIT(CS_EXCHANGE) | BIT(CS_ANSWER) |
		BIT(CS_CLOSED) },
	[CS_EXCHANGE] = { "exchange", step_exchange,
	    BIT(CS_RELAY) | BIT(CS_IDLE) | BIT(CS_CONNECT) | BIT(CS_ANSWER) |
		BIT(CS_LINGER) | BIT(CS_CLOSED) },
	[CS_RELAY] = { "relay", step_relay, BIT(CS_LINGER) | BIT(CS_CLOSED) },
	[CS_ANSWER] = { "answer", step_answer,
	    BIT(CS_IDLE) | BIT(CS_LINGER) | BIT(CS_CLOSED) },
	[CS_LINGER] = { "linger", step_linger, BIT(CS_CLOSED) },
};

/* Milliseconds a state may last; 0: for ever (streams). */
uint32_t
conn_limit_ms(const struct conn *c, enum conn_state s)
{
	const struct limits *l = &c->w->gate->limits;

	switch (s) {
	case CS_HANDSHAKE:
		return l->handshake_ms;
	case CS_IDLE:
		return c->surplus && l->idle_ms > LIMIT_SURPLUS_MS
			   ? LIMIT_SURPLUS_MS
			   : l->idle_ms;
	case CS_HEAD:
		return l->head_ms;
	case CS_COLLECT:
		return l->body_ms;
	case CS_CONNECT:
		return LIMIT_CONNECT_MS;
	case CS_FACT:
		return l->fact_ms;
	case CS_ISSUE:
		return LIMIT_ISSUE_MS + LIMIT_ANSWER_MS; /* it has its own */
	case CS_ANSWER:
		return LIMIT_ANSWER_MS;
	case CS_LINGER:
		return c->linger_long ? LIMIT_LINGER_MS : LIMIT_CLOSE_MS;
	default:
		return 0;
	}
}

void
conn_goto(struct conn *c, enum conn_state next)
{
	uint32_t limit;

	if ((conn_table[c->state].next & BIT(next)) == 0) {
		log_error("a connection cannot go from %s to %s: closing it "
			  "(please report this)",
		    conn_table[c->state].name, conn_table[next].name);
		next = CS_CLOSED;
	}
	conn_shaken(c);
	c->state = next;
	limit = next == CS_CLOSED ? 0 : conn_limit_ms(c, next);
	if (limit > 0) {
		loop_timer_set(c->timer, limit);
	} else {
		loop_timer_clear(c->timer);
	}
}

enum step
conn_closed(struct conn *c, const char *reason)
{
	if (c->state != CS_CLOSED) {
		c->reason = reason;
		conn_goto(c, CS_CLOSED);
	}
	return STEP_CLOSED;
}

const char *
conn_tls_name(const struct conn *c)
{
	return c->client.s != NULL && tls_is(c->client.s)
		   ? tls_version_name(c->client.s)
		   : "";
}

const char *
conn_cipher_name(const struct conn *c)
{
	return c->client.s != NULL && tls_is(c->client.s)
		   ? tls_cipher_name(c->client.s)
		   : "";
}

/* --- ends ---------------------------------------------------------------- */

bool
end_readable(const struct end *e)
{
	return e->s != NULL && !e->eof && e->rd == IO_OK;
}

/* One read; IO_OK: something came. */
static enum io
read_once(struct end *e, struct buf *b)
{
	size_t room = buf_room(b), n = 0;
	uint8_t *to;
	enum io io;

	lanes_lend(e->lanes, b);
	to = buf_reserve(b, room);
	if (to == NULL) {
		/* Not its doing: nobody may take this for its end. */
		e->starved = true;
		return IO_FAIL;
	}
	io = stream_read(e->s, to, room, &n);
	if (io == IO_OK) {
		buf_commit(b, n);
		metrics_add(e->in, n);
		if (n < room && e->s->drains) {
			e->rd = IO_WANT_READ; /* the event will tell */
		}
	}
	return io;
}

/* Until the lane is full: what goes on then goes on in one piece. */
bool
end_read(struct end *e, struct buf *b)
{
	enum io io = e->late;
	bool came = false;
	unsigned n;

	if (!end_readable(e) || buf_room(b) == 0) {
		return false;
	}
	e->late = IO_OK;
	for (n = 0; n < LIMIT_STEP_READS && io == IO_OK && e->rd == IO_OK &&
		    buf_room(b) > 0;
	     n++) {
		io = read_once(e, b);
		came = came || io == IO_OK;
	}
	if (io == IO_OK) {
		return true;
	}
	if (came && (io == IO_EOF || io == IO_FAIL)) {
		e->late = io;
		return true;
	}
	e->rd = io;
	e->eof = e->eof || io == IO_EOF;
	lanes_release(e->lanes, b);
	return came || io == IO_EOF || io == IO_FAIL;
}

bool
end_write(struct end *e, struct buf *b)
{
	struct span s;
	bool moved = false;
	size_t n;

	if (e->s == NULL) {
		return false;
	}
	while (b->len > 0 && e->wr == IO_OK) {
		s = buf_span(b);
		n = 0;
		e->wr = stream_write(e->s, s.p, s.len, &n);
		if (e->wr == IO_OK) {
			buf_consume(b, n);
			metrics_add(e->out, n);
			moved = true;
		}
	}
	lanes_release(e->lanes, b);
	return moved;
}

/* Something happened on the descriptor: what waited for it may go on. */
static void
end_wake(struct end *e, short what)
{
	if (((what & LOOP_READ) && e->rd == IO_WANT_READ) ||
	    ((what & LOOP_WRITE) && e->rd == IO_WANT_WRITE)) {
		e->rd = IO_OK;
	}
	if (((what & LOOP_READ) && e->wr == IO_WANT_READ) ||
	    ((what & LOOP_WRITE) && e->wr == IO_WANT_WRITE)) {
		e->wr = IO_OK;
	}
}

/* Which events one end needs.  Pure: from the end and its two buffers. */
static short
end_interest(const struct end *e, const struct buf *in, const struct buf *out)
{
	short what = 0;

	if (!e->eof && buf_room(in) > 0) {
		what |= e->rd == IO_WANT_READ ? LOOP_READ : 0;
		what |= e->rd == IO_WANT_WRITE ? LOOP_WRITE : 0;
	}
	if (out->len > 0 || e->wr != IO_OK) {
		what |= e->wr == IO_WANT_READ ? LOOP_READ : 0;
		what |= e->wr == IO_WANT_WRITE ? LOOP_WRITE : 0;
	}
	return what;
}

/* --- the pump ------------------------------------------------------------ */

static void
conn_arm(struct conn *c)
{
	if (c->client.io != NULL) {
		loop_io_want(c->client.io,
		    end_interest(&c->client, &c->client_in, &c->client_out));
	}
	if (c->daemon.io != NULL) {
		loop_io_want(c->daemon.io,
		    end_interest(&c->daemon, &c->daemon_in, &c->daemon_out));
	}
}

void
conn_free(struct conn *c)
{
	if (c->req != NULL && c->req->audited) {
		c->req->ended = c->reason;
		request_audit(c, AUDIT_END, "allow");
	}
	request_free(c);
	if (c->prev != NULL) {
		c->prev->next = c->next;
	} else {
		c->w->conns = c->next;
	}
	if (c->next != NULL) {
		c->next->prev = c->prev;
	}
	conn_count_end(c);
	conn_shaken(c);
	if (c->has_client) {
		census_part(c->w->gate->census, c->client_key);
	}
	census_leave(c->w->gate->census, c->has_host, c->host);
	daemon_close(c);
	loop_io_free(c->client.io);
	stream_close(c->client.s);
	loop_timer_free(c->timer);
	loop_timer_free(c->yield);
	buf_fini(&c->client_in);
	buf_fini(&c->client_out);
	arena_fini(&c->who_arena);
	free(c);
}

/* A stream can be silent for weeks: what is empty takes no room. */
static void
release_empty(struct conn *c)
{
	lanes_release(&c->w->lanes, &c->client_in);
	lanes_release(&c->w->lanes, &c->client_out);
	lanes_release(&c->w->lanes, &c->daemon_in);
	lanes_release(&c->w->lanes, &c->daemon_out);
}

void
conn_pump(struct conn *c)
{
	enum step s = STEP_AGAIN;
	enum conn_state before = c->state;
	unsigned n;

	for (n = 0; n < LIMIT_PUMP_STEPS && s == STEP_AGAIN; n++) {
		s = conn_table[c->state].step(c);
	}
	if (s == STEP_CLOSED || c->state == CS_CLOSED) {
		conn_free(c);
		return;
	}
	release_empty(c);
	conn_arm(c);
	if (s == STEP_AGAIN) {
		loop_timer_set(c->yield, 0); /* others first */
	} else if (c->state == CS_RELAY && before != CS_RELAY) {
		stream_rest(c->client.s); /* most attach, then wait */
	}
}

void
conn_on_client(void *arg, short what)
{
	struct conn *c = arg;

	c->busy = true;
	end_wake(&c->client, what);
	conn_pump(c);
}

void
conn_on_daemon(void *arg, short what)
{
	struct conn *c = arg;

	c->busy = true;
	end_wake(&c->daemon, what);
	conn_pump(c);
}

void
conn_on_yield(void *arg)
{
	conn_pump(arg);
}

void
conn_on_limit(void *arg)
{
	struct conn *c = arg;

	switch (c->state) {
	case CS_HEAD:
		(void)request_refuse_early(
		    c, 408, "the request head took too long");
		break;
	case CS_IDLE:
		c->reason = "idle";
		conn_goto(c, CS_LINGER);
		break;
	case CS_COLLECT:
		(void)answer_error(c, 408, "the request body took too long");
		break;
	case CS_CONNECT:
		(void)answer_error(c, 503,
		    "dockerd at %s does not accept "
		    "connections",
		    c->w->gate->upstream.text);
		break;
	case CS_FACT:
		(void)answer_error(c, 504, "dockerd at %s does not answer",
		    c->w->gate->upstream.text);
		break;
	case CS_HANDSHAKE:
		conn_count_refused(c, TLS_FAILED_TIMEOUT);
		(void)conn_closed(c, "timeout");
		break;
	default:
		(void)conn_closed(c, "timeout");
		break;
	}
	conn_pump(c);
}

static enum step
step_none(struct conn *c)
{
	(void)c;
	return STEP_CLOSED;
}

/* --- from the worker ----------------------------------------------------- */

struct conn *
conn_next(const struct conn *c)
{
	return c->next;
}

bool
conn_is_stream(const struct conn *c)
{
	return c->state == CS_RELAY ||
	       (c->state == CS_EXCHANGE && c->req->canon.op != NULL &&
		   c->req->canon.op->mode != OP_MODE_PLAIN);
}

bool
conn_is_answering(const struct conn *c)
{
	return c->state > CS_HEAD && c->state != CS_LINGER &&
	       !conn_is_stream(c);
}

void
conn_stop_soon(struct conn *c)
{
	c->stopping = true;
	conn_pump(c);
}

/* Ends an exchange or a relay from our side: on record at once. */
static void
cut(struct conn *c, const char *why)
{
	c->reason = why;
	if (c->state == CS_RELAY) {
		/* What was read of a raw stream is delivered. */
		c->client_out.max += c->daemon_in.len;
		(void)buf_move(&c->client_out, &c->daemon_in, c->daemon_in.len);
	}
	c->req->ended = why;
	if (c->req->audited) {
		request_audit(c, AUDIT_END, "allow");
	}
	daemon_close(c);
	request_free(c);
	conn_goto(c, CS_LINGER);
}

void
conn_stop_now(struct conn *c)
{
	c->stopping = true;
	c->reason = "stopped";
	if (c->state == CS_RELAY || c->state == CS_EXCHANGE) {
		cut(c, "stopped");
	}
	conn_pump(c);
}

/* Other certificates are in force: is the client still one of ours?  Whatever
 * it is doing ends, on record; what it has not sent yet is not read. */
static bool
cut_if_revoked(struct conn *c)
{
	struct diag d = { 0, 0, "" };

	if (c->state == CS_HANDSHAKE || c->state == CS_LINGER ||
	    c->w->tls == NULL || !tls_is(c->client.s) ||
	    tls_still_good(c->client.s, c->w->tls, &d)) {
		return false;
	}
	log_info("connection cut: %s addr=%s", d.text, c->who.addr);
	if (c->state == CS_RELAY || c->state == CS_EXCHANGE) {
		cut(c, "revoked");
		conn_pump(c);
	} else if (c->state == CS_IDLE) {
		c->reason = "revoked";
		conn_goto(c, CS_LINGER);
		conn_pump(c);
	} else {
		conn_kill(c, "revoked");
	}
	return true;
}

/* Judged anew as far as its head goes: what it said in a body was judged
 * when it was said. */
bool
conn_rejudge(struct conn *c)
{
	struct policy_why why;
	struct decision *d = NULL;
	struct arena scratch;
	enum verdict v;

	if (cut_if_revoked(c)) {
		return true;
	}
	if (!conn_is_stream(c)) {
		return false;
	}
	arena_init(&scratch, LIMIT_ARENA_BYTES);
	v = policy_begin(shared_policy_get(c->w->policy), &c->who,
	    &c->req->canon, &scratch, &d, &why);
	arena_fini(&scratch);
	if (v == VERDICT_DENY) {
		log_info(
		    "stream cut: the new policy refuses it id=%s", c->req->id);
		cut(c, "policy");
		conn_pump(c);
	}
	return v == VERDICT_DENY;
}

void
conn_kill(struct conn *c, const char *reason)
{
	(void)conn_closed(c, reason);
	conn_free(c);
}

/*
 * Keep-alive asks only while nothing is on its way; bytes that nobody confirms
 * are repeated instead, for a quarter of an hour.  TCP_USER_TIMEOUT would end
 * that, and with it every client that has stopped reading for as long (docker
 * logs | less), whose kernel answers all the while: so not the time alone
 * decides, but questions without an answer.
 */
static bool
is_dead(const struct conn *c)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(c->client.s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) ==
	    -1) {
		return false; /* a unix socket */
	}
	return info.tcpi_last_ack_recv >= c->w->gate->limits.dead_peer_ms &&
	       (info.tcpi_retransmits >= LIMIT_DEAD_PEER_TRIES ||
		   info.tcpi_probes >= LIMIT_DEAD_PEER_TRIES);
}

/*
 * A client that ended its direction, or that filled client_in, is not read
 * from any more, so nobody hears when it goes away; the socket knows.  In an
 * exchange that is all of its requests: with client_in full of more of them,
 * a closed client is gone.  In a relay they may be stdin that is still wanted.
 */
static bool
has_left(const struct conn *c)
{
	struct pollfd p = { .fd = c->client.s->fd, .events = 0 };
	bool full = buf_room(&c->client_in) == 0;

	if (!c->client.eof && !full) {
		return false;
	}
	if (full && c->state == CS_EXCHANGE) {
		p.events = POLLRDHUP;
	}
	return poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
}

/* And who was silent since the last time may stay so: it rests. */
void
conn_sweep(struct conn *c)
{
	if (!c->busy) {
		stream_rest(c->client.s);
	}
	c->busy = false;
	if ((c->state == CS_EXCHANGE || c->state == CS_RELAY) &&
	    (has_left(c) || is_dead(c))) {
		conn_kill(c, "client_lost");
	}
}
