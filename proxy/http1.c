/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 heads; see http1.h.  The only module that knows http_parser.
 *
 * Two readers, one after the other, and both must be content.  First our own
 * check of the bytes: lines end in CRLF, no bare CR or LF, no NUL, no
 * folding, no blank before a colon, an exact request line.  http-parser is
 * lenient about all of these and no longer maintained; dockerd's reader
 * (Go net/http) is lenient about others.  Then http-parser, which gives the
 * fields.  Then the framing is judged from the fields alone (RFC 9112 6.3):
 * one length or one "chunked", never both, never a list.
 *
 * Rejected: trusting http-parser's own idea of length and keep-alive, which
 * follows the old RFC 2616 rules.
 *
 * Attackers smuggle: a second request in what one parser calls the body.
 */
#include "http1.h"

#include <http_parser.h>

#include "base/text.h"
#include "limit.h"

/* --- the bytes ----------------------------------------------------------- */

size_t
http1_head_length(struct span bytes, size_t *scanned)
{
	size_t i = *scanned > 3 ? *scanned - 3 : 0;
	const char *lf;

	while (i < bytes.len) {
		lf = memchr(bytes.p + i, '\n', bytes.len - i);
		if (lf == NULL) {
			break;
		}
		i = (size_t)(lf - bytes.p) + 1;
		/*
		 * CRLFCRLF ends a head.  LFLF and LFCRLF do too, for other
		 * readers: stop there, so that the check refuses them.
		 */
		if ((i >= 2 && bytes.p[i - 2] == '\n') ||
		    (i >= 3 && bytes.p[i - 2] == '\r' &&
			bytes.p[i - 3] == '\n')) {
			*scanned = i;
			return i;
		}
	}
	*scanned = bytes.len;
	return 0;
}

/* One header line without its CRLF (RFC 9112 5). */
static enum err
check_field_line(struct span line, unsigned n, struct diag *d)
{
	const char *colon = memchr(line.p, ':', line.len);
	size_t i;

	if (line.p[0] == ' ' || line.p[0] == '\t') {
		diag_set(d, n, 1, "folded header lines are not allowed");
		return ERR_HTTP_SYNTAX;
	}
	if (colon == NULL ||
	    !text_is_token(span_make(line.p, (size_t)(colon - line.p)))) {
		diag_set(d, n, 1,
		    "a header line needs a name, a colon and no "
		    "blank between them");
		return ERR_HTTP_SYNTAX;
	}
	for (i = (size_t)(colon - line.p); i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			diag_set(d, n, (unsigned)i + 1,
			    "a control character stands in a header");
			return ERR_HTTP_SYNTAX;
		}
	}
	return ERR_OK;
}

