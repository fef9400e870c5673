/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One decision, from the head to the verdict; see policy.h.
 *
 * Every check can only refuse; what passes all of them is allowed.  A role
 * that only observes is asked all of them too: observe.c says why that lets
 * nothing through that another refuses.  The order is that of cost and of what
 * an asker may learn: who, protocol, operation, query, body, and then what
 * dockerd says about the objects (facts.c).  The body that goes on is the one
 * the walk wrote.
 *
 * A role without constraints is asked none of this but the protocol: its
 * bodies go on unread, because reading them would promise a check that is not
 * made.
 *
 * Attackers look for a request that is judged as one thing and carried out as
 * another: so what is judged is the canonical request (request.c), an unknown
 * operation is refused, and nothing here falls back to "allow" on a failure.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "decision.h"
#include "tenant.h"

/* The body written anew; numbers and texts may grow by escaping. */
#define NEW_BODY_MAX ((size_t)32 * 1024 * 1024)

/* --- reasons ------------------------------------------------------------- */

static void
start_why(const struct decision *d, struct policy_why *why)
{
	why->role = d->role == NULL ? "" : d->role->name;
	why->rule = "";
	why->path[0] = '\0';
	why->line = d->line;
	why->status = 403;
	why->message[0] = '\0';
	why->tenant[0] = '\0';
	if (d->tenant.len > 0 && d->tenant.len < sizeof(why->tenant)) {
		memcpy(why->tenant, d->tenant.p, d->tenant.len);
		why->tenant[d->tenant.len] = '\0';
	}
}

static void __attribute__((format(printf, 5, 0)))
write_why(const struct decision *d, struct policy_why *why, enum rule r,
    const char *path, const char *fmt, va_list ap)
{
	char what[280];

	start_why(d, why);
	why->rule = rule_name(r);
	snprintf(why->path, sizeof(why->path), "%s", path);
	vsnprintf(what, sizeof(what), fmt, ap);
	snprintf(why->message, sizeof(why->message),
	    "dinv: role %.60s refuses %s (rule %s%s%.100s)", why->role, what,
	    why->rule, path[0] == '\0' ? "" : ", at ", path);
}

enum verdict
decision_refuse(struct decision *d, struct policy_why *why, enum rule r,
    const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_why(d, why, r, path, fmt, ap);
	va_end(ap);
	d->refused = true;
	observe_refusal(d, r, why);
	decision_about(d, span_make(NULL, 0));
	return VERDICT_DENY;
}

void
decision_about(struct decision *d, struct span value)
{
	d->about = value;
	d->how = NULL;
}

enum verdict
decision_taken(struct decision *d, struct policy_why *why, const char *path,
    const char *fmt, ...)
{
	va_list ap;

	start_why(d, why);
	d->refused = true;
	why->rule = rule_name(RULE_TENANT);
	why->status = 409;
	snprintf(why->path, sizeof(why->path), "%s", path);
	va_start(ap, fmt);
	vsnprintf(why->message, sizeof(why->message), fmt, ap);
	va_end(ap);
	return VERDICT_DENY;
}

enum verdict
decision_fail(struct decision *d, struct policy_why *why, enum err rc)
{
	return decision_refuse(d, why, RULE_INTERNAL, "",
	    "what it cannot decide: %s", err_text(rc));
}

static enum verdict
refuse_stranger(const struct principal *who, struct policy_why *why)
{
	struct decision nobody = { .role = NULL };

	start_why(&nobody, why);
	why->rule = rule_name(RULE_NO_CLIENT);
	switch (who->kind) {
	case PRINCIPAL_CERT:
		snprintf(why->message, sizeof(why->message),
		    "dinv: no client entry of the policy matches certificate "
		    "%s; ask the owner of this host",
		    quote(who->cn).s);
		break;
	case PRINCIPAL_LOCAL:
		snprintf(why->message, sizeof(why->message),
		    "dinv: no client entry of the policy matches uid %u, gid "
		    "%u; ask the owner of this host",
		    who->uid, who->gid);
		break;
	case PRINCIPAL_ANONYMOUS:
	case PRINCIPAL_NONE:
		snprintf(why->message, sizeof(why->message),
		    "dinv: no client entry of the policy matches a client "
		    "without a certificate; ask the owner of this host");
		break;
	}
	return VERDICT_DENY;
}

/* --- protocol and operation ---------------------------------------------- */

