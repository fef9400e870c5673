/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request: from its head to the decision, and its head for dockerd.
 *
 * The order is the argument: the head is read strictly (http1.c), the target
 * is made canonical (policy/request.c), policy decides on that and on a body
 * that was read whole (policy/policy.c), and what goes to dockerd is written
 * from what was judged: request line, headers, framing and, for roles with
 * constraints, JSON.  No byte of the client's head goes on as it came.
 *
 * Attackers want dockerd to read another request than the one that was
 * judged: by framing, encodings, form bodies that override the query, a
 * second request inside an upgrade.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "conn_impl.h"

/* dockerd reads no host; buildx sends none (an empty one). */
#define UPSTREAM_HOST "Host: docker\r\n"

void
request_free(struct conn *c)
{
	struct request *r = c->req;

	if (r == NULL) {
		return;
	}
	request_count_end(c);
	issuer_job_free(r->issue);
	buf_fini(&r->collected);
	atomic_fetch_sub(&c->w->gate->bodies, r->set_aside);
	buf_fini(&r->fact);
	buf_fini(&r->told);
	body_fini(&r->body);
	body_fini(&r->answer_body);
	arena_fini(&r->arena);
	shared_policy_drop(r->policy);
	free(r);
	c->req = NULL;
}

static struct request *
request_new(struct conn *c)
{
	struct request *r = calloc(1, sizeof(*r));
	struct timespec ts;

	if (r == NULL) {
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	(void)snprintf(r->id, sizeof(r->id), "%llx-%u-%llx",
	    (unsigned long long)ts.tv_sec, c->w->number,
	    (unsigned long long)++c->w->requests);
	r->start_ms = loop_now_ms();
	arena_init(&r->arena, LIMIT_ARENA_BYTES);
	buf_init(&r->collected, c->w->gate->limits.body_bytes);
	buf_init(&r->fact, LIMIT_FACT_BYTES);
	buf_init(&r->told, LIMIT_TOLD_BYTES);
	body_init(&r->body, BODY_NONE, 0);
	body_init(&r->answer_body, BODY_NONE, 0);
	return r;
}

/* --- states before the decision ------------------------------------------ */

enum step
step_idle(struct conn *c)
{
	daemon_refresh(c);
	if (c->client_in.len > 0) {
		conn_goto(c, CS_HEAD);
		return STEP_AGAIN;
	}
	/* Also in a stop: what was sent before it is answered. */
	if (end_read(&c->client, &c->client_in)) {
		return c->client.rd == IO_FAIL ? conn_closed(c, "client_lost")
					       : STEP_AGAIN;
	}
	/* In a drain, one more request is answered, and told to be the last. */
	if (c->client.eof || (c->stopping && !c->w->draining)) {
		conn_goto(c, CS_LINGER);
		return STEP_AGAIN;
	}
	return STEP_BLOCKED;
}

/* RFC 9110 8.3: the media type alone, without parameters. */
static struct span
media_type(const struct http_head *h)
{
	const struct header *ct = http1_find(h, "content-type");
	const char *semi;

	if (ct == NULL) {
		return span_of("");
	}
	semi = memchr(ct->value.p, ';', ct->value.len);
	return text_trim(span_make(ct->value.p,
	    semi == NULL ? ct->value.len : (size_t)(semi - ct->value.p)));
}

/*
 * moby api/server/httputils.ParseForm: a form in the body wins over the
 * query that was judged.  Go trims and lower-cases the type as Unicode, so
 * that "appl\u0130cation" and a no-break space make a form too: a type that
 * is not plain "token/token" is none that anyone here has to read.
 */
static bool
type_is_sound(const struct http_head *h)
{
	struct span type = media_type(h), sub;
	const char *slash;

	if (http1_find(h, "content-type") == NULL) {
		return true;
	}
	slash = memchr(type.p, '/', type.len);
	if (slash == NULL) {
		return false;
	}
	sub = span_make(slash + 1, (size_t)(type.p + type.len - slash) - 1);
	return text_is_token(span_make(type.p, (size_t)(slash - type.p))) &&
	       text_is_token(sub) &&
	       text_is_printable(http1_find(h, "content-type")->value) &&
	       !span_is_nocase(type, "application/x-www-form-urlencoded") &&
	       !span_starts_nocase(type, "multipart/");
}

static enum step
refuse_head(struct conn *c, enum err rc, const struct diag *d)
{
	unsigned status = 400;

	switch (rc) {
	case ERR_HTTP_VERSION:
		status = 505;
		break;
	case ERR_HTTP_EXPECT:
		status = 417;
		break;
	case ERR_HTTP_HEAD_LIMIT:
		status = 431;
		break;
	case ERR_NOMEM:
		status = 503;
		break;
	default:
		break;
	}
	c->req->keep = false;
	c->req->why.rule = err_tag(rc);
	return answer_error(c, status, "%s: %s", err_text(rc),
	    d->text[0] != '\0' ? d->text : err_tag(rc));
}

/* dockerd reads no body here, or what it leaves unread becomes stdin. */
static bool
drops_body(const struct request *r)
{
	const struct op *op = r->canon.op;

	if (op == NULL || op->body != OP_BODY_NONE) {
		return false;
	}
	return !policy_passes_unread(r->decision) || op->mode != OP_MODE_PLAIN;
}

static enum body_out
body_out_for(const struct request *r)
{
	if (drops_body(r)) {
		return BODY_OUT_DISCARD;
	}
	return r->head.body == BODY_CHUNKED ? BODY_OUT_CHUNKED : BODY_OUT_PLAIN;
}

/* Memory for a body is set aside before its first byte: what all clients
 * together may make the gate hold has one bound. */
static bool
set_aside(struct conn *c)
{
	struct request *r = c->req;
	const struct limits *l = &c->w->gate->limits;

	r->set_aside = r->head.body == BODY_LENGTH ? (size_t)r->head.length
						   : l->body_bytes;
	return atomic_fetch_add(&c->w->gate->bodies, r->set_aside) +
		   r->set_aside <=
	       l->bodies_bytes;
}

enum step
request_collect(struct conn *c)
{
	struct request *r = c->req;
	const struct limits *l = &c->w->gate->limits;

	r->collect = true;
	body_init(&r->body, r->head.body, r->head.length);
	if (r->head.body == BODY_LENGTH && r->head.length > l->body_bytes) {
		return answer_error(c, 413,
		    "the body is larger than "
		    "limits.body_bytes (%u)",
		    l->body_bytes);
	}
	if (!set_aside(c)) {
		return answer_error(c, 503,
		    "too many bodies are being read "
		    "at a time (limits.bodies_bytes); try again");
	}
	if (r->head.expect_continue && c->client_in.len == 0) {
		answer_continue(c);
	}
	conn_goto(c, CS_COLLECT);
	return STEP_AGAIN;
}

enum step
request_verdict(struct conn *c, enum verdict v)
{
	struct request *r = c->req;

	daemon_refresh(c);
	switch (v) {
	case VERDICT_NEED_BODY:
		return request_collect(c);
	case VERDICT_NEED_FACT:
		conn_goto(c, c->daemon.s == NULL ? CS_CONNECT : CS_FACT);
		return STEP_AGAIN;
	case VERDICT_ALLOW:
		if (!request_may_be_recorded(c)) {
			return STEP_AGAIN; /* it was answered */
		}
		r->judged = true;
		request_count_verdict(c, METRICS_ALLOW);
		request_audit_allowed(c);
		if (request_renews(r)) {
			return renew_begin(c);
		}
		if (r->head.expect_continue && !r->body.done &&
		    r->body_out == BODY_OUT_DISCARD) {
			answer_continue(c); /* nobody else would */
		}
		conn_goto(c, c->daemon.s == NULL ? CS_CONNECT : CS_EXCHANGE);
		if (c->state == CS_EXCHANGE &&
		    request_write_head(c) != ERR_OK) {
			return conn_closed(c, "internal");
		}
		return STEP_AGAIN;
	case VERDICT_DENY:
		break;
	}
	return answer_denied(c);
}

/* From the head to policy's first word. */
static enum step
judge_head(struct conn *c)
{
	struct request *r = c->req;
	struct diag d = { 0, 0, "" };
	enum method method = method_parse(r->head.method);
	uint64_t began;
	enum verdict v;
	enum err rc;

	if (r->head.target.len > c->w->gate->limits.target_bytes) {
		r->keep = false;
		return answer_error(c, 414,
		    "the request target is longer than "
		    "limits.target_bytes (%u)",
		    c->w->gate->limits.target_bytes);
	}
	if (method == METHOD_NONE) {
		diag_set(&d, 0, 0, "dockerd knows no such method");
		return refuse_head(c, ERR_HTTP_SYNTAX, &d);
	}
	rc = canon_request(&r->arena, method, r->head.target, &r->canon, &d);
	if (rc != ERR_OK) {
		return refuse_head(c, rc, &d);
	}
	r->canon.headers = r->head.headers;
	r->canon.n_headers = r->head.n_headers;
	r->canon.upgrade = r->head.upgrade;
	r->canon.has_body = r->head.body == BODY_CHUNKED ||
			    (r->head.body == BODY_LENGTH && r->head.length > 0);
	if (r->canon.has_body && !type_is_sound(&r->head)) {
		r->why.rule = "content-type";
		r->keep = false;
		return answer_error(c, 415,
		    "this Content-Type is not taken: "
		    "dockerd lets form bodies override the query; send "
		    "application/json or application/x-tar");
	}
	r->policy = shared_policy_hold(c->w->policy);
	began = metrics_now_ns();
	v = policy_begin(shared_policy_get(r->policy), &c->who, &r->canon,
	    &r->arena, &r->decision, &r->why);
	r->role = policy_role(shared_policy_get(r->policy), &c->who);
	r->policy_ns = metrics_now_ns() - began;
	if (v == VERDICT_DENY || v == VERDICT_NEED_BODY) {
		return request_verdict(c, v);
	}
	r->body_out = body_out_for(r);
	return request_verdict(c, v);
}

/* The head is whole: len bytes at the front of client_in. */
static enum step
take_head(struct conn *c, size_t len)
{
	struct request *r = request_new(c);
	struct diag d = { 0, 0, "" };
	struct span head;
	enum err rc;

	if (r == NULL) {
		return conn_closed(c, "memory");
	}
	c->req = r;
	head = arena_span(&r->arena, span_make(buf_span(&c->client_in).p, len));
	buf_consume(&c->client_in, len);
	c->scanned = 0;
	if (head.p == NULL) {
		return conn_closed(c, "memory");
	}
	r->why.role = r->why.rule = "";
	rc = http1_parse_request(&r->arena, head, &r->head, &d);
	if (rc != ERR_OK) {
		return refuse_head(c, rc, &d);
	}
	body_init(&r->body, r->head.body, r->head.length);
	if (c->surplus) {
		r->keep = false;
		r->why.rule = "connections-per-client";
		return answer_error(c, 429,
		    "this client has too many connections open "
		    "(limits.connections_per_client is %u): close some",
		    c->w->gate->limits.connections_per_client);
	}
	r->keep = !r->head.close;
	return judge_head(c);
}

enum step
request_refuse_early(struct conn *c, unsigned status, const char *text)
{
	if (c->req == NULL) {
		c->req = request_new(c);
	}
	if (c->req == NULL) {
		return conn_closed(c, "memory");
	}
	c->req->keep = false;
	c->req->why.role = c->req->why.rule = "";
	return answer_error(c, status, "%s", text);
}

enum step
step_head(struct conn *c)
{
	size_t len = http1_head_length(buf_span(&c->client_in), &c->scanned);

	if (len > c->w->gate->limits.head_bytes ||
	    (len == 0 && c->client_in.len >= c->w->gate->limits.head_bytes)) {
		return request_refuse_early(c, 431,
		    "the request head is larger than "
		    "limits.head_bytes");
	}
	if (len > 0) {
		return take_head(c, len);
	}
	if (end_read(&c->client, &c->client_in)) {
		return c->client.eof || c->client.rd == IO_FAIL
			   ? conn_closed(c, "client_lost")
			   : STEP_AGAIN;
	}
	return c->client.eof ? conn_closed(c, "client_lost") : STEP_BLOCKED;
}

enum step
step_collect(struct conn *c)
{
	struct request *r = c->req;
	struct span body;
	uint64_t began;
	enum verdict v;
	enum err rc;
	bool moved;

	(void)end_write(&c->client, &c->client_out);
	moved = end_read(&c->client, &c->client_in);
	if (c->client.rd == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	rc = body_pass(&r->body, &c->client_in, &r->collected, BODY_OUT_PLAIN);
	if (rc != ERR_OK) {
		r->keep = false;
		r->why.rule = err_tag(rc);
		return answer_error(c, 400, "%s", err_text(rc));
	}
	if (r->body.done && request_renews(r)) {
		return renew_ask(c);
	}
	if (r->body.done) {
		body = buf_span(&r->collected);
		r->body_out = BODY_OUT_PLAIN;
		began = metrics_now_ns();
		v = policy_body(r->decision, body, &r->why);
		r->policy_ns += metrics_now_ns() - began;
		return request_verdict(c, v);
	}
	if (buf_room(&r->collected) == 0) {
		return answer_error(c, 413,
		    "the body is larger than "
		    "limits.body_bytes (%u)",
		    c->w->gate->limits.body_bytes);
	}
	if (c->client.eof) {
		return conn_closed(c, "client_lost");
	}
	return moved ? STEP_AGAIN : STEP_BLOCKED;
}

/* --- the head for dockerd ------------------------------------------------ */

static enum err
write_line(struct conn *c, struct buf *out)
{
	struct request *r = c->req;
	enum err rc = buf_append_str(out, method_name(r->canon.method));

	if (rc == ERR_OK) {
		rc = buf_append_str(out, " ");
	}
	if (rc == ERR_OK) {
		rc = policy_write_target(r->decision, out);
	}
	return rc == ERR_OK ? buf_append_str(out, " HTTP/1.1\r\n" UPSTREAM_HOST)
			    : rc;
}

/* dockerd reads a tar here, whatever the client calls it. */
static bool
is_bulk(const struct request *r)
{
	return r->canon.op != NULL && r->canon.op->body == OP_BODY_STREAM;
}

/* Content-Type goes only where a body goes. */
static bool
passes(const struct request *r, const struct header *h, bool has_body,
    bool replaced)
{
	if (http1_hop_by_hop(&r->head, h->name) ||
	    span_is_nocase(h->name, "trailer") ||
	    span_is_nocase(h->name, REQUEST_ID)) {
		return false;
	}
	if (span_is_nocase(h->name, "content-type") &&
	    (!has_body || replaced || is_bulk(r))) {
		return false; /* or of our own */
	}
	return policy_keeps_header(r->decision, h->name);
}

static enum err
write_headers(struct conn *c, struct buf *out, bool has_body, bool replaced)
{
	struct request *r = c->req;
	enum err rc =
	    http1_write_header(out, span_of(REQUEST_ID), span_of(r->id));
	size_t i;

	for (i = 0; i < r->head.n_headers && rc == ERR_OK; i++) {
		if (passes(r, &r->head.headers[i], has_body, replaced)) {
			rc = http1_write_header(out, r->head.headers[i].name,
			    r->head.headers[i].value);
		}
	}
	if (rc == ERR_OK && r->head.expect_continue && !r->collect &&
	    r->body_out != BODY_OUT_DISCARD && has_body) {
		rc = buf_append_str(out, "Expect: 100-continue\r\n");
	}
	return rc;
}

static enum err
write_upgrade(const struct request *r, struct buf *out)
{
	switch (r->head.upgrade) {
	case UPGRADE_TCP:
		return buf_append_str(
		    out, "Connection: Upgrade\r\nUpgrade: tcp\r\n");
	case UPGRADE_H2C:
		return buf_append_str(
		    out, "Connection: Upgrade\r\nUpgrade: h2c\r\n");
	case UPGRADE_WEBSOCKET:
		return buf_append_str(
		    out, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	default:
		return ERR_OK;
	}
}

/* Framing of our own; the body itself follows, or is in body already. */
static enum err
write_framing(
    const struct request *r, struct buf *out, struct span body, bool have_body)
{
	bool posts =
	    r->canon.method == METHOD_POST || r->canon.method == METHOD_PUT;

	if (have_body) {
		return buf_printf(out, "Content-Length: %zu\r\n\r\n", body.len);
	}
	if (r->body_out != BODY_OUT_DISCARD) {
		if (r->head.body == BODY_CHUNKED) {
			return buf_append_str(
			    out, "Transfer-Encoding: chunked\r\n\r\n");
		}
		if (r->head.body == BODY_LENGTH) {
			return buf_printf(out, "Content-Length: %llu\r\n\r\n",
			    (unsigned long long)r->head.length);
		}
	}
	return buf_append_str(
	    out, posts ? "Content-Length: 0\r\n\r\n" : "\r\n");
}

enum err
request_write_head(struct conn *c)
{
	struct request *r = c->req;
	struct buf *out = &c->daemon_out;
	struct span body;
	bool replaced, have_body, content;
	enum err rc;

	c->daemon_busy = true;
	request_count_sent(c);
	body = policy_new_body(r->decision, &replaced);
	if (!replaced && r->collect) {
		body = buf_span(&r->collected);
	}
	have_body = r->collect || (replaced && body.len > 0);
	content =
	    have_body || (r->canon.has_body && r->body_out != BODY_OUT_DISCARD);
	/* The head may be as long as the client's; a body of ours longer. */
	out->max = 2 * (size_t)c->w->gate->limits.head_bytes +
		   LIMIT_LANE_BYTES + (have_body ? body.len : 0);
	rc = write_line(c, out);
	if (rc == ERR_OK) {
		rc = write_headers(c, out, content, replaced);
	}
	if (rc == ERR_OK && content && (replaced || is_bulk(r))) {
		rc = buf_append_str(
		    out, is_bulk(r) ? "Content-Type: application/x-tar\r\n"
				    : "Content-Type: application/json\r\n");
	}
	if (rc == ERR_OK) {
		rc = write_upgrade(r, out);
	}
	if (rc == ERR_OK) {
		rc = write_framing(r, out, body, have_body);
	}
	if (rc == ERR_OK && have_body) {
		rc = buf_append(out, body.p, body.len);
	}
	return rc;
}
