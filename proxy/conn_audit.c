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
#include "base/text.h"
#include "conn_impl.h"
#include "policy/gist.h"
#include "policy/json.h"
#include "policy/redact.h"
#include "traceparent.h"

#define AUDIT_MADE_SIZE 256 /* a name that dockerd takes for a volume */
/* The record's own size is LIMIT_AUDIT_RECORD_BYTES. */
#define AUDIT_REQUEST_BYTES (LIMIT_AUDIT_RECORD_BYTES / 4)

static enum audit_level
level(const struct request *r)
{
	return policy_audit_level(r->role, r->canon.op);
}

/* The body as it was judged; empty where nobody read it. */
static struct span
judged_body(const struct request *r)
{
	struct span body = span_of("");
	bool replaced;

	if (r->decision != NULL) {
		body = policy_new_body(r->decision, &replaced);
	}
	if (body.len == 0 && r->collect) {
		body = buf_span(&r->collected);
	}
	return body;
}

/* Query, and of the body what rules look at, into out. */
static void
put_facts(const struct request *r, struct buf *out, struct audit_event *e)
{
	struct buf gist;

	buf_init(&gist, AUDIT_REQUEST_BYTES);
	if (gist_write(judged_body(r), &gist) == ERR_OK &&
	    (gist.len > 0 || r->canon.n_query > 0) &&
	    redact_request(&r->canon, buf_span(&gist), out) == ERR_OK) {
		e->facts = buf_span(out);
	}
	buf_fini(&gist);
}

/* Query and body as they were judged, into out. */
static void
put_request(const struct request *r, struct buf *out, struct audit_event *e)
{
	struct span body = judged_body(r);
	enum err rc;

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

/* operations that make something, and what dockerd's answer calls it */
static const struct {
	const char *op;
	const char *member;
} makers[] = {
	{ "ContainerCreate", "Id" },
	{ "ContainerExec", "Id" },
	{ "ImageCommit", "Id" },
	{ "NetworkCreate", "Id" },
	{ "VolumeCreate", "Name" },
	{ "ServiceCreate", "ID" },
	{ "SecretCreate", "ID" },
	{ "ConfigCreate", "ID" },
};

static const char *
member_of(const struct op *op)
{
	size_t i;

	for (i = 0; i < NELEM(makers) && op != NULL; i++) {
		if (strcmp(makers[i].op, op->name) == 0) {
			return makers[i].member;
		}
	}
	return NULL;
}

bool
request_makes(const struct request *r)
{
	return r->answer.status == 201 && member_of(r->canon.op) != NULL;
}

/* What it is called that was made; "" where nobody can tell. */
static void
take_made(const struct request *r, char *out, size_t size)
{
	const char *member = member_of(r->canon.op);
	struct json_doc *doc = NULL;
	struct span s = span_of("");

	out[0] = '\0';
	if (member != NULL && r->told.len > 0 &&
	    json_parse(buf_span(&r->told), JSON_STRICT, &doc, NULL) == ERR_OK &&
	    json_type(json_root(doc)) == JSON_OBJECT) {
		s = json_text(json_get(json_root(doc), member));
	}
	if (s.len > 0 && s.len < size && text_is_printable(s)) {
		memcpy(out, s.p, s.len);
		out[s.len] = '\0';
	}
	json_free(doc);
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
		.cipher = conn_cipher_name(c),
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
	char made[AUDIT_MADE_SIZE];

	if (c->w->gate->audit == NULL) {
		return;
	}
	buf_init(&asked, AUDIT_REQUEST_BYTES);
	if (kind == AUDIT_DECISION && level(r) == AUDIT_LEVEL_REQUEST) {
		put_request(r, &asked, &e);
	} else if (kind == AUDIT_DECISION && level(r) != AUDIT_LEVEL_NONE) {
		put_facts(r, &asked, &e);
	}
	if (kind == AUDIT_END) {
		take_made(r, made, sizeof(made));
		e.made = made;
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
