/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrolment listener; see enroll_desk.h.
 *
 * Who comes here has no certificate yet, so anybody may connect.  He gets a
 * TLS server that shows the CA behind its certificate (he knows its hash from
 * the token), one small request, and one answer.  A token that is not in the
 * table is refused here, so that guessing starts no process; all others are
 * judged again where the certificate is signed (certs/enroll.c).
 *
 * Every attempt goes on record with the token's id, never the token.
 *
 * Attackers guess (ten failures a minute for an address, and 128 bits), hold
 * connections open (deadlines, caps), ask for large things (caps), try the
 * token of somebody else a second time (it says that it was used, which the
 * first one's owner should hear).
 */
#include "enroll_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/secret.h"
#include "base/text.h"
#include "certs/tokens.h"
#include "certs_watch.h"
#include "desk.h"
#include "failures.h"
#include "gate_tls.h"
#include "log.h"
#include "policy/json.h"
#include "renewal.h"
#include "sockets.h"

struct enroll_desk {
	const struct gate_config *gate;
	struct issuer *issuer;
	struct audit *audit;
	struct addr addr;
	struct desk_config conf;
	struct desk *desk;
	struct tls_server *tls;
	struct certs_watch watch;
	struct loop_timer *look;
	struct failures failures;
};

/* From the request on. */
struct visit {
	struct enroll_desk *e;
	struct desk_conn *c;
	struct issuer_job *job;
	char token_id[16];
	char name[260]; /* that was asked for, escaped */
};

/* --- answers ------------------------------------------------------------- */

static void
record(const struct visit *v, unsigned status, const char *rule,
    const struct issuer_reply *reply)
{
	const struct audit_enrolment event = {
		.addr = desk_peer(v->c),
		.token = v->token_id,
		.name = reply != NULL && reply->name[0] != '\0' ? reply->name
								: v->name,
		.serial = reply == NULL ? "" : reply->serial,
		.decision = status == 200   ? "allow"
			    : status >= 500 ? "error"
					    : "deny",
		.rule = rule,
		.status = status,
	};

	audit_enrol(v->e->audit, &event);
	if (status == 200) {
		log_info("enrolled a client addr=%s token=%s serial=%s",
		    event.addr, event.token, event.serial);
	} else {
		log_info("enrolment refused addr=%s token=%s rule=%s",
		    event.addr, event.token, rule);
	}
}

static void
send_json(struct visit *v, unsigned status, struct span json)
{
	desk_answer(v->c, status, "application/json",
	    status == 405   ? "Allow: POST\r\n"
	    : status == 429 ? "Retry-After: 60\r\n"
	    : status == 503 ? "Retry-After: 1\r\n"
			    : "",
	    json);
}

/* In dockerd's form of an error. */
static void
refuse(struct visit *v, unsigned status, const char *rule, const char *message)
{
	char text[400];
	struct jsonw w;
	struct buf json;

	record(v, status, rule, NULL);
	snprintf(text, sizeof(text), "dinv: %s", message);
	buf_init(&json, 4096);
	jsonw_init(&w, &json);
	jsonw_object(&w);
	jsonw_kv_str(&w, "message", text);
	jsonw_object_end(&w);
	(void)!buf_append(&json, "\n", 1);
	send_json(v, status, buf_span(&json));
	buf_fini(&json);
}

static void
count_failure(struct visit *v)
{
	uint8_t host[16];

	if (desk_host(v->c, host)) {
		failures_add(&v->e->failures, host, loop_now_ms());
	}
}

static bool
has_failed_enough(const struct visit *v)
{
	uint8_t host[16];

	return desk_host(v->c, host) &&
	       failures_enough(&v->e->failures, host, loop_now_ms());
}

/* --- a request ----------------------------------------------------------- */

struct wish {
	struct token_parts token;
	struct span name, csr;
};

static bool
has_only(const struct json_node *o, const char *const *known)
{
	const struct json_node *m;
	size_t i;

	for (m = json_first(o); m != NULL; m = json_next(m)) {
		for (i = 0; known[i] != NULL && !span_is(json_key(m), known[i]);
		     i++) {
		}
		if (known[i] == NULL || json_type(m) != JSON_STRING) {
			return false;
		}
	}
	return true;
}

static bool
take_wish(const struct json_node *o, struct wish *w)
{
	static const char *const known[] = { "token", "name", "csr", NULL };

	if (json_type(o) != JSON_OBJECT || !has_only(o, known) ||
	    !token_split(json_text(json_get(o, "token")), &w->token)) {
		return false;
	}
	w->name = json_text(json_get(o, "name"));
	w->csr = json_text(json_get(o, "csr"));
	return w->csr.len > 0;
}

/* Its id; ERR_NOTFOUND: there is no such token. */
static enum err
know_token(struct visit *v, const struct wish *w)
{
	const struct token *t = NULL;
	struct diag d = { 0, 0, "" };
	struct tokens table;
	enum err rc;

	tokens_init(&table);
	rc = tokens_load(&table, v->e->gate->certs, &d);
	if (rc != ERR_OK) {
		log_warn(
		    "enrolment: %s", d.text[0] == '\0' ? err_text(rc) : d.text);
		rc = ERR_CERT_STORE;
	} else if ((t = tokens_find(&table, w->token.secret)) == NULL) {
		rc = ERR_NOTFOUND;
	} else {
		snprintf(v->token_id, sizeof(v->token_id), "%.*s",
		    SPAN_ARG(token_id(t)));
	}
	tokens_fini(&table);
	return rc;
}

static void
on_issued(void *arg)
{
	struct visit *v = arg;
	const struct issuer_reply *reply = issuer_reply(v->job);

	if (reply->status == 403) {
		count_failure(v);
	}
	record(v, reply->status, reply->rule, reply);
	send_json(v, reply->status, buf_span(&reply->body));
}

static void
ask_issuer(struct visit *v, const struct wish *w)
{
	const struct issuer_ask ask = {
		.token = span_of(w->token.secret),
		.name = w->name,
		.csr = w->csr,
	};
	char why[256];
	enum err rc;

	if (!audit_permits(v->e->audit, why, sizeof(why))) {
		refuse(v, 503, "audit-required", why);
		return;
	}
	rc = issuer_start(
	    v->e->issuer, desk_loop(v->e->desk), &ask, on_issued, v, &v->job);
	if (rc == ERR_OK) {
		desk_hold(v->c);
	} else {
		refuse(v, 503, "busy",
		    rc == ERR_LIMIT ? "too many come at a time: try again in "
				      "a moment"
				    : err_text(rc));
	}
}

static void
judge_token(struct visit *v, const struct wish *w)
{
	enum err rc = know_token(v, w);

	if (rc == ERR_OK) {
		ask_issuer(v, w);
	} else if (rc == ERR_NOTFOUND) {
		count_failure(v);
		refuse(v, 403, "token-unknown",
		    "there is no such token: ask for a new one");
	} else {
		refuse(v, 503, "enroll-failed",
		    "no certificate can be issued now: the gate's log says "
		    "why");
	}
}

static void
judge(struct visit *v, struct span body)
{
	struct json_doc *doc = NULL;
	struct diag d = { 0, 0, "" };
	struct wish w;

	memset(&w, 0, sizeof(w));
	if (has_failed_enough(v)) {
		refuse(v, 429, "too-many-failures",
		    "too many attempts have failed: wait for a minute");
	} else if (json_parse(body, JSON_STRICT, &doc, &d) != ERR_OK ||
		   !take_wish(json_root(doc), &w)) {
		count_failure(v);
		refuse(v, 400, "request",
		    "the body must be {\"token\": \"dinv1-...\", \"csr\": "
		    "\"(PEM)\"}, with a \"name\" where the token leaves it "
		    "open");
	} else {
		text_escape(w.name, v->name, sizeof(v->name));
		judge_token(v, &w);
	}
	json_free(doc);
	secret_wipe(&w.token, sizeof(w.token));
}

static void
on_request(
    void *arg, struct desk_conn *c, const struct http_head *h, struct span body)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		desk_answer(c, 503, "text/plain", "", span_of("no memory\n"));
		return;
	}
	v->e = arg;
	v->c = c;
	desk_set_own(c, v);
	if (!span_is(h->target, "/enroll")) {
		refuse(v, 404, "request", "there is nothing here but /enroll");
	} else if (!span_is(h->method, "POST")) {
		refuse(v, 405, "request", "/enroll is for POST");
	} else {
		judge(v, body);
	}
}

