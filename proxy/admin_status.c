/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status: the gate at a glance, as JSON; "dinv status" prints it.
 * docs/operations.md lists the members.
 *
 * Roles come from the policy and paths from the operator; no client is named
 * here.  Everything is written by jsonw, which escapes it.
 */
#include <stdio.h>
#include <time.h>

#include "admin_impl.h"

#define DAY_S 86400

static void
put_time(struct jsonw *w, const char *key, time_t t)
{
	char text[64];
	struct tm tm;

	gmtime_r(&t, &tm);
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	jsonw_kv_str(w, key, text);
}

static void
say_reason(void *arg, const char *reason)
{
	jsonw_str(arg, reason);
}

static void
put_ready(
    struct jsonw *w, const struct admin_view *v, const struct probe_result *p)
{
	bool ready;

	jsonw_key(w, "not_ready");
	jsonw_array(w);
	ready = admin_is_ready(v, p, say_reason, w);
	jsonw_array_end(w);
	jsonw_kv_bool(w, "ready", ready);
}

static const char *
security_of(const struct gate_config *conf, const char *url)
{
	if (addr_is_unix(url) || conf->tls == GATE_TLS_NONE) {
		return "none";
	}
	return conf->tls == GATE_TLS_VERIFY ? "mutual-tls" : "tls";
}

static void
put_listeners(struct jsonw *w, const struct gate_config *conf)
{
	size_t i;

	jsonw_key(w, "listeners");
	jsonw_array(w);
	for (i = 0; i < conf->listen.n; i++) {
		jsonw_object(w);
		jsonw_kv_str(w, "addr", conf->listen.item[i]);
		jsonw_kv_str(
		    w, "security", security_of(conf, conf->listen.item[i]));
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void
put_dockerd(
    struct jsonw *w, const struct admin_view *v, const struct probe_result *p)
{
	jsonw_key(w, "dockerd");
	jsonw_object(w);
	jsonw_kv_str(w, "addr", v->gate->upstream.text);
	jsonw_kv_bool(w, "up", p->up);
	jsonw_kv_str(w, "version", p->version);
	jsonw_object_end(w);
}

static void
put_certificate(struct jsonw *w, const char *name, time_t to)
{
	time_t now = time(NULL);

	if (to == 0) {
		return; /* there is none */
	}
	jsonw_object(w);
	jsonw_kv_str(w, "name", name);
	put_time(w, "not_after", to);
	jsonw_kv_u64(
	    w, "days_left", to > now ? (uint64_t)(to - now) / DAY_S : 0);
	jsonw_kv_bool(w, "expired", to < now);
	jsonw_object_end(w);
}

static void
put_policy(struct jsonw *w, const struct admin_view *v)
{
	jsonw_key(w, "policy");
	jsonw_object(w);
	jsonw_kv_str(w, "name", v->conf->policy);
	put_time(w, "loaded", v->policy_loaded);
	jsonw_kv_bool(w, "observes", v->observes);
	jsonw_kv_u64(w, "reloads", v->reloads);
	jsonw_kv_u64(w, "reloads_failed", v->reloads_failed);
	jsonw_object_end(w);
}

static void
put_audit(struct jsonw *w, const struct admin_view *v)
{
	uint64_t written, lost, queued;

	jsonw_key(w, "audit");
	if (v->gate->audit == NULL) {
		jsonw_str(w, NULL);
		return;
	}
	audit_counts(v->gate->audit, &written, &lost, &queued);
	jsonw_object(w);
	jsonw_kv_str(w, "to", v->conf->audit);
	jsonw_kv_u64(w, "written", written);
	jsonw_kv_u64(w, "lost", lost);
	jsonw_kv_u64(w, "queued", queued);
	jsonw_object_end(w);
}

static void
put_roles(struct jsonw *w, const struct metrics *m)
{
	const struct metrics_role *r;
	unsigned i;

	jsonw_key(w, "roles");
	jsonw_array(w);
	for (i = 0; i < m->n_roles; i++) {
		r = &m->role[i];
		if (i < METRICS_ROLE_FIRST &&
		    metrics_get(&r->connections) == 0 &&
		    metrics_get(&r->streams) == 0) {
			continue;
		}
		jsonw_object(w);
		jsonw_kv_str(w, "role", r->name);
		jsonw_kv_u64(w, "connections", metrics_get(&r->connections));
		jsonw_kv_u64(w, "streams", metrics_get(&r->streams));
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

/* All requests of one decision. */
static uint64_t
count_requests(const struct metrics *m, enum metrics_decision d)
{
	uint64_t n = 0;
	size_t op, class;

	for (op = 0; op < METRICS_OPS; op++) {
		for (class = 0; class < METRICS_CLASSES; class ++) {
			n += metrics_get(&m->requests[op][d][class]);
		}
	}
	return n;
}

static void
put_requests(struct jsonw *w, const struct metrics *m)
{
	uint64_t allowed = count_requests(m, METRICS_ALLOW);
	uint64_t denied = count_requests(m, METRICS_DENY);
	uint64_t failed = count_requests(m, METRICS_ERROR);
	uint64_t observed = count_requests(m, METRICS_OBSERVE);

	jsonw_key(w, "requests");
	jsonw_object(w);
	jsonw_kv_u64(w, "total", allowed + observed + denied + failed);
	jsonw_kv_u64(w, "allowed", allowed);
	jsonw_kv_u64(w, "observed", observed);
	jsonw_kv_u64(w, "refused", denied);
	jsonw_kv_u64(w, "failed", failed);
	jsonw_object_end(w);
}

static void
put_all(struct jsonw *w, const struct admin_view *v,
    const struct probe_result *p, const struct metrics *m)
{
	jsonw_object(w);
	jsonw_kv_str(w, "version", DINV_VERSION);
	put_time(w, "started", v->started);
	jsonw_kv_u64(w, "uptime_s", (uint64_t)(time(NULL) - v->started));
	put_ready(w, v, p);
	put_listeners(w, v->conf);
	put_dockerd(w, v, p);
	jsonw_key(w, "certificates");
	jsonw_array(w);
	put_certificate(w, "server", v->server_to);
	put_certificate(w, "ca", v->ca_to);
	put_certificate(w, "crl", v->crl_to);
	jsonw_array_end(w);
	put_policy(w, v);
	put_audit(w, v);
	put_roles(w, m);
	put_requests(w, m);
	jsonw_kv_u64(w, "connections", census_total(v->gate->census));
	jsonw_object_end(w);
}

void
admin_show_status(struct admin_conn *c)
{
	struct metrics *m;
	struct admin_view v;
	struct jsonw w;
	struct buf body;

	c->a->gate.view(c->a->gate.arg, &v);
	m = admin_total(&v);
	if (m == NULL) {
		admin_answer_text(c, 503, "out of memory");
		return;
	}
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	jsonw_init(&w, &body);
	put_all(&w, &v, probe_result(c->a->probe), m);
	if (w.err == ERR_OK && buf_append(&body, "\n", 1) == ERR_OK) {
		admin_answer(c, 200, "application/json", &body);
	} else {
		admin_answer_text(c, 500, "the status does not fit");
	}
	buf_fini(&body);
	metrics_free(m);
}
