/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_REQUEST_H
#define POLICY_REQUEST_H

/*
 * The canonical request: the one reading of what a client asked, from which
 * both the decision and the request that goes upstream are made.  Whoever
 * sends it, a request that dockerd could read otherwise is refused here.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define CANON_MAX_SEGMENTS 64
#define CANON_MAX_QUERY 512

enum method {
	METHOD_NONE = 0,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_PATCH,
	METHOD_N
};

/* The method's name as it stands on a request line; "?" out of range. */
const char *method_name(enum method m);
/* METHOD_NONE for any spelling but the exact one. */
enum method method_parse(struct span s);

struct header {
	struct span name;  /* a token, as the client spelled it */
	struct span value; /* trimmed; no CR, LF or NUL */
};

struct query_pair {
	struct span key; /* decoded; valid UTF-8, no NUL */
	struct span value;
};

enum upgrade {
	UPGRADE_NONE = 0,
	UPGRADE_TCP,
	UPGRADE_H2C,
	UPGRADE_WEBSOCKET,
	UPGRADE_OTHER, /* asked for something that nobody here speaks */
};

struct op; /* ops.h */

struct canon_req {
	enum method method;
	unsigned api_minor; /* 41 for /v1.41/...; 0 without a prefix */
	struct span path;   /* decoded, "/containers/json", no version */
	struct span segment[CANON_MAX_SEGMENTS]; /* path, split at "/" */
	size_t n_segments;
	struct query_pair *query; /* in the order given; keys may repeat */
	size_t n_query;
	const struct op *op; /* NULL: not an operation the table knows */
	struct span object;  /* what stood for {id} or {name}, or empty */
	struct span object2; /* the second one, or empty */

	/* Filled by the caller from the head, before policy_begin(). */
	const struct header *headers;
	size_t n_headers;
	enum upgrade upgrade; /* Connection: upgrade and Upgrade: ... */
	bool has_body;	      /* Content-Length above 0, or chunked */
};

/*
 * canon_request() -- reads method and request target.
 *
 *   arena   what out points to is allocated here
 *   target  as it stood on the request line (RFC 9112 3.2), origin form
 *   out     zeroed and filled; untouched on failure
 *   d       says what is wrong; may be NULL
 *
 * ERR_TARGET, ERR_TARGET_VERSION, ERR_QUERY, ERR_LIMIT, ERR_NOMEM.
 * Refs: moby api/server createMux, gorilla/mux, net/url; docs/policy.md.
 */
enum err canon_request(struct arena *arena, enum method method,
    struct span target, struct canon_req *out, struct diag *d) MUST_USE;

/*
 * Writes the target anew: version, path and query, percent-encoded where
 * needed, nothing of the client's spelling.
 */
enum err canon_write_target(
    const struct canon_req *req, struct buf *out) MUST_USE;

/* The pieces of a target, for those who write one that differs in a part. */
enum err canon_write_version(unsigned api_minor, struct buf *out) MUST_USE;
enum err canon_write_path(struct span path, struct buf *out) MUST_USE;
enum err canon_write_query(
    const struct query_pair *pair, bool first, struct buf *out) MUST_USE;

/* The first value of a query key, as dockerd reads it; false when absent. */
bool canon_query(
    const struct canon_req *req, const char *key, struct span *value);

/* The one value of a header; false when absent.  Repeated: the first. */
bool canon_header(
    const struct canon_req *req, const char *name, struct span *value);

#endif
