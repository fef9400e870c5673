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

static const char *const fact_words[] = {
	[FACT_NONE] = "object",
	[FACT_CONTAINER] = "container",
	[FACT_EXEC] = "exec instance",
	[FACT_VOLUME] = "volume",
	[FACT_NETWORK] = "network",
	[FACT_SWARM_NETWORK] = "network of the swarm",
};

/* --- collecting ---------------------------------------------------------- */

enum err
decision_need(
    struct decision *d, enum fact_kind kind, struct span name, const char *path)
{
	struct fact *f, **end = &d->facts;
	struct span kept;

	for (; *end != NULL; end = &(*end)->next) {
		if ((*end)->kind == kind && span_eq((*end)->name, name)) {
			return ERR_OK;
		}
	}
	if (d->n_facts == DECISION_MAX_FACTS) {
		return ERR_LIMIT;
	}
	f = arena_alloc(d->arena, sizeof(*f));
	kept = span_make(arena_dup(d->arena, name), name.len);
	if (f == NULL || kept.p == NULL) {
		return ERR_NOMEM;
	}
	f->kind = kind;
	f->name = kept;
	f->path = arena_dup(d->arena, span_of(path));
	if (f->path == NULL) {
		return ERR_NOMEM;
	}
	*end = f;
	d->n_facts++;
	if (d->next == NULL) {
		d->next = f;
	}
	return ERR_OK;
}

enum err
decision_walk_need(
    void *arg, enum fact_kind kind, struct span name, const char *path)
{
	struct decision *d = arg;

	if (kind == FACT_VOLUME && (d->role->may & RULE_BIT(RULE_HOST_PATHS)) &&
	    (d->role->may & RULE_BIT(RULE_VOLUME_DRIVER))) {
		return ERR_OK;
	}
	if ((kind == FACT_NETWORK || kind == FACT_SWARM_NETWORK) &&
	    !d->role->limits.networks.modes.set &&
	    (d->role->may & RULE_BIT(RULE_HOST_NAMESPACES))) {
		return ERR_OK;
	}
	return decision_need(d, kind, name, path);
}

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
};

