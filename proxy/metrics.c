/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting; see metrics.h.
 *
 * Rejected: atomic additions on shared counters (a locked bus cycle for each,
 * and lines that wander between processors), and a mutex for each block (a
 * scrape would then be able to make a client wait).
 *
 * Slots of roles are only ever added, by the owner: the name is written
 * first, then the number of slots with release, which a reader acquires.  A
 * policy that is replaced again and again by one with other names fills the
 * slots; the rest is counted as one.
 *
 * Attackers send operations, paths and names that nobody knows: all of them
 * are counted as "unknown".
 */
#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define US 1000ull
#define MS 1000000ull
#define S 1000000000ull

const uint64_t metrics_bound[METRICS_TIMES][METRICS_BUCKETS] = {
	[METRICS_HANDSHAKE] = { 500 * US, 1 * MS, 2 * MS, 3 * MS, 5 * MS,
	    7500 * US, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
	    1 * S, 2500 * MS, 5 * S, 10 * S },
	[METRICS_POLICY] = { 1 * US, 2500, 5 * US, 10 * US, 25 * US, 50 * US,
	    100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS,
	    25 * MS, 100 * MS, 1 * S },
	[METRICS_UPSTREAM] = { 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS,
	    10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S,
	    2500 * MS, 10 * S, 60 * S, 300 * S },
};

struct metrics *
metrics_new(void)
{
	struct metrics *m;
	size_t size = sizeof(*m), n;

	(void)ops_all(&n);
	assert(n < METRICS_OPS);
	/* Whole cache lines: no other thread's data beside it. */
	size = (size + 63) / 64 * 64;
	m = aligned_alloc(64, size);
	if (m == NULL) {
		return NULL;
	}
	memset(m, 0, size);
	(void)snprintf(m->role[METRICS_ROLE_HANDSHAKE].name, METRICS_ROLE_NAME,
	    "(handshake)");
	(void)snprintf(
	    m->role[METRICS_ROLE_NONE].name, METRICS_ROLE_NAME, "(none)");
	(void)snprintf(
	    m->role[METRICS_ROLE_OTHER].name, METRICS_ROLE_NAME, "(other)");
	atomic_init(&m->n_roles, METRICS_ROLE_FIRST);
	return m;
}

void
metrics_free(struct metrics *m)
{
	free(m);
}

void
metrics_time(struct metrics *m, enum metrics_time what, uint64_t ns)
{
	struct metrics_histogram *h = &m->time[what];
	size_t i = 0;

	while (i < METRICS_BUCKETS && ns > metrics_bound[what][i]) {
		i++;
	}
	metrics_add(&h->bucket[i], 1);
	metrics_add(&h->sum_ns, ns);
}

void
metrics_request(struct metrics *m, const struct op *op, enum metrics_decision d,
    unsigned status)
{
	size_t i = op == NULL ? METRICS_OPS - 1 : ops_index(op);
	unsigned class = status / 100;

	metrics_add(&m->requests[i][d][class < METRICS_CLASSES ? class : 0], 1);
}

void
metrics_refusal(struct metrics *m, const char *rule)
{
	metrics_add(&m->refusals[rule_by_name(span_of(rule))], 1);
}

unsigned
metrics_role_slot(struct metrics *m, const char *name)
{
	unsigned i, n = atomic_load_explicit(&m->n_roles, memory_order_relaxed);
	size_t len;

	if (name == NULL) {
		return METRICS_ROLE_NONE;
	}
	len = strnlen(name, METRICS_ROLE_NAME - 1); /* printable ASCII */
	for (i = METRICS_ROLE_FIRST; i < n; i++) {
		if (memcmp(m->role[i].name, name, len) == 0 &&
		    m->role[i].name[len] == '\0') {
			return i;
		}
	}
	if (n == METRICS_ROLES) {
		return METRICS_ROLE_OTHER;
	}
	memcpy(m->role[n].name, name, len);
	atomic_store_explicit(&m->n_roles, n + 1, memory_order_release);
	return n;
}

static void
sum(metric *to, const metric *from, size_t size)
{
	size_t i;

	for (i = 0; i < size / sizeof(metric); i++) {
		metrics_add(&to[i], metrics_get(&from[i]));
	}
}

/* Each worker has met the roles in an order of its own. */
static void
sum_roles(struct metrics *to, const struct metrics *from)
{
	unsigned i, slot;
	unsigned n = atomic_load_explicit(&from->n_roles, memory_order_acquire);

	for (i = 0; i < n; i++) {
		slot = i < METRICS_ROLE_FIRST
			   ? i
			   : metrics_role_slot(to, from->role[i].name);
		metrics_add(&to->role[slot].connections,
		    metrics_get(&from->role[i].connections));
		metrics_add(&to->role[slot].streams,
		    metrics_get(&from->role[i].streams));
	}
}

void
metrics_sum(struct metrics *total, const struct metrics *block)
{
	unsigned i;

	sum(&total->requests[0][0][0], &block->requests[0][0][0],
	    sizeof(total->requests));
	sum(total->refusals, block->refusals, sizeof(total->refusals));
	sum(total->handshakes_failed, block->handshakes_failed,
	    sizeof(total->handshakes_failed));
	sum(total->bytes, block->bytes, sizeof(total->bytes));
	for (i = 0; i < METRICS_TIMES; i++) {
		sum(total->time[i].bucket, block->time[i].bucket,
		    sizeof(total->time[i].bucket));
		sum(&total->time[i].sum_ns, &block->time[i].sum_ns,
		    sizeof(metric));
	}
	sum(&total->connections, &block->connections, sizeof(metric));
	sum(total->shed, block->shed, sizeof(total->shed));
	sum(&total->streams, &block->streams, sizeof(metric));
	sum(&total->cut, &block->cut, sizeof(metric));
	sum_roles(total, block);
}
