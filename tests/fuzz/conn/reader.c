/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerd, as far as it reads; see world.h.
 *
 * Every byte that the gate writes to it must be part of a request that the
 * gate may send at that moment: one that was allowed, written on its own
 * client's connection, or a question while one is being judged.  Bodies are
 * as long as their heads say; what comes after a request before its answer,
 * other than in a raw stream, is a second request, and smuggled.
 */
#include "base/text.h"
#include "world.h"

static bool
hex_line(struct span s, uint64_t *n, size_t *used)
{
	size_t i;

	*n = 0;
	for (i = 0; i < s.len && i < 16 &&
		    strchr("0123456789abcdefABCDEF", s.p[i]) != NULL;
	     i++) {
		*n = *n * 16 + (uint64_t)(s.p[i] <= '9'
					      ? s.p[i] - '0'
					      : (s.p[i] | 32) - 'a' + 10);
	}
	if (i == 0 || i + 2 > s.len || s.p[i] != '\r' || s.p[i + 1] != '\n') {
		return false;
	}
	*used = i + 2;
	return true;
}

/* Trailers, as far as they are there. */
static void
read_trailers(struct content *out, struct span s)
{
	size_t at = 0;
	const char *end;

	while (at < s.len) {
		end = memchr(s.p + at, '\n', s.len - at);
		if (end == NULL) {
			return;
		}
		if (end - (s.p + at) == 1 && s.p[at] == '\r') {
			out->whole = true;
			out->taken += at + 2;
			return;
		}
		at = (size_t)(end - s.p) + 1;
	}
}

static void
read_chunks(struct content *out, struct span s)
{
	size_t at = 0, used = 0;
	uint64_t n = 0;

	for (;;) {
		if (memchr(s.p + at, '\n', s.len - at) == NULL) {
			break;
		}
		if (!hex_line(span_make(s.p + at, s.len - at), &n, &used)) {
			out->broken = true;
			break;
		}
		at += used;
		if (n == 0) {
			out->taken = at;
			read_trailers(out, span_make(s.p + at, s.len - at));
			return;
		}
		used = n < s.len - at ? (size_t)n : s.len - at;
		tape_add(&out->bytes, s.p + at, used);
		at += used;
		if (s.len - at < 2) {
			break;
		}
		if (s.p[at] != '\r' || s.p[at + 1] != '\n') {
			out->broken = true;
			break;
		}
		at += 2;
	}
	out->taken = at;
}

void
content_read(
    struct content *out, struct span from, enum body_kind kind, uint64_t length)
{
	size_t n = from.len;

	memset(out, 0, sizeof(*out));
	if (kind == BODY_CHUNKED) {
		read_chunks(out, from);
		return;
	}
	if (kind != BODY_EOF && length < n) {
		n = (size_t)length;
	}
	if (kind == BODY_NONE) {
		n = 0;
	}
	tape_add(&out->bytes, from.p, n);
	out->taken = n;
	out->whole = kind == BODY_NONE || (kind == BODY_LENGTH && n == length);
}

/* --- heads --------------------------------------------------------------- */

static struct span
field(struct span head, const char *name)
{
	size_t n = strlen(name);
	const char *p = head.p, *end = head.p + head.len, *eol;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p++;
		eol = memchr(p, '\r', (size_t)(end - p));
		if (eol == NULL || eol == p) {
			break;
		}
		if ((size_t)(eol - p) > n + 1 && strncasecmp(p, name, n) == 0 &&
		    p[n] == ':') {
			return span_make(p + n + 2, (size_t)(eol - p) - n - 2);
		}
	}
	return span_of("");
}

/* No line that two could read in two ways. */
static void
check_lines(struct span head)
{
	size_t i;

	for (i = 0; i < head.len; i++) {
		CHECK(head.p[i] != '\n' || (i > 0 && head.p[i - 1] == '\r'));
		CHECK(head.p[i] != '\r' || head.p[i + 1] == '\n');
		CHECK(head.p[i] != '\0');
		CHECK(i < 2 || head.p[i - 1] != '\n' ||
		      (head.p[i] != ' ' && head.p[i] != '\t'));
	}
	CHECK(span_is(field(head, "Host"), "docker"));
}

static void
read_framing(struct question *q, struct span head)
{
	struct span len = field(head, "Content-Length");
	size_t i;

	q->kind = BODY_NONE;
	q->length = 0;
	if (span_is(field(head, "Transfer-Encoding"), "chunked")) {
		CHECK(len.len == 0);
		q->kind = BODY_CHUNKED;
	} else if (len.len > 0) {
		q->kind = BODY_LENGTH;
		for (i = 0; i < len.len; i++) {
			CHECK(len.p[i] >= '0' && len.p[i] <= '9');
			q->length = q->length * 10 + (uint64_t)(len.p[i] - '0');
		}
	}
}

