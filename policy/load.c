/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a policy file; see policy.h, and docs/policy.md for the language.
 *
 * The file is read as a whole and every mistake in it is reported, each with
 * its place: a policy that is not understood in full is not used at all.  A
 * role is compiled to one flag per operation and a set of rules, so that a
 * decision looks names up no more.  Presets are policy files too, read by the
 * same code when a name asks for them.
 *
 * Rejected: a language with conditions, because nobody could tell what a
 * policy of 50 lines allows; "last match wins", because then every line must
 * be read to know.
 *
 * Attackers do not write policies.  Tired owners do: a misspelt rule, an
 * operation that does not exist or a match that matches all is an error here
 * and not a surprise later.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "fields.h"
#include "json.h"
#include "role.h"

#define POLICY_MAX_BYTES ((size_t)8 * 1024 * 1024)

struct loader {
	struct policy *pol;
	const struct json_node *roles; /* "roles" of the file, or NULL */
	void (*report)(void *arg, const struct diag *d);
	void *arg;
	size_t errors;
	bool nomem;
};

static void __attribute__((format(printf, 3, 4)))
complain(struct loader *l, const struct json_node *at, const char *fmt, ...)
{
	struct diag d = { 0, 0, "" };
	va_list ap;

	if (at != NULL) {
		json_where(at, &d.line, &d.col);
	}
	va_start(ap, fmt);
	vsnprintf(d.text, sizeof(d.text), fmt, ap);
	va_end(ap);
	l->errors++;
	l->report(l->arg, &d);
}

static void *
take(struct loader *l, size_t size)
{
	void *p = arena_alloc(&l->pol->arena, size);

	l->nomem = l->nomem || p == NULL;
	return p;
}

static struct span
keep(struct loader *l, struct span s)
{
	char *p = arena_dup(&l->pol->arena, s);

	l->nomem = l->nomem || p == NULL;
	return span_make(p, p == NULL ? 0 : s.len);
}

/* A non-empty string, or complains. */
static bool
want_text(struct loader *l, const struct json_node *v, const char *what,
    struct span *out)
{
	if (json_type(v) != JSON_STRING || json_string(v).len == 0) {
		complain(l, v, "expected %s, a text that is not empty", what);
		return false;
	}
	*out = json_string(v);
	return true;
}

static bool
want_true(struct loader *l, const struct json_node *v, const char *what)
{
	if (json_type(v) != JSON_BOOL || !json_bool(v)) {
		complain(l, v, "%s can only be true", what);
		return false;
	}
	return true;
}

/* --- roles --------------------------------------------------------------- */

static struct role *want_role(struct loader *l, const struct json_node *at,
    struct span name, bool preset_only);

static unsigned
line_at(const struct json_node *v)
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

static void
set_op(struct role *r, const struct op *op, bool allowed, unsigned line)
{
	size_t i = ops_index(op);

	r->allowed[i] = allowed;
	r->line_of[i] = (uint16_t)(line > UINT16_MAX ? UINT16_MAX : line);
}

/* "@class", or an operation id. */
static void
read_op(
    struct loader *l, struct role *r, const struct json_node *v, bool allowed)
{
	enum op_class class;
	const struct op *op;
	struct span s;
	size_t i, n;

	if (!want_text(l, v, "an operation or a class such as \"@read\"", &s)) {
		return;
	}
	if (s.p[0] != '@') {
		op = ops_by_name(s);
		if (op == NULL) {
			complain(l, v,
			    "no operation %s; expected an operation "
			    "id of the Engine API, or a class such as "
			    "\"@read\"",
			    quote(s).s);
		} else if (allowed && !can_be_judged(op)) {
			complain(l, v,
			    "dinv cannot judge what %s carries: "
			    "only an unconstrained role has it",
			    op->name);
		} else {
			set_op(r, op, allowed, line_at(v));
		}
		return;
	}
	class = ops_class_by_name(span_make(s.p + 1, s.len - 1));
	if (class == OPC_NONE) {
		complain(l, v,
		    "no class %s; expected @read, @run, @exec, "
		    "@build, @image, @network, @volume, @files, @swarm, "
		    "@plugin or @system",
		    quote(s).s);
		return;
	}
	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		if (op[i].class == class && can_be_judged(&op[i])) {
			set_op(r, &op[i], allowed, line_at(v));
		}
	}
}

static void
read_ops(
    struct loader *l, struct role *r, const struct json_node *v, bool allowed)
{
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		complain(l, v, "expected a list of operations and classes");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		read_op(l, r, e, allowed);
	}
}

