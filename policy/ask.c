/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dockerd is asked before a request is decided; see decision.h, and
 * facts.c for what becomes of the answers.
 *
 * Each thing is asked about once, whoever names it, in the order found.  What
 * changes something (a tenant's volume that must be made before it is used)
 * comes last, when all that only looks has been allowed: a request that is
 * refused leaves nothing behind.
 *
 * Attackers name more than the gate would ever finish asking about, and write
 * names that are paths.
 */
#include <stdio.h>

#include "decision.h"
#include "tenant.h"

/* --- collecting ---------------------------------------------------------- */

const struct fact *
decision_fact(const struct decision *d, enum fact_kind kind, struct span name)
{
	const struct fact *f;

	for (f = d->facts; f != NULL; f = f->next) {
		if (f->kind == kind && span_eq(f->name, name)) {
			return f;
		}
	}
	return NULL;
}

static struct fact *
new_fact(
    struct decision *d, enum fact_kind kind, struct span name, const char *path)
{
	struct fact *f = arena_alloc(d->arena, sizeof(*f));
	struct span kept = arena_span(d->arena, name);

	if (f == NULL || kept.p == NULL) {
		return NULL;
	}
	f->kind = kind;
	f->name = kept;
	f->own = d->role->owned;
	f->look = true;
	f->path = arena_dup(d->arena, span_of(path));
	return f->path == NULL ? NULL : f;
}

enum err
decision_add(struct decision *d, enum fact_kind kind, struct span name,
    const char *path, struct fact **out)
{
	struct fact **end = &d->facts;

	for (; *end != NULL; end = &(*end)->next) {
		if ((*end)->kind == kind && span_eq((*end)->name, name)) {
			*out = *end;
			return ERR_OK;
		}
	}
	if (d->n_facts == DECISION_MAX_FACTS) {
		return ERR_LIMIT;
	}
	*out = *end = new_fact(d, kind, name, path);
	if (*out == NULL) {
		return ERR_NOMEM;
	}
	d->n_facts++;
	return ERR_OK;
}

enum err
decision_need(
    struct decision *d, enum fact_kind kind, struct span name, const char *path)
{
	struct fact *f;

	return decision_add(d, kind, name, path, &f);
}

/* see decision.h */
bool
decision_free(const struct decision *d, enum fact_kind kind)
{
	uint64_t may = d->role->may;

	switch (kind) {
	case FACT_VOLUME:
		return (may & RULE_BIT(RULE_HOST_PATHS)) &&
		       (may & RULE_BIT(RULE_VOLUME_DRIVER));
	case FACT_NETWORK:
	case FACT_SWARM_NETWORK:
	case FACT_CONTAINER: /* that is joined */
		return !d->role->limits.networks.modes.set &&
		       (may & RULE_BIT(RULE_HOST_NAMESPACES));
	default:
		return false;
	}
}

enum err
decision_walk_need(
    void *arg, enum fact_kind kind, struct span name, const char *path)
{
	struct decision *d = arg;

	if (!d->role->owned && decision_free(d, kind)) {
		return ERR_OK;
	}
	return decision_need(d, kind, name, path);
}

/* --- asking --------------------------------------------------------------- */

static const struct {
	const char *before;
	const char *after;
} targets[] = {
	[FACT_NONE] = { "", "" },
	[FACT_CONTAINER] = { "/containers/", "/json" },
	[FACT_EXEC] = { "/exec/", "/json" },
	[FACT_VOLUME] = { "/volumes/", "" },
	[FACT_NETWORK] = { "/networks/", "" },
	[FACT_SWARM_NETWORK] = { "/networks/", "?scope=swarm" },
	[FACT_HOLDERS] = { "", "" }, /* write_holders() */
	[FACT_NAME] = { "/containers/", "/json" },
};

/* The list of a tenant's containers that have a volume. */
static enum err
write_holders(const struct decision *d, const struct fact *f, struct buf *out)
{
	struct query_pair pair = { span_of("filters"), { NULL, 0 } };
	char text[256];

	snprintf(text, sizeof(text),
	    "{\"volume\":{\"%.*s\":true},\"label\":{\"%s=%.*s\":true}}",
	    (int)(f->name.len > 64 ? 64 : f->name.len), f->name.p, TENANT_LABEL,
	    SPAN_ARG(d->tenant));
	pair.value = span_of(text);
	if (buf_append_str(out, "/containers/json?all=1") != ERR_OK) {
		return ERR_NOMEM;
	}
	return canon_write_query(&pair, false, out);
}

/* Names come decoded; "." and ".." would be another path. */
static enum err
write_fact_target(
    const struct decision *d, const struct fact *f, struct buf *out)
{
	enum err rc;

	if (f->kind == FACT_HOLDERS) {
		return write_holders(d, f, out);
	}
	if (f->make.len > 0) {
		return buf_append_str(out, "/volumes/create");
	}
	if (f->name.len == 0 || span_is(f->name, ".") ||
	    span_is(f->name, "..") ||
	    memchr(f->name.p, '/', f->name.len) != NULL) {
		return ERR_TARGET;
	}
	rc = buf_append_str(out, targets[f->kind].before);
	if (rc == ERR_OK) {
		rc = canon_write_path(f->name, out);
	}
	if (rc == ERR_OK) {
		rc = buf_append_str(out, targets[f->kind].after);
	}
	return rc;
}

/* What changes something comes when all else has been allowed. */
static struct fact *
pick(const struct decision *d, bool make)
{
	struct fact *f = d->facts;

	while (f != NULL && (f->asked || (f->make.len > 0) != make)) {
		f = f->next;
	}
	return f;
}

/* dockerd's own version is asked, whatever the client speaks. */
static enum verdict
ask_one(struct decision *d, struct policy_why *why)
{
	struct buf b;
	enum err rc;

	d->next = pick(d, false);
	if (d->next == NULL) {
		d->next = pick(d, true);
	}
	if (d->next == NULL) {
		return resolve_body(d, why);
	}
	buf_init(&b, (size_t)256 * 1024);
	rc = write_fact_target(d, d->next, &b);
	if (rc == ERR_OK) {
		d->target = arena_span(d->arena, buf_span(&b));
		rc = d->target.p == NULL ? ERR_NOMEM : ERR_OK;
	}
	buf_fini(&b);
	if (rc == ERR_TARGET) {
		return decision_refuse(d, why, RULE_FACT, d->next->path,
		    "%s, which is no name", quote(d->next->name).s);
	}
	return rc == ERR_OK ? VERDICT_NEED_FACT : decision_fail(d, why, rc);
}

enum verdict
decision_next(struct decision *d, struct policy_why *why)
{
	enum verdict v = ask_one(d, why);

	while (v == VERDICT_DENY && !decision_ends(d, v) && d->next != NULL) {
		d->next->asked = true; /* or not at all */
		v = ask_one(d, why);
	}
	return v;
}

struct span
policy_next_fact(const struct decision *d)
{
	return d->target;
}

struct span
policy_fact_body(const struct decision *d)
{
	return d->next == NULL ? span_make(NULL, 0) : d->next->make;
}
