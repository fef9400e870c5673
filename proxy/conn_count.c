/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection and its requests add to their worker's counters; see
 * metrics.h.  A request is counted once, at its end, whichever way it ends:
 * request_free() is the one place that all of them pass.
 *
 * Attackers end connections in every state: what was counted in is counted
 * out by conn_free() and request_free(), not by the states.
 */
#include "conn_impl.h"

static struct metrics *
block(const struct conn *c)
{
	return c->w->metrics;
}

/* --- connections --------------------------------------------------------- */

static void
enter_role(struct conn *c, unsigned slot)
{
	metrics_add(&block(c)->role[c->role_slot].connections, (uint64_t)-1);
	c->role_slot = slot;
	metrics_add(&block(c)->role[slot].connections, 1);
}

void
conn_count_begin(struct conn *c)
{
	c->begun_ns = metrics_now_ns();
	c->role_slot = METRICS_ROLE_HANDSHAKE;
	metrics_add(&block(c)->connections, 1);
	metrics_add(&block(c)->role[c->role_slot].connections, 1);
	c->client.in = &block(c)->bytes[METRICS_FROM_CLIENT];
	c->client.out = &block(c)->bytes[METRICS_TO_CLIENT];
}

void
conn_count_daemon(struct conn *c)
{
	c->daemon.in = &block(c)->bytes[METRICS_FROM_DOCKERD];
	c->daemon.out = &block(c)->bytes[METRICS_TO_DOCKERD];
}

void
conn_count_role(struct conn *c)
{
	const struct role *role;

	if (c->state == CS_HANDSHAKE || c->who.kind == PRINCIPAL_NONE) {
		return; /* nobody yet, or refused */
	}
	role = policy_role(shared_policy_get(c->w->policy), &c->who);
	enter_role(c,
	    metrics_role_slot(block(c), role == NULL ? NULL : role_name(role)));
}

void
conn_count_handshake(struct conn *c)
{
	metrics_time(
	    block(c), METRICS_HANDSHAKE, metrics_now_ns() - c->begun_ns);
}

void
conn_count_refused(struct conn *c, enum tls_failure why)
{
	metrics_add(&block(c)->handshakes_failed[why], 1);
}

void
conn_count_end(struct conn *c)
{
	metrics_add(&block(c)->role[c->role_slot].connections, (uint64_t)-1);
}

/* --- requests ------------------------------------------------------------ */

void
request_count_verdict(struct conn *c, enum metrics_decision d)
{
	struct request *r = c->req;
	const struct policy_report *report =
	    d == METRICS_ALLOW ? policy_report(r->decision) : NULL;

	if (report != NULL && report->refused.n + report->refused.more > 0) {
		d = METRICS_OBSERVE; /* as the record has it: conn_audit.c */
	}
	r->outcome = d;
	metrics_time(block(c), METRICS_POLICY, r->policy_ns);
}

void
request_count_stream(struct conn *c)
{
	struct request *r = c->req;

	r->streams = true;
	r->role_slot = metrics_role_slot(
	    block(c), r->role == NULL ? NULL : role_name(r->role));
	metrics_add(&block(c)->streams, 1);
	metrics_add(&block(c)->role[r->role_slot].streams, 1);
}

void
request_count_sent(struct conn *c)
{
	c->req->sent_ns = metrics_now_ns();
}

void
request_count_answered(struct conn *c)
{
	metrics_time(
	    block(c), METRICS_UPSTREAM, metrics_now_ns() - c->req->sent_ns);
}

void
request_count_end(struct conn *c)
{
	const struct request *r = c->req;

	metrics_request(block(c), r->canon.op, r->outcome, r->status);
	if (r->outcome == METRICS_DENY) {
		metrics_refusal(block(c), r->why.rule);
	} else if (r->outcome == METRICS_ERROR && r->status / 100 == 4) {
		metrics_refusal(block(c), "");
	}
	if (r->streams) {
		metrics_add(
		    &block(c)->role[r->role_slot].streams, (uint64_t)-1);
	}
}