static void
read_may(struct loader *l, struct role *r, const struct json_node *v)
{
	const struct json_node *e;
	struct span s;

	if (json_type(v) != JSON_ARRAY) {
		complain(l, v, "expected a list of rules");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		enum rule rule;

		if (!want_text(l, e, "a rule", &s)) {
			continue;
		}
		rule = rule_by_name(s);
		if (rule == RULE_NONE) {
			complain(l, e, "no rule %s; docs/policy.md lists them",
			    quote(s).s);
		} else if (!rule_may(rule)) {
			complain(l, e,
			    "the rule %s holds for every "
			    "constrained role",
			    quote(s).s);
		} else {
			r->may |= RULE_BIT(rule);
		}
	}
}

static void
read_buildkit(struct loader *l, struct role *r, const struct json_node *v)
{
	if (json_type(v) != JSON_STRING ||
	    !span_is(json_string(v), "unjudged")) {
		complain(l, v,
		    "\"buildkit\" can only be \"unjudged\": dinv "
		    "does not look into BuildKit sessions");
		return;
	}
	r->buildkit = true;
}

static void
read_extends(struct loader *l, struct role *r, const struct json_node *v)
{
	const struct role *base;
	const char *name = r->name;
	struct span s;
	unsigned line = r->line;
	struct role *next = r->next;

	if (!want_text(l, v, "the name of a role", &s)) {
		return;
	}
	/* A role may extend the preset whose name it takes. */
	base = want_role(l, v, s, span_is(s, name));
	if (base == NULL) {
		return;
	}
	*r = *base;
	r->name = name;
	r->line = line;
	r->next = next;
	r->open = true;
}

/* The members but "extends", which comes first wherever it stands. */
static void
read_role_member(struct loader *l, struct role *r, const struct json_node *m)
{
	struct span key = json_key(m);

	if (span_is(key, "extends")) {
		return;
	}
	if (span_is(key, "about")) {
		if (json_type(m) != JSON_STRING) {
			complain(l, m, "\"about\" must be a text");
		}
	} else if (span_is(key, "allow")) {
		read_ops(l, r, m, true);
	} else if (span_is(key, "may")) {
		read_may(l, r, m);
	} else if (span_is(key, "buildkit")) {
		read_buildkit(l, r, m);
	} else if (span_is(key, "unconstrained")) {
		r->unconstrained = want_true(l, m, "\"unconstrained\"");
	} else if (!span_is(key, "deny")) {
		complain(l, m,
		    "a role has no member %s; expected extends, "
		    "about, allow, deny, may, buildkit or unconstrained",
		    quote(key).s);
	}
}

static void
read_role(struct loader *l, struct role *r, const struct json_node *v)
{
	const struct json_node *m;

	if (json_type(v) != JSON_OBJECT) {
		complain(l, v, "a role must be an object");
		return;
	}
	m = json_get(v, "extends");
	if (m != NULL) {
		read_extends(l, r, m);
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		read_role_member(l, r, m);
	}
	/* Wherever it stands, what is denied was allowed before. */
	m = json_get(v, "deny");
	if (m != NULL) {
		read_ops(l, r, m, false);
	}
	if (r->unconstrained &&
	    (json_get(v, "allow") != NULL || json_get(v, "deny") != NULL ||
		json_get(v, "may") != NULL)) {
		complain(l, v,
		    "an unconstrained role is allowed everything: "
		    "allow, deny and may have no place in it");
	}
}

/* --- finding roles ------------------------------------------------------- */

static struct role *
find_role(const struct policy *pol, struct span name, bool preset_only)
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

static struct role *
add_role(struct loader *l, struct span name, const struct json_node *v,
    unsigned line)
{
	struct role *r = take(l, sizeof(*r));
	struct span kept = keep(l, name);

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
	memset(r->line_of, 0, sizeof(r->line_of));
}

static struct role *
add_preset(struct loader *l, struct span name)
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
		r = add_role(&inner, name, v, 0);
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
static struct role *
want_role(struct loader *l, const struct json_node *at, struct span name,
    bool preset_only)
{
	struct role *r = find_role(l->pol, name, preset_only);
	const struct json_node *v;

	if (r != NULL && r->open) {
		complain(l, at, "the role %s extends itself", quote(name).s);
		return NULL;
	}
	if (r != NULL) {
		return r;
	}
	for (v = l->roles == NULL || preset_only ? NULL : json_first(l->roles);
	     v != NULL; v = json_next(v)) {
		if (span_eq(json_key(v), name)) {
			return add_role(l, name, v, line_at(v));
		}
	}
	r = add_preset(l, name);
	if (r == NULL && !l->nomem) {
		complain(l, at,
		    "no role %s, neither in \"roles\" nor among "
		    "the presets (admin, read-only, ci-runner)",
		    quote(name).s);
	}
	return r;
}

/* --- clients ------------------------------------------------------------- */

