/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies under a count of holders; see shared_policy.h.
 *
 * A reload replaces the policy of each worker on the worker's own thread, so
 * no reader ever waits; what is left is who frees the old one.  An atomic
 * count answers that.  A read-copy-update scheme was rejected: requests live
 * as long as streams do, which can be weeks.
 */
#include "shared_policy.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "log.h"

struct shared_policy {
	struct policy *policy;
	atomic_uint holders;
};

struct shared_policy *
shared_policy_new(struct policy *pol)
{
	struct shared_policy *s = malloc(sizeof(*s));

	if (s != NULL) {
		s->policy = pol;
		atomic_init(&s->holders, 1);
	}
	return s;
}

struct shared_policy *
shared_policy_hold(struct shared_policy *s)
{
	atomic_fetch_add_explicit(&s->holders, 1, memory_order_relaxed);
	return s;
}

void
shared_policy_drop(struct shared_policy *s)
{
	if (s != NULL && atomic_fetch_sub_explicit(
			     &s->holders, 1, memory_order_acq_rel) == 1) {
		policy_free(s->policy);
		free(s);
	}
}

const struct policy *
shared_policy_get(const struct shared_policy *s)
{
	return s->policy;
}

void
shared_policy_warn(const struct policy *pol)
{
	const char *role = policy_observes_all(pol) ? "*" : NULL;
	size_t i = 0;

	while (
	    role != NULL || (role = policy_observing_role(pol, i++)) != NULL) {
		log_warn("OBSERVING, NOT ENFORCING role=%s (\"mode\": "
			 "\"observe\"): what it would refuse is passed, and "
			 "written to the audit file",
		    role);
		role = NULL;
	}
}
