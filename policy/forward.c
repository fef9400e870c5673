/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on to dockerd of a judged request's head; see policy.h.
 *
 * Headers of constrained roles pass by a list: what docker, docker-py,
 * dockerode and buildx send and dockerd reads.  The target is written from
 * the canonical request, with the full id where dockerd told it and without
 * the query keys that dockerd does not read.
 *
 * Attackers send headers that a middle box or a later dockerd might obey
 * (X-Forwarded-*, X-HTTP-Method-Override, Docker-*): not on the list.
 */
#include <stdio.h>

#include "decision.h"

/* A "*" at the end stands for any rest. */
static const char *const kept_headers[] = {
	"accept",
	"accept-encoding",
	"baggage",
	"content-type",
	"if-none-match",
	"origin",
	"sec-websocket-*",
	"traceparent",
	"tracestate",
	"user-agent",
	"x-docker-expose-session-*",
	"x-meta-*",
	"x-registry-auth",
	"x-registry-config",
};

bool
policy_keeps_header(const struct decision *d, struct span name)
{
	size_t i, n;

	if (policy_passes_unread(d)) {
		return true;
	}
	for (i = 0; i < NELEM(kept_headers); i++) {
		n = strlen(kept_headers[i]) - 1;
		if (span_is_nocase(name, kept_headers[i]) ||
		    (kept_headers[i][n] == '*' && name.len > n &&
			strncasecmp(name.p, kept_headers[i], n) == 0)) {
			return true;
		}
	}
	return false;
}

/* The path, with the object's full id in place of its name. */
static enum err
write_path(const struct decision *d, struct buf *out)
{
	const struct canon_req *req = d->req;
	const char *end = req->path.p + req->path.len;
	const char *after = req->object.p + req->object.len;
	enum err rc;

	if (d->id.len == 0 || req->object.len == 0) {
		return canon_write_path(req->path, out);
	}
	rc = canon_write_path(
	    span_make(req->path.p, (size_t)(req->object.p - req->path.p)), out);
	if (rc == ERR_OK) {
		rc = canon_write_path(d->id, out);
	}
	if (rc == ERR_OK) {
		rc = canon_write_path(
		    span_make(after, (size_t)(end - after)), out);
	}
	return rc;
}

static bool
is_forced(const struct decision *d, struct span key)
{
	size_t i;

	for (i = 0; i < d->n_forced; i++) {
		if (span_is(key, d->forced[i].key)) {
			return true;
		}
	}
	return false;
}

static enum err
write_query(const struct decision *d, struct buf *out)
{
	const struct canon_req *req = d->req;
	bool first = true;
	enum err rc = ERR_OK;
	size_t i;

	for (i = 0; rc == ERR_OK && i < req->n_query; i++) {
		struct query_pair pair = req->query[i];

		if (extras_query_key(&d->role->extras, req->op, pair.key) !=
		    OP_KEY_READ) {
			continue;
		}
		/* ImageCommit alone names its object in the query. */
		if (d->id.len > 0 && req->object.len == 0 &&
		    span_is(pair.key, "container")) {
			pair.value = d->id;
		}
		if (is_forced(d, pair.key)) {
			continue;
		}
		rc = canon_write_query(&pair, first, out);
		first = false;
	}
	for (i = 0; rc == ERR_OK && i < d->n_forced; i++) {
		struct query_pair pair = { span_of(d->forced[i].key),
			d->forced[i].value };

		rc = canon_write_query(&pair, first, out);
		first = false;
	}
	return rc;
}

enum err
policy_write_target(const struct decision *d, struct buf *out)
{
	enum err rc;

	if (policy_passes_unread(d)) {
		return canon_write_target(d->req, out);
	}
	rc = canon_write_version(d->req->api_minor, out);
	if (rc == ERR_OK) {
		rc = write_path(d, out);
	}
	return rc == ERR_OK ? write_query(d, out) : rc;
}

/* What does not fit is "..." */
void
decision_walk_note(void *arg, const char *what, const char *path)
{
	struct decision *d = arg;
	size_t n = strlen(d->notes);

	if (d->full) {
		return;
	}
	d->full = n + strlen(path) + strlen(what) + 8 > sizeof(d->notes);
	if (d->full) {
		path = "...";
		what = "";
	}
	snprintf(d->notes + n, sizeof(d->notes) - n, "%s%s%s%s",
	    n == 0 ? "" : ", ", path, what[0] == '\0' ? "" : " ", what);
}

const char *
policy_notes(const struct decision *d)
{
	return d->notes;
}

struct span
policy_object_id(const struct decision *d)
{
	return d->id;
}
