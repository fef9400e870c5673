/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a running gate; see admin_client.h.
 *
 * One request, one answer (http_client.h).
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
#include "limit.h"

#define ASK_TIMEOUT_S 60

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

enum err
admin_ask(const char *url, const char *method, const char *target,
    struct http_reply *out, struct diag *d)
{
	struct stream *s = NULL;
	struct buf request;
	int fd = -1;
	enum err rc;

	buf_init(&request, 1024);
	rc = buf_printf(&request, "%s %s HTTP/1.1\r\nHost: dinv\r\n%s\r\n",
	    method, target,
	    strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");
	if (rc == ERR_OK) {
		rc = dial(url, &fd, d);
	}
	if (rc == ERR_OK) {
		s = stream_plain_new(fd);
		rc = s == NULL ? ERR_NOMEM : ERR_OK;
	}
	if (rc == ERR_OK) {
		fd = -1;
		rc = http_exchange(s, buf_span(&request),
		    2 * (size_t)LIMIT_ADMIN_BODY_BYTES, out);
		if (rc != ERR_OK && rc != ERR_NOMEM) {
			diag_set(d, 0, 0,
			    "%s gave no whole answer: is it a gate's -admin, "
			    "and does it still run?",
			    url);
			rc = ERR_HTTP_SYNTAX;
		}
	}
	stream_close(s);
	if (fd != -1) {
		close(fd);
	}
	buf_fini(&request);
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
	if (s.len > 0) {
		memcpy(out, s.p, s.len);
	}
	out[s.len] = '\0';
}
