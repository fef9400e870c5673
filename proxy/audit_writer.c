/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer of audit records; see audit_writer.h.
 *
 * Two blocks of memory: workers append to one under the lock, which is held
 * for a copy; the writer takes it whole and leaves the other.  So the order
 * of the queue is the order of the file, and records of one connection, which
 * lives on one worker, keep theirs.  The writer lets a few milliseconds of
 * records gather: one write(2) then takes many, and a worker seldom has to
 * wake it.
 *
 * The store (audit_store.h) chains and writes, in this process or in another:
 * the writer hands on a batch after the other, and asks for the same again
 * until it is written.  A sink that takes nothing, or a store that does not
 * answer, is tried again and again.  Meanwhile the queue fills, and then
 * records are lost, the newest first.  How many, the stream itself says as
 * soon as there is room, in the place where they are missing.
 *
 * Rejected: a lock-free queue (a copy under a mutex is a few tens of
 * nanoseconds, and its order is plain to see); a queue for each worker (the
 * writer would have to merge, and records of one client on two connections
 * would stand in any order).
 *
 * Attackers make records, as fast as they can and as long as they can, to
 * drown the one that tells of them: hence AUDIT_FULL, which refuses more work
 * in "required" mode while there is room for the ends of what runs.
 */
#include "audit_writer_impl.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "audit.h"
#include "base/buf.h"
#include "limit.h"
#include "log.h"

/* A block that has grown beyond this is given back when it is empty. */
#define WRITER_KEPT_BYTES (1u << 20)

/* --- the writer ---------------------------------------------------------- */

static void
complain(struct audit_writer *w, int why)
{
	time_t now = time(NULL);

	if (atomic_exchange(&w->failing, why) != 0 &&
	    now - w->complained < LIMIT_AUDIT_COMPLAIN_S) {
		return;
	}
	w->complained = now;
	log_error("audit records are not written: %s (they wait; when the "
		  "queue is full the next ones are lost) lost=%llu",
	    audit_errno_text(why), atomic_load(&w->lost));
}

static void
recovered(struct audit_writer *w)
{
	if (atomic_exchange(&w->failing, 0) != 0) {
		log_info("audit records are written again lost=%llu",
		    atomic_load(&w->lost));
	}
}

/* A failed sink rests; false: it is time to end, or to reopen. */
static bool
rest(struct audit_writer *w)
{
	struct timespec t;
	bool go_on;

	audit_in_ms(&t, LIMIT_AUDIT_RETRY_MS);
	pthread_mutex_lock(&w->lock);
	if (!w->stop && !w->reopen) {
		(void)pthread_cond_timedwait(&w->wake, &w->lock, &t);
	}
	go_on = !w->reopen;
	if (w->stop) {
		if (w->stop_by_ms == 0) {
			w->stop_by_ms = audit_sink_ms() + LIMIT_AUDIT_STOP_MS;
		}
		go_on = audit_sink_ms() < w->stop_by_ms;
	}
	pthread_mutex_unlock(&w->lock);
	if (go_on && w->stop_by_ms != 0) {
		struct timespec nap = { 0, LIMIT_AUDIT_RETRY_MS * 1000000L };

		(void)nanosleep(&nap, NULL); /* the condition holds already */
	}
	return go_on;
}

/* One question to the store. */
static void
ask(struct audit_writer *w, const struct audit_ask *what,
    struct audit_said *said)
{
	unsigned ms = LIMIT_AUDIT_CALL_MS;

	if (w->stop_by_ms != 0 && audit_sink_left(w->stop_by_ms) < (int)ms) {
		ms = (unsigned)audit_sink_left(w->stop_by_ms);
	}
	w->call.ask(w->call.arg, what, ms, said);
	w->due_ms = said->due_s == -1
			? -1
			: audit_sink_ms() + (int64_t)said->due_s * 1000;
}

