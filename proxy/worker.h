/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

/*
 * A worker: one thread, one loop, its own listeners and its own TLS keys.
 */
#include "conn.h"

struct worker_thread;

/* Borrows gate; holds policy; takes tls on success (NULL: clear listeners
 * only). */
enum err worker_new(struct gate *gate, unsigned number, struct tls_server *tls,
    struct shared_policy *policy, struct worker_thread **out) MUST_USE;
/* Takes fd on success. */
enum err worker_listen(
    struct worker_thread *t, int fd, enum listen_kind kind) MUST_USE;
enum err worker_start(struct worker_thread *t) MUST_USE;
/*
 * New requests get policy, new connections tls, from the loop's next turn on;
 * open streams that policy refuses are cut.  Takes tls and holds policy on
 * success.  From any thread.
 */
enum err worker_reload(struct worker_thread *t, struct tls_server *tls,
    struct shared_policy *policy) MUST_USE;
/* Graceful stop, from any thread; a second call hurries. */
void worker_stop(struct worker_thread *t);
/* Has its loop ended? */
bool worker_done(const struct worker_thread *t);
/* Waits for the thread, frees. */
void worker_free(struct worker_thread *t);

#endif
