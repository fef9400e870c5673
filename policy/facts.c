/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only dockerd can tell; see policy.h.
 *
 * A role that may not make a privileged container must not walk into one that
 * somebody else made: exec, attach, cp, start, export and commit look at the
 * container first and hold it against the same rules.  A volume by name may
 * have been made with "o=bind", a network id may be the host's: those are
 * asked about too.  Where an object was looked at, its full id is sent on in
 * place of what the client wrote, so that a rename between question and
 * request changes nothing.  For the same reason a container that does not
 * exist is refused here, in dockerd's words and with its 404, and not passed
 * on: it could exist by then.
 *
 * Rejected: remembering which containers were made through the gate (wrong
 * after a restart, and blind to what others make).
 *
 * Attackers name a container by a prefix of its id, rename theirs away in the
 * race, or guess names of volumes; the answers come from dockerd, but names
 * and labels in them are the attackers', so they are parsed as strictly.
 */
#include <stdio.h>

#include "base/text.h"
#include "decision.h"
#include "judge.h"
#include "tenant.h"

static const char *const fact_words[] = {
	[FACT_NONE] = "object",
	[FACT_CONTAINER] = "container",
	[FACT_EXEC] = "exec instance",
	[FACT_VOLUME] = "volume",
	[FACT_NETWORK] = "network",
	[FACT_SWARM_NETWORK] = "network of the swarm",
	[FACT_HOLDERS] = "volume",
	[FACT_NAME] = "container",
};

/* --- judging the answers ------------------------------------------------- */

static enum verdict
no_answer(struct decision *d, const struct fact *f, const char *what,
    struct policy_why *why)
{
	return decision_refuse(d, why, RULE_FACT, f->path,
	    "%s %s, about which dockerd %s", fact_words[f->kind],
	    quote(f->name).s, what);
}

static struct span
member_text(const struct json_node *object, const char *name)
{
	const struct json_node *v =
	    object == NULL || json_type(object) != JSON_OBJECT
		? NULL
		: json_get(object, name);

	return v != NULL && json_type(v) == JSON_STRING ? json_string(v)
							: span_make(NULL, 0);
}

/* see decision.h */
bool
decision_full_id(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'f')) {
			return false;
		}
	}
	return s.len == 64;
}

/* In dockerd's words, whether it is not there or another's. */
static enum verdict
no_such(struct decision *d, const struct fact *f, enum rule r,
    struct policy_why *why)
{
	char name[160];

	(void)decision_refuse(d, why, r, f->path, "%s", rule_what(r));
	while (f->cause != NULL) {
		f = f->cause;
	}
	/* docker takes a 404 to a create for an image that it should pull. */
	why->status =
	    strcmp(d->req->op->name, "ContainerCreate") == 0 ? 400 : 404;
	text_escape(f->name, name, sizeof(name));
	switch (f->kind) {
	case FACT_NETWORK:
		snprintf(why->message, sizeof(why->message),
		    "network %s not found", name);
		break;
	case FACT_VOLUME:
	case FACT_HOLDERS:
		snprintf(why->message, sizeof(why->message),
		    "get %s: no such volume", name);
		break;
	default:
		snprintf(why->message, sizeof(why->message), "No such %s: %s",
		    fact_words[f->kind], name);
		break;
	}
	return VERDICT_DENY;
}

/* What dockerd told of the object, for what is sent on. */
static bool
keep_told(
    struct decision *d, const struct fact *f, struct span id, struct span name)
{
	struct fact *to = d->next;

	to->id = arena_span(d->arena, id);
	to->real = arena_span(d->arena, name);
	if (f->subject) {
		d->id = to->id;
	}
	return to->id.p != NULL && to->real.p != NULL;
}

/* What an inspected container names. */
struct inspected {
	struct decision *d;
	const struct fact *fact;
};

/*
 * Volumes are in use by it: a named one is the tenant's as any, or the
 * container is of no use to anyone (a name that changed hands in between).
 */
static enum err
need_of_inspected(
    void *arg, enum fact_kind kind, struct span name, const char *path)
{
	const struct inspected *i = arg;
	struct fact *f = NULL;
	size_t before = i->d->n_facts;
	enum err rc;

	if (!i->d->role->owned && decision_free(i->d, kind)) {
		return ERR_OK;
	}
	rc = decision_add(i->d, kind, name, path, &f);
	if (rc == ERR_OK && i->d->n_facts > before) {
		f->cause = i->fact;
	}
	return rc;
}

