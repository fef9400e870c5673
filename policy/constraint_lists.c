/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of values that are allowed although a rule refuses their kind; see
 * constraint.h.
 *
 * One table says which list speaks at which field of which rule.  The walk
 * asks it before it refuses a text, for bodies and for inspected containers
 * alike, so a container that a role may make is one that it may enter.  A role
 * that has a list loses the rule from its "may" (load_role.c): the list is
 * then all there is, and a place that no list speaks of is judged by the rule.
 *
 * Rejected: a list as another "may", which would only ever widen a role that
 * inherits the rule as a whole.
 *
 * Attackers send what is not on a list in a spelling that dockerd takes for
 * it; texts are compared as they are, so such a spelling is not on the list.
 */
#include "constraint.h"

#define AT(path) offsetof(struct constraints, path)

static const struct {
	enum rule rule;
	const char *field;
	bool top; /* of the body itself, in no object of it */
	size_t off;
	bool (*match)(const struct words *list, struct span s);
} lists[] = {
	{ RULE_CAPABILITIES, "CapAdd", false, AT(capabilities.allow),
	    constraint_match_capability },
	{ RULE_CAPABILITIES, "CapabilityAdd", false, AT(capabilities.allow),
	    constraint_match_capability },
	{ RULE_NETWORK_DRIVER, "Driver", true, AT(networks.drivers),
	    words_match },
	{ RULE_SYSCTLS, "Sysctls", false, AT(sysctls), words_match },
	{ RULE_RUNTIME, "Runtime", false, AT(runtimes), words_match },
	{ RULE_LOG_DRIVER, "Type", false, AT(log_drivers), words_match },
	{ RULE_LOG_DRIVER, "Name", false, AT(log_drivers), words_match },
	{ RULE_RESTART, "Name", false, AT(restart), words_match },
	{ RULE_SECURITY_OPTIONS, "SecurityOpt", false, AT(security_options),
	    words_match },
	{ RULE_VOLUME_DRIVER, "VolumeDriver", false, AT(volumes.drivers),
	    words_match },
	{ RULE_VOLUME_DRIVER, "Driver", true, AT(volumes.drivers),
	    words_match },
};

uint64_t
constraint_taken(const struct constraints *c)
{
	const struct words *list;
	uint64_t taken = 0;
	size_t i;

	for (i = 0; i < NELEM(lists); i++) {
		list = (const void *)((const char *)c + lists[i].off);
		if (list->set) {
			taken |= RULE_BIT(lists[i].rule);
		}
	}
	taken |= c->host_paths.set ? RULE_BIT(RULE_HOST_PATHS) : 0;
	taken |= c->ports.set ? RULE_BIT(RULE_PUBLISHED_PORTS) : 0;
	taken |= c->devices.set ? RULE_BIT(RULE_DEVICES) : 0;
	taken |= c->extra_hosts.set ? RULE_BIT(RULE_EXTRA_HOSTS) : 0;
	return taken;
}

const struct words *
constraint_list(const struct constraints *c, enum rule r, const char *field,
    bool top, bool (**match)(const struct words *list, struct span s))
{
	const struct words *list;
	size_t i;

	for (i = 0; i < NELEM(lists); i++) {
		list = (const void *)((const char *)c + lists[i].off);
		if (lists[i].rule == r && strcmp(lists[i].field, field) == 0 &&
		    (top || !lists[i].top) && list->set) {
			*match = lists[i].match;
			return list;
		}
	}
	return NULL;
}
