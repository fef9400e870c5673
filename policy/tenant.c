/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenants: clients that share a host and not their objects; see tenant.h and
 * docs/policy.md.
 *
 * What a tenant makes carries the label dinv.tenant, which the gate writes
 * into the body, and every object that a request names is asked about first
 * and must carry it.  A container inherits labels from its image, and whoever
 * builds an image chooses those: so a container is marked a second time, in
 * HostConfig.ContainerIDFile.  dockerd keeps this text, shows it and reads it
 * nowhere; only the body of a create can set it, which no image is.
 *
 * One table says of every operation how it is held to ownership.  One that is
 * missing there is refused: a new operation cannot be forgotten.
 *
 * Rejected: remembering in the gate who made what (lost at a restart, blind to
 * restarts of dockerd); prefixes of names (compose and people choose names).
 *
 * Attackers name others' objects by name, id, prefix and exec; label an image
 * so that somebody else's container becomes theirs; ask for a certificate
 * with two units.
 */
#include "tenant.h"

#include <stdio.h>

#include "judge.h"
#include "ops.h"

/* --- operations ----------------------------------------------------------- */

static const struct {
	const char *op;
	enum own_how how;
} table[] = {
	{ "ContainerList", OWN_LIST },
	{ "ContainerCreate", OWN_CREATE },
	{ "ContainerInspect", OWN_CONTAINER },
	{ "ContainerTop", OWN_CONTAINER },
	{ "ContainerLogs", OWN_CONTAINER },
	{ "ContainerChanges", OWN_CONTAINER },
	{ "ContainerExport", OWN_CONTAINER },
	{ "ContainerStats", OWN_CONTAINER },
	{ "ContainerResize", OWN_CONTAINER },
	{ "ContainerStart", OWN_CONTAINER },
	{ "ContainerStop", OWN_CONTAINER },
	{ "ContainerRestart", OWN_CONTAINER },
	{ "ContainerKill", OWN_CONTAINER },
	{ "ContainerUpdate", OWN_CONTAINER },
	{ "ContainerRename", OWN_CONTAINER },
	{ "ContainerPause", OWN_CONTAINER },
	{ "ContainerUnpause", OWN_CONTAINER },
	{ "ContainerAttach", OWN_CONTAINER },
	{ "ContainerAttachWebsocket", OWN_CONTAINER },
	{ "ContainerWait", OWN_CONTAINER },
	{ "ContainerDelete", OWN_CONTAINER },
	{ "ContainerArchiveInfo", OWN_CONTAINER },
	{ "ContainerArchive", OWN_CONTAINER },
	{ "PutContainerArchive", OWN_CONTAINER },
	{ "ContainerPrune", OWN_LIST },
	{ "ContainerExec", OWN_CONTAINER },
	{ "ExecStart", OWN_EXEC },
	{ "ExecResize", OWN_EXEC },
	{ "ExecInspect", OWN_EXEC },
	/* Images are shared; their names are held to "images". */
	{ "ImageList", OWN_FREE },
	{ "ImageInspect", OWN_FREE },
	{ "ImageAttestations", OWN_FREE },
	{ "ImageHistory", OWN_FREE },
	{ "ImageCreate", OWN_FREE },
	{ "ImagePush", OWN_FREE },
	{ "ImageTag", OWN_FREE },
	{ "ImageDelete", OWN_FREE },
	{ "ImageSearch", OWN_FREE },
	{ "ImageGet", OWN_FREE },
	{ "ImageGetAll", OWN_FREE },
	{ "ImageLoad", OWN_FREE },
	{ "ImageCommit", OWN_COMMIT },
	{ "DistributionInspect", OWN_FREE },
	{ "ImageBuild", OWN_BUILD },
	{ "SystemAuth", OWN_FREE },
	{ "SystemInfo", OWN_FREE },
	{ "SystemVersion", OWN_FREE },
	{ "SystemPing", OWN_FREE },
	{ "SystemPingHead", OWN_FREE },
	{ "CertificateRenew", OWN_FREE }, /* its own */
	{ "SystemEvents", OWN_LIST },
	{ "VolumeList", OWN_LIST },
	{ "VolumeCreate", OWN_CREATE },
	{ "VolumeInspect", OWN_VOLUME },
	{ "VolumeUpdate", OWN_VOLUME },
	{ "VolumeDelete", OWN_VOLUME },
	{ "VolumePrune", OWN_LIST },
	{ "NetworkList", OWN_LIST },
	{ "NetworkInspect", OWN_NETWORK },
	{ "NetworkDelete", OWN_NETWORK },
	{ "NetworkCreate", OWN_CREATE },
	{ "NetworkConnect", OWN_CONNECT },
	{ "NetworkDisconnect", OWN_CONNECT },
	{ "NetworkPrune", OWN_LIST },
};

