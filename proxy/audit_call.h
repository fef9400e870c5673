/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_CALL_H
#define PROXY_AUDIT_CALL_H

/* How a writer reaches the store: in this process, or in another one
 * (audit_remote.h). */
#include "audit_store.h"

struct audit_call {
	/* Answers within ms, or about that; one thread at a time. */
	void (*ask)(void *arg, const struct audit_ask *ask, unsigned ms,
	    struct audit_said *said);
	void (*end)(void *arg); /* frees arg */
	void *arg;
};

/* Holds the store until call->end(). */
enum err audit_call_store(
    struct audit_store *s, struct audit_call *out) MUST_USE;

#endif