/* What a pattern is held against, and which kind of client has it. */
static const struct {
	const char *name;
	enum principal_kind kind;
	size_t off;
	bool hex; /* letters in lower case, without colons */
} match_members[] = {
	{ "cn", PRINCIPAL_CERT, offsetof(struct match, cn), false },
	{ "o", PRINCIPAL_CERT, offsetof(struct match, o), false },
	{ "ou", PRINCIPAL_CERT, offsetof(struct match, ou), false },
	{ "san", PRINCIPAL_CERT, offsetof(struct match, san), false },
	{ "fingerprint", PRINCIPAL_CERT, offsetof(struct match, fingerprint),
	    true },
	{ "serial", PRINCIPAL_CERT, offsetof(struct match, serial), true },
	{ "uid", PRINCIPAL_LOCAL, offsetof(struct match, uid), false },
	{ "gid", PRINCIPAL_LOCAL, offsetof(struct match, gid), false },
};

/* "AB:CD" is how openssl prints what we hold as "abcd". */
static struct span
keep_hex(struct loader *l, struct span s)
{
	struct span kept = keep(l, s);
	char *p;
	size_t i, n = 0;

	if (kept.p == NULL) {
		return kept;
	}
	p = take(l, s.len + 1);
	for (i = 0; p != NULL && i < s.len; i++) {
		char c = s.p[i];

		if (c != ':') {
			p[n++] = (char)(c >= 'A' && c <= 'F' ? c | 0x20 : c);
		}
	}
	return span_make(p, n);
}

static bool
want_pattern(
    struct loader *l, const struct json_node *m, bool number, struct span *out)
{
	uint64_t n;

	if (!number) {
		return want_text(l, m, "a pattern", out);
	}
	if (json_type(m) == JSON_STRING && span_is(json_string(m), "*")) {
		*out = json_string(m);
		return true;
	}
	if (json_type(m) != JSON_NUMBER ||
	    text_parse_u64(json_number(m), UINT32_MAX, &n) != ERR_OK) {
		complain(l, m, "expected a number, or \"*\"");
		return false;
	}
	*out = json_number(m);
	return true;
}

static void
set_kind(struct loader *l, const struct json_node *m, struct match *out,
    enum principal_kind kind)
{
	if (out->kind != PRINCIPAL_NONE && out->kind != kind) {
		complain(l, m,
		    "%s can never hold together with what stands "
		    "before it",
		    quote(json_key(m)).s);
	}
	out->kind = kind;
}

static void
read_match_member(
    struct loader *l, const struct json_node *m, struct match *out)
{
	struct span s, *to;
	size_t i;

	if (span_is(json_key(m), "anonymous")) {
		if (want_true(l, m, "\"anonymous\"")) {
			set_kind(l, m, out, PRINCIPAL_ANONYMOUS);
		}
		return;
	}
	for (i = 0; i < NELEM(match_members); i++) {
		if (span_is(json_key(m), match_members[i].name)) {
			break;
		}
	}
	if (i == NELEM(match_members)) {
		complain(l, m,
		    "a match has no member %s; expected cn, o, ou, "
		    "san, fingerprint, serial, uid, gid or anonymous",
		    quote(json_key(m)).s);
		return;
	}
	if (!want_pattern(l, m, match_members[i].kind == PRINCIPAL_LOCAL, &s)) {
		return;
	}
	to = (struct span *)(void *)((char *)out + match_members[i].off);
	*to = match_members[i].hex ? keep_hex(l, s) : keep(l, s);
	set_kind(l, m, out, match_members[i].kind);
}

static void
read_match(struct loader *l, const struct json_node *v, struct match *out)
{
	const struct json_node *m;

	if (json_type(v) != JSON_OBJECT) {
		complain(l, v, "\"match\" must be an object");
		return;
	}
	if (json_first(v) == NULL) {
		complain(l, v,
		    "an empty match says nothing; write "
		    "{\"cn\": \"*\"} for every certificate");
		return;
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		read_match_member(l, m, out);
	}
}

static void
read_client_member(
    struct loader *l, const struct json_node *m, struct client *c)
{
	struct span name;

	if (span_is(json_key(m), "match")) {
		read_match(l, m, &c->match);
	} else if (span_is(json_key(m), "role")) {
		if (want_text(l, m, "the name of a role", &name)) {
			c->role = want_role(l, m, name, false);
		}
	} else if (span_is(json_key(m), "about")) {
		if (json_type(m) != JSON_STRING) {
			complain(l, m, "\"about\" must be a text");
		}
	} else {
		complain(l, m,
		    "a client has no member %s; expected match, "
		    "role or about",
		    quote(json_key(m)).s);
	}
}

