/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests without their secrets; see redact.h.
 *
 * Unknown means left out, here too: a text is written only where its field is
 * in the table of those that hold none.  So a field that a later dockerd
 * invents for a token shows its name and no more.  Maps whose values belong
 * to others (labels, options of drivers, data) show names alone, whatever
 * the names are.
 *
 * A command line is kept, because it is what an exec is about; what goes of
 * it is in redact_words.h.
 *
 * Rejected: a list of fields that hold secrets.  Somebody forgets one.
 *
 * Attackers read logs, which outlive passwords and travel further.
 */
#include "redact.h"

#include <ctype.h>

#include "base/jsonw.h"
#include "json.h"
#include "ops.h"
#include "redact_text.h"
#include "redact_words.h"

#define HIDDEN REDACT_HIDDEN

enum keep {
	KEEP_NOTHING = 0, /* not in the table */
	KEEP_TEXT,	  /* without passwords in URLs */
	KEEP_WORDS,	  /* a command: redact_words.h */
	KEEP_NAMES,	  /* "NAME=value": the name */
	KEEP_KEYS,	  /* an object that belongs to others: its keys */
};

/* By the name of the field, at any depth (Go takes names in any case). */
static const struct {
	const char *name;
	enum keep keep;
} fields[] = {
	{ "Env", KEEP_NAMES },
	{ "Cmd", KEEP_WORDS },
	{ "Entrypoint", KEEP_WORDS },
	{ "Command", KEEP_WORDS },
	{ "Args", KEEP_WORDS },
	{ "Test", KEEP_WORDS },
	{ "Labels", KEEP_KEYS },
	{ "Annotations", KEEP_KEYS },
	{ "Options", KEEP_KEYS },
	{ "DriverOpts", KEEP_KEYS },
	{ "Opts", KEEP_KEYS },
	{ "Config", KEEP_KEYS },
	{ "Sysctls", KEEP_KEYS },
	{ "StorageOpt", KEEP_KEYS },
	{ "Tmpfs", KEEP_KEYS },
	{ "Aliases", KEEP_TEXT },
	{ "Binds", KEEP_TEXT },
	{ "CapAdd", KEEP_TEXT },
	{ "CapDrop", KEEP_TEXT },
	{ "Capabilities", KEEP_TEXT },
	{ "Cgroup", KEEP_TEXT },
	{ "CgroupParent", KEEP_TEXT },
	{ "CgroupPermissions", KEEP_TEXT },
	{ "CgroupnsMode", KEEP_TEXT },
	{ "Condition", KEEP_TEXT },
	{ "Container", KEEP_TEXT },
	{ "CpusetCpus", KEEP_TEXT },
	{ "CpusetMems", KEEP_TEXT },
	{ "Destination", KEEP_TEXT },
	{ "DeviceCgroupRules", KEEP_TEXT },
	{ "DeviceIDs", KEEP_TEXT },
	{ "Dns", KEEP_TEXT },
	{ "Domainname", KEEP_TEXT },
	{ "Driver", KEEP_TEXT },
	{ "ExtraHosts", KEEP_TEXT },
	{ "Gateway", KEEP_TEXT },
	{ "GroupAdd", KEEP_TEXT },
	{ "HostIp", KEEP_TEXT },
	{ "HostPort", KEEP_TEXT },
	{ "Hostname", KEEP_TEXT },
	{ "IPAddress", KEEP_TEXT },
	{ "IPRange", KEEP_TEXT },
	{ "IPv4Address", KEEP_TEXT },
	{ "IPv6Address", KEEP_TEXT },
	{ "Image", KEEP_TEXT },
	{ "IpcMode", KEEP_TEXT },
	{ "Isolation", KEEP_TEXT },
	{ "Links", KEEP_TEXT },
	{ "MacAddress", KEEP_TEXT },
	{ "MaskedPaths", KEEP_TEXT },
	{ "Mode", KEEP_TEXT },
	{ "Name", KEEP_TEXT },
	{ "NetworkMode", KEEP_TEXT },
	{ "PathInContainer", KEEP_TEXT },
	{ "PathOnHost", KEEP_TEXT },
	{ "PidMode", KEEP_TEXT },
	{ "Propagation", KEEP_TEXT },
	{ "Protocol", KEEP_TEXT },
	{ "ReadonlyPaths", KEEP_TEXT },
	{ "Runtime", KEEP_TEXT },
	{ "Scope", KEEP_TEXT },
	{ "SecurityOpt", KEEP_TEXT },
	{ "Source", KEEP_TEXT },
	{ "StopSignal", KEEP_TEXT },
	{ "Subnet", KEEP_TEXT },
	{ "Target", KEEP_TEXT },
	{ "Type", KEEP_TEXT },
	{ "UTSMode", KEEP_TEXT },
	{ "User", KEEP_TEXT },
	{ "UsernsMode", KEEP_TEXT },
	{ "VolumeDriver", KEEP_TEXT },
	{ "VolumesFrom", KEEP_TEXT },
	{ "WorkingDir", KEEP_TEXT },
};

