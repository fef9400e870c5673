/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service says in other words than a container does; see judge.h.
 *
 * Where the words differ they are brought into those of ContainerCreate
 * ("IP name" into "name:IP", a restart condition into a policy, Privileges
 * into security options), so that a role's lists mean one thing.  What mounts
 * and networks can do is asked of the same judges.
 *
 * dockerd fills templates in where the task runs ("{{.Service.Labels.x}}" in
 * the source of a mount), so that what was judged is not what is mounted:
 * they are refused there for every constrained role.  A network is looked up
 * among those of the swarm, by other rules than a container's: it is asked
 * about in the same way.
 *
 * Attackers name the swarm's own object for the network "host" by its id, or
 * by a beginning of it; write "BIND" and "" for the type of a mount, which the
 * swarm takes and a container does not; leave out the restart policy, which
 * is "any" then.
 */
#include <stdio.h>

#include "base/text.h"
#include "constraint.h"
#include "judge.h"

void
judge_own_labels(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	judge_labels(w, f, v); /* its containers have them */
}

/* --- mounts -------------------------------------------------------------- */

static void
refuse_template(struct walk *w, const struct json_node *mount, const char *name)
{
	struct frame here = { .up = w->at, .name = name };
	struct span s = json_text(fields_get(mount, name));

	if (s.len >= 2 && memmem(s.p, s.len, "{{", 2) != NULL) {
		w->at = &here;
		walk_refuse_all(w, RULE_UNJUDGED,
		    "a template in a mount, which dockerd fills in later (%s)",
		    quote(s).s);
		w->at = here.up;
	}
}

/* moby cluster/convert takes types in any case, and none for "bind". */
static bool
is_mount_type(struct span s)
{
	static const char *const types[] = { "bind", "volume", "tmpfs", "image",
		"npipe", "cluster" };
	size_t i;

	for (i = 0; i < NELEM(types); i++) {
		if (span_is(s, types[i])) {
			return true;
		}
	}
	return false;
}

static void
service_mount(struct walk *w, const struct json_node *mount)
{
	struct span type = json_text(fields_get(mount, "Type"));

	refuse_template(w, mount, "Source");
	refuse_template(w, mount, "Target");
	if (!is_mount_type(type)) {
		walk_refuse_all(w, RULE_TYPE,
		    "mounts of type %s (write bind, volume or tmpfs)",
		    quote(type).s);
	}
	if (span_is(type, "cluster")) {
		walk_refuse(w, RULE_VOLUME_DRIVER, "mounts of cluster volumes");
	}
}

void
judge_service_mounts(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	walk_each(w, v, service_mount);
	judge_mounts(w, f, v);
}

/* --- networks ------------------------------------------------------------ */

static void
service_network(struct walk *w, const struct json_node *e)
{
	struct span name = json_text(fields_get(e, "Target"));
	struct frame here = { .up = w->at, .name = "Target" };
	bool foreign = judge_is_foreign_network(name);

	w->at = &here;
	if (name.len == 0) {
		/* It would be whatever network the swarm has. */
		walk_refuse_all(w, RULE_TYPE, "a network without a name");
	} else if (!foreign) {
		walk_need(w, FACT_SWARM_NETWORK, name);
	} else if (w->limits == NULL || !w->limits->networks.modes.set) {
		walk_refuse(
		    w, RULE_HOST_NAMESPACES, "the network %s", quote(name).s);
	} else if (!constraint_network(w->limits, name)) {
		walk_refuse_all(w, RULE_HOST_NAMESPACES,
		    "the network %s (allowed: %s)", quote(name).s,
		    words_show(&w->limits->networks.modes).s);
	}
	w->at = here.up;
}

void
judge_service_networks(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, service_network);
}

/* --- hosts --------------------------------------------------------------- */

static struct span
next_field(struct span *s)
{
	struct span field;
	size_t n;

	while (s->len > 0 && (*s->p == ' ' || *s->p == '\t')) {
		*s = span_make(s->p + 1, s->len - 1);
	}
	for (n = 0; n < s->len && s->p[n] != ' ' && s->p[n] != '\t';) {
		n++;
	}
	field = span_make(s->p, n);
	*s = span_make(s->p + n, s->len - n);
	return field;
}

/* "IP name" is "name:IP" to a container; a list holds for what is plain. */
static void
service_host(struct walk *w, const struct json_node *e)
{
	struct span rest = json_string(e), ip, name;
	char text[256];

	if (!judge_is_host_gateway(rest)) {
		return;
	}
	ip = next_field(&rest);
	name = next_field(&rest);
	if (w->limits != NULL && rest.len == 0 && ip.len + name.len < 200 &&
	    text_is_printable(json_string(e))) {
		snprintf(text, sizeof(text), "%.*s:%.*s", SPAN_ARG(name),
		    SPAN_ARG(ip));
		if (words_match(&w->limits->extra_hosts, span_of(text))) {
			return;
		}
	}
	walk_refuse(w, RULE_EXTRA_HOSTS, "%s", rule_what(RULE_EXTRA_HOSTS));
}

