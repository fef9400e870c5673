/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_SHOW_H
#define PROXY_AUDIT_SHOW_H

/* Which records somebody wants to see, and how they are shown. */
#include <stdio.h>

#include "audit_fields.h"
#include "flags.h"

/* Patterns as file names have them; NULL: any. */
struct audit_filter {
	const char *client, *object, *decision, *event;
	const char *op;		/* or a class: "@exec" */
	const char *id, *trace; /* of the request; the trace's */
	const char *from, *to;	/* beginnings of a time as records have it */
};

enum audit_form {
	AUDIT_TABLE = 0,
	AUDIT_JSON,
	AUDIT_CSV,
};

bool audit_filter_matches(
    const struct audit_filter *f, const struct audit_fields *r);
/* One record (line: all of it), with its LF. */
void audit_show(enum audit_form form, bool colour, struct span line,
    const struct audit_fields *r, FILE *to);
/* The line above: a table's, or a CSV file's. */
void audit_show_head(enum audit_form form, FILE *to);

#endif
