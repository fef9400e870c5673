/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the gate's own, and the end of a connection.
 *
 * Errors have dockerd's form ({"message": "..."}), so that docker prints
 * them as it prints dockerd's.  An answer may come while the client is still
 * sending its body: then the connection ends after it, but slowly.  To close
 * a socket with unread bytes makes the kernel send a reset, which can throw
 * away an answer that the client has not read yet (RFC 9112 9.6).  So the
 * gate writes, says close_notify and FIN, and reads on until the client
 * closes or a limit passes.
 *
 * Attackers keep sending for ever: hence the limit.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/jsonw.h"
#include "conn_impl.h"

#define ANSWER_MESSAGE_BYTES 1024
#define LINGER_READ_BYTES 16384

/*
 * Not to a client that asked for an upgrade: docker 20.10 takes an answer
 * with "Connection: close" for the stream (net/http/httputil ErrPersistEOF)
 * and prints its first bytes instead of the reason.
 */
static bool
announces_close(const struct request *r)
{
	return !r->keep && r->head.upgrade == UPGRADE_NONE;
}

static enum err
write_answer(struct conn *c, unsigned status, struct span json)
{
	enum err rc;

	/* What is said may be longer than what a lane holds. */
	c->client_out.max += json.len;
	rc = buf_printf(&c->client_out,
	    "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n" REQUEST_ID ": %s\r\n%s\r\n",
	    status, http1_reason(status), json.len, c->req->id,
	    announces_close(c->req) ? "Connection: close\r\n" : "");
	if (rc == ERR_OK && c->req->canon.method != METHOD_HEAD) {
		rc = buf_append(&c->client_out, json.p, json.len);
	}
	c->client_out.max -= json.len;
	return rc;
}

enum step
answer_json(
    struct conn *c, unsigned status, const char *decision, struct span json)
{
	struct request *r = c->req;

	if (c->daemon_busy) {
		/* What it still says is no answer to the next request. */
		daemon_close(c);
	}
	if (r->head.body != BODY_NONE && !r->body.done) {
		r->keep = false; /* what comes next is the rest of a body */
		c->linger_long = true;
	}
	if (c->stopping || r->head.upgrade != UPGRADE_NONE) {
		r->keep = false;
	}
	r->status = status;
	if (r->ended == NULL && status >= 400) {
		r->ended = "refused";
	}
	if (write_answer(c, status, json) != ERR_OK) {
		return conn_closed(c, "memory");
	}
	request_audit(c, AUDIT_END, decision);
	conn_goto(c, CS_ANSWER);
	return STEP_AGAIN;
}

static enum step
answer(
    struct conn *c, unsigned status, const char *decision, const char *message)
{
	struct buf json;
	struct jsonw w;
	enum step s;

	buf_init(&json, 8 * ANSWER_MESSAGE_BYTES);
	jsonw_init(&w, &json);
	jsonw_object(&w);
	jsonw_kv_str(&w, "message", message);
	jsonw_object_end(&w);
	if (w.err != ERR_OK || buf_append(&json, "\n", 1) != ERR_OK) {
		s = conn_closed(c, "memory");
	} else {
		s = answer_json(c, status, decision, buf_span(&json));
	}
	buf_fini(&json);
	return s;
}

/* Peer bytes in a message were escaped by whoever put them there; controls
 * that slipped through are escaped again by jsonw. */
enum step
answer_error(struct conn *c, unsigned status, const char *fmt, ...)
{
	char message[ANSWER_MESSAGE_BYTES] = "dinv: ";
	size_t n = strlen(message);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message + n, sizeof(message) - n, fmt, ap);
	va_end(ap);
	return answer(c, status, "error", message);
}

enum step
answer_denied(struct conn *c)
{
	const struct policy_why *why = &c->req->why;

	request_count_verdict(c, METRICS_DENY);
	request_audit(c, AUDIT_DECISION, "deny");
	return answer(c, why->status, "deny", why->message);
}

void
answer_continue(struct conn *c)
{
	if (buf_append_str(&c->client_out, "HTTP/1.1 100 Continue\r\n\r\n") !=
	    ERR_OK) {
		(void)conn_closed(c, "memory");
	}
}

/* A client that sends on while it is being answered is read from, so that
 * it gets to the point where it reads. */
static void
discard_input(struct conn *c)
{
	if (c->linger_long) {
		/* First, for a lane that is full is not read. */
		buf_consume(&c->client_in, c->client_in.len);
		while (end_read(&c->client, &c->client_in) &&
		       c->client.rd == IO_OK) {
			buf_consume(&c->client_in, c->client_in.len);
		}
		buf_consume(&c->client_in, c->client_in.len);
	}
}

enum step
step_answer(struct conn *c)
{
	bool moved = end_write(&c->client, &c->client_out), keep;

	if (c->client.wr == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	if (c->client_out.len > 0) {
		discard_input(c);
		return moved ? STEP_AGAIN : STEP_BLOCKED;
	}
	keep = c->req->keep && !c->client.eof && !c->stopping;
	request_free(c);
	if (!keep) {
		daemon_close(c);
	}
	conn_goto(c, keep ? CS_IDLE : CS_LINGER);
	return STEP_AGAIN;
}

/* Without TLS: its state is broken, or there never was one. */
static enum step
linger_raw(struct conn *c)
{
	char sink[LINGER_READ_BYTES];
	ssize_t n;

	if (!c->client.shut) {
		(void)shutdown(c->client.s->fd, SHUT_WR);
		c->client.shut = true;
		buf_fini(&c->client_in); /* or it could seem full */
		c->client.eof = false;
	}
	n = recv(c->client.s->fd, sink, sizeof(sink), 0);
	if (n > 0 || (n == -1 && errno == EINTR)) {
		return STEP_AGAIN;
	}
	c->client.rd = IO_WANT_READ;
	c->client.wr = IO_OK;
	return n == -1 && errno == EAGAIN ? STEP_BLOCKED
					  : conn_closed(c, c->reason);
}

enum step
step_linger(struct conn *c)
{
	bool moved;

	if (c->linger_raw) {
		return linger_raw(c);
	}
	moved = end_write(&c->client, &c->client_out);
	if (c->client.wr == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	if (c->client_out.len == 0 && !c->client.shut &&
	    c->client.wr == IO_OK) {
		c->client.wr = stream_shut(c->client.s);
		c->client.shut = c->client.wr == IO_OK;
		if (c->client.wr == IO_FAIL) {
			return conn_closed(c, c->reason);
		}
		moved = true;
	}
	if (c->client.shut) {
		/* The rest is FIN after FIN: TLS has nothing more to say. */
		c->linger_raw = true;
		c->client.shut = false;
		return STEP_AGAIN;
	}
	return moved ? STEP_AGAIN : STEP_BLOCKED;
}
