/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_GIST_H
#define POLICY_GIST_H

/*
 * What of a JSON body rules look at: image, command, privileges, paths of the
 * host, namespaces, devices, limits, ports (docs/audit.md has the list).
 * Nothing is taken out of the values: that is redact.h's, afterwards.
 */
#include "base/buf.h"

/*
 * Writes the body with those members alone that are in the list and are not
 * zero ("", 0, false, null, [], {}); nothing at all where none is.
 * ERR_JSON_*, ERR_LIMIT, ERR_NOMEM: then out holds nothing of use.
 */
enum err gist_write(struct span body, struct buf *out) MUST_USE;

#endif
