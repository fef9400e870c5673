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
#include "learn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/text.h"
#include "json.h"
#include "ops.h"
#include "rules.h"

#define LEARN_BYTES ((size_t)64 * 1024 * 1024)
#define LEARN_MAX 4096 /* of one kind, in one role */

/* Something seen: an operation, a client, or a need. */
struct seen {
	struct span member; /* of constraints, "may", ... */
	struct span text;
	struct span how;
	struct span first, last; /* when */
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
};

/*
 * Which constraint speaks of a rule's texts; where: a part of the path that
 * the text must have stood at.  Others need the rule.
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
	{ "host-namespaces", "HostConfig.NetworkMode", "modes" },
	{ "networks", "", "modes" },
};

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
		*list = new;
	}
	(*list)->n++;
	(*list)->last = keep(l, when);
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
	if (span_is(rule, "published-ports") && text(need, "how").len > 0) {
		return ERR_OK; /* the rule itself has a need of its own */
	}
	if (strcmp(member, "may") == 0 || strcmp(member, "never") == 0) {
		return note(l, &r->needs, member, rule, span_of(""), when);
	}
	if ((cut != NULL && json_type(cut) == JSON_BOOL && json_bool(cut)) ||
	    !text_is_printable(value) || memchr(value.p, '*', value.len)) {
		member = "unsafe";
	}
	return note(l, &r->needs, member, value, text(need, "how"), when);
}

static enum err
learn_client(struct learn *l, struct learnt *r, const struct json_node *client,
    struct span when)
{
	const struct json_node *ous =
	    client == NULL ? NULL : json_get(client, "ou");
	const struct json_node *ou = ous == NULL || json_type(ous) != JSON_ARRAY
					 ? NULL
					 : json_first(ous);
	bool unit = ou != NULL && json_type(ou) == JSON_STRING;
	struct span name = unit ? json_string(ou) : text(client, "cn");

	if (name.len == 0 || memchr(name.p, '*', name.len) != NULL ||
	    !text_is_printable(name)) {
		return note(l, &r->clients, "unsafe", name, span_of(""), when);
	}
	return note(
	    l, &r->clients, unit ? "ou" : "cn", name, span_of(""), when);
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

/* --- writing -------------------------------------------------------------- */

struct writer {
	struct buf *out;
	enum err err;
};

static void __attribute__((format(printf, 2, 3)))
put(struct writer *w, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (w->err == ERR_OK) {
		w->err = buf_append_str(w->out, line);
	}
}

static void
put_json(struct writer *w, struct span s)
{
	struct jsonw j;

	if (w->err == ERR_OK) {
		jsonw_init(&j, w->out);
		jsonw_span(&j, s);
		w->err = j.err;
	}
}

/* Behind "//": printable, so nothing ends the line before its end. */
static void
put_seen(struct writer *w, const struct seen *s)
{
	char first[32], last[32];

	text_escape(s->first, first, sizeof(first));
	text_escape(s->last, last, sizeof(last));
	put(w, " // %lu times, %s to %s\n", s->n, first, last);
}

static void
put_left_out(struct writer *w, const struct seen *s, const char *why)
{
	char what[160];

	text_escape(s->text, what, sizeof(what));
	put(w, "      // left out, %s: %s", why, what);
	put_seen(w, s);
}

/* The texts of one member; how: those alone, or NULL. */
static void
put_list(
    struct writer *w, const struct seen *s, const char *member, const char *how)
{
	bool comma = false;

