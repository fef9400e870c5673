/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of texts and patterns that constraints hold; see constraint.h.
 *
 * A list is short (owners write it by hand), lives in the policy's arena and
 * is searched from its start: a hash would cost more than it saves.
 *
 * Rejected: regular expressions, as everywhere in the policy; a list that
 * matches in any case, because only capabilities have none.
 *
 * Attackers have no list of their own here; they choose the text that is held
 * against one, of any length, which is why match_glob() backtracks to its last
 * star only and why what is shown is cut.
 */
#include <stdio.h>

#include "constraint.h"
#include "role.h"

struct shown
words_show(const struct words *w)
{
	struct shown out = { "nothing" };
	size_t i, n = 0;

	for (i = 0; i < w->n; i++) {
		if (n + w->item[i].len + 8 > sizeof(out.s)) {
			snprintf(out.s + n, sizeof(out.s) - n, "%s...",
			    n > 0 ? ", " : "");
			break;
		}
		n += (size_t)snprintf(out.s + n, sizeof(out.s) - n, "%s%.*s",
		    n > 0 ? ", " : "", SPAN_ARG(w->item[i]));
	}
	return out;
}

bool
words_have(const struct words *w, struct span s)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (span_eq(w->item[i], s)) {
			return true;
		}
	}
	return false;
}

bool
words_match(const struct words *w, struct span s)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		if (match_glob(w->item[i], s)) {
			return true;
		}
	}
	return false;
}
