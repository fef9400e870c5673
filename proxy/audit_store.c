/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of audit records; see audit_store.h.
 *
 * A batch is chained when it comes, all of it or nothing, and then is bytes
 * on their way to the sink: `out`, of which the sink has taken `off`.  There
 * is at most one on its way.  What was begun of a line is finished, not begun
 * anew, so a batch that is asked for again by its number is not chained
 * again: only what is left of it is written.
 *
 * Callers take turns in the order in which they came; a mutex alone would
 * let one that asks without a pause starve the others.  Room for a batch is
 * made before its first line is chained: short of memory it waits, whole.
 *
 * Rejected: a queue for each caller (the writer has one, and this side must
 * not grow by what the other sends).
 *
 * Who attacks: who has taken over a caller.  He writes records that never
 * happened, as many as he likes; what is written already he cannot reach.
 */
#include "audit_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "audit.h"
#include "audit_call.h"
#include "limit.h"
#include "log.h"

/* Sealed lines on their way to the sink: at least one batch. */
#define STORE_OUT_BYTES (4u * LIMIT_AUDIT_RECORD_BYTES)

_Static_assert(
    STORE_OUT_BYTES >= LIMIT_AUDIT_RECORD_BYTES +
			   LIMIT_AUDIT_BATCH_RECORDS * LIMIT_AUDIT_LINK_BYTES,
    "a batch and its links fit");

struct audit_caller {
	struct audit_store *store;
	uint64_t number; /* of the last batch that was chained */
	bool owed;	 /* it has not heard that this is written */
	bool stopped;
};

struct audit_store {
	pthread_mutex_t lock; /* of this block */
	pthread_cond_t moved; /* any of it has changed */
	uint64_t next_turn, turn;
	unsigned refs;
	unsigned serving; /* between begin() and end() */
	unsigned owed;	  /* callers that are */
	bool suspended;

	/* Of who has the turn. */
	struct audit_sink *sink;
	struct audit_chain *chain;
	struct buf out;
	size_t off;		    /* of out: what the sink has taken */
	struct audit_caller *whose; /* NULL: a checkpoint, or an orphan */
	bool sign_failed;	    /* the last time */
	int64_t until_ms;	    /* this turn waits */
	bool went_on;		    /* in this turn */
	time_t complained;
};

