/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file; see conf.h.
 *
 * One table of keys, each with the place it fills; a key that the table does
 * not have is an error, because a misspelt limit that is ignored is a limit
 * that is not there.  Read by the same strict reader as policies.
 */
#include "conf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/secret.h"
#include "base/text.h"
#include "policy/json.h"

#define CONF_FILE_BYTES (1u << 20)

enum conf_kind {
	CONF_STRING, /* const char ** */
	CONF_LIST,   /* struct str_list *: an array of strings */
	CONF_BOOL,   /* bool * */
	CONF_UINT,   /* uint32_t *, 1 and up */
	CONF_MODE,   /* enum gate_tls * */
	CONF_TLS,    /* enum tls_version * */
	CONF_OBJECT, /* keys of its own */
};

struct conf_key {
	const char *name;
	enum conf_kind kind;
	size_t offset;		       /* in struct gate_config */
	const struct conf_key *inside; /* CONF_OBJECT; ended by a NULL name */
};

#define AT(member) offsetof(struct gate_config, member)
#define LIMIT_KEY(name)                                                        \
	{                                                                      \
#name, CONF_UINT, AT(limits.name), NULL                        \
	}

static const struct conf_key conf_limits[] = {
	LIMIT_KEY(handshake_ms),
	LIMIT_KEY(head_ms),
	LIMIT_KEY(body_ms),
	LIMIT_KEY(fact_ms),
	LIMIT_KEY(idle_ms),
	LIMIT_KEY(stop_ms),
	LIMIT_KEY(head_bytes),
	LIMIT_KEY(target_bytes),
	LIMIT_KEY(body_bytes),
	LIMIT_KEY(bodies_bytes),
	LIMIT_KEY(connections),
	LIMIT_KEY(connections_per_address),
	LIMIT_KEY(connections_per_client),
	LIMIT_KEY(handshakes),
	LIMIT_KEY(dead_peer_ms),
	LIMIT_KEY(audit_queue_bytes),
	LIMIT_KEY(audit_queue_records),
	{ NULL, CONF_UINT, 0, NULL },
};

static const struct conf_key conf_tls[] = {
	{ "mode", CONF_MODE, AT(tls), NULL },
	{ "min", CONF_TLS, AT(tls_min), NULL },
	{ "max", CONF_TLS, AT(tls_max), NULL },
	{ NULL, CONF_TLS, 0, NULL },
};

static const struct conf_key conf_keys[] = {
	{ "listen", CONF_LIST, AT(listen), NULL },
	{ "enroll", CONF_LIST, AT(enroll), NULL },
	{ "upstream", CONF_STRING, AT(upstream), NULL },
	{ "user", CONF_STRING, AT(user), NULL },
	{ "certs", CONF_STRING, AT(certs), NULL },
	{ "key_pass_file", CONF_STRING, AT(key_pass_file), NULL },
	{ "ca_pass_file", CONF_STRING, AT(ca_pass_file), NULL },
	{ "policy", CONF_STRING, AT(policy), NULL },
	{ "audit", CONF_STRING, AT(audit), NULL },
	{ "audit_key", CONF_STRING, AT(audit_key), NULL },
	{ "audit_rotate_mb", CONF_UINT, AT(audit_rotate_mb), NULL },
	{ "audit_rotate_hours", CONF_UINT, AT(audit_rotate_hours), NULL },
	{ "audit_keep", CONF_UINT, AT(audit_keep), NULL },
	{ "audit_required", CONF_BOOL, AT(audit_required), NULL },
	{ "admin", CONF_STRING, AT(admin), NULL },
	{ "insecure_admin_remote", CONF_BOOL, AT(insecure_admin_remote), NULL },
	{ "workers", CONF_UINT, AT(workers), NULL },
	{ "debug", CONF_BOOL, AT(debug), NULL },
	{ "tls", CONF_OBJECT, 0, conf_tls },
	{ "limits", CONF_OBJECT, 0, conf_limits },
	{ NULL, CONF_UINT, 0, NULL },
};

static enum err
wrong(const struct json_node *v, const char *name, const char *expected,
    struct diag *d)
{
	unsigned line, col;

	json_where(v, &line, &col);
	diag_set(d, line, col, "%s must be %s", name, expected);
	return ERR_SYNTAX;
}

static const char *
copy_string(const struct json_node *v)
{
	struct span s = json_string(v);

	return strndup(s.p, s.len);
}

static enum err
set_list(const struct json_node *v, const char *name, struct str_list *out,
    struct diag *d)
{
	const struct json_node *i;
	const char *s;
	enum err rc = ERR_OK;

	if (json_type(v) != JSON_ARRAY) {
		return wrong(v, name, "an array of strings", d);
	}
	for (i = json_first(v); i != NULL && rc == ERR_OK; i = json_next(i)) {
		if (json_type(i) != JSON_STRING) {
			return wrong(i, name, "an array of strings", d);
		}
		s = copy_string(i);
		rc = s == NULL ? ERR_NOMEM : str_list_add(out, s);
	}
	return rc;
}

