/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What query keys may say; see decision.h.
 *
 * dockerd reads the first value of a key and a client may have meant another:
 * so a key comes once, unless dockerd reads all of its values.  A key that the
 * operation's row does not name is refused, because a newer dockerd may read
 * it.  The values that can reach the host are in one table here.
 *
 * Attackers use the legacy builder, whose query is what HostConfig is to a
 * container: networkmode, cgroupparent, securityopt, remote (dockerd fetches
 * it, from where only dockerd can reach).
 */
#include "constraint.h"
#include "decision.h"
#include "judge.h"

static bool
is_host_gateway(struct span v)
{
	return judge_is_host_gateway(v);
}

static bool
is_foreign_network(struct span v)
{
	return judge_is_foreign_network(v);
}

#define ALLOW(...) ((const char *const[]){ __VA_ARGS__, NULL })

/*
 * A value that is not in allow, or that bad says yes to, trips the rule; an
 * empty one never does.
 */
static const struct {
	const char *op;
	const char *key;
	enum rule rule;
	const char *const *allow;
	bool (*bad)(struct span v);
} judged[] = {
	{ "ImageBuild", "networkmode", RULE_BUILD_HOST_NETWORK, NULL,
	    is_foreign_network },
	{ "ImageBuild", "remote", RULE_REMOTE_SOURCE, ALLOW("client-session"),
	    NULL },
	{ "ImageBuild", "cgroupparent", RULE_CGROUP_PARENT, ALLOW(""), NULL },
	{ "ImageBuild", "securityopt", RULE_SECURITY_OPTIONS,
	    ALLOW("no-new-privileges", "no-new-privileges:true",
		"no-new-privileges=true"),
	    NULL },
	{ "ImageBuild", "extrahosts", RULE_EXTRA_HOSTS, NULL, is_host_gateway },
	{ "ImageCreate", "fromSrc", RULE_REMOTE_SOURCE, ALLOW("-"), NULL },
	/* ps runs on the host; BSD's "e" prints the environment. */
	{ "ContainerTop", "ps_args", RULE_TOP_ARGS,
	    ALLOW("-e", "-f", "-ef", "-eF", "aux", "-aux", "ax", "-A",
		"-o pid,comm", "-eo pid,comm"),
	    NULL },
	{ "ContainerStart", "checkpoint", RULE_CHECKPOINTS, ALLOW(""), NULL },
	{ "ContainerStart", "checkpoint-dir", RULE_CHECKPOINTS, ALLOW(""),
	    NULL },
	{ "CheckpointList", "dir", RULE_HOST_PATHS, ALLOW(""), NULL },
	{ "CheckpointDelete", "dir", RULE_HOST_PATHS, ALLOW(""), NULL },
	/* "previous" is a spec that somebody else wrote and nobody judges. */
	{ "ServiceUpdate", "rollback", RULE_UNJUDGED, ALLOW("none"), NULL },
};

/*
 * Operations that need a rule whatever they say: an empty body hands the host
 * over too, and a plugin's archive says itself what it is granted.
 */
static const struct {
	const char *op;
	enum rule rule;
} needed[] = {
	{ "SwarmInit", RULE_SWARM_HOST },
	{ "SwarmJoin", RULE_SWARM_HOST },
	{ "SwarmUpdate", RULE_SWARM_HOST },
	{ "SwarmUnlock", RULE_SWARM_HOST },
	/* The answers hold what lets a host join as a manager, or unlocks. */
	{ "SwarmInspect", RULE_SWARM_HOST },
	{ "SwarmUnlockkey", RULE_SWARM_HOST },
	/* Makes a manager of a node. */
	{ "NodeUpdate", RULE_SWARM_HOST },
	{ "PluginCreate", RULE_PLUGINS },
	{ "VolumeUpdate", RULE_VOLUME_DRIVER },
	{ "CheckpointCreate", RULE_CHECKPOINTS },
};

static bool
in_list(struct span s, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (span_is(s, *list)) {
			return true;
		}
	}
	return false;
}

/* What the role lists is allowed although the rule refuses the rest. */
static bool
is_listed(const struct decision *d, enum rule r, struct span value)
{
	const struct constraints *c = &d->role->limits;

	return (r == RULE_EXTRA_HOSTS && words_match(&c->extra_hosts, value)) ||
	       (r == RULE_SECURITY_OPTIONS &&
		   words_match(&c->security_options, value));
}

