/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaints of a policy in the order of the file; see load.h.
 *
 * Roles are read before clients, and "deny" after all else of a role, so
 * complaints come out of order; people go through a file from the top.
 *
 * Rejected: sorting where they are printed, because the command and the gate
 * would differ.
 *
 * Attackers do not write policies; a file of mistakes alone costs memory for
 * each, and where there is none left they are told at once.
 */
#include <stdlib.h>

#include "load.h"

void
load_order_keep(void *arg, const struct diag *d)
{
	struct load_order *o = arg;
	size_t cap = o->cap == 0 ? 16 : o->cap * 2;
	struct diag *grown;

	if (o->n == o->cap) {
		grown = realloc(o->d, cap * sizeof(*grown));
		if (grown == NULL) {
			o->report(o->arg, d);
			return;
		}
		o->d = grown;
		o->cap = cap;
	}
	o->d[o->n++] = *d;
}

static int
by_place(const void *a, const void *b)
{
	const struct diag *x = a, *y = b;

	if (x->line != y->line) {
		return x->line < y->line ? -1 : 1;
	}
	return x->col == y->col ? 0 : x->col < y->col ? -1 : 1;
}

void
load_order_tell(struct load_order *o)
{
	size_t i;

	if (o->n > 0) {
		qsort(o->d, o->n, sizeof(*o->d), by_place);
	}
	for (i = 0; i < o->n; i++) {
		o->report(o->arg, &o->d[i]);
	}
	free(o->d);
}
