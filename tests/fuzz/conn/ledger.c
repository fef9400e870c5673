/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of each request: the audit log of this world, held against
 * what dockerd and the client got; see world.h.
 *
 * The sources of a connection call each other by name; where one file calls
 * another's conn_goto(), request_free() or request_count_answered(), the
 * linker (--wrap) lets us look first.
 */
#include "audit.h"
#include "policy/json.h"
#include "world.h"

void __real_conn_goto(struct conn *c, enum conn_state next);
void __real_request_free(struct conn *c);
void __real_request_count_answered(struct conn *c);
void __wrap_conn_goto(struct conn *c, enum conn_state next);
void __wrap_request_free(struct conn *c);
void __wrap_request_count_answered(struct conn *c);

struct seen *
seen_of(const char *id)
{
	size_t i;

	for (i = world.n_seen; i-- > 0;) {
		if (strcmp(world.seen[i].id, id) == 0) {
			return &world.seen[i];
		}
	}
	return NULL;
}

static struct sock *
client_of(const struct conn *c)
{
	return sock_of(c->client.s->fd);
}

static struct seen *
note(const struct conn *c)
{
	struct seen *r = seen_of(c->req->id);

	if (r == NULL) {
		CHECK(world.n_seen < WORLD_REQUESTS);
		r = &world.seen[world.n_seen++];
		memset(r, 0, sizeof(*r));
		(void)snprintf(r->id, sizeof(r->id), "%s", c->req->id);
		r->client = client_of(c);
	}
	CHECK(r->client == client_of(c) && !r->freed);
	r->method = c->req->canon.method;
	return r;
}

/* --- the audit log ------------------------------------------------------- */

static const struct conn *
asking(const struct principal *who)
{
	const struct conn *c;

	for (c = world.w.conns; c != NULL; c = conn_next(c)) {
		if (&c->who == who) {
			return c;
		}
	}
	return NULL;
}

static void
write_end(struct seen *r, const struct conn *c, const struct audit_event *e)
{
	bool gate =
	    e->op != NULL && e->op->mode == OP_MODE_GATE && c->req->judged;

	CHECK(++r->ends == 1);
	CHECK(e->ended != NULL);
	r->status = e->status;
	(void)snprintf(r->ended, sizeof(r->ended), "%s", e->ended);
	if (strcmp(e->decision, "deny") == 0) {
		CHECK(gate || (r->denied && r->sent == 0));
		r->by_gate = true;
	} else if (strcmp(e->decision, "error") == 0) {
		CHECK(e->status >= 400);
		r->by_gate = true;
	} else {
		CHECK(c->req->judged && !r->denied);
		r->by_gate = gate;
	}
}

void
audit_write(struct audit *a, const struct audit_event *e)
{
	const struct conn *c;
	struct seen *r;

	CHECK(a != NULL);
	if (e->kind == AUDIT_HANDSHAKE) {
		CHECK(e->id == NULL && e->reason[0] != '\0');
		return;
	}
	c = asking(e->who);
	CHECK(c != NULL && c->req != NULL && strcmp(c->req->id, e->id) == 0);
	world.in_gate = false;
	r = note(c);
	if (e->kind == AUDIT_END) {
		write_end(r, c, e);
	} else {
		CHECK(++r->decisions == 1 && r->ends == 0 && r->sent == 0);
		r->denied = strcmp(e->decision, "deny") == 0;
		r->allowed = !r->denied;
		CHECK(r->denied || c->req->judged);
	}
	world.in_gate = true;
}

bool
audit_permits(const struct audit *a, char *why, size_t size)
{
	CHECK(a != NULL);
	(void)snprintf(why, size, "the log is full");
	return !world.audit_full;
}

/* How many decisions and ends docs/audit.md promises of an allowed one. */
static void
check_records(const struct seen *r, const struct request *q)
{
	enum audit_level l = policy_audit_level(q->role, q->canon.op);
	const struct op *op = q->canon.op;
	bool reads =
	    op != NULL && !op->changes_state && op->mode == OP_MODE_PLAIN;
	bool decision, end;

	if (world.failed) {
		return; /* without memory the connection may just end */
	}
	if (!q->judged) {
		CHECK(r->sent == 0);
		CHECK(r->decisions == (r->denied ? 1u : 0u));
		CHECK(r->ends == (q->status != 0 ? 1u : 0u));
		return;
	}
	decision =
	    l != AUDIT_LEVEL_NONE && (!reads || l == AUDIT_LEVEL_REQUEST);
	end = l != AUDIT_LEVEL_NONE && (!reads || l != AUDIT_LEVEL_USUAL);
	if (policy_report(q->decision) != NULL) {
		decision = end = true;
	}
	CHECK(r->decisions == (decision ? 1u : 0u));
	CHECK(r->ends == (end || r->by_gate ? 1u : 0u));
}

/* --- bodies -------------------------------------------------------------- */

static bool
begins(const struct tape *whole, const struct tape *part)
{
	return part->len <= whole->len &&
	       (part->len == 0 || memcmp(whole->p, part->p, part->len) == 0);
}

