/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an owned role's request is asked about, and what the gate adds to it;
 * see tenant.h.
 *
 * Lists, prunes and events are narrowed by a label in "filters", which dockerd
 * takes together with all others.  The value is read strictly and written
 * anew, in the one form that every API version reads; a key that is not in
 * the table is refused, and so are "before" and "since", which answer with an
 * error where the name is nobody's and so tell whose it is not.
 *
 * dockerd makes a volume that a container names and nobody has made, without
 * a label.  So the gate makes it first, with one; dockerd answers with the
 * volume that is there, and that tells whose it was: one step, no race.
 *
 * A legacy build takes layers of any build with the same steps, and whoever
 * built them chose their network and hosts: so it takes none, unless it names
 * images of its own to take them from.  Containers of its steps have no
 * label, so they never stay behind.
 *
 * Attackers write filters in dockerd's older form, twice, or with false; name
 * volumes that others will make; build "RUN curl ..." with a host of theirs
 * in place of the real one, for others to find in the cache.
 */
#include "base/jsonw.h"
#include "extra.h"
#include "tenant.h"

#define FILTERS_MAX ((size_t)256 * 1024)

static struct span
query(const struct decision *d, const char *key)
{
	struct span s = { NULL, 0 };

	(void)canon_query(d->req, key, &s);
	return s;
}

static bool
is_op(const struct decision *d, const char *name)
{
	return strcmp(d->req->op->name, name) == 0;
}

/* --- objects -------------------------------------------------------------- */

static enum err
need(struct decision *d, enum fact_kind kind, struct span name, bool subject,
    bool look)
{
	struct fact *f = NULL;
	enum err rc = decision_add(d, kind, name, "", &f);

	if (rc == ERR_OK) {
		f->subject = subject;
		f->look = look;
	}
	return rc;
}

/* A name that a container is to have; dockerd takes "/x" for "x". */
static enum err
need_name(struct decision *d)
{
	struct span name = query(d, "name");

	if (name.len > 0 && name.p[0] == '/') {
		name = span_make(name.p + 1, name.len - 1);
	}
	return name.len == 0 ? ERR_OK : need(d, FACT_NAME, name, false, false);
}

static enum err
need_network(struct decision *d)
{
	struct span name = d->req->object;
	enum err rc =
	    need(d, FACT_NETWORK, name, true, is_op(d, "NetworkConnect"));

	/* Everybody may run on the default network, and leave it. */
	if (rc == ERR_OK && span_is(name, "bridge")) {
		d->facts->own = tenant_how(d->req->op) != OWN_CONNECT;
	}
	return rc;
}

enum err
owned_need_subject(struct decision *d)
{
	struct span object = d->req->object;
	enum err rc;

	switch (tenant_how(d->req->op)) {
	case OWN_CONTAINER:
		rc = need(d, FACT_CONTAINER, object, true,
		    decision_touches(d->req->op));
		return rc == ERR_OK && is_op(d, "ContainerRename")
			   ? need_name(d)
			   : rc;
	case OWN_COMMIT:
		object = query(d, "container");
		return object.len == 0 /* dockerd answers 404 */
			   ? ERR_OK
			   : need(d, FACT_CONTAINER, object, true, true);
	case OWN_EXEC:
		return need(
		    d, FACT_EXEC, object, false, !is_op(d, "ExecInspect"));
	case OWN_NETWORK:
	case OWN_CONNECT:
		return need_network(d);
	case OWN_VOLUME:
		return need(d, FACT_VOLUME, object, false, false);
	case OWN_CREATE:
		return is_op(d, "ContainerCreate") ? need_name(d) : ERR_OK;
	case OWN_NEVER:
	case OWN_FREE:
	case OWN_LIST:
	case OWN_BUILD:
		break;
	}
	return ERR_OK;
}

/* --- volumes that the request makes --------------------------------------- */

