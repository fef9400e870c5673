/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a connection's requests goes on record, and whether it can.
 *
 * A record says what was decided and not what should have been: a request
 * that passed because its role only observes is "observe" in both of its
 * records, and never "allow".
 *
 * Attackers fill the disk of the log first, then act: in "required" mode
 * nothing changes state while nobody could tell of it.
 */
#include "conn_impl.h"
#include "policy/redact.h"
#include "traceparent.h"

/* The record's own size is LIMIT_AUDIT_RECORD_BYTES. */
#define AUDIT_REQUEST_BYTES (LIMIT_AUDIT_RECORD_BYTES / 4)

static enum audit_level
level(const struct request *r)
{
	return policy_audit_level(r->role, r->canon.op);
}

/* Query and body as they were judged, into out. */
static void
put_request(const struct request *r, struct buf *out, struct audit_event *e)
{
	struct span body = span_of("");
	bool replaced;
	enum err rc;

	if (r->decision != NULL) {
		body = policy_new_body(r->decision, &replaced);
	}
	if (body.len == 0 && r->collect) {
		body = buf_span(&r->collected);
	}
	if (body.len == 0 && r->canon.has_body) {
		e->request_omitted = "the body was not read";
	}
	rc = redact_request(&r->canon, body, out);
	if (rc == ERR_OK) {
		e->request = buf_span(out);
	} else {
		e->request_omitted = err_text(rc);
	}
}

static const struct policy_report *
report_of(const struct request *r)
{
	return r->decision == NULL ? NULL : policy_report(r->decision);
}

/* "allow" of a request that only an observing role lets through. */
static const char *
allowed_as(const struct request *r)
{
	const struct policy_report *report = report_of(r);

	return report != NULL && report->refused.n + report->refused.more > 0
		   ? "observe"
		   : "allow";
}

void
request_audit(struct conn *c, enum audit_kind kind, const char *decision)
{
	struct request *r = c->req;
	struct audit_event e = {
		.kind = kind,
		.id = r->id,
		.traceparent = traceparent_of(&r->head),
		.who = &c->who,
		.tls = conn_tls_name(c),
		.method = r->canon.method,
		.path = r->canon.path,
		.op = r->canon.op,
		.object = r->canon.object,
		.object_id = r->serial != NULL ? span_of(r->serial)
			     : r->decision == NULL
				 ? span_of("")
				 : policy_object_id(r->decision),
		.decision =
		    strcmp(decision, "allow") == 0 ? allowed_as(r) : decision,
		.report = report_of(r),
		.why = &r->why,
		.notes = r->decision == NULL ? "" : policy_notes(r->decision),
		.status = r->status,
		.client_bytes = r->body.bytes + r->client_bytes,
		.daemon_bytes = r->answer_body.bytes + r->daemon_bytes,
		.duration_ms = (uint64_t)(loop_now_ms() - r->start_ms),
		.ended = r->ended == NULL ? "complete" : r->ended,
	};
	struct buf asked;

	if (c->w->gate->audit == NULL) {
		return;
	}
	buf_init(&asked, AUDIT_REQUEST_BYTES);
	if (kind == AUDIT_DECISION && level(r) == AUDIT_LEVEL_REQUEST) {
		put_request(r, &asked, &e);
	}
	audit_write(c->w->gate->audit, &e);
	buf_fini(&asked);
	if (kind == AUDIT_END) {
		r->audited = false;
	}
}

static bool
only_reads(const struct op *op)
{
	return op != NULL && !op->changes_state && op->mode == OP_MODE_PLAIN;
}

void
request_audit_allowed(struct conn *c)
{
	struct request *r = c->req;
	bool reads = only_reads(r->canon.op);
	enum audit_level l = level(r);

	/* What is observed always, for "dinv policy learn". */
	if (report_of(r) != NULL) {
		r->audited = true;
		request_audit(c, AUDIT_DECISION, "allow");
		return;
	}
	r->audited =
	    l != AUDIT_LEVEL_NONE && (l != AUDIT_LEVEL_USUAL || !reads);
	/* Of a plain read one record says all: that of its end. */
	if (r->audited && (!reads || l == AUDIT_LEVEL_REQUEST)) {
		request_audit(c, AUDIT_DECISION, "allow");
	}
}

bool
request_may_be_recorded(struct conn *c)
{
	const struct op *op = c->req->canon.op;
	char why[256];

	if ((op != NULL && !op->changes_state) ||
	    level(c->req) == AUDIT_LEVEL_NONE ||
	    audit_permits(c->w->gate->audit, why, sizeof(why))) {
		return true;
	}
	c->req->why.rule = "audit-required";
	(void)answer_error(c, 503, "%s", why);
	return false;
}
