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
 * Rejected: conditions on paths of the body, which bind owners to the names
 * of the Engine API and are silent when one is misspelt.
 *
 * Attackers do not write policies; owners do, and an unknown member here
 * would be a limit that they believe in and nobody keeps.
 */
#include <stdio.h>

#include "base/text.h"
#include "judge.h"
#include "load.h"

enum kind {
	KIND_TRUE,   /* bool: only true can be written */
	KIND_IMAGES, /* struct words: patterns of images */
	KIND_BYTES,  /* struct limit: { "max": "2g", "required": true } */
	KIND_CPUS,   /* the same of CPUs: "2.5" */
	KIND_COUNT,  /* the same of a number: 512 */
	KIND_WORDS,  /* struct words: patterns */
	KIND_PATHS,  /* struct host_paths */
	KIND_BOOL,
	KIND_RANGE,   /* struct port_range: "30000-32767" */
	KIND_ULIMITS, /* struct ulimits: { "nofile": 65536 } */
	KIND_RESTART, /* struct words: restart policies */
	KIND_FALSE,   /* bool: only false can be written, which sets it */
	KIND_LABELS,  /* struct labels: { "team": "a" } */
	KIND_CAPS,    /* struct words: capabilities */
	KIND_DROPS,   /* the same, or "ALL" */
	KIND_REQUIRE, /* uint32_t: names of demands */
	KIND_GROUP,   /* an object with members of its own */
};

/* off: of the value in struct constraints. */
struct member {
	const char *name;
	enum kind kind;
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
		name, KIND_GROUP, AT(path),                                    \
		    sizeof(((struct constraints *)0)->path), rows, NELEM(rows) \
	}

static const struct member images_rows[] = {
	MEMBER("run", KIND_IMAGES, images.run),
	MEMBER("pull", KIND_IMAGES, images.pull),
	MEMBER("push", KIND_IMAGES, images.push),
	MEMBER("tag", KIND_IMAGES, images.tag),
	MEMBER("digest_only", KIND_TRUE, images.digest_only),
};

static const struct member resources_rows[] = {
	MEMBER("memory", KIND_BYTES, resources.memory),
	MEMBER("swap", KIND_BYTES, resources.swap),
	MEMBER("cpus", KIND_CPUS, resources.cpus),
	MEMBER("pids", KIND_COUNT, resources.pids),
	MEMBER("shm", KIND_BYTES, resources.shm),
};

static const struct member capabilities_rows[] = {
	MEMBER("allow", KIND_CAPS, capabilities.allow),
	MEMBER("drop", KIND_DROPS, capabilities.drop),
};

static const struct member volumes_rows[] = {
	MEMBER("drivers", KIND_WORDS, volumes.drivers),
	MEMBER("names", KIND_WORDS, volumes.names),
};

static const struct member ports_rows[] = {
	MEMBER("addresses", KIND_WORDS, ports.addresses),
	MEMBER("range", KIND_RANGE, ports.range),
	MEMBER("publish_all", KIND_BOOL, ports.publish_all),
};

static const struct member networks_rows[] = {
	MEMBER("modes", KIND_WORDS, networks.modes),
	MEMBER("drivers", KIND_WORDS, networks.drivers),
};

static const struct member env_rows[] = {
	MEMBER("deny", KIND_WORDS, env_deny),
};

static const struct member labels_rows[] = {
	MEMBER("require", KIND_WORDS, labels.require),
	MEMBER("force", KIND_LABELS, labels.force),
};

static const struct member exec_rows[] = {
	MEMBER("commands", KIND_WORDS, exec.commands),
	MEMBER("users", KIND_WORDS, exec.users),
};

