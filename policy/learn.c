/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learns a policy from audit records of observed requests; see learn.h.
 *
 * A role is written from nothing: the operations that were seen, and for each
 * need of a record (audit.md) the narrowest member that speaks of it.  Where
 * a rule was tripped in a way that no constraint speaks of, "may" names it.
 * What a text would allow beyond itself is left out: a "*" in it would be a
 * pattern, which nothing escapes.
 *
 * Rejected: taking findings for needs, because a role that had a right
 * already would lose it in what is learnt.
 *
 * Attackers choose what stands in the records: names, paths, quotes, line
 * ends.  Values go out through jsonw and printable alone, comments hold no
 * byte that could end them, and lists are bounded.
 */
#include "learn_impl.h"

#include <stdlib.h>

#include "base/text.h"
#include "json.h"
#include "ops.h"
#include "rules.h"

#define LEARN_BYTES ((size_t)64 * 1024 * 1024)
#define LEARN_MAX 4096 /* of one kind, in one role */

/*
 * Which constraint speaks of a rule's texts; where: a part of the path that
 * the text must have stood at, or all of it behind "=".  Others need the rule.
 */
static const struct {
	const char *rule, *where, *member;
} narrow[] = {
	{ "capabilities", "CapAdd", "capabilities" },
	{ "devices", ".Devices[", "devices" },
	{ "sysctls", "HostConfig.Sysctls", "sysctls" },
	{ "runtime", "HostConfig.Runtime", "runtimes" },
	{ "log-driver", "LogConfig.Type", "log_drivers" },
	{ "restart", "RestartPolicy.Name", "restart" },
	{ "security-options", "HostConfig.SecurityOpt", "security_options" },
	{ "extra-hosts", "ExtraHosts", "extra_hosts" },
	{ "network-driver", "=Driver", "network_drivers" },
	{ "volume-driver", "=Driver", "volume_drivers" },
	{ "volume-driver", "VolumeDriver", "volume_drivers" },
	{ "volume-driver", "HostConfig.Mounts[", "volume_drivers" },
	{ "host-namespaces", "HostConfig.NetworkMode", "modes" },
	{ "networks", "", "modes" },
};

const char *
learn_rule_of(const char *member)
{
	size_t i;

	if (strcmp(member, "host_paths") == 0) {
		return "host-paths";
	}
	for (i = 0; i < NELEM(narrow); i++) {
		if (strcmp(narrow[i].member, member) == 0 &&
		    strcmp(member, "modes") != 0) {
			return narrow[i].rule;
		}
	}
	return NULL;
}

struct learn *
learn_new(void)
{
	struct learn *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		arena_init(&l->arena, LEARN_BYTES);
	}
	return l;
}

void
learn_free(struct learn *l)
{
	if (l != NULL) {
		arena_fini(&l->arena);
		free(l);
	}
}

/* --- reading -------------------------------------------------------------- */

static struct span
text(const struct json_node *o, const char *key)
{
	const struct json_node *v =
	    o == NULL || json_type(o) != JSON_OBJECT ? NULL : json_get(o, key);

	return v != NULL && json_type(v) == JSON_STRING ? json_string(v)
							: span_of("");
}

static struct span
keep(struct learn *l, struct span s)
{
	char *p = arena_dup(&l->arena, s);

	return span_make(p, p == NULL ? 0 : s.len);
}

static enum err
note(struct learn *l, struct seen **list, const char *member, struct span s,
    struct span how, struct span when)
{
	size_t n = 0;

	for (; *list != NULL; list = &(*list)->next, n++) {
		if (span_is((*list)->member, member) &&
		    span_eq((*list)->text, s) && span_eq((*list)->how, how)) {
			break;
		}
	}
	if (*list == NULL) {
		struct seen *new = arena_alloc(&l->arena, sizeof(*new));

		if (new == NULL || n == LEARN_MAX) {
			return ERR_LIMIT;
		}
		new->member = keep(l, span_of(member));
		new->text = keep(l, s);
		new->how = keep(l, how);
		new->first = keep(l, when);
		new->by = keep(l, l->who);
		*list = new;
	}
	(*list)->n++;
	(*list)->others = (*list)->others || !span_eq((*list)->by, l->who);
	text_escape(when, (*list)->last, sizeof((*list)->last));
	return ERR_OK;
}

static struct learnt *
find_role(struct learn *l, struct span name)
{
	struct learnt **r = &l->roles;

	while (*r != NULL && !span_eq((*r)->name, name)) {
		r = &(*r)->next;
	}
	if (*r == NULL) {
		*r = arena_alloc(&l->arena, sizeof(**r));
		if (*r != NULL) {
			(*r)->name = keep(l, name);
		}
	}
	return *r;
}

static bool
holds(struct span s, const char *part)
{
	size_t n = strlen(part);

	if (part[0] == '=') {
		return span_is(s, part + 1);
	}
	return n == 0 || (s.len >= n && memmem(s.p, s.len, part, n) != NULL);
}

/* Where a need goes; "may" where no constraint speaks of it. */
static const char *
member_of(const struct json_node *need, struct span rule)
{
	struct span path = text(need, "json_path");
	size_t i;

	if (span_is(rule, "images")) {
		return "images";
	}
	if (span_is(rule, "host-paths") && text(need, "how").len > 0) {
		return "host_paths";
	}
	for (i = 0; i < NELEM(narrow); i++) {
		if (span_is(rule, narrow[i].rule) &&
		    holds(path, narrow[i].where) &&
		    text(need, "value").len > 0 &&
		    !span_is(text(need, "value"), "ALL")) {
			return narrow[i].member;
		}
	}
	return rule_may(rule_by_name(rule)) ? "may" : "never";
}

