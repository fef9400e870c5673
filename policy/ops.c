/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation table; see ops.h, and ops.def for the rows.
 *
 * A request is one of these operations or it is none: there is no "any path
 * below /containers".  Literal paths are tried before patterns, so that
 * /images/get is the export of several images and never an image "get".
 * A few kilobytes searched in order cost less than a microsecond; a hash or
 * a trie was not worth its code.
 *
 * Attackers look for a path that is one operation here and another one in
 * dockerd: THREATS names "{name:.*}" routes, where the last segment is the
 * verb.  A container, volume or network is one segment here, so a path such
 * as /containers/x/y/exec is no operation at all.
 */
#include "ops.h"

#include "fields.h"

#define NO_QUERY NULL
#define NO_FIELDS NULL
#define FIELDS(t) &fields_##t
#define Q(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define X(n, m, pat, since, cls, bod, mod, chg, fld, qry)                      \
	{ #n, METHOD_##m, pat, since, OPC_##cls, OP_BODY_##bod, OP_MODE_##mod, \
		chg, qry, fld },
static const struct op ops[] = {
#include "ops.def"
};
#undef X
#undef Q

static const char *const class_names[OPC_N] = {
	[OPC_NONE] = "",
	[OPC_READ] = "read",
	[OPC_RUN] = "run",
	[OPC_EXEC] = "exec",
	[OPC_BUILD] = "build",
	[OPC_IMAGE] = "image",
	[OPC_NETWORK] = "network",
	[OPC_VOLUME] = "volume",
	[OPC_FILES] = "files",
	[OPC_SWARM] = "swarm",
	[OPC_PLUGIN] = "plugin",
	[OPC_SYSTEM] = "system",
};

/*
 * Query keys that may be given more than once, because dockerd reads all of
 * their values (r.Form["key"]); of any other it reads the first.
 */
static const struct {
	const char *op;
	const char *key;
} repeatable[] = {
	{ "ImageBuild", "t" },
	{ "ImageBuild", "extrahosts" },
	{ "ImageBuild", "securityopt" },
	{ "ImageCreate", "changes" },
	{ "ImageCommit", "changes" },
	{ "ImageGetAll", "names" },
	{ "ImageGetAll", "platform" },
	{ "ImageGet", "platform" },
	{ "ImageLoad", "platform" },
	{ "ImageDelete", "platforms" },
	{ "ImageAttestations", "platform" },
	{ "ImageAttestations", "type" },
	{ "SystemDataUsage", "type" },
};

/*
 * Query keys that clients send and dockerd does not read: left out.  docker-py
 * 5 and 7 (api/image.py, api/container.py).
 */
static const struct {
	const char *op;
	const char *key;
} ignored[] = {
	{ "ImageList", "only_ids" }, { "ContainerList", "trunc_cmd" },
	{ "ContainerList", "since" }, { "ContainerList", "before" },
	{ "ImageTag", "force" },
	{ "ImageCreate", "registry" }, /* docker-java PullImageCmdExec */
};

/*
 * dockerode repeats all options of these as query parameters
 * (docker-modem lib/modem.js, dial()): what dockerd does not read is left out.
 */
static const char *const lenient[] = {
	"ContainerCreate",
	"ContainerAttach",
	"ContainerExec",
	"ExecStart",
	"ImageCommit",
	"NetworkCreate",
	"VolumeCreate",
};

