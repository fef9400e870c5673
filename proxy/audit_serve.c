/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of who has the store; see audit_remote.h.
 *
 * A thread for each connection: it reads a request to its end, looks at every
 * byte of it, asks the store, answers.  It waits for the other side only
 * before a request, and for LIMIT_AUDIT_REQUEST_MS within one, never while it
 * has the store's turn; and it never waits to be rid of an answer, because
 * who asks one thing at a time always has room for one.
 *
 * Time in which this process does not run (a container that is paused) does
 * not count: each wait counts for what was asked of it and no more.
 *
 * Who attacks: who has taken over the other process.  He can send records
 * that never happened.  He cannot make this process grow (one request is held
 * at a time, of bounded length), wait, or write what is no record
 * (audit_line.h); the first wrong byte is his last.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit_line.h"
#include "audit_remote.h"
#include "limit.h"
#include "log.h"

struct audit_remote {
	pthread_t thread;
	struct audit_caller *caller;
	int fd;
	int stop_fd; /* readable: stop */
	struct buf lines;

	pthread_mutex_t lock;
	pthread_cond_t done;
	bool ended;
};

/* How it went with a request. */
enum serve { SERVE_OK = 0, SERVE_EOF, SERVE_REFUSED, SERVE_STOP };

static enum serve
refuse(const char *what)
{
	log_error("audit: the process that sends records is not listened to "
		  "any more: it sent %s (restart the gate)",
	    what);
	return SERVE_REFUSED;
}

enum wait { WAIT_OVER = 0, WAIT_READY, WAIT_STOP };

/* ms may be -1: any time. */
static enum wait
wait_readable(struct audit_remote *r, int ms)
{
	struct pollfd p[2] = { { .fd = r->fd, .events = POLLIN },
		{ .fd = r->stop_fd, .events = POLLIN } };
	int n;

	do {
		n = poll(p, 2, ms);
	} while (n == -1 && errno == EINTR);
	if (n > 0 && p[1].revents != 0) {
		return WAIT_STOP;
	}
	return n > 0 ? WAIT_READY : WAIT_OVER;
}

/* Waits for more of a request; *left_ms is what it may still take. */
static enum serve
wait_for_rest(struct audit_remote *r, int *left_ms)
{
	const int slice = LIMIT_AUDIT_RETRY_MS;
	int64_t began = audit_sink_ms(), took;
	enum wait w = wait_readable(r, slice);

	if (w == WAIT_STOP) {
		return SERVE_STOP;
	}
	took = audit_sink_ms() - began;
	*left_ms -= w == WAIT_OVER || took > slice ? slice : (int)took;
	return *left_ms > 0 ? SERVE_OK : refuse("half a request");
}

/* All n bytes.  first: none may come. */
static enum serve
read_all(
    struct audit_remote *r, uint8_t *to, size_t n, int *left_ms, bool first)
{
	enum serve rc = SERVE_OK;
	size_t got = 0;
	ssize_t k;

	while (got < n && rc == SERVE_OK) {
		k = recv(r->fd, to + got, n - got, MSG_DONTWAIT);
		if (k > 0) {
			got += (size_t)k;
		} else if (k == -1 && (errno == EAGAIN || errno == EINTR)) {
			rc = wait_for_rest(r, left_ms);
		} else if (first && got == 0) {
			rc = SERVE_EOF;
		} else {
			rc = refuse("half a request");
		}
	}
	return rc;
}

static enum serve
read_request(struct audit_remote *r, struct audit_wire_ask *ask)
{
	int left_ms = LIMIT_AUDIT_REQUEST_MS;
	uint8_t head[AUDIT_WIRE_ASK], *to;
	const char *wrong;
	enum serve rc = read_all(r, head, sizeof(head), &left_ms, true);

	if (rc != SERVE_OK) {
		return rc;
	}
	if (!audit_wire_get_ask(head, ask)) {
		return refuse("what is no request");
	}
	if (ask->len == 0) {
		return SERVE_OK;
	}
	to = buf_reserve(&r->lines, ask->len);
	if (to == NULL) {
		return refuse("more than there is memory for");
	}
	rc = read_all(r, to, ask->len, &left_ms, false);
	if (rc != SERVE_OK) {
		return rc;
	}
	buf_commit(&r->lines, ask->len);
	wrong = audit_lines_wrong(buf_span(&r->lines));
	return wrong == NULL ? SERVE_OK : refuse(wrong);
}