static void
check_judged(
    const struct seen *r, const struct conn *c, const struct content *to)
{
	struct span body, got = tape_from(&to->bytes, 0);
	struct json_doc *doc = NULL;
	bool replaced;

	body = policy_new_body(c->req->decision, &replaced);
	if (!replaced) {
		body = buf_span(&c->req->collected);
	}
	CHECK(got.len <= body.len &&
	      (got.len == 0 || memcmp(got.p, body.p, got.len) == 0));
	CHECK(!to->whole || r->to_kind == BODY_NONE || got.len == body.len);
	if (replaced && to->whole && got.len > 0) {
		CHECK(json_parse(got, JSON_STRICT, &doc, NULL) == ERR_OK);
		json_free(doc);
		/* A role that refuses it, in whatever spelling it came. */
		CHECK(
		    r->client->who != 1 || !r->client->tls ||
		    memmem(got.p, got.len, "\"Privileged\":true", 17) == NULL);
	}
}

static void
check_up(const struct seen *r, const struct conn *c)
{
	struct content to, from;

	if (r->sent == 0) {
		return;
	}
	content_read(
	    &to, tape_from(&r->to->gate, r->to_body), r->to_kind, r->to_length);
	if (!r->has_up) {
		check_judged(r, c, &to);
	} else if (r->to_kind != BODY_NONE) {
		content_read(&from, tape_from(&r->client->peer, r->up_from),
		    r->up_kind, r->up_length);
		CHECK(begins(&from.bytes, &to.bytes));
		/* "Content-Length: 0" may stand for one that is thrown away */
		CHECK(!to.whole ||
		      (r->to_kind == BODY_LENGTH && r->to_length == 0) ||
		      (from.whole && from.bytes.len == to.bytes.len));
		tape_free(&from.bytes);
	}
	tape_free(&to.bytes);
}

static void
check_down(const struct seen *r)
{
	struct content from, got;
	struct span told;
	size_t scanned = 0, head;

	if (!r->has_down || r->raw || r->told_at > r->client->gate.len) {
		CHECK(!r->whole || r->raw);
		return;
	}
	told = tape_from(&r->client->gate, r->told_at);
	head = http1_head_length(told, &scanned);
	content_read(&from, tape_from(&r->to->peer, r->down_from), r->down_kind,
	    r->down_length);
	content_read(&got, span_make(told.p + head, told.len - head),
	    head == 0 ? BODY_NONE : r->down_kind, r->down_length);
	CHECK(!got.broken && begins(&from.bytes, &got.bytes));
	if (r->whole) {
		CHECK(head > 0 && got.bytes.len == from.bytes.len);
		CHECK(r->down_kind == BODY_EOF || (got.whole && from.whole));
		CHECK(told.len == head + got.taken);
	}
	tape_free(&from.bytes);
	tape_free(&got.bytes);
}

/* --- what the linker lets us see ----------------------------------------- */

static void
goes_raw(const struct conn *c, struct seen *r)
{
	struct sock *client = client_of(c), *daemon = sock_of(c->daemon.s->fd);
	struct content body;

	r->raw = true;
	client->relay = daemon;
	client->relay_of = r;
	client->relay_from = client->taken - c->client_in.len;
	if (r->has_up) {
		content_read(&body, tape_from(&client->peer, r->up_from),
		    r->up_kind, r->up_length);
		/* What is left of the body will never be stdin. */
		CHECK(c->req->body.done ==
			  (client->relay_from == r->up_from + body.taken &&
			      body.whole) ||
		      client->taken < client->peer.len);
		tape_free(&body.bytes);
	}
	client->relay_to = client->gate.len + c->client_out.len;
	daemon->relay_from = daemon->taken - c->daemon_in.len;
	daemon->relay_to = daemon->gate.len + c->daemon_out.len;
	daemon->q.at = READ_RAW;
}

void
__wrap_conn_goto(struct conn *c, enum conn_state next)
{
	struct seen *r;

	world.in_gate = false;
	if (next == CS_EXCHANGE && !c->req->collect) {
		r = note(c);
		CHECK(c->req->judged);
		r->has_up = true;
		r->up_from = client_of(c)->taken - c->client_in.len;
		r->up_kind = c->req->head.body;
		r->up_length = c->req->head.length;
	}
	if (next == CS_RELAY) {
		goes_raw(c, note(c));
	}
	world.in_gate = true;
	__real_conn_goto(c, next);
}

void
__wrap_request_count_answered(struct conn *c)
{
	struct sock *daemon = sock_of(c->daemon.s->fd);
	struct seen *r;

	world.in_gate = false;
	r = note(c);
	CHECK(++r->answered == 1);
	CHECK(r->to == NULL || r->to == daemon);
	r->to = daemon;
	r->has_down = true;
	r->down_from = daemon->taken - c->daemon_in.len;
	r->down_kind = c->req->answer.body;
	r->down_length = c->req->answer.length;
	r->told_at = r->client->gate.len + c->client_out.len;
	world.in_gate = true;
	__real_request_count_answered(c);
}

void
__wrap_request_free(struct conn *c)
{
	struct seen *r;

	if (c->req != NULL) {
		world.in_gate = false;
		r = note(c);
		r->whole = (c->state == CS_EXCHANGE || c->state == CS_RELAY) &&
			   c->req->ended == NULL && r->answered == 1;
		check_records(r, c->req);
		check_up(r, c);
		check_down(r);
		r->freed = true;
		world.in_gate = true;
	}
	__real_request_free(c);
}
