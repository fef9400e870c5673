/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads "constraints" of a role; see constraint.h, and docs/policy.md for
 * the language.
 *
 * What may stand there is one table: name, kind of value, place in the struct.
 * A member that a role names replaces the one that it inherited, as a whole:
 * half of a list from one file and half from another could not be read.
 * Patterns that can never hold, or hold more than they seem to, are errors.
 *
 * Rejected: conditions on paths of the body in their place, which bind owners
 * to the names of the Engine API; they are for the rest (load_rules.c).
 *
 * Attackers do not write policies; owners do, and an unknown member here
 * would be a limit that they believe in and nobody keeps.
 */
#include <stdio.h>

#include "load_values.h"

/* off: of the value in struct constraints. */
struct member {
	const char *name;
	enum load_kind kind;
	size_t off;
	size_t size; /* of a group's struct */
	const struct member *sub;
	size_t n_sub;
};

#define AT(path) offsetof(struct constraints, path)
#define MEMBER(name, kind, path)                                               \
	{                                                                      \
		name, kind, AT(path), sizeof(((struct constraints *)0)->path), \
		    NULL, 0                                                    \
	}
#define GROUP(name, path, rows)                                                \
	{                                                                      \
		name, LOAD_GROUP, AT(path),                                    \
		    sizeof(((struct constraints *)0)->path), rows, NELEM(rows) \
	}

static const struct member images_rows[] = {
	MEMBER("run", LOAD_IMAGES, images.run),
	MEMBER("pull", LOAD_IMAGES, images.pull),
	MEMBER("push", LOAD_IMAGES, images.push),
	MEMBER("tag", LOAD_IMAGES, images.tag),
	MEMBER("remove", LOAD_IMAGES, images.remove),
	MEMBER("digest_only", LOAD_TRUE, images.digest_only),
};

static const struct member resources_rows[] = {
	MEMBER("memory", LOAD_BYTES, resources.memory),
	MEMBER("swap", LOAD_BYTES, resources.swap),
	MEMBER("cpus", LOAD_CPUS, resources.cpus),
	MEMBER("pids", LOAD_COUNT, resources.pids),
	MEMBER("shm", LOAD_BYTES, resources.shm),
	MEMBER("storage", LOAD_BYTES, resources.storage),
	MEMBER("tmpfs", LOAD_BYTES, resources.tmpfs),
};

static const struct member capabilities_rows[] = {
	MEMBER("allow", LOAD_CAPS, capabilities.allow),
	MEMBER("drop", LOAD_DROPS, capabilities.drop),
};

static const struct member volumes_rows[] = {
	MEMBER("drivers", LOAD_WORDS, volumes.drivers),
	MEMBER("names", LOAD_WORDS, volumes.names),
};

static const struct member ports_rows[] = {
	MEMBER("addresses", LOAD_WORDS, ports.addresses),
	MEMBER("range", LOAD_RANGE, ports.range),
	MEMBER("publish_all", LOAD_BOOL, ports.publish_all),
};

static const struct member networks_rows[] = {
	MEMBER("modes", LOAD_WORDS, networks.modes),
	MEMBER("drivers", LOAD_WORDS, networks.drivers),
};

static const struct member env_rows[] = {
	MEMBER("deny", LOAD_WORDS, env_deny),
};

static const struct member labels_rows[] = {
	MEMBER("require", LOAD_WORDS, labels.require),
	MEMBER("force", LOAD_LABELS, labels.force),
};

static const struct member exec_rows[] = {
	MEMBER("commands", LOAD_WORDS, exec.commands),
	MEMBER("users", LOAD_WORDS, exec.users),
};

static const struct member rows[] = {
	GROUP("images", images, images_rows),
	GROUP("resources", resources, resources_rows),
	GROUP("capabilities", capabilities, capabilities_rows),
	MEMBER("require", LOAD_REQUIRE, require),
	MEMBER("host_paths", LOAD_PATHS, host_paths),
	GROUP("volumes", volumes, volumes_rows),
	GROUP("ports", ports, ports_rows),
	GROUP("networks", networks, networks_rows),
	MEMBER("devices", LOAD_WORDS, devices),
	MEMBER("extra_hosts", LOAD_WORDS, extra_hosts),
	MEMBER("log_drivers", LOAD_WORDS, log_drivers),
	MEMBER("restart", LOAD_RESTART, restart),
	MEMBER("runtimes", LOAD_WORDS, runtimes),
	MEMBER("security_options", LOAD_WORDS, security_options),
	MEMBER("sysctls", LOAD_WORDS, sysctls),
	MEMBER("ulimits", LOAD_ULIMITS, ulimits),
	GROUP("env", env_deny, env_rows),
	GROUP("labels", labels, labels_rows),
	GROUP("exec", exec, exec_rows),
	MEMBER("tty", LOAD_FALSE, no_tty),
	MEMBER("attach", LOAD_FALSE, no_attach),
};

/* --- members -------------------------------------------------------------- */

static void
complain_member(struct loader *l, const struct json_node *v,
    const struct member *m, size_t n, const char *of)
{
	char names[200] = "";
	size_t i, len;

	if (m == rows) { /* too many for a line */
		load_complain(l, v,
		    "there is no constraint %s; dinv-policy(5) lists them",
		    quote(json_key(v)).s);
		return;
	}
	for (i = 0; i < n; i++) {
		len = strlen(names);
		snprintf(names + len, sizeof(names) - len, "%s%s",
		    i == 0	 ? ""
		    : i == n - 1 ? " or "
				 : ", ",
		    m[i].name);
	}
	load_complain(l, v, "\"%s\" has no member %s; expected %s", of,
	    quote(json_key(v)).s, names);
}

static void
read_members(struct loader *l, struct constraints *c, const struct member *m,
    size_t n, const struct json_node *v, const char *of)
{
	const struct json_node *e;
	size_t i;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(l, v, "\"%s\" must be an object", of);
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		for (i = 0; i < n && !span_is(json_key(e), m[i].name);) {
			i++;
		}
		if (i == n) {
			complain_member(l, e, m, n, of);
			continue;
		}
		memset((char *)c + m[i].off, 0, m[i].size);
		if (m[i].kind == LOAD_GROUP) {
			read_members(l, c, m[i].sub, m[i].n_sub, e, m[i].name);
		} else {
			load_value(
			    l, m[i].kind, m[i].name, (char *)c + m[i].off, e);
		}
	}
}

void
load_each_constraint(
    void (*visit)(void *arg, const char *group, const char *name), void *arg)
{
	size_t i, j;

	for (i = 0; i < NELEM(rows); i++) {
		visit(arg, NULL, rows[i].name);
		for (j = 0; j < rows[i].n_sub; j++) {
			visit(arg, rows[i].name, rows[i].sub[j].name);
		}
	}
}

void
load_constraints(
    struct loader *l, struct constraints *c, const struct json_node *v)
{
	c->any = true;
	read_members(l, c, rows, NELEM(rows), v, "constraints");
	c->ports.set = c->ports.set || (json_type(v) == JSON_OBJECT &&
					   json_get(v, "ports") != NULL);
	c->resources_set = c->resources.memory.set || c->resources.swap.set ||
			   c->resources.cpus.set || c->resources.shm.set;
}