static const struct member rows[] = {
	GROUP("images", images, images_rows),
	GROUP("resources", resources, resources_rows),
	GROUP("capabilities", capabilities, capabilities_rows),
	MEMBER("require", KIND_REQUIRE, require),
	MEMBER("host_paths", KIND_PATHS, host_paths),
	GROUP("volumes", volumes, volumes_rows),
	GROUP("ports", ports, ports_rows),
	GROUP("networks", networks, networks_rows),
	MEMBER("devices", KIND_WORDS, devices),
	MEMBER("extra_hosts", KIND_WORDS, extra_hosts),
	MEMBER("log_drivers", KIND_WORDS, log_drivers),
	MEMBER("restart", KIND_RESTART, restart),
	MEMBER("runtimes", KIND_WORDS, runtimes),
	MEMBER("security_options", KIND_WORDS, security_options),
	MEMBER("sysctls", KIND_WORDS, sysctls),
	MEMBER("ulimits", KIND_ULIMITS, ulimits),
	GROUP("env", env_deny, env_rows),
	GROUP("labels", labels, labels_rows),
	GROUP("exec", exec, exec_rows),
	MEMBER("tty", KIND_FALSE, no_tty),
	MEMBER("attach", KIND_FALSE, no_attach),
};

/* --- values --------------------------------------------------------------- */

/* "registry.example.com*" would hold for registry.example.com.evil.org. */
static bool
image_pattern(struct loader *l, const struct json_node *v, struct span s)
{
	if (memchr(s.p, '/', s.len) != NULL || span_is(s, "*") ||
	    span_starts(s, "sha256:")) {
		return true;
	}
	load_complain(l, v,
	    "expected a pattern of a full name, such as "
	    "\"docker.io/library/alpine:*\", or \"sha256:*\" for ids");
	return false;
}

static void
read_words(struct loader *l, const struct json_node *v, struct words *out,
    bool (*check)(struct loader *, const struct json_node *, struct span))
{
	struct span *item, s;
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of texts");
		return;
	}
	item = load_take(l, (json_count(v) + 1) * sizeof(*item));
	out->item = item;
	out->n = 0;
	out->set = true;
	for (e = json_first(v); e != NULL && item != NULL; e = json_next(e)) {
		if (!load_want_text(l, e, "a text", &s)) {
			continue;
		}
		if (!text_is_printable(s)) {
			load_complain(l, e, "expected printable ASCII");
		} else if (check == NULL || check(l, e, s)) {
			item[out->n++] = load_keep(l, s);
		}
	}
}

static bool
capability(struct loader *l, const struct json_node *v, struct span s)
{
	if (constraint_same_capability(s, span_of("ALL"))) {
		load_complain(l, v,
		    "\"ALL\" stands in no list; a role that has all of them "
		    "says so with \"may\": [\"capabilities\"]");
		return false;
	}
	return true;
}

static void
read_require(struct loader *l, const struct json_node *v, uint32_t *out)
{
	static const char *const names[] = { "no-new-privileges",
		"read-only-root", "non-root-user", "drop-all" };
	const struct json_node *e;
	unsigned i;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of demands");
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		for (i = 0; i < NELEM(names); i++) {
			if (json_type(e) == JSON_STRING &&
			    span_is(json_string(e), names[i])) {
				break;
			}
		}
		if (i == NELEM(names)) {
			load_complain(l, e,
			    "expected no-new-privileges, read-only-root, "
			    "non-root-user or drop-all");
		} else {
			*out |= BIT(i);
		}
	}
}

/* "512", "64k", "100m", "2g", "1t": binary, as docker's --memory. */
static bool
parse_bytes(struct span s, int64_t *out)
{
	static const char units[] = "bkmgt";
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t n;

	if (s.len > 1 && s.p[s.len - 1] > '9') {
		unit = strchr(units, s.p[s.len - 1] | 0x20);
		if (unit == NULL) {
			return false;
		}
		shift = 10 * (unsigned)(unit - units);
		s.len--;
	}
	if (text_parse_u64(s, INT64_MAX >> shift, &n) != ERR_OK || n == 0) {
		return false;
	}
	*out = (int64_t)(n << shift);
	return true;
}

/* "2", "0.5", "2.25": at most 4096, in billionths. */
static bool
parse_cpus(struct span s, int64_t *out)
{
	const char *dot = memchr(s.p, '.', s.len);
	size_t whole = dot == NULL ? s.len : (size_t)(dot - s.p);
	int64_t step = 100000000, nano = 0;
	uint64_t n;
	size_t i;

	if (text_parse_u64(span_make(s.p, whole), 4096, &n) != ERR_OK ||
	    whole + 1 == s.len) {
		return false;
	}
	for (i = whole + 1; i < s.len; i++, step /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9' || step == 0) {
			return false;
		}
		nano += (s.p[i] - '0') * step;
	}
	*out = (int64_t)n * 1000000000 + nano;
	return *out > 0;
}