static enum verdict
look_at_container(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct inspected inspected = { d, f };
	struct walk w = {
		.may = d->role->may,
		.limits = &d->role->limits,
		.need = need_of_inspected,
		.arg = &inspected,
		.refused = observe_walks(d),
		.refused_arg = d,
		.uses = d->bare,
	};
	enum err rc;

	d->holder = f->name;
	rc = fields_judge(&w, &fields_inspect, root);
	d->holder = span_make(NULL, 0);
	if (rc == ERR_POLICY && w.refused != NULL) {
		return VERDICT_DENY; /* told one by one */
	}
	if (rc == ERR_POLICY) {
		return decision_refuse(d, why, w.found.rule, w.found.path,
		    "to work with container %s, because it refuses %s",
		    quote(f->name).s, w.found.what);
	}
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

static enum verdict
fact_container(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span id = member_text(root, "Id");
	const struct json_node *hc = json_get(root, "HostConfig");

	if (!decision_full_id(id) || hc == NULL ||
	    json_type(hc) != JSON_OBJECT) {
		return no_answer(d, f, "says too little", why);
	}
	if (f->own && !tenant_has_container(d, root)) {
		return no_such(d, f, RULE_TENANT, why);
	}
	if (!keep_told(d, f, id, member_text(root, "Name"))) {
		return decision_fail(d, why, ERR_NOMEM);
	}
	return f->look ? look_at_container(d, f, root, why) : VERDICT_ALLOW;
}

/* dockerd's own words for a taken name hold the other container's id. */
static enum verdict
fact_name(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span name = member_text(root, "Name");

	if (name.len != f->name.len + 1 ||
	    memcmp(name.p + 1, f->name.p, f->name.len) != 0 ||
	    tenant_has_container(d, root)) {
		return VERDICT_ALLOW; /* found by an id, or dockerd's to say */
	}
	return decision_taken(d, why, "name",
	    "Conflict. The container name \"/%.*s\" is already in use. You "
	    "have to choose another name.",
	    (int)(f->name.len > 128 ? 128 : f->name.len), f->name.p);
}

static enum verdict
exec_container(struct decision *d, const struct fact *f, struct span container,
    struct policy_why *why)
{
	struct fact *c = NULL;
	enum err rc = decision_add(d, FACT_CONTAINER, container, "", &c);

	if (rc != ERR_OK) {
		return decision_fail(d, why, rc);
	}
	c->cause = f;
	c->look = f->look;
	return VERDICT_ALLOW;
}

static enum verdict
fact_exec(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span container = member_text(root, "ContainerID");
	const struct json_node *config = json_get(root, "ProcessConfig");
	const struct json_node *privileged;

	if (config == NULL || !decision_full_id(container)) {
		return no_answer(d, f, "says too little", why);
	}
	if (!f->look) {
		return exec_container(d, f, container, why);
	}
	privileged = fields_get(config, "privileged");
	if (privileged != NULL && !fields_zero(privileged) &&
	    !(d->role->may & RULE_BIT(RULE_EXEC_PRIVILEGED))) {
		return decision_refuse(d, why, RULE_EXEC_PRIVILEGED,
		    "ProcessConfig.privileged", "privileged exec");
	}
	if (d->role->limits.any &&
	    constraint_exec_fact(d, config, why) != VERDICT_ALLOW) {
		return VERDICT_DENY;
	}
	return exec_container(d, f, container, why);
}

static enum verdict
volume_taken(struct decision *d, const struct fact *f, struct policy_why *why)
{
	return decision_taken(d, why, f->path,
	    "Conflict. The volume name %s is already in use. You have to "
	    "choose another name.",
	    quote(f->name).s);
}

/* Whose a volume is, and was it just made?  It may have been there before. */
static enum verdict
volume_owner(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	if (tenant_has_labels(d, root)) {
		return VERDICT_ALLOW;
	}
	if (f->make.len > 0) {
		return volume_taken(d, f, why);
	}
	/* Without a name nobody but its container has it. */
	if (f->cause != NULL && decision_full_id(f->name) &&
	    !tenant_marked(root)) {
		return VERDICT_ALLOW;
	}
	if (f->cause != NULL) {
		return decision_refuse(d, why, RULE_TENANT, f->path,
		    "container %s with the volume %s, which is another's by "
		    "now (remove the container)",
		    quote(f->cause->name).s, quote(f->name).s);
	}
	return no_such(d, f, RULE_TENANT, why);
}

/* "type=none,o=bind,device=/" makes a volume of the host's root. */
static enum verdict
fact_volume(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span driver = member_text(root, "Driver");
	const struct json_node *options = json_get(root, "Options");

	if (f->own && volume_owner(d, f, root, why) != VERDICT_ALLOW) {
		return VERDICT_DENY;
	}
	if (!f->look) {
		return VERDICT_ALLOW;
	}
	if ((driver.len == 0 ||
		!constraint_volume_driver(&d->role->limits, driver)) &&
	    !(d->role->may & RULE_BIT(RULE_VOLUME_DRIVER))) {
		decision_about(d, driver);
		return decision_refuse(d, why, RULE_VOLUME_DRIVER, f->path,
		    "volume %s, whose driver is not local", quote(f->name).s);
	}
	if (options != NULL && !fields_zero(options) &&
	    !(d->role->may & RULE_BIT(RULE_HOST_PATHS))) {
		return decision_refuse(d, why, RULE_HOST_PATHS, f->path,
		    "volume %s, which was made with driver options",
		    quote(f->name).s);
	}
	return VERDICT_ALLOW;
}

static enum verdict
named_network(struct decision *d, const struct fact *f, struct span name,
    struct policy_why *why)
{
	const struct constraints *c = &d->role->limits;

	observe_use(d, RULE_NETWORKS, f->path, name, NULL);
	if (!c->networks.modes.set || constraint_network(c, name)) {
		return VERDICT_ALLOW;
	}
	decision_about(d, name);
	return decision_refuse(d, why, RULE_NETWORKS, f->path,
	    "the network %s (allowed: %s)", quote(name).s,
	    words_show(&c->networks.modes).s);
}

/* swarmkit identity: 25 digits and small letters. */
static bool
is_swarm_id(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'z')) {
			return false;
		}
	}
	return s.len == 25;
}

