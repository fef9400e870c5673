/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_H
#define PROXY_AUDIT_H

/*
 * Speaks to the court: one JSON line an event, the same fields always
 * (docs/audit.md).  Never a header, a query, a body or a key.  Thread-safe.
 */
#include "audit_writer.h"
#include "policy/policy.h"

struct audit;

enum audit_kind {
	AUDIT_HANDSHAKE = 0, /* a client that was refused before it could ask */
	AUDIT_DECISION,
	AUDIT_END,
};

struct audit_event {
	enum audit_kind kind;
	const char *id;		 /* of the request; NULL: none */
	struct span traceparent; /* traceparent.h, or empty */
	const struct principal *who;
	const char *tls;    /* "TLSv1.3" or "" */
	const char *cipher; /* the suite's name; NULL: none */
	enum method method;
	struct span path;    /* decoded, canonical */
	const struct op *op; /* NULL: unknown */
	struct span object;
	struct span object_id; /* full id, where dockerd told it */
	const char *decision;  /* "allow", "observe", "deny", "error" */
	const struct policy_report *report; /* NULL: not observed */
	const struct policy_why *why;	    /* NULL: none */
	const char *notes;		    /* policy_notes(), or NULL */
	struct span request;		    /* JSON of redact.h, or empty */
	struct span facts;		    /* the same of gist.h, or empty */
	const char *request_omitted; /* why not all of it is there, or NULL */
	/* AUDIT_END */
	unsigned status;
	uint64_t client_bytes; /* content from the client */
	uint64_t daemon_bytes; /* content from dockerd */
	uint64_t duration_ms;
	const char *ended;  /* "complete", "client_lost", ... */
	const char *made;   /* what dockerd calls what it has made; or "" */
	const char *reason; /* AUDIT_HANDSHAKE: why */
};

/* Somebody came with a token. */
struct audit_enrolment {
	const char *addr;
	const char *token;    /* its id; "" where there is none */
	const char *name;     /* issued or asked for, printable; "" */
	const char *serial;   /* "" where nothing was issued */
	const char *decision; /* "allow", "deny", "error" */
	const char *rule;
	unsigned status;
};

struct audit_options {
	const char *to;	 /* a file to append to, or "-": standard output */
	const char *key; /* file of the key for checkpoints; NULL: none */
	bool required;	 /* no record, no change of state */
	struct audit_queue_size queue;
	struct audit_rotation rotation;
};

/* What writes to opt->to: opens and makes what is needed for that. */
enum err audit_store_open(const struct audit_options *opt,
    struct audit_store **out, struct diag *d) MUST_USE;
/*
 * Starts the thread that hands records to a store, by call, which it takes on
 * success; of opt it needs what is not the store's (required, queue).  Opens
 * no file and starts no program.
 */
enum err audit_open(const struct audit_options *opt,
    const struct audit_call *call, struct audit **out) MUST_USE;
/* Writes what is queued; a sink that fails is given up after a while. */
void audit_close(struct audit *a);

/* Records since the start: those that were written, those that could not be;
 * and those that wait now. */
void audit_counts(
    struct audit *a, uint64_t *written, uint64_t *lost, uint64_t *queued);

/* a may be NULL: nothing is written.  Never waits for the sink. */
void audit_write(struct audit *a, const struct audit_event *e);

void audit_enrol(struct audit *a, const struct audit_enrolment *e);

/*
 * May a request that changes state go on?  Only "required" ever says no;
 * then *why is a sentence for the client (at most size bytes).
 */
bool audit_permits(const struct audit *a, char *why, size_t size);

/* After what is queued: opens the file's name anew.  a may be NULL. */
void audit_reopen(struct audit *a);
/* Waits until what was written before has left; false: not within ms. */
bool audit_flush(struct audit *a, unsigned ms) MUST_USE;

/* Now, as records have it. */
#define AUDIT_STAMP_SIZE 64
void audit_stamp(char stamp[AUDIT_STAMP_SIZE]);

/* The record of n that are missing, with its LF; for the writer. */
enum err audit_build_lost(struct buf *line, uint64_t n) MUST_USE;

#endif
