/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus's text format 0.0.4; see metrics_text.h.
 *
 * Numbers are written from integers, seconds as nanoseconds with a point in
 * between: nothing is rounded, and no locale can put a comma there.
 *
 * Rejected: OpenMetrics (asked for by a header; 0.0.4 is understood by all
 * that scrape), and leaving out rules that never refused: a rate needs the
 * zero before the first one.  Operations that never came are left out, or
 * each scrape would be two thousand lines of zeros.
 *
 * Names of roles are the policy author's; label values are escaped.
 */
#include "metrics_text.h"

#include <stdio.h>

static void
put(struct metrics_text *t, const char *text)
{
	if (t->err == ERR_OK) {
		t->err = buf_append_str(t->out, text);
	}
}

static void
put_u64(struct metrics_text *t, uint64_t v)
{
	if (t->err == ERR_OK) {
		t->err = buf_printf(t->out, "%llu", (unsigned long long)v);
	}
}

/* 1500000000 is 1.5 */
static void
put_seconds(struct metrics_text *t, uint64_t ns)
{
	char text[32];
	size_t n;

	(void)snprintf(text, sizeof(text), "%llu.%09llu",
	    (unsigned long long)(ns / 1000000000u),
	    (unsigned long long)(ns % 1000000000u));
	n = strlen(text);
	while (text[n - 1] == '0') {
		n--;
	}
	text[text[n - 1] == '.' ? n - 1 : n] = '\0';
	put(t, text);
}

/* A label's value: backslash, quote and newline are escaped. */
static void
put_escaped(struct metrics_text *t, const char *text)
{
	char one[2] = { 0, 0 };

	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			put(t, "\\n");
			continue;
		}
		if (*text == '\\' || *text == '"') {
			put(t, "\\");
		}
		one[0] = *text;
		put(t, one);
	}
}

static void
put_label(struct metrics_text *t, const char *name, const char *text)
{
	put(t, name);
	put(t, "=\"");
	put_escaped(t, text);
	put(t, "\"");
}

void
metrics_text_head(struct metrics_text *t, const char *name, const char *type,
    const char *help)
{
	put(t, "# HELP ");
	put(t, name);
	put(t, " ");
	put(t, help);
	put(t, "\n# TYPE ");
	put(t, name);
	put(t, " ");
	put(t, type);
	put(t, "\n");
}

void
metrics_text_value(struct metrics_text *t, const char *name, const char *label,
    const char *text, uint64_t value)
{
	put(t, name);
	if (label != NULL) {
		put(t, "{");
		put_label(t, label, text);
		put(t, "}");
	}
	put(t, " ");
	put_u64(t, value);
	put(t, "\n");
}

void
metrics_text_one(struct metrics_text *t, const char *name, const char *type,
    const char *help, uint64_t value)
{
	metrics_text_head(t, name, type, help);
	metrics_text_value(t, name, NULL, NULL, value);
}

void
metrics_text_seconds(struct metrics_text *t, const char *name, const char *type,
    const char *help, uint64_t ns)
{
	metrics_text_head(t, name, type, help);
	put(t, name);
	put(t, " ");
	put_seconds(t, ns);
	put(t, "\n");
}

/* --- what workers count --------------------------------------------------- */

static void
put_request(struct metrics_text *t, const char *op, unsigned decision,
    unsigned class, uint64_t n)
{
	static const char *const decisions[] = {
		[METRICS_ERROR] = "error",
		[METRICS_ALLOW] = "allow",
		[METRICS_DENY] = "deny",
		[METRICS_OBSERVE] = "observe",
	};
	static const char *const classes[METRICS_CLASSES] = { "none", "1xx",
		"2xx", "3xx", "4xx", "5xx" };

	put(t, "dinv_requests_total{");
	put_label(t, "operation", op);
	put(t, ",");
	put_label(t, "decision", decisions[decision]);
	put(t, ",");
	put_label(t, "class", classes[class]);
	put(t, "} ");
	put_u64(t, n);
	put(t, "\n");
}

static void
put_requests(struct metrics_text *t, const struct metrics *m)
{
	size_t n_ops, op;
	const struct op *ops = ops_all(&n_ops);
	unsigned d, class;
	uint64_t n;

	metrics_text_head(t, "dinv_requests_total", "counter",
	    "Requests that are over, by operation of the Engine API, decision "
	    "of the policy and class of the status.");
	for (op = 0; op < METRICS_OPS; op++) {
		for (d = 0; d < METRICS_DECISIONS; d++) {
			for (class = 0; class < METRICS_CLASSES; class ++) {
				n = metrics_get(&m->requests[op][d][class]);
				if (n > 0) {
					put_request(t,
					    op < n_ops ? ops[op].name
						       : "unknown",
					    d, class, n);
				}
			}
		}
	}
}

static void
put_refusals(struct metrics_text *t, const struct metrics *m)
{
	unsigned r;

	metrics_text_head(t, "dinv_refusals_total", "counter",
	    "Refused requests by rule; protocol: not by the policy.");
	for (r = 0; r < RULE_N; r++) {
		metrics_text_value(t, "dinv_refusals_total", "rule",
		    r == RULE_NONE ? "protocol" : rule_name((enum rule)r),
		    metrics_get(&m->refusals[r]));
	}
}