void
judge_service_hosts(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, service_host);
}

/* --- secrets and configs ------------------------------------------------- */

/* moby container_unix.go: a relative name is joined to the folder. */
static void
judge_file(struct walk *w, const struct json_node *ref, const char *folder)
{
	const struct json_node *file = fields_get(ref, "File");
	struct span name = json_text(fields_get(file, "Name"));
	char path[4096];
	int n;

	walk_refuse(w, RULE_SECRETS, "%s", rule_what(RULE_SECRETS));
	if (file == NULL || json_type(file) == JSON_NULL) {
		return;
	}
	if (name.len > 0 && name.p[0] == '/') {
		judge_target(w, name);
		return;
	}
	n = snprintf(path, sizeof(path), "%s/%.*s", folder, SPAN_ARG(name));
	judge_target(
	    w, span_make(path, n < (int)sizeof(path) && n > 0 ? (size_t)n : 0));
}

static void
secret_ref(struct walk *w, const struct json_node *e)
{
	judge_file(w, e, "/run/secrets");
}

static void
config_ref(struct walk *w, const struct json_node *e)
{
	judge_file(w, e, "");
}

void
judge_secret_refs(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, secret_ref);
}

void
judge_config_refs(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, config_ref);
}

/* --- privileges ---------------------------------------------------------- */

/* A security option in the words of a container, "label=disable". */
static void
security_option(struct walk *w, struct span option)
{
	const struct words *list =
	    w->limits == NULL ? NULL : &w->limits->security_options;

	if (list == NULL || !list->set) {
		walk_refuse(w, RULE_SECURITY_OPTIONS, "%s (%s)",
		    rule_what(RULE_SECURITY_OPTIONS), quote(option).s);
	} else if (!words_match(list, option)) {
		walk_refuse_all(w, RULE_SECURITY_OPTIONS,
		    "%s (%s; allowed: %s)", rule_what(RULE_SECURITY_OPTIONS),
		    quote(option).s, words_show(list).s);
	}
}

void
judge_selinux(struct walk *w, const struct field *f, const struct json_node *v)
{
	static const struct {
		const char *name;
		const char *option;
	} parts[] = {
		{ "User", "user" },
		{ "Role", "role" },
		{ "Type", "type" },
		{ "Level", "level" },
	};
	const struct json_node *disable = fields_get(v, "Disable");
	char text[256];
	size_t i;

	(void)f;
	if (disable != NULL && !fields_zero(disable)) {
		security_option(w, span_of("label=disable"));
	}
	for (i = 0; i < NELEM(parts); i++) {
		struct span s = json_text(fields_get(v, parts[i].name));

		if (s.len > 0) {
			/* Cut, it would be on a list that it is not on. */
			snprintf(text, sizeof(text), "label=%s:%.*s",
			    parts[i].option, s.len > 200 ? 0 : (int)s.len, s.p);
			security_option(w, span_of(text));
		}
	}
}

/* A profile of the client's own is on no list: it is no text to compare. */
void
judge_seccomp(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct span mode = json_text(fields_get(v, "Mode"));

	(void)f;
	if (span_is(mode, "unconfined")) {
		security_option(w, span_of("seccomp=unconfined"));
	} else if (mode.len > 0 && !span_is(mode, "default")) {
		walk_refuse(w, RULE_SECURITY_OPTIONS,
		    "a seccomp profile of its own (mode %s)", quote(mode).s);
	}
}

void
judge_apparmor(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct span mode = json_text(fields_get(v, "Mode"));

	(void)f;
	if (mode.len > 0 && !span_is(mode, "default")) {
		security_option(w, span_of("apparmor=unconfined"));
	}
}

/* --- restarts ------------------------------------------------------------ */

/* moby cluster/convert: without a condition it is "any". */
static const char *
policy_of(struct span condition)
{
	if (span_is(condition, "none")) {
		return "no";
	}
	return span_is(condition, "on-failure") ? "on-failure" : "always";
}

void
judge_task(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame up = { .up = w->at, .name = "RestartPolicy" };
	struct frame here = { .up = &up, .name = "Condition" };
	const struct words *list =
	    w->limits == NULL ? NULL : &w->limits->restart;
	const char *policy;

	policy = policy_of(
	    json_text(fields_get(fields_get(v, "RestartPolicy"), "Condition")));
	w->at = &here;
	if (list != NULL && list->set) {
		if (strcmp(policy, "no") != 0 &&
		    !words_match(list, span_of(policy))) {
			walk_refuse_all(w, f->rule,
			    "restart policies (\"%s\"; allowed: %s; set "
			    "--restart-condition)",
			    policy, words_show(list).s);
		}
	} else if (strcmp(policy, "no") != 0) {
		walk_refuse(w, f->rule,
		    "restart policies (\"%s\"; set --restart-condition none)",
		    policy);
	}
	w->at = up.up;
}
