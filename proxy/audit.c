/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit records; see audit.h.
 *
 * A record is built in one piece by the thread that knows of the event, and
 * handed to the writer (audit_writer.h), so that no loop waits for a disk.
 *
 * What peers sent is only ever written as a JSON string through jsonw, so
 * that no client can forge a line.  Attackers also put secrets of others in
 * the log by naming things after them: headers are never recorded, queries
 * and bodies only where a policy says so, without what may be secret
 * (policy/redact.h).
 */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/jsonw.h"
#include "limit.h"

struct audit {
	struct audit_writer *writer;
	bool required;
};

enum err
audit_store_open(
    const struct audit_options *opt, struct audit_store **out, struct diag *d)
{
	struct audit_chain *chain = NULL;
	struct audit_sink *sink = NULL;
	enum err rc;

	/* Before the sink ends a torn line, which is a link of the chain. */
	rc = audit_chain_new(
	    audit_sink_is_file(opt->to) ? opt->to : NULL, opt->key, &chain, d);
	if (rc == ERR_OK) {
		rc = audit_sink_open(opt->to, &opt->rotation, &sink, d);
	}
	if (rc == ERR_OK) {
		rc = audit_store_new(sink, chain, out);
	}
	if (rc != ERR_OK) {
		audit_chain_free(chain);
		audit_sink_close(sink);
	}
	return rc;
}

enum err
audit_open(const struct audit_options *opt, const struct audit_call *call,
    struct audit **out)
{
	struct audit *a = calloc(1, sizeof(*a));
	enum err rc;

	if (a == NULL) {
		return ERR_NOMEM;
	}
	a->required = opt->required;
	rc = audit_writer_new(call, &opt->queue, &a->writer);
	if (rc != ERR_OK) {
		free(a);
		return rc;
	}
	*out = a;
	return ERR_OK;
}

void
audit_close(struct audit *a)
{
	if (a != NULL) {
		audit_writer_free(a->writer);
		free(a);
	}
}

void
audit_stamp(char stamp[AUDIT_STAMP_SIZE])
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	(void)snprintf(stamp, AUDIT_STAMP_SIZE,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    ts.tv_nsec / 1000000);
}

static void
put_time(struct jsonw *w)
{
	char stamp[AUDIT_STAMP_SIZE];

	audit_stamp(stamp);
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
put_client(struct jsonw *w, const struct principal *who, const char *tls,
    const char *cipher)
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
	jsonw_kv_str(w, "cipher", cipher == NULL ? "" : cipher);
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
	jsonw_kv_span(w, "traceparent", e->traceparent);
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
	jsonw_kv_str(w, "tenant", why == NULL ? "" : why->tenant);
	jsonw_kv_str(w, "rule", why == NULL ? "" : why->rule);
	jsonw_kv_str(w, "json_path", why == NULL ? "" : why->path);
	jsonw_kv_u64(w, "policy_line", why == NULL ? 0 : why->line);
	jsonw_kv_str(w, "notes", e->notes == NULL ? "" : e->notes);
}

static void
put_asked(struct jsonw *w, const struct audit_event *e)
{
	if (e->facts.len > 0) {
		jsonw_key(w, "facts");
		jsonw_raw(w, e->facts);
	}
	if (e->request.len > 0) {
		jsonw_key(w, "request");
		jsonw_raw(w, e->request);
	}
	if (e->request_omitted != NULL) {
		jsonw_kv_str(w, "request_omitted", e->request_omitted);
	}
}

/* Only in the record of the decision: once is enough. */
static void
put_findings(
    struct jsonw *w, const char *key, const struct policy_findings *list)
{
	const struct policy_finding *f;