static void
reopen(struct audit_writer *w)
{
	const struct audit_ask what = { .kind = AUDIT_ASK_REOPEN };
	struct audit_said said;

	ask(w, &what, &said);
	if (said.why != 0) {
		complain(w, said.why);
	}
	pthread_mutex_lock(&w->lock);
	w->reopen = false;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
}

/* Until the store has done it; false: the end came first. */
static bool
ask_until_done(struct audit_writer *w, const struct audit_ask *what)
{
	struct audit_said said;

	for (;;) {
		ask(w, what, &said);
		if (said.why == 0 && said.done) {
			recovered(w);
			return true;
		}
		if (said.why == 0) {
			continue; /* slow, and on its way */
		}
		complain(w, said.why);
		if (!rest(w)) {
			if (w->stop_by_ms != 0) {
				return false;
			}
			reopen(w);
		}
	}
}

/* Records that are written, told: those that tell of missing ones. */
static void
note_written(struct audit_writer *w, size_t records, bool told)
{
	atomic_fetch_add(&w->written, records);
	pthread_mutex_lock(&w->lock);
	w->taken += told ? 0 : records;
	w->telling = w->telling && !told;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static bool
put_lines(struct audit_writer *w, struct span lines)
{
	const struct audit_ask what = {
		.kind = AUDIT_ASK_PUT, .number = ++w->number, .lines = lines
	};

	return ask_until_done(w, &what);
}

/* How much of left makes a batch, and how many records these are. */
static size_t
cut_batch(struct span left, size_t *records)
{
	size_t len = 0, line;
	const char *lf;

	*records = 0;
	while (len < left.len && *records < LIMIT_AUDIT_BATCH_RECORDS) {
		lf = memchr(left.p + len, '\n', left.len - len);
		line = (size_t)(lf - left.p) + 1 - len;
		if (len > 0 && len + line > LIMIT_AUDIT_BATCH_BYTES) {
			break;
		}
		len += line;
		++*records;
	}
	return len;
}

static bool
tell_missing(struct audit_writer *w, uint64_t missing)
{
	struct buf line;
	bool ok = true;

	log_error("audit records were lost records=%llu",
	    (unsigned long long)missing);
	buf_init(&line, LIMIT_AUDIT_RECORD_BYTES);
	if (audit_build_lost(&line, missing) == ERR_OK) {
		ok = put_lines(w, buf_span(&line));
	}
	buf_fini(&line);
	if (ok) {
		note_written(w, 1, true);
	}
	return ok;
}

/* What was queued, and what is missing behind it. */
static bool
write_batch(struct audit_writer *w, uint64_t missing)
{
	struct span left = span_make(w->batch.p, w->batch.len);
	size_t n, records;

	while (left.len > 0) {
		n = cut_batch(left, &records);
		if (!put_lines(w, span_make(left.p, n))) {
			return false;
		}
		note_written(w, records, false);
		left.p += n;
		left.len -= n;
	}
	return missing == 0 || tell_missing(w, missing);
}

static bool
is_due(const struct audit_writer *w)
{
	return w->due_ms != -1 && audit_sink_left(w->due_ms) == 0;
}

/* Waits for work, or for the store to want a word. */
static void
wait_for_work(struct audit_writer *w)
{
	struct timespec t;

	w->waiting = true;
	if (w->due_ms == -1) {
		pthread_cond_wait(&w->wake, &w->lock);
		return;
	}
	audit_in_ms(&t, (unsigned)audit_sink_left(w->due_ms));
	(void)pthread_cond_timedwait(&w->wake, &w->lock, &t);
}

/* Waits for work, then lets some gather. */
static void
gather(struct audit_writer *w)
{
	struct timespec nap = { 0, LIMIT_AUDIT_GATHER_MS * 1000000L };
	bool nap_now;

	pthread_mutex_lock(&w->lock);
	while (w->queue.records == 0 && w->missing == 0 && !w->stop &&
	       !w->reopen && !is_due(w)) {
		wait_for_work(w);
	}
	w->waiting = false;
	nap_now = !w->stop && !w->reopen;
	pthread_mutex_unlock(&w->lock);
	if (nap_now) {
		(void)nanosleep(&nap, NULL);
	}
}

/* Takes the queue; what comes later goes to the block that was empty. */
static uint64_t
take_queue(struct audit_writer *w, bool *reopens, bool *stops)
{
	struct block empty = { w->batch.p, 0, 0 };
	uint64_t missing;

	pthread_mutex_lock(&w->lock);
	w->batch = w->queue;
	w->queue = empty;
	missing = w->missing;
	w->missing = 0;
	w->telling = missing > 0;
	*reopens = w->reopen;
	*stops = w->stop;
	audit_note_room(w);
	pthread_mutex_unlock(&w->lock);
	return missing;
}

/* After a flood: fresh memory that nobody has touched yet. */
static void
give_back(struct audit_writer *w)
{
	char *p;

	if (w->batch.len > WRITER_KEPT_BYTES) {
		p = malloc(w->size.bytes);
		if (p != NULL) {
			free(w->batch.p);
			w->batch.p = p;
		}
	}
}

static void
say_what_was_left(struct audit_writer *w)
{
	uint64_t left;

	pthread_mutex_lock(&w->lock);
	left = w->put - w->taken;
	pthread_mutex_unlock(&w->lock);
	log_error("audit: stopped before its records could be written "
		  "records=%llu lost=%llu",
	    (unsigned long long)left, atomic_load(&w->lost));
}

static void *
run(void *arg)
{
	struct audit_writer *w = arg;
	struct audit_ask what = { .kind = AUDIT_ASK_TICK };
	bool reopens, stops = false, ok = true;
	uint64_t missing;

	while (ok && !stops) {
		gather(w);
		missing = take_queue(w, &reopens, &stops);
		ok = write_batch(w, missing);
		give_back(w);
		if (ok && reopens) {
			reopen(w);
		}
		if (ok && (stops || is_due(w))) {
			what.kind = stops ? AUDIT_ASK_END : AUDIT_ASK_TICK;
			ok = ask_until_done(w, &what);
		}
	}
	if (!ok) {
		say_what_was_left(w);
	}
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- beginning and end --------------------------------------------------- */

static enum err
start(struct audit_writer *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		return ERR_NOMEM;
	}
	(void)pthread_setname_np(w->thread, "audit");
	return ERR_OK;
}

static void
release(struct audit_writer *w)
{
	if (w->call.end != NULL) {
		w->call.end(w->call.arg);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->done);
	free(w->queue.p);
	free(w->batch.p);
	free(w);
}

static void
init_locks(struct audit_writer *w)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
}

