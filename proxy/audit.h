/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_H
#define PROXY_AUDIT_H

/*
 * Speaks to the court: one JSON line an event, the same fields always
 * (docs/audit.md).  Never a header, a query, a body or a key.  Thread-safe.
 */
#include "policy/policy.h"

struct audit;

enum audit_kind {
	AUDIT_HANDSHAKE = 0, /* a client that was refused before it could ask */
	AUDIT_DECISION,
	AUDIT_END,
};

struct audit_event {
	enum audit_kind kind;
	const char *id; /* of the request; NULL: none */
	const struct principal *who;
	const char *tls; /* "TLSv1.3" or "" */
	enum method method;
	struct span path;    /* decoded, canonical */
	const struct op *op; /* NULL: unknown */
	struct span object;
	struct span object_id;	      /* full id, where dockerd told it */
	const char *decision;	      /* "allow", "deny", "error" */
	const struct policy_why *why; /* NULL: none */
	/* AUDIT_END */
	unsigned status;
	uint64_t client_bytes; /* content from the client */
	uint64_t daemon_bytes; /* content from dockerd */
	uint64_t duration_ms;
	const char *ended;  /* "complete", "client_lost", ... */
	const char *reason; /* AUDIT_HANDSHAKE: why */
};

/* path: a file to append to, or "-" for standard output. */
enum err audit_open(
    const char *path, struct audit **out, struct diag *d) MUST_USE;
void audit_close(struct audit *a);

/* Records since the start: those that were written, those that could not be. */
void audit_counts(struct audit *a, uint64_t *written, uint64_t *lost);

/* a may be NULL: nothing is written. */
void audit_write(struct audit *a, const struct audit_event *e);

#endif
