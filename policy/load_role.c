/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the roles of a policy file; see load.h, and docs/policy.md for the
 * language.
 *
 * A role is compiled to one flag per operation and a set of rules, so that a
 * decision looks names up no more.  A role is read when a name first asks for
 * it, so the order in the file does not matter; one that is still being read
 * when it is asked for extends itself.  Presets are policy files too, read by
 * the same code.
 *
 * Rejected: roles that inherit at decision time (slower, and what a role
 * allows could not be printed).
 *
 * Attackers do not write policies; owners do, and leave rules behind that no
 * longer mean what they meant: so every unknown name is an error.
 */
#include "base/text.h"
#include "fields.h"
#include "load.h"
#include "tenant.h"

/* --- roles --------------------------------------------------------------- */

unsigned
load_line(const struct json_node *v)
{
	unsigned line, col;

	json_where(v, &line, &col);
	return line;
}

/* A JSON body without a table of fields is for unconstrained roles. */
static bool
can_be_judged(const struct op *op)
{
	return op->body != OP_BODY_JSON || op->fields != NULL;
}

/* A role that is read; line: of what is set. */
static void
set_allowed(void *arg, const struct op *op, bool named, unsigned line)
{
	struct role *r = arg;
	size_t i = ops_index(op);

	(void)named;
	r->allowed[i] = true;
	r->line_of[i] = (uint16_t)(line > UINT16_MAX ? UINT16_MAX : line);
}

/* Takes it from rules that would allow it under conditions, too. */
static void
set_denied(void *arg, const struct op *op, bool named, unsigned line)
{
	struct role *r = arg;
	size_t i, k = ops_index(op);

	set_allowed(arg, op, named, line);
	r->allowed[k] = false;
	for (i = 0; i < r->n_rules; i++) {
		if (r->rules[i].allow) {
			r->rules[i].ops[k] = false;
		}
	}
}

/* "@class", or an operation id. */
static void
read_op_named(struct loader *l, const struct json_node *v, struct span s,
    bool allowed, void (*set)(void *, const struct op *, bool, unsigned),
    void *arg)
{
	enum op_class class;
	const struct op *op;
	size_t i, n;

	if (s.len == 0 || s.p[0] != '@') {
		op = ops_by_name(s);
		if (op == NULL) {
			load_complain(l, v,
			    "no operation %s; expected an operation "
			    "id of the Engine API, or a class such as "
			    "\"@read\"",
			    quote(s).s);
		} else if (allowed && !can_be_judged(op)) {
			load_complain(l, v,
			    "dinv cannot judge what %s carries: "
			    "only an unconstrained role has it",
			    op->name);
		} else {
			set(arg, op, true, load_line(v));
		}
		return;
	}
	class = ops_class_by_name(span_make(s.p + 1, s.len - 1));
	if (class == OPC_NONE) {
		load_complain(l, v,
		    "no class %s; expected @read, @run, @exec, "
		    "@build, @image, @network, @volume, @files, @swarm, "
		    "@plugin or @system",
		    quote(s).s);
		return;
	}
	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		if (op[i].class == class &&
		    (!allowed || can_be_judged(&op[i]))) {
			set(arg, &op[i], false, load_line(v));
		}
	}
}

void
load_op_named(struct loader *l, const struct json_node *v, struct span name,
    void (*set)(void *, const struct op *, bool, unsigned), void *arg)
{
	read_op_named(l, v, name, false, set, arg);
}

static void
read_op(struct loader *l, const struct json_node *v, bool allowed,
    void (*set)(void *, const struct op *, bool, unsigned), void *arg)
{
	struct span s;

	if (load_want_text(
		l, v, "an operation or a class such as \"@read\"", &s)) {
		read_op_named(l, v, s, allowed, set, arg);
	}
}

void
load_ops(struct loader *l, const struct json_node *v, bool allowed,
    void (*set)(void *, const struct op *, bool, unsigned), void *arg)
{
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(
		    l, v, "expected a list of operations and classes");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		read_op(l, e, allowed, set, arg);
	}
}

static void
read_allow(struct loader *l, void *to, const struct json_node *v)
{
	load_ops(l, v, true, set_allowed, to);
}

static void
read_may(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;
	const struct json_node *e;
	struct span s;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of rules");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		enum rule rule;

		if (!load_want_text(l, e, "a rule", &s)) {
			continue;
		}
		rule = rule_by_name(s);
		if (rule == RULE_NONE) {
			load_complain(l, e,
			    "no rule %s; docs/policy.md lists them",
			    quote(s).s);
		} else if (!rule_may(rule)) {
			load_complain(l, e,
			    "the rule %s holds for every "
			    "constrained role",
			    quote(s).s);
		} else {
			r->may |= RULE_BIT(rule);
		}
	}
}