static enum serve
answer(struct audit_remote *r, const struct audit_wire_ask *ask)
{
	const struct audit_ask what = { ask->kind, ask->number,
		buf_span(&r->lines) };
	uint8_t out[AUDIT_WIRE_SAID];
	struct audit_said said;
	ssize_t n;

	audit_caller_ask(r->caller, &what, &said);
	audit_wire_put_said(out, ask, &said);
	n = send(r->fd, out, sizeof(out), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == (ssize_t)sizeof(out)) {
		return SERVE_OK;
	}
	return n == -1 && errno != EAGAIN
		   ? SERVE_EOF
		   : refuse("more than it takes answers for");
}

/* One request and its answer. */
static enum serve
serve_one(struct audit_remote *r)
{
	struct audit_wire_ask ask = { .kind = AUDIT_ASK_TICK };
	enum serve rc;

	if (wait_readable(r, -1) != WAIT_READY ||
	    !audit_caller_begin(r->caller)) {
		return SERVE_STOP;
	}
	rc = read_request(r, &ask);
	if (rc == SERVE_OK) {
		rc = answer(r, &ask);
	}
	buf_consume(&r->lines, r->lines.len);
	buf_release(&r->lines);
	audit_caller_end(r->caller);
	return rc;
}

/* What it has left unsaid, as long as the sink may take it. */
static void
last_words(struct audit_remote *r)
{
	const struct audit_ask what = { .kind = AUDIT_ASK_END };
	struct pollfd p = { .fd = r->stop_fd, .events = POLLIN };
	int64_t until = audit_sink_ms() + LIMIT_AUDIT_STOP_MS;
	struct audit_said said = { 0, false, -1 };

	while (!said.done && audit_caller_begin(r->caller)) {
		audit_caller_ask(r->caller, &what, &said);
		audit_caller_end(r->caller);
		if (said.done || audit_sink_left(until) == 0 ||
		    (said.why != 0 && poll(&p, 1, LIMIT_AUDIT_RETRY_MS) > 0)) {
			return;
		}
	}
}

static void *
run(void *arg)
{
	struct audit_remote *r = arg;
	enum serve rc;

	do {
		rc = serve_one(r);
	} while (rc == SERVE_OK);
	if (rc != SERVE_STOP) { /* else another may go on with it */
		(void)shutdown(r->fd, SHUT_RDWR);
	}
	last_words(r);
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->done);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* --- beginning and end --------------------------------------------------- */

static void
release(struct audit_remote *r)
{
	audit_caller_free(r->caller);
	if (r->stop_fd != -1) {
		close(r->stop_fd);
	}
	buf_fini(&r->lines);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->done);
	free(r);
}

static enum err
start(struct audit_remote *r)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&r->thread, NULL, run, r);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		return ERR_NOMEM;
	}
	(void)pthread_setname_np(r->thread, "audit-serve");
	return ERR_OK;
}

enum err
audit_remote_serve(struct audit_store *s, int fd, struct audit_remote **out)
{
	struct audit_remote *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	enum err rc;

	if (r == NULL) {
		return ERR_NOMEM;
	}
	r->fd = fd;
	buf_init(&r->lines, LIMIT_AUDIT_RECORD_BYTES);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->done, &attr);
	pthread_condattr_destroy(&attr);
	r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = r->stop_fd == -1 ? ERR_IO : audit_caller_new(s, &r->caller);
	if (rc == ERR_OK) {
		rc = start(r);
	}
	if (rc != ERR_OK) {
		release(r);
		return rc;
	}
	*out = r;
	return ERR_OK;
}

bool
audit_remote_ended(struct audit_remote *r)
{
	bool ended;

	pthread_mutex_lock(&r->lock);
	ended = r->ended;
	pthread_mutex_unlock(&r->lock);
	return ended;
}

void
audit_remote_stop(struct audit_remote *r)
{
	const uint64_t one = 1;
	struct timespec t;
	bool ended;

	if (r == NULL) {
		return;
	}
	(void)!write(r->stop_fd, &one, sizeof(one));
	audit_caller_stop(r->caller);
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 2 * LIMIT_AUDIT_STOP_MS / 1000;
	pthread_mutex_lock(&r->lock);
	while (!r->ended &&
	       pthread_cond_timedwait(&r->done, &r->lock, &t) != ETIMEDOUT) {
	}
	ended = r->ended;
	pthread_mutex_unlock(&r->lock);
	if (!ended) {
		/* A write(2) that the kernel does not end. */
		log_error("audit: stopped before its records could be "
			  "written");
		pthread_detach(r->thread);
		return;
	}
	pthread_join(r->thread, NULL);
	close(r->fd);
	release(r);
}
