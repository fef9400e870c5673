/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads "audit" of a role: what of an allowed request goes on record.
 *
 * What is named more exactly wins, wherever it stands: an operation over its
 * class, a class over "default".  Nothing here touches what is refused or
 * fails: that is recorded whatever a policy says.
 */
#include "base/text.h"
#include "load.h"

static const char *const level_names[] = {
	[AUDIT_LEVEL_USUAL] = NULL, /* has no name: "audit" is not there */
	[AUDIT_LEVEL_NONE] = "none",
	[AUDIT_LEVEL_METADATA] = "metadata",
	[AUDIT_LEVEL_REQUEST] = "request",
};

struct setting {
	struct role *role;
	enum audit_level level;
};

static bool
want_level(struct loader *l, const struct json_node *v, enum audit_level *out)
{
	size_t i;

	for (i = 1; i < NELEM(level_names); i++) {
		if (json_type(v) == JSON_STRING &&
		    span_is(json_string(v), level_names[i])) {
			*out = (enum audit_level)i;
			return true;
		}
	}
	load_complain(l, v, "expected \"none\", \"metadata\" or \"request\"");
	return false;
}

static void
set_level(void *arg, const struct op *op, bool named, unsigned line)
{
	struct setting *s = arg;

	(void)named;
	(void)line;
	s->role->audit[ops_index(op)] = (uint8_t)s->level;
}

static void
set_default(struct role *r, enum audit_level level)
{
	memset(r->audit, level, sizeof(r->audit));
	r->audit_unknown = (uint8_t)level;
}

/* The members whose names begin with '@', or those that do not. */
static void
read_names(
    struct loader *l, struct role *r, const struct json_node *v, bool classes)
{
	const struct json_node *m;
	struct setting s = { r, AUDIT_LEVEL_USUAL };
	struct span key;

	for (m = json_first(v); m != NULL; m = json_next(m)) {
		key = json_key(m);
		if (span_is(key, "default") ||
		    (key.len > 0 && key.p[0] == '@') != classes) {
			continue;
		}
		if (want_level(l, m, &s.level)) {
			load_op_named(l, m, key, set_level, &s);
		}
	}
}

void
load_audit(struct loader *l, void *role, const struct json_node *v)
{
	struct role *r = role;
	const struct json_node *m;
	enum audit_level level;

	if (json_type(v) != JSON_OBJECT) {
		if (want_level(l, v, &level)) {
			set_default(r, level);
		}
		return;
	}
	m = json_get(v, "default");
	if (m != NULL && want_level(l, m, &level)) {
		set_default(r, level);
	}
	read_names(l, r, v, true);
	read_names(l, r, v, false);
}