static enum verdict
refuse_value(struct decision *d, enum rule r, const char *key,
    struct span value, struct policy_why *why)
{
	/* An address may hold a password, which no record has. */
	if (d->report != NULL && r == RULE_REMOTE_SOURCE) {
		return decision_refuse(d, why, r, key, "%s", rule_what(r));
	}
	decision_about(d, value);
	return decision_refuse(
	    d, why, r, key, "%s (%s)", rule_what(r), quote(value).s);
}

static enum verdict
judge_value(
    struct decision *d, const struct query_pair *q, struct policy_why *why)
{
	const struct op *op = d->req->op;
	size_t i;
	bool bad;

	for (i = 0; i < NELEM(judged); i++) {
		if (strcmp(judged[i].op, op->name) != 0 ||
		    !span_is(q->key, judged[i].key) || q->value.len == 0 ||
		    (d->role->may & RULE_BIT(judged[i].rule))) {
			continue;
		}
		bad = judged[i].allow != NULL
			  ? !in_list(q->value, judged[i].allow)
			  : judged[i].bad(q->value);
		if (bad && !is_listed(d, judged[i].rule, q->value)) {
			return refuse_value(
			    d, judged[i].rule, judged[i].key, q->value, why);
		}
	}
	return VERDICT_ALLOW;
}

/*
 * version=2 hands the build to BuildKit, and so does what belongs to its
 * sessions.
 */
static enum verdict
judge_build(struct decision *d, struct policy_why *why)
{
	struct span version = { NULL, 0 }, mode = { NULL, 0 };
	enum err rc = ERR_OK;

	if (strcmp(d->req->op->name, "ImageBuild") != 0) {
		return VERDICT_ALLOW;
	}
	(void)canon_query(d->req, "version", &version);
	if (version.len > 0 && !span_is(version, "1") && !d->role->buildkit) {
		return decision_refuse(d, why, RULE_BUILDKIT, "version",
		    "BuildKit, which it cannot look into (set "
		    "DOCKER_BUILDKIT=0)");
	}
	(void)canon_query(d->req, "networkmode", &mode);
	if (mode.len > 0 && !span_is(mode, "default") &&
	    !span_is(mode, "bridge") && !span_is(mode, "none") &&
	    !is_foreign_network(mode)) {
		rc = decision_need(d, FACT_NETWORK, mode, "networkmode");
	}
	return rc == ERR_OK ? VERDICT_ALLOW : decision_fail(d, why, rc);
}

static bool
came_before(const struct canon_req *req, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (span_eq(req->query[j].key, req->query[i].key)) {
			return true;
		}
	}
	return false;
}

static enum verdict
judge_pair(struct decision *d, size_t i, struct policy_why *why)
{
	const struct query_pair *q = &d->req->query[i];

	enum op_key known = ops_query_key(d->req->op, q->key);
	enum op_key key =
	    extras_query_key(&d->role->extras, d->req->op, q->key);

	if (key != known) {
		decision_walk_note(d,
		    key == OP_KEY_READ ? "unjudged" : "left out",
		    quote(q->key).s);
	}
	switch (key) {
	case OP_KEY_IGNORED:
		return VERDICT_ALLOW;
	case OP_KEY_UNKNOWN:
		return decision_refuse(d, why, RULE_UNKNOWN_QUERY,
		    quote(q->key).s, "query keys that it does not know");
	case OP_KEY_READ:
		break;
	}
	if (came_before(d->req, i) && !ops_query_repeats(d->req->op, q->key)) {
		return decision_refuse(d, why, RULE_REPEATED_QUERY,
		    quote(q->key).s, "a query key that comes twice");
	}
	return judge_value(d, q, why);
}

static enum verdict
judge_needed(struct decision *d, struct policy_why *why)
{
	const char *name = d->req->op->name;
	size_t i;

	for (i = 0; i < NELEM(needed); i++) {
		if (strcmp(needed[i].op, name) == 0 &&
		    !(d->role->may & RULE_BIT(needed[i].rule))) {
			return decision_refuse(d, why, needed[i].rule, "",
			    "%s, which needs the rule %s", name,
			    rule_name(needed[i].rule));
		}
	}
	return VERDICT_ALLOW;
}

enum verdict
query_judge(struct decision *d, struct policy_why *why)
{
	enum verdict v = judge_needed(d, why);
	size_t i;

	if (decision_ends(d, v)) {
		return v;
	}
	for (i = 0; i < d->req->n_query; i++) {
		v = judge_pair(d, i, why);
		if (decision_ends(d, v)) {
			return v;
		}
	}
	return judge_build(d, why);
}