enum err
audit_writer_new(const struct audit_call *call,
    const struct audit_queue_size *size, struct audit_writer **out)
{
	struct audit_writer *w = calloc(1, sizeof(*w));
	enum err rc = ERR_NOMEM;

	if (w == NULL) {
		return ERR_NOMEM;
	}
	init_locks(w);
	w->size = *size;
	w->queue.p = malloc(size->bytes);
	w->batch.p = malloc(size->bytes);
	w->call = *call;
	w->due_ms = -1;
	if (w->queue.p != NULL && w->batch.p != NULL) {
		rc = start(w);
	}
	if (rc != ERR_OK) {
		w->call.end = NULL;
		release(w);
		return rc;
	}
	*out = w;
	return ERR_OK;
}

void
audit_writer_free(struct audit_writer *w)
{
	struct timespec t;
	bool in_time = true;

	if (w == NULL) {
		return;
	}
	audit_in_ms(&t, 2 * LIMIT_AUDIT_STOP_MS);
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	while (!w->ended && in_time) {
		in_time = audit_wait_done(w, &t);
	}
	in_time = w->ended;
	pthread_mutex_unlock(&w->lock);
	if (!in_time) {
		/* A write(2) that the kernel does not end. */
		say_what_was_left(w);
		pthread_detach(w->thread);
		return;
	}
	pthread_join(w->thread, NULL);
	release(w);
}
