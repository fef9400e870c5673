/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes what was learnt as a policy; see learn.h.
 *
 * Every line says how often, when and by whom it was needed.  What opens the
 * host is said to do so, because a policy that is copied unread would.
 *
 * Attackers choose the texts: they go out through jsonw and printable alone,
 * and comments hold no byte that could end them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/text.h"
#include "constraint.h"
#include "learn_impl.h"

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
	char first[32], by[80];

	text_escape(s->first, first, sizeof(first));
	text_escape(s->by, by, sizeof(by));
	put(w, " // %lu times, %s to %s, by %s%s\n", s->n, first, s->last,
	    by[0] == '\0' ? "a client without a name" : by,
	    s->others ? " and others" : "");
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
is_listed(const struct learnt *r, const char *member)
{
	const char *rule = learn_rule_of(member);

	return has(r->needs, member) &&
	       (rule == NULL || !has_text(r->needs, "may", rule));
}

/* The least and the greatest port; false: dockerd chose one, or more. */
static bool
port_range(const struct seen *s, unsigned *least, unsigned *most)
{
	uint32_t first, last;

	*least = UINT32_MAX;
	*most = 0;
	for (; s != NULL; s = s->next) {
		if (!span_is(s->member, "ports") || !span_is(s->how, "port")) {
			continue;
		}
		if (!constraint_parse_ports(s->text, &first, &last)) {
			return false;
		}
		*least = first < *least ? first : *least;
		*most = last > *most ? last : *most;
	}
	return *most > 0;
}

static bool
has_how(const struct seen *s, const char *member, const char *how)
{
	while (s != NULL &&
	       !(span_is(s->member, member) && span_is(s->how, how))) {
		s = s->next;
	}
	return s != NULL;
}

static void
put_ports(struct writer *w, const struct learnt *r)
{
	unsigned least, most;
	const struct seen *s;
	bool comma = false;

	put(w, ",\n      \"ports\": { \"publish_all\": %s",
	    has_how(r->needs, "ports", "all") ? "true" : "false");
	if (port_range(r->needs, &least, &most)) {
		put(w, ", \"range\": \"%u-%u\"", least, most);
	}
	put(w, ", \"addresses\": [\n");
	for (s = r->needs; s != NULL; s = s->next) {
		if (span_is(s->member, "ports") && span_is(s->how, "addr") &&
		    text_is_printable(s->text) &&
		    memchr(s->text.p, '*', s->text.len) == NULL) {
			put(w, "        %s", comma ? "," : "");
			put_json(
			    w, s->text.len == 0 ? span_of("0.0.0.0") : s->text);
			put_seen(w, s);
			comma = true;
		}
	}
	put(w, "      ] }");
}

/* Groups of one or two lists: "networks": { "modes": [], "drivers": [] } */
static void
put_groups(struct writer *w, const struct learnt *r)
{
	static const struct {
		const char *group, *name, *member;
	} lists[] = {
		{ "capabilities", "allow", "capabilities" },
		{ "networks", "modes", "modes" },
		{ "networks", "drivers", "network_drivers" },
		{ "volumes", "drivers", "volume_drivers" },
	};
	const char *open = NULL;
	size_t i;

	for (i = 0; i < NELEM(lists); i++) {
		if (!is_listed(r, lists[i].member)) {
			continue;
		}
		if (open != NULL && strcmp(open, lists[i].group) == 0) {
			put(w, ",\n      ");
		} else {
			put(w, "%s,\n      \"%s\": { ",
			    open == NULL ? "" : " }", lists[i].group);
		}
		open = lists[i].group;
		put(w, "\"%s\": ", lists[i].name);
		put_list(w, r->needs, lists[i].member, NULL);
	}
	put(w, open == NULL ? "" : " }");
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
	put_groups(w, r);
	if (has(r->needs, "ports") &&
	    !has_text(r->needs, "may", "published-ports")) {
		put_ports(w, r);
	}
	for (i = 0; i < NELEM(lists); i++) {
		if (is_listed(r, lists[i])) {
			put(w, ",\n      \"%s\": ", lists[i]);
			put_list(w, r->needs, lists[i], NULL);
		}
	}
	put(w, "\n      }\n");
}

