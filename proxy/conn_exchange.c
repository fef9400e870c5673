/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP exchange: request body up, answer down, at the same time.
 *
 * The two directions do not wait for each other.  dockerd may answer before
 * it has read the body (a build that it refuses), or stop reading for good;
 * the answer goes down all the same, the rest of the body is read from the
 * client and thrown away, and the connection ends after it.  Each direction
 * holds at most two lanes of bytes; what the other side does not take stops
 * the reading.
 *
 * An answer that dockerd did not finish is never finished for it: no last
 * chunk, no padding; the client sees the connection end.
 *
 * Attackers read slowly, send for ever, and put a second request behind the
 * first: it stays in client_in until this exchange is over.
 */
#include "conn_impl.h"
#include "log.h"

/* --- down: dockerd to client --------------------------------------------- */

static enum err
write_status_line(struct buf *out, const struct http_head *a)
{
	enum err rc = buf_printf(out, "HTTP/1.1 %u ", a->status);

	if (rc == ERR_OK) {
		rc = buf_append(out, a->reason.p, a->reason.len);
	}
	return rc == ERR_OK ? buf_append_str(out, "\r\n") : rc;
}

/* Framing of our own, for what body_pass() will write. */
static enum err
write_answer_framing(const struct request *r, struct buf *out, bool raw)
{
	const struct http_head *a = &r->answer;
	enum err rc = ERR_OK;

	if (raw || a->status < 200) {
		return buf_append_str(out, "\r\n");
	}
	if (a->has_length) { /* also in answers to HEAD */
		rc = buf_printf(out, "Content-Length: %llu\r\n",
		    (unsigned long long)a->length);
	} else if (a->body == BODY_CHUNKED) {
		rc = buf_append_str(out, "Transfer-Encoding: chunked\r\n");
	}
	if (rc == ERR_OK && !r->keep &&
	    (r->head.upgrade == UPGRADE_NONE || a->close)) {
		rc = buf_append_str(out, "Connection: close\r\n");
	}
	return rc == ERR_OK ? buf_append_str(out, "\r\n") : rc;
}

/* raw: HTTP ends behind this head. */
static enum err
write_answer_head(struct conn *c, bool raw)
{
	struct request *r = c->req;
	struct buf *out = &c->client_out;
	const struct http_head *a = &r->answer;
	const struct header *up = http1_find(a, "upgrade");
	enum err rc;
	size_t i;

	out->max = LIMIT_LANE_BYTES + 2 * LIMIT_HEAD_BYTES;
	rc = write_status_line(out, a);
	for (i = 0; i < a->n_headers && rc == ERR_OK; i++) {
		if (!http1_hop_by_hop(a, a->headers[i].name) &&
		    !span_is_nocase(a->headers[i].name, REQUEST_ID)) {
			rc = http1_write_header(
			    out, a->headers[i].name, a->headers[i].value);
		}
	}
	/* Not in what comes before the answer (1xx, but for 101). */
	if (rc == ERR_OK && r->have_answer) {
		rc = http1_write_header(
		    out, span_of(REQUEST_ID), span_of(r->id));
	}
	if (rc == ERR_OK && a->status == 101 && up != NULL) {
		rc = buf_append_str(out, "Connection: Upgrade\r\n");
		if (rc == ERR_OK) {
			rc = http1_write_header(
			    out, span_of("Upgrade"), up->value);
		}
	}
	return rc == ERR_OK ? write_answer_framing(r, out, raw) : rc;
}

static enum step
bad_gateway(struct conn *c, const char *what)
{
	struct request *r = c->req;

	log_warn("dockerd: %s upstream=%s id=%s", what,
	    c->w->gate->upstream.text, r->id);
	daemon_close(c);
	r->ended = "daemon_lost";
	return answer_error(
	    c, 502, "dockerd at %s: %s", c->w->gate->upstream.text, what);
}

/* May HTTP end here?  Only where it was asked for and is known to. */
static bool
goes_raw(const struct request *r)
{
	const struct op *op = r->canon.op;

	if (!r->answer.upgraded_tcp) {
		return false;
	}
	if (r->answer.status == 101) {
		return r->head.upgrade != UPGRADE_NONE;
	}
	return op != NULL && op->mode == OP_MODE_HIJACK;
}