static void
on_gone(void *arg, struct desk_conn *c)
{
	struct visit *v = desk_own(c);

	(void)arg;
	if (v != NULL) {
		issuer_job_free(v->job);
		free(v);
	}
}

/* --- TLS ----------------------------------------------------------------- */

static void
take_up(struct enroll_desk *e)
{
	struct tls_server *tls;
	struct diag d = { 0, 0, "" };

	if (gate_load_enroll_tls(e->gate, &tls, &d) == ERR_OK) {
		tls_server_drop(e->tls);
		e->tls = tls;
		log_info("enrolment: certificates have changed: reloaded");
	} else {
		log_warn("enrolment: the old certificate stays: %s", d.text);
		certs_watch_failed(&e->watch);
	}
}

/* Not when somebody comes: he may be the first for months, and what was read
 * then has expired. */
static void
on_look(void *arg)
{
	struct enroll_desk *e = arg;

	if (certs_watch_look(&e->watch)) {
		take_up(e);
	}
	loop_timer_set(e->look, CERTS_WATCH_MS);
}

static enum err
on_open(void *arg, int fd, struct stream **out)
{
	struct enroll_desk *e = arg;

	return tls_accept(e->tls, fd, out);
}

static const struct desk_ops desk_ops = {
	.open = on_open,
	.request = on_request,
	.gone = on_gone,
};

