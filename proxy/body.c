/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message bodies; see body.h.
 *
 * Chunks are read by a small machine of our own and not by http-parser,
 * which takes chunk extensions, blanks and any number of leading zeros and
 * cannot be told not to.  What goes out is always framed anew, so dockerd
 * never sees a chunk line that a client wrote.
 *
 * Refused: chunk extensions, blanks, empty or over-long sizes, 2^52 and more,
 * bare LF, bytes between chunk data and CRLF, malformed trailers.
 * Trailer fields pass on, but for those that frame or route a message
 * (RFC 9110 6.5.1).
 *
 * Attackers send chunk sizes that wrap, one byte a packet, endless trailers.
 */
#include "body.h"

#include <stdio.h>

#include "base/text.h"
#include "limit.h"

enum chunk_state {
	CHUNK_SIZE = 0, /* in the chunk-size line */
	CHUNK_DATA,	/* left bytes of content */
	CHUNK_DATA_END, /* CRLF after the content */
	CHUNK_TRAILER,	/* after the last chunk, up to the blank line */
};

#define CHUNK_SIZE_LINE_BYTES 18 /* 16 digits and CRLF */
#define CHUNK_OVERHEAD_BYTES 32	 /* our own size line and CRLF */
#define LAST_CHUNK_BYTES 5	 /* "0", CRLF, and CRLF behind the trailers */

void
body_init(struct body *b, enum body_kind kind, uint64_t length)
{
	memset(b, 0, sizeof(*b));
	b->kind = kind;
	b->left = kind == BODY_LENGTH ? length : 0;
	b->done = kind == BODY_NONE || (kind == BODY_LENGTH && length == 0);
	buf_init(&b->line, LIMIT_TRAILER_BYTES);
}

void
body_fini(struct body *b)
{
	buf_fini(&b->line);
}

/* n bytes as one chunk; room for it was seen. */
static enum err
put_chunk(struct buf *in, struct buf *out, size_t n)
{
	char size[24];
	int len;
	enum err rc;

	if (buf_reserve(out, n + CHUNK_OVERHEAD_BYTES) == NULL) {
		return ERR_NOMEM;
	}
	len = snprintf(size, sizeof(size), "%zx\r\n", n);
	rc = buf_append(out, size, (size_t)len);
	if (rc == ERR_OK) {
		rc = buf_append(out, in->data + in->off, n);
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, "\r\n", 2);
	}
	if (rc == ERR_OK) {
		buf_consume(in, n);
	}
	return rc;
}

/*
 * One piece of content, at most max bytes; *taken says how many went, 0
 * where out is full.  Memory that is short is no full queue: nothing would
 * wake who waits for it.
 */
static enum err
put_piece(struct buf *in, struct buf *out, uint64_t max, enum body_out as,
    size_t *taken)
{
	size_t n = in->len > max ? (size_t)max : in->len, room;
	enum err rc;

	*taken = 0;
	if (as == BODY_OUT_DISCARD) {
		buf_consume(in, n);
		*taken = n;
		return ERR_OK;
	}
	room = buf_room(out);
	if (as == BODY_OUT_PLAIN) {
		*taken = buf_move(out, in, n);
		return *taken == 0 && n > 0 && room > 0 ? ERR_NOMEM : ERR_OK;
	}
	if (n == 0 || room <= CHUNK_OVERHEAD_BYTES) {
		return ERR_OK;
	}
	room -= CHUNK_OVERHEAD_BYTES;
	n = n > room ? room : n;
	rc = put_chunk(in, out, n);
	if (rc == ERR_OK) {
		*taken = n;
	}
	return rc;
}

/* The ending of a body that goes out in chunks; *put false: out is full. */
static enum err
put_last_chunk(
    struct buf *out, struct span trailer, enum body_out as, bool *put)
{
	size_t need = trailer.len + LAST_CHUNK_BYTES;
	enum err rc;

	*put = as != BODY_OUT_CHUNKED;
	if (*put || buf_room(out) < need) {
		return ERR_OK;
	}
	if (buf_reserve(out, need) == NULL) {
		return ERR_NOMEM;
	}
	rc = buf_append(out, "0\r\n", 3);
	if (rc == ERR_OK) {
		rc = buf_append(out, trailer.p, trailer.len);
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, "\r\n", 2);
	}
	*put = rc == ERR_OK;
	return rc;
}

/*
 * Moves bytes of one line, up to and with LF, to b->line.
 * ERR_OK and *whole: a CRLF line is there.
 */
static enum err
take_line(struct body *b, struct buf *in, size_t max, bool *whole)
{
	const uint8_t *p, *lf;
	size_t n;
	enum err rc;

	*whole = false;
	if (in->len == 0) {
		return ERR_OK;
	}
	p = in->data + in->off;
	lf = memchr(p, '\n', in->len);
	n = lf == NULL ? in->len : (size_t)(lf - p) + 1;
	if (b->line.len + n > max) {
		return ERR_HTTP_CHUNK;
	}
	rc = buf_append(&b->line, p, n);
	if (rc != ERR_OK) {
		return rc;
	}
	buf_consume(in, n);
	if (lf == NULL) {
		return ERR_OK;
	}
	n = b->line.len;
	if (n < 2 || buf_span(&b->line).p[n - 2] != '\r') {
		return ERR_HTTP_CHUNK;
	}
	*whole = true;
	return ERR_OK;
}

