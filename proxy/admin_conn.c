/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the admin listener, and its answer.
 *
 * Attackers on the machine: who is not root may look at most, and orders
 * come by a unix socket alone, where the kernel says who is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_impl.h"

/* What an answer needs first. */
enum admin_need {
	NEED_NOTHING = 0,
	NEED_PROBE, /* what dockerd says now */
	NEED_LOCAL, /* root, or the gate's user, on a unix socket */
};

struct admin_route {
	const char *target;
	enum method method;
	enum admin_need need;
	void (*show)(struct admin_conn *c);
};

static const struct admin_route routes[] = {
	{ "/healthz", METHOD_GET, NEED_NOTHING, admin_show_health },
	{ "/readyz", METHOD_GET, NEED_PROBE, admin_show_ready },
	{ "/status", METHOD_GET, NEED_PROBE, admin_show_status },
	{ "/metrics", METHOD_GET, NEED_PROBE, admin_show_metrics },
	{ "/reload", METHOD_POST, NEED_LOCAL, admin_reload },
};

/* --- answers ------------------------------------------------------------- */

void
admin_answer(struct admin_conn *c, unsigned status, const char *type,
    const struct buf *body)
{
	desk_answer(c->d, status, type, status == 405 ? "Allow: GET\r\n" : "",
	    buf_span(body));
}

void
admin_answer_text(struct admin_conn *c, unsigned status, const char *text)
{
	struct buf body;

	buf_init(&body, 4096);
	(void)!buf_printf(&body, "%s\n", text);
	admin_answer(c, status, "text/plain; charset=utf-8", &body);
	buf_fini(&body);
}

/* --- the request --------------------------------------------------------- */

static const struct admin_route *
find_route(const struct http_head *h, bool *other_method)
{
	size_t i;

	*other_method = false;
	for (i = 0; i < NELEM(routes); i++) {
		if (!span_is(h->target, routes[i].target)) {
			continue;
		}
		if (method_parse(h->method) == routes[i].method) {
			return &routes[i];
		}
		*other_method = true;
	}
	return NULL;
}

/* The kernel's word about the other end of a unix socket. */
static bool
is_local(const struct admin_conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(
		   desk_fd(c->d), SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	       (cred.uid == 0 || cred.uid == c->a->owner);
}

static void
act(struct admin_conn *c)
{
	switch (c->route->need) {
	case NEED_PROBE:
		c->probing = true; /* the probe has a deadline */
		probe_ask(c->a->probe);
		return;
	case NEED_LOCAL:
		if (c->a->addr.sa.sa_family != AF_UNIX || !is_local(c)) {
			admin_answer_text(c, 403,
			    "orders are taken from root and from the gate's "
			    "own user, on a unix socket: start the gate with "
			    "-admin unix:///PATH");
			return;
		}
		break;
	case NEED_NOTHING:
		break;
	}
	c->route->show(c);
}

static void
on_request(
    void *arg, struct desk_conn *d, const struct http_head *h, struct span body)
{
	struct admin_conn *c = calloc(1, sizeof(*c));
	struct admin *a = arg;
	bool other_method;

	(void)body;
	if (c == NULL) {
		desk_answer(d, 503, "text/plain", "", span_of("no memory\n"));
		return;
	}
	c->a = a;
	c->d = d;
	c->next = a->conns;
	if (c->next != NULL) {
		c->next->prev = c;
	}
	a->conns = c;
	desk_set_own(d, c);
	c->route = find_route(h, &other_method);
	if (c->route != NULL) {
		act(c);
	} else if (other_method) {
		admin_answer_text(c, 405, "not by this method");
	} else {
		admin_answer_text(c, 404, "there is nothing here by this name");
	}
}

static void
on_gone(void *arg, struct desk_conn *d)
{
	struct admin_conn *c = desk_own(d);
	struct admin *a = arg;

	if (c == NULL) {
		return;
	}
	if (c->prev != NULL) {
		c->prev->next = c->next;
	} else {
		a->conns = c->next;
	}
	if (c->next != NULL) {
		c->next->prev = c->prev;
	}
	loop_post_free(c->back);
	free(c);
}

const struct desk_ops admin_desk_ops = {
	.request = on_request,
	.gone = on_gone,
};

/* --- from outside -------------------------------------------------------- */

void
admin_conn_probed(struct admin_conn *c)
{
	if (c->probing) {
		c->probing = false;
		c->route->show(c);
	}
}

/* The last worker has the new policy. */
static void
on_reloaded(void *arg)
{
	admin_show_reloaded(arg);
}

static void
reload_done(void *arg, unsigned cut)
{
	struct admin_conn *c = arg;
	struct loop_post *back = c->back;

	c->cut = cut;
	c->back = NULL;
	loop_post_send(desk_loop(c->a->desk), back);
}

static void
reload_error(void *arg, const struct diag *d)
{
	struct admin_conn *c = arg;
	struct jsonw *w = c->errors;

	if (w->out->len > LIMIT_ADMIN_BODY_BYTES / 2) {
		c->more_errors++;
		return;
	}
	jsonw_object(w);
	jsonw_kv_u64(w, "line", d->line);
	jsonw_kv_u64(w, "col", d->col);
	jsonw_kv_str(w, "text", d->text);
	jsonw_object_end(w);
}

/* A file that is nothing but mistakes has more than anybody reads. */
static void
say_more(struct admin_conn *c)
{
	char text[64];

	if (c->more_errors > 0) {
		(void)snprintf(
		    text, sizeof(text), "and %u more", c->more_errors);
		jsonw_object(c->errors);
		jsonw_kv_u64(c->errors, "line", 0);
		jsonw_kv_u64(c->errors, "col", 0);
		jsonw_kv_str(c->errors, "text", text);
		jsonw_object_end(c->errors);
	}
}

void
admin_reload(struct admin_conn *c)
{
	const struct admin_gate *gate = &c->a->gate;
	struct admin_asker asker = { c, reload_error, reload_done };
	struct admin_view v;
	struct jsonw w;
	struct buf body;

	gate->view(gate->arg, &v);
	c->back = loop_post_new(on_reloaded, NULL, c);
	if (c->back == NULL) {
		admin_answer_text(c, 503, "out of memory");
		return;
	}
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	jsonw_init(&w, &body);
	jsonw_object(&w);
	jsonw_kv_str(&w, "policy", v.conf->policy);
	jsonw_key(&w, "errors");
	jsonw_array(&w);
	c->errors = &w;
	/* It has its orders: nobody else gets its place until they are done. */
	desk_hold(c->d);
	if (gate->reload(gate->arg, &asker) != ERR_OK) {
		say_more(c);
		jsonw_array_end(&w);
		jsonw_object_end(&w);
		admin_answer(c, 422, "application/json", &body);
	}
	c->errors = NULL;
	buf_fini(&body);
}