/* Every line of the head; *first gets the start line. */
static enum err
check_lines(struct span head, struct span *first, struct diag *d)
{
	struct span line;
	const char *lf;
	unsigned n = 0;
	size_t at = 0;
	enum err rc;

	while (at + 2 < head.len) {
		lf = memchr(head.p + at, '\n', head.len - at);
		if (lf == NULL || lf == head.p + at || lf[-1] != '\r') {
			diag_set(d, n + 1, 0, "a line does not end in CRLF");
			return ERR_HTTP_SYNTAX;
		}
		line = span_make(head.p + at, (size_t)(lf - head.p) - at - 1);
		at += line.len + 2;
		n++;
		if (line.len == 0) {
			diag_set(d, n, 0, "an empty line stands in the head");
			return ERR_HTTP_SYNTAX;
		}
		if (n == 1) {
			*first = line;
			continue;
		}
		if (n > LIMIT_HEADERS + 1) {
			diag_set(
			    d, n, 0, "more than %d headers", LIMIT_HEADERS);
			return ERR_HTTP_HEAD_LIMIT;
		}
		rc = check_field_line(line, n, d);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	if (n == 0 || head.len - at != 2 ||
	    memcmp(head.p + at, "\r\n", 2) != 0) {
		diag_set(d, n + 1, 0, "the head does not end in CRLF CRLF");
		return ERR_HTTP_SYNTAX;
	}
	return ERR_OK;
}

/* method SP target SP "HTTP/1.1" (RFC 9112 3), one blank each. */
static enum err
check_request_line(struct span line, struct http_head *out, struct diag *d)
{
	const char *a = memchr(line.p, ' ', line.len);
	const char *end = line.p + line.len, *b = NULL;
	struct span version;

	if (a != NULL) {
		b = memchr(a + 1, ' ', (size_t)(end - a) - 1);
	}
	if (b == NULL) {
		diag_set(d, 1, 1, "not a request line");
		return ERR_HTTP_SYNTAX;
	}
	out->method = span_make(line.p, (size_t)(a - line.p));
	out->target = span_make(a + 1, (size_t)(b - a) - 1);
	version = span_make(b + 1, (size_t)(end - b) - 1);
	if (!text_is_token(out->method) || out->target.len == 0 ||
	    !text_is_printable(out->target)) {
		diag_set(d, 1, 1, "not a request line");
		return ERR_HTTP_SYNTAX;
	}
	if (span_is(version, "HTTP/1.1")) {
		return ERR_OK;
	}
	diag_set(d, 1, (unsigned)(b - line.p) + 2,
	    "the request line names another version");
	return span_starts(version, "HTTP/") ? ERR_HTTP_VERSION
					     : ERR_HTTP_SYNTAX;
}

/* "HTTP/1.1" SP 3DIGIT SP [reason] (RFC 9112 4). */
static enum err
check_status_line(struct span line, struct http_head *out, struct diag *d)
{
	uint64_t status;

	if (!span_starts(line, "HTTP/1.1 ") || line.len < 12 ||
	    (line.len > 12 && line.p[12] != ' ') ||
	    text_parse_u64(span_make(line.p + 9, 3), 599, &status) != ERR_OK ||
	    status < 100 || !text_is_printable(line)) {
		diag_set(d, 1, 1, "not an HTTP/1.1 status line");
		return ERR_HTTP_SYNTAX;
	}
	out->status = (unsigned)status;
	out->reason =
	    line.len > 13 ? span_make(line.p + 13, line.len - 13) : span_of("");
	return ERR_OK;
}

/* --- the fields, by http-parser ------------------------------------------ */

struct gather {
	struct http_head *out;
	struct span url;
	bool done;
};

static int
on_url(http_parser *p, const char *at, size_t len)
{
	struct gather *g = p->data;

	g->url = span_make(at, len);
	return 0;
}

static int
on_field(http_parser *p, const char *at, size_t len)
{
	struct gather *g = p->data;

	if (g->out->n_headers == LIMIT_HEADERS) {
		return -1;
	}
	g->out->headers[g->out->n_headers].name = span_make(at, len);
	g->out->headers[g->out->n_headers].value = span_of("");
	g->out->n_headers++;
	return 0;
}

static int
on_value(http_parser *p, const char *at, size_t len)
{
	struct gather *g = p->data;

	if (g->out->n_headers == 0) {
		return -1;
	}
	g->out->headers[g->out->n_headers - 1].value =
	    text_trim(span_make(at, len));
	return 0;
}

static int
on_headers_complete(http_parser *p)
{
	struct gather *g = p->data;

	g->done = true;
	return 1; /* no body here: only the head was given */
}

/* Lengths and sizes that http-parser refuses have codes of their own. */
static enum err
parser_error(enum http_errno e)
{
	switch (e) {
	case HPE_HEADER_OVERFLOW:
		return ERR_HTTP_HEAD_LIMIT;
	case HPE_UNEXPECTED_CONTENT_LENGTH:
	case HPE_INVALID_CONTENT_LENGTH:
	case HPE_INVALID_TRANSFER_ENCODING:
		return ERR_HTTP_FRAMING;
	default:
		return ERR_HTTP_SYNTAX;
	}
}

static enum err
parse_fields(struct arena *arena, struct span head, enum http_parser_type type,
    struct http_head *out, struct diag *d)
{
	static const http_parser_settings settings = {
		.on_url = on_url,
		.on_header_field = on_field,
		.on_header_value = on_value,
		.on_headers_complete = on_headers_complete,
	};
	struct header many[LIMIT_HEADERS];
	struct gather g = { out, { NULL, 0 }, false };
	http_parser p;

	out->n_headers = 0;
	out->headers = many;
	http_parser_init(&p, type);
	p.data = &g;
	(void)http_parser_execute(&p, &settings, head.p, head.len);
	if (!g.done || (type == HTTP_REQUEST && !span_eq(g.url, out->target))) {
		diag_set(d, 0, 0, "%s",
		    http_errno_description(HTTP_PARSER_ERRNO(&p)));
		return parser_error(HTTP_PARSER_ERRNO(&p));
	}
	/* A stream keeps its head for as long as it lives: only what it has. */
	out->headers = arena_array(arena, out->n_headers, sizeof(many[0]));
	if (out->headers == NULL) {
		return ERR_NOMEM;
	}
	memcpy(out->headers, many, out->n_headers * sizeof(many[0]));
	return ERR_OK;
}

/* --- what the fields mean ------------------------------------------------ */

const struct header *
http1_find(const struct http_head *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->n_headers; i++) {
		if (span_is_nocase(h->headers[i].name, name)) {
			return &h->headers[i];
		}
	}
	return NULL;
}