/* The mount that names a volume, or NULL. */
static const struct json_node *
mount_of(const struct json_node *root, struct span name)
{
	const struct json_node *list =
	    fields_get(fields_get(root, "HostConfig"), "Mounts");
	const struct json_node *m;

	if (list == NULL || json_type(list) != JSON_ARRAY) {
		return NULL;
	}
	for (m = json_first(list); m != NULL; m = json_next(m)) {
		if (span_is(json_text(fields_get(m, "Type")), "volume") &&
		    span_eq(json_text(fields_get(m, "Source")), name)) {
			return m;
		}
	}
	return NULL;
}

/* What the client's mount says, but for the labels that the role forces. */
static void
put_labels(
    struct jsonw *j, const struct labels *force, const struct json_node *labels)
{
	const struct json_node *e;
	size_t i;

	jsonw_key(j, "Labels");
	jsonw_object(j);
	for (i = 0; i < force->n; i++) {
		jsonw_key(j, force->item[i].key.p);
		jsonw_span(j, force->item[i].value);
	}
	e = labels == NULL || json_type(labels) != JSON_OBJECT
		? NULL
		: json_first(labels);
	for (; e != NULL; e = json_next(e)) {
		if (constraint_forced(force, json_key(e)) == NULL) {
			jsonw_key(j, json_key(e).p);
			jsonw_span(j, json_text(e));
		}
	}
	jsonw_object_end(j);
}

/* VolumeCreate's body, as dockerd would make the volume by itself. */
static enum err
make_body(struct decision *d, struct fact *f, const struct json_node *root)
{
	const struct json_node *options =
	    fields_get(mount_of(root, f->name), "VolumeOptions");
	const struct json_node *config = fields_get(options, "DriverConfig");
	const struct json_node *o = fields_get(config, "Options");
	struct span driver = json_text(fields_get(config, "Name"));
	struct jsonw j;
	struct buf out;
	enum err rc;

	if (driver.len == 0) {
		driver = json_text(
		    fields_get(fields_get(root, "HostConfig"), "VolumeDriver"));
	}
	buf_init(&out, FILTERS_MAX);
	jsonw_init(&j, &out);
	jsonw_object(&j);
	jsonw_kv_span(&j, "Name", f->name);
	jsonw_kv_span(&j, "Driver", driver);
	if (o != NULL && !fields_zero(o)) {
		jsonw_key(&j, "DriverOpts");
		extras_write_raw(&j, o);
	}
	put_labels(
	    &j, &d->role->limits.labels.force, fields_get(options, "Labels"));
	jsonw_object_end(&j);
	rc = j.err;
	if (rc == ERR_OK) {
		f->make = arena_span(d->arena, buf_span(&out));
		rc = f->make.p == NULL ? ERR_NOMEM : ERR_OK;
	}
	buf_fini(&out);
	return rc;
}

static enum err
make_volumes(struct decision *d, const struct json_node *root)
{
	struct fact *f, *holders;
	enum err rc = ERR_OK;

	for (f = d->facts; f != NULL && rc == ERR_OK; f = f->next) {
		if (f->kind != FACT_VOLUME) {
			continue;
		}
		rc = make_body(d, f, root);
		if (rc == ERR_OK && decision_full_id(f->name)) {
			rc = decision_add(
			    d, FACT_HOLDERS, f->name, f->path, &holders);
		}
	}
	return rc;
}

/* The request itself is the question: its answer must not be another's. */
static enum err
make_named_volume(struct decision *d, const struct json_node *root)
{
	struct span name = json_text(fields_get(root, "Name"));
	struct fact *f = NULL;
	enum err rc;

	if (name.len == 0) {
		return ERR_OK;
	}
	rc = decision_add(d, FACT_VOLUME, name, "Name", &f);
	if (rc == ERR_OK) {
		f->make = d->body;
	}
	return rc;
}

enum err
owned_body(struct decision *d, const struct json_node *root)
{
	struct span container;
	struct fact *f = NULL;
	enum err rc;

	if (is_op(d, "ContainerCreate")) {
		return make_volumes(d, root);
	}
	if (is_op(d, "VolumeCreate")) {
		return make_named_volume(d, root);
	}
	if (tenant_how(d->req->op) != OWN_CONNECT) {
		return ERR_OK;
	}
	container = json_text(fields_get(root, "Container"));
	rc = decision_add(d, FACT_CONTAINER, container, "Container", &f);
	if (rc == ERR_OK) {
		f->look = false;
	}
	return rc;
}

