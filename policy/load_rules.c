/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads "rules" of a role; see condition.h, and docs/policy.md for the
 * language.
 *
 * What a rule speaks of must be there: each path leads to a field of every
 * operation that the rule names, and of one at least in each class, or the
 * policy is not used.  A class stands for those of its operations that have
 * all the paths.  A condition must fit what dockerd reads at its place, so
 * that none is silent because a pattern was held against a number.
 *
 * Rejected: patterns on query values that are JSON in rules that deny.  One
 * thing can be written there in many ways, and a rule would see one of them.
 *
 * Attackers do not write policies.  Owners write conditions that never hold,
 * and find out when it is too late: those that can be told are errors.
 */
#include "base/text.h"
#include "load.h"

#define ABOUT_MAX 160

/* A rule while it is read. */
struct reading {
	struct rule_when *rule;
	struct condition *c; /* the one that is read */
	bool named[OPS_MAX]; /* by its own id, not by a class */
};

/* --- values of a condition ------------------------------------------------ */

static void
read_patterns(struct loader *l, struct condition *c, const struct json_node *v)
{
	bool one = json_type(v) == JSON_STRING;
	const struct json_node *e = one ? v : json_first(v);
	struct span *item, s;

	item = load_take(l, (one ? 1 : json_count(v) + 1) * sizeof(*item));
	c->patterns.item = item;
	c->patterns.set = true;
	if (!one && e == NULL) {
		load_complain(l, v, "an empty list of patterns says nothing");
	}
	for (; e != NULL && item != NULL; e = one ? NULL : json_next(e)) {
		if (load_want_text(l, e, "a pattern", &s)) {
			item[c->patterns.n++] = load_keep(l, s);
		}
	}
}

static void
read_not(struct loader *l, void *to, const struct json_node *v)
{
	struct condition *c = to;

	c->kind = CONDITION_NOT;
	if (json_type(v) != JSON_STRING && json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a pattern or a list of them");
		return;
	}
	read_patterns(l, c, v);
}

static void
read_bound(struct loader *l, const struct json_node *v, int64_t *out)
{
	if (json_type(v) != JSON_NUMBER || json_int(v, out) != ERR_OK) {
		load_complain(l, v, "expected an integer");
	}
}

static void
read_above(struct loader *l, void *to, const struct json_node *v)
{
	struct condition *c = to;

	c->kind = CONDITION_RANGE;
	read_bound(l, v, &c->above);
}

static void
read_below(struct loader *l, void *to, const struct json_node *v)
{
	struct condition *c = to;

	c->kind = CONDITION_RANGE;
	read_bound(l, v, &c->below);
}

static void
read_absent(struct loader *l, void *to, const struct json_node *v)
{
	struct condition *c = to;

	c->kind = CONDITION_ABSENT;
	(void)load_want_true(l, v, "\"absent\"");
}

static void
read_present(struct loader *l, void *to, const struct json_node *v)
{
	struct condition *c = to;

	c->kind = CONDITION_PRESENT;
	(void)load_want_true(l, v, "\"present\"");
}

static const struct load_member condition_rows[] = {
	{ "not", read_not },
	{ "above", read_above },
	{ "below", read_below },
	{ "absent", read_absent },
	{ "present", read_present },
};
const struct load_table load_condition_table = { "a condition", condition_rows,
	NELEM(condition_rows) };

static void
read_condition_object(
    struct loader *l, struct condition *c, const struct json_node *v)
{
	bool range =
	    json_get(v, "above") != NULL && json_get(v, "below") != NULL;

	if (json_count(v) != (range ? 2 : 1)) {
		load_complain(l, v,
		    "expected one of not, above, below, absent and present, "
		    "or above and below together");
		return;
	}
	c->above = INT64_MIN;
	c->below = INT64_MAX;
	load_members(l, &load_condition_table, c, v);
	if (range && (c->above > INT64_MAX - 2 || c->above + 1 >= c->below)) {
		load_complain(
		    l, v, "nothing is above the one and below the other");
	}
}

/* CONDITION_NONE where it complained. */
static void
read_condition(struct loader *l, struct condition *c, const struct json_node *v)
{
	size_t before = l->errors;

	switch (json_type(v)) {
	case JSON_STRING:
	case JSON_ARRAY:
		c->kind = CONDITION_MATCH;
		read_patterns(l, c, v);
		break;
	case JSON_BOOL:
		c->kind = CONDITION_BOOL;
		c->want = json_bool(v);
		break;
	case JSON_OBJECT:
		read_condition_object(l, c, v);
		break;
	case JSON_NULL:
	case JSON_NUMBER:
		load_complain(l, v,
		    "expected a pattern, a list of patterns, true, false, or "
		    "an object with not, above, below, absent or present");
		break;
	}
	if (l->errors != before) {
		c->kind = CONDITION_NONE;
	}
}

/* --- does it fit its place? ----------------------------------------------- */

