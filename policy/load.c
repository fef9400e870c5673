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
 * Rejected: a language of conditions alone, because nobody could tell what a
 * policy of 50 lines allows; they stand beside the rules, for what those do
 * not say (load_rules.c).  "Last match wins", because then every line must be
 * read to know.
 *
 * Attackers do not write policies.  Tired owners do: a misspelt rule, an
 * operation that does not exist or a match that matches all is an error here
 * and not a surprise later.
 */
#include "load.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "fields.h"
#include "tenant.h"

#define POLICY_MAX_BYTES ((size_t)8 * 1024 * 1024)

void
load_complain(
    struct loader *l, const struct json_node *at, const char *fmt, ...)
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

void *
load_take(struct loader *l, size_t size)
{
	void *p = arena_alloc(&l->pol->arena, size);

	l->nomem = l->nomem || p == NULL;
	return p;
}

struct span
load_keep(struct loader *l, struct span s)
{
	char *p = arena_dup(&l->pol->arena, s);

	l->nomem = l->nomem || p == NULL;
	return span_make(p, p == NULL ? 0 : s.len);
}

/* A non-empty string, or complains. */
bool
load_want_text(struct loader *l, const struct json_node *v, const char *what,
    struct span *out)
{
	if (json_type(v) != JSON_STRING || json_string(v).len == 0) {
		load_complain(
		    l, v, "expected %s, a text that is not empty", what);
		return false;
	}
	*out = json_string(v);
	return true;
}

bool
load_want_true(struct loader *l, const struct json_node *v, const char *what)
{
	if (json_type(v) != JSON_BOOL || !json_bool(v)) {
		load_complain(l, v, "%s can only be true", what);
		return false;
	}
	return true;
}

/* --- members ------------------------------------------------------------- */

static void
complain_member(
    struct loader *l, const struct load_table *t, const struct json_node *m)
{
	char names[160] = "";
	size_t i, len = 0;

	for (i = 0; i < t->n; i++) {
		len +=
		    (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
			i == 0		? ""
			: i == t->n - 1 ? " or "
					: ", ",
			t->row[i].name);
		assert(len < sizeof(names));
	}
	load_complain(l, m, "%s has no member %s; expected %s", t->a,
	    quote(json_key(m)).s, names);
}

void
load_members(struct loader *l, const struct load_table *t, void *to,
    const struct json_node *v)
{
	const struct json_node *m;
	size_t i;

	for (m = json_first(v); m != NULL; m = json_next(m)) {
		for (i = 0;
		     i < t->n && !span_is(json_key(m), t->row[i].name);) {
			i++;
		}
		if (i == t->n) {
			complain_member(l, t, m);
		} else if (t->row[i].read != NULL) {
			t->row[i].read(l, to, m);
		}
	}
}

void
load_about(struct loader *l, void *to, const struct json_node *m)
{
	(void)to;
	if (json_type(m) != JSON_STRING) {
		load_complain(l, m, "%s must be a text", quote(json_key(m)).s);
	}
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
	struct span kept = load_keep(l, s);
	char *p;
	size_t i, n = 0;

	if (kept.p == NULL) {
		return kept;
	}
	p = load_take(l, s.len + 1);
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
		return load_want_text(l, m, "a pattern", out);
	}
	if (json_type(m) == JSON_STRING && span_is(json_string(m), "*")) {
		*out = json_string(m);
		return true;
	}
	if (json_type(m) != JSON_NUMBER ||
	    text_parse_u64(json_number(m), UINT32_MAX, &n) != ERR_OK) {
		load_complain(l, m, "expected a number, or \"*\"");
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
		load_complain(l, m,
		    "%s can never hold together with what stands "
		    "before it",
		    quote(json_key(m)).s);
	}
	out->kind = kind;
}

static void
read_anonymous(struct loader *l, void *to, const struct json_node *m)
{
	if (load_want_true(l, m, "\"anonymous\"")) {
		set_kind(l, m, to, PRINCIPAL_ANONYMOUS);
	}
}