/* Names come decoded; "." and ".." would be another path. */
static enum err
write_fact_target(const struct fact *f, struct buf *out)
{
	enum err rc;

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

/* dockerd's own version is asked, whatever the client speaks. */
enum verdict
decision_next(struct decision *d, struct policy_why *why)
{
	struct buf b;
	enum err rc;

	if (d->next == NULL) {
		return VERDICT_ALLOW;
	}
	buf_init(&b, (size_t)256 * 1024);
	rc = write_fact_target(d->next, &b);
	if (rc == ERR_OK) {
		d->target = span_make(
		    arena_dup(d->arena, buf_span(&b)), buf_span(&b).len);
		rc = d->target.p == NULL ? ERR_NOMEM : ERR_OK;
	}
	buf_fini(&b);
	if (rc == ERR_TARGET) {
		return decision_refuse(d, why, RULE_FACT, d->next->path,
		    "%s, which is no name", quote(d->next->name).s);
	}
	return rc == ERR_OK ? VERDICT_NEED_FACT : decision_fail(d, why, rc);
}

struct span
policy_next_fact(const struct decision *d)
{
	return d->target;
}

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

/* 64 lower-case hex digits. */
static bool
is_full_id(struct span s)
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

static enum verdict
fact_container(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span id = member_text(root, "Id");
	struct walk w = {
		.may = d->role->may,
		.limits = &d->role->limits,
		.need = decision_walk_need,
		.arg = d,
	};
	const struct json_node *hc = json_get(root, "HostConfig");
	enum err rc;

	if (!is_full_id(id) || hc == NULL || json_type(hc) != JSON_OBJECT) {
		return no_answer(d, f, "says too little", why);
	}
	if (f->subject) {
		d->id = span_make(arena_dup(d->arena, id), id.len);
		if (d->id.p == NULL) {
			return decision_fail(d, why, ERR_NOMEM);
		}
	}
	rc = fields_judge(&w, &fields_inspect, root);
	if (rc == ERR_POLICY) {
		return decision_refuse(d, why, w.found.rule, w.found.path,
		    "to work with container %s, because it refuses %s",
		    quote(f->name).s, w.found.what);
	}
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

static enum verdict
fact_exec(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span container = member_text(root, "ContainerID");
	const struct json_node *config = json_get(root, "ProcessConfig");
	const struct json_node *privileged;
	enum err rc;

	if (config == NULL || !is_full_id(container)) {
		return no_answer(d, f, "says too little", why);
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
	rc = decision_need(d, FACT_CONTAINER, container, "");
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

/* "type=none,o=bind,device=/" makes a volume of the host's root. */
static enum verdict
fact_volume(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span driver = member_text(root, "Driver");
	const struct json_node *options = json_get(root, "Options");

	if ((driver.len == 0 ||
		!constraint_volume_driver(&d->role->limits, driver)) &&
	    !(d->role->may & RULE_BIT(RULE_VOLUME_DRIVER))) {
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

	if (!c->networks.modes.set || constraint_network(c, name)) {
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_NETWORKS, f->path,
	    "the network %s (allowed: %s)", quote(name).s,
	    words_show(&c->networks.modes).s);
}

static enum verdict
fact_network(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	struct span driver = member_text(root, "Driver");

	if (span_is(member_text(root, "Name"), "host") ||
	    span_is(driver, "host") || driver.len == 0) {
		return decision_refuse(d, why, RULE_HOST_NAMESPACES, f->path,
		    "network %s, which is the host's", quote(f->name).s);
	}
	if (!span_is(driver, "bridge") && !span_is(driver, "null") &&
	    !(d->role->may & RULE_BIT(RULE_NETWORK_DRIVER)) &&
	    !words_match(&d->role->limits.networks.drivers, driver)) {
		return decision_refuse(d, why, RULE_NETWORK_DRIVER, f->path,
		    "network %s, whose driver is %s", quote(f->name).s,
		    quote(driver).s);
	}
	return named_network(d, f, member_text(root, "Name"), why);
}

static enum verdict
judge_answer(struct decision *d, const struct fact *f,
    const struct json_node *root, struct policy_why *why)
{
	if (json_type(root) != JSON_OBJECT) {
		return no_answer(d, f, "says too little", why);
	}
	switch (f->kind) {
	case FACT_CONTAINER:
		return fact_container(d, f, root, why);
	case FACT_EXEC:
		return fact_exec(d, f, root, why);
	case FACT_VOLUME:
		return fact_volume(d, f, root, why);
	case FACT_NETWORK:
	case FACT_SWARM_NETWORK:
		return fact_network(d, f, root, why);
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
 */
static enum verdict
not_found(struct decision *d, const struct fact *f, struct policy_why *why)
{
	char name[160];

	if (f->kind == FACT_NETWORK) {
		/* Who may make networks may make it before the start. */
		return named_network(d, f, f->name, why);
	}
	if (f->kind == FACT_VOLUME) {
		return VERDICT_ALLOW;
	}
	(void)decision_refuse(
	    d, why, RULE_NOT_FOUND, "", "%s", rule_what(RULE_NOT_FOUND));
	why->status = 404;
	text_escape(f->name, name, sizeof(name));
	snprintf(why->message, sizeof(why->message), "No such %s: %s",
	    fact_words[f->kind], name);
	return VERDICT_DENY;
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

enum verdict
policy_fact(struct decision *d, unsigned status, struct span body,
    struct policy_why *why)
{
	const struct fact *f = d->next;
	struct json_doc *doc = NULL;
	enum verdict v;

	if (f == NULL) {
		return decision_fail(d, why, ERR_USAGE);
	}
	if (status == 404) {
		v = not_found(d, f, why);
	} else if (status != 200) {
		v = no_answer(d, f, "does not answer", why);
	} else if (parse_answer(d, body, &doc) != ERR_OK) {
		v = no_answer(d, f, "says what cannot be read", why);
	} else {
		v = judge_answer(d, f, json_root(doc), why);
	}
	json_free(doc);
	if (v != VERDICT_ALLOW) {
		return v;
	}
	d->next = f->next;
	return decision_next(d, why);
}
