/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the conditions of a role's rules hold?  See condition.h.
 *
 * A request is asked twice: when its head is known, and again with its body
 * where it has one.  Bodies come here judged and typed by the walk, and are
 * looked up as Go does, names folded; no body is an object without members.
 *
 * The two kinds of rules lean the same way, to "no".  A value that cannot be
 * read, or that dockerd may read otherwise, is a "maybe": it is enough for a
 * rule that denies and too little for one that allows.  For a deny rule one
 * value at the path is enough, and a number or boolean that is missing counts
 * as 0 or false, as it does to dockerd; for an allow rule there must be one,
 * and all of them must fit.
 *
 * Rejected: one reading for both, which is open for one of them.
 *
 * Attackers leave out what a rule looks for, write null or "" for it, spell
 * "true" as "yes" in a query (BoolValue), give a list one element that fits
 * and another that does not, or send no body at all.
 */
#include "condition.h"

#include <stdio.h>

#include "base/text.h"
#include "decision.h"
#include "judge.h"

enum reading { READ_NO = 0, READ_MAYBE, READ_YES };

/* One condition, while values are shown to it. */
struct asking {
	const struct condition *c;
	bool deny;
	bool hit;	   /* one value may fit */
	bool miss;	   /* one value may not */
	size_t n;	   /* values seen */
	enum reading most; /* is anything there? */
	char path[128];	   /* of the first that may fit */
};

/* --- single values -------------------------------------------------------- */

static enum reading
read_bool(const struct condition *c, bool is)
{
	return is == c->want ? READ_YES : READ_NO;
}

static enum reading
read_int(const struct condition *c, int64_t i)
{
	return i > c->above && i < c->below ? READ_YES : READ_NO;
}

static enum reading
read_text(const struct condition *c, struct span s)
{
	bool match = words_match(&c->patterns, s);

	return match == (c->kind == CONDITION_MATCH) ? READ_YES : READ_NO;
}

/* What is missing is zero to dockerd, and no reason to allow anything. */
static enum reading
read_missing(const struct asking *a)
{
	if (!a->deny) {
		return READ_NO;
	}
	if (a->c->kind == CONDITION_RANGE) {
		return read_int(a->c, 0);
	}
	return a->c->kind == CONDITION_BOOL ? read_bool(a->c, false) : READ_NO;
}

static void
take(struct asking *a, enum reading r, const struct frame *at)
{
	a->n++;
	if (r != READ_NO && !a->hit) {
		a->hit = true;
		walk_path(at, a->path, sizeof(a->path));
	}
	a->miss = a->miss || r != READ_YES;
}

/* --- bodies --------------------------------------------------------------- */

/* Fields whose zero differs from nothing to dockerd (pointers in Go). */
static const char *const own_zero[] = { "Init", "MemorySwappiness",
	"StopTimeout", "EnableIPv4", "Replicas" };

static bool
has_own_zero(const struct field *f)
{
	size_t i;

	for (i = 0; i < NELEM(own_zero); i++) {
		if (strcmp(f->name, own_zero[i]) == 0) {
			return true;
		}
	}
	return f->judge == judge_not_null;
}

static bool
ends_in_field(const struct condition *c)
{
	return c->path.step[c->path.n - 1].kind == PATH_FIELD;
}

static enum reading
presence(const struct condition *c, const struct json_node *v)
{
	if (v == NULL) {
		return READ_NO;
	}
	if (c->place.end == PATH_END_MAP) {
		return json_first(v) == NULL ? READ_NO : READ_YES;
	}
	if (c->place.end == PATH_END_EMPTY || !fields_zero(v)) {
		return READ_YES;
	}
	return !ends_in_field(c) || has_own_zero(c->place.field) ? READ_MAYBE
								 : READ_NO;
}

/* v is there, and not null. */
static enum reading
read_value(const struct asking *a, const struct json_node *v)
{
	const struct condition *c = a->c;
	int64_t i;

	switch (c->kind) {
	case CONDITION_MATCH:
	case CONDITION_NOT:
		if (json_type(v) != JSON_STRING) {
			return READ_MAYBE;
		}
		return ends_in_field(c) && json_string(v).len == 0
			   ? read_missing(a)
			   : read_text(c, json_string(v));
	case CONDITION_RANGE:
		if (json_type(v) != JSON_NUMBER || json_int(v, &i) != ERR_OK) {
			return READ_MAYBE;
		}
		/* 0 is how clients write that they ask for nothing. */
		return i == 0 && ends_in_field(c) &&
			       !has_own_zero(c->place.field)
			   ? read_missing(a)
			   : read_int(c, i);
	case CONDITION_BOOL:
		return json_type(v) == JSON_BOOL ? read_bool(c, json_bool(v))
						 : READ_MAYBE;
	case CONDITION_NONE:
	case CONDITION_ABSENT:
	case CONDITION_PRESENT:
		break;
	}
	return READ_NO;
}