/* --- queries -------------------------------------------------------------- */

static enum err
force_pair(struct decision *d, const char *key, struct span value)
{
	if (d->n_forced == DECISION_MAX_FORCED) {
		return ERR_LIMIT;
	}
	d->forced[d->n_forced].key = key;
	d->forced[d->n_forced++].value = value;
	return ERR_OK;
}

#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The filters that dockerd holds together with a label. */
static const struct {
	const char *op;
	const char *const *keys;
} filters[] = {
	{ "ContainerList", KEYS("ancestor", "exited", "expose", "health", "id",
			       "isolation", "is-task", "label", "name",
			       "network", "publish", "status", "volume") },
	{ "ContainerPrune", KEYS("label", "label!", "until") },
	{ "NetworkPrune", KEYS("label", "label!", "until") },
	{ "VolumePrune", KEYS("all", "label", "label!") },
	{ "NetworkList", KEYS("dangling", "driver", "id", "label", "name",
			     "scope", "type") },
	{ "VolumeList", KEYS("dangling", "driver", "label", "name") },
	{ "SystemEvents", KEYS("container", "daemon", "event", "image", "label",
			      "network", "plugin", "scope", "type", "volume") },
};

static bool
is_filter(const struct decision *d, struct span key)
{
	const char *const *k;
	size_t i;

	for (i = 0; i < NELEM(filters); i++) {
		if (!is_op(d, filters[i].op)) {
			continue;
		}
		for (k = filters[i].keys; *k != NULL; k++) {
			if (span_is(key, *k)) {
				return true;
			}
		}
	}
	return false;
}

/* {"v": true} and ["v"]; false is neither yes nor no in dockerd. */
static bool
put_values(struct jsonw *j, const struct json_node *v, struct span but)
{
	const struct json_node *e;
	bool list = json_type(v) == JSON_ARRAY;
	struct span s;

	if (!list && json_type(v) != JSON_OBJECT) {
		return false;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (list ? json_type(e) != JSON_STRING
			 : json_type(e) != JSON_BOOL || !json_bool(e)) {
			return false;
		}
		s = list ? json_string(e) : json_key(e);
		if (but.len == 0 || !span_eq(s, but)) {
			jsonw_kv_bool(j, s.p, true);
		}
	}
	return true;
}

/* root: the client's filters, or NULL. */
static enum verdict
write_filters(struct decision *d, struct jsonw *j, const struct json_node *root,
    struct span own, struct policy_why *why)
{
	const struct json_node *e =
	    root == NULL ? NULL : json_get(root, "label");
	bool good = true;

	jsonw_object(j);
	jsonw_key(j, "label");
	jsonw_object(j);
	jsonw_kv_bool(j, own.p, true);
	good = e == NULL || put_values(j, e, own);
	jsonw_object_end(j);
	for (e = root == NULL ? NULL : json_first(root); e != NULL && good;
	     e = json_next(e)) {
		if (!is_filter(d, json_key(e))) {
			return decision_refuse(d, why, RULE_TENANT, "filters",
			    "the filter %s, which can tell of what others own",
			    quote(json_key(e)).s);
		}
		if (span_is(json_key(e), "label")) {
			continue;
		}
		jsonw_key(j, json_key(e).p);
		jsonw_object(j);
		good = put_values(j, e, span_make(NULL, 0));
		jsonw_object_end(j);
	}
	jsonw_object_end(j);
	return good ? VERDICT_ALLOW
		    : decision_refuse(d, why, RULE_TYPE, "filters",
			  "what is not an object of lists of strings");
}

static enum verdict
rebuild_filters(
    struct decision *d, const struct json_node *root, struct policy_why *why)
{
	char *own = arena_printf(
	    d->arena, "%s=%.*s", TENANT_LABEL, SPAN_ARG(d->tenant));
	struct jsonw j;
	struct buf out;
	enum verdict v;
	enum err rc = own == NULL ? ERR_NOMEM : ERR_OK;
	struct span text = { NULL, 0 };