static void
take_turn(struct audit_store *s)
{
	uint64_t mine;

	pthread_mutex_lock(&s->lock);
	mine = s->next_turn++;
	while (s->turn != mine) {
		pthread_cond_wait(&s->moved, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	s->until_ms = audit_sink_ms() + LIMIT_AUDIT_RETRY_MS;
	s->went_on = false;
}

static void
pass_turn(struct audit_store *s)
{
	pthread_mutex_lock(&s->lock);
	s->turn++;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

/* --- with the turn ------------------------------------------------------- */

/* Does c have a batch that it does not know to be written? */
static void
set_owed(struct audit_caller *c, bool owed)
{
	struct audit_store *s = c->store;

	pthread_mutex_lock(&s->lock);
	s->owed += owed && !c->owed;
	s->owed -= !owed && c->owed;
	c->owed = owed;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

static bool
is_written(const struct audit_store *s)
{
	return s->out.len == 0;
}

/* out to the sink, as far as that goes now; 0 or errno. */
static int
push(struct audit_store *s)
{
	struct span all = buf_span(&s->out);
	size_t took = 0;
	int why;

	if (is_written(s)) {
		return 0;
	}
	why =
	    audit_sink_put(s->sink, span_make(all.p + s->off, all.len - s->off),
		&took, audit_sink_left(s->until_ms));
	s->off += took;
	s->went_on = s->went_on || took > 0;
	if (s->off == all.len) {
		buf_consume(&s->out, all.len);
		buf_release(&s->out);
		s->off = 0;
		s->whose = NULL;
	}
	return why == EAGAIN && s->went_on ? 0 : why;
}

/* A checkpoint, where one is due or this is the last chance. */
static int
seal(struct audit_store *s, bool last_chance)
{
	int due = audit_chain_due(s->chain, time(NULL));
	char stamp[AUDIT_STAMP_SIZE];

	if (due == -1 || (due > 0 && !last_chance)) {
		return 0;
	}
	audit_stamp(stamp);
	s->sign_failed = audit_chain_sign(s->chain, stamp, &s->out) != ERR_OK;
	if (s->sign_failed) {
		log_error("audit: a checkpoint could not be signed");
		return 0;
	}
	return push(s);
}

/* Between lines: the file is full, or old. */
static void
rotate(struct audit_store *s)
{
	struct diag d = { 0, 0, "" };
	time_t now = time(NULL);

	if (audit_sink_rotate(s->sink, &d) != ERR_OK &&
	    now - s->complained >= LIMIT_AUDIT_COMPLAIN_S) {
		s->complained = now;
		log_error("audit: the file grows on: %s", d.text);
	}
}

/* What follows once nothing is on its way. */
static int
settle(struct audit_store *s, bool end)
{
	bool full = !end && audit_sink_due(s->sink);
	int why = seal(s, end || full);

	if (full && why == 0 && is_written(s)) {
		rotate(s);
	}
	return why;
}

static void
reopen(struct audit_store *s)
{
	struct diag d = { 0, 0, "" };
	bool same;

	if (audit_sink_reopen(s->sink, &same, &d) != ERR_OK) {
		log_error("audit: not reopened, the old file stays in use: %s",
		    d.text);
		return;
	}
	log_info("audit: reopened");
	/* A line that the old file has in part begins anew. */
	while (!same && s->off > 0 && buf_span(&s->out).p[s->off - 1] != '\n') {
		s->off--;
	}
}

/* All lines to out, or none: ENOMEM. */
static int
chain_batch(struct audit_store *s, struct span left)
{
	size_t n = 0;
	const char *p = left.p, *end = left.p + left.len, *lf;

	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL;
	     p = lf + 1) {
		n++;
	}
	if (buf_reserve(&s->out, left.len + n * LIMIT_AUDIT_LINK_BYTES) ==
	    NULL) {
		return ENOMEM;
	}
	while (n-- > 0) {
		lf = memchr(left.p, '\n', left.len);
		if (audit_chain_add(s->chain,
			span_make(left.p, (size_t)(lf - left.p) + 1),
			&s->out) != ERR_OK) {
			log_error("audit: a record could not be chained");
		}
		left.len -= (size_t)(lf - left.p) + 1;
		left.p = lf + 1;
	}
	return 0;
}

static void
put(struct audit_caller *c, const struct audit_ask *ask,
    struct audit_said *said)
{
	struct audit_store *s = c->store;
	bool again = c->number == ask->number;

	if (!again || s->whose == c) {
		said->why = push(s);
	}
	if (!again && is_written(s)) {
		/* What was on its way may have left no time for this. */
		said->why = chain_batch(s, ask->lines);
		if (said->why != 0) {
			return;
		}
		c->number = ask->number;
		s->whose = c;
		set_owed(c, true);
		said->why = push(s);
		again = true;
	}
	if (!again || s->whose == c) {
		return;
	}
	said->done = true;
	said->why = 0; /* of what follows AUDIT_ASK_TICK tells */
	set_owed(c, false);
	if (is_written(s)) {
		(void)settle(s, false);
	}
}

static void
answer(struct audit_caller *c, const struct audit_ask *ask,
    struct audit_said *said)
{
	struct audit_store *s = c->store;

	if (ask->kind == AUDIT_ASK_PUT) {
		put(c, ask, said);
		return;
	}
	/* Who had a file emptied wants no end of a line in it: no push(). */
	if (ask->kind == AUDIT_ASK_REOPEN) {
		if (is_written(s)) {
			(void)seal(s, true);
		}
		reopen(s);
		said->done = true;
		return;
	}
	said->why = push(s);
	if (said->why == 0 && is_written(s)) {
		said->why = settle(s, ask->kind == AUDIT_ASK_END);
	}
	said->done = is_written(s);
}

void
audit_caller_ask(struct audit_caller *c, const struct audit_ask *ask,
    struct audit_said *said)
{
	struct audit_store *s = c->store;

	*said = (struct audit_said){ 0, false, -1 };
	take_turn(s);
	answer(c, ask, said);
	said->due_s = is_written(s) ? audit_chain_due(s->chain, time(NULL)) : 0;
	if (s->sign_failed && said->due_s == 0) {
		said->due_s = LIMIT_AUDIT_COMPLAIN_S;
	}
	pass_turn(s);
}

/* --- callers ------------------------------------------------------------- */

enum err
audit_caller_new(struct audit_store *s, struct audit_caller **out)
{
	struct audit_caller *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		return ERR_NOMEM;
	}
	c->store = s;
	pthread_mutex_lock(&s->lock);
	s->refs++;
	pthread_mutex_unlock(&s->lock);
	*out = c;
	return ERR_OK;
}

void
audit_caller_free(struct audit_caller *c)
{
	struct audit_store *s;

	if (c == NULL) {
		return;
	}
	s = c->store;
	take_turn(s);
	if (s->whose == c) {
		s->whose = NULL; /* it is in the chain: it will be written */
	}
	set_owed(c, false);
	pass_turn(s);
	free(c);
	audit_store_drop(s);
}

static void
ask_caller(void *arg, const struct audit_ask *ask, unsigned ms,
    struct audit_said *said)
{
	(void)ms;
	audit_caller_ask(arg, ask, said);
}

static void
end_caller(void *arg)
{
	audit_caller_free(arg);
}

enum err
audit_call_store(struct audit_store *s, struct audit_call *out)
{
	struct audit_caller *c = NULL;
	enum err rc = audit_caller_new(s, &c);

	if (rc == ERR_OK) {
		*out = (struct audit_call){ ask_caller, end_caller, c };
	}
	return rc;
}

/* Who is owed an answer may come for it. */
bool
audit_caller_begin(struct audit_caller *c)
{
	struct audit_store *s = c->store;
	bool go;

	pthread_mutex_lock(&s->lock);
	while (s->suspended && !c->owed && !c->stopped) {
		pthread_cond_wait(&s->moved, &s->lock);
	}
	go = !s->suspended || c->owed;
	s->serving += go;
	pthread_mutex_unlock(&s->lock);
	return go;
}

void
audit_caller_end(struct audit_caller *c)
{
	struct audit_store *s = c->store;

	pthread_mutex_lock(&s->lock);
	s->serving--;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

void
audit_caller_stop(struct audit_caller *c)
{
	struct audit_store *s = c->store;

	pthread_mutex_lock(&s->lock);
	c->stopped = true;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

/* --- before an exec ------------------------------------------------------ */

static bool
before(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec < t->tv_sec ||
	       (now.tv_sec == t->tv_sec && now.tv_nsec < t->tv_nsec);
}

bool
audit_store_suspend(struct audit_store *s, unsigned ms)
{
	struct timespec t;
	bool idle, written = false;
	int why = 0;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_mutex_lock(&s->lock);
	s->suspended = true;
	while ((s->serving > 0 || s->owed > 0) &&
	       pthread_cond_timedwait(&s->moved, &s->lock, &t) != ETIMEDOUT) {
	}
	idle = s->serving == 0 && s->owed == 0;
	pthread_mutex_unlock(&s->lock);
	if (idle) {
		take_turn(s);
		do {
			s->until_ms = audit_sink_ms() + LIMIT_AUDIT_RETRY_MS;
			why = push(s);
			written = is_written(s);
		} while (!written && why == 0 && before(&t));
		pass_turn(s);
	}
	if (!written) {
		audit_store_resume(s);
	}
	return written;
}

void
audit_store_resume(struct audit_store *s)
{
	pthread_mutex_lock(&s->lock);
	s->suspended = false;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

/* --- beginning and end --------------------------------------------------- */

enum err
audit_store_new(struct audit_sink *sink, struct audit_chain *chain,
    struct audit_store **out)
{
	struct audit_store *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (s == NULL) {
		return ERR_NOMEM;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->moved, &attr);
	pthread_condattr_destroy(&attr);
	buf_init(&s->out, STORE_OUT_BYTES);
	s->sink = sink;
	s->chain = chain;
	s->refs = 1;
	*out = s;
	return ERR_OK;
}

void
audit_store_drop(struct audit_store *s)
{
	bool last;

	if (s == NULL) {
		return;
	}
	pthread_mutex_lock(&s->lock);
	last = --s->refs == 0;
	pthread_mutex_unlock(&s->lock);
	if (!last) {
		return;
	}
	audit_sink_close(s->sink);
	audit_chain_free(s->chain);
	buf_fini(&s->out);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->moved);
	free(s);
}
