/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit records; see audit.h.
 *
 * A record is built in one piece and appended with one write(2) under a
 * mutex: lines of several threads never mix, and the file is complete up to
 * the last record when the process dies.  A record that cannot be written is
 * counted and the operator is told (once a minute at most); it never stops
 * the loop.  One that a full disk cut is ended before the next, which would
 * be lost with it otherwise.
 *
 * What peers sent is only ever written as a JSON string through jsonw, so
 * that no client can forge a line.  Attackers also put secrets of others in
 * the log by naming things after them; queries, headers and bodies are not
 * recorded for that reason.
 */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "log.h"

/* Path and object of the longest target (policy/request.c: 64 KiB), each
 * byte escaped to six; names in a certificate.  A record that did not fit
 * would be a request that nobody hears of. */
#define AUDIT_RECORD_BYTES (1u << 20)
#define AUDIT_COMPLAIN_S 60

struct audit {
	pthread_mutex_t lock;
	int fd;
	bool own_fd;
	bool torn;		     /* the last line in the file has no end */
	atomic_ullong written, lost; /* read without the lock */
	time_t complained;
};

enum err
audit_open(const char *path, struct audit **out, struct diag *d)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		return ERR_NOMEM;
	}
	a->fd = STDOUT_FILENO;
	if (strcmp(path, "-") != 0) {
		a->fd =
		    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		a->own_fd = true;
	}
	if (a->fd == -1) {
		diag_set(d, 0, 0, "cannot open the audit file %s: %s", path,
		    strerror(errno));
		free(a);
		return ERR_IO;
	}
	pthread_mutex_init(&a->lock, NULL);
	*out = a;
	return ERR_OK;
}

void
audit_close(struct audit *a)
{
	if (a == NULL) {
		return;
	}
	if (a->own_fd) {
		close(a->fd);
	}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void
put_time(struct jsonw *w)
{
	struct timespec ts;
	struct tm tm;
	char stamp[64];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	(void)snprintf(stamp, sizeof(stamp),
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    ts.tv_nsec / 1000000);
	jsonw_kv_str(w, "time", stamp);
}

static void
put_names(struct jsonw *w, const char *key, const struct principal_names *n)
{
	size_t i;

	jsonw_key(w, key);
	jsonw_array(w);
	for (i = 0; i < n->n; i++) {
		jsonw_span(w, n->name[i]);
	}
	jsonw_array_end(w);
}

static void
put_client(struct jsonw *w, const struct principal *who, const char *tls)
{
	static const char *const kinds[] = {
		[PRINCIPAL_NONE] = "none",
		[PRINCIPAL_CERT] = "certificate",
		[PRINCIPAL_LOCAL] = "local",
		[PRINCIPAL_ANONYMOUS] = "anonymous",
	};

	jsonw_key(w, "client");
	jsonw_object(w);
	jsonw_kv_str(w, "kind", kinds[who->kind]);
	jsonw_kv_span(w, "cn", who->cn);
	put_names(w, "o", &who->o);
	put_names(w, "ou", &who->ou);
	jsonw_kv_str(w, "serial", who->serial);
	jsonw_kv_str(w, "fingerprint", who->fingerprint);
	jsonw_kv_str(w, "addr", who->addr);
	jsonw_kv_str(w, "tls", tls);
	if (who->kind == PRINCIPAL_LOCAL) {
		jsonw_kv_u64(w, "uid", who->uid);
		jsonw_kv_u64(w, "gid", who->gid);
	}
	jsonw_object_end(w);
}

static void
put_request(struct jsonw *w, const struct audit_event *e)
{
	jsonw_kv_str(w, "id", e->id);
	jsonw_kv_str(w, "method", method_name(e->method));
	jsonw_kv_span(w, "path", e->path);
	jsonw_kv_str(w, "op", e->op == NULL ? "" : e->op->name);
	jsonw_kv_span(w, "object", e->object);
	jsonw_kv_span(w, "object_id", e->object_id);
}

static void
put_decision(struct jsonw *w, const struct audit_event *e)
{
	const struct policy_why *why = e->why;

	jsonw_kv_str(w, "decision", e->decision);
	jsonw_kv_str(w, "role", why == NULL ? "" : why->role);
	jsonw_kv_str(w, "rule", why == NULL ? "" : why->rule);
	jsonw_kv_str(w, "json_path", why == NULL ? "" : why->path);
	jsonw_kv_u64(w, "policy_line", why == NULL ? 0 : why->line);
}

static void
put_end(struct jsonw *w, const struct audit_event *e)
{
	jsonw_kv_u64(w, "status", e->status);
	jsonw_kv_u64(w, "client_bytes", e->client_bytes);
	jsonw_kv_u64(w, "daemon_bytes", e->daemon_bytes);
	jsonw_kv_u64(w, "duration_ms", e->duration_ms);
	jsonw_kv_str(w, "ended", e->ended);
}

static enum err
build(struct buf *line, const struct audit_event *e)
{
	static const char *const kinds[] = {
		[AUDIT_HANDSHAKE] = "handshake",
		[AUDIT_DECISION] = "decision",
		[AUDIT_END] = "end",
	};
	struct jsonw w;

	jsonw_init(&w, line);
	jsonw_object(&w);
	put_time(&w);
	jsonw_kv_str(&w, "event", kinds[e->kind]);
	put_client(&w, e->who, e->tls);
	if (e->kind == AUDIT_HANDSHAKE) {
		jsonw_kv_str(&w, "reason", e->reason);
	} else {
		put_request(&w, e);
		put_decision(&w, e);
	}
	if (e->kind == AUDIT_END) {
		put_end(&w, e);
	}
	jsonw_object_end(&w);
	return w.err == ERR_OK ? buf_append(line, "\n", 1) : w.err;
}

static void
complain(struct audit *a, int why)
{
	time_t now = time(NULL);

	a->lost++;
	if (now - a->complained < AUDIT_COMPLAIN_S) {
		return;
	}
	a->complained = now;
	log_error("audit record not written: %s lost=%llu", strerror(why),
	    atomic_load(&a->lost));
}

/* One write as a rule; more only where the kernel took a part. */
static void
append(struct audit *a, struct span line)
{
	size_t at = 0;
	ssize_t n;

	while (at < line.len) {
		n = write(a->fd, line.p + at, line.len - at);
		if (n == -1 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			complain(a, n == 0 ? ENOSPC : errno);
			break;
		}
		at += (size_t)n;
	}
	a->written += at == line.len;
	if (at > 0) {
		a->torn = line.p[at - 1] != '\n';
	}
}

void
audit_counts(struct audit *a, uint64_t *written, uint64_t *lost)
{
	*written = atomic_load(&a->written);
	*lost = atomic_load(&a->lost);
}

void
audit_write(struct audit *a, const struct audit_event *e)
{
	struct buf line;
	enum err rc = ERR_OK;

	if (a == NULL) {
		return;
	}
	buf_init(&line, AUDIT_RECORD_BYTES);
	pthread_mutex_lock(&a->lock);
	if (a->torn) {
		rc = buf_append(&line, "\n", 1);
	}
	if (rc == ERR_OK) {
		rc = build(&line, e);
	}
	if (rc == ERR_OK) {
		append(a, buf_span(&line));
	} else {
		complain(a, rc == ERR_NOMEM ? ENOMEM : EMSGSIZE);
	}
	pthread_mutex_unlock(&a->lock);
	buf_fini(&line);
}