static bool
parse_count(struct span s, int64_t *out)
{
	uint64_t n;

	if (text_parse_u64(s, INT32_MAX, &n) != ERR_OK || n == 0) {
		return false;
	}
	*out = (int64_t)n;
	return true;
}

static void
read_max(struct loader *l, const struct json_node *v, struct limit *out,
    enum kind kind)
{
	static const struct {
		bool (*parse)(struct span s, int64_t *out);
		const char *expected;
	} forms[] = {
		[KIND_BYTES] = { parse_bytes, "a size such as \"2g\"" },
		[KIND_CPUS] = { parse_cpus, "CPUs, such as \"2.5\"" },
		[KIND_COUNT] = { parse_count, "a number such as 512" },
	};
	struct span s = { "", 0 };

	if (json_type(v) == JSON_STRING && kind != KIND_COUNT) {
		s = json_string(v);
	} else if (json_type(v) == JSON_NUMBER && kind != KIND_BYTES) {
		s = json_number(v);
	}
	if (!forms[kind].parse(s, &out->max)) {
		load_complain(l, v, "expected %s", forms[kind].expected);
		return;
	}
	out->has_max = true;
	out->text = load_keep(l, s);
}

static void
read_limit(struct loader *l, const struct json_node *v, struct limit *out,
    enum kind kind)
{
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT || json_first(v) == NULL) {
		load_complain(
		    l, v, "expected an object with \"max\" or \"required\"");
		return;
	}
	out->set = true;
	out->text = span_of("");
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (span_is(json_key(e), "max")) {
			read_max(l, e, out, kind);
		} else if (span_is(json_key(e), "required")) {
			out->required = load_want_true(l, e, "\"required\"");
		} else {
			load_complain(l, e,
			    "a limit has no member %s; expected max or "
			    "required",
			    quote(json_key(e)).s);
		}
	}
}

static bool
restart(struct loader *l, const struct json_node *v, struct span s)
{
	if (span_is(s, "no") || span_is(s, "always") ||
	    span_is(s, "on-failure") || span_is(s, "unless-stopped")) {
		return true;
	}
	load_complain(
	    l, v, "expected no, always, on-failure or unless-stopped");
	return false;
}

static void
read_bool(struct loader *l, const struct json_node *v, bool *out)
{
	if (json_type(v) != JSON_BOOL) {
		load_complain(l, v, "expected true or false");
		return;
	}
	*out = json_bool(v);
}

static void
read_range(struct loader *l, const struct json_node *v, struct port_range *out)
{
	if (json_type(v) != JSON_STRING ||
	    !constraint_parse_ports(json_string(v), &out->first, &out->last)) {
		load_complain(l, v, "expected ports such as \"30000-32767\"");
	}
}

static void
read_ulimits(struct loader *l, const struct json_node *v, struct ulimits *out)
{
	struct ulimit_max *item;
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(
		    l, v, "expected an object such as { \"nofile\": 65536 }");
		return;
	}
	item = load_take(l, (json_count(v) + 1) * sizeof(*item));
	out->item = item;
	out->set = true;
	for (e = json_first(v); e != NULL && item != NULL; e = json_next(e)) {
		if (json_type(e) != JSON_NUMBER ||
		    json_int(e, &item[out->n].max) != ERR_OK ||
		    item[out->n].max < 0) {
			load_complain(l, e, "expected a number");
			continue;
		}
		item[out->n++].name = load_keep(l, json_key(e));
	}
}

static void
read_labels(struct loader *l, const struct json_node *v, struct labels *out)
{
	struct label *item;
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT) {
		load_complain(
		    l, v, "expected an object such as { \"team\": \"a\" }");
		return;
	}
	item = load_take(l, (json_count(v) + 1) * sizeof(*item));
	out->item = item;
	for (e = json_first(v); e != NULL && item != NULL; e = json_next(e)) {
		if (json_type(e) != JSON_STRING || json_key(e).len == 0) {
			load_complain(l, e, "expected a text");
			continue;
		}
		item[out->n].key = load_keep(l, json_key(e));
		item[out->n++].value = load_keep(l, json_string(e));
	}
}