/* Which upgrade an operation may ask for; none but these is passed on. */
static const enum upgrade upgrade_of[] = {
	[OP_MODE_PLAIN] = UPGRADE_NONE,
	[OP_MODE_STREAM] = UPGRADE_NONE,
	[OP_MODE_HIJACK] = UPGRADE_TCP,
	[OP_MODE_H2C] = UPGRADE_H2C,
	[OP_MODE_GATE] = UPGRADE_NONE,
	[OP_MODE_WEBSOCKET] = UPGRADE_WEBSOCKET,
};

static enum verdict
judge_upgrade(struct decision *d, struct policy_why *why)
{
	enum upgrade u = d->req->upgrade;
	const struct op *op = d->req->op;

	if (u == UPGRADE_NONE || (op != NULL && upgrade_of[op->mode] == u)) {
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_UPGRADE, "",
	    "to change the protocol of %s",
	    op == NULL ? "this request" : op->name);
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/*
 * What its asker can do.  "docker inspect X" looks for one kind of object
 * after another and goes on where an error holds the words "not supported"
 * (docker/cli command/system/inspect.go isErrSkippable); with others it would
 * not get as far as to say that there is no X.
 */
static const char *
instead_of(const struct op *op)
{
	if (ends_with(op->name, "Inspect")) {
		return "not supported for it";
	}
	return ends_with(op->name, "Prune") ? "remove what is yours by its name"
					    : "ask the owner of this host";
}

static enum verdict
judge_version(struct decision *d, struct policy_why *why)
{
	if (d->req->api_minor <= OPS_API_MINOR_MAX) {
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_API_VERSION, "",
	    "API versions above 1.%d, which it does not know (set "
	    "DOCKER_API_VERSION=1.%d)",
	    OPS_API_MINOR_MAX, OPS_API_MINOR_MAX);
}

static enum verdict
judge_right(struct decision *d, struct policy_why *why)
{
	const struct op *op = d->req->op;

	if (op == NULL) {
		return decision_refuse(d, why, RULE_UNKNOWN_OP, "",
		    "%s %s, an operation that it does not know",
		    method_name(d->req->method), quote(d->req->path).s);
	}
	if (d->role->line_of[ops_index(op)] != 0) {
		d->line = d->role->line_of[ops_index(op)];
	}
	if (!d->role->allowed[ops_index(op)] && !condition_may_allow(d)) {
		return decision_refuse(d, why, RULE_OP, "",
		    "the operation %s (%s)", op->name, instead_of(op));
	}
	if (d->role->owned && tenant_how(op) == OWN_NEVER) {
		return decision_refuse(d, why, RULE_TENANT, "",
		    "the operation %s, which cannot be held to what a tenant "
		    "owns",
		    op->name);
	}
	return VERDICT_ALLOW;
}

static enum verdict
judge_readable(struct decision *d, struct policy_why *why)
{
	const struct op *op = d->req->op;

	if (op != NULL && op->body == OP_BODY_JSON && op->fields == NULL) {
		return decision_refuse(d, why, RULE_UNJUDGED, "",
		    "%s, whose body it cannot judge", op->name);
	}
	if (op != NULL && op->mode == OP_MODE_H2C && !d->role->buildkit) {
		return decision_refuse(d, why, RULE_BUILDKIT, "",
		    "BuildKit sessions, which it cannot look into (set "
		    "DOCKER_BUILDKIT=0)");
	}
	return VERDICT_ALLOW;
}

static enum verdict
judge_operation(struct decision *d, struct policy_why *why)
{
	enum verdict v = judge_version(d, why);

	if (!decision_ends(d, v)) {
		v = judge_right(d, why);
	}
	return decision_ends(d, v) ? v : judge_readable(d, why);
}

/* The media type, without parameters (RFC 9110 8.3.1). */
static bool
is_json(struct span v)
{
	const char *semi = memchr(v.p, ';', v.len);

	if (semi != NULL) {
		v.len = (size_t)(semi - v.p);
	}
	return span_is_nocase(text_trim(v), "application/json");
}

static enum verdict
judge_content_type(struct decision *d, struct policy_why *why)
{
	const struct canon_req *req = d->req;
	size_t i, n = 0;

	for (i = 0; i < req->n_headers; i++) {
		if (!span_is_nocase(req->headers[i].name, "content-type")) {
			continue;
		}
		if (++n > 1 || !is_json(req->headers[i].value)) {
			return decision_refuse(d, why, RULE_CONTENT_TYPE, "",
			    "a body that is not one of application/json");
		}
	}
	return VERDICT_ALLOW;
}

/* --- the steps ----------------------------------------------------------- */

/* Operations that work inside a container or give its files away. */
static const char *const touching[] = {
	"ContainerExec",
	"ContainerAttach",
	"ContainerAttachWebsocket",
	"ContainerStart",
	"ContainerRestart",
	"ContainerUpdate",
	"ContainerExport",
	"ContainerArchiveInfo",
	"ContainerArchive",
	"PutContainerArchive",
	"CheckpointCreate",
};

bool
decision_touches(const struct op *op)
{
	size_t i;

	for (i = 0; i < NELEM(touching); i++) {
		if (strcmp(op->name, touching[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* What dockerd must be asked about before any body is looked at. */
static enum err
need_subject(struct decision *d)
{
	const struct canon_req *req = d->req;
	const char *name = req->op->name;
	struct span s = { NULL, 0 };
	enum err rc = ERR_OK;

	if (d->role->owned) {
		return owned_need_subject(d);
	}
	if (strcmp(name, "ExecStart") == 0 || strcmp(name, "ExecResize") == 0) {
		return decision_need(d, FACT_EXEC, req->object, "");
	}
	if (strcmp(name, "NetworkConnect") == 0) {
		rc = decision_need(d, FACT_NETWORK, req->object, "");
		if (rc == ERR_OK && !span_is(req->object, "bridge")) {
			d->facts->subject = true;
		}
		return rc;
	}
	if (strcmp(name, "ImageCommit") == 0) {
		if (!canon_query(req, "container", &s) || s.len == 0) {
			return ERR_OK; /* dockerd answers 404 */
		}
		rc = decision_need(d, FACT_CONTAINER, s, "");
	}
	if (decision_touches(req->op)) {
		rc = decision_need(d, FACT_CONTAINER, req->object, "");
	}
	if (rc == ERR_OK && d->facts != NULL &&
	    d->facts->kind == FACT_CONTAINER) {
		d->facts->subject = true;
	}
	return rc;
}

/* What stands in the head, but for who and protocol. */
static enum verdict
judge_head(struct decision *d, struct policy_why *why)
{
	const struct op *op = d->req->op;
	enum verdict v = judge_operation(d, why);

	if (decision_ends(d, v) || op == NULL) {
		return v;
	}
	v = query_judge(d, why);
	if (!decision_ends(d, v) && d->role->limits.any) {
		v = constraint_query(d, why);
	}
	if (!decision_ends(d, v) && d->role->owned) {
		v = owned_query(d, why);
	}
	if (!decision_ends(d, v) && d->role->n_rules > 0) {
		v = condition_judge(d, NULL,
		    op->body != OP_BODY_JSON || !d->req->has_body, why);
	}
	if (!decision_ends(d, v) && op->body == OP_BODY_JSON &&
	    d->req->has_body) {
		v = judge_content_type(d, why);
	}
	return v;
}

static void
observe_head(struct decision *d)
{
	struct decision bare;
	struct policy_why why;

	if (d->report != NULL && d->req->op != NULL) {
		bare = observe_bare(d);
		(void)judge_readable(&bare, &why);
		(void)query_judge(&bare, &why);
		(void)constraint_query(&bare, &why);
		observe_join(d, &bare);
	}
}

static enum verdict
judge_request(struct decision *d, struct policy_why *why)
{
	const struct op *op = d->req->op;
	enum verdict v = VERDICT_ALLOW;
	enum err rc;

	if (!d->role->unconstrained) {
		v = judge_head(d, why);
	}
	if (decision_ends(d, v) || op == NULL) {
		return v;
	}
	observe_head(d);
	if (op->body != OP_BODY_STREAM) {
		d->replace = true; /* with nothing, until a body was judged */
	}
	if (op->body == OP_BODY_JSON && op->fields != NULL &&
	    d->req->has_body) {
		return VERDICT_NEED_BODY;
	}
	rc = need_subject(d);
	return rc == ERR_OK ? decision_next(d, why) : decision_fail(d, why, rc);
}

enum verdict
policy_begin(const struct policy *pol, const struct principal *who,
    const struct canon_req *req, struct arena *arena, struct decision **out,
    struct policy_why *why)
{
	const struct client *c = policy_client(pol, who);
	struct decision start = { .req = req, .arena = arena };
	struct decision *d = arena_alloc(arena, sizeof(*d));
	enum verdict v;

	if (c == NULL || c->role == NULL) {
		return refuse_stranger(who, why);
	}
	start.role = c->role;
	start.line = c->line;
	start_why(&start, why);
	if (d == NULL) {
		return decision_fail(&start, why, ERR_NOMEM);
	}
	*d = start;
	v = tenant_begin(d, pol, c, who, why);
	if (v == VERDICT_ALLOW) {
		v = judge_upgrade(d, why);
	}
	if (v == VERDICT_ALLOW && policy_observes(pol, d->role) &&
	    d->tenant.len == 0) {
		observe_start(d);
	}
	if (v == VERDICT_ALLOW &&
	    (!d->role->unconstrained || d->report != NULL)) {
		v = judge_request(d, why);
	}
	v = decision_settle(d, v, why);
	why->line = d->line;
	if (v != VERDICT_DENY) {
		*out = d;
	}
	return v;
}

static enum verdict
walk_body(struct decision *d, const struct json_node *root, size_t len,
    struct policy_why *why)
{
	struct walk w = {
		.may = d->role->may,
		.api_minor = d->req->api_minor,
		.limits = &d->role->limits,
		.force = constraint_forces(&d->role->limits, d->req->op),
		.extras = &d->role->extras,
		.op = d->req->op,
		.need = decision_walk_need,
		.note = decision_walk_note,
		.refused = observe_walks(d),
		.refused_arg = d,
		.uses = d->bare,
		.arg = d,
	};
	struct buf out;
	enum err rc;

	buf_init(&out, NEW_BODY_MAX);
	w.out = d->report == NULL ? &out : NULL;
	/* It is seldom larger than what it is written from. */
	rc = buf_reserve(&out, len + 256) == NULL
		 ? ERR_NOMEM
		 : fields_walk(&w, d->req->op->fields, root);
	if (w.err == ERR_OK && !w.mistyped && rc != ERR_NOMEM &&
	    (d->role->limits.any || d->bare)) {
		constraint_body(&w, d->req->op, root);
		rc = walk_result(&w);
	}
	if (rc == ERR_POLICY) {
		buf_fini(&out);
		return w.refused != NULL
			   ? VERDICT_DENY
			   : decision_refuse(d, why, w.found.rule, w.found.path,
				 "%s", w.found.what);
	}
	if (rc == ERR_OK) {
		d->body = arena_span(d->arena, buf_span(&out));
		rc = d->body.p == NULL ? ERR_NOMEM : ERR_OK;
	}
	buf_fini(&out);
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

static enum verdict
judge_body(struct decision *d, struct span body, struct policy_why *why)
{
	struct json_doc *doc = NULL;
	struct diag diag = { 0, 0, "" };
	enum verdict v = VERDICT_ALLOW;
	struct policy_why unsaid;
	struct decision bare;
	enum err rc = json_parse(body, JSON_STRICT, &doc, &diag);

	if (rc != ERR_OK) {
		return decision_refuse(d, why, RULE_BODY, "",
		    "a body that is not strict JSON: line %u column %u, %s",
		    diag.line, diag.col,
		    diag.text[0] == '\0' ? err_text(rc) : diag.text);
	}
	if (!d->role->unconstrained) {
		v = walk_body(d, json_root(doc), body.len, why);
		if (v == VERDICT_ALLOW && d->role->owned) {
			rc = owned_body(d, json_root(doc));
			v = rc == ERR_OK ? v : decision_fail(d, why, rc);
		}
		if (v == VERDICT_ALLOW) {
			v = condition_judge(d, json_root(doc), true, why);
		}
	}
	if (d->report != NULL) {
		bare = observe_bare(d);
		(void)walk_body(&bare, json_root(doc), body.len, &unsaid);
		observe_join(d, &bare);
	}
	json_free(doc);
	return v;
}

static enum verdict
judge_whole(struct decision *d, struct span body, struct policy_why *why)
{
	const struct op *op = d->req->op;
	enum verdict v;
	enum err rc;

	if ((d->role->unconstrained && d->report == NULL) || op == NULL ||
	    op->fields == NULL) {
		return decision_fail(d, why, ERR_USAGE);
	}
	rc = need_subject(d);
	if (rc != ERR_OK) {
		return decision_fail(d, why, rc);
	}
	if (body.len == 0 && constraint_wants_labels(&d->role->limits, op)) {
		body = span_of("{}"); /* what dockerd takes nothing for */
	}
	v = body.len > 0 ? judge_body(d, body, why)
			 : condition_judge(d, NULL, true, why);
	return decision_ends(d, v) ? v : decision_next(d, why);
}

enum verdict
policy_body(struct decision *d, struct span body, struct policy_why *why)
{
	enum verdict v;

	start_why(d, why);
	v = decision_settle(d, judge_whole(d, body, why), why);
	why->line = d->line;
	return v;
}

struct span
policy_new_body(const struct decision *d, bool *replace)
{
	*replace = d->replace && !policy_passes_unread(d);
	return *replace ? d->body : span_make(NULL, 0);
}
