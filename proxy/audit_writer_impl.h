/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_WRITER_IMPL_H
#define PROXY_AUDIT_WRITER_IMPL_H

/* What audit_queue.c and audit_writer.c share, and nobody else sees. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "audit_writer.h"
#include "base/buf.h"

struct block {
	char *p;
	size_t len;
	size_t records;
};

struct audit_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* the writer */
	pthread_cond_t done; /* who waits for the writer */
	struct audit_queue_size size;
	struct block queue;
	uint64_t missing; /* behind what is queued; not yet told */
	bool waiting;	  /* the writer wants a signal */
	bool telling;	  /* what was missing is on its way */
	bool stop, reopen, ended;
	uint64_t taken, put; /* records; taken: by the sink, or given up */
	atomic_ullong written, lost;
	atomic_int full;
	atomic_int failing; /* errno of the sink, or 0 */

	/* The writer's own. */
	struct audit_call call;
	struct block batch;
	uint64_t number; /* of what was put last */
	int64_t due_ms;	 /* when the store wants to be asked; -1: never */
	time_t complained;
	int64_t stop_by_ms;
};

/* Under the lock: is there room for more work? */
void audit_note_room(struct audit_writer *w);
/* On the monotonic clock, which the conditions use. */
void audit_in_ms(struct timespec *t, unsigned ms);
/* Under the lock: waits on done until the clock says t; false: it does. */
bool audit_wait_done(struct audit_writer *w, const struct timespec *t);

#endif