/* The rule as a whole; value: what no list could say, if it can be shown. */
static enum err
learn_rule(struct learn *l, struct learnt *r, const char *member,
    struct span rule, struct span value, struct span when)
{
	enum err rc = note(l, &r->needs, member, rule, span_of(""), when);

	if (rc == ERR_OK && value.len > 0) {
		rc = note(l, &r->needs, "because", value, rule, when);
	}
	return rc;
}

static enum err
learn_port(struct learn *l, struct learnt *r, const struct json_node *need,
    struct span when)
{
	struct span path = text(need, "json_path"), how = text(need, "how");
	struct span value = text(need, "value");

	if (how.len > 0) {
		return note(l, &r->needs, "ports", value, how, when);
	}
	if (holds(path, "PublishAllPorts")) {
		return note(l, &r->needs, "ports", value, span_of("all"), when);
	}
	if (holds(path, "PortBindings")) {
		return ERR_OK; /* its addresses and ports have needs */
	}
	return learn_rule(l, r, "may", text(need, "rule"), span_of(""), when);
}

static enum err
learn_need(struct learn *l, struct learnt *r, const struct json_node *need,
    struct span when)
{
	const struct json_node *cut = json_get(need, "cut");
	struct span rule = text(need, "rule"), value = text(need, "value");
	const char *member = member_of(need, rule);

	if (span_is(rule, "buildkit")) {
		r->buildkit = true;
		return ERR_OK;
	}
	if (span_is(rule, "published-ports")) {
		return learn_port(l, r, need, when);
	}
	if (strcmp(member, "may") == 0 || strcmp(member, "never") == 0) {
		return learn_rule(l, r, member, rule, value, when);
	}
	if ((cut != NULL && json_type(cut) == JSON_BOOL && json_bool(cut)) ||
	    !text_is_printable(value) || memchr(value.p, '*', value.len)) {
		member = "unsafe";
	}
	return note(l, &r->needs, member, value, text(need, "how"), when);
}

/* A name that is a pattern of itself alone. */
static bool
is_plain(struct span s)
{
	return s.len > 0 && memchr(s.p, '*', s.len) == NULL &&
	       text_is_printable(s);
}

/* Both names: which one is matched is decided when all are known. */
static enum err
learn_client(struct learn *l, struct learnt *r, const struct json_node *client,
    struct span when)
{
	const struct json_node *ous =
	    client == NULL ? NULL : json_get(client, "ou");
	const struct json_node *ou = ous == NULL || json_type(ous) != JSON_ARRAY
					 ? NULL
					 : json_first(ous);
	bool unit = ou != NULL && json_type(ou) == JSON_STRING &&
		    is_plain(json_string(ou));

	l->who = text(client, "cn");
	if (!unit && !is_plain(l->who)) {
		return note(
		    l, &r->clients, "unsafe", l->who, span_of(""), when);
	}
	return note(l, &r->clients, "client",
	    unit ? json_string(ou) : span_of(""),
	    is_plain(l->who) ? l->who : span_of(""), when);
}

/* A record holds so many needs and counts the rest. */
static bool
holds_more(const struct json_node *root)
{
	const struct json_node *more = json_get(root, "more_needs");
	int64_t n = 0;

	return more != NULL && json_type(more) == JSON_NUMBER &&
	       json_int(more, &n) == ERR_OK && n > 0;
}

static enum err
learn_observed(struct learn *l, const struct json_node *root,
    const struct json_node *needs)
{
	struct learnt *r = find_role(l, text(root, "role"));
	struct span op = text(root, "op"), when = text(root, "time");
	const struct json_node *e;
	enum err rc;

	if (r == NULL) {
		return ERR_NOMEM;
	}
	rc = learn_client(l, r, json_get(root, "client"), when);
	if (rc == ERR_OK) {
		rc =
		    note(l, &r->ops, ops_by_name(op) == NULL ? "unknown" : "op",
			op, span_of(""), when);
	}
	if (rc == ERR_OK && holds_more(root)) {
		rc = note(l, &r->needs, "more", op, span_of(""), when);
	}
	for (e = json_first(needs); e != NULL && rc == ERR_OK;
	     e = json_next(e)) {
		rc = json_type(e) == JSON_OBJECT ? learn_need(l, r, e, when)
						 : ERR_POLICY;
	}
	return rc;
}

enum err
learn_record(struct learn *l, struct span line)
{
	struct json_doc *doc = NULL;
	const struct json_node *root, *needs;
	enum err rc = json_parse(line, JSON_STRICT, &doc, NULL);

	if (rc != ERR_OK) {
		return rc;
	}
	root = json_root(doc);
	if (json_type(root) != JSON_OBJECT) {
		rc = ERR_POLICY;
	} else if (span_is(text(root, "event"), "decision")) {
		needs = json_get(root, "needs");
		if (span_is(text(root, "decision"), "deny")) {
			rc = note(l, &l->refused, "op", text(root, "op"),
			    text(root, "rule"), text(root, "time"));
		} else if (needs != NULL && json_type(needs) == JSON_ARRAY) {
			rc = learn_observed(l, root, needs);
		}
	}
	json_free(doc);
	return rc;
}
