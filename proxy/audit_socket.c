/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit records as datagrams; see audit_socket.h.
 *
 * A record is one datagram on a unix socket.  One that is gone (the logger was
 * restarted) is connected to anew; one that is full is waited for, so that the
 * queue keeps what it cannot take.
 *
 * syslog: <86>1 TIME HOST dinv PID audit - RECORD (authpriv.info).
 * journal: MESSAGE is the record, and fields of it have names of their own
 * (DINV_OP=ContainerCreate), so that journalctl finds them.
 *
 * A record that no datagram can hold (they are 64 KiB and more) is replaced by
 * one that says so, with its number: it is better to know of a hole.
 *
 * Attackers name things so that a field is taken for another: a value with an
 * escape in it is left to MESSAGE, which is JSON.
 */
#include "audit_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "audit_fields.h"
#include "audit_sink.h"
#include "base/buf.h"
#include "limit.h"

#define SOCKET_HEAD_BYTES 4096
#define SOCKET_SEND_BYTES (2 << 20)

struct audit_socket {
	struct sockaddr_un sa;
	bool journal;
	int fd; /* -1: not connected */
	char host[256];
	struct buf text; /* one datagram */
};

static const struct {
	const char *prefix;
	const char *path;
	bool journal;
} kinds[] = {
	{ "syslog:", "/dev/log", false },
	{ "journal:", "/run/systemd/journal/socket", true },
};

bool
audit_socket_is(const char *to)
{
	size_t i;

	for (i = 0; i < NELEM(kinds); i++) {
		if (span_starts(span_of(to), kinds[i].prefix)) {
			return true;
		}
	}
	return false;
}

static int
dial(struct audit_socket *s)
{
	int size = SOCKET_SEND_BYTES;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1) {
		return errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&s->sa, sizeof(s->sa)) == -1) {
		int why = errno;

		close(fd);
		return why;
	}
	s->fd = fd;
	return 0;
}

enum err
audit_socket_open(const char *to, struct audit_socket **out, struct diag *d)
{
	struct audit_socket *s = calloc(1, sizeof(*s));
	const char *path = to;
	size_t i;
	int why;

	if (s == NULL) {
		return ERR_NOMEM;
	}
	for (i = 0; i < NELEM(kinds); i++) {
		if (span_starts(span_of(to), kinds[i].prefix)) {
			path = to + strlen(kinds[i].prefix);
			path = *path == '\0' ? kinds[i].path : path;
			s->journal = kinds[i].journal;
		}
	}
	s->fd = -1;
	s->sa.sun_family = AF_UNIX;
	(void)snprintf(s->sa.sun_path, sizeof(s->sa.sun_path), "%s", path);
	buf_init(&s->text, LIMIT_AUDIT_RECORD_BYTES + 4 * SOCKET_HEAD_BYTES);
	if (gethostname(s->host, sizeof(s->host) - 1) == -1 ||
	    s->host[0] == '\0') {
		(void)snprintf(s->host, sizeof(s->host), "-");
	}
	why = strlen(path) >= sizeof(s->sa.sun_path) ? ENAMETOOLONG : dial(s);
	if (why != 0) {
		diag_set(d, 0, 0, "cannot reach the logger at %s: %s", path,
		    strerror(why));
		audit_socket_close(s);
		return ERR_IO;
	}
	*out = s;
	return ERR_OK;
}

void
audit_socket_close(struct audit_socket *s)
{
	if (s != NULL) {
		if (s->fd != -1) {
			close(s->fd);
		}
		buf_fini(&s->text);
		free(s);
	}
}

static enum err
put_field(struct buf *out, const char *name, struct span v)
{
	enum err rc;

	if (v.len == 0 || memchr(v.p, '\\', v.len) != NULL) {
		return ERR_OK;
	}
	rc = buf_append_str(out, name);
	if (rc == ERR_OK) {
		rc = buf_append(out, v.p, v.len);
	}
	return rc == ERR_OK ? buf_append_str(out, "\n") : rc;
}

