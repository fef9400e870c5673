/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ADMIN_IMPL_H
#define PROXY_ADMIN_IMPL_H

/*
 * What the sources of the admin listener share, and nobody else sees.
 *
 *	admin.c        the listener (desk.h has the thread and the connections)
 *	admin_conn.c   one connection: one request, one answer
 *	admin_probe.c  is dockerd there?
 *	admin_views.c  what the answers say
 *	admin_status.c /status
 *	admin_metrics.c /metrics
 */
#include <dirent.h>

#include "admin.h"
#include "base/jsonw.h"
#include "desk.h"

/* --- admin_probe.c ------------------------------------------------------- */

struct probe;

struct probe_result {
	bool up;
	char version[64]; /* dockerd's, printable; "" where it was not told */
	char why[160];	  /* not up: the reason, for the operator */
};

/* done(arg): result() is fresh. */
struct probe *probe_new(
    struct loop *l, const struct addr *dockerd, loop_fn done, void *arg);
void probe_free(struct probe *p);
/* Asks, or goes on asking; done() is always called later, not from here. */
void probe_ask(struct probe *p);
const struct probe_result *probe_result(const struct probe *p);

/* --- admin_conn.c -------------------------------------------------------- */

struct admin_route;

/* From the request on. */
struct admin_conn {
	struct admin *a;
	struct desk_conn *d;
	struct admin_conn *next, *prev;
	const struct admin_route *route;
	bool probing;		/* waiting for what dockerd says */
	struct loop_post *back; /* while the workers reload: from the last */
	unsigned cut;
	struct jsonw *errors; /* while a reload tells its mistakes */
	unsigned more_errors; /* that did not fit */
};

struct admin {
	struct addr addr;
	struct admin_gate gate;
	struct admin_view first; /* for what of it never changes */
	struct desk_config conf;
	struct desk *desk;
	struct probe *probe;
	struct admin_conn *conns;
	uid_t owner;	  /* who started us, and may give orders */
	DIR *descriptors; /* /proc/self/fd, or NULL */
	int memory_fd;	  /* /proc/self/statm; 0, -1: it is not there */
};

extern const struct desk_ops admin_desk_ops;

/* dockerd has been asked: go on. */
void admin_conn_probed(struct admin_conn *c);
/* Sends status and body, and ends after it. */
void admin_answer(struct admin_conn *c, unsigned status, const char *type,
    const struct buf *body);
void admin_answer_text(struct admin_conn *c, unsigned status, const char *text);

/* --- admin_views.c ------------------------------------------------------- */

typedef void (*admin_say_fn)(void *arg, const char *reason);
/* Says each reason not to be; true: there is none. */
bool admin_is_ready(const struct admin_view *v, const struct probe_result *p,
    admin_say_fn say, void *arg);
void admin_show_health(struct admin_conn *c);
void admin_show_ready(struct admin_conn *c);
void admin_show_reloaded(struct admin_conn *c);
void admin_reload(struct admin_conn *c);

/* --- admin_status.c ------------------------------------------------------ */

void admin_show_status(struct admin_conn *c);

/* --- admin_metrics.c ----------------------------------------------------- */

/* The sum of all workers' counts, or NULL; metrics_free() it. */
struct metrics *admin_total(const struct admin_view *v);
void admin_show_metrics(struct admin_conn *c);

#endif