static void
put_failures(struct metrics_text *t, const struct metrics *m)
{
	static const char *const reasons[TLS_FAILURES] = {
		[TLS_FAILED_PROTOCOL] = "protocol",
		[TLS_FAILED_LOST] = "lost",
		[TLS_FAILED_NO_CERTIFICATE] = "no-certificate",
		[TLS_FAILED_UNKNOWN_CA] = "unknown-ca",
		[TLS_FAILED_EXPIRED] = "expired",
		[TLS_FAILED_REVOKED] = "revoked",
		[TLS_FAILED_CRL] = "stale-crl",
		[TLS_FAILED_CERTIFICATE] = "bad-certificate",
		[TLS_FAILED_NAME] = "bad-name",
		[TLS_FAILED_TIMEOUT] = "timeout",
	};
	unsigned i;

	metrics_text_head(t, "dinv_handshake_failures_total", "counter",
	    "TLS handshakes that did not make a client, by reason.");
	for (i = 0; i < TLS_FAILURES; i++) {
		metrics_text_value(t, "dinv_handshake_failures_total", "reason",
		    reasons[i], metrics_get(&m->handshakes_failed[i]));
	}
}

static void
put_shed(struct metrics_text *t, const struct metrics *m)
{
	static const char *const limits[METRICS_SHEDS] = {
		[METRICS_SHED_CONNECTIONS] = "connections",
		[METRICS_SHED_ADDRESS] = "connections_per_address",
		[METRICS_SHED_CLIENT] = "connections_per_client",
		[METRICS_SHED_HANDSHAKES] = "handshakes",
	};
	unsigned i;

	metrics_text_head(t, "dinv_connections_refused_total", "counter",
	    "Connections that were turned away, or made room, by limit.");
	for (i = 0; i < METRICS_SHEDS; i++) {
		metrics_text_value(t, "dinv_connections_refused_total", "limit",
		    limits[i], metrics_get(&m->shed[i]));
	}
}

static void
put_bucket(
    struct metrics_text *t, const char *name, const uint64_t *bound, uint64_t n)
{
	put(t, name);
	put(t, "_bucket{le=\"");
	if (bound == NULL) {
		put(t, "+Inf");
	} else {
		put_seconds(t, *bound);
	}
	put(t, "\"} ");
	put_u64(t, n);
	put(t, "\n");
}

static void
put_histogram(struct metrics_text *t, const char *name, const char *help,
    const struct metrics *m, enum metrics_time what)
{
	const struct metrics_histogram *h = &m->time[what];
	uint64_t n = 0;
	size_t i;

	metrics_text_head(t, name, "histogram", help);
	for (i = 0; i < METRICS_BUCKETS; i++) {
		n += metrics_get(&h->bucket[i]);
		put_bucket(t, name, &metrics_bound[what][i], n);
	}
	n += metrics_get(&h->bucket[METRICS_BUCKETS]);
	put_bucket(t, name, NULL, n);
	put(t, name);
	put(t, "_sum ");
	put_seconds(t, metrics_get(&h->sum_ns));
	put(t, "\n");
	put(t, name);
	put(t, "_count ");
	put_u64(t, n);
	put(t, "\n");
}

static void
put_roles(struct metrics_text *t, const struct metrics *m)
{
	unsigned i;

	metrics_text_head(t, "dinv_connections_open", "gauge",
	    "Connections of clients now, by role.");
	for (i = 0; i < m->n_roles; i++) {
		metrics_text_value(t, "dinv_connections_open", "role",
		    m->role[i].name, metrics_get(&m->role[i].connections));
	}
	metrics_text_head(t, "dinv_streams_open", "gauge",
	    "Attach, exec, logs, events, build and other streams now, by "
	    "role.");
	for (i = 0; i < m->n_roles; i++) {
		metrics_text_value(t, "dinv_streams_open", "role",
		    m->role[i].name, metrics_get(&m->role[i].streams));
	}
}

static void
put_bytes(struct metrics_text *t, const struct metrics *m)
{
	static const char *const labels[METRICS_BYTES] = {
		[METRICS_FROM_CLIENT] = "client\",direction=\"received",
		[METRICS_TO_CLIENT] = "client\",direction=\"sent",
		[METRICS_FROM_DOCKERD] = "dockerd\",direction=\"received",
		[METRICS_TO_DOCKERD] = "dockerd\",direction=\"sent",
	};
	unsigned i;

	metrics_text_head(t, "dinv_transferred_bytes_total", "counter",
	    "Bytes from and to clients (without TLS) and dockerd.");
	for (i = 0; i < METRICS_BYTES; i++) {
		put(t, "dinv_transferred_bytes_total{peer=\"");
		put(t, labels[i]);
		put(t, "\"} ");
		put_u64(t, metrics_get(&m->bytes[i]));
		put(t, "\n");
	}
}

void
metrics_text_counts(struct metrics_text *t, const struct metrics *m)
{
	put_requests(t, m);
	put_refusals(t, m);
	put_failures(t, m);
	put_histogram(t, "dinv_tls_handshake_duration_seconds",
	    "From accept to the end of the TLS handshake.", m,
	    METRICS_HANDSHAKE);
	put_histogram(t, "dinv_policy_decision_duration_seconds",
	    "Deciding, without waiting for dockerd.", m, METRICS_POLICY);
	put_histogram(t, "dinv_upstream_first_byte_duration_seconds",
	    "From a request sent to dockerd to the head of its answer.", m,
	    METRICS_UPSTREAM);
	put_roles(t, m);
	put_bytes(t, m);
	metrics_text_one(t, "dinv_connections_total", "counter",
	    "Connections that were accepted.", metrics_get(&m->connections));
	put_shed(t, m);
	metrics_text_one(t, "dinv_streams_total", "counter",
	    "Streams that were begun.", metrics_get(&m->streams));
	metrics_text_one(t, "dinv_streams_cut_total", "counter",
	    "Streams that ended because a reload took the right away.",
	    metrics_get(&m->cut));
}
