/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in a judged body become what dockerd told of them; see tenant.h.
 *
 * dockerd resolves a name when it carries the request out, and again when the
 * container starts: a name that was judged may be another's by then.  So the
 * body that goes on names containers and networks by their full ids, which
 * are never used again.  An endpoint keeps its network's name as its key, as
 * inspect and compose expect, and has the id in NetworkID, which dockerd takes
 * over the name (moby daemon/container_operations.go getNetworkID) at every
 * start.  What a tenant's container is marked with is written here too.
 *
 * The body is the one that the walk wrote, in dockerd's spelling, so members
 * are found by their exact names.
 *
 * Attackers delete and make networks and containers in a loop while somebody
 * else makes some of the same name.
 */
#include <stdio.h>

#include "base/jsonw.h"
#include "extra.h"
#include "judge.h"
#include "tenant.h"

#define RESOLVED_MAX ((size_t)33 * 1024 * 1024)

struct resolve {
	struct decision *d;
	struct jsonw *j;
	bool twice;		 /* one network under two names */
	const struct fact *mode; /* the network of NetworkMode, or NULL */
};

/* Who writes a member; v: NULL where the body has none. */
struct edit {
	const char *name;
	void (*write)(
	    struct resolve *r, const char *name, const struct json_node *v);
};

static void
raw(struct resolve *r, const char *name, const struct json_node *v)
{
	if (v != NULL) {
		jsonw_key(r->j, name);
		extras_write_raw(r->j, v);
	}
}

/* An object (NULL and null: an empty one) with some of its members edited. */
static void
copy(struct resolve *r, const struct edit *edit, size_t n,
    const struct json_node *v)
{
	const struct json_node *m;
	uint32_t seen = 0;
	size_t i;

	jsonw_object(r->j);
	m = v == NULL || json_type(v) != JSON_OBJECT ? NULL : json_first(v);
	for (; m != NULL; m = json_next(m)) {
		for (i = 0; i < n && !span_is(json_key(m), edit[i].name);) {
			i++;
		}
		if (i < n) {
			seen |= (uint32_t)1 << i;
			edit[i].write(r, edit[i].name, m);
		} else {
			raw(r, json_key(m).p, m);
		}
	}
	for (i = 0; i < n; i++) {
		if ((seen >> i & 1) == 0) {
			edit[i].write(r, edit[i].name, NULL);
		}
	}
	jsonw_object_end(r->j);
}

static const struct fact *
told(const struct resolve *r, enum fact_kind kind, struct span name)
{
	const struct fact *f =
	    name.len == 0 ? NULL : decision_fact(r->d, kind, name);

	return f == NULL || f->id.len == 0 ? NULL : f;
}

/* Did dockerd tell the id of any such? */
static bool
told_any(const struct decision *d, enum fact_kind kind)
{
	const struct fact *f = d->facts;

	while (f != NULL && (f->kind != kind || f->id.len == 0)) {
		f = f->next;
	}
	return f != NULL;
}

/* --- containers ----------------------------------------------------------- */

static void
edit_mode(struct resolve *r, const char *name, const struct json_node *v)
{
	struct span s = json_text(v), x = { NULL, 0 };
	const struct fact *f = NULL;
	char text[80];

	if (judge_names_container(s, &x)) {
		f = told(r, FACT_CONTAINER, x);
	}
	if (f == NULL) {
		raw(r, name, v);
		return;
	}
	snprintf(text, sizeof(text), "container:%.*s", SPAN_ARG(f->id));
	jsonw_kv_str(r->j, name, text);
}

static void
edit_network_mode(
    struct resolve *r, const char *name, const struct json_node *v)
{
	if (r->mode == NULL || span_eq(json_text(v), r->mode->real)) {
		edit_mode(r, name, v);
	} else {
		jsonw_kv_span(r->j, name, r->mode->id);
	}
}

static void
edit_id_file(struct resolve *r, const char *name, const struct json_node *v)
{
	char text[sizeof(TENANT_MARK) + TENANT_MAX];

	if (!r->d->role->owned) {
		raw(r, name, v);
		return;
	}
	snprintf(
	    text, sizeof(text), "%s%.*s", TENANT_MARK, SPAN_ARG(r->d->tenant));
	jsonw_kv_str(r->j, name, text);
}

