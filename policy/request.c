/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical request; see request.h.
 *
 * The target is read once: path and query are percent-decoded into the
 * request's arena, checked there, and written anew from what was decoded.
 * So what policy judged is what dockerd gets, whatever the client's spelling.
 * Handing the client's own bytes on after a check was rejected: dockerd
 * matches its routes on the decoded path (gorilla/mux), net/url forgives
 * what we would refuse, and two readings are one too many.
 *
 * Attackers send here: %2f and %2e segments, "//" and "/../" (dockerd
 * answers 301, which a client might follow around the policy), absolute
 * targets ("foo:/info"), odd versions ("v01.0041", "v1.41.0.0"), API versions
 * older than 1.24 whose start request replaces HostConfig, ";" and bad escapes
 * that /build skips while others stop at them, NUL and overlong UTF-8.
 */
#include "request.h"

#include <stdio.h>

#include "base/text.h"
#include "ops.h"

/* Longer targets than this have no honest use; dockerode's are long. */
#define CANON_MAX_TARGET ((size_t)64 * 1024)
#define CANON_MAX_MINOR 9999

static const char *const method_names[METHOD_N] = {
	[METHOD_NONE] = "?",
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE",
	[METHOD_OPTIONS] = "OPTIONS",
	[METHOD_PATCH] = "PATCH",
};

const char *
method_name(enum method m)
{
	return (unsigned)m < METHOD_N ? method_names[m] : "?";
}

enum method
method_parse(struct span s)
{
	unsigned m;

	for (m = METHOD_GET; m < METHOD_N; m++) {
		if (span_is(s, method_names[m])) {
			return (enum method)m;
		}
	}
	return METHOD_NONE;
}

/* --- decoding ------------------------------------------------------------ */

/* RFC 3986 2.1; plus: "+" is a space (x-www-form-urlencoded). */
static enum err
percent_decode(struct arena *arena, struct span in, bool plus, struct span *out)
{
	char *p = arena_alloc(arena, in.len + 1);
	size_t i, n = 0;
	int hi, lo;

	if (p == NULL) {
		return ERR_NOMEM;
	}
	for (i = 0; i < in.len; i++) {
		if (in.p[i] == '%') {
			if (in.len - i < 3) {
				return ERR_SYNTAX;
			}
			hi = text_hex_digit(in.p[i + 1]);
			lo = text_hex_digit(in.p[i + 2]);
			if (hi < 0 || lo < 0) {
				return ERR_SYNTAX;
			}
			p[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			p[n++] = plus && in.p[i] == '+' ? ' ' : in.p[i];
		}
	}
	*out = span_make(p, n);
	return ERR_OK;
}

static bool
has_control(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			return true;
		}
	}
	return false;
}

/* Every byte printable ASCII, no blank, no fragment (RFC 9112 3.2.1). */
static bool
target_bytes_ok(struct span t)
{
	size_t i;

	for (i = 0; i < t.len; i++) {
		if (t.p[i] <= 0x20 || t.p[i] > 0x7e || t.p[i] == '#') {
			return false;
		}
	}
	return true;
}

/* --- path ---------------------------------------------------------------- */

/*
 * Splits at "/".  Empty segments, "." and ".." are what dockerd would answer
 * with a redirect to some other path: refused, never followed.
 */
static enum err
split_path(struct span path, struct canon_req *req, struct diag *d)
{
	size_t i, start = 1;

	for (i = 1; i <= path.len; i++) {
		struct span s;

		if (i < path.len && path.p[i] != '/') {
			continue;
		}
		s = span_make(path.p + start, i - start);
		if (s.len == 0 || span_is(s, ".") || span_is(s, "..")) {
			diag_set(
			    d, 0, 0, "the path has an empty or dot segment");
			return ERR_TARGET;
		}
		if (req->n_segments == CANON_MAX_SEGMENTS) {
			diag_set(d, 0, 0, "the path has too many segments");
			return ERR_LIMIT;
		}
		req->segment[req->n_segments++] = s;
		start = i + 1;
	}
	return ERR_OK;
}

/* What dockerd's "/v{version:[0-9.]+}" would take for a version. */
static bool
looks_like_version(struct span s)
{
	size_t i;

	if (s.len < 2 || s.p[0] != 'v') {
		return false;
	}
	for (i = 1; i < s.len; i++) {
		if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9')) {
			return false;
		}
	}
	return true;
}