static enum verdict
fact_network(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span driver = member_text(root, "Driver");
	struct span id = member_text(root, "Id");

	if (f->own && (!decision_full_id(id) || !tenant_has_labels(d, root))) {
		return no_such(d, f, RULE_TENANT, why);
	}
	if (f->kind == FACT_SWARM_NETWORK && !is_swarm_id(id)) {
		return no_answer(d, f, "says too little", why);
	}
	if (!keep_told(d, f, id, member_text(root, "Name"))) {
		return decision_fail(d, why, ERR_NOMEM);
	}
	if (!f->look) {
		return VERDICT_ALLOW;
	}
	if (span_is(member_text(root, "Name"), "host") ||
	    span_is(driver, "host") || driver.len == 0) {
		decision_about(d, span_of("host"));
		return decision_refuse(d, why, RULE_HOST_NAMESPACES, f->path,
		    "network %s, which is the host's", quote(f->name).s);
	}
	if (!span_is(driver, "bridge") && !span_is(driver, "null") &&
	    !(d->role->may & RULE_BIT(RULE_NETWORK_DRIVER)) &&
	    !words_match(&d->role->limits.networks.drivers, driver)) {
		decision_about(d, driver);
		return decision_refuse(d, why, RULE_NETWORK_DRIVER, f->path,
		    "network %s, whose driver is %s", quote(f->name).s,
		    quote(driver).s);
	}
	return named_network(d, f, member_text(root, "Name"), why);
}

/*
 * docker-compose gives the anonymous volumes of a container to the one that
 * takes its place.  They have no label: they are the tenant's where one of its
 * containers has them, and that one is looked at for both of its marks.
 */
static enum verdict
fact_holders(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	const struct json_node *has = tenant_holder(root, f->name);
	struct span id = member_text(has, "Id");
	struct fact *volume = NULL, *holder = NULL;
	enum err rc;

	if (has == NULL) {
		return VERDICT_ALLOW; /* then it is made as any */
	}
	if (!decision_full_id(id)) {
		return no_answer(d, f, "says too little", why);
	}
	rc = decision_add(d, FACT_VOLUME, f->name, f->path, &volume);
	if (rc == ERR_OK) {
		rc = decision_add(d, FACT_CONTAINER, id, f->path, &holder);
	}
	if (rc != ERR_OK) {
		return decision_fail(d, why, rc);
	}
	volume->make = span_make(NULL, 0);
	volume->cause = holder;
	holder->look = false;
	holder->cause = f;
	return VERDICT_ALLOW;
}

static enum verdict
judge_answer(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	if (json_type(root) !=
	    (f->kind == FACT_HOLDERS ? JSON_ARRAY : JSON_OBJECT)) {
		return no_answer(d, f, "says too little", why);
	}
	switch (f->kind) {
	case FACT_HOLDERS:
		return fact_holders(d, f, root, why);
	case FACT_CONTAINER:
		return fact_container(d, f, root, why);
	case FACT_EXEC:
		return fact_exec(d, f, root, why);
	case FACT_VOLUME:
		return fact_volume(d, f, root, why);
	case FACT_NETWORK:
	case FACT_SWARM_NETWORK:
		return fact_network(d, f, root, why);
	case FACT_NAME:
		return fact_name(d, f, root, why);
	case FACT_NONE:
		break;
	}
	return no_answer(d, f, "cannot be asked", why);
}