static void
read_pattern(struct loader *l, void *to, const struct json_node *m)
{
	struct match *out = to;
	struct span s, *at;
	size_t i = 0;

	while (!span_is(json_key(m), match_members[i].name)) {
		i++;
		assert(i < NELEM(match_members));
	}
	if (!want_pattern(l, m, match_members[i].kind == PRINCIPAL_LOCAL, &s)) {
		return;
	}
	at = (struct span *)(void *)((char *)out + match_members[i].off);
	*at = match_members[i].hex ? keep_hex(l, s) : load_keep(l, s);
	set_kind(l, m, out, match_members[i].kind);
}

static const struct load_member match_rows[] = {
	{ "cn", read_pattern },
	{ "o", read_pattern },
	{ "ou", read_pattern },
	{ "san", read_pattern },
	{ "fingerprint", read_pattern },
	{ "serial", read_pattern },
	{ "uid", read_pattern },
	{ "gid", read_pattern },
	{ "anonymous", read_anonymous },
};
const struct load_table load_match_table = { "a match", match_rows,
	NELEM(match_rows) };

static void
read_match(struct loader *l, void *to, const struct json_node *v)
{
	struct client *c = to;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(l, v, "\"match\" must be an object");
		return;
	}
	if (json_first(v) == NULL) {
		load_complain(l, v,
		    "an empty match says nothing; write "
		    "{\"cn\": \"*\"} for every certificate");
		return;
	}
	load_members(l, &load_match_table, &c->match, v);
	if (c->match.cn.p != NULL &&
	    memchr(c->match.cn.p, '*', c->match.cn.len) == NULL) {
		c->match.cn_key = match_key(c->match.cn);
	}
}

static void
read_client_role(struct loader *l, void *to, const struct json_node *m)
{
	struct client *c = to;
	struct span name;

	if (load_want_text(l, m, "the name of a role", &name)) {
		c->role = load_want_role(l, m, name, false);
	}
}

static void
read_tenant(struct loader *l, void *to, const struct json_node *m)
{
	struct client *c = to;
	struct span s;

	if (!load_want_text(l, m, "a tenant", &s)) {
		return;
	}
	if (!tenant_is_template(s) && !tenant_is_name(s)) {
		load_complain(l, m,
		    "no tenant %s; expected \"{cn}\", \"{ou}\", \"{o}\", or up "
		    "to %d letters, digits, \"_\", \".\" and \"-\"",
		    quote(s).s, TENANT_MAX);
		return;
	}
	c->tenant = load_keep(l, s);
}

/* What only the whole entry tells. */
static void
check_tenant(
    struct loader *l, const struct client *c, const struct json_node *v)
{
	if (c->role != NULL && c->role->owned && c->tenant.len == 0 &&
	    json_get(v, "tenant") == NULL) {
		load_complain(l, v,
		    "the role %s is owned: this client needs a \"tenant\", "
		    "such as \"{ou}\"",
		    c->role->name);
	}
	if (tenant_is_template(c->tenant) && c->match.kind != PRINCIPAL_NONE &&
	    c->match.kind != PRINCIPAL_CERT) {
		load_complain(l, json_get(v, "tenant"),
		    "this client has no certificate to take its tenant from");
	}
	l->pol->owned = l->pol->owned || (c->role != NULL && c->role->owned);
}

static const struct load_member client_rows[] = {
	{ "match", read_match },
	{ "role", read_client_role },
	{ "tenant", read_tenant },
	{ "about", load_about },
};
const struct load_table load_client_table = { "a client", client_rows,
	NELEM(client_rows) };

static struct client *
read_client(struct loader *l, const struct json_node *v)
{
	struct client *c = load_take(l, sizeof(*c));

	if (c == NULL) {
		return NULL;
	}
	if (json_type(v) != JSON_OBJECT) {
		load_complain(l, v,
		    "a client must be an object with match and "
		    "role");
		return NULL;
	}
	c->line = load_line(v);
	load_members(l, &load_client_table, c, v);
	if (json_get(v, "match") == NULL || json_get(v, "role") == NULL) {
		load_complain(
		    l, v, "a client needs both \"match\" and \"role\"");
	}
	check_tenant(l, c, v);
	return c;
}

