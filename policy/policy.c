/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded policy: who has which role; see policy.h.
 *
 * It never changes after it was loaded, so threads share it without a lock; a
 * reload makes another one.  Clients are looked at in order and the first
 * match wins, as in a firewall's list: what a client may do is found by
 * reading from the top to one line.  No match is no role, and no role is
 * refused.
 */
#include "policy.h"

#include <stdlib.h>

#include "role.h"

void
policy_free(struct policy *pol)
{
	if (pol != NULL) {
		arena_fini(&pol->arena);
		free(pol);
	}
}

void
policy_follow_links(struct policy *pol,
    enum err (*resolve)(const char *path, char *out, size_t size))
{
	pol->paths.resolve = resolve;
}

const struct client *
policy_client(const struct policy *pol, const struct principal *who)
{
	uint64_t key = match_key(who->cn);
	const struct client *c;

	for (c = pol->clients; c != NULL; c = c->next) {
		if (c->match.cn_key != 0 && c->match.cn_key != key) {
			continue; /* told apart without a look at the text */
		}
		if (match_principal(&c->match, who)) {
			return c;
		}
	}
	return NULL;
}

const struct role *
policy_role(const struct policy *pol, const struct principal *who)
{
	const struct client *c = policy_client(pol, who);

	return c == NULL ? NULL : c->role;
}

bool
policy_observes(const struct policy *pol, const struct role *role)
{
	/* What tenants make must bear their label: no judging, no tenants. */
	return !role->owned &&
	       (role->mode == MODE_OBSERVE ||
		   (role->mode == MODE_UNSAID && pol->mode == MODE_OBSERVE));
}

bool
policy_observes_all(const struct policy *pol)
{
	return pol->mode == MODE_OBSERVE;
}

const char *
policy_observing_role(const struct policy *pol, size_t i)
{
	const struct role *r;

	for (r = pol->roles; r != NULL; r = r->next) {
		if (r->mode == MODE_OBSERVE && i-- == 0) {
			return r->name;
		}
	}
	return NULL;
}

const char *
role_name(const struct role *role)
{
	return role->name;
}

bool
role_unconstrained(const struct role *role)
{
	return role->unconstrained;
}

enum audit_level
policy_audit_level(const struct role *role, const struct op *op)
{
	if (role == NULL) {
		return AUDIT_LEVEL_USUAL;
	}
	return (enum audit_level)(
	    op == NULL ? role->audit_unknown : role->audit[ops_index(op)]);
}
