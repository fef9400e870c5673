/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_REDACT_H
#define POLICY_REDACT_H

/*
 * A request for the record: its query and its JSON body, without what may be
 * a secret.  Names stay, and so do numbers and booleans; of texts only those
 * whose field is known to hold none (docs/audit.md).
 */
#include "base/buf.h"
#include "request.h"

/*
 * Writes one JSON object, {"query": {...}, "body": ...}.  body: the one that
 * was judged, or empty: then it has no "body".
 * ERR_JSON_*, ERR_LIMIT, ERR_NOMEM: then out holds nothing of use.
 */
enum err redact_request(
    const struct canon_req *req, struct span body, struct buf *out) MUST_USE;

#endif
