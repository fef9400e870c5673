/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SHARED_POLICY_H
#define PROXY_SHARED_POLICY_H

/*
 * A loaded policy that several threads and requests hold at a time: it is
 * freed with the last of them.  A request keeps the policy it was judged by,
 * also when another one has been loaded since.
 */
#include "policy/policy.h"

struct shared_policy;

/* Takes pol on success; one holder.  NULL: out of memory. */
struct shared_policy *shared_policy_new(struct policy *pol) MUST_USE;
struct shared_policy *shared_policy_hold(struct shared_policy *s);
void shared_policy_drop(struct shared_policy *s); /* NULL is fine */
const struct policy *shared_policy_get(const struct shared_policy *s);
/* Whoever believes that a policy protects must hear where it does not. */
void shared_policy_warn(const struct policy *pol);

#endif