/* chunk-size = 1*HEXDIG, no extension (RFC 9112 7.1). */
static enum err
parse_size(struct span line, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;
	int digit;

	if (line.len == 0 || (line.len > 1 && line.p[0] == '0') ||
	    line.len > 13) {
		return ERR_HTTP_CHUNK;
	}
	for (i = 0; i < line.len; i++) {
		digit = text_hex_digit(line.p[i]);
		if (digit < 0) {
			return ERR_HTTP_CHUNK;
		}
		v = v * 16 + (uint64_t)digit;
	}
	*out = v;
	return ERR_OK;
}

static enum err
step_size(struct body *b, struct buf *in, bool *again)
{
	struct span line;
	bool whole;
	enum err rc = take_line(b, in, CHUNK_SIZE_LINE_BYTES, &whole);

	if (rc != ERR_OK || !whole) {
		return rc;
	}
	line = buf_span(&b->line);
	rc = parse_size(span_make(line.p, line.len - 2), &b->left);
	buf_consume(&b->line, line.len);
	if (rc == ERR_OK) {
		b->chunk = b->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
		*again = true;
	}
	return rc;
}

static enum err
step_data_end(struct body *b, struct buf *in, bool *again)
{
	struct span line;
	bool whole;
	enum err rc = take_line(b, in, 2, &whole);

	if (rc != ERR_OK || !whole) {
		return rc;
	}
	line = buf_span(&b->line);
	buf_consume(&b->line, line.len);
	b->chunk = CHUNK_SIZE;
	*again = true;
	return ERR_OK;
}

/* name ":" value CRLF, and not one that frames, routes or authorises. */
static bool
trailer_is_sound(struct span line)
{
	static const char *const refused[] = { "content-length",
		"transfer-encoding", "host", "connection", "upgrade",
		"content-type", "content-encoding", "expect", "trailer", "te",
		"authorization", "x-registry-auth", "x-registry-config" };
	const char *colon = memchr(line.p, ':', line.len);
	struct span name;
	size_t i;

	if (colon == NULL) {
		return false;
	}
	name = span_make(line.p, (size_t)(colon - line.p));
	if (!text_is_token(name)) {
		return false;
	}
	for (i = 0; i < NELEM(refused); i++) {
		if (span_is_nocase(name, refused[i])) {
			return false;
		}
	}
	for (i = name.len; i + 2 < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* Trailer lines gather in b->line; start is where the newest begins. */
static enum err
step_trailer(struct body *b, struct buf *in, struct buf *out, enum body_out as,
    bool *again)
{
	size_t start = (size_t)b->left; /* no longer a count of bytes */
	struct span all = buf_span(&b->line), line;
	enum err rc;
	/* A blank line for which out had no room is there already. */
	bool whole =
	    all.len >= start + 2 && memcmp(all.p + all.len - 2, "\r\n", 2) == 0;

	if (!whole) {
		rc = take_line(b, in, LIMIT_TRAILER_BYTES, &whole);
		if (rc != ERR_OK || !whole) {
			return rc;
		}
	}
	all = buf_span(&b->line);
	line = span_make(all.p + start, all.len - start);
	if (line.len > 2) {
		b->left = all.len;
		*again = true;
		return trailer_is_sound(line) ? ERR_OK : ERR_HTTP_CHUNK;
	}
	return put_last_chunk(out, span_make(all.p, start), as, &b->done);
}

static enum err
pass_chunked(struct body *b, struct buf *in, struct buf *out, enum body_out as)
{
	enum err rc = ERR_OK;
	bool again = true;
	size_t n;

	while (rc == ERR_OK && again && !b->done) {
		again = false;
		switch (b->chunk) {
		case CHUNK_SIZE:
			rc = step_size(b, in, &again);
			break;
		case CHUNK_DATA:
			rc = put_piece(in, out, b->left, as, &n);
			b->left -= n;
			b->bytes += n;
			again = b->left == 0;
			b->chunk = again ? CHUNK_DATA_END : CHUNK_DATA;
			break;
		case CHUNK_DATA_END:
			rc = step_data_end(b, in, &again);
			break;
		default:
			rc = step_trailer(b, in, out, as, &again);
			break;
		}
	}
	return rc;
}

enum err
body_pass(struct body *b, struct buf *in, struct buf *out, enum body_out as)
{
	enum err rc;
	size_t n;

	if (b->done) {
		return ERR_OK;
	}
	if (b->kind == BODY_CHUNKED) {
		return pass_chunked(b, in, out, as);
	}
	rc = put_piece(
	    in, out, b->kind == BODY_EOF ? UINT64_MAX : b->left, as, &n);
	b->bytes += n;
	if (b->kind == BODY_LENGTH) {
		b->left -= n;
		b->done = b->left == 0;
	}
	return rc;
}

enum err
body_end(struct body *b)
{
	if (b->done) {
		return ERR_OK;
	}
	if (b->kind != BODY_EOF) {
		return ERR_HTTP_FRAMING;
	}
	b->done = true;
	return ERR_OK;
}

bool
body_waits(const struct body *b)
{
	struct span all = buf_span(&b->line);

	return b->kind == BODY_CHUNKED && !b->done &&
	       b->chunk == CHUNK_TRAILER && all.len == b->left + 2 &&
	       memcmp(all.p + b->left, "\r\n", 2) == 0;
}
