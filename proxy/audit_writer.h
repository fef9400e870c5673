/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_WRITER_H
#define PROXY_AUDIT_WRITER_H

/*
 * The thread that writes audit records, and the bounded queue before it.
 * Whoever puts a record in copies it and goes on; only the writer waits for
 * the store.
 */
#include "audit_call.h"

struct audit_writer;

struct audit_queue_size {
	size_t bytes;
	size_t records;
};

/* How it stands with the records, as the last attempt left it. */
enum audit_health {
	AUDIT_HEALTHY = 0,
	AUDIT_FULL,    /* the queue has no room for more work */
	AUDIT_FAILING, /* the sink takes nothing */
};

struct audit_stats {
	uint64_t written; /* records that the sink has taken */
	uint64_t lost;	  /* that found no room, since the start */
	size_t queued_records, queued_bytes;
	enum audit_health health;
};

/*
 * Takes call on success.  The thread blocks all signals.
 */
enum err audit_writer_new(const struct audit_call *call,
    const struct audit_queue_size *size, struct audit_writer **out) MUST_USE;
/* Writes what is queued, as long as the sink takes it within
 * LIMIT_AUDIT_STOP_MS; then logs what it had to leave.  NULL is fine. */
void audit_writer_free(struct audit_writer *w);

/* A whole line with its LF.  Any thread; never waits for the sink. */
void audit_writer_put(struct audit_writer *w, struct span line);
/* One that could not even be made. */
void audit_writer_lost(struct audit_writer *w);
/* After what is queued now; any thread. */
void audit_writer_reopen(struct audit_writer *w);
/* Waits until what was put before is written; false: not within ms. */
bool audit_writer_flush(struct audit_writer *w, unsigned ms) MUST_USE;

/* *why: errno of a sink that fails, else 0. */
enum audit_health audit_writer_health(const struct audit_writer *w, int *why);
void audit_writer_stats(struct audit_writer *w, struct audit_stats *out);

#endif
