/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

/*
 * A worker: one thread, one loop, its own listeners and its own TLS keys.
 */
#include "conn.h"

struct worker_thread;
struct worker_reload; /* one worker's part of a reload */

/* Borrows gate; holds policy; takes tls on success (NULL: clear listeners
 * only). */
enum err worker_new(struct gate *gate, unsigned number, struct tls_server *tls,
    struct shared_policy *policy, struct worker_thread **out) MUST_USE;
/* Takes fd on success.  shared: other workers accept from the same socket. */
enum err worker_listen(struct worker_thread *t, int fd, enum listen_kind kind,
    bool shared) MUST_USE;
enum err worker_start(struct worker_thread *t) MUST_USE;
/* What one reload comes to in all workers together. */
struct reload_tally {
	atomic_uint left; /* workers that have not had their turn */
	atomic_uint cut;  /* streams that the new policy refused */
	/* Called once, by the last of them, on its thread; frees it. */
	void (*done)(struct reload_tally *t);
};

/*
 * New requests get policy, new connections tls, from the loop's next turn
 * on; open streams that policy refuses are cut.  Takes tls and holds policy
 * on success; nothing happens before worker_reload().
 */
enum err worker_reload_new(struct worker_thread *t, struct tls_server *tls,
    struct shared_policy *policy, struct reload_tally *tally,
    struct worker_reload **out) MUST_USE;
/* Nothing comes of it, and tally does not hear of it; NULL is fine. */
void worker_reload_free(struct worker_reload *r);
/* Cannot fail; takes r.  From any thread. */
void worker_reload(struct worker_reload *r);
/* For how long its loop has not come by, where it never will (LIMIT_STUCK_MS);
 * 0: it does.  From any thread. */
int64_t worker_stuck_ms(const struct worker_thread *t);
/* What it has counted; anybody may read it. */
const struct metrics *worker_metrics(const struct worker_thread *t);
/* Graceful stop, from any thread; a second call hurries. */
void worker_stop(struct worker_thread *t);
/* As that, but streams stay until they end, however long that takes; a stop
 * may follow. */
void worker_drain(struct worker_thread *t);
/* Has its loop ended? */
bool worker_done(const struct worker_thread *t);
/* Waits for the thread, frees. */
void worker_free(struct worker_thread *t);

#endif