/* The final head is there: what follows it? */
static enum step
take_answer(struct conn *c)
{
	struct request *r = c->req;
	const struct http_head *a = &r->answer;
	bool raw = goes_raw(r);

	if (a->status == 101 && !raw) {
		return bad_gateway(c, "an upgrade that nobody asked for");
	}
	r->status = a->status;
	r->have_answer = true;
	request_count_answered(c);
	if (raw || (a->status < 300 && r->canon.op != NULL &&
		       r->canon.op->mode != OP_MODE_PLAIN)) {
		request_count_stream(c);
	}
	/* An upgrade that did not happen: the client may think it did. */
	if (r->head.upgrade != UPGRADE_NONE || a->close ||
	    a->body == BODY_EOF || c->stopping) {
		r->keep = false;
	}
	r->answer_out =
	    a->body == BODY_CHUNKED ? BODY_OUT_CHUNKED : BODY_OUT_PLAIN;
	if (write_answer_head(c, raw) != ERR_OK) {
		return conn_closed(c, "memory");
	}
	if (raw) {
		conn_goto(c, CS_RELAY);
		return STEP_AGAIN;
	}
	body_init(&r->answer_body, a->body, a->length);
	return STEP_AGAIN;
}

/* 1xx go through; 100 only to a client that waits for it. */
static enum step
take_interim(struct conn *c)
{
	struct request *r = c->req;
	enum err rc = ERR_OK;

	if (r->answer.status != 100 || r->head.expect_continue) {
		rc = write_answer_head(c, false);
	}
	return rc == ERR_OK ? STEP_AGAIN : conn_closed(c, "memory");
}

/* A fresh look for clients of a kept connection that dockerd has closed. */
static bool
try_again(struct conn *c)
{
	struct request *r = c->req;
	bool safe =
	    r->canon.method == METHOD_GET || r->canon.method == METHOD_HEAD;

	if (!safe || r->retried || r->fresh_daemon || r->canon.has_body ||
	    c->daemon_in.len > 0) {
		return false;
	}
	r->retried = true;
	daemon_close(c);
	conn_goto(c, CS_CONNECT);
	return true;
}

/* dockerd closed, and everything it sent has been looked at. */
static enum step
daemon_ended(struct conn *c)
{
	struct request *r = c->req;

	if (!r->have_answer) {
		if (try_again(c)) {
			return STEP_AGAIN;
		}
		return bad_gateway(c, "it closed the connection before it "
				      "had answered");
	}
	if (body_end(&r->answer_body) == ERR_OK) {
		return STEP_AGAIN;
	}
	log_warn("dockerd closed the connection in the middle of an answer "
		 "upstream=%s id=%s",
	    c->w->gate->upstream.text, r->id);
	return exchange_finish(c, "daemon_lost");
}

static enum step
read_answer_head(struct conn *c)
{
	struct request *r = c->req;
	struct diag d = { 0, 0, "" };
	bool got;

	if (daemon_answer_head(c, r->canon.method, &got, &d) != ERR_OK) {
		return bad_gateway(c, "its answer is not HTTP/1.1");
	}
	if (!got) {
		return STEP_BLOCKED;
	}
	if (r->answer.status < 200 && r->answer.status != 101) {
		return take_interim(c);
	}
	return take_answer(c);
}

/* What has come behind the first `before` bytes of out is kept for the record
 * too, where it says what was made.  Too much of it, or in chunks: nothing. */
static void
listen_in(struct request *r, const struct buf *out, size_t before)
{
	struct span s = buf_span(out);

	if (request_makes(r) && r->answer_out == BODY_OUT_PLAIN) {
		(void)!buf_append(&r->told, s.p + before, s.len - before);
	}
}

static enum step
read_answer(struct conn *c)
{
	struct request *r = c->req;
	size_t before;
	enum step s;
	enum err rc;

	if (!r->have_answer) {
		s = read_answer_head(c);
		if (!r->have_answer || s == STEP_CLOSED ||
		    c->state != CS_EXCHANGE) {
			return s;
		}
		/* What came with the head goes with the head, in one record. */
	}
	lanes_lend(&c->w->lanes, &c->client_out);
	lanes_bound(&c->client_out);
	before = c->client_out.len;
	rc = body_pass(
	    &r->answer_body, &c->daemon_in, &c->client_out, r->answer_out);
	if (rc == ERR_OK && c->client_out.len > before) {
		listen_in(r, &c->client_out, before);
	}
	return rc == ERR_OK ? STEP_BLOCKED : exchange_finish(c, "daemon_junk");
}

/* dockerd said all that it will: is something of its answer missing?  What is
 * left of half a head will not become a whole one. */
static bool
was_cut(const struct conn *c)
{
	const struct request *r = c->req;

	return !r->have_answer ||
	       (c->daemon_in.len == 0 && !r->answer_body.done &&
		   !body_waits(&r->answer_body));
}