/* --- the listener -------------------------------------------------------- */

static enum err
listen_at(struct enroll_desk *e, struct diag *d)
{
	enum err rc;
	int fd;

	e->conf = (struct desk_config){
		.name = "enroll",
		.ops = &desk_ops,
		.arg = e,
		.connections = LIMIT_ENROLL_CONNECTIONS,
		.connections_per_address = LIMIT_ENROLL_PER_ADDRESS,
		.head_bytes = LIMIT_ENROLL_HEAD_BYTES,
		.body_bytes = LIMIT_ENROLL_BODY_BYTES,
		.answer_bytes = LIMIT_ISSUE_ANSWER_BYTES,
		.handshake_ms = e->gate->limits.handshake_ms,
		.read_ms = LIMIT_ENROLL_READ_MS,
		.write_ms = LIMIT_ENROLL_WRITE_MS,
		.linger_ms = LIMIT_ENROLL_LINGER_MS,
	};
	rc = sockets_listen_alone(&e->addr, 0666, &fd, d);
	if (rc == ERR_OK) {
		rc = desk_new(&e->conf, fd, &e->desk);
		if (rc != ERR_OK) {
			close(fd);
		}
	}
	if (rc == ERR_OK) {
		e->look = loop_timer_new(desk_loop(e->desk), on_look, e);
		rc = e->look == NULL ? ERR_NOMEM : ERR_OK;
	}
	if (rc == ERR_OK) {
		loop_timer_set(e->look, CERTS_WATCH_MS);
	}
	return rc;
}

static enum err
check(const struct enroll_desk *e, struct diag *d)
{
	if (e->addr.sa.sa_family == AF_UNIX) {
		diag_set(d, 0, 0, "-enroll must be tcp://ADDRESS:PORT");
		return ERR_USAGE;
	}
	if (e->gate->tls != GATE_TLS_VERIFY) {
		diag_set(d, 0, 0,
		    "-enroll hands out certificates that nobody here asks "
		    "for: use it with -tlsverify");
		return ERR_USAGE;
	}
	return ERR_OK;
}

enum err
enroll_desk_open(const char *url, const struct gate_config *conf,
    struct issuer *issuer, struct enroll_desk **out, struct diag *d)
{
	struct enroll_desk *e = calloc(1, sizeof(*e));
	enum err rc;

	if (e == NULL) {
		return ERR_NOMEM;
	}
	e->gate = conf;
	e->issuer = issuer;
	e->failures.max = LIMIT_ENROLL_FAILURES;
	e->failures.window_ms = LIMIT_ENROLL_WINDOW_MS;
	rc = addr_parse(url, &e->addr, d);
	if (rc == ERR_OK) {
		rc = check(e, d);
	}
	if (rc == ERR_OK) {
		certs_watch_init(
		    &e->watch, conf->certs); /* before they are read */
		rc = gate_load_enroll_tls(conf, &e->tls, d);
	}
	if (rc == ERR_OK) {
		rc = listen_at(e, d);
	}
	if (rc != ERR_OK) {
		enroll_desk_free(e);
		return rc;
	}
	if (!renewal_has_ca_key(conf->certs)) {
		log_warn("no token can be exchanged: ca-key.pem is not there, "
			 "or not for this user to read certs=%s",
		    conf->certs);
	}
	log_info("enrolment listening addr=%s", e->addr.text);
	*out = e;
	return ERR_OK;
}

enum err
enroll_desk_start(struct enroll_desk *e, struct audit *audit)
{
	e->audit = audit;
	return desk_start(e->desk);
}

void
enroll_desk_stop(struct enroll_desk *e)
{
	desk_stop(e->desk);
}

void
enroll_desk_free(struct enroll_desk *e)
{
	if (e == NULL) {
		return;
	}
	desk_stop(e->desk);
	loop_timer_free(e->look);
	desk_free(e->desk);
	tls_server_drop(e->tls);
	free(e);
}