static enum err
read_version(struct span s, unsigned *minor, struct diag *d)
{
	uint64_t n;

	if (!span_starts(s, "v1.") ||
	    text_parse_u64(
		span_make(s.p + 3, s.len - 3), CANON_MAX_MINOR, &n) != ERR_OK) {
		diag_set(d, 0, 0,
		    "the API version must be written v1.%d to "
		    "v1.%d",
		    OPS_API_MINOR_MIN, OPS_API_MINOR_MAX);
		return ERR_TARGET_VERSION;
	}
	if (n < OPS_API_MINOR_MIN) {
		diag_set(d, 0, 0,
		    "client version 1.%u is too old. Minimum "
		    "supported API version is 1.%d, please upgrade your "
		    "client to a newer version",
		    (unsigned)n, OPS_API_MINOR_MIN);
		return ERR_TARGET_VERSION;
	}
	*minor = (unsigned)n;
	return ERR_OK;
}

/* Takes the version off the front of path and segments. */
static enum err
strip_version(struct canon_req *req, struct diag *d)
{
	struct span first = req->segment[0];
	enum err rc;

	if (!looks_like_version(first)) {
		return ERR_OK;
	}
	rc = read_version(first, &req->api_minor, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (req->n_segments == 1) {
		diag_set(d, 0, 0, "nothing follows the API version");
		return ERR_TARGET;
	}
	req->n_segments--;
	memmove(&req->segment[0], &req->segment[1],
	    req->n_segments * sizeof(req->segment[0]));
	req->path.p += 1 + first.len;
	req->path.len -= 1 + first.len;
	return ERR_OK;
}

static enum err
read_path(
    struct arena *arena, struct span raw, struct canon_req *req, struct diag *d)
{
	enum err rc = percent_decode(arena, raw, false, &req->path);

	if (rc == ERR_SYNTAX) {
		diag_set(d, 0, 0, "the path has a bad percent escape");
		return ERR_TARGET;
	}
	if (rc != ERR_OK) {
		return rc;
	}
	if (has_control(req->path) || !text_is_utf8(req->path)) {
		diag_set(d, 0, 0, "the path is not plain UTF-8 text");
		return ERR_TARGET;
	}
	rc = split_path(req->path, req, d);
	if (rc != ERR_OK) {
		return rc;
	}
	return strip_version(req, d);
}

/* --- query --------------------------------------------------------------- */

static enum err
decode_text(
    struct arena *arena, struct span raw, struct span *out, struct diag *d)
{
	enum err rc = percent_decode(arena, raw, true, out);

	if (rc == ERR_NOMEM) {
		return rc;
	}
	if (rc != ERR_OK || !text_is_utf8(*out) ||
	    memchr(out->p, '\0', out->len) != NULL) {
		diag_set(d, 0, 0,
		    "the query has a bad percent escape, a NUL "
		    "or a text that is not UTF-8");
		return ERR_QUERY;
	}
	return ERR_OK;
}

static enum err
read_pair(struct arena *arena, struct span raw, struct query_pair *out,
    struct diag *d)
{
	const char *eq = memchr(raw.p, '=', raw.len);
	size_t key_len = eq == NULL ? raw.len : (size_t)(eq - raw.p);
	enum err rc;

	rc = decode_text(arena, span_make(raw.p, key_len), &out->key, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (out->key.len == 0) {
		diag_set(d, 0, 0, "the query has a value without a key");
		return ERR_QUERY;
	}
	if (eq == NULL) {
		out->value = span_make(out->key.p + key_len, 0);
		return ERR_OK;
	}
	return decode_text(
	    arena, span_make(eq + 1, raw.len - key_len - 1), &out->value, d);
}

static size_t
count_pairs(struct span q)
{
	size_t i, n = 1;

	for (i = 0; i < q.len; i++) {
		n += q.p[i] == '&';
	}
	return n;
}

/* Empty pairs ("a=1&&b=2") mean nothing to anyone and vanish. */
static enum err
read_query(
    struct arena *arena, struct span q, struct canon_req *req, struct diag *d)
{
	size_t i, start = 0, most = count_pairs(q);
	enum err rc;

	/* net/url since Go 1.17 drops a pair with ";"; older ones split. */
	if (memchr(q.p, ';', q.len) != NULL) {
		diag_set(d, 0, 0, "the query has a semicolon");
		return ERR_QUERY;
	}
	if (most > CANON_MAX_QUERY) {
		diag_set(d, 0, 0, "the query has too many pairs");
		return ERR_LIMIT;
	}
	req->query = arena_array(arena, most, sizeof(*req->query));
	if (req->query == NULL) {
		return ERR_NOMEM;
	}
	for (i = 0; i <= q.len; i++) {
		if (i < q.len && q.p[i] != '&') {
			continue;
		}
		if (i > start) {
			rc = read_pair(arena, span_make(q.p + start, i - start),
			    &req->query[req->n_query], d);
			if (rc != ERR_OK) {
				return rc;
			}
			req->n_query++;
		}
		start = i + 1;
	}
	return ERR_OK;
}

/* --- the whole ----------------------------------------------------------- */

static enum err
check_form(struct span target, struct diag *d)
{
	if (target.len > CANON_MAX_TARGET) {
		diag_set(d, 0, 0, "the request target is too long");
		return ERR_LIMIT;
	}
	if (target.len < 2 || target.p[0] != '/' || target.p[1] == '?') {
		diag_set(d, 0, 0,
		    "the request target must be a path such as "
		    "/version");
		return ERR_TARGET;
	}
	if (!target_bytes_ok(target)) {
		diag_set(d, 0, 0,
		    "the request target has a byte that must "
		    "be percent-encoded, or a fragment");
		return ERR_TARGET;
	}
	return ERR_OK;
}

enum err
canon_request(struct arena *arena, enum method method, struct span target,
    struct canon_req *out, struct diag *d)
{
	struct canon_req req = { .method = method };
	const char *mark;
	size_t path_len;
	enum err rc;

	rc = check_form(target, d);
	if (rc != ERR_OK) {
		return rc;
	}
	mark = memchr(target.p, '?', target.len);
	path_len = mark == NULL ? target.len : (size_t)(mark - target.p);
	rc = read_path(arena, span_make(target.p, path_len), &req, d);
	if (rc != ERR_OK) {
		return rc;
	}
	if (mark != NULL && path_len + 1 < target.len) {
		rc = read_query(arena,
		    span_make(mark + 1, target.len - path_len - 1), &req, d);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	req.op = ops_find(
	    method, req.segment, req.n_segments, &req.object, &req.object2);
	*out = req;
	return ERR_OK;
}

/* --- writing ------------------------------------------------------------- */

static bool
is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != 0 && strchr("-._~", c) != NULL);
}

/* Appends s, percent-encoding all but unreserved and the bytes of keep. */
static enum err
percent_encode(struct buf *out, struct span s, const char *keep)
{
	static const char hex[] = "0123456789ABCDEF";
	uint8_t *p = buf_reserve(out, s.len * 3);
	size_t i, n = 0;

	if (s.len == 0) {
		return ERR_OK;
	}
	if (p == NULL) {
		return ERR_LIMIT;
	}
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(c) || (c != 0 && strchr(keep, c) != NULL)) {
			p[n++] = c;
			continue;
		}
		p[n++] = '%';
		p[n++] = (uint8_t)hex[c >> 4];
		p[n++] = (uint8_t)hex[c & 15];
	}
	buf_commit(out, n);
	return ERR_OK;
}

