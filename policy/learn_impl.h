/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_LEARN_IMPL_H
#define POLICY_LEARN_IMPL_H

/* What learn.c reads and learn_write.c writes; nobody else sees it. */
#include "base/arena.h"
#include "learn.h"

/* Something seen: an operation, a client, or a need. */
struct seen {
	struct span member; /* of constraints, "may", ... */
	struct span text;
	struct span how;
	struct span first; /* when */
	char last[32];
	struct span by; /* the first client's common name */
	bool others;	/* and not it alone */
	unsigned long n;
	struct seen *next;
};

struct learnt {
	struct span name;
	struct seen *ops, *clients, *needs;
	bool buildkit;
	struct learnt *next;
};

struct learn {
	struct arena arena;
	struct learnt *roles;
	struct seen *refused;
	struct span who; /* of the record that is being read */
};

/*
 * Members of needs, besides those of constraints:
 *
 *	may      the rule text is needed as a whole
 *	because  ... for the text, which no list can say; how: the rule
 *	never    no role can be given the rule text
 *	unsafe   a text that would be a pattern, is cut or not printable
 *	more     records of this operation needed more than they hold
 *	ports    how: "port", "addr" or "all"
 *	modes, network_drivers, volume_drivers   lists of networks, volumes
 */

/* The rule that a list takes away when it is set, or NULL. */
const char *learn_rule_of(const char *member);

#endif
