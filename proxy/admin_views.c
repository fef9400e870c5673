/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the admin listener says: health, readiness, what came of a reload.
 *
 * Names of files come from the operator, dockerd's version from dockerd; all
 * else is the gate's own.  No client's name is ever shown: who may read this
 * is not who may read the audit log.
 */
#include <stdio.h>

#include "admin_impl.h"

/* Asks nobody and takes no lock: it must answer where others cannot. */
void
admin_show_health(struct admin_conn *c)
{
	const struct admin_view *v = &c->a->first;
	int64_t stuck;
	char text[128];
	unsigned i;

	for (i = 0; i < v->n_workers; i++) {
		stuck = worker_stuck_ms(v->worker[i]);
		if (stuck > 0) {
			(void)snprintf(text, sizeof(text),
			    "worker %u has not come by for %lld s: restart "
			    "the gate",
			    i, (long long)stuck / 1000);
			admin_answer_text(c, 503, text);
			return;
		}
	}
	admin_answer_text(c, 200, "ok");
}

/* NULL: it is good, or none is needed. */
static const char *
fault_of_certificate(const struct admin_view *v)
{
	time_t now = time(NULL);

	if (v->conf->tls == GATE_TLS_NONE) {
		return NULL;
	}
	if (now > v->server_to) {
		return "the server certificate has expired: dinv cert renew "
		       "-server";
	}
	return now < v->server_from
		   ? "the server certificate is not valid yet: is this "
		     "machine's clock right?"
		   : NULL;
}

bool
admin_is_ready(const struct admin_view *v, const struct probe_result *p,
    admin_say_fn say, void *arg)
{
	const char *reason[] = {
		v->stopping ? "draining: the gate was told to stop" : NULL,
		p->up ? NULL : p->why,
		fault_of_certificate(v),
		v->crl_to > 0 && time(NULL) > v->crl_to
		    ? "the list of revoked certificates is stale, and nobody "
		      "is let in: dinv cert crl -renew"
		    : NULL,
	};
	bool ready = true;
	size_t i;

	for (i = 0; i < NELEM(reason); i++) {
		if (reason[i] != NULL) {
			say(arg, reason[i]);
			ready = false;
		}
	}
	return ready;
}

/* What does not fit is left out. */
static void
add_line(void *arg, const char *reason)
{
	(void)!buf_printf(arg, "%s\n", reason);
}

void
admin_show_ready(struct admin_conn *c)
{
	struct admin_view v;
	struct buf body;

	c->a->gate.view(c->a->gate.arg, &v);
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	(void)admin_is_ready(&v, probe_result(c->a->probe), add_line, &body);
	if (body.len == 0) {
		admin_answer_text(c, 200, "ready");
	} else {
		admin_answer(c, 503, "text/plain; charset=utf-8", &body);
	}
	buf_fini(&body);
}

void
admin_show_reloaded(struct admin_conn *c)
{
	struct admin_view v;
	struct jsonw w;
	struct buf body;

	c->a->gate.view(c->a->gate.arg, &v);
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	jsonw_init(&w, &body);
	jsonw_object(&w);
	jsonw_kv_str(&w, "policy", v.conf->policy);
	if (v.conf->tls != GATE_TLS_NONE) {
		jsonw_kv_str(&w, "certs", v.conf->certs);
	}
	jsonw_kv_u64(&w, "streams_cut", c->cut);
	jsonw_object_end(&w);
	admin_answer(c, 200, "application/json", &body);
	buf_fini(&body);
}
