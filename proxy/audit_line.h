/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_LINE_H
#define PROXY_AUDIT_LINE_H

/* Is a line a record as audit.c makes them, before it is in the chain? */
#include "base/err.h"

/*
 * line: without its LF.  One JSON object on one line without a blank, strings
 * as jsonw writes them, that begins with "time" and an "event" of those that
 * the gate records, and has none of the chain's members (seq, prev, v, key,
 * signature), nor one twice.  NULL: it is; else what it is not.
 */
const char *audit_line_wrong(struct span line);

/* Lines, each of them so and with its LF: a batch as the store takes it. */
const char *audit_lines_wrong(struct span lines);

#endif