static void
read_path(struct loader *l, const struct json_node *v, struct host_path *out)
{
	const struct json_node *path = json_get(v, "path");
	const struct json_node *mode = json_get(v, "mode");
	char clean[4096];
	struct span s;
	size_t n;

	if (json_count(v) != 2 || path == NULL || mode == NULL) {
		load_complain(
		    l, v, "expected { \"path\": \"/dir\", \"mode\": \"ro\" }");
		return;
	}
	if (!load_want_text(l, path, "a path", &s)) {
		return;
	}
	if (s.p[0] != '/' || !text_is_printable(s) ||
	    !judge_clean_path(s, clean, sizeof(clean), &n)) {
		load_complain(l, path, "expected an absolute path");
		return;
	}
	out->text = load_keep(l, s);
	out->clean = load_keep(l, span_make(clean, n));
	if (json_type(mode) != JSON_STRING ||
	    (!span_is(json_string(mode), "ro") &&
		!span_is(json_string(mode), "rw"))) {
		load_complain(l, mode, "expected \"ro\" or \"rw\"");
		return;
	}
	out->rw = span_is(json_string(mode), "rw");
}

static void
read_paths(struct loader *l, const struct json_node *v, struct host_paths *out)
{
	const struct json_node *e;
	struct host_path *item;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of paths");
		return;
	}
	item = load_take(l, (json_count(v) + 1) * sizeof(*item));
	out->item = item;
	out->set = true;
	for (e = json_first(v); e != NULL && item != NULL; e = json_next(e)) {
		if (json_type(e) != JSON_OBJECT) {
			load_complain(l, e,
			    "expected an object with path "
			    "and mode");
			continue;
		}
		read_path(l, e, &item[out->n++]);
	}
}

static void
read_value(struct loader *l, struct constraints *c, const struct member *m,
    const struct json_node *v)
{
	void *at = (char *)c + m->off;

	switch (m->kind) {
	case KIND_TRUE:
		*(bool *)at = load_want_true(l, v, m->name);
		break;
	case KIND_IMAGES:
		read_words(l, v, at, image_pattern);
		break;
	case KIND_BYTES:
	case KIND_CPUS:
	case KIND_COUNT:
		read_limit(l, v, at, m->kind);
		break;
	case KIND_WORDS:
		read_words(l, v, at, NULL);
		break;
	case KIND_PATHS:
		read_paths(l, v, at);
		break;
	case KIND_BOOL:
		read_bool(l, v, at);
		break;
	case KIND_FALSE:
		if (json_type(v) != JSON_BOOL || json_bool(v)) {
			load_complain(l, v, "%s can only be false", m->name);
		}
		*(bool *)at = true;
		break;
	case KIND_LABELS:
		read_labels(l, v, at);
		break;
	case KIND_RANGE:
		read_range(l, v, at);
		break;
	case KIND_ULIMITS:
		read_ulimits(l, v, at);
		break;
	case KIND_RESTART:
		read_words(l, v, at, restart);
		break;
	case KIND_CAPS:
		read_words(l, v, at, capability);
		break;
	case KIND_DROPS:
		read_words(l, v, at, NULL);
		break;
	case KIND_REQUIRE:
		read_require(l, v, at);
		break;
	case KIND_GROUP:
		break;
	}
}

/* --- members -------------------------------------------------------------- */

/* The long list has blanks alone between its names, to fit a diag. */
static void
complain_member(struct loader *l, const struct json_node *v,
    const struct member *m, size_t n, const char *of)
{
	const char *mark = m == rows ? " " : ", ";
	char names[200] = "";
	size_t i, len;

	for (i = 0; i < n; i++) {
		len = strlen(names);
		snprintf(names + len, sizeof(names) - len, "%s%s",
		    i == 0	 ? ""
		    : i == n - 1 ? " or "
				 : mark,
		    m[i].name);
	}
	if (m == rows) {
		load_complain(l, v, "no constraint %s; expected %s",
		    quote(json_key(v)).s, names);
		return;
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
		if (m[i].kind == KIND_GROUP) {
			read_members(l, c, m[i].sub, m[i].n_sub, e, m[i].name);
		} else {
			read_value(l, c, &m[i], e);
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
