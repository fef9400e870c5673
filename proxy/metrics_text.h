/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_METRICS_TEXT_H
#define PROXY_METRICS_TEXT_H

/*
 * Writes metrics as Prometheus reads them: text format 0.0.4.  Failures
 * (memory, the buffer's ceiling) stick in err: look at it once, at the end.
 */
#include "base/buf.h"
#include "metrics.h"

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_text {
	struct buf *out;
	enum err err;
};

/* "# HELP" and "# TYPE"; its values follow.  type: "counter", "gauge". */
void metrics_text_head(struct metrics_text *t, const char *name,
    const char *type, const char *help);
/* One value, without a label, or with one (label NULL: none). */
void metrics_text_value(struct metrics_text *t, const char *name,
    const char *label, const char *text, uint64_t value);
/* Head and one value without a label. */
void metrics_text_one(struct metrics_text *t, const char *name,
    const char *type, const char *help, uint64_t value);
/* The same of a number of nanoseconds, in seconds. */
void metrics_text_seconds(struct metrics_text *t, const char *name,
    const char *type, const char *help, uint64_t ns);

/* All that workers count. */
void metrics_text_counts(struct metrics_text *t, const struct metrics *m);

#endif
