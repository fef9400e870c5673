/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observed decisions: what would have been refused is written down, and
 * passes; see policy.h and docs/policy.md.
 *
 * The argument that this cannot open an enforcing role:
 *
 * - Every check says "refuse" or nothing, whoever asks.  None looks at the
 *   mode.  What a refusal leaves behind (decision.refused, walk.found) nothing
 *   takes back, so the end of a decision finds it also where a loop on the way
 *   lost its verdict.
 * - The mode says one thing on the way: whether the checks behind a refusal
 *   are asked too (decision_ends()).  Forgotten in either direction, it makes
 *   a list shorter or a refusal later.
 * - One function makes a pass of a refusal: decision_settle(), at the end of
 *   each step, and only where the decision has a report.  observe_start()
 *   alone makes one.  It is called in one place, after "who is it" and "is
 *   this an upgrade that the operation has", so that strangers and protocol
 *   are never observed; and where memory fails there is none: that enforces.
 *
 * What an observed request needs is asked a second time, of a role that has
 * the operation and nothing else.  What is refused there is what a role must
 * be given: "dinv policy learn" reads it, so that it learns the same from a
 * role that had a right already and from one that had not.
 *
 * Rejected: a mode that each check reads; a verdict "would deny" beside deny
 * and allow, which every caller could mix up.
 *
 * Attackers fill the report: it holds 32 findings of each kind and counts the
 * rest, and values are cut.
 */
#include "decision.h"

#define REPORT_MAX 32
#define VALUE_MAX 256

bool
decision_ends(const struct decision *d, enum verdict v)
{
	return v == VERDICT_DENY && d->report == NULL;
}

/* What the record and "explain" name first. */
static void
tell_first(const struct decision *d, struct policy_why *why)
{
	const struct policy_finding *f = d->report->refused.first;

	if (f == NULL) {
		return;
	}
	why->rule = f->rule;
	why->status = 403;
	strncpy(why->path, f->path, sizeof(why->path) - 1);
	why->path[sizeof(why->path) - 1] = '\0';
	strncpy(why->message, f->message, sizeof(why->message) - 1);
	why->message[sizeof(why->message) - 1] = '\0';
}

/* see decision.h, and above: the one place where a refusal passes */
enum verdict
decision_settle(struct decision *d, enum verdict v, struct policy_why *why)
{
	if (v != VERDICT_DENY && !d->refused) {
		return v;
	}
	if (d->report == NULL) {
		return VERDICT_DENY;
	}
	tell_first(d, why);
	return v == VERDICT_DENY ? VERDICT_ALLOW : v;
}

void
observe_start(struct decision *d)
{
	d->report = arena_alloc(d->arena, sizeof(*d->report));
	d->list = d->report == NULL ? NULL : &d->report->refused;
}

/* --- the report ----------------------------------------------------------- */

static void
add(struct decision *d, const struct policy_finding *from)
{
	struct policy_findings *list = d->list;
	struct policy_finding *f;
	struct policy_finding **end = &list->first;

	while (*end != NULL) {
		end = &(*end)->next;
	}
	f = list->n < REPORT_MAX ? arena_alloc(d->arena, sizeof(*f)) : NULL;
	if (f == NULL) {
		list->more++;
		return;
	}
	*f = *from;
	f->next = NULL;
	f->path = arena_dup(d->arena, span_of(from->path));
	f->message = arena_dup(d->arena, span_of(from->message));
	f->cut = from->value.len > VALUE_MAX;
	f->value.len = f->cut ? VALUE_MAX : from->value.len;
	if (from->value.p != NULL) {
		f->value.p = arena_dup(d->arena, f->value);
	}
	if (f->path == NULL || f->message == NULL ||
	    (f->value.p == NULL && f->value.len > 0)) {
		list->more++;
		return;
	}
	*end = f;
	list->n++;
}

void
observe_refusal(struct decision *d, enum rule r, const struct policy_why *why)
{
	struct policy_finding f = {
		.rule = why->rule,
		.path = why->path,
		.message = why->message,
		.value = d->about,
		.how = d->how == NULL ? "" : d->how,
	};

	/* What is not there is dockerd's to say. */
	if (d->list != NULL && r != RULE_NOT_FOUND) {
		add(d, &f);
	}
}

void
observe_use(struct decision *d, enum rule r, const char *path,
    struct span value, const char *how)
{
	struct policy_finding f = {
		.rule = rule_name(r),
		.path = path,
		.message = "",
		.value = value,
		.how = how == NULL ? "" : how,
	};

	if (d->bare && d->list != NULL) {
		add(d, &f);
	}
}

static void
from_walk(void *arg, const struct finding *f)
{
	struct decision *d = arg;
	struct policy_why why;

	if (f->what[0] == '\0') {
		observe_use(d, f->rule, f->path, f->value, f->how);
		return;
	}
	d->about = f->value;
	d->how = f->how;
	if (d->holder.p != NULL) {
		(void)decision_refuse(d, &why, f->rule, f->path,
		    "to work with container %s, because it refuses %s",
		    quote(d->holder).s, f->what);
	} else {
		(void)decision_refuse(d, &why, f->rule, f->path, "%s", f->what);
	}
}

void (*observe_walks(const struct decision *d))(
    void *arg, const struct finding *f)
{
	return d->report == NULL ? NULL : from_walk;
}

/* --- what it needs -------------------------------------------------------- */

static const struct role nothing = { .name = "" };

struct decision
observe_bare(const struct decision *d)
{
	struct decision bare = *d;

	bare.role = &nothing;
	bare.bare = true;
	bare.list = &d->report->needs;
	return bare;
}

void
observe_join(struct decision *d, const struct decision *bare)
{
	d->facts = bare->facts;
	d->next = bare->next;
	d->n_facts = bare->n_facts;
}

const struct policy_report *
policy_report(const struct decision *d)
{
	return d->report;
}

bool
policy_passes_unread(const struct decision *d)
{
	return d->role->unconstrained || d->report != NULL;
}