/* How query keys are read (moby daemon/server/router), where not as text. */
static const struct {
	const char *key;
	enum op_value value;
} values[] = {
	{ "all", OP_VALUE_BOOL },
	{ "buildargs", OP_VALUE_JSON },
	{ "cachefrom", OP_VALUE_JSON },
	{ "copyUIDGID", OP_VALUE_BOOL },
	{ "cpuperiod", OP_VALUE_INT },
	{ "cpuquota", OP_VALUE_INT },
	{ "cpushares", OP_VALUE_INT },
	{ "details", OP_VALUE_BOOL },
	{ "digests", OP_VALUE_BOOL },
	{ "filters", OP_VALUE_JSON },
	{ "follow", OP_VALUE_BOOL },
	{ "force", OP_VALUE_BOOL },
	{ "forcerm", OP_VALUE_BOOL },
	{ "h", OP_VALUE_INT },
	{ "identity", OP_VALUE_BOOL },
	{ "insertDefaults", OP_VALUE_BOOL },
	{ "labels", OP_VALUE_JSON },
	{ "limit", OP_VALUE_INT },
	{ "link", OP_VALUE_BOOL },
	{ "logs", OP_VALUE_BOOL },
	{ "manifests", OP_VALUE_BOOL },
	{ "memory", OP_VALUE_INT },
	{ "memswap", OP_VALUE_INT },
	{ "noOverwriteDirNonDir", OP_VALUE_BOOL },
	{ "nocache", OP_VALUE_BOOL },
	{ "noprune", OP_VALUE_BOOL },
	{ "one-shot", OP_VALUE_BOOL },
	{ "outputs", OP_VALUE_JSON },
	{ "pause", OP_VALUE_BOOL },
	{ "platforms", OP_VALUE_JSON },
	{ "pull", OP_VALUE_BOOL },
	{ "q", OP_VALUE_BOOL },
	{ "quiet", OP_VALUE_BOOL },
	{ "rm", OP_VALUE_BOOL },
	{ "rotateManagerToken", OP_VALUE_BOOL },
	{ "rotateManagerUnlockKey", OP_VALUE_BOOL },
	{ "rotateWorkerToken", OP_VALUE_BOOL },
	{ "shared-size", OP_VALUE_BOOL },
	{ "shmsize", OP_VALUE_INT },
	{ "size", OP_VALUE_BOOL },
	{ "squash", OP_VALUE_BOOL },
	{ "statement", OP_VALUE_BOOL },
	{ "status", OP_VALUE_BOOL },
	{ "stderr", OP_VALUE_BOOL },
	{ "stdin", OP_VALUE_BOOL },
	{ "stdout", OP_VALUE_BOOL },
	{ "stream", OP_VALUE_BOOL },
	{ "timeout", OP_VALUE_INT },
	{ "timestamps", OP_VALUE_BOOL },
	{ "ulimits", OP_VALUE_JSON },
	{ "v", OP_VALUE_BOOL },
	{ "verbose", OP_VALUE_BOOL },
	{ "w", OP_VALUE_INT },
};

/*
 * Booleans that are, or in an older dockerd were, true by default.  "rm" went
 * by whether it was there at all.
 */
static const struct {
	const char *op;
	const char *key;
} true_by_default[] = {
	{ "ContainerStats", "stream" },
	{ "ImageBuild", "rm" },
	{ "ImageCommit", "pause" },
	{ "ImageLoad", "quiet" },
};

const struct op *
ops_all(size_t *n)
{
	*n = NELEM(ops);
	return ops;
}

/* --- matching ------------------------------------------------------------ */

struct match {
	struct span object[2];
	unsigned n_objects;
	unsigned literals; /* segments that matched letter by letter */
};

/* From the start of segment a to the end of segment b; one run of bytes. */
static struct span
join(const struct span *segment, size_t a, size_t b)
{
	return span_make(segment[a].p,
	    (size_t)(segment[b].p + segment[b].len - segment[a].p));
}

static void
match_object(struct match *m, struct span s)
{
	if (m->n_objects < 2) {
		m->object[m->n_objects++] = s;
	}
}

/* How many of the pattern's segments follow p. */
static size_t
segments_after(const char *p)
{
	size_t n = 0;

	for (; *p != '\0'; p++) {
		n += *p == '/';
	}
	return n;
}

/* {name} is greedy: it takes all but what the rest of the pattern needs. */
static bool
match_pattern(
    const char *pattern, const struct span *segment, size_t n, struct match *m)
{
	const char *p = pattern, *end;
	size_t i = 0, rest;

	while (*p == '/') {
		struct span want;

		end = strchrnul(++p, '/');
		want = span_make(p, (size_t)(end - p));
		if (i == n) {
			return false;
		}
		if (span_is(want, "{name}")) {
			rest = segments_after(end);
			if (n - i <= rest) {
				return false;
			}
			match_object(m, join(segment, i, n - rest - 1));
			i = n - rest;
		} else if (span_is(want, "{id}")) {
			match_object(m, segment[i++]);
		} else if (span_eq(want, segment[i])) {
			m->literals++;
			i++;
		} else {
			return false;
		}
		p = end;
	}
	return i == n;
}

