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
 * A sink that takes nothing is tried again and again; what was begun of a
 * line is finished, not begun anew.  Meanwhile the queue fills, and then
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

/* Sealed lines on their way to the sink: at least one record. */
#define WRITER_OUT_BYTES (4u * LIMIT_AUDIT_RECORD_BYTES)
#define WRITER_SLICE_BYTES (128u << 10)
/* A block that has grown beyond this is given back when it is empty. */
#define WRITER_KEPT_BYTES (1u << 20)
static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

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
			w->stop_by_ms = now_ms() + LIMIT_AUDIT_STOP_MS;
		}
		go_on = now_ms() < w->stop_by_ms;
	}
	pthread_mutex_unlock(&w->lock);
	if (go_on && w->stop_by_ms != 0) {
		struct timespec nap = { 0, LIMIT_AUDIT_RETRY_MS * 1000000L };

		(void)nanosleep(&nap, NULL); /* the condition holds already */
	}
	return go_on;
}

static void
reopen(struct audit_writer *w)
{
	struct diag d = { 0, 0, "" };
	bool same;

	if (audit_sink_reopen(w->sink, &same, &d) != ERR_OK) {
		log_error("audit: not reopened, the old file stays in use: %s",
		    d.text);
	} else {
		log_info("audit: reopened");
		/* A line that the old file has in part begins anew. */
		while (!same && w->off > 0 && w->out.data[w->off - 1] != '\n') {
			w->off--;
		}
	}
	pthread_mutex_lock(&w->lock);
	w->reopen = false;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static void
rotate(struct audit_writer *w)
{
	struct diag d = { 0, 0, "" };
	time_t now = time(NULL);

	if (audit_sink_rotate(w->sink, &d) != ERR_OK &&
	    now - w->complained >= LIMIT_AUDIT_COMPLAIN_S) {
		w->complained = now;
		log_error("audit: the file grows on: %s", d.text);
	}
}

/* out to the sink, all of it; false: the end came first. */
static bool
push(struct audit_writer *w)
{
	struct span s = buf_span(&w->out);
	size_t took;
	int why;

	while (w->off < s.len) {
		why = audit_sink_put(w->sink,
		    span_make(s.p + w->off, s.len - w->off), &took,
		    LIMIT_AUDIT_RETRY_MS);
		w->off += took;
		if (why == 0) {
			continue;
		}
		complain(w, why);
		if (!rest(w)) {
			if (w->stop_by_ms != 0) {
				return false;
			}
			reopen(w);
		}
	}
	recovered(w);
	buf_consume(&w->out, s.len);
	atomic_fetch_add(&w->written, w->out_records + w->out_told);
	pthread_mutex_lock(&w->lock);
	w->taken += w->out_records;
	w->telling = w->telling && w->out_told == 0;
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
	w->off = w->out_records = w->out_told = 0;
	return true;
}

static bool
add_line(struct audit_writer *w, struct span line)
{
	if (audit_chain_add(w->chain, line, &w->out) != ERR_OK) {
		atomic_fetch_add(&w->lost, 1); /* memory */
	}
	return w->out.len < WRITER_SLICE_BYTES || push(w);
}

/* The batch, and what is missing behind it. */
static bool
write_batch(struct audit_writer *w, uint64_t missing)
{
	struct span left = span_make(w->batch.p, w->batch.len);
	struct buf told;
	const char *lf;
	bool ok = true;

	while (ok && left.len > 0) {
		lf = memchr(left.p, '\n', left.len);
		w->out_records++;
		ok = add_line(w, span_make(left.p, (size_t)(lf - left.p) + 1));
		left.len -= (size_t)(lf - left.p) + 1;
		left.p = lf + 1;
	}
	if (ok && missing > 0) {
		log_error("audit records were lost records=%llu",
		    (unsigned long long)missing);
		buf_init(&told, LIMIT_AUDIT_RECORD_BYTES);
		w->out_told++;
		ok = audit_build_lost(&told, missing) != ERR_OK ||
		     add_line(w, buf_span(&told));
		buf_fini(&told);
	}
	return ok && push(w);
}

/* A checkpoint, where one is due or this is the last chance. */
static bool
seal(struct audit_writer *w, bool last_chance)
{
	int due = audit_chain_due(w->chain, time(NULL));
	char stamp[AUDIT_STAMP_SIZE];

	if (due == -1 || (due > 0 && !last_chance)) {
		return true;
	}
	audit_stamp(stamp);
	if (audit_chain_sign(w->chain, stamp, &w->out) != ERR_OK) {
		log_error("audit: a checkpoint could not be signed");
		return true;
	}
	return push(w);
}

/* Waits for work, or for a checkpoint to be due. */
static void
wait_for_work(struct audit_writer *w)
{
	int due = audit_chain_due(w->chain, time(NULL));
	struct timespec t;

	w->waiting = true;
	if (due == -1) {
		pthread_cond_wait(&w->wake, &w->lock);
		return;
	}
	audit_in_ms(&t, (unsigned)due * 1000);
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
	       !w->reopen && audit_chain_due(w->chain, time(NULL)) != 0) {
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
	buf_release(&w->out);
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
	bool reopens, stops = false, ok = true;
	uint64_t missing;

	while (ok && !stops) {
		gather(w);
		missing = take_queue(w, &reopens, &stops);
		ok = write_batch(w, missing) &&
		     seal(w, stops || reopens || audit_sink_due(w->sink));
		give_back(w);
		if (ok && reopens) {
			reopen(w);
		} else if (ok && !stops && audit_sink_due(w->sink)) {
			rotate(w);
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
	audit_sink_close(w->sink);
	audit_chain_free(w->chain);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->done);
	buf_fini(&w->out);
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
audit_writer_new(struct audit_sink *sink, struct audit_chain *chain,
    const struct audit_queue_size *size, struct audit_writer **out)
{
	struct audit_writer *w = calloc(1, sizeof(*w));
	enum err rc = ERR_NOMEM;

	if (w == NULL) {
		return ERR_NOMEM;
	}
	init_locks(w);
	buf_init(&w->out, WRITER_OUT_BYTES);
	w->size = *size;
	w->queue.p = malloc(size->bytes);
	w->batch.p = malloc(size->bytes);
	w->sink = sink;
	w->chain = chain;
	if (w->queue.p != NULL && w->batch.p != NULL) {
		rc = start(w);
	}
	if (rc != ERR_OK) {
		w->sink = NULL;
		w->chain = NULL;
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
