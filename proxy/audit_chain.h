/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_CHAIN_H
#define PROXY_AUDIT_CHAIN_H

/*
 * Records in a chain: each has a number and the hash of the line before it,
 * and now and then a checkpoint signs where the chain stands.  docs/audit.md
 * says what that proves.  One thread at a time.
 */
#include <time.h>

#include "audit_link.h"
#include "base/buf.h"

/* The format of a record, its member "v" (docs/audit.md). */
#define AUDIT_VERSION 1

struct audit_chain;

/*
 *   path  the file that the chain goes on in, or NULL
 *   key   file of the key that signs, made if missing; NULL: no checkpoints
 */
enum err audit_chain_new(const char *path, const char *key,
    struct audit_chain **out, struct diag *d) MUST_USE;
void audit_chain_free(struct audit_chain *c);

/* line: a record, "{...}\n".  It goes to out with its number and hash;
 * on failure the chain stays where it was. */
enum err audit_chain_add(
    struct audit_chain *c, struct span line, struct buf *out) MUST_USE;

/* Seconds until a checkpoint is due, 0: now, -1: there is nothing to sign. */
int audit_chain_due(const struct audit_chain *c, time_t now);
enum err audit_chain_sign(
    struct audit_chain *c, const char *stamp, struct buf *out) MUST_USE;

#endif