const struct op *
ops_find(enum method method, const struct span *segment, size_t n_segments,
    struct span *object, struct span *object2)
{
	const struct op *best = NULL;
	struct match found = { 0 };
	size_t i;

	*object = *object2 = span_make(NULL, 0);
	for (i = 0; i < NELEM(ops); i++) {
		struct match m = { 0 };

		/* Most rows differ in the first letter already. */
		if (ops[i].method != method ||
		    (ops[i].pattern[1] != '{' && n_segments > 0 &&
			ops[i].pattern[1] != segment[0].p[0]) ||
		    !match_pattern(ops[i].pattern, segment, n_segments, &m)) {
			continue;
		}
		if (best == NULL || m.literals > found.literals) {
			best = &ops[i];
			found = m;
		}
	}
	if (best != NULL) {
		*object = found.object[0];
		*object2 = found.object[1];
	}
	return best;
}

/* --- names --------------------------------------------------------------- */

const struct op *
ops_by_name(struct span name)
{
	size_t i;

	for (i = 0; i < NELEM(ops); i++) {
		if (span_is(name, ops[i].name)) {
			return &ops[i];
		}
	}
	return NULL;
}

size_t
ops_index(const struct op *op)
{
	return (size_t)(op - ops);
}

const char *
ops_class_name(enum op_class c)
{
	return (unsigned)c < OPC_N ? class_names[c] : "";
}

enum op_class
ops_class_by_name(struct span name)
{
	unsigned c;

	for (c = OPC_NONE + 1; c < OPC_N; c++) {
		if (span_is(name, class_names[c])) {
			return (enum op_class)c;
		}
	}
	return OPC_NONE;
}

/* --- query keys ---------------------------------------------------------- */

enum op_key
ops_query_key(const struct op *op, struct span key)
{
	size_t i;

	for (i = 0; op->query != NULL && op->query[i] != NULL; i++) {
		if (span_is(key, op->query[i])) {
			return OP_KEY_READ;
		}
	}
	for (i = 0; i < NELEM(ignored); i++) {
		if (strcmp(op->name, ignored[i].op) == 0 &&
		    span_is(key, ignored[i].key)) {
			return OP_KEY_IGNORED;
		}
	}
	for (i = 0; i < NELEM(lenient); i++) {
		if (strcmp(op->name, lenient[i]) == 0) {
			return OP_KEY_IGNORED;
		}
	}
	return OP_KEY_UNKNOWN;
}

bool
ops_query_repeats(const struct op *op, struct span key)
{
	size_t i;

	for (i = 0; i < NELEM(repeatable); i++) {
		if (strcmp(op->name, repeatable[i].op) == 0 &&
		    span_is(key, repeatable[i].key)) {
			return true;
		}
	}
	return false;
}

/* Here the platform is "linux/amd64", and elsewhere an object in JSON. */
static const char *const platform_as_text[] = { "ContainerCreate", "ImageBuild",
	"ImageCreate" };

enum op_value
ops_query_value(const struct op *op, struct span key)
{
	size_t i;

	if (span_is(key, "platform")) {
		for (i = 0; i < NELEM(platform_as_text); i++) {
			if (strcmp(op->name, platform_as_text[i]) == 0) {
				return OP_VALUE_TEXT;
			}
		}
		return OP_VALUE_JSON;
	}
	for (i = 0; i < NELEM(values); i++) {
		if (span_is(key, values[i].key)) {
			return values[i].value;
		}
	}
	return OP_VALUE_TEXT;
}

bool
ops_query_default(const struct op *op, struct span key)
{
	size_t i;

	for (i = 0; i < NELEM(true_by_default); i++) {
		if (strcmp(op->name, true_by_default[i].op) == 0 &&
		    span_is(key, true_by_default[i].key)) {
			return true;
		}
	}
	return false;
}
