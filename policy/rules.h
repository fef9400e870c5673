/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

/* The rules by name; the list is rules.def. */
#include "base/span.h"

enum rule {
	RULE_NONE = 0,
#define X(code, name, may, what) code,
#include "rules.def"
#undef X
	RULE_N
};

/* One rule in a set, a uint64_t; of rules that no set holds, none. */
#define RULE_BIT(r) ((uint64_t)((unsigned)(r) < 64) << ((unsigned)(r)&63))

const char *rule_name(enum rule r); /* "" for RULE_NONE */
/* What is refused, as in "role ci-runner refuses ...". */
const char *rule_what(enum rule r);
/* May a role be given it? */
bool rule_may(enum rule r);
/* RULE_NONE when unknown. */
enum rule rule_by_name(struct span name);

#endif