/* Query keys whose text is kept; numbers and booleans always are. */
static const char *const query_texts[] = { "container", "detachKeys",
	"dockerfile", "fromImage", "fromSrc", "name", "names", "networkmode",
	"path", "platform", "remote", "repo", "signal", "t", "tag", "target",
	"version" };

static enum keep
keep_of(struct span name)
{
	size_t i;

	for (i = 0; i < NELEM(fields); i++) {
		if (span_is_nocase(name, fields[i].name)) {
			return fields[i].keep;
		}
	}
	return KEEP_NOTHING;
}

/* --- texts --------------------------------------------------------------- */

static void
put_clean(struct jsonw *w, const struct redact_out *o)
{
	if (o->rc == ERR_OK) {
		jsonw_span(w, buf_span(o->b));
	} else {
		w->err = o->rc;
	}
}

static void
put_text(struct jsonw *w, struct span s)
{
	struct buf clean;
	struct redact_out o = { &clean, ERR_OK };

	buf_init(&clean, 2 * s.len + 64);
	redact_urls(&o, s);
	put_clean(w, &o);
	buf_fini(&clean);
}

/* "NAME=value": the name and "=***"; without '=': as it is. */
static void
put_name(struct jsonw *w, struct span s)
{
	const char *eq = s.len == 0 ? NULL : memchr(s.p, '=', s.len);
	struct buf text;
	enum err rc;

	buf_init(&text, s.len + 16);
	rc = buf_append(&text, s.p, eq == NULL ? s.len : (size_t)(eq - s.p));
	if (rc == ERR_OK && eq != NULL) {
		rc = buf_append_str(&text, "=" HIDDEN);
	}
	if (rc == ERR_OK) {
		jsonw_span(w, buf_span(&text));
	} else {
		w->err = rc;
	}
	buf_fini(&text);
}

/* A word of a command, after those that words has seen. */
static void
put_word(struct jsonw *w, struct span s, struct redact_words *words)
{
	struct buf clean;
	struct redact_out o = { &clean, ERR_OK };

	if (w->err != ERR_OK) {
		return; /* it is too much already */
	}
	buf_init(&clean, 2 * s.len + 64);
	redact_word(words, s, &o);
	put_clean(w, &o);
	buf_fini(&clean);
}

/* --- values -------------------------------------------------------------- */

static void
put_string(
    struct jsonw *w, struct span s, enum keep keep, struct redact_words *words)
{
	switch (keep) {
	case KEEP_TEXT:
		put_text(w, s);
		return;
	case KEEP_WORDS:
		put_word(w, s, words);
		return;
	case KEEP_NAMES:
		put_name(w, s);
		return;
	case KEEP_NOTHING:
	case KEEP_KEYS:
		break;
	}
	jsonw_str(w, HIDDEN);
}