/* Rules that are a way to root on the host where a role has them whole. */
static bool
opens_host(struct span rule)
{
	static const char *const rules[] = { "privileged", "host-paths",
		"devices", "host-namespaces", "capabilities", "cgroup-parent",
		"security-options", "masked-paths", "mount-target", "runtime",
		"volume-driver", "exec-privileged", "plugins", "swarm-host",
		"annotations", "checkpoints", "volumes-from" };
	size_t i;

	for (i = 0; i < NELEM(rules); i++) {
		if (span_is(rule, rules[i])) {
			return true;
		}
	}
	return false;
}

static void
put_may(struct writer *w, const struct learnt *r)
{
	const struct seen *s;
	char text[160], rule[64];

	for (s = r->needs; s != NULL; s = s->next) {
		if (span_is(s->member, "may") && opens_host(s->text)) {
			text_escape(s->text, text, sizeof(text));
			put(w,
			    "      // READ THIS: %s as a whole is a way to "
			    "root "
			    "on the host\n",
			    text);
		} else if (span_is(s->member, "because")) {
			text_escape(s->text, text, sizeof(text));
			text_escape(s->how, rule, sizeof(rule));
			put(w, "      // %s, which no list can say: %s", rule,
			    text);
			put_seen(w, s);
		}
	}
	put(w, "      \"may\": ");
	put_list(w, r->needs, "may", NULL);
	put(w, ",\n");
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
		put_may(w, r);
	}
	for (s = r->needs; s != NULL; s = s->next) {
		if (span_is(s->member, "never")) {
			put_left_out(w, s, "no role can be given it");
		} else if (span_is(s->member, "more")) {
			put_left_out(w, s, "what its records had no room for");
		} else if (span_is(s->member, "unsafe")) {
			put_left_out(w, s,
			    "it would be a pattern, is cut or "
			    "not printable");
		}
	}
	put_constraints(w, r);
	put(w, "    }");
}

/* Is the unit that of clients with another role too? */
static bool
is_shared(const struct learn *l, const struct learnt *own, struct span unit)
{
	const struct learnt *r;
	const struct seen *s;

	for (r = l->roles; r != NULL; r = r->next) {
		for (s = r->clients; s != NULL && r != own; s = s->next) {
			if (span_is(s->member, "client") &&
			    span_eq(s->text, unit)) {
				return true;
			}
		}
	}
	return false;
}

/* An earlier client of the role has the same unit. */
static bool
came_before(const struct learnt *r, const struct seen *s)
{
	const struct seen *e;

	for (e = r->clients; e != s; e = e->next) {
		if (span_is(e->member, "client") && span_eq(e->text, s->text)) {
			return true;
		}
	}
	return false;
}

static void
put_client(struct writer *w, const struct learn *l, const struct learnt *r,
    const struct seen *s, bool *comma)
{
	bool unit = s->text.len > 0 && !is_shared(l, r, s->text);

	if (span_is(s->member, "unsafe") || (!unit && s->how.len == 0)) {
		put_left_out(w, s, "no name to match");
		return;
	}
	if (unit && came_before(r, s)) {
		return;
	}
	put(w, "    %s{ \"match\": { \"%s\": ", *comma ? "," : "",
	    unit ? "ou" : "cn");
	*comma = true;
	put_json(w, unit ? s->text : s->how);
	put(w, " }, \"role\": ");
	put_json(w, r->name);
	put(w, " }");
	put_seen(w, s);
}

static void
put_clients(struct writer *w, const struct learn *l)
{
	const struct learnt *r;
	const struct seen *s;
	bool comma = false;

	for (r = l->roles; r != NULL; r = r->next) {
		for (s = r->clients; s != NULL; s = s->next) {
			put_client(w, l, r, s, &comma);
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