static void
look(struct asking *a, const struct json_node *v, const struct frame *at)
{
	enum reading there;

	if (v != NULL && json_type(v) == JSON_NULL) {
		v = NULL;
	}
	there = presence(a->c, v);
	a->most = there > a->most ? there : a->most;
	take(a, v == NULL ? read_missing(a) : read_value(a, v), at);
}

/*
 * Follows step i from v, which is NULL where nothing is: that is one missing
 * value at the end, but no element of a list.  Recursion ends with the path.
 */
static void
visit(struct asking *a, const struct json_node *v, size_t i,
    const struct frame *up)
{
	const struct path_step *s = &a->c->path.step[i];
	struct frame here = { .up = up };
	const struct json_node *m = NULL;

	if (i == a->c->path.n) {
		look(a, v, up);
		return;
	}
	if (s->kind == PATH_ANY) {
		if (v != NULL && json_type(v) == JSON_STRING) {
			look(a, v, up); /* FT_STRSLICE: a list of one */
			return;
		}
		for (m = v == NULL ? NULL : json_first(v); m != NULL;
		     m = json_next(m)) {
			here.key = json_key(m);
			visit(a, m, i + 1, &here);
			here.index++;
		}
		return;
	}
	if (s->kind == PATH_FIELD) {
		here.name = s->name;
		m = fields_get(v, s->name);
	} else {
		here.key = span_of(s->name);
		m = v != NULL && json_type(v) == JSON_OBJECT
			? json_get(v, s->name)
			: NULL;
	}
	visit(a, m, i + 1, &here);
}

/* --- queries -------------------------------------------------------------- */

/*
 * httputils.BoolValue: all but "", 0, no, false and none is true, whatever
 * its case and the blanks around it; some keys go through ParseBool, which
 * takes "f" for false.
 */
static enum reading
query_bool(const struct condition *c, struct span s)
{
	static const char *const no[] = { "", "0", "no", "false", "none" };
	size_t i;

	s = text_trim(s);
	for (i = 0; i < NELEM(no); i++) {
		if (span_is_nocase(s, no[i])) {
			return read_bool(c, false);
		}
	}
	if (!text_is_printable(s) || span_is_nocase(s, "f")) {
		return READ_MAYBE;
	}
	return read_bool(c, true);
}

/* strconv.ParseInt takes a plus and zeros in front. */
static enum reading
query_int(const struct condition *c, struct span s)
{
	bool minus = s.len > 0 && s.p[0] == '-';
	uint64_t u;

	if (s.len > 0 && (minus || s.p[0] == '+')) {
		s = span_make(s.p + 1, s.len - 1);
	}
	while (s.len > 1 && s.p[0] == '0') {
		s = span_make(s.p + 1, s.len - 1);
	}
	if (text_parse_u64(s, INT64_MAX, &u) != ERR_OK) {
		return READ_MAYBE;
	}
	return read_int(c, minus ? -(int64_t)u : (int64_t)u);
}

static enum reading
query_value(const struct asking *a, struct span s)
{
	switch (a->c->kind) {
	case CONDITION_BOOL:
		return query_bool(a->c, s);
	case CONDITION_RANGE:
		return s.len == 0 ? read_missing(a) : query_int(a->c, s);
	case CONDITION_MATCH:
	case CONDITION_NOT:
		return s.len == 0 ? read_missing(a) : read_text(a->c, s);
	case CONDITION_NONE:
	case CONDITION_ABSENT:
	case CONDITION_PRESENT:
		break;
	}
	return READ_NO;
}

