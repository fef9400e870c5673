/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /_dinv/renew: a client whose role may (CertificateRenew) gets its next
 * certificate over the connection that its present one opened.
 *
 * The body is a certificate request by the same key; who it is for was
 * settled by the handshake.  Another process signs (issuer.h), and looks at
 * all of this again, because it does not trust this one.
 *
 * A role that only observes lets requests pass to dockerd that it refuses;
 * nothing of that kind is meant here: it has to be allowed.
 *
 * Attackers: a client whose time is nearly over, or who was told to go; the
 * ledger knows the latter, and the operator who may do this at all.
 */
#include <stdio.h>

#include "base/text.h"
#include "certs/csr.h"
#include "conn_impl.h"

static bool
is_observed_only(const struct request *r)
{
	const struct policy_report *report =
	    r->decision == NULL ? NULL : policy_report(r->decision);

	return report != NULL && report->refused.n + report->refused.more > 0;
}

static enum step
refuse_body(struct conn *c)
{
	return answer_error(c, 400,
	    "the body must be a certificate request (PKCS #10, in PEM) by the "
	    "key that you have: dinv enroll -renew sends one");
}

/* JSON carries it to the other process, which says what else is wrong. */
static bool
may_be_pem(struct span s)
{
	return s.len <= CSR_BYTES_MAX && text_is_utf8(s) &&
	       memchr(s.p, '\0', s.len) == NULL;
}

enum step
renew_begin(struct conn *c)
{
	struct request *r = c->req;

	if (is_observed_only(r)) {
		return answer_error(c, 403,
		    "the role %s only observes, and has no right to "
		    "CertificateRenew",
		    r->why.role);
	}
	if (c->who.kind != PRINCIPAL_CERT) {
		return answer_error(
		    c, 403, "only who shows a certificate has one to renew");
	}
	if (!r->canon.has_body) {
		return refuse_body(c);
	}
	return request_collect(c);
}

bool
request_renews(const struct request *r)
{
	return r->canon.op != NULL && r->canon.op->mode == OP_MODE_GATE;
}

static void
on_issued(void *arg)
{
	struct conn *c = arg;

	c->req->issued = true;
	conn_pump(c);
}

/* The request is there. */
enum step
renew_ask(struct conn *c)
{
	struct request *r = c->req;
	struct issuer_ask ask = { .csr = buf_span(&r->collected) };
	struct buf pem;
	enum err rc;

	if (ask.csr.len == 0 || !may_be_pem(ask.csr)) {
		return refuse_body(c);
	}
	buf_init(&pem, LIMIT_ISSUE_ASK_BYTES / 4);
	rc = tls_peer_pem(c->client.s, &pem);
	if (rc == ERR_OK) {
		ask.certificate = buf_span(&pem);
		rc = issuer_start(&c->w->gate->issuer, c->w->loop, &ask,
		    on_issued, c, &r->issue);
	}
	buf_fini(&pem);
	if (rc == ERR_LIMIT) {
		return answer_error(c, 503,
		    "too many certificates are being issued at a time: try "
		    "again in a moment");
	}
	if (rc != ERR_OK) {
		return answer_error(c, 503, "%s", err_text(rc));
	}
	conn_goto(c, CS_ISSUE);
	return STEP_AGAIN;
}

enum step
step_issue(struct conn *c)
{
	struct request *r = c->req;
	const struct issuer_reply *reply;

	if (!r->issued) {
		return STEP_BLOCKED;
	}
	reply = issuer_reply(r->issue);
	r->why.rule = reply->rule;
	r->serial = reply->serial;
	return answer_json(c, reply->status,
	    reply->status == 200   ? "allow"
	    : reply->status == 503 ? "error"
				   : "deny",
	    buf_span(&reply->body));
}