/*
 * A volume that does not exist will be made by dockerd, with the local
 * driver and no options; a network that does not exist is dockerd's to say.
 * Not so for a service: dockerd would go on to look among its own networks,
 * and find the host's by its id.
 * Of a tenant neither is: what it names it must have.
 */
static enum verdict
not_found(struct decision *d, const struct fact *f, struct policy_why *why)
{
	if (f->kind == FACT_NAME) {
		return VERDICT_ALLOW;
	}
	if (f->kind == FACT_CONTAINER && f->cause != NULL &&
	    f->cause->kind == FACT_CONTAINER) {
		return decision_refuse(d, why, RULE_HOST_NAMESPACES, f->path,
		    "namespaces of a container that is gone, which container "
		    "%s has joined",
		    quote(f->cause->name).s);
	}
	if (d->role->owned) {
		return no_such(d, f, RULE_NOT_FOUND, why);
	}
	if (f->kind == FACT_NETWORK) {
		/* Who may make networks may make it before the start. */
		return named_network(d, f, f->name, why);
	}
	if (f->kind == FACT_VOLUME) {
		return VERDICT_ALLOW;
	}
	return no_such(d, f, RULE_NOT_FOUND, why);
}

/*
 * Neither 200 nor 404.  Of a tenant's question it is most likely a prefix
 * that means more than one, and those may be others'.
 */
static enum verdict
no_such_answer(struct decision *d, const struct fact *f, unsigned status,
    struct policy_why *why)
{
	if (f->kind == FACT_NAME) {
		return VERDICT_ALLOW; /* no container of exactly that name */
	}
	if (f->make.len > 0 && status == 409) {
		return volume_taken(d, f, why);
	}
	if (d->role->owned && f->make.len == 0 && f->kind != FACT_EXEC) {
		return no_such(d, f, RULE_FACT, why);
	}
	return no_answer(d, f, "does not answer", why);
}

/*
 * dockerd's own words, which hold what containers printed (health checks): an
 * escaped NUL in them is nobody's attack, and is read as U+FFFD.
 */
static enum err
parse_answer(struct decision *d, struct span body, struct json_doc **out)
{
	char *copy = arena_dup(d->arena, body), *p;
	char *end;
	size_t back;

	if (copy == NULL) {
		return ERR_NOMEM;
	}
	end = copy + body.len;
	for (p = copy; (p = memmem(p, (size_t)(end - p), "\\u0000", 6)) != NULL;
	     p += 6) {
		for (back = 0;
		     p - back > copy && p[-(ptrdiff_t)back - 1] == '\\';
		     back++) {
		}
		if (back % 2 == 0) {
			memcpy(p + 2, "fffd", 4);
		}
	}
	return json_parse(span_make(copy, body.len), JSON_STRICT, out, NULL);
}

static enum verdict
judge_fact(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	enum verdict v = VERDICT_ALLOW;
	struct policy_why unsaid;
	struct decision bare;

	if (!d->role->unconstrained) {
		v = root == NULL ? not_found(d, f, why)
				 : judge_answer(d, f, root, why);
	}
	if (d->report != NULL) {
		bare = observe_bare(d);
		(void)(root == NULL ? not_found(&bare, f, &unsaid)
				    : judge_answer(&bare, f, root, &unsaid));
		observe_join(d, &bare);
	}
	return v;
}

static enum verdict
take_answer(struct decision *d, unsigned status, struct span body,
    struct policy_why *why)
{
	struct fact *f = d->next;
	unsigned good = f != NULL && f->make.len > 0 ? 201 : 200;
	struct json_doc *doc = NULL;
	enum verdict v;

	if (f == NULL) {
		return decision_fail(d, why, ERR_USAGE);
	}
	if (status == 404) {
		v = judge_fact(d, f, NULL, why);
	} else if (status != good) {
		v = no_such_answer(d, f, status, why);
	} else if (parse_answer(d, body, &doc) != ERR_OK) {
		v = no_answer(d, f, "says what cannot be read", why);
	} else {
		v = judge_fact(d, f, json_root(doc), why);
	}
	json_free(doc);
	if (decision_ends(d, v)) {
		return v;
	}
	f->asked = true;
	return decision_next(d, why);
}

enum verdict
policy_fact(struct decision *d, unsigned status, struct span body,
    struct policy_why *why)
{
	return decision_settle(d, take_answer(d, status, body, why), why);
}