static struct client *
read_client(struct loader *l, const struct json_node *v)
{
	struct client *c = take(l, sizeof(*c));
	const struct json_node *m;

	if (c == NULL) {
		return NULL;
	}
	if (json_type(v) != JSON_OBJECT) {
		complain(l, v,
		    "a client must be an object with match and "
		    "role");
		return NULL;
	}
	c->line = line_at(v);
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		read_client_member(l, m, c);
	}
	if (json_get(v, "match") == NULL || json_get(v, "role") == NULL) {
		complain(l, v, "a client needs both \"match\" and \"role\"");
	}
	return c;
}

static void
read_clients(struct loader *l, const struct json_node *v)
{
	struct client **end = &l->pol->clients;
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		complain(l, v, "\"clients\" must be a list");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		*end = read_client(l, e);
		if (*end != NULL) {
			end = &(*end)->next;
		}
	}
}

/* --- the file ------------------------------------------------------------ */

static void
read_roles(struct loader *l, const struct json_node *v)
{
	const struct json_node *m;

	if (json_type(v) != JSON_OBJECT) {
		complain(l, v, "\"roles\" must be an object");
		l->roles = NULL;
		return;
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (json_key(m).len == 0) {
			complain(l, m, "a role needs a name");
		} else if (find_role(l->pol, json_key(m), false) == NULL) {
			(void)add_role(l, json_key(m), m, line_at(m));
		}
	}
}

static void
read_file(struct loader *l, const struct json_node *root)
{
	const struct json_node *m;

	if (json_type(root) != JSON_OBJECT) {
		complain(l, root, "a policy must be an object with clients");
		return;
	}
	l->roles = json_get(root, "roles");
	if (l->roles != NULL) {
		read_roles(l, l->roles);
	}
	for (m = json_first(root); m != NULL; m = json_next(m)) {
		struct span key = json_key(m);

		if (span_is(key, "clients")) {
			read_clients(l, m);
		} else if (!span_is(key, "roles") && !span_is(key, "about") &&
			   !span_is(key, "$schema")) {
			complain(l, m,
			    "a policy has no member %s; expected "
			    "clients, roles or about",
			    quote(key).s);
		}
	}
	if (json_get(root, "clients") == NULL) {
		complain(l, root,
		    "\"clients\" is missing: nobody could do "
		    "anything");
	}
}

/* A policy without clients. */
static struct policy *
new_policy(void)
{
	struct policy *pol = calloc(1, sizeof(*pol));

	if (pol != NULL) {
		arena_init(&pol->arena, POLICY_MAX_BYTES);
	}
	return pol;
}

static enum err
load(struct loader *l, struct span text)
{
	struct json_doc *doc = NULL;
	struct diag d = { 0, 0, "" };
	enum err rc = json_parse(text, JSON_COMMENTS, &doc, &d);

	if (rc == ERR_NOMEM) {
		return rc;
	}
	if (rc != ERR_OK) {
		l->errors++;
		l->report(l->arg, &d);
		return ERR_POLICY;
	}
	read_file(l, json_root(doc));
	json_free(doc);
	if (l->nomem) {
		return ERR_NOMEM;
	}
	return l->errors > 0 ? ERR_POLICY : ERR_OK;
}

static void
report_first(void *arg, const struct diag *d)
{
	struct diag *first = arg;

	if (first != NULL && first->text[0] == '\0') {
		*first = *d;
	}
}

enum err
policy_load(struct span text, struct policy **out, struct diag *d)
{
	struct loader l = { .report = report_first, .arg = d };
	enum err rc;

	if (d != NULL) {
		d->text[0] = '\0';
	}
	l.pol = new_policy();
	if (l.pol == NULL) {
		return ERR_NOMEM;
	}
	rc = load(&l, text);
	if (rc != ERR_OK) {
		policy_free(l.pol);
		return rc;
	}
	*out = l.pol;
	return ERR_OK;
}

size_t
policy_check(struct span text, void (*report)(void *arg, const struct diag *d),
    void *arg)
{
	struct loader l = { .report = report, .arg = arg };
	struct diag nomem = { 0, 0, "out of memory" };

	l.pol = new_policy();
	if (l.pol == NULL || load(&l, text) == ERR_NOMEM) {
		l.errors++;
		report(arg, &nomem);
	}
	policy_free(l.pol);
	return l.errors;
}

enum err
policy_load_preset(const char *name, struct policy **out)
{
	struct loader l = { .report = report_first };
	struct client *c;

	if (policy_preset_text(name).p == NULL) {
		return ERR_NOTFOUND;
	}
	l.pol = new_policy();
	if (l.pol == NULL) {
		return ERR_NOMEM;
	}
	c = take(&l, sizeof(*c));
	if (c != NULL) {
		c->role = add_preset(&l, span_of(name));
		l.pol->clients = c;
	}
	if (c == NULL || c->role == NULL || l.errors > 0) {
		policy_free(l.pol);
		return l.nomem ? ERR_NOMEM : ERR_POLICY;
	}
	*out = l.pol;
	return ERR_OK;
}