/* The one header of that name; ERR_HTTP_FRAMING where it stands twice. */
static enum err
find_once(const struct http_head *h, const char *name,
    const struct header **out, struct diag *d)
{
	const struct header *found = http1_find(h, name);
	const struct header *end = h->headers + h->n_headers, *i;

	*out = found;
	for (i = found == NULL ? end : found + 1; i < end; i++) {
		if (span_is_nocase(i->name, name)) {
			diag_set(d, 0, 0, "%s stands twice", name);
			return ERR_HTTP_FRAMING;
		}
	}
	return ERR_OK;
}

/* Does a comma-separated list (RFC 9110 5.6.1) hold the token? */
static bool
list_has(struct span list, struct span token)
{
	const char *comma;
	struct span item;

	while (list.len > 0) {
		comma = memchr(list.p, ',', list.len);
		item = span_make(list.p,
		    comma == NULL ? list.len : (size_t)(comma - list.p));
		item = text_trim(item);
		if (item.len == token.len && item.len > 0 &&
		    strncasecmp(item.p, token.p, item.len) == 0) {
			return true;
		}
		list.p += item.len + (comma != NULL);
		list.len -= item.len + (comma != NULL);
	}
	return false;
}

static bool
connection_has(const struct http_head *h, struct span token)
{
	size_t i;

	for (i = 0; i < h->n_headers; i++) {
		if (span_is_nocase(h->headers[i].name, "connection") &&
		    list_has(h->headers[i].value, token)) {
			return true;
		}
	}
	return false;
}

/* All Connection headers together name a word or two. */
static enum err
judge_connection(const struct http_head *h, struct diag *d)
{
	size_t i, len = 0;

	for (i = 0; i < h->n_headers; i++) {
		if (span_is_nocase(h->headers[i].name, "connection")) {
			len += h->headers[i].value.len + 1;
		}
	}
	if (len > LIMIT_CONNECTION_VALUE_BYTES) {
		diag_set(d, 0, 0, "Connection names too much");
		return ERR_HTTP_HEAD_LIMIT;
	}
	return ERR_OK;
}

