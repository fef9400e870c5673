/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in a policy's "constraints": one reader for each kind; see
 * load_values.h.
 *
 * Each reader complains at the value's place and says what was expected, then
 * goes on, so that an owner sees every mistake at once.  Patterns that can
 * never hold, or hold more than they seem to, are mistakes.
 *
 * Rejected: taking "2G", 2.0e9 and 2147483648 alike; a limit has one spelling
 * per unit, and a number that a reader of the file could misjudge is none.
 *
 * Attackers do not write policies; owners do, and a value that is read as
 * something else than it says is a limit that nobody keeps.
 */
#include "load_values.h"

#include "base/text.h"
#include "judge.h"

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

static bool
parse_bytes(struct span s, int64_t *out)
{
	return constraint_parse_bytes(s, out) && *out > 0;
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

/* A limit that is read, and of what. */
struct limiting {
	struct limit *out;
	enum load_kind kind;
};

static void
read_max(struct loader *l, void *to, const struct json_node *v)
{
	static const struct {
		bool (*parse)(struct span s, int64_t *out);
		const char *expected;
	} forms[] = {
		[LOAD_BYTES] = { parse_bytes, "a size such as \"2g\"" },
		[LOAD_CPUS] = { parse_cpus, "CPUs, such as \"2.5\"" },
		[LOAD_COUNT] = { parse_count, "a number such as 512" },
	};
	const struct limiting *r = to;
	struct span s = { "", 0 };

	if (json_type(v) == JSON_STRING && r->kind != LOAD_COUNT) {
		s = json_string(v);
	} else if (json_type(v) == JSON_NUMBER && r->kind != LOAD_BYTES) {
		s = json_number(v);
	}
	if (!forms[r->kind].parse(s, &r->out->max)) {
		load_complain(l, v, "expected %s", forms[r->kind].expected);
		return;
	}
	r->out->has_max = true;
	r->out->text = load_keep(l, s);
}

static void
read_required(struct loader *l, void *to, const struct json_node *v)
{
	const struct limiting *r = to;

	r->out->required = load_want_true(l, v, "\"required\"");
}

static const struct load_member limit_rows[] = {
	{ "max", read_max },
	{ "required", read_required },
};
const struct load_table load_limit_table = { "a limit", limit_rows,
	NELEM(limit_rows) };

static void
read_limit(struct loader *l, const struct json_node *v, struct limit *out,
    enum load_kind kind)
{
	struct limiting r = { out, kind };

	if (json_type(v) != JSON_OBJECT || json_first(v) == NULL) {
		load_complain(
		    l, v, "expected an object with \"max\" or \"required\"");
		return;
	}
	out->set = true;
	out->text = span_of("");
	load_members(l, &load_limit_table, &r, v);
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
read_path_text(struct loader *l, void *to, const struct json_node *v)
{
	struct host_path *out = to;
	char clean[4096];
	struct span s;
	size_t n;

	if (!load_want_text(l, v, "a path", &s)) {
		return;
	}
	if (s.p[0] != '/' || !text_is_printable(s) ||
	    !judge_clean_path(s, clean, sizeof(clean), &n)) {
		load_complain(l, v, "expected an absolute path");
		return;
	}
	out->text = load_keep(l, s);
	out->clean = load_keep(l, span_make(clean, n));
}

static void
read_path_mode(struct loader *l, void *to, const struct json_node *v)
{
	struct host_path *out = to;

	if (json_type(v) != JSON_STRING ||
	    (!span_is(json_string(v), "ro") &&
		!span_is(json_string(v), "rw"))) {
		load_complain(l, v, "expected \"ro\" or \"rw\"");
		return;
	}
	out->rw = span_is(json_string(v), "rw");
}

static void
read_path_links(struct loader *l, void *to, const struct json_node *v)
{
	struct host_path *out = to;

	if (json_type(v) != JSON_STRING ||
	    !span_is(json_string(v), "trusted")) {
		load_complain(l, v, "\"links\" can only be \"trusted\"");
		return;
	}
	out->trusted = true;
}

static const struct load_member path_rows[] = {
	{ "path", read_path_text },
	{ "mode", read_path_mode },
	{ "links", read_path_links },
};
const struct load_table load_path_table = { "a path of the host", path_rows,
	NELEM(path_rows) };

static void
read_path(struct loader *l, const struct json_node *v, struct host_path *out)
{
	load_members(l, &load_path_table, out, v);
	if (json_get(v, "path") == NULL || json_get(v, "mode") == NULL) {
		load_complain(
		    l, v, "expected { \"path\": \"/dir\", \"mode\": \"ro\" }");
	}
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

void
load_value(struct loader *l, enum load_kind kind, const char *name, void *at,
    const struct json_node *v)
{
	switch (kind) {
	case LOAD_TRUE:
		*(bool *)at = load_want_true(l, v, name);
		break;
	case LOAD_IMAGES:
		read_words(l, v, at, image_pattern);
		break;
	case LOAD_BYTES:
	case LOAD_CPUS:
	case LOAD_COUNT:
		read_limit(l, v, at, kind);
		break;
	case LOAD_WORDS:
		read_words(l, v, at, NULL);
		break;
	case LOAD_PATHS:
		read_paths(l, v, at);
		break;
	case LOAD_BOOL:
		read_bool(l, v, at);
		break;
	case LOAD_FALSE:
		if (json_type(v) != JSON_BOOL || json_bool(v)) {
			load_complain(l, v, "%s can only be false", name);
		}
		*(bool *)at = true;
		break;
	case LOAD_LABELS:
		read_labels(l, v, at);
		break;
	case LOAD_RANGE:
		read_range(l, v, at);
		break;
	case LOAD_ULIMITS:
		read_ulimits(l, v, at);
		break;
	case LOAD_RESTART:
		read_words(l, v, at, restart);
		break;
	case LOAD_CAPS:
		read_words(l, v, at, capability);
		break;
	case LOAD_DROPS:
		read_words(l, v, at, NULL);
		break;
	case LOAD_REQUIRE:
		read_require(l, v, at);
		break;
	case LOAD_GROUP:
		break;
	}
}