/* *moved: a byte or an end came forward. */
static enum step
download(struct conn *c, bool *moved)
{
	enum step s;

	*moved = end_write(&c->client, &c->client_out) || *moved;
	if (c->client.wr == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	*moved = end_read(&c->daemon, &c->daemon_in) || *moved;
	if (c->daemon.starved) {
		return conn_closed(c, "memory");
	}
	if (c->daemon.rd == IO_FAIL) {
		c->daemon.eof = true; /* all that came has been read */
		c->daemon.gone = true;
	}
	s = read_answer(c);
	if (s != STEP_BLOCKED || c->state != CS_EXCHANGE) {
		*moved = true;
		return s;
	}
	if (c->daemon.eof && was_cut(c)) {
		*moved = true;
		s = daemon_ended(c);
		if (s == STEP_CLOSED || c->state != CS_EXCHANGE) {
			return s;
		}
	}
	*moved = end_write(&c->client, &c->client_out) || *moved;
	return STEP_BLOCKED;
}

/* --- up: client to dockerd ----------------------------------------------- */

static enum step
bad_body(struct conn *c, enum err rc)
{
	struct request *r = c->req;

	daemon_close(c);
	r->keep = false;
	r->ended = "client_junk";
	if (r->have_answer) {
		return exchange_finish(c, "client_junk");
	}
	r->why.rule = err_tag(rc);
	return answer_error(c, 400, "%s", err_text(rc));
}

/* The client's direction has ended. */
static enum step
client_ended(struct conn *c)
{
	struct request *r = c->req;

	if (!r->body.done) {
		return conn_closed(c, "client_lost"); /* a request cut short */
	}
	if (c->daemon_out.len == 0 && !c->daemon.shut && !c->daemon.gone) {
		(void)stream_shut(c->daemon.s);
		c->daemon.shut = true;
	}
	return STEP_BLOCKED;
}

static enum step
upload(struct conn *c, bool *moved)
{
	struct request *r = c->req;
	size_t before;
	enum err rc;

	*moved = end_read(&c->client, &c->client_in) || *moved;
	if (c->client.rd == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	lanes_lend(&c->w->lanes, &c->daemon_out);
	lanes_bound(&c->daemon_out);
	before = c->client_in.len;
	rc = body_pass(&r->body, &c->client_in, &c->daemon_out, r->body_out);
	if (rc != ERR_OK) {
		return bad_body(c, rc);
	}
	/* Also where it is discarded: a lane that was full is read again, and
	 * no event would say so. */
	*moved = c->client_in.len < before || *moved;
	*moved = end_write(&c->daemon, &c->daemon_out) || *moved;
	if (c->daemon.wr == IO_FAIL && !c->daemon.gone) {
		/* It takes no more; its answer may still be on the way. */
		c->daemon.gone = true;
		r->body_out = BODY_OUT_DISCARD;
		buf_fini(&c->daemon_out);
		*moved = true;
	}
	if (c->client.eof && c->client_in.len == 0 && !body_waits(&r->body)) {
		return client_ended(c);
	}
	return STEP_BLOCKED;
}

/* --- both ---------------------------------------------------------------- */

enum step
exchange_finish(struct conn *c, const char *ended)
{
	struct request *r = c->req;
	bool whole = ended == NULL;
	bool keep = whole && r->keep && r->body.done && !c->stopping &&
		    !(c->client.eof && c->client_in.len == 0);
	bool keep_daemon = keep && !c->daemon.eof && !c->daemon.gone &&
			   !c->daemon.shut && c->daemon_in.len == 0 &&
			   c->daemon_out.len == 0;

	r->ended = ended;
	if (r->audited) {
		request_audit(c, AUDIT_END, "allow");
	}
	c->linger_long = !r->body.done;
	c->daemon_busy = false;
	if (!keep_daemon) {
		daemon_close(c);
	}
	request_free(c);
	conn_goto(c, keep ? CS_IDLE : CS_LINGER);
	return STEP_AGAIN;
}

enum step
step_exchange(struct conn *c)
{
	bool moved = false;
	enum step s = upload(c, &moved);

	if (s == STEP_CLOSED || c->state != CS_EXCHANGE) {
		return s;
	}
	s = download(c, &moved);
	if (s == STEP_CLOSED || c->state != CS_EXCHANGE) {
		return s;
	}
	if (c->req->have_answer && c->req->answer_body.done &&
	    c->client_out.len == 0) {
		return exchange_finish(c, NULL);
	}
	return moved ? STEP_AGAIN : STEP_BLOCKED;
}