/* RFC 9112 6.3, made strict. */
static enum err
judge_framing(struct http_head *h, enum body_kind otherwise, struct diag *d)
{
	const struct header *te, *cl;
	enum err rc = judge_connection(h, d);

	if (rc == ERR_OK) {
		rc = find_once(h, "transfer-encoding", &te, d);
	}
	if (rc == ERR_OK) {
		rc = find_once(h, "content-length", &cl, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	h->close = connection_has(h, span_of("close"));
	h->body = otherwise;
	if (te != NULL && cl != NULL) {
		diag_set(d, 0, 0,
		    "Transfer-Encoding and Content-Length stand together");
		return ERR_HTTP_FRAMING;
	}
	if (te != NULL) {
		if (!span_is_nocase(te->value, "chunked")) {
			diag_set(d, 0, 0,
			    "the only Transfer-Encoding known is chunked");
			return ERR_HTTP_FRAMING;
		}
		h->body = BODY_CHUNKED;
	}
	if (cl != NULL) {
		if (text_parse_u64(cl->value, INT64_MAX, &h->length) !=
		    ERR_OK) {
			diag_set(d, 0, 0, "Content-Length is not a number");
			return ERR_HTTP_FRAMING;
		}
		h->has_length = true;
		h->body = BODY_LENGTH;
	}
	return ERR_OK;
}

static enum err
judge_upgrade(struct http_head *h, struct diag *d)
{
	const struct header *up;
	enum err rc = find_once(h, "upgrade", &up, d);

	if (rc != ERR_OK || up == NULL ||
	    !connection_has(h, span_of("upgrade"))) {
		return rc; /* RFC 9110 7.8: without Connection it is ignored */
	}
	h->upgrade_value = up->value;
	if (span_is_nocase(up->value, "tcp")) {
		h->upgrade = UPGRADE_TCP;
	} else if (span_is_nocase(up->value, "h2c")) {
		h->upgrade = UPGRADE_H2C;
	} else if (span_is_nocase(up->value, "websocket")) {
		h->upgrade = UPGRADE_WEBSOCKET;
	} else {
		h->upgrade = UPGRADE_OTHER;
	}
	return ERR_OK;
}

static enum err
judge_request(struct http_head *h, struct diag *d)
{
	const struct header *one;
	enum err rc;

	rc = find_once(h, "host", &one, d);
	if (rc == ERR_OK && one == NULL) {
		diag_set(d, 0, 0, "Host is missing"); /* RFC 9112 3.2 */
		rc = ERR_HTTP_SYNTAX;
	}
	if (rc == ERR_OK) {
		rc = find_once(h, "content-type", &one, d);
	}
	if (rc == ERR_OK) {
		rc = judge_upgrade(h, d);
	}
	if (rc == ERR_OK) {
		rc = find_once(h, "expect", &one, d);
	}
	if (rc != ERR_OK || one == NULL) {
		return rc;
	}
	if (!span_is_nocase(one->value, "100-continue")) {
		diag_set(d, 0, 0, "the only Expect known is 100-continue");
		return ERR_HTTP_EXPECT;
	}
	h->expect_continue = true;
	return ERR_OK;
}

enum err
http1_parse_request(struct arena *arena, struct span head,
    struct http_head *out, struct diag *d)
{
	struct span first = { NULL, 0 };
	struct http_head h;
	enum err rc;

	memset(&h, 0, sizeof(h));
	rc = check_lines(head, &first, d);
	if (rc == ERR_OK) {
		rc = check_request_line(first, &h, d);
	}
	if (rc == ERR_OK) {
		rc = parse_fields(arena, head, HTTP_REQUEST, &h, d);
	}
	if (rc == ERR_OK) {
		rc = judge_framing(&h, BODY_NONE, d);
	}
	if (rc == ERR_OK) {
		rc = judge_request(&h, d);
	}
	if (rc == ERR_OK) {
		*out = h;
	}
	return rc;
}

/* What dockerd sends before it stops speaking HTTP (moby
 * api/server/router/container postContainersAttach, postContainerExecStart). */
static bool
starts_raw_stream(const struct http_head *h)
{
	const struct header *type = http1_find(h, "content-type");

	if (h->status == 101) {
		return true;
	}
	return h->status == 200 && h->body == BODY_EOF && type != NULL &&
	       (span_is_nocase(
		    type->value, "application/vnd.docker.raw-stream") ||
		   span_is_nocase(type->value,
		       "application/vnd.docker.multiplexed-stream"));
}

enum err
http1_parse_answer(struct arena *arena, struct span head, enum method to,
    struct http_head *out, struct diag *d)
{
	struct span first = { NULL, 0 };
	struct http_head h;
	enum err rc;

	memset(&h, 0, sizeof(h));
	rc = check_lines(head, &first, d);
	if (rc == ERR_OK) {
		rc = check_status_line(first, &h, d);
	}
	if (rc == ERR_OK) {
		rc = parse_fields(arena, head, HTTP_RESPONSE, &h, d);
	}
	if (rc == ERR_OK) {
		rc = judge_framing(&h, BODY_EOF, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	h.upgraded_tcp = starts_raw_stream(&h);
	if (to == METHOD_HEAD || h.status < 200 || h.status == 204 ||
	    h.status == 304) {
		h.body = BODY_NONE;
	}
	*out = h;
	return ERR_OK;
}

bool
http1_hop_by_hop(const struct http_head *h, struct span name)
{
	static const char *const hop[] = { "connection", "keep-alive", "te",
		"transfer-encoding", "content-length", "upgrade",
		"http2-settings", "expect", "host" };
	size_t i;

	for (i = 0; i < NELEM(hop); i++) {
		if (span_is_nocase(name, hop[i])) {
			return true;
		}
	}
	return span_starts_nocase(name, "proxy-") || connection_has(h, name);
}