static void
edit_host_config(struct resolve *r, const char *name, const struct json_node *v)
{
	static const struct edit edits[] = {
		{ "ContainerIDFile", edit_id_file },
		{ "NetworkMode", edit_network_mode },
		{ "PidMode", edit_mode },
		{ "IpcMode", edit_mode },
	};

	jsonw_key(r->j, name);
	copy(r, edits, NELEM(edits), v);
}

/* --- networks ------------------------------------------------------------- */

static void
drop(struct resolve *r, const char *name, const struct json_node *v)
{
	(void)r;
	(void)name;
	(void)v;
}

/* An endpoint of the network id; empty: of a default one, by its name. */
static void
write_endpoint(struct resolve *r, struct span id, const struct json_node *v)
{
	static const struct edit edits[] = { { "NetworkID", drop } };
	const struct json_node *m;

	if (id.len == 0) {
		copy(r, edits, NELEM(edits), v);
		return;
	}
	jsonw_object(r->j);
	jsonw_kv_span(r->j, "NetworkID", id);
	m = v == NULL || json_type(v) != JSON_OBJECT ? NULL : json_first(v);
	for (; m != NULL; m = json_next(m)) {
		if (!span_is(json_key(m), "NetworkID")) {
			raw(r, json_key(m).p, m);
		}
	}
	jsonw_object_end(r->j);
}

/* Do two of the keys mean one network? */
static bool
comes_again(struct resolve *r, const struct fact *f, const struct json_node *m)
{
	const struct json_node *later;
	const struct fact *other;

	for (later = json_next(m); later != NULL; later = json_next(later)) {
		other = told(r, FACT_NETWORK, json_key(later));
		if (other != NULL && span_eq(other->id, f->id)) {
			return true;
		}
	}
	return false;
}

static void
edit_endpoints(struct resolve *r, const char *name, const struct json_node *v)
{
	const struct json_node *m =
	    v == NULL || json_type(v) != JSON_OBJECT ? NULL : json_first(v);
	const struct fact *f;

	jsonw_key(r->j, name);
	jsonw_object(r->j);
	if (m == NULL && r->mode != NULL) {
		jsonw_key(r->j, r->mode->real.p);
		write_endpoint(r, r->mode->id, NULL);
	}
	for (; m != NULL; m = json_next(m)) {
		f = told(r, FACT_NETWORK, json_key(m));
		r->twice = r->twice || (f != NULL && comes_again(r, f, m));
		jsonw_key(r->j, f == NULL ? json_key(m).p : f->real.p);
		write_endpoint(r, f == NULL ? span_make(NULL, 0) : f->id, m);
	}
	jsonw_object_end(r->j);
}

static void
edit_networking(struct resolve *r, const char *name, const struct json_node *v)
{
	static const struct edit edits[] = {
		{ "EndpointsConfig", edit_endpoints },
	};

	if (!r->d->role->owned && !told_any(r->d, FACT_NETWORK)) {
		raw(r, name, v);
		return;
	}
	jsonw_key(r->j, name);
	copy(r, edits, NELEM(edits), v);
}

static void
edit_container(struct resolve *r, const char *name, const struct json_node *v)
{
	const struct fact *f = told(r, FACT_CONTAINER, json_text(v));

	if (f == NULL) {
		raw(r, name, v);
	} else {
		jsonw_kv_span(r->j, name, f->id);
	}
}

static void
edit_endpoint(struct resolve *r, const char *name, const struct json_node *v)
{
	bool mine = !span_is(r->d->req->object, "bridge");

	jsonw_key(r->j, name);
	write_endpoint(r, mine ? r->d->id : span_make(NULL, 0), v);
}

/* A service's networks, which dockerd keeps by their ids as well. */
static void
edit_target(struct resolve *r, const char *name, const struct json_node *v)
{
	const struct fact *f = told(r, FACT_SWARM_NETWORK, json_text(v));

	if (f == NULL) {
		raw(r, name, v);
	} else {
		jsonw_kv_span(r->j, name, f->id);
	}
}

static void
edit_targets(struct resolve *r, const char *name, const struct json_node *v)
{
	static const struct edit edits[] = { { "Target", edit_target } };
	const struct json_node *e;

	if (v == NULL || json_type(v) != JSON_ARRAY) {
		raw(r, name, v);
		return;
	}
	jsonw_key(r->j, name);
	jsonw_array(r->j);
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		copy(r, edits, NELEM(edits), e);
	}
	jsonw_array_end(r->j);
}