static void
read_clients(struct loader *l, void *to, const struct json_node *v)
{
	struct client **end = &l->pol->clients;
	const struct json_node *e;

	(void)to;
	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "\"clients\" must be a list");
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
		load_complain(l, v, "\"roles\" must be an object");
		l->roles = NULL;
		return;
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (json_key(m).len == 0 || !text_is_printable(json_key(m))) {
			load_complain(
			    l, m, "a role needs a name of printable ASCII");
		} else if (load_find_role(l->pol, json_key(m), false) == NULL) {
			(void)load_add_role(l, json_key(m), m, load_line(m));
		}
	}
}

void
load_mode(struct loader *l, enum policy_mode *out, const struct json_node *m)
{
	if (json_type(m) == JSON_STRING && span_is(json_string(m), "enforce")) {
		*out = MODE_ENFORCE;
	} else if (json_type(m) == JSON_STRING &&
		   span_is(json_string(m), "observe")) {
		*out = MODE_OBSERVE;
	} else {
		load_complain(
		    l, m, "\"mode\" can be \"enforce\" or \"observe\"");
	}
}

static void
read_mode(struct loader *l, void *to, const struct json_node *m)
{
	(void)to;
	load_mode(l, &l->pol->mode, m);
}

/* "roles" were read before: clients ask for them. */
static const struct load_member file_rows[] = {
	{ "$schema", load_about },
	{ "about", load_about },
	{ "mode", read_mode },
	{ "clients", read_clients },
	{ "roles", NULL },
};
const struct load_table load_file_table = { "a policy", file_rows,
	NELEM(file_rows) };

static void
read_file(struct loader *l, const struct json_node *root)
{
	if (json_type(root) != JSON_OBJECT) {
		load_complain(
		    l, root, "a policy must be an object with clients");
		return;
	}
	l->roles = json_get(root, "roles");
	if (l->roles != NULL) {
		read_roles(l, l->roles);
	}
	load_members(l, &load_file_table, NULL, root);
	if (json_get(root, "clients") == NULL) {
		load_complain(l, root,
		    "\"clients\" is missing: nobody could do "
		    "anything");
	}
}

static size_t
count_paths(const struct policy *pol)
{
	const struct role *r;
	size_t n = 0;

	for (r = pol->roles; r != NULL; r = r->next) {
		n += r->limits.host_paths.n;
	}
	return n;
}

/* What any role writes to, every role must know of; see constraint_paths.c. */
static void
gather_paths(struct loader *l)
{
	struct path_world *world = &l->pol->paths;
	struct role *r;
	size_t i;

	world->writable =
	    load_take(l, (count_paths(l->pol) + 1) * sizeof(*world->writable));
	for (r = l->pol->roles; r != NULL && world->writable != NULL;
	     r = r->next) {
		struct host_paths *p = &r->limits.host_paths;

		p->world = world;
		for (i = 0; i < p->n; i++) {
			if (p->item[i].rw && !p->item[i].trusted) {
				world->writable[world->n++] = &p->item[i];
			}
		}
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
	enum err rc = load_parse(l, text, &doc);

	if (rc != ERR_OK) {
		return rc == ERR_NOMEM ? rc : ERR_POLICY;
	}
	read_file(l, json_root(doc));
	json_free(doc);
	gather_paths(l);
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
	struct load_order order = { .report = report, .arg = arg };
	struct loader l = { .report = load_order_keep, .arg = &order };
	struct diag nomem = { 0, 0, "out of memory" };

	l.pol = new_policy();
	if (l.pol == NULL || load(&l, text) == ERR_NOMEM) {
		l.errors++;
		load_order_keep(&order, &nomem);
	}
	load_order_tell(&order);
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
	c = load_take(&l, sizeof(*c));
	if (c != NULL) {
		c->role = load_preset(&l, span_of(name));
		l.pol->clients = c;
	}
	if (c == NULL || c->role == NULL || l.errors > 0) {
		policy_free(l.pol);
		return l.nomem ? ERR_NOMEM : ERR_POLICY;
	}
	*out = l.pol;
	return ERR_OK;
}
