/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of a connection: accepted, counted, equipped, and known.
 *
 * Who a client is gets settled once, here, from its certificate or from the
 * kernel's word about a local socket; no request changes it.  A client that
 * fails is told so by a TLS alert, and its connection is read until it closes,
 * because a reset could overtake the alert.
 *
 * Attackers open many connections (census.c), stop in mid-handshake
 * (limits.handshake_ms), and show certificates of others (tls.c).  Where more
 * are in their handshake than limits.handshakes, the oldest makes room: an
 * honest one is over in the time of a few packets, so the oldest are those
 * that wait for nothing but our limit, however many there are.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "conn_impl.h"
#include "log.h"

static enum step
refuse_client(struct conn *c, const struct diag *d)
{
	struct audit_event e = { .kind = AUDIT_HANDSHAKE,
		.who = &c->who,
		.tls = "",
		.reason = d->text };

	log_info("client refused: %s addr=%s", d->text, c->who.addr);
	audit_write(c->w->gate->audit, &e);
	conn_count_refused(c, tls_failure(c->client.s));
	/* Reading on, or a reset could overtake the alert. */
	c->linger_raw = true;
	c->client.rd = c->client.wr = IO_OK;
	conn_goto(c, CS_LINGER);
	return STEP_AGAIN;
}

/* --- too many --------------------------------------------------------------
 */

static void
shed(struct worker *w, enum metrics_shed which, const char *addr)
{
	static const char *const what[METRICS_SHEDS] = {
		[METRICS_SHED_CONNECTIONS] =
		    "connection refused: there are limits.connections",
		[METRICS_SHED_ADDRESS] =
		    "connection refused: limits.connections_per_address",
		[METRICS_SHED_CLIENT] =
		    "connection refused: limits.connections_per_client",
		[METRICS_SHED_HANDSHAKES] =
		    "the oldest handshake makes room: limits.handshakes",
	};
	uint64_t unsaid;

	metrics_add(&w->metrics->shed[which], 1);
	if (shed_may_say(&w->shed[which], loop_now_ms(), &unsaid)) {
		log_warn("%s addr=%s unsaid=%llu", what[which], addr,
		    (unsigned long long)unsaid);
	}
}

void
conn_shaken(struct conn *c)
{
	if (c->shaking_at == NULL) {
		return;
	}
	*c->shaking_at = c->shaking_next;
	if (c->shaking_next != NULL) {
		c->shaking_next->shaking_at = c->shaking_at;
	} else {
		c->w->shaking_end = c->shaking_at;
	}
	c->shaking_at = NULL;
	c->w->n_shaking--;
}

/* In its handshake now: the newest of those. */
static void
shakes(struct conn *c)
{
	struct worker *w = c->w;

	if (w->shaking == NULL) {
		w->shaking_end = &w->shaking;
	}
	c->shaking_next = NULL;
	c->shaking_at = w->shaking_end;
	*w->shaking_end = c;
	w->shaking_end = &c->shaking_next;
	w->n_shaking++;
}

static void
make_room(struct worker *w)
{
	struct conn *oldest = w->shaking;

	if (w->n_shaking < w->gate->handshakes_each) {
		return;
	}
	shed(w, METRICS_SHED_HANDSHAKES, oldest->who.addr);
	conn_kill(oldest, "handshakes");
}

/* FNV-1a, 64 bits.  Names are the CA's to give, so nobody chooses one that
 * collides with another's. */
static uint64_t
mix(uint64_t h, struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		h = (h ^ (uint8_t)s.p[i]) * 1099511628211u;
	}
	return (h ^ 0xff) * 1099511628211u; /* in no UTF-8: an end */
}

/* One client has many certificates in its life, and one name. */
static bool
client_key(const struct principal *who, uint8_t key[16])
{
	uint64_t h[2] = { 14695981039346656037u, 1469598103934665603u };
	size_t i, j;

	if (who->kind != PRINCIPAL_CERT && who->kind != PRINCIPAL_LOCAL) {
		return false; /* nobody in particular: by address alone */
	}
	for (i = 0; i < 2; i++) {
		h[i] = mix(h[i],
		    span_make((const char *)&who->kind, sizeof(who->kind)));
		h[i] = mix(
		    h[i], span_make((const char *)&who->uid, sizeof(who->uid)));
		h[i] = mix(h[i], who->cn);
		for (j = 0; j < who->o.n; j++) {
			h[i] = mix(h[i], who->o.name[j]);
		}
		h[i] = mix(h[i], span_of("/"));
		for (j = 0; j < who->ou.n; j++) {
			h[i] = mix(h[i], who->ou.name[j]);
		}
	}
	memcpy(key, h, 16);
	return true;
}

/* Counted by client from now on.  false: far too many, it goes. */
static bool
join(struct conn *c)
{
	enum err rc;

	if (!client_key(&c->who, c->client_key)) {
		return true;
	}
	rc = census_join(c->w->gate->census, c->client_key);
	c->has_client = rc == ERR_OK || rc == ERR_SHARE;
	c->surplus = rc == ERR_SHARE;
	if (rc != ERR_OK) {
		shed(c->w, METRICS_SHED_CLIENT, c->who.addr);
	}
	return c->has_client;
}

