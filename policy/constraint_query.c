/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What constraints demand of a request's path and query; see decision.h.
 *
 * Pulls, pushes, tags and legacy builds say in the query what a container's
 * body says.  Keys are unique by now, or read in all their values by dockerd
 * too (query.c), so canon_query() is what dockerd reads.
 *
 * Rejected: judging what a BuildKit session asks for by the query that
 * announces it; dockerd does not read it there.
 *
 * Attackers split a name over two keys (fromImage, tag), put a digest where a
 * tag belongs, leave the tag out and so ask for all of them, or import an
 * archive under the name of an image that others trust.
 */
#include "decision.h"
#include "judge.h"

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

/* --- images --------------------------------------------------------------- */

static enum verdict
check_ref(struct decision *d, enum image_use use, const struct image_ref *ref,
    struct span written, const char *path, struct policy_why *why)
{
	char what[256];

	if (ref->kind != IMAGE_REF_BAD) {
		observe_use(d, RULE_IMAGES, path, span_of(ref->text),
		    constraint_image_use(use));
	}
	decision_about(d, span_of(ref->text));
	if (constraint_image(
		&d->role->limits, use, ref, written, what, sizeof(what))) {
		decision_about(d, span_make(NULL, 0));
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_IMAGES, path, "%s", what);
}

/* A name and perhaps a tag beside it. */
static enum verdict
check_joined(struct decision *d, enum image_use use, struct span name,
    const char *path, struct policy_why *why)
{
	struct image_ref ref = image_ref_join(name, query(d, "tag"));

	return check_ref(d, use, &ref, name, path, why);
}

/* A tag that is not named is "latest" here, not all of them. */
static enum verdict
check_target(struct decision *d, struct span name, struct span tag,
    const char *path, struct policy_why *why)
{
	struct image_ref ref = image_ref_join(name, tag);

	if (ref.kind == IMAGE_REF_ALL) {
		ref = image_ref_join(name, span_of("latest"));
	}
	return check_ref(d, IMAGE_TAG, &ref, name, path, why);
}

static enum verdict
query_image_create(struct decision *d, struct policy_why *why)
{
	struct span from = query(d, "fromImage");
	struct span repo = query(d, "repo");

	if (from.len > 0) {
		return check_joined(d, IMAGE_PULL, from, "fromImage", why);
	}
	/* An import without a name has only an id. */
	return repo.len == 0
		   ? VERDICT_ALLOW
		   : check_target(d, repo, query(d, "tag"), "repo", why);
}

static enum verdict
query_image_push(struct decision *d, struct policy_why *why)
{
	return check_joined(d, IMAGE_PUSH, d->req->object, "", why);
}

static enum verdict
query_repo(struct decision *d, struct policy_why *why)
{
	struct span repo = query(d, "repo");

	if (repo.len == 0 && is_op(d, "ImageCommit")) {
		return VERDICT_ALLOW;
	}
	return check_target(d, repo, query(d, "tag"), "repo", why);
}

static enum verdict
query_image_delete(struct decision *d, struct policy_why *why)
{
	struct image_ref ref = image_ref_any(d->req->object);

	return check_ref(d, IMAGE_REMOVE, &ref, d->req->object, "", why);
}

static enum verdict
query_distribution(struct decision *d, struct policy_why *why)
{
	struct image_ref ref = image_ref_any(d->req->object);

	return check_ref(d, IMAGE_PULL, &ref, d->req->object, "", why);
}

static enum verdict
query_build_tags(struct decision *d, struct policy_why *why)
{
	enum verdict v = VERDICT_ALLOW;
	size_t i;

	for (i = 0; !decision_ends(d, v) && i < d->req->n_query; i++) {
		const struct query_pair *q = &d->req->query[i];

		if (span_is(q->key, "t") && q->value.len > 0) {
			v = check_target(
			    d, q->value, span_make(NULL, 0), "t", why);
		}
	}
	return v;
}

/* A list in JSON: images whose layers the build may take. */
static enum verdict
query_cache_from(struct decision *d, struct policy_why *why)
{
	struct span text = query(d, "cachefrom");
	enum verdict v = VERDICT_ALLOW;
	struct json_doc *doc = NULL;
	const struct json_node *e;
	struct image_ref ref;

	if (text.len == 0) {
		return VERDICT_ALLOW;
	}
	if (json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    (json_type(json_root(doc)) != JSON_ARRAY &&
		json_type(json_root(doc)) != JSON_NULL)) {
		json_free(doc);
		return decision_refuse(d, why, RULE_TYPE, "cachefrom",
		    "what is not a list of strings");
	}
	for (e = json_first(json_root(doc)); e != NULL && !decision_ends(d, v);
	     e = json_next(e)) {
		struct span s = span_of("");

		if (json_type(e) == JSON_STRING) {
			s = json_string(e);
		}
		ref = image_ref_any(s);
		v = check_ref(d, IMAGE_PULL, &ref, s, "cachefrom", why);
	}
	json_free(doc);
	return v;
}

/* Plugins lie in registries as images do. */
static enum verdict
query_plugin(struct decision *d, struct policy_why *why)
{
	struct span remote = query(d, "remote");
	struct image_ref ref = image_ref_any(remote);

	return check_ref(d, IMAGE_PULL, &ref, remote, "remote", why);
}