static const char *const fits[] = {
	[CONDITION_NONE] = "",
	[CONDITION_MATCH] = "a pattern is for texts",
	[CONDITION_NOT] = "\"not\" is for texts",
	[CONDITION_RANGE] = "\"above\" and \"below\" are for integers",
	[CONDITION_BOOL] = "true and false are for booleans",
	[CONDITION_ABSENT] = "",
	[CONDITION_PRESENT] = "",
};

static const char *const ends[] = {
	[PATH_END_NONE] = "nothing",
	[PATH_END_STR] = "a text",
	[PATH_END_BOOL] = "true or false",
	[PATH_END_INT] = "an integer",
	[PATH_END_LIST] = "a list, whose elements are []",
	[PATH_END_MAP] = "an object, whose members are [] or [key]",
	[PATH_END_OBJECT] = "an object",
	[PATH_END_EMPTY] = "an empty object",
};

static enum path_end
end_of_query(enum op_value value)
{
	switch (value) {
	case OP_VALUE_BOOL:
		return PATH_END_BOOL;
	case OP_VALUE_INT:
		return PATH_END_INT;
	case OP_VALUE_TEXT:
	case OP_VALUE_JSON:
		break;
	}
	return PATH_END_STR;
}

static void
check_kind(struct loader *l, const struct rule_when *r, struct condition *c,
    const struct json_node *v)
{
	enum path_end end = c->query ? end_of_query(c->value) : c->place.end;
	bool fit = true;

	switch (c->kind) {
	case CONDITION_MATCH:
	case CONDITION_NOT:
		fit = end == PATH_END_STR;
		break;
	case CONDITION_RANGE:
		fit = end == PATH_END_INT;
		break;
	case CONDITION_BOOL:
		fit = end == PATH_END_BOOL;
		break;
	case CONDITION_NONE:
	case CONDITION_ABSENT:
	case CONDITION_PRESENT:
		break;
	}
	if (!fit) {
		load_complain(l, v, "%s, and %s holds %s", fits[c->kind],
		    quote(json_key(v)).s, ends[end]);
	} else if (c->query && c->value == OP_VALUE_JSON &&
		   c->kind == (r->allow ? CONDITION_NOT : CONDITION_MATCH)) {
		load_complain(l, v,
		    "%s holds JSON, which can be written in many ways: %s "
		    "cannot rest on this; use %s, absent or present",
		    quote(json_key(v)).s,
		    r->allow ? "an allow rule" : "a deny rule",
		    r->allow ? "a pattern" : "not");
	}
}

/* --- paths ---------------------------------------------------------------- */

/* Does the operation have the place, of the kind found before?  Fills it in. */
static bool
find_place(const struct op *op, struct condition *c)
{
	struct path_place place;

	if (c->query) {
		if (ops_query_key(op, c->text) != OP_KEY_READ) {
			return false;
		}
		/* A platform is JSON to some operations. */
		if (c->value != OP_VALUE_JSON) {
			c->value = ops_query_value(op, c->text);
		}
		return true;
	}
	if (op->body != OP_BODY_JSON || op->fields == NULL) {
		return false;
	}
	place = body_path_follow(op->fields, c->path.step, c->path.n);
	if (place.end == PATH_END_NONE ||
	    (c->place.end != PATH_END_NONE && c->place.end != place.end)) {
		return false;
	}
	c->place = place;
	return true;
}

static void
complain_place(struct loader *l, const struct op *op, const struct condition *c,
    const struct json_node *v)
{
	if (c->query) {
		load_complain(
		    l, v, "%s has no query key %s", op->name, quote(c->text).s);
	} else if (op->body == OP_BODY_STREAM) {
		load_complain(l, v,
		    "the body of %s is a stream: no rule can look into it",
		    op->name);
	} else if (op->body == OP_BODY_NONE || op->fields == NULL) {
		load_complain(l, v, "%s has no body that dinv reads", op->name);
	} else {
		load_complain(l, v,
		    "the body of %s has nothing at %s (names are dockerd's, "
		    "letter by letter)",
		    op->name, quote(c->text).s);
	}
}

/*
 * Keeps the operations that have the place; those that are named must.  Where
 * none has it all stay, so that the next path is told of too.
 */
static bool
narrow(struct loader *l, struct reading *r, const struct json_node *v)
{
	size_t i, n, found = 0, asked = 0;
	const struct op *op = ops_all(&n);
	bool has[OPS_MAX] = { false };

	for (i = 0; i < n; i++) {
		if (!r->rule->ops[i]) {
			continue;
		}
		asked++;
		has[i] = find_place(&op[i], r->c);
		found += has[i];
		if (!has[i] && r->named[i]) {
			complain_place(l, &op[i], r->c, v);
			return false;
		}
	}
	if (found > 0) {
		memcpy(r->rule->ops, has, sizeof(has));
	} else if (asked > 0) {
		load_complain(l, v,
		    "no operation of this rule has %s, or none that has the "
		    "other paths too",
		    quote(json_key(v)).s);
	}
	return found > 0;
}