/* What these may send, whatever the policy in force is. */
static void
check_right(const struct conn *c, enum method method, const struct op *op)
{
	unsigned who = sock_of(c->client.s->fd)->who;

	if (!tls_is(c->client.s)) {
		return;
	}
	CHECK(who != 6 && who != 8); /* nobody */
	if (who == 2 && policy_report(c->req->decision) == NULL) {
		CHECK(method == METHOD_GET || method == METHOD_HEAD);
		CHECK(op != NULL && op->class == OPC_READ);
	}
}

/* A forwarded one: what was judged, on its own client's connection. */
static void
check_forwarded(struct sock *s, struct span head, struct seen *r)
{
	const struct conn *c = s->conn;
	const char *blank = memchr(head.p, ' ', head.len), *end;
	enum method method;
	struct canon_req req;
	struct arena arena;

	CHECK(blank != NULL);
	end = memchr(blank + 1, ' ', head.len - (size_t)(blank + 1 - head.p));
	CHECK(end != NULL);
	CHECK(c->req != NULL && c->req->judged);
	CHECK(strcmp(c->req->id, r->id) == 0);
	CHECK(r->client == sock_of(c->client.s->fd));
	CHECK(!r->denied && !r->freed && !r->by_gate);
	method = method_parse(span_make(head.p, (size_t)(blank - head.p)));
	CHECK(method == r->method);
	arena_init(&arena, FUZZ_ARENA_BYTES);
	world.in_gate = false;
	CHECK(canon_request(&arena, method,
		  span_make(blank + 1, (size_t)(end - blank - 1)), &req,
		  NULL) == ERR_OK);
	CHECK(req.op == c->req->canon.op);
	check_right(c, method, req.op);
	arena_fini(&arena);
	world.in_gate = true;
	r->sent++;
	CHECK(r->sent == 1 ||
	      (r->sent == 2 && r->to != s &&
		  (method == METHOD_GET || method == METHOD_HEAD)));
	r->to = s;
	r->to_head = s->q.begin;
	r->to_body = s->q.begin + s->q.head;
	r->to_kind = s->q.kind;
	r->to_length = s->q.length;
}

static void
read_head(struct sock *s, struct span head)
{
	struct span id = field(head, REQUEST_ID);
	const struct conn *c = s->conn;
	char name[40];

	CHECK(c != NULL);
	check_lines(head);
	read_framing(&s->q, head);
	if (id.len == 0) { /* the gate's own */
		CHECK(c->req != NULL && !c->req->judged);
		CHECK(c->state == CS_FACT);
		CHECK(span_starts(head, "GET ") || span_starts(head, "POST "));
		CHECK(span_is(field(head, "Accept"), "application/json"));
		s->q.seen = NULL;
		return;
	}
	CHECK(id.len < sizeof(name));
	memcpy(name, id.p, id.len);
	name[id.len] = '\0';
	s->q.seen = seen_of(name);
	CHECK(s->q.seen != NULL);
	check_forwarded(s, head, s->q.seen);
}

/* What it was asked is answered from the script's list. */
static void
answer_next(struct sock *s)
{
	struct tape *t;

	s->n_requests++;
	if (world.next_answer < world.n_answers) {
		t = &world.answers[world.next_answer++];
		sock_send(s, t->p, t->len);
	}
}

void
reader_look(struct sock *s)
{
	struct question *q = &s->q;
	struct content body;
	struct span in;
	size_t scanned = 0;

	if (!s->daemon) {
		return;
	}
	while (q->at != READ_RAW && s->gate.len > q->begin) {
		in = tape_from(&s->gate, q->begin);
		if (q->at == READ_HEAD) {
			/* The last one's answer has been read. */
			q->head = http1_head_length(in, &scanned);
			scanned = 0;
			if (q->head == 0) {
				CHECK(in.len < 1u << 20);
				return;
			}
			read_head(s, span_make(in.p, q->head));
			q->at = READ_BODY;
		}
		content_read(&body, tape_from(&s->gate, q->begin + q->head),
		    q->kind, q->length);
		CHECK(!body.broken);
		scanned = body.taken;
		if (body.whole) {
			q->begin += q->head + scanned;
			q->at = READ_HEAD;
		}
		scanned = 0;
		tape_free(&body.bytes);
		if (!body.whole) {
			return;
		}
		answer_next(s);
	}
}
