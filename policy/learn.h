/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_LEARN_H
#define POLICY_LEARN_H

/* From audit records of observed roles to a policy that allows just that. */
#include "base/buf.h"
#include "base/err.h"

struct learn;

struct learn *learn_new(void) MUST_USE;
void learn_free(struct learn *l);
/* One record; ERR_OK also where there is nothing to learn from it. */
enum err learn_record(struct learn *l, struct span line) MUST_USE;
/* The policy, with comments.  ERR_LIMIT, ERR_NOMEM. */
enum err learn_write(struct learn *l, struct buf *out) MUST_USE;

#endif