static void
read_constraints(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;

	load_constraints(l, &r->limits, v);
}

static void
read_unconstrained(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;

	r->unconstrained = load_want_true(l, v, "\"unconstrained\"");
}

static void
read_owned(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;

	r->owned = load_want_true(l, v, "\"owned\"");
}

static void
read_buildkit(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;

	if (json_type(v) != JSON_STRING ||
	    !span_is(json_string(v), "unjudged")) {
		load_complain(l, v,
		    "\"buildkit\" can only be \"unjudged\": dinv "
		    "does not look into BuildKit sessions");
		return;
	}
	r->buildkit = true;
}

/* Its own, because "deny" changes them. */
static void
copy_rules(struct loader *l, struct role *r)
{
	struct rule_when *rules;

	if (r->n_rules == 0) {
		return;
	}
	rules = load_take(l, r->n_rules * sizeof(*rules));
	if (rules != NULL) {
		memcpy(rules, r->rules, r->n_rules * sizeof(*rules));
		r->rules = rules;
	}
}

static void
read_mode(struct loader *l, void *to, const struct json_node *v)
{
	struct role *r = to;

	load_mode(l, &r->mode, v);
}

static void
read_extends(struct loader *l, struct role *r, const struct json_node *v)
{
	const struct role *base;
	const char *name = r->name;
	struct span s;
	unsigned line = r->line;
	struct role *next = r->next;

	if (!load_want_text(l, v, "the name of a role", &s)) {
		return;
	}
	/* A role may extend the preset whose name it takes. */
	base = load_want_role(l, v, s, span_is(s, name));
	if (base == NULL) {
		return;
	}
	*r = *base;
	r->name = name;
	r->line = line;
	r->next = next;
	r->open = true;
	/* Who tries a role out has not said so of those that build on it. */
	r->mode = MODE_UNSAID;
	copy_rules(l, r);
}

/* "extends" comes first wherever it stands, and "deny" last. */
static const struct load_member role_rows[] = {
	{ "extends", NULL },
	{ "about", load_about },
	{ "allow", read_allow },
	{ "deny", NULL },
	{ "may", read_may },
	{ "constraints", read_constraints },
	{ "buildkit", read_buildkit },
	{ "owned", read_owned },
	{ "fields", load_extra_fields },
	{ "query", load_extra_query },
	{ "unknown_fields", load_unknown_fields },
	{ "rules", load_rules },
	{ "audit", load_audit },
	{ "mode", read_mode },
	{ "unconstrained", read_unconstrained },
};
const struct load_table load_role_table = { "a role", role_rows,
	NELEM(role_rows) };

/* Bodies of an unconstrained role are not read, so nothing could hold. */
static void
refuse_narrowing(
    struct loader *l, const struct role *r, const struct json_node *v)
{
	static const char *const names[] = { "allow", "deny", "may",
		"constraints", "fields", "query", "unknown_fields", "rules",
		"owned" };
	bool found = r->limits.any || r->extras.n_fields > 0 ||
		     r->extras.n_keys > 0 || r->extras.drop || r->n_rules > 0 ||
		     r->owned;
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		found = found || json_get(v, names[i]) != NULL;
	}
	if (found) {
		load_complain(l, v,
		    "an unconstrained role is allowed everything, unread: "
		    "allow, deny, may, constraints, fields, query, "
		    "unknown_fields, rules and owned have no place in it");
	}
}

/* Is it allowed by some rule alone? */
static bool
may_allow(const struct role *r, size_t op)
{
	size_t i;

	for (i = 0; i < r->n_rules; i++) {
		if (r->rules[i].allow && r->rules[i].ops[op]) {
			return true;
		}
	}
	return r->allowed[op];
}

