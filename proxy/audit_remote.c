/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of who has records; see audit_remote.h.
 *
 * One request is on its way at a time.  Where its answer does not come in
 * time, the caller hears that and may go on to ask; but what was begun stays
 * begun: the rest of it is sent, and its answer read, before anything else is
 * sent.  So the other process may stand still for a while, or become another
 * image, and nothing comes twice.
 *
 * Nothing here opens, starts or waits for anything but this socket: it must
 * work in a process that has given up the right to.
 */
#include "audit_remote.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit.h"

struct remote {
	int fd;
	bool gone;
	/* The request on its way: what is left to send, then its answer. */
	bool asked;
	struct audit_wire_ask what;
	struct buf out;
	uint8_t in[AUDIT_WIRE_SAID];
	size_t in_len;
	uint64_t done; /* the last batch that was */
};

/* Until the socket is ready; false: not until then. */
static bool
wait_for(const struct remote *r, short events, int64_t until)
{
	struct pollfd p = { .fd = r->fd, .events = events };
	int n;

	do {
		n = poll(&p, 1, audit_sink_left(until));
	} while (n == -1 && errno == EINTR);
	return n > 0;
}

/* After a call that did not go through: 0 to try again, or why not. */
static int
why_not(struct remote *r, short events, int64_t until)
{
	if (errno == EINTR) {
		return 0;
	}
	if (errno != EAGAIN) {
		r->gone = true;
		return AUDIT_GONE;
	}
	return wait_for(r, events, until) ? 0 : AUDIT_SILENT;
}

static int
send_rest(struct remote *r, int64_t until)
{
	struct span s;
	ssize_t n;
	int why = 0;

	while (r->out.len > 0 && why == 0) {
		s = buf_span(&r->out);
		n = send(r->fd, s.p, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1) {
			why = why_not(r, POLLOUT, until);
			continue;
		}
		buf_consume(&r->out, (size_t)n);
	}
	if (r->out.len == 0) {
		buf_release(&r->out);
	}
	return why;
}

/* The answer to what is on its way. */
static int
read_answer(struct remote *r, struct audit_said *said, int64_t until)
{
	struct audit_wire_ask to;
	ssize_t n;
	int why = 0;

	while (r->in_len < sizeof(r->in) && why == 0) {
		n = recv(r->fd, r->in + r->in_len, sizeof(r->in) - r->in_len,
		    MSG_DONTWAIT);
		if (n == 0) {
			errno = EPIPE;
		}
		if (n <= 0) {
			why = why_not(r, POLLIN, until);
			continue;
		}
		r->in_len += (size_t)n;
	}
	if (why != 0) {
		return why;
	}
	r->in_len = 0;
	r->asked = false;
	if (!audit_wire_get_said(r->in, &to, said) || to.kind != r->what.kind ||
	    to.number != r->what.number) {
		r->gone = true;
		return AUDIT_GONE;
	}
	if (to.kind == AUDIT_ASK_PUT && said->done) {
		r->done = to.number;
	}
	return 0;
}

static int
finish(struct remote *r, struct audit_said *said, int64_t until)
{
	int why = send_rest(r, until);

	return why == 0 ? read_answer(r, said, until) : why;
}

static int
begin(struct remote *r, const struct audit_ask *ask)
{
	uint8_t head[AUDIT_WIRE_ASK];
	bool put = ask->kind == AUDIT_ASK_PUT;
	uint8_t *to;

	to = buf_reserve(&r->out, sizeof(head) + (put ? ask->lines.len : 0));
	if (to == NULL) {
		return ENOMEM;
	}
	audit_wire_put_ask(head, ask);
	memcpy(to, head, sizeof(head));
	buf_commit(&r->out, sizeof(head));
	if (put) {
		memcpy(to + sizeof(head), ask->lines.p, ask->lines.len);
		buf_commit(&r->out, ask->lines.len);
	}
	r->what.kind = ask->kind;
	r->what.number = put ? ask->number : 0;
	r->asked = true;
	return 0;
}

/* What was on its way before; *said is of it, and it is what is asked now,
 * or an answer that nobody waits for. */
static int
finish_earlier(struct remote *r, const struct audit_ask *ask, bool *same,
    struct audit_said *said, int64_t until)
{
	*same = false;
	if (!r->asked) {
		return 0;
	}
	*same = ask->kind == AUDIT_ASK_PUT && r->what.kind == ask->kind &&
		r->what.number == ask->number;
	return finish(r, said, until);
}

static int
ask_now(struct remote *r, const struct audit_ask *ask, struct audit_said *said,
    int64_t until)
{
	bool same = false;
	int why =
	    r->gone ? AUDIT_GONE : finish_earlier(r, ask, &same, said, until);

	if (why != 0 || same) {
		return why;
	}
	if (ask->kind == AUDIT_ASK_PUT && ask->number == r->done) {
		*said = (struct audit_said){ 0, true, 0 };
		return 0;
	}
	why = begin(r, ask);
	return why == 0 ? finish(r, said, until) : why;
}

static void
ask_remote(void *arg, const struct audit_ask *ask, unsigned ms,
    struct audit_said *said)
{
	int why = ask_now(arg, ask, said, audit_sink_ms() + ms);

	if (why != 0) {
		*said = (struct audit_said){ why, false, 0 };
	}
}

static void
end_remote(void *arg)
{
	struct remote *r = arg;

	close(r->fd);
	buf_fini(&r->out);
	free(r);
}

enum err
audit_call_remote(int fd, struct audit_call *out)
{
	struct remote *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		return ERR_NOMEM;
	}
	r->fd = fd;
	buf_init(&r->out, AUDIT_WIRE_ASK + LIMIT_AUDIT_RECORD_BYTES);
	*out = (struct audit_call){ ask_remote, end_remote, r };
	return ERR_OK;
}