	if (rc != ERR_OK) {
		return decision_fail(d, why, rc);
	}
	buf_init(&out, FILTERS_MAX);
	jsonw_init(&j, &out);
	v = write_filters(d, &j, root, span_of(own), why);
	rc = j.err;
	if (rc == ERR_OK) {
		text = arena_span(d->arena, buf_span(&out));
		rc =
		    text.p == NULL ? ERR_NOMEM : force_pair(d, "filters", text);
	}
	buf_fini(&out);
	if (v == VERDICT_ALLOW && rc != ERR_OK) {
		return decision_fail(d, why, rc);
	}
	return v;
}

static enum verdict
narrow_list(struct decision *d, struct policy_why *why)
{
	struct span text = query(d, "filters");
	struct json_doc *doc = NULL;
	enum verdict v;

	if (text.len == 0) {
		return rebuild_filters(d, NULL, why);
	}
	if (json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    json_type(json_root(doc)) != JSON_OBJECT) {
		v = decision_refuse(d, why, RULE_TYPE, "filters",
		    "what is not an object in strict JSON");
	} else {
		v = rebuild_filters(d, json_root(doc), why);
	}
	json_free(doc);
	return v;
}

/* Which images a build takes layers from: its own, or none. */
static enum verdict
judge_cache(struct decision *d, bool *any, struct policy_why *why)
{
	struct span text = query(d, "cachefrom");
	enum verdict v = VERDICT_ALLOW;
	struct json_doc *doc = NULL;
	const struct json_node *e;
	char what[256];

	*any = false;
	if (text.len == 0 ||
	    json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    json_type(json_root(doc)) != JSON_ARRAY) {
		json_free(doc);
		return VERDICT_ALLOW; /* none, and so nocache */
	}
	for (e = json_first(json_root(doc)); e != NULL && v == VERDICT_ALLOW;
	     e = json_next(e)) {
		struct image_ref ref = image_ref_any(json_text(e));

		*any = true;
		if (!constraint_image(&d->role->limits, IMAGE_TAG, &ref,
			json_text(e), what, sizeof(what))) {
			v = decision_refuse(d, why, RULE_TENANT, "cachefrom",
			    "layers of %s, which it could not have built",
			    quote(json_text(e)).s);
		}
	}
	json_free(doc);
	return v;
}

static enum verdict
narrow_build(struct decision *d, struct policy_why *why)
{
	struct span mode = query(d, "networkmode");
	enum verdict v;
	enum err rc;
	bool any;

	if (mode.len > 0 && !span_is(mode, "default") &&
	    !span_is(mode, "bridge") && !span_is(mode, "none") &&
	    !span_is(mode, "host")) {
		return decision_refuse(d, why, RULE_TENANT, "networkmode",
		    "builds in the network %s, whose name could be another's "
		    "at the next step (use bridge or none)",
		    quote(mode).s);
	}
	if (query(d, "session").len > 0 || query(d, "buildid").len > 0) {
		return decision_refuse(d, why, RULE_TENANT,
		    query(d, "session").len > 0 ? "session" : "buildid",
		    "builds of a session, which could be another's");
	}
	v = judge_cache(d, &any, why);
	if (v != VERDICT_ALLOW) {
		return v;
	}
	rc = any ? ERR_OK : force_pair(d, "nocache", span_of("1"));
	if (rc == ERR_OK) {
		rc = force_pair(d, "rm", span_of("1"));
	}
	if (rc == ERR_OK) {
		rc = force_pair(d, "forcerm", span_of("1"));
	}
	return rc == ERR_OK ? v : decision_fail(d, why, rc);
}

enum verdict
owned_query(struct decision *d, struct policy_why *why)
{
	switch (tenant_how(d->req->op)) {
	case OWN_LIST:
		return narrow_list(d, why);
	case OWN_BUILD:
		return narrow_build(d, why);
	default:
		return VERDICT_ALLOW;
	}
}