enum own_how
tenant_how(const struct op *op)
{
	size_t i;

	for (i = 0; i < NELEM(table); i++) {
		if (strcmp(table[i].op, op->name) == 0) {
			return table[i].how;
		}
	}
	return OWN_NEVER;
}

/* --- whose client it is --------------------------------------------------- */

bool
tenant_is_template(struct span s)
{
	return span_is(s, "{cn}") || span_is(s, "{ou}") || span_is(s, "{o}");
}

bool
tenant_is_name(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '_' && c != '.' &&
		    c != '-') {
			return false;
		}
	}
	return s.len > 0 && s.len <= TENANT_MAX;
}

static struct span
only_one(const struct principal_names *names)
{
	return names->n == 1 ? names->name[0] : span_make(NULL, 0);
}

/* Empty where the principal does not say one thing. */
static struct span
tenant_of(const struct client *c, const struct principal *who)
{
	if (!tenant_is_template(c->tenant)) {
		return c->tenant;
	}
	if (who->kind != PRINCIPAL_CERT) {
		return span_make(NULL, 0);
	}
	if (span_is(c->tenant, "{cn}")) {
		return who->cn;
	}
	return only_one(span_is(c->tenant, "{ou}") ? &who->ou : &who->o);
}

/* Its own labels, and ours as the last. */
static bool
force_label(struct decision *d, struct role *r, struct span value)
{
	struct labels *force = &r->limits.labels.force;
	struct label *item = arena_array(d->arena, force->n + 1, sizeof(*item));

	if (item == NULL) {
		return false;
	}
	if (force->n > 0) {
		memcpy(item, force->item, force->n * sizeof(*item));
	}
	item[force->n].key = span_of(TENANT_LABEL);
	item[force->n].value = value;
	force->item = item;
	force->n++;
	r->limits.any = true;
	return true;
}

/* "x/{tenant}/y" with the tenant in it. */
static struct span
fill_in(struct decision *d, struct span pattern)
{
	static const char word[] = "{tenant}";
	const size_t n = sizeof(word) - 1;
	const char *at =
	    pattern.len < n ? NULL : memmem(pattern.p, pattern.len, word, n);
	struct span rest;
	char *s;

	if (at == NULL || d->tenant.len == 0) {
		return pattern;
	}
	rest = span_make(at + n, (size_t)(pattern.p + pattern.len - at) - n);
	s = arena_printf(d->arena, "%.*s%.*s%.*s", (int)(at - pattern.p),
	    pattern.p, SPAN_ARG(d->tenant), SPAN_ARG(rest));
	return s == NULL ? span_make(NULL, 0) : fill_in(d, span_of(s));
}

static bool
fill_list(struct decision *d, struct words *w)
{
	struct span *item;
	size_t i;

	if (w->n == 0) {
		return true;
	}
	item = arena_array(d->arena, w->n, sizeof(*item));
	if (item == NULL) {
		return false;
	}
	for (i = 0; i < w->n; i++) {
		item[i] = fill_in(d, w->item[i]);
		if (item[i].p == NULL) {
			return false;
		}
	}
	w->item = item;
	return true;
}

/* The role as it is for this tenant. */
static bool
make_role(struct decision *d, bool owned_policy)
{
	struct role *r = arena_alloc(d->arena, sizeof(*r));
	struct constraint_images *images;

	if (r == NULL) {
		return false;
	}
	*r = *d->role;
	images = &r->limits.images;
	d->role = r;
	/* What other roles make is no tenant's, whatever its image says. */
	return (!owned_policy ||
		   force_label(d, r, r->owned ? d->tenant : span_of(""))) &&
	       fill_list(d, &images->run) && fill_list(d, &images->pull) &&
	       fill_list(d, &images->push) && fill_list(d, &images->tag) &&
	       fill_list(d, &images->remove);
}