static enum err
set_uint(
    const struct json_node *v, const char *name, uint32_t *out, struct diag *d)
{
	int64_t n;

	if (json_type(v) != JSON_NUMBER || json_int(v, &n) != ERR_OK || n < 1 ||
	    n > INT32_MAX) {
		return wrong(v, name, "a whole number from 1 to 2147483647", d);
	}
	*out = (uint32_t)n;
	return ERR_OK;
}

static enum err
set_mode(const struct json_node *v, const char *name, enum gate_tls *out,
    struct diag *d)
{
	static const char *const names[] = {
		[GATE_TLS_VERIFY] = "verify",
		[GATE_TLS_SERVER] = "server",
		[GATE_TLS_NONE] = "insecure-plain",
	};
	size_t i;

	for (i = 0; i < NELEM(names) && json_type(v) == JSON_STRING; i++) {
		if (span_is(json_string(v), names[i])) {
			*out = (enum gate_tls)i;
			return ERR_OK;
		}
	}
	return wrong(
	    v, name, "\"verify\", \"server\" or \"insecure-plain\"", d);
}

static enum err
set_version(const struct json_node *v, const char *name, enum tls_version *out,
    struct diag *d)
{
	if (json_type(v) == JSON_STRING && span_is(json_string(v), "1.2")) {
		*out = TLS_VERSION_1_2;
		return ERR_OK;
	}
	if (json_type(v) == JSON_STRING && span_is(json_string(v), "1.3")) {
		*out = TLS_VERSION_1_3;
		return ERR_OK;
	}
	return wrong(v, name, "\"1.2\" or \"1.3\"", d);
}

static enum err
set_value(const struct json_node *v, const struct conf_key *k,
    struct gate_config *out, struct diag *d)
{
	char *at = (char *)out + k->offset;
	const char *s;

	switch (k->kind) {
	case CONF_STRING:
		if (json_type(v) != JSON_STRING) {
			return wrong(v, k->name, "a string", d);
		}
		s = copy_string(v);
		if (s == NULL) {
			return ERR_NOMEM;
		}
		*(const char **)(void *)at = s;
		return ERR_OK;
	case CONF_LIST:
		return set_list(v, k->name, (struct str_list *)(void *)at, d);
	case CONF_BOOL:
		if (json_type(v) != JSON_BOOL) {
			return wrong(v, k->name, "true or false", d);
		}
		*(bool *)at = json_bool(v);
		return ERR_OK;
	case CONF_UINT:
		return set_uint(v, k->name, (uint32_t *)(void *)at, d);
	case CONF_MODE:
		return set_mode(v, k->name, (enum gate_tls *)(void *)at, d);
	case CONF_TLS:
		return set_version(
		    v, k->name, (enum tls_version *)(void *)at, d);
	case CONF_OBJECT:
		break;
	}
	return ERR_SYNTAX;
}

static const struct conf_key *
find_key(const struct conf_key *keys, struct span name)
{
	for (; keys->name != NULL; keys++) {
		if (span_is(name, keys->name)) {
			return keys;
		}
	}
	return NULL;
}

static enum err
unknown(const struct json_node *v, const char *name, struct diag *d)
{
	unsigned line, col;
	char key[64];

	text_escape(json_key(v), key, sizeof(key));
	json_where(v, &line, &col);
	diag_set(d, line, col, "unknown key \"%s\" in %s", key, name);
	return ERR_SYNTAX;
}

/* One object of the file; the file's own depth is two. */
static enum err
set_object(const struct json_node *o, const char *name,
    const struct conf_key *keys, struct gate_config *out, struct diag *d)
{
	const struct json_node *v;
	const struct conf_key *k;
	enum err rc = ERR_OK;

	if (json_type(o) != JSON_OBJECT) {
		return wrong(o, name, "an object", d);
	}
	for (v = json_first(o); v != NULL && rc == ERR_OK; v = json_next(v)) {
		k = find_key(keys, json_key(v));
		if (k == NULL) {
			return unknown(v, name, d);
		}
		rc = k->kind == CONF_OBJECT
			 ? set_object(v, k->name, k->inside, out, d)
			 : set_value(v, k, out, d);
	}
	return rc;
}

enum err
conf_load(const char *path, struct gate_config *out, struct diag *d)
{
	struct secret text = { NULL, 0 };
	struct json_doc *doc = NULL;
	struct diag why = { 0, 0, "" };
	enum err rc;

	rc = secret_read_file(&text, path, CONF_FILE_BYTES);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "cannot read %s: %s", path,
		    rc == ERR_LIMIT ? "too large" : strerror(errno));
		return rc;
	}
	rc = json_parse(
	    span_make(text.data, text.len), JSON_COMMENTS, &doc, &why);
	if (rc == ERR_OK) {
		rc = set_object(
		    json_root(doc), "the file", conf_keys, out, &why);
	}
	if (rc != ERR_OK) {
		diag_set(d, why.line, why.col, "%s:%u:%u: %s", path, why.line,
		    why.col, why.text[0] == '\0' ? err_text(rc) : why.text);
	}
	json_free(doc);
	secret_fini(&text);
	return rc;
}