static void
edit_task(struct resolve *r, const char *name, const struct json_node *v)
{
	static const struct edit edits[] = { { "Networks", edit_targets } };

	if (v == NULL || json_type(v) != JSON_OBJECT) {
		raw(r, name, v);
		return;
	}
	jsonw_key(r->j, name);
	copy(r, edits, NELEM(edits), v);
}

/* Or dockerd 20.10 makes a second one and tells the first one's id. */
static void
edit_check_duplicate(
    struct resolve *r, const char *name, const struct json_node *v)
{
	(void)v;
	jsonw_kv_bool(r->j, name, true);
}

/* --- operations ----------------------------------------------------------- */

static const struct edit edits_create[] = {
	{ "HostConfig", edit_host_config },
	{ "NetworkingConfig", edit_networking },
};
static const struct edit edits_connect[] = {
	{ "Container", edit_container },
	{ "EndpointConfig", edit_endpoint },
};
static const struct edit edits_disconnect[] = {
	{ "Container", edit_container },
};
static const struct edit edits_network[] = {
	{ "CheckDuplicate", edit_check_duplicate },
};
static const struct edit edits_service[] = {
	{ "Networks", edit_targets },
	{ "TaskTemplate", edit_task },
};

static const struct {
	const char *op;
	const struct edit *edit;
	size_t n;
} table[] = {
	{ "ContainerCreate", edits_create, NELEM(edits_create) },
	{ "NetworkConnect", edits_connect, NELEM(edits_connect) },
	{ "NetworkDisconnect", edits_disconnect, NELEM(edits_disconnect) },
	{ "NetworkCreate", edits_network, NELEM(edits_network) },
	{ "ServiceCreate", edits_service, NELEM(edits_service) },
	{ "ServiceUpdate", edits_service, NELEM(edits_service) },
};

/*
 * Other roles' names stay but where a container is made: a network's name can
 * be the beginning of another's id, which the name hides until it is gone.
 */
static bool
needs_it(const struct decision *d)
{
	return d->body.len > 0 &&
	       (d->role->owned || told_any(d, FACT_SWARM_NETWORK) ||
		   ((told_any(d, FACT_CONTAINER) ||
			told_any(d, FACT_NETWORK)) &&
		       strcmp(d->req->op->name, "ContainerCreate") == 0));
}

static enum verdict
write_resolved(struct decision *d, size_t row, const struct json_node *root,
    struct policy_why *why)
{
	struct resolve r = { .d = d };
	struct jsonw j;
	struct buf out;
	enum err rc;

	if (json_type(root) != JSON_OBJECT) {
		return VERDICT_ALLOW; /* null, which dockerd refuses */
	}
	r.mode = told(&r, FACT_NETWORK,
	    json_text(
		fields_get(fields_get(root, "HostConfig"), "NetworkMode")));
	buf_init(&out, RESOLVED_MAX);
	jsonw_init(&j, &out);
	r.j = &j;
	copy(&r, table[row].edit, table[row].n, root);
	rc = j.err;
	if (rc == ERR_OK) {
		d->body = arena_span(d->arena, buf_span(&out));
		rc = d->body.p == NULL ? ERR_NOMEM : ERR_OK;
	}
	buf_fini(&out);
	if (rc == ERR_OK && r.twice) {
		return decision_refuse(d, why,
		    d->role->owned ? RULE_TENANT : RULE_DUPLICATE_FIELD,
		    "NetworkingConfig.EndpointsConfig",
		    "one network under two names");
	}
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

enum verdict
resolve_body(struct decision *d, struct policy_why *why)
{
	struct json_doc *doc = NULL;
	enum verdict v;
	size_t i;

	for (i = 0;
	     i < NELEM(table) && strcmp(table[i].op, d->req->op->name) != 0;) {
		i++;
	}
	if (i == NELEM(table) || !needs_it(d)) {
		return VERDICT_ALLOW;
	}
	if (json_parse(d->body, JSON_STRICT, &doc, NULL) != ERR_OK) {
		return decision_fail(d, why, ERR_NOMEM);
	}
	v = write_resolved(d, i, json_root(doc), why);
	json_free(doc);
	return v;
}
