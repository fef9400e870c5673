/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connection to dockerd, and the questions that policy has for it.
 *
 * One upstream connection belongs to one client connection and is kept for
 * its next request, unless either message said otherwise.  Sharing a pool
 * among clients was rejected: a byte left over by one client's request would
 * be the beginning of another's.
 *
 * dockerd is trusted to be dockerd, not to be there: it may be absent, not
 * yet listening, restarting, or die in the middle of a word.  Each is an
 * answer to the client (502, 503, 504) that names the socket.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn_impl.h"
#include "keeper.h"

void
daemon_close(struct conn *c)
{
	loop_io_free(c->daemon.io);
	stream_close(c->daemon.s);
	memset(&c->daemon, 0, sizeof(c->daemon));
	c->daemon_busy = false;
	buf_fini(&c->daemon_in);
	buf_fini(&c->daemon_out);
}

void
daemon_refresh(struct conn *c)
{
	if (end_read(&c->daemon, &c->daemon_in)) {
		daemon_close(c);
	}
}

bool
daemon_hung_up(const struct conn *c)
{
	struct pollfd p = { .fd = -1, .events = 0 };

	if (c->daemon.s == NULL) {
		return true;
	}
	p.fd = c->daemon.s->fd;
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

static enum step
no_daemon(struct conn *c, int why)
{
	return answer_error(c, 503,
	    "cannot connect to dockerd at %s: %s; is "
	    "it running?",
	    c->w->gate->upstream.text, strerror(why));
}

enum step
step_connect(struct conn *c)
{
	int fd = keeper_connect(&c->w->gate->upstream);

	if (fd == -1) {
		if (errno == EMFILE || errno == ENFILE) {
			return answer_error(c, 503,
			    "the gate has no descriptor left for a connection "
			    "to dockerd (%s): try again",
			    strerror(errno));
		}
		if (errno == EAGAIN) { /* its backlog is full: try again */
			loop_timer_set(c->yield, LIMIT_RETRY_MS);
			return STEP_BLOCKED;
		}
		return no_daemon(c, errno);
	}
	c->daemon.lanes = &c->w->lanes;
	c->daemon.s = stream_plain_new(fd);
	if (c->daemon.s == NULL) {
		close(fd);
		return conn_closed(c, "memory");
	}
	c->daemon.io = loop_io_new(c->w->loop, fd, conn_on_daemon, c);
	if (c->daemon.io == NULL) {
		return conn_closed(c, "memory");
	}
	conn_count_daemon(c);
	c->req->fresh_daemon = true;
	if (!c->req->judged) {
		conn_goto(c, CS_FACT);
		return STEP_AGAIN;
	}
	conn_goto(c, CS_EXCHANGE);
	return request_write_head(c) == ERR_OK ? STEP_AGAIN
					       : conn_closed(c, "internal");
}

enum err
daemon_answer_head(struct conn *c, enum method to, bool *got, struct diag *d)
{
	struct request *r = c->req;
	size_t len =
	    http1_head_length(buf_span(&c->daemon_in), &r->answer_scanned);
	struct span head;
	enum err rc;

	*got = false;
	if (len == 0) {
		return buf_room(&c->daemon_in) == 0 ? ERR_HTTP_HEAD_LIMIT
						    : ERR_OK;
	}
	head = arena_span(&r->arena, span_make(buf_span(&c->daemon_in).p, len));
	if (head.p == NULL) {
		return ERR_NOMEM;
	}
	buf_consume(&c->daemon_in, len);
	r->answer_scanned = 0;
	rc = http1_parse_answer(&r->arena, head, to, &r->answer, d);
	*got = rc == ERR_OK;
	return rc;
}

/* --- facts --------------------------------------------------------------- */

/* What policy asks for, on the connection that the request will use. */
static enum err
write_question(struct conn *c)
{
	struct span target = policy_next_fact(c->req->decision);
	struct span body = policy_fact_body(c->req->decision);
	enum err rc;

	c->daemon_out.max = 2 * (size_t)c->w->gate->limits.head_bytes +
			    LIMIT_LANE_BYTES + body.len;
	rc = buf_append_str(&c->daemon_out, body.len > 0 ? "POST " : "GET ");

	c->daemon_busy = true;
	if (rc == ERR_OK) {
		rc = buf_append(&c->daemon_out, target.p, target.len);
	}
	if (rc == ERR_OK) {
		rc = buf_append_str(&c->daemon_out,
		    " HTTP/1.1\r\nHost: docker\r\nAccept: "
		    "application/json\r\n");
	}
	if (rc != ERR_OK || body.len == 0) {
		return rc == ERR_OK ? buf_append_str(&c->daemon_out, "\r\n")
				    : rc;
	}
	rc = buf_printf(&c->daemon_out,
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    body.len);
	return rc == ERR_OK ? buf_append(&c->daemon_out, body.p, body.len) : rc;
}

/* The answer is whole: what does policy say to it? */
static enum step
fact_over(struct conn *c, unsigned status)
{
	struct request *r = c->req;
	uint64_t began;
	enum verdict v;

	c->daemon_busy = false;
	began = metrics_now_ns();
	v = policy_fact(r->decision, status, buf_span(&r->fact), &r->why);
	r->policy_ns += metrics_now_ns() - began;
	buf_fini(&r->fact);
	body_fini(&r->answer_body);
	body_init(&r->answer_body, BODY_NONE, 0);
	r->have_answer = r->asked = false;
	r->answer_scanned = 0;
	memset(&r->answer, 0, sizeof(r->answer));
	return request_verdict(c, v);
}

static enum step
fact_done(struct conn *c)
{
	const struct http_head *a = &c->req->answer;

	if (a->close || a->body == BODY_EOF || c->daemon_in.len > 0) {
		daemon_close(c);
	}
	return fact_over(c, a->status);
}

static enum step
bad_fact(struct conn *c, const char *what)
{
	struct request *r = c->req;

	daemon_close(c);
	if (policy_report(r->decision) != NULL) {
		/* No answer refuses nothing where nothing is refused. */
		buf_fini(&r->fact);
		return fact_over(c, 0);
	}
	return answer_error(c, 502,
	    "dockerd at %s gave no usable answer when "
	    "the gate looked before deciding: %s",
	    c->w->gate->upstream.text, what);
}

static enum step
read_fact(struct conn *c)
{
	struct request *r = c->req;
	struct diag d = { 0, 0, "" };
	bool got;
	enum err rc;

	if (!r->have_answer) {
		rc = daemon_answer_head(c, METHOD_GET, &got, &d);
		if (rc != ERR_OK) {
			return bad_fact(c, d.text);
		}
		if (!got) {
			return STEP_BLOCKED;
		}
		r->have_answer = r->answer.status >= 200;
		body_init(&r->answer_body, r->answer.body, r->answer.length);
	}
	if (r->have_answer) {
		rc = body_pass(
		    &r->answer_body, &c->daemon_in, &r->fact, BODY_OUT_PLAIN);
		if (rc != ERR_OK) {
			return bad_fact(c, err_text(rc));
		}
		if (!r->answer_body.done && buf_room(&r->fact) == 0) {
			return bad_fact(c, "it is too long");
		}
	}
	return r->answer_body.done && r->have_answer ? fact_done(c)
						     : STEP_BLOCKED;
}

enum step
step_fact(struct conn *c)
{
	struct request *r = c->req;
	enum step s;
	bool moved;

	if (!r->asked) {
		if (write_question(c) != ERR_OK) {
			return conn_closed(c, "internal");
		}
		r->asked = true;
	}
	moved = end_write(&c->daemon, &c->daemon_out);
	moved = end_read(&c->daemon, &c->daemon_in) || moved;
	if (c->daemon.starved) {
		return conn_closed(c, "memory");
	}
	if (c->daemon.rd == IO_FAIL || c->daemon.wr == IO_FAIL) {
		c->daemon.eof = true;
	}
	s = read_fact(c);
	if (s != STEP_BLOCKED || c->state != CS_FACT) {
		return s;
	}
	if (c->daemon.eof && (!r->have_answer || c->daemon_in.len == 0)) {
		if (r->have_answer && body_end(&r->answer_body) == ERR_OK) {
			return fact_done(c);
		}
		return bad_fact(c, "it closed the connection");
	}
	return moved ? STEP_AGAIN : STEP_BLOCKED;
}
