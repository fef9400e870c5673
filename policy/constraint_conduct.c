/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers are told and by whom: variables, labels, commands of an
 * exec, terminals; see constraint.h.
 *
 * Names of variables and labels are data to dockerd, told apart letter by
 * letter, and so are the lists here.  Labels that a role forces are written by
 * the walk (fields.c) in place of the client's, so that no spelling of the
 * body can have them otherwise.  An exec is held to its list when it is made
 * and, by what dockerd tells of it, when it is started.
 *
 * Rejected: dropping denied variables in silence; a job would run without.
 *
 * Attackers give a variable in an exec or a build argument that they may not
 * give a container, start the exec that somebody else made, or send the label
 * "team" themselves.  A listed command that runs others ("sh", "env") is a way
 * to all of them: the list is only as narrow as what stands on it.
 */
#include <stdio.h>

#include "decision.h"

/* --- variables ------------------------------------------------------------ */

static bool
is_denied(const struct constraints *c, struct span name)
{
	return words_match(&c->env_deny, name);
}

/* "NAME=value", or "NAME" alone. */
void
constraint_env(struct walk *w, const struct json_node *root)
{
	const struct json_node *list = fields_get(root, "Env"), *e;
	struct frame up = { .up = w->at, .name = "Env" };
	struct frame here = { .up = &up };

	if (list == NULL || json_type(list) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (e = json_first(list); e != NULL; e = json_next(e)) {
		struct span s = json_text(e);
		const char *eq = s.len == 0 ? NULL : memchr(s.p, '=', s.len);

		s.len = eq == NULL ? s.len : (size_t)(eq - s.p);
		if (is_denied(w->limits, s)) {
			walk_refuse_all(
			    w, RULE_ENV, "the variable %s", quote(s).s);
		}
		here.index++;
	}
	w->at = up.up;
}

/* buildargs: an object in JSON. */
enum verdict
constraint_build_args(struct decision *d, struct policy_why *why)
{
	struct span text = { NULL, 0 };
	enum verdict v = VERDICT_ALLOW;
	struct json_doc *doc = NULL;
	const struct json_node *e;

	(void)canon_query(d->req, "buildargs", &text);
	if (!d->role->limits.env_deny.set || text.len == 0) {
		return VERDICT_ALLOW;
	}
	if (json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    (json_type(json_root(doc)) != JSON_OBJECT &&
		json_type(json_root(doc)) != JSON_NULL)) {
		json_free(doc);
		return decision_refuse(
		    d, why, RULE_TYPE, "buildargs", "what is not an object");
	}
	for (e = json_first(json_root(doc)); e != NULL && v == VERDICT_ALLOW;
	     e = json_next(e)) {
		if (is_denied(&d->role->limits, json_key(e))) {
			v = decision_refuse(d, why, RULE_ENV, "buildargs",
			    "the variable %s", quote(json_key(e)).s);
		}
	}
	json_free(doc);
	return v;
}

/* --- labels --------------------------------------------------------------- */

const struct label *
constraint_forced(const struct labels *force, struct span key)
{
	size_t i;

	for (i = 0; i < force->n; i++) {
		if (span_eq(force->item[i].key, key)) {
			return &force->item[i];
		}
	}
	return NULL;
}

static void
require_labels(struct walk *w, const struct json_node *root, const char *flag)
{
	const struct words *require = &w->limits->labels.require;
	const struct json_node *labels = fields_get(root, "Labels"), *e;
	struct frame here = { .up = w->at, .name = "Labels" };
	size_t i;

	w->at = &here;
	for (i = 0; i < require->n; i++) {
		e = labels == NULL ? NULL : json_first(labels);
		while (e != NULL && !span_eq(json_key(e), require->item[i])) {
			e = json_next(e);
		}
		if ((e == NULL || json_text(e).len == 0) &&
		    constraint_forced(
			&w->limits->labels.force, require->item[i]) == NULL) {
			walk_refuse_all(w, RULE_LABELS,
			    "what has no label %s (set %s %.*s=...)",
			    quote(require->item[i]).s, flag,
			    SPAN_ARG(require->item[i]));
		}
	}
	w->at = here.up;
}

void
constraint_labels(struct walk *w, const struct json_node *root)
{
	require_labels(w, root, "--label");
}

void
constraint_container_labels(struct walk *w, const struct json_node *spec)
{
	require_labels(w, spec, "--container-label");
}

static const char *const labelled[] = { "ContainerCreate", "NetworkCreate",
	"VolumeCreate", "ServiceCreate", "ServiceUpdate", "SecretCreate",
	"SecretUpdate", "ConfigCreate", "ConfigUpdate" };

bool
constraint_wants_labels(const struct constraints *c, const struct op *op)
{
	size_t i;

	for (i = 0; i < NELEM(labelled); i++) {
		if (strcmp(labelled[i], op->name) == 0) {
			return c->labels.force.n > 0 || c->labels.require.n > 0;
		}
	}
	return false;
}

const struct labels *
constraint_forces(const struct constraints *c, const struct op *op)
{
	return constraint_wants_labels(c, op) && c->labels.force.n > 0
		   ? &c->labels.force
		   : NULL;
}

/* Newer dockerds take no body for an empty one. */
enum verdict
constraint_label_body(struct decision *d, struct policy_why *why)
{
	if (d->req->has_body ||
	    !constraint_wants_labels(&d->role->limits, d->req->op)) {
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_LABELS, "Labels",
	    "a request without a body, which can have no labels");
}

/* --- exec ----------------------------------------------------------------- */

/* False: what gets the words of a refusal, *field the place. */
static bool
exec_allowed(const struct constraints *c, struct span command, struct span user,
    const char **field, char *what, size_t size)
{
	if (c->exec.commands.set && !words_match(&c->exec.commands, command)) {
		*field = "Cmd";
		snprintf(what, size, "the command %s (allowed: %s)",
		    quote(command).s, words_show(&c->exec.commands).s);
		return false;
	}
	if (c->exec.users.set && !words_match(&c->exec.users, user)) {
		*field = "User";
		snprintf(what, size, "the user %s (set --user; allowed: %s)",
		    quote(user).s, words_show(&c->exec.users).s);
		return false;
	}
	return true;
}

void
constraint_exec(struct walk *w, const struct json_node *root)
{
	const struct json_node *cmd = fields_get(root, "Cmd");
	struct frame here = { .up = NULL };
	char what[240];

	if (cmd != NULL && json_type(cmd) == JSON_ARRAY) {
		cmd = json_first(cmd);
	}
	if (!exec_allowed(w->limits, json_text(cmd),
		json_text(fields_get(root, "User")), &here.name, what,
		sizeof(what))) {
		w->at = &here;
		walk_refuse_all(w, RULE_EXEC, "%s", what);
		w->at = NULL;
	}
}

/* ProcessConfig of an inspected exec. */
enum verdict
constraint_exec_fact(
    struct decision *d, const struct json_node *config, struct policy_why *why)
{
	const struct json_node *tty = fields_get(config, "tty");
	const char *field = "";
	char what[240];

	if (!exec_allowed(&d->role->limits,
		json_text(fields_get(config, "entrypoint")),
		json_text(fields_get(config, "user")), &field, what,
		sizeof(what))) {
		return decision_refuse(
		    d, why, RULE_EXEC, "ProcessConfig", "%s", what);
	}
	if (d->role->limits.no_tty && tty != NULL && !fields_zero(tty)) {
		return decision_refuse(
		    d, why, RULE_TTY, "ProcessConfig.tty", "a terminal");
	}
	return VERDICT_ALLOW;
}

/* --- terminals ------------------------------------------------------------ */

static void
refuse_tty(struct walk *w, const struct json_node *root, const char *name)
{
	const struct json_node *tty = fields_get(root, name);
	struct frame here = { .up = w->at, .name = name };

	if (w->limits->no_tty && tty != NULL && !fields_zero(tty)) {
		w->at = &here;
		walk_refuse_all(
		    w, RULE_TTY, "a terminal (leave --tty out, as in -i)");
		w->at = here.up;
	}
}

void
constraint_tty(struct walk *w, const struct json_node *root)
{
	refuse_tty(w, root, "Tty");
}

void
constraint_container_tty(struct walk *w, const struct json_node *spec)
{
	refuse_tty(w, spec, "TTY");
}

enum verdict
constraint_attach(struct decision *d, struct policy_why *why)
{
	if (!d->role->limits.no_attach) {
		return VERDICT_ALLOW;
	}
	return decision_refuse(d, why, RULE_ATTACH, "",
	    "to attach to containers (use docker run -d and docker logs)");
}