	put(w, "[\n");
	for (; s != NULL; s = s->next) {
		if (!span_is(s->member, member) ||
		    (how != NULL && !span_is(s->how, how))) {
			continue;
		}
		put(w, "        %s", comma ? "," : "");
		comma = true;
		if (strcmp(member, "host_paths") == 0) {
			put(w, "{ \"path\": ");
			put_json(w, s->text);
			put(w, ", \"mode\": ");
			put_json(w, s->how);
			put(w, " }");
		} else {
			put_json(w, s->text);
		}
		put_seen(w, s);
	}
	put(w, "      ]");
}

static bool
has(const struct seen *s, const char *member)
{
	while (s != NULL && !span_is(s->member, member)) {
		s = s->next;
	}
	return s != NULL;
}

static bool
has_text(const struct seen *s, const char *member, const char *t)
{
	while (
	    s != NULL && !(span_is(s->member, member) && span_is(s->text, t))) {
		s = s->next;
	}
	return s != NULL;
}

/* A list would take the rule away that something else needs. */
static bool
is_whole(const struct learnt *r, const char *member)
{
	size_t i;

	if (strcmp(member, "host_paths") == 0) {
		return has_text(r->needs, "may", "host-paths");
	}
	for (i = 0; i < NELEM(narrow); i++) {
		if (strcmp(narrow[i].member, member) == 0 &&
		    strcmp(member, "modes") != 0 &&
		    has_text(r->needs, "may", narrow[i].rule)) {
			return true;
		}
	}
	return false;
}

static void
put_constraints(struct writer *w, const struct learnt *r)
{
	static const char *const uses[] = { "run", "pull", "push", "tag" };
	static const char *const lists[] = { "host_paths", "devices", "sysctls",
		"runtimes", "log_drivers", "restart", "security_options",
		"extra_hosts" };
	size_t i;

	put(w, "      \"constraints\": {\n      \"images\": {\n");
	for (i = 0; i < NELEM(uses); i++) {
		put(w, "      \"%s\": ", uses[i]);
		put_list(w, r->needs, "images", uses[i]);
		put(w, i + 1 < NELEM(uses) ? ",\n" : "\n      }");
	}
	if (has(r->needs, "capabilities") && !is_whole(r, "capabilities")) {
		put(w, ",\n      \"capabilities\": { \"allow\": ");
		put_list(w, r->needs, "capabilities", NULL);
		put(w, " }");
	}
	if (has(r->needs, "modes")) {
		put(w, ",\n      \"networks\": { \"modes\": ");
		put_list(w, r->needs, "modes", NULL);
		put(w, " }");
	}
	for (i = 0; i < NELEM(lists); i++) {
		if (has(r->needs, lists[i]) && !is_whole(r, lists[i])) {
			put(w, ",\n      \"%s\": ", lists[i]);
			put_list(w, r->needs, lists[i], NULL);
		}
	}
	put(w, "\n      }\n");
}

static void
put_role(struct writer *w, const struct learnt *r)
{
	const struct seen *s;

	put(w, "    ");
	put_json(w, r->name);
	put(w, ": {\n      \"allow\": ");
	put_list(w, r->ops, "op", NULL);
	put(w, ",\n");
	if (r->buildkit) {
		put(w, "      \"buildkit\": \"unjudged\",\n");
	}
	if (has(r->needs, "may")) {
		put(w, "      \"may\": ");
		put_list(w, r->needs, "may", NULL);
		put(w, ",\n");
	}
	for (s = r->needs; s != NULL; s = s->next) {
		if (span_is(s->member, "never")) {
			put_left_out(w, s, "no role can be given it");
		} else if (span_is(s->member, "unsafe")) {
			put_left_out(w, s,
			    "it would be a pattern, is cut or "
			    "not printable");
		}
	}
	put_constraints(w, r);
	put(w, "    }");
}

static void
put_clients(struct writer *w, const struct learn *l)
{
	const struct learnt *r;
	const struct seen *s;
	bool comma = false;

	for (r = l->roles; r != NULL; r = r->next) {
		for (s = r->clients; s != NULL; s = s->next) {
			if (span_is(s->member, "unsafe")) {
				put_left_out(w, s, "no name to match");
				continue;
			}
			put(w,
			    "    %s{ \"match\": { \"%.*s\": ", comma ? "," : "",
			    SPAN_ARG(s->member));
			comma = true;
			put_json(w, s->text);
			put(w, " }, \"role\": ");
			put_json(w, r->name);
			put(w, " }");
			put_seen(w, s);
		}
	}
}

enum err
learn_write(struct learn *l, struct buf *out)
{
	struct writer w = { .out = out };
	const struct learnt *r;
	const struct seen *s;

	put(&w, "// What observed roles did.  Read it before it is used.\n{\n"
		"  \"clients\": [\n");
	put_clients(&w, l);
	put(&w, "  ],\n  \"roles\": {\n");
	for (r = l->roles; r != NULL; r = r->next) {
		put_role(&w, r);
		put(&w, r->next == NULL ? "\n" : ",\n");
	}
	put(&w, "  }\n}\n");
	for (s = l->refused; s != NULL; s = s->next) {
		put_left_out(&w, s, "it was refused");
	}
	return w.err;
}
