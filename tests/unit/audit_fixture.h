/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_FIXTURE_H
#define AUDIT_FIXTURE_H

/* An audit file in /tmp, what was written to it, and an event whose every
 * text is hostile. */
#include "unit.h"

#include <unistd.h>

#include "audit.h"
#include "base/secret.h"
#include "policy/json.h"

/* Ends a line, ends a string, ends UTF-8, ends a terminal. */
#define HOSTILE "\"}\n{\"event\":\"end\"}\r\n\\\x1b[2J\xff\xc3\xe2\x80\xa8"

static const struct audit_queue_size queue_size = { 4u << 20, 32768 };

/* Deadline of a test, not a measure: no test passes by it. */
#define SOON_MS 20000

struct log {
	char path[64];
	struct audit *audit;
	struct secret text;
};

/* Store and writer in one process; the writer holds the store. */
static inline enum err
open_both(const struct audit_options *opt, struct audit **out, struct diag *d)
{
	struct audit_store *store = NULL;
	struct audit_call call;
	enum err rc = audit_store_open(opt, &store, d);

	if (rc != ERR_OK) {
		return rc;
	}
	assert_int_equal(audit_call_store(store, &call), ERR_OK);
	assert_int_equal(audit_open(opt, &call, out), ERR_OK);
	audit_store_drop(store);
	return ERR_OK;
}

static inline enum err
open_log(const char *to, struct audit **out, struct diag *d)
{
	const struct audit_options opt = { .to = to, .queue = queue_size };

	return open_both(&opt, out, d);
}

static inline void
log_begin(struct log *l)
{
	struct diag d;

	memset(l, 0, sizeof(*l));
	(void)snprintf(l->path, sizeof(l->path), "/tmp/dinv-audit-XXXXXX");
	assert_non_null(mkdtemp(l->path));
	assert_int_equal(rmdir(l->path), 0);
	assert_int_equal(open_log(l->path, &l->audit, &d), ERR_OK);
}

static inline void
log_read(struct log *l)
{
	secret_fini(&l->text);
	assert_true(audit_flush(l->audit, SOON_MS));
	assert_int_equal(
	    secret_read_file(&l->text, l->path, 64u << 20), ERR_OK);
}

static inline void
log_end(struct log *l)
{
	audit_close(l->audit);
	secret_fini(&l->text);
	assert_int_equal(unlink(l->path), 0);
}

/* Line n (from 0) of what was read, without its LF; {NULL, 0} past the end. */
static inline struct span
log_line(const struct log *l, size_t n)
{
	const char *p = (const char *)l->text.data, *lf;
	size_t left = l->text.len;

	for (;;) {
		lf = left == 0 ? NULL : memchr(p, '\n', left);
		if (lf == NULL) {
			return span_make(NULL, 0);
		}
		if (n-- == 0) {
			return span_make(p, (size_t)(lf - p));
		}
		left -= (size_t)(lf - p) + 1;
		p = lf + 1;
	}
}

static inline struct json_doc *
parse_line(struct span line)
{
	struct json_doc *doc = NULL;
	struct diag d = { 0, 0, "" };

	assert_non_null(line.p);
	if (json_parse(line, JSON_STRICT, &doc, &d) != ERR_OK) {
		fail_msg("not JSON: %s: %.*s", d.text, SPAN_ARG(line));
	}
	return doc;
}

static inline struct span
member(const struct json_doc *doc, const char *key)
{
	const struct json_node *v = json_get(json_root(doc), key);

	if (v == NULL || json_type(v) != JSON_STRING) {
		fail_msg("%s is not a string", key);
	}
	return json_string(v);
}

static inline uint64_t
number(const struct json_doc *doc, const char *key)
{
	const struct json_node *v = json_get(json_root(doc), key);
	int64_t n = 0;

	if (v == NULL || json_int(v, &n) != ERR_OK) {
		fail_msg("%s is not a number", key);
	}
	return (uint64_t)n;
}

static inline void
fill_hostile(
    struct principal *who, struct policy_why *why, struct audit_event *e)
{
	size_t i;

	memset(who, 0, sizeof(*who));
	who->kind = PRINCIPAL_LOCAL;
	who->cn = span_of(HOSTILE);
	for (i = 0; i < PRINCIPAL_MAX_NAMES; i++) {
		who->o.name[i] = who->ou.name[i] = span_of(HOSTILE);
	}
	who->o.n = who->ou.n = PRINCIPAL_MAX_NAMES;
	(void)snprintf(who->serial, sizeof(who->serial), "%s", HOSTILE);
	(void)snprintf(
	    who->fingerprint, sizeof(who->fingerprint), "%s", HOSTILE);
	(void)snprintf(who->addr, sizeof(who->addr), "%s", HOSTILE);
	memset(why, 0, sizeof(*why));
	why->role = why->rule = HOSTILE;
	why->line = 12;
	(void)snprintf(why->path, sizeof(why->path), "%s", HOSTILE);
	*e = (struct audit_event){
		.kind = AUDIT_END,
		.id = HOSTILE,
		.who = who,
		.tls = HOSTILE,
		.method = METHOD_DELETE,
		.path = span_of(HOSTILE),
		.object = span_of(HOSTILE),
		.decision = HOSTILE,
		.why = why,
		.status = 403,
		.client_bytes = UINT64_MAX / 2,
		.ended = HOSTILE,
		.reason = HOSTILE,
	};
}

#endif