enum verdict
tenant_begin(struct decision *d, const struct policy *pol,
    const struct client *c, const struct principal *who, struct policy_why *why)
{
	struct span t = { NULL, 0 };

	if (c->tenant.len > 0) {
		t = tenant_of(c, who);
		if (t.len == 0) {
			return decision_refuse(d, why, RULE_TENANT, "",
			    "clients whose tenant cannot be told (%s wants one "
			    "such name in the certificate, and only one)",
			    quote(c->tenant).s);
		}
		if (!tenant_is_name(t)) {
			return decision_refuse(d, why, RULE_TENANT, "",
			    "the tenant %s (a tenant has letters, digits, "
			    "\"_\", \".\" and \"-\", up to %d)",
			    quote(t).s, TENANT_MAX);
		}
		d->tenant = t;
		memcpy(why->tenant, t.p, t.len);
		why->tenant[t.len] = '\0';
	}
	if (d->role->owned && t.len == 0) {
		return decision_refuse(d, why, RULE_TENANT, "",
		    "clients without a tenant (give this client's entry in "
		    "the policy a \"tenant\", such as \"{ou}\")");
	}
	if (d->role->unconstrained || (t.len == 0 && !pol->owned)) {
		return VERDICT_ALLOW;
	}
	return make_role(d, pol->owned || d->role->owned)
		   ? VERDICT_ALLOW
		   : decision_fail(d, why, ERR_NOMEM);
}

/* --- whose object it is --------------------------------------------------- */

static struct span
text_member(const struct json_node *object, const char *name)
{
	const struct json_node *v =
	    object == NULL || json_type(object) != JSON_OBJECT
		? NULL
		: json_get(object, name);

	return v != NULL && json_type(v) == JSON_STRING ? json_string(v)
							: span_make(NULL, 0);
}

static const struct json_node *
member(const struct json_node *object, const char *name)
{
	return object == NULL || json_type(object) != JSON_OBJECT
		   ? NULL
		   : json_get(object, name);
}

bool
tenant_has_labels(const struct decision *d, const struct json_node *v)
{
	return d->tenant.len > 0 &&
	       span_eq(
		   text_member(member(v, "Labels"), TENANT_LABEL), d->tenant);
}

bool
tenant_marked(const struct json_node *v)
{
	return text_member(member(v, "Labels"), TENANT_LABEL).len > 0;
}

bool
tenant_has_container(const struct decision *d, const struct json_node *v)
{
	struct span mark =
	    text_member(member(v, "HostConfig"), "ContainerIDFile");
	const size_t n = strlen(TENANT_MARK);

	return span_starts(mark, TENANT_MARK) &&
	       span_eq(span_make(mark.p + n, mark.len - n), d->tenant) &&
	       tenant_has_labels(d, member(v, "Config"));
}

/*
 * dockerd's filter "volume" finds what is mounted from it and what is mounted
 * at a path of that name, and VOLUME in a Dockerfile takes any word for a path.
 */
const struct json_node *
tenant_holder(const struct json_node *list, struct span volume)
{
	const struct json_node *e, *mounts, *m;

	for (e = json_first(list); e != NULL; e = json_next(e)) {
		mounts = member(e, "Mounts");
		m = mounts == NULL ? NULL : json_first(mounts);
		while (m != NULL && !span_eq(text_member(m, "Name"), volume)) {
			m = json_next(m);
		}
		if (m != NULL) {
			return e;
		}
	}
	return NULL;
}

/* --- labels --------------------------------------------------------------- */

/* Ours are the gate's to write; see write_forced() in fields.c. */
void
judge_labels(struct walk *w, const struct field *f, const struct json_node *v)
{
	const struct json_node *e;
	bool top = w->at != NULL && w->at->up == NULL;

	(void)f;
	if (json_type(v) != JSON_OBJECT) {
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (span_starts(json_key(e), TENANT_RESERVED) &&
		    !(top && w->force != NULL &&
			constraint_forced(w->force, json_key(e)) != NULL)) {
			walk_refuse_all(w, RULE_TENANT,
			    "the label %s (labels that begin with "
			    "\"" TENANT_RESERVED "\" are the gate's)",
			    quote(json_key(e)).s);
		}
	}
}

/* The second mark of a tenant's container is no client's to write. */
void
judge_id_file(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_STRING &&
	    span_starts(json_string(v), TENANT_RESERVED)) {
		walk_refuse_all(w, RULE_TENANT,
		    "a %s that begins with \"" TENANT_RESERVED "\"", f->name);
	}
}