/* "body.HostConfig.Dns[]", "query.force" */
static bool
read_place(struct loader *l, struct condition *c, const struct json_node *v)
{
	struct span key = json_key(v);
	enum err rc = ERR_OK;

	c->query = span_starts(key, "query.") && key.len > strlen("query.");
	if (!c->query && !span_starts(key, "body.")) {
		load_complain(l, v,
		    "expected a path such as \"body.HostConfig.Dns[]\" or "
		    "\"query.force\"");
		return false;
	}
	key = c->query ? span_make(key.p + 6, key.len - 6)
		       : span_make(key.p + 5, key.len - 5);
	c->text = load_keep(l, key);
	if (!c->query) {
		rc = body_path_parse(&l->pol->arena, key, &c->path);
		l->nomem = l->nomem || rc == ERR_NOMEM;
	}
	if (rc != ERR_OK) {
		load_complain(l, v,
		    "expected names with dots between them, [] for any "
		    "element, [key] for what a map has under a key");
	}
	return rc == ERR_OK;
}

/* --- rules ---------------------------------------------------------------- */

static void
set_op(void *arg, const struct op *op, bool named, unsigned line)
{
	struct reading *r = arg;

	(void)line;
	r->rule->ops[ops_index(op)] = true;
	r->named[ops_index(op)] = r->named[ops_index(op)] || named;
}

static void
read_rule_ops(struct loader *l, struct reading *r, const struct json_node *v)
{
	load_ops(l, v, r->rule->allow, set_op, r);
	if (json_type(v) == JSON_ARRAY && json_first(v) == NULL) {
		load_complain(
		    l, v, "expected an operation or a class at least");
	}
}

static void
read_allow(struct loader *l, void *to, const struct json_node *v)
{
	((struct reading *)to)->rule->allow = true;
	read_rule_ops(l, to, v);
}

static void
read_deny(struct loader *l, void *to, const struct json_node *v)
{
	read_rule_ops(l, to, v);
}

static void
read_about(struct loader *l, void *to, const struct json_node *v)
{
	struct rule_when *rule = ((struct reading *)to)->rule;

	if (json_type(v) != JSON_STRING || json_string(v).len > ABOUT_MAX ||
	    !text_is_printable(json_string(v))) {
		load_complain(l, v,
		    "expected a text of at most %d printable ASCII "
		    "characters, which refused clients read",
		    ABOUT_MAX);
		return;
	}
	rule->about = load_keep(l, json_string(v));
}

/* "when" is read last: its paths are those of the operations. */
static const struct load_member rule_rows[] = {
	{ "allow", read_allow },
	{ "deny", read_deny },
	{ "when", NULL },
	{ "about", read_about },
};
const struct load_table load_rule_table = { "an element of \"rules\"",
	rule_rows, NELEM(rule_rows) };

static void
read_when(struct loader *l, struct reading *r, const struct json_node *v)
{
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT || json_first(v) == NULL) {
		load_complain(l, v,
		    "\"when\" must be an object of paths and conditions; what "
		    "holds always stands in allow and deny of the role");
		return;
	}
	r->c = load_take(l, json_count(v) * sizeof(*r->c));
	if (r->c == NULL) {
		return;
	}
	r->rule->condition = r->c;
	for (e = json_first(v); e != NULL; e = json_next(e), r->c++) {
		r->rule->n++;
		read_condition(l, r->c, e);
		if (read_place(l, r->c, e) && narrow(l, r, e)) {
			check_kind(l, r->rule, r->c, e);
		}
		r->rule->body = r->rule->body || !r->c->query;
	}
}

static void
read_rule(struct loader *l, struct rule_when *rule, const struct json_node *v)
{
	struct reading r = { .rule = rule };
	const struct json_node *when;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(
		    l, v, "expected an object with allow or deny, and when");
		return;
	}
	rule->line = load_line(v);
	rule->about = span_of("");
	load_members(l, &load_rule_table, &r, v);
	if ((json_get(v, "allow") == NULL) == (json_get(v, "deny") == NULL)) {
		load_complain(l, v, "a rule either allows or denies");
	}
	when = json_get(v, "when");
	if (when == NULL) {
		load_complain(l, v,
		    "\"when\" is missing; what holds always stands in allow "
		    "and deny of the role");
		return;
	}
	read_when(l, &r, when);
}

/* Rules of a role are added to those that it inherited. */
void
load_rules(struct loader *l, void *to, const struct json_node *v)
{
	struct role *role = to;
	struct rule_when *rules;
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of rules");
		return;
	}
	rules =
	    load_take(l, (role->n_rules + json_count(v) + 1) * sizeof(*rules));
	if (rules == NULL) {
		return;
	}
	if (role->n_rules > 0) {
		memcpy(rules, role->rules, role->n_rules * sizeof(*rules));
	}
	role->rules = rules;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		read_rule(l, &rules[role->n_rules++], e);
	}
}