enum step
step_handshake(struct conn *c)
{
	struct diag d = { 0, 0, "" };
	enum io io = tls_handshake(c->client.s, &d);

	c->client.rd = c->client.wr = io;
	if (io == IO_WANT_READ) {
		c->client.wr = IO_OK;
		return STEP_BLOCKED;
	}
	if (io == IO_WANT_WRITE) {
		c->client.rd = IO_OK;
		return STEP_BLOCKED;
	}
	if (io == IO_OK) {
		/* Certificates may have changed since the first byte. */
		io = tls_judge_again(c->client.s, c->w->tls, &d);
	}
	if (io != IO_OK ||
	    tls_principal(c->client.s, &c->who_arena, &c->who, &d) != ERR_OK) {
		return refuse_client(c, &d);
	}
	if (tls_settle(c->client.s) != ERR_OK) {
		return conn_closed(c, "memory");
	}
	conn_count_handshake(c);
	if (!join(c)) {
		c->reason = "limit";
		conn_goto(c, CS_LINGER);
		return STEP_AGAIN;
	}
	conn_goto(c, CS_IDLE);
	conn_count_role(c);
	return STEP_AGAIN;
}

static void
set_tcp(int fd, uint32_t dead_ms)
{
	int idle = dead_ms < 2000 ? 1 : (int)(dead_ms / 2000);
	int interval = dead_ms < 8000 ? 1 : (int)(dead_ms / 8000);
	const struct {
		int level, name, value;
	} opt[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, idle },
		{ IPPROTO_TCP, TCP_KEEPINTVL, interval },
		{ IPPROTO_TCP, TCP_KEEPCNT, LIMIT_KEEPALIVE_COUNT },
	};
	size_t i;

	for (i = 0; i < NELEM(opt); i++) {
		(void)setsockopt(fd, opt[i].level, opt[i].name, &opt[i].value,
		    sizeof(opt[i].value));
	}
}

/* Who is on a clear listener: nobody, or a process of this machine. */
static void
local_principal(struct conn *c, int fd, sa_family_t family)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	c->who.kind = PRINCIPAL_ANONYMOUS;
	if (family == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		c->who.kind = PRINCIPAL_LOCAL;
		c->who.uid = cred.uid;
		c->who.gid = cred.gid;
	}
}

static struct conn *
conn_new(struct worker *w)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		return NULL;
	}
	c->w = w;
	c->client.lanes = &w->lanes;
	c->reason = "internal";
	buf_init(&c->client_in, LIMIT_LANE_FILL_BYTES);
	buf_init(&c->client_out, LIMIT_LANE_BYTES);
	buf_init(&c->daemon_in, LIMIT_LANE_FILL_BYTES);
	buf_init(&c->daemon_out, LIMIT_LANE_BYTES);
	if (w->gate->limits.head_bytes > LIMIT_LANE_FILL_BYTES) {
		/* by default a lane: what it holds more goes next */
		c->client_in.max = w->gate->limits.head_bytes;
		/* what we write anew may be longer than what came */
		c->daemon_out.max = 2 * (size_t)w->gate->limits.head_bytes;
	}
	arena_init(&c->who_arena, LIMIT_ARENA_BYTES);
	return c;
}

/* The stream, the timers and the event; false: give up. */
static bool
conn_equip(struct conn *c, int fd, enum listen_kind kind)
{
	struct worker *w = c->w;

	c->timer = loop_timer_new(w->loop, conn_on_limit, c);
	c->yield = loop_timer_new(w->loop, conn_on_yield, c);
	if (kind == LISTEN_CLEAR) {
		c->client.s = stream_plain_new(fd);
	} else if (w->tls == NULL ||
		   tls_accept(w->tls, fd, &c->client.s) != ERR_OK) {
		return false;
	}
	if (c->client.s == NULL) {
		return false;
	}
	c->client.io = loop_io_new(w->loop, fd, conn_on_client, c);
	return c->timer != NULL && c->yield != NULL && c->client.io != NULL;
}

static void
conn_link(struct conn *c)
{
	c->next = c->w->conns;
	if (c->next != NULL) {
		c->next->prev = c;
	}
	c->w->conns = c;
}

void
conn_start(struct worker *w, int fd, const struct sockaddr_storage *peer,
    enum listen_kind kind)
{
	struct conn *c = conn_new(w);
	enum err rc;

	if (c == NULL) {
		close(fd);
		return;
	}
	addr_print_peer(peer, c->who.addr, sizeof(c->who.addr));
	c->has_host = addr_host_key(peer, c->host);
	rc = census_enter(w->gate->census, c->has_host, c->host);
	if (rc != ERR_OK) {
		shed(w,
		    rc == ERR_SHARE ? METRICS_SHED_ADDRESS
				    : METRICS_SHED_CONNECTIONS,
		    c->who.addr);
		close(fd);
		free(c);
		return;
	}
	if (peer->ss_family != AF_UNIX) {
		set_tcp(fd, w->gate->limits.dead_peer_ms);
	}
	if (kind == LISTEN_CLEAR) {
		local_principal(c, fd, peer->ss_family);
	}
	conn_link(c);
	conn_count_begin(c);
	if (!conn_equip(c, fd, kind)) {
		if (c->client.s == NULL) {
			close(fd);
		}
		conn_free(c);
		return;
	}
	if (kind == LISTEN_TLS) {
		make_room(w);
		shakes(c);
	} else if (!join(c)) {
		conn_free(c);
		return;
	}
	c->state = kind == LISTEN_TLS ? CS_HANDSHAKE : CS_IDLE;
	conn_count_role(c);
	loop_timer_set(c->timer, conn_limit_ms(c, c->state));
	conn_pump(c);
}