static enum verdict
query_plugin_push(struct decision *d, struct policy_why *why)
{
	struct image_ref ref = image_ref_any(d->req->object);

	return check_ref(d, IMAGE_PUSH, &ref, d->req->object, "", why);
}

/* --- volumes -------------------------------------------------------------- */

static enum verdict
query_volume(struct decision *d, struct policy_why *why)
{
	const struct constraints *c = &d->role->limits;

	if (constraint_volume_name(c, d->req->object)) {
		return VERDICT_ALLOW;
	}
	decision_about(d, d->req->object);
	return decision_refuse(d, why, RULE_VOLUMES, "",
	    "the volume %s (allowed: %s)", quote(d->req->object).s,
	    words_show(&c->volumes.names).s);
}

/* --- networks ------------------------------------------------------------- */

/* Namespaces of others are the rule's; networks are asked about (query.c). */
static enum verdict
query_build_network(struct decision *d, struct policy_why *why)
{
	const struct constraints *c = &d->role->limits;
	struct span mode = query(d, "networkmode");

	if (mode.len == 0 || span_is(mode, "default")) {
		mode = span_of("bridge");
	}
	if (judge_is_foreign_network(mode)) {
		return VERDICT_ALLOW;
	}
	observe_use(d, RULE_NETWORKS, "networkmode", mode, NULL);
	if (!c->networks.modes.set) {
		return VERDICT_ALLOW;
	}
	if ((!span_is(mode, "bridge") && !span_is(mode, "none")) ||
	    constraint_network(c, mode)) {
		return VERDICT_ALLOW;
	}
	decision_about(d, mode);
	return decision_refuse(d, why, RULE_NETWORKS, "networkmode",
	    "the network %s (allowed: %s)", quote(mode).s,
	    words_show(&c->networks.modes).s);
}

/* --- ulimits -------------------------------------------------------------- */

/* Go takes "hard" for "Hard", and the last: so the three names, once each. */
static bool
is_ulimit(const struct json_node *e)
{
	return json_type(e) == JSON_OBJECT && json_count(e) == 3 &&
	       json_get(e, "Name") != NULL && json_get(e, "Hard") != NULL &&
	       json_get(e, "Soft") != NULL;
}

static enum verdict
judge_each_ulimit(
    struct decision *d, const struct json_node *list, struct policy_why *why)
{
	const struct json_node *e;
	char what[200];

	for (e = json_first(list); e != NULL; e = json_next(e)) {
		if (!is_ulimit(e)) {
			return decision_refuse(d, why, RULE_TYPE, "ulimits",
			    "what is not an object of Name, Hard and Soft");
		}
		if (!constraint_ulimit(
			&d->role->limits.ulimits, e, what, sizeof(what))) {
			return decision_refuse(
			    d, why, RULE_ULIMITS, "ulimits", "%s", what);
		}
	}
	return VERDICT_ALLOW;
}

static enum verdict
query_ulimits(struct decision *d, struct policy_why *why)
{
	struct span text = query(d, "ulimits");
	struct json_doc *doc = NULL;
	enum verdict v;

	if (!d->role->limits.ulimits.set || text.len == 0) {
		return VERDICT_ALLOW;
	}
	if (json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    (json_type(json_root(doc)) != JSON_ARRAY &&
		json_type(json_root(doc)) != JSON_NULL)) {
		v = decision_refuse(
		    d, why, RULE_TYPE, "ulimits", "what is not a list");
	} else {
		v = judge_each_ulimit(d, json_root(doc), why);
	}
	json_free(doc);
	return v;
}

/* --- operations ----------------------------------------------------------- */

static const struct {
	const char *op;
	enum verdict (*check)(struct decision *d, struct policy_why *why);
} checks[] = {
	{ "ImageCreate", query_image_create },
	{ "ImagePush", query_image_push },
	{ "ImageTag", query_repo },
	{ "ImageDelete", query_image_delete },
	{ "ImageCommit", query_repo },
	{ "DistributionInspect", query_distribution },
	{ "ImageBuild", query_build_tags },
	{ "ImageBuild", query_cache_from },
	{ "ImageBuild", constraint_build_resources },
	{ "ImageBuild", query_build_network },
	{ "ImageBuild", query_ulimits },
	{ "ImageBuild", constraint_build_args },
	{ "ContainerCreate", constraint_label_body },
	{ "NetworkCreate", constraint_label_body },
	{ "VolumeCreate", constraint_label_body },
	{ "ContainerAttach", constraint_attach },
	{ "ContainerAttachWebsocket", constraint_attach },
	{ "VolumeDelete", query_volume },
	{ "VolumeUpdate", query_volume },
	{ "ServiceCreate", constraint_label_body },
	{ "ServiceUpdate", constraint_label_body },
	{ "SecretCreate", constraint_label_body },
	{ "SecretUpdate", constraint_label_body },
	{ "ConfigCreate", constraint_label_body },
	{ "ConfigUpdate", constraint_label_body },
	{ "GetPluginPrivileges", query_plugin },
	{ "PluginPull", query_plugin },
	{ "PluginUpgrade", query_plugin },
	{ "PluginPush", query_plugin_push },
};

enum verdict
constraint_query(struct decision *d, struct policy_why *why)
{
	enum verdict v = VERDICT_ALLOW;
	size_t i;

	for (i = 0; i < NELEM(checks) && !decision_ends(d, v); i++) {
		if (is_op(d, checks[i].op)) {
			v = checks[i].check(d, why);
		}
	}
	return v;
}