enum err
canon_write_path(struct span path, struct buf *out)
{
	return percent_encode(out, path, "/:@!$'()*,=");
}

enum err
canon_write_query(const struct query_pair *pair, bool first, struct buf *out)
{
	enum err rc = buf_append(out, first ? "?" : "&", 1);

	if (rc == ERR_OK) {
		rc = percent_encode(out, pair->key, "");
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, "=", 1);
	}
	if (rc == ERR_OK) {
		rc = percent_encode(out, pair->value, "");
	}
	return rc;
}

enum err
canon_write_version(unsigned api_minor, struct buf *out)
{
	return api_minor == 0 ? ERR_OK : buf_printf(out, "/v1.%u", api_minor);
}

enum err
canon_write_target(const struct canon_req *req, struct buf *out)
{
	enum err rc = canon_write_version(req->api_minor, out);
	size_t i;

	if (rc == ERR_OK) {
		rc = canon_write_path(req->path, out);
	}
	for (i = 0; rc == ERR_OK && i < req->n_query; i++) {
		rc = canon_write_query(&req->query[i], i == 0, out);
	}
	return rc;
}

/* --- looking up ---------------------------------------------------------- */

bool
canon_query(const struct canon_req *req, const char *key, struct span *value)
{
	size_t i;

	for (i = 0; i < req->n_query; i++) {
		if (span_is(req->query[i].key, key)) {
			*value = req->query[i].value;
			return true;
		}
	}
	return false;
}

bool
canon_header(const struct canon_req *req, const char *name, struct span *value)
{
	size_t i;

	for (i = 0; i < req->n_headers; i++) {
		if (span_is_nocase(req->headers[i].name, name)) {
			*value = req->headers[i].value;
			return true;
		}
	}
	return false;
}
