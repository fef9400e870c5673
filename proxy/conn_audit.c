/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a connection's requests goes on record, and whether it can.
 *
 * Attackers fill the disk of the log first, then act: in "required" mode
 * nothing changes state while nobody could tell of it.
 */
#include "conn_impl.h"

void
request_audit(struct conn *c, enum audit_kind kind, const char *decision)
{
	struct request *r = c->req;
	struct audit_event e = {
		.kind = kind,
		.id = r->id,
		.who = &c->who,
		.tls = conn_tls_name(c),
		.method = r->canon.method,
		.path = r->canon.path,
		.op = r->canon.op,
		.object = r->canon.object,
		.object_id = r->decision == NULL
				 ? span_of("")
				 : policy_object_id(r->decision),
		.decision = decision,
		.why = &r->why,
		.status = r->status,
		.client_bytes = r->body.bytes + r->client_bytes,
		.daemon_bytes = r->answer_body.bytes + r->daemon_bytes,
		.duration_ms = (uint64_t)(loop_now_ms() - r->start_ms),
		.ended = r->ended == NULL ? "complete" : r->ended,
	};

	audit_write(c->w->gate->audit, &e);
	if (kind == AUDIT_END) {
		r->audited = false;
	}
}

/* All but what only reads and was allowed. */
static bool
is_audited(const struct request *r)
{
	const struct op *op = r->canon.op;

	return op == NULL || op->changes_state || op->mode != OP_MODE_PLAIN;
}

void
request_audit_allowed(struct conn *c)
{
	if (is_audited(c->req)) {
		c->req->audited = true;
		request_audit(c, AUDIT_DECISION, "allow");
	}
}

bool
request_may_be_recorded(struct conn *c)
{
	const struct op *op = c->req->canon.op;
	char why[256];

	if ((op != NULL && !op->changes_state) ||
	    audit_permits(c->w->gate->audit, why, sizeof(why))) {
		return true;
	}
	c->req->why.rule = "audit-required";
	(void)answer_error(c, 503, "%s", why);
	return false;
}