/* Depth is at most JSON_MAX_DEPTH. */
static void
put_value(struct jsonw *w, const struct json_node *v, enum keep keep)
{
	const struct json_node *m;
	struct redact_words words = REDACT_WORDS_INIT;

	switch (json_type(v)) {
	case JSON_NULL:
		jsonw_str(w, NULL);
		return;
	case JSON_BOOL:
		jsonw_bool(w, json_bool(v));
		return;
	case JSON_NUMBER:
		if (keep == KEEP_KEYS) {
			jsonw_str(w, HIDDEN);
		} else {
			jsonw_number(w, json_number(v));
		}
		return;
	case JSON_STRING:
		put_string(w, json_string(v), keep, &words);
		return;
	case JSON_ARRAY:
		jsonw_array(w);
		for (m = json_first(v); m != NULL; m = json_next(m)) {
			if (json_type(m) == JSON_STRING) {
				put_string(w, json_string(m), keep, &words);
			} else {
				put_value(w, m, keep);
			}
		}
		jsonw_array_end(w);
		return;
	case JSON_OBJECT:
		break;
	}
	jsonw_object(w);
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		jsonw_key_span(w, json_key(m));
		/* In a map the names are its owner's, and mean nothing. */
		put_value(w, m,
		    keep == KEEP_KEYS || keep == KEEP_NAMES
			? KEEP_KEYS
			: keep_of(json_key(m)));
	}
	jsonw_object_end(w);
}

static enum err
put_body(struct jsonw *w, struct span body)
{
	struct json_doc *doc = NULL;
	enum err rc;

	if (body.len == 0) {
		return ERR_OK;
	}
	rc = json_parse(body, JSON_STRICT, &doc, NULL);
	if (rc != ERR_OK) {
		return rc;
	}
	jsonw_key(w, "body");
	put_value(w, json_root(doc), KEEP_NOTHING);
	json_free(doc);
	return ERR_OK;
}

/* --- the query ----------------------------------------------------------- */

/* An object: its names.  Anything else tells nothing. */
static void
put_query_json(struct jsonw *w, struct span text)
{
	struct json_doc *doc = NULL;
	const struct json_node *m;

	if (json_parse(text, JSON_STRICT, &doc, NULL) != ERR_OK ||
	    json_type(json_root(doc)) != JSON_OBJECT) {
		jsonw_str(w, HIDDEN);
		json_free(doc);
		return;
	}
	jsonw_object(w);
	for (m = json_first(json_root(doc)); m != NULL; m = json_next(m)) {
		jsonw_key_span(w, json_key(m));
		jsonw_str(w, HIDDEN);
	}
	jsonw_object_end(w);
	json_free(doc);
}

static bool
is_plain_number(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.p[i])) {
			return false;
		}
	}
	return s.len < 20;
}

static void
put_query_value(
    struct jsonw *w, const struct op *op, const struct query_pair *q)
{
	enum op_value kind =
	    op == NULL ? OP_VALUE_TEXT : ops_query_value(op, q->key);
	size_t i;

	if (kind == OP_VALUE_JSON) {
		put_query_json(w, q->value);
		return;
	}
	if (kind == OP_VALUE_BOOL && q->value.len <= 5) {
		jsonw_span(w, q->value);
		return;
	}
	if (is_plain_number(q->value) && op != NULL) {
		jsonw_span(w, q->value);
		return;
	}
	for (i = 0; i < NELEM(query_texts); i++) {
		if (span_is(q->key, query_texts[i])) {
			put_text(w, q->value);
			return;
		}
	}
	jsonw_str(w, HIDDEN);
}

/* An array of pairs: keys may repeat, and their order may matter. */
static void
put_query(struct jsonw *w, const struct canon_req *req)
{
	size_t i;

	jsonw_key(w, "query");
	jsonw_array(w);
	for (i = 0; i < req->n_query; i++) {
		jsonw_object(w);
		jsonw_kv_span(w, "key", req->query[i].key);
		jsonw_key(w, "value");
		put_query_value(w, req->op, &req->query[i]);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

enum err
redact_request(const struct canon_req *req, struct span body, struct buf *out)
{
	struct jsonw w;
	enum err rc;

	jsonw_init(&w, out);
	jsonw_object(&w);
	put_query(&w, req);
	rc = put_body(&w, body);
	jsonw_object_end(&w);
	return rc == ERR_OK ? w.err : rc;
}
