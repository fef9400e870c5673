/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a running gate; see admin_client.h.
 *
 * One request, and all that comes until the end of the connection, which is
 * how the listener answers (admin_conn.c).  The answer's head is read by the
 * strict reader, and its length must be what came: half an answer is none.
 *
 * Attackers: whoever took the address before the gate did.  What it says is
 * bounded here and escaped where it is printed.
 */
#include "admin_client.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "addr.h"
#include "base/text.h"
#include "http1.h"
#include "limit.h"

#define ASK_TIMEOUT_S 60
#define ASK_ARENA_BYTES 65536

static enum err
say_connect(const char *url, struct diag *d)
{
	if (errno == EACCES || errno == EPERM) {
		diag_set(d, 0, 0,
		    "%s is for root and for the gate's own user: try again "
		    "as one of them",
		    url);
	} else {
		diag_set(d, 0, 0,
		    "no gate listens at %s (%s): start it with -admin ADDR, "
		    "and name the same -admin ADDR here",
		    url, strerror(errno));
	}
	return ERR_IO;
}

static enum err
dial(const char *url, int *out, struct diag *d)
{
	struct timeval limit = { ASK_TIMEOUT_S, 0 };
	struct addr a;
	enum err rc = addr_parse(url, &a, d);
	int fd;

	if (rc != ERR_OK) {
		return rc;
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return say_connect(url, d);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, &a.sa, a.len) == -1) {
		rc = say_connect(url, d);
		close(fd);
		return rc;
	}
	*out = fd;
	return ERR_OK;
}

static bool
send_all(int fd, struct span s)
{
	ssize_t n;

	while (s.len > 0) {
		n = send(fd, s.p, s.len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		s = span_make(s.p + n, s.len - (size_t)n);
	}
	return true;
}

/* To the end of the connection. */
static bool
receive_all(int fd, struct buf *in)
{
	uint8_t *to;
	ssize_t n;

	while (buf_room(in) > 0) {
		to = buf_reserve(in, 1);
		if (to == NULL) {
			return false;
		}
		n = recv(fd, to, in->cap - in->off - in->len, 0);
		if (n == 0) {
			return true;
		}
		if (n < 0 && errno != EINTR) {
			return false;
		}
		buf_commit(in, n < 0 ? 0 : (size_t)n);
	}
	return false;
}

static enum err
read_reply(struct buf *in, struct admin_reply *out)
{
	struct diag d = { 0, 0, "" };
	struct http_head h;
	struct arena arena;
	size_t scanned = 0, len = http1_head_length(buf_span(in), &scanned);
	enum err rc = ERR_HTTP_SYNTAX;

	arena_init(&arena, ASK_ARENA_BYTES);
	if (len > 0) {
		rc = http1_parse_answer(
		    &arena, span_make(buf_span(in).p, len), METHOD_GET, &h, &d);
	}
	if (rc == ERR_OK &&
	    (h.body != BODY_LENGTH || h.length != in->len - len)) {
		rc = ERR_HTTP_SYNTAX;
	}
	if (rc == ERR_OK) {
		out->status = h.status;
		buf_consume(in, len);
		out->body = *in;
		buf_init(in, 0);
	}
	arena_fini(&arena);
	return rc;
}

enum err
admin_ask(const char *url, const char *method, const char *target,
    struct admin_reply *out, struct diag *d)
{
	struct buf request, in;
	int fd = -1;
	enum err rc;

	buf_init(&request, 1024);
	buf_init(&in, 2 * (size_t)LIMIT_ADMIN_BODY_BYTES);
	rc = buf_printf(&request, "%s %s HTTP/1.1\r\nHost: dinv\r\n%s\r\n",
	    method, target,
	    strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
	if (rc == ERR_OK) {
		rc = dial(url, &fd, d);
	}
	if (rc != ERR_OK) {
		goto out;
	}
	if (!send_all(fd, buf_span(&request)) || !receive_all(fd, &in) ||
	    read_reply(&in, out) != ERR_OK) {
		diag_set(d, 0, 0,
		    "%s gave no whole answer: is it a gate's -admin, and does "
		    "it still run?",
		    url);
		rc = ERR_HTTP_SYNTAX;
	}
out:
	if (fd != -1) {
		close(fd);
	}
	buf_fini(&request);
	buf_fini(&in);
	return rc;
}

/* U+0000 to U+001F, U+007F to U+009F. */
static bool
has_control(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b < 0x20 || b == 0x7f ||
		    (b == 0xc2 && i + 1 < s.len &&
			(unsigned char)s.p[i + 1] < 0xa0)) {
			return true;
		}
	}
	return false;
}

void
admin_printable(struct span s, char *out, size_t size)
{
	if (s.len >= size || !text_is_utf8(s) || has_control(s)) {
		text_escape(s, out, size);
		return;
	}
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
}