static void
visit_query(struct asking *a, const struct canon_req *req)
{
	/* Some booleans are true where they are missing, or empty. */
	bool open = a->deny && a->c->kind == CONDITION_BOOL &&
		    ops_query_default(req->op, a->c->text);
	struct frame here = { .name = a->c->text.p };
	enum reading there;
	size_t i;

	for (i = 0; i < req->n_query; i++) {
		struct span s = req->query[i].value;

		if (!span_eq(req->query[i].key, a->c->text)) {
			continue;
		}
		there = s.len == 0 ? READ_MAYBE : READ_YES;
		a->most = there > a->most ? there : a->most;
		take(a, open && s.len == 0 ? READ_MAYBE : query_value(a, s),
		    &here);
	}
	if (a->n == 0) {
		take(a, open ? READ_MAYBE : read_missing(a), &here);
	}
}

/* --- rules ---------------------------------------------------------------- */

/* path gets the place that fits. */
static bool
holds(const struct decision *d, const struct condition *c, bool deny,
    const struct json_node *root, char path[128])
{
	struct asking a = { .c = c, .deny = deny };

	if (c->query) {
		visit_query(&a, d->req);
	} else {
		visit(&a, root, 0, NULL);
	}
	if (a.path[0] == '\0') {
		snprintf(a.path, sizeof(a.path), "%.*s", SPAN_ARG(c->text));
	}
	memcpy(path, a.path, sizeof(a.path));
	if (c->kind == CONDITION_ABSENT) {
		return deny ? a.most != READ_YES : a.most == READ_NO;
	}
	if (c->kind == CONDITION_PRESENT) {
		return deny ? a.most != READ_NO : a.most == READ_YES;
	}
	return deny ? a.hit : a.n > 0 && !a.miss;
}

/* Those of the body hold where the body is still to come. */
static bool
all_hold(const struct decision *d, const struct rule_when *r,
    const struct json_node *root, bool last, char path[128])
{
	char other[128];
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct condition *c = &r->condition[i];

		if ((last || c->query) &&
		    !holds(d, c, !r->allow, root, i == 0 ? path : other)) {
			return false;
		}
	}
	return true;
}

bool
condition_may_allow(const struct decision *d)
{
	size_t i;

	for (i = 0; i < d->role->n_rules; i++) {
		if (d->role->rules[i].allow &&
		    d->role->rules[i].ops[ops_index(d->req->op)]) {
			return true;
		}
	}
	return false;
}

static enum verdict
deny(struct decision *d, const struct rule_when *r, const char *path,
    struct policy_why *why)
{
	d->line = r->line == 0 ? d->line : r->line;
	return decision_refuse(d, why, RULE_DENIED, path, "%s as asked: %.*s",
	    d->req->op->name,
	    SPAN_ARG(r->about.len > 0
			 ? r->about
			 : span_of("a rule of the policy denies it")));
}

static enum verdict
not_allowed(
    struct decision *d, const struct rule_when *r, struct policy_why *why)
{
	d->line = r->line == 0 ? d->line : r->line;
	return decision_refuse(d, why, RULE_OP, "",
	    "the operation %s as asked: %.*s", d->req->op->name,
	    SPAN_ARG(r->about.len > 0
			 ? r->about
			 : span_of("the policy allows it under conditions")));
}

enum verdict
condition_judge(struct decision *d, const struct json_node *root, bool last,
    struct policy_why *why)
{
	const struct rule_when *unmet = NULL, *met = NULL;
	size_t i, op = ops_index(d->req->op);
	char path[128];

	/* Without rules the operation alone decided (judge_operation()). */
	if (d->role->n_rules == 0) {
		return VERDICT_ALLOW;
	}
	for (i = 0; i < d->role->n_rules; i++) {
		const struct rule_when *r = &d->role->rules[i];

		if (!r->ops[op] || (!r->allow && r->body && !last)) {
			continue;
		}
		if (!all_hold(d, r, root, last, path)) {
			unmet = r->allow ? r : unmet;
		} else if (!r->allow) {
			return deny(d, r, path, why);
		} else {
			met = met == NULL ? r : met;
		}
	}
	if (d->role->allowed[op]) {
		return VERDICT_ALLOW;
	}
	if (met == NULL && unmet != NULL) {
		return not_allowed(d, unmet, why);
	}
	if (met == NULL && d->report != NULL) {
		return VERDICT_ALLOW; /* observed: it was told before */
	}
	if (met == NULL) {
		return decision_fail(d, why, ERR_USAGE);
	}
	d->line = met->line == 0 ? d->line : met->line;
	return VERDICT_ALLOW;
}
