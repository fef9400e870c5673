/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue before the writer of audit records, as workers see it; see
 * audit_writer.h, and audit_writer.c for the design.
 *
 * Attackers make records faster than a disk takes them; the lock is held for
 * a copy and no more, so that they slow nobody down.
 */
#include "audit_writer_impl.h"

#include <errno.h>

/* The share of the queue that is kept for the ends of what runs. */
#define WRITER_ROOM(n) ((n) - (n) / 4)

void
audit_note_room(struct audit_writer *w)
{
	atomic_store_explicit(&w->full,
	    w->missing > 0 || w->queue.len > WRITER_ROOM(w->size.bytes) ||
		w->queue.records > WRITER_ROOM(w->size.records),
	    memory_order_relaxed);
}

/* Under the lock. */
static bool
fits(const struct audit_writer *w, size_t len)
{
	return w->missing == 0 && len <= w->size.bytes - w->queue.len &&
	       w->queue.records < w->size.records;
}

void
audit_writer_put(struct audit_writer *w, struct span line)
{
	pthread_mutex_lock(&w->lock);
	if (fits(w, line.len)) {
		memcpy(w->queue.p + w->queue.len, line.p, line.len);
		w->queue.len += line.len;
		w->queue.records++;
		w->put++;
	} else {
		w->missing++;
		atomic_fetch_add(&w->lost, 1);
	}
	audit_note_room(w);
	if (w->waiting) {
		w->waiting = false;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
}

void
audit_writer_lost(struct audit_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->missing++;
	atomic_fetch_add(&w->lost, 1);
	audit_note_room(w);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
audit_writer_reopen(struct audit_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->reopen = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

/* Waits on done until the clock says t; false: it does. */
bool
audit_wait_done(struct audit_writer *w, const struct timespec *t)
{
	return pthread_cond_timedwait(&w->done, &w->lock, t) != ETIMEDOUT;
}

void
audit_in_ms(struct timespec *t, unsigned ms)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += ms / 1000;
	t->tv_nsec += (long)(ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_sec++;
		t->tv_nsec -= 1000000000;
	}
}

bool
audit_writer_flush(struct audit_writer *w, unsigned ms)
{
	struct timespec t;
	uint64_t until;
	bool in_time = true, all;

	audit_in_ms(&t, ms);
	pthread_mutex_lock(&w->lock);
	until = w->put;
	while (in_time && (w->taken < until || w->missing > 0 || w->telling ||
			      w->reopen)) {
		in_time = audit_wait_done(w, &t);
	}
	all = w->taken >= until && w->missing == 0 && !w->telling;
	pthread_mutex_unlock(&w->lock);
	return all;
}

enum audit_health
audit_writer_health(const struct audit_writer *w, int *why)
{
	*why = atomic_load_explicit(&w->failing, memory_order_relaxed);
	if (*why != 0) {
		return AUDIT_FAILING;
	}
	return atomic_load_explicit(&w->full, memory_order_relaxed)
		   ? AUDIT_FULL
		   : AUDIT_HEALTHY;
}

void
audit_writer_stats(struct audit_writer *w, struct audit_stats *out)
{
	int why;

	pthread_mutex_lock(&w->lock);
	out->written = atomic_load(&w->written);
	out->lost = atomic_load(&w->lost);
	out->queued_records = w->queue.records;
	out->queued_bytes = w->queue.len;
	pthread_mutex_unlock(&w->lock);
	out->health = audit_writer_health(w, &why);
}
