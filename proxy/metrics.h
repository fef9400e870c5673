/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

/*
 * What the gate counts.  Each worker has a block of its own and is the only
 * one that writes to it, so a count is a load, an addition and a store, with
 * no lock and no bus cycle; the admin thread reads all blocks and sums.  What
 * it reads may be a moment old, and never half a number.
 *
 * Every label is from a table or from the policy, and bounded: no client
 * makes a new one.
 */
#include <stdatomic.h>
#include <time.h>

#include "policy/ops.h"
#include "policy/rules.h"
#include "tls.h"

#define METRICS_OPS                                                            \
	192 /* ops_all() has fewer; the last is for unknown ones               \
	     */
#define METRICS_ROLES 64
#define METRICS_ROLE_NAME 64
#define METRICS_BUCKETS 16

enum metrics_decision {
	METRICS_ERROR = 0, /* ended before policy had decided */
	METRICS_ALLOW,
	METRICS_DENY,
	METRICS_OBSERVE, /* let through by a role that only observes */
	METRICS_DECISIONS
};

/* By the first digit of the status; 0: the client was told nothing. */
#define METRICS_CLASSES 6

enum metrics_time {
	METRICS_HANDSHAKE = 0, /* from accept to the end of TLS's handshake */
	METRICS_POLICY,	       /* in policy/, without waiting for dockerd */
	METRICS_UPSTREAM,      /* from the head sent to the answer's head */
	METRICS_TIMES
};

enum metrics_bytes {
	METRICS_FROM_CLIENT = 0,
	METRICS_TO_CLIENT,
	METRICS_FROM_DOCKERD,
	METRICS_TO_DOCKERD,
	METRICS_BYTES
};

/* Slots that are there from the beginning. */
enum {
	METRICS_ROLE_HANDSHAKE = 0, /* not known yet */
	METRICS_ROLE_NONE,	    /* the policy has no role for it */
	METRICS_ROLE_OTHER,	    /* more roles than slots */
	METRICS_ROLE_FIRST
};

/* Why a connection was turned away, or made room for another. */
enum metrics_shed {
	METRICS_SHED_CONNECTIONS = 0, /* limits.connections */
	METRICS_SHED_ADDRESS,	      /* limits.connections_per_address */
	METRICS_SHED_CLIENT,	      /* limits.connections_per_client */
	METRICS_SHED_HANDSHAKES,      /* limits.handshakes */
	METRICS_SHEDS
};

typedef _Atomic uint64_t metric;

struct metrics_histogram {
	metric bucket[METRICS_BUCKETS + 1]; /* not cumulative; last: above */
	metric sum_ns;
};

struct metrics_role {
	char name[METRICS_ROLE_NAME]; /* set before the slot is published */
	metric connections, streams;  /* now */
};

struct metrics {
	metric requests[METRICS_OPS][METRICS_DECISIONS][METRICS_CLASSES];
	metric refusals[RULE_N]; /* RULE_NONE: by the reader of HTTP */
	metric handshakes_failed[TLS_FAILURES];
	metric bytes[METRICS_BYTES];
	struct metrics_histogram time[METRICS_TIMES];
	metric connections; /* accepted */
	metric shed[METRICS_SHEDS];
	metric streams; /* begun */
	metric cut;	/* streams, because of a reload */
	atomic_uint n_roles;
	struct metrics_role role[METRICS_ROLES];
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* For the owner alone. */
static inline void
metrics_add(metric *m, uint64_t n)
{
	atomic_store_explicit(m,
	    atomic_load_explicit(m, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* For anybody. */
static inline uint64_t
metrics_get(const metric *m)
{
	return atomic_load_explicit(m, memory_order_relaxed);
}

/* A clock that never jumps, in nanoseconds. */
static inline uint64_t
metrics_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The owner's: one more that took so long. */
void metrics_time(struct metrics *m, enum metrics_time what, uint64_t ns);
/* The owner's: op NULL is unknown; status 0 is none. */
void metrics_request(struct metrics *m, const struct op *op,
    enum metrics_decision d, unsigned status);
/* The owner's: rule by its name; "" or unknown: the reader of HTTP. */
void metrics_refusal(struct metrics *m, const char *rule);
/* The owner's: the slot of a role by name; NULL: no role. */
unsigned metrics_role_slot(struct metrics *m, const char *name);

/* Adds a block to a total, which is the caller's own. */
void metrics_sum(struct metrics *total, const struct metrics *block);

/* The upper bounds of a histogram's buckets, in nanoseconds. */
extern const uint64_t metrics_bound[METRICS_TIMES][METRICS_BUCKETS];

#endif
