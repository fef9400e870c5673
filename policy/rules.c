/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules by name; see rules.h, and rules.def for the list.
 *
 * Names are an interface: policies, audit logs and people's scripts hold
 * them.  A rule may be added; none is renamed or given another meaning.
 */
#include "rules.h"

#include <assert.h>

static const struct {
	const char *name;
	bool may;
	const char *what;
} rules[RULE_N] = {
	[RULE_NONE] = { "", false, "" },
#define X(code, name, may, what) [code] = { name, may, what },
#include "rules.def"
#undef X
};

/* Those that a role may be given come first. */
static_assert(RULE_IMAGES <= 64, "a set of rules is a uint64_t");

const char *
rule_name(enum rule r)
{
	return (unsigned)r < RULE_N ? rules[r].name : "";
}

const char *
rule_what(enum rule r)
{
	return (unsigned)r < RULE_N ? rules[r].what : "";
}

bool
rule_may(enum rule r)
{
	return (unsigned)r < RULE_N && rules[r].may;
}

enum rule
rule_by_name(struct span name)
{
	unsigned r;

	for (r = RULE_NONE + 1; r < RULE_N; r++) {
		if (span_is(name, rules[r].name)) {
			return (enum rule)r;
		}
	}
	return RULE_NONE;
}