static enum err
write_journal(struct buf *out, struct span line, const struct audit_fields *f)
{
	static const struct {
		const char *name;
		enum audit_field of;
	} fields[] = {
		{ "DINV_SEQ=", AF_SEQ },
		{ "DINV_EVENT=", AF_EVENT },
		{ "DINV_ID=", AF_ID },
		{ "DINV_CLIENT=", AF_CN },
		{ "DINV_CLIENT_UID=", AF_UID },
		{ "DINV_ADDR=", AF_ADDR },
		{ "DINV_METHOD=", AF_METHOD },
		{ "DINV_PATH=", AF_PATH },
		{ "DINV_OP=", AF_OP },
		{ "DINV_OBJECT=", AF_OBJECT },
		{ "DINV_DECISION=", AF_DECISION },
		{ "DINV_ROLE=", AF_ROLE },
		{ "DINV_RULE=", AF_RULE },
		{ "DINV_STATUS=", AF_STATUS },
		{ "DINV_ENDED=", AF_ENDED },
	};
	enum err rc = buf_append_str(
	    out, "PRIORITY=6\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=dinv\n");
	size_t i;

	for (i = 0; i < NELEM(fields) && rc == ERR_OK; i++) {
		rc = put_field(out, fields[i].name, f->of[fields[i].of]);
	}
	if (rc == ERR_OK) {
		rc = buf_append_str(out, "MESSAGE=");
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, line.p, line.len);
	}
	return rc == ERR_OK ? buf_append_str(out, "\n") : rc;
}

static enum err
write_syslog(const struct audit_socket *s, struct buf *out, struct span line,
    const struct audit_fields *f)
{
	struct span time = f->of[AF_TIME];
	enum err rc;

	if (time.len == 0 || time.len > 32) {
		time = span_of("-");
	}
	rc = buf_printf(out, "<86>1 %.*s %s dinv %d audit - ", SPAN_ARG(time),
	    s->host, (int)getpid());
	return rc == ERR_OK ? buf_append(out, line.p, line.len) : rc;
}

static enum err
write_text(struct audit_socket *s, struct span line)
{
	struct audit_fields f;

	(void)audit_fields_scan(line, &f);
	buf_consume(&s->text, s->text.len);
	return s->journal ? write_journal(&s->text, line, &f)
			  : write_syslog(s, &s->text, line, &f);
}

/* 0, or errno. */
static int
send_text(struct audit_socket *s, int wait_ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	struct span t = buf_span(&s->text);
	int why;

	if (s->fd == -1) {
		why = dial(s);
		if (why != 0) {
			return why;
		}
		p.fd = s->fd;
	}
	if (send(s->fd, t.p, t.len, MSG_NOSIGNAL) != -1) {
		return 0;
	}
	why = errno;
	if (why == EAGAIN || why == ENOBUFS) {
		(void)poll(&p, 1, wait_ms);
		return send(s->fd, t.p, t.len, MSG_NOSIGNAL) == -1 ? EAGAIN : 0;
	}
	if (why != EMSGSIZE) {
		close(s->fd); /* ECONNREFUSED: its reader has gone */
		s->fd = -1;
	}
	return why;
}

/* What stands for a record that no datagram can hold. */
static int
send_stand_in(struct audit_socket *s, struct span line, int wait_ms)
{
	struct audit_fields f;
	char text[256];

	(void)audit_fields_scan(line, &f);
	(void)snprintf(text, sizeof(text),
	    "{\"seq\":%" PRIu64 ",\"event\":\"lost\",\"records\":1,"
	    "\"reason\":\"%zu bytes are too long for this log\"}",
	    audit_field_u64(&f, AF_SEQ), line.len);
	return write_text(s, span_of(text)) == ERR_OK ? send_text(s, wait_ms)
						      : ENOMEM;
}

int
audit_socket_put(
    struct audit_socket *s, struct span lines, size_t *took, int wait_ms)
{
	const int64_t until = audit_sink_ms() + wait_ms;
	struct span line;
	const char *lf;
	int why;

	*took = 0;
	while (*took < lines.len) {
		wait_ms = audit_sink_left(until);
		line = span_make(lines.p + *took, lines.len - *took);
		lf = memchr(line.p, '\n', line.len);
		line.len = lf == NULL ? line.len : (size_t)(lf - line.p);
		why = write_text(s, line) == ERR_OK ? send_text(s, wait_ms)
						    : ENOMEM;
		if (why == EMSGSIZE) {
			why = send_stand_in(s, line, wait_ms);
		}
		if (why == EAGAIN && *took > 0) {
			return 0;
		}
		if (why != 0) {
			return why;
		}
		*took += line.len + (lf != NULL);
	}
	return 0;
}