/* What would reach other tenants' objects all the same. */
static void
check_owned(struct loader *l, const struct role *r, const struct json_node *v)
{
	static const enum rule reaching[] = { RULE_VOLUMES_FROM, RULE_LINKS,
		RULE_HOST_NAMESPACES };
	const struct op *op;
	size_t i, n;

	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		if (may_allow(r, i) && tenant_how(&op[i]) == OWN_NEVER) {
			load_complain(l, v,
			    "an owned role cannot have %s, which cannot be "
			    "held to what a tenant owns: deny it",
			    op[i].name);
		}
	}
	for (i = 0; i < NELEM(reaching); i++) {
		if (r->may & RULE_BIT(reaching[i])) {
			load_complain(l, v,
			    "an owned role cannot have the rule \"%s\" in its "
			    "\"may\": it reaches what other tenants own",
			    rule_name(reaching[i]));
		}
	}
	if (r->mode == MODE_OBSERVE) {
		load_complain(l, v,
		    "an owned role cannot only observe: what its clients make "
		    "has to bear their label");
	}
	if (r->buildkit) {
		load_complain(l, v,
		    "an owned role cannot have BuildKit sessions, which share "
		    "one cache: extend a role without \"buildkit\", such as "
		    "\"tenant\"");
	}
}

static void
read_role(struct loader *l, struct role *r, const struct json_node *v)
{
	const struct json_node *m;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(l, v, "a role must be an object");
		return;
	}
	m = json_get(v, "extends");
	if (m != NULL) {
		read_extends(l, r, m);
	}
	load_members(l, &load_role_table, r, v);
	/* Wherever it stands, what is denied was allowed before. */
	m = json_get(v, "deny");
	if (m != NULL) {
		load_ops(l, m, false, set_denied, r);
	}
	r->may &= ~constraint_taken(&r->limits);
	if (r->owned && !r->unconstrained) {
		check_owned(l, r, v);
	}
	if (r->unconstrained) {
		refuse_narrowing(l, r, v);
	}
}

/* --- finding roles ------------------------------------------------------- */

struct role *
load_find_role(const struct policy *pol, struct span name, bool preset_only)
{
	struct role *r, *preset = NULL;

	for (r = pol->roles; r != NULL; r = r->next) {
		if (!span_is(name, r->name)) {
			continue;
		}
		if (r->line == 0) {
			preset = r;
		} else if (!preset_only) {
			return r;
		}
	}
	return preset;
}

struct role *
load_add_role(struct loader *l, struct span name, const struct json_node *v,
    unsigned line)
{
	struct role *r = load_take(l, sizeof(*r));
	struct span kept = load_keep(l, name);

	if (r == NULL || kept.p == NULL) {
		return NULL;
	}
	r->name = kept.p;
	r->line = line;
	r->next = l->pol->roles;
	l->pol->roles = r;
	r->open = true;
	read_role(l, r, v);
	r->open = false;
	return r;
}

static void
forget_lines(struct role *r)
{
	size_t i;

	memset(r->line_of, 0, sizeof(r->line_of));
	for (i = 0; i < r->n_rules; i++) {
		r->rules[i].line = 0;
	}
}

struct role *
load_preset(struct loader *l, struct span name)
{
	struct json_doc *doc = NULL;
	struct loader inner = *l;
	const struct json_node *v;
	struct role *r = NULL;
	char text[64];

	if (name.len >= sizeof(text)) {
		return NULL;
	}
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	if (json_parse(policy_preset_text(text), JSON_COMMENTS, &doc, NULL) !=
	    ERR_OK) {
		return NULL;
	}
	inner.roles = json_get(json_root(doc), "roles");
	v = inner.roles == NULL ? NULL : json_get(inner.roles, text);
	if (v != NULL) {
		r = load_add_role(&inner, name, v, 0);
	}
	if (r != NULL) {
		forget_lines(r);
	}
	l->errors = inner.errors;
	l->nomem = inner.nomem;
	json_free(doc);
	return r;
}

/* A role of the file, or else a preset's. */
struct role *
load_want_role(struct loader *l, const struct json_node *at, struct span name,
    bool preset_only)
{
	struct role *r = load_find_role(l->pol, name, preset_only);
	const struct json_node *v;

	if (r != NULL && r->open) {
		load_complain(
		    l, at, "the role %s extends itself", quote(name).s);
		return NULL;
	}
	if (r != NULL) {
		return r;
	}
	for (v = l->roles == NULL || preset_only ? NULL : json_first(l->roles);
	     v != NULL; v = json_next(v)) {
		if (span_eq(json_key(v), name)) {
			return load_add_role(l, name, v, load_line(v));
		}
	}
	r = load_preset(l, name);
	if (r == NULL && !l->nomem) {
		load_complain(l, at,
		    "no role %s, neither in \"roles\" nor among "
		    "the presets (admin, read-only, ci-runner, builder, "
		    "tenant)",
		    quote(name).s);
	}
	return r;
}