	jsonw_key(w, key);
	jsonw_array(w);
	for (f = list->first; f != NULL; f = f->next) {
		jsonw_object(w);
		jsonw_kv_str(w, "rule", f->rule);
		jsonw_kv_str(w, "json_path", f->path);
		if (f->message[0] != '\0') {
			jsonw_kv_str(w, "message", f->message);
		}
		if (f->value.p != NULL) {
			jsonw_kv_span(w, "value", f->value);
			jsonw_kv_bool(w, "cut", f->cut);
		}
		if (f->how[0] != '\0') {
			jsonw_kv_str(w, "how", f->how);
		}
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void
put_report(struct jsonw *w, const struct policy_report *r)
{
	put_findings(w, "findings", &r->refused);
	jsonw_kv_u64(w, "more_findings", r->refused.more);
	put_findings(w, "needs", &r->needs);
	jsonw_kv_u64(w, "more_needs", r->needs.more);
}

static void
put_end(struct jsonw *w, const struct audit_event *e)
{
	jsonw_kv_u64(w, "status", e->status);
	jsonw_kv_u64(w, "client_bytes", e->client_bytes);
	jsonw_kv_u64(w, "daemon_bytes", e->daemon_bytes);
	jsonw_kv_u64(w, "duration_ms", e->duration_ms);
	jsonw_kv_str(w, "ended", e->ended);
	jsonw_kv_str(w, "made", e->made == NULL ? "" : e->made);
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
	put_client(&w, e->who, e->tls, e->cipher);
	if (e->kind == AUDIT_HANDSHAKE) {
		jsonw_kv_str(&w, "reason", e->reason);
	} else {
		put_request(&w, e);
		put_decision(&w, e);
		put_asked(&w, e);
	}
	if (e->kind == AUDIT_DECISION && e->report != NULL) {
		put_report(&w, e->report);
	}
	if (e->kind == AUDIT_END) {
		put_end(&w, e);
	}
	jsonw_object_end(&w);
	return w.err == ERR_OK ? buf_append(line, "\n", 1) : w.err;
}

enum err
audit_build_lost(struct buf *line, uint64_t n)
{
	struct jsonw w;

	jsonw_init(&w, line);
	jsonw_object(&w);
	put_time(&w);
	jsonw_kv_str(&w, "event", "lost");
	jsonw_kv_u64(&w, "records", n);
	jsonw_object_end(&w);
	return w.err == ERR_OK ? buf_append(line, "\n", 1) : w.err;
}

void
audit_counts(
    struct audit *a, uint64_t *written, uint64_t *lost, uint64_t *queued)
{
	struct audit_stats s;

	audit_writer_stats(a->writer, &s);
	*written = s.written;
	*lost = s.lost;
	*queued = s.queued_records;
}

static enum err
build_enrolment(struct buf *line, const struct audit_enrolment *e)
{
	struct principal who = { .kind = PRINCIPAL_NONE };
	struct jsonw w;

	memcpy(who.addr, e->addr, strnlen(e->addr, sizeof(who.addr) - 1));
	jsonw_init(&w, line);
	jsonw_object(&w);
	put_time(&w);
	jsonw_kv_str(&w, "event", "enroll");
	put_client(&w, &who, "", NULL);
	jsonw_kv_str(&w, "token", e->token);
	jsonw_kv_str(&w, "name", e->name);
	jsonw_kv_str(&w, "serial", e->serial);
	jsonw_kv_str(&w, "decision", e->decision);
	jsonw_kv_str(&w, "rule", e->rule);
	jsonw_kv_u64(&w, "status", e->status);
	jsonw_object_end(&w);
	return w.err == ERR_OK ? buf_append(line, "\n", 1) : w.err;
}

void
audit_enrol(struct audit *a, const struct audit_enrolment *e)
{
	struct buf line;

	if (a == NULL) {
		return;
	}
	buf_init(&line, LIMIT_AUDIT_RECORD_BYTES);
	if (build_enrolment(&line, e) == ERR_OK) {
		audit_writer_put(a->writer, buf_span(&line));
	} else {
		audit_writer_lost(a->writer);
	}
	buf_fini(&line);
}

void
audit_write(struct audit *a, const struct audit_event *e)
{
	struct buf line;

	if (a == NULL) {
		return;
	}
	buf_init(&line, LIMIT_AUDIT_RECORD_BYTES);
	if (build(&line, e) == ERR_OK) {
		audit_writer_put(a->writer, buf_span(&line));
	} else {
		audit_writer_lost(a->writer);
	}
	buf_fini(&line);
}

bool
audit_permits(const struct audit *a, char *why, size_t size)
{
	int reason;

	if (a == NULL || !a->required) {
		return true;
	}
	switch (audit_writer_health(a->writer, &reason)) {
	case AUDIT_HEALTHY:
		return true;
	case AUDIT_FULL:
		(void)snprintf(why, size,
		    "audit records are made faster than they can be written; "
		    "nothing may change state until they are (try again)");
		return false;
	case AUDIT_FAILING:
		break;
	}
	(void)snprintf(why, size,
	    "the audit log cannot be written (%s), and nothing may change "
	    "state unrecorded: tell who runs this gate",
	    audit_errno_text(reason));
	return false;
}

void
audit_reopen(struct audit *a)
{
	if (a != NULL) {
		audit_writer_reopen(a->writer);
	}
}

bool
audit_flush(struct audit *a, unsigned ms)
{
	return a == NULL || audit_writer_flush(a->writer, ms);
}
