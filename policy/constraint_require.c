/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a container must be hardened; see constraint.h.
 *
 * A demand is met by what the body says and not by what the image may say: an
 * image's user or /etc/passwd is whatever its maker wrote, so a user must be a
 * number.  runc takes a number for the user id and looks no name up; a name
 * can be 0 under another name.  Group 0 is no root.
 *
 * Rejected: writing the missing hardening into the body, because a container
 * that breaks on it should break where its author sees why.
 *
 * Attackers write root as "", "0", "00", "+0", "0:0", "toor" or 4294967296;
 * and "no-new-privileges" first and "no-new-privileges=false" behind it.
 */
#include "base/text.h"
#include "constraint.h"

/* The letters that tell capabilities apart: any case, CAP_ or not. */
bool
constraint_same_capability(struct span a, struct span b)
{
	if (span_starts_nocase(a, "CAP_")) {
		a = span_make(a.p + 4, a.len - 4);
	}
	if (span_starts_nocase(b, "CAP_")) {
		b = span_make(b.p + 4, b.len - 4);
	}
	return a.len == b.len &&
	       (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

bool
constraint_match_capability(const struct words *list, struct span s)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (constraint_same_capability(list->item[i], s)) {
			return true;
		}
	}
	return false;
}

/* v: CapDrop, or CapabilityDrop of a service. */
static bool
drops(const struct json_node *v, struct span capability)
{
	const struct json_node *e;

	if (v == NULL || json_type(v) == JSON_STRING) {
		return v != NULL && (span_is_nocase(json_string(v), "ALL") ||
					constraint_same_capability(
					    json_string(v), capability));
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (span_is_nocase(json_text(e), "ALL") ||
		    constraint_same_capability(json_text(e), capability)) {
			return true;
		}
	}
	return false;
}

static void
require_drops(struct walk *w, const struct json_node *hc, const char *name)
{
	const struct words *list = &w->limits->capabilities.drop;
	const struct json_node *v = fields_get(hc, name);
	struct frame here = { .up = w->at, .name = name };
	struct span all = span_of("ALL");
	size_t i;

	w->at = &here;
	for (i = 0; i < list->n; i++) {
		if (!drops(v, list->item[i])) {
			walk_refuse_all(w, RULE_REQUIRE,
			    "a container that keeps capabilities (set "
			    "--cap-drop %.*s)",
			    SPAN_ARG(list->item[i]));
		}
	}
	if ((w->limits->require & REQUIRE_DROP_ALL) && !drops(v, all)) {
		walk_refuse_all(w, RULE_REQUIRE,
		    "a container that keeps capabilities (set --cap-drop ALL)");
	}
	w->at = here.up;
}

/* Every option that speaks of it must say yes, and one must. */
static bool
no_new_privileges(const struct json_node *hc)
{
	const struct json_node *v = fields_get(hc, "SecurityOpt");
	const struct json_node *e;
	bool yes = false;

	for (e = v == NULL ? NULL : json_first(v); e != NULL;
	     e = json_next(e)) {
		struct span s = json_text(e);

		if (span_is(s, "no-new-privileges") ||
		    span_is(s, "no-new-privileges:true") ||
		    span_is(s, "no-new-privileges=true")) {
			yes = true;
		} else if (span_starts(s, "no-new-privileges")) {
			return false;
		}
	}
	return yes;
}

/* "1000", "1000:1000": a number that is not 0, in one spelling. */
static bool
is_plain_user(struct span s)
{
	const char *colon = s.len == 0 ? NULL : memchr(s.p, ':', s.len);
	uint64_t uid;

	if (colon != NULL) {
		s.len = (size_t)(colon - s.p);
	}
	return text_parse_u64(s, INT32_MAX, &uid) == ERR_OK && uid != 0;
}

static void
require_user(struct walk *w, struct span user)
{
	struct frame here = { .up = w->at, .name = "User" };

	if ((w->limits->require & REQUIRE_USER) && !is_plain_user(user)) {
		w->at = &here;
		walk_refuse_all(w, RULE_REQUIRE,
		    "the user %s (set --user to a number other than 0, such "
		    "as 1000:1000)",
		    quote(user).s);
		w->at = here.up;
	}
}

static bool
is_yes(const struct json_node *v)
{
	return v != NULL && json_type(v) == JSON_BOOL && json_bool(v);
}

void
constraint_create_require(struct walk *w, const struct json_node *root)
{
	const struct json_node *hc = fields_get(root, "HostConfig");
	const struct json_node *ro = fields_get(hc, "ReadonlyRootfs");
	struct frame up = { .name = "HostConfig" };
	struct frame here = { .up = &up };
	uint32_t require = w->limits->require;

	w->at = &up;
	require_drops(w, hc, "CapDrop");
	w->at = &here;
	if ((require & REQUIRE_NO_NEW_PRIVILEGES) && !no_new_privileges(hc)) {
		here.name = "SecurityOpt";
		walk_refuse_all(w, RULE_REQUIRE,
		    "a container without no-new-privileges (set "
		    "--security-opt no-new-privileges)");
	}
	if ((require & REQUIRE_READ_ONLY_ROOT) && !is_yes(ro)) {
		here.name = "ReadonlyRootfs";
		walk_refuse_all(w, RULE_REQUIRE,
		    "a container whose root is writable (set --read-only)");
	}
	w->at = NULL;
	require_user(w, json_text(fields_get(root, "User")));
}

/* The same of a service's ContainerSpec. */
void
constraint_service_require(struct walk *w, const struct json_node *spec)
{
	const struct json_node *p = fields_get(spec, "Privileges");
	struct frame up = { .up = w->at, .name = "Privileges" };
	struct frame here = { .up = &up, .name = "NoNewPrivileges" };
	uint32_t require = w->limits->require;

	require_drops(w, spec, "CapabilityDrop");
	w->at = &here;
	if ((require & REQUIRE_NO_NEW_PRIVILEGES) &&
	    !is_yes(fields_get(p, "NoNewPrivileges"))) {
		walk_refuse_all(w, RULE_REQUIRE,
		    "a service without no-new-privileges (a stack or the API "
		    "can set it)");
	}
	here.up = up.up;
	if ((require & REQUIRE_READ_ONLY_ROOT) &&
	    !is_yes(fields_get(spec, "ReadOnly"))) {
		here.name = "ReadOnly";
		walk_refuse_all(w, RULE_REQUIRE,
		    "a container whose root is writable (set --read-only)");
	}
	w->at = up.up;
	require_user(w, json_text(fields_get(spec, "User")));
}

/* Without a user an exec runs as its container's. */
void
constraint_exec_require(struct walk *w, const struct json_node *root)
{
	struct span user = json_text(fields_get(root, "User"));

	if (user.len > 0) {
		require_user(w, user);
	}
}
