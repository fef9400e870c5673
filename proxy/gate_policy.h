/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_POLICY_H
#define PROXY_GATE_POLICY_H

/* The gate's policy: a preset's name, or a file. */
#include "admin.h"
#include "shared_policy.h"

/* d has the first mistake, asker (or NULL) is told of all. */
enum err gate_load_policy(const char *name, struct shared_policy **out,
    struct diag *d, const struct admin_asker *asker) MUST_USE;

#endif
