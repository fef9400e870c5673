/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate as a whole; see gate.h.
 *
 * Everything that can be wrong is found before the first connection is
 * taken: files, keys, policy, addresses.  Then this process gives its rights
 * away, the workers run, this thread only waits for signals, and one more
 * thread serves the admin listener.
 *
 * The process holds the server's key, the CA's certificate and the policy.
 * It never opens the CA's key, and later it can open nothing at all: what a
 * reload reads, its master opens (keeper.h).
 */
#include "gate.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin.h"
#include "audit_remote.h"
#include "certs_watch.h"
#include "confine.h"
#include "descriptors.h"
#include "enroll_desk.h"
#include "gate_audit.h"
#include "gate_listen.h"
#include "gate_policy.h"
#include "gate_tls.h"
#include "keeper.h"
#include "log.h"
#include "master.h"
#include "notify.h"
#include "sockets.h"
#include "tls_mem.h"
#include "worker.h"

#define GATE_JOIN_MS 50
#define GATE_MMAP_BYTES (256 << 10)
#define GATE_TRIM_BYTES (1 << 20)

#define GATE_ENROLL_MAX 8

struct running {
	struct gate_listeners listeners;
	struct gate gate;
	const struct gate_config *conf;
	struct shared_policy *policy;
	struct worker_thread *worker[GATE_WORKERS_MAX];
	unsigned n_workers;
	struct admin *admin;
	struct enroll_desk *enroll[GATE_ENROLL_MAX];
	size_t n_enroll;
	/* What a reload changes, on this thread or the admin's. */
	pthread_mutex_t lock;
	struct admin_view view;
	struct certs_watch watch;
	bool had_list;	     /* of revoked certificates */
	int64_t alive_at_ms; /* when to tell the watchdog again */
};

static enum err
make_workers(struct running *r, const struct gate_config *conf, struct diag *d)
{
	struct tls_server *tls;
	unsigned n = gate_workers(conf);
	enum err rc = ERR_OK;

	r->gate.handshakes_each =
	    conf->limits.handshakes / n + (conf->limits.handshakes % n != 0);
	while (r->n_workers < n && rc == ERR_OK) {
		rc = gate_load_tls(conf, &r->had_list, &tls, d);
		if (rc != ERR_OK) {
			break;
		}
		rc = worker_new(&r->gate, r->n_workers, tls, r->policy,
		    &r->worker[r->n_workers]);
		if (rc != ERR_OK) {
			tls_server_drop(tls);
			break;
		}
		r->n_workers++;
	}
	return rc;
}

static void
copy_view(void *arg, struct admin_view *out)
{
	struct running *r = arg;

	pthread_mutex_lock(&r->lock);
	*out = r->view;
	pthread_mutex_unlock(&r->lock);
}

static enum err gate_reload(void *arg, const struct admin_asker *asker);

static void
look_at_policy(struct running *r)
{
	const struct policy *pol = shared_policy_get(r->policy);

	r->view.policy_loaded = time(NULL);
	r->view.observes =
	    policy_observes_all(pol) || policy_observing_role(pol, 0) != NULL;
}

/* Before clients' listeners: who finds the gate open can also ask how it is. */
static enum err
open_admin(struct running *r, struct diag *d)
{
	const struct gate_config *conf = r->conf;
	const struct admin_gate gate = { r, copy_view, gate_reload };
	enum err rc;

	r->view.conf = conf;
	r->view.gate = &r->gate;
	r->view.worker = r->worker;
	r->view.n_workers = r->n_workers;
	r->view.started = time(NULL);
	look_at_policy(r);
	gate_look_at_dates(conf, &r->view);
	if (conf->admin == NULL || strcmp(conf->admin, ADMIN_NONE) == 0) {
		return ERR_OK;
	}
	rc = admin_open(
	    conf->admin, conf->insecure_admin_remote, &gate, &r->admin, d);
	if (rc != ERR_OK && conf->admin_optional) {
		log_warn("no admin listener, dinv status and dinv reload will "
			 "not find this gate (another -admin may do): %s",
		    d->text[0] == '\0' ? err_text(rc) : d->text);
		d->text[0] = '\0';
		return ERR_OK;
	}
	return rc;
}

static enum err
open_enrolment(struct running *r, struct diag *d)
{
	const struct str_list *urls = &r->conf->enroll;
	enum err rc = ERR_OK;

	if (urls->n > GATE_ENROLL_MAX) {
		diag_set(
		    d, 0, 0, "-enroll may be given %d times", GATE_ENROLL_MAX);
		return ERR_USAGE;
	}
	while (r->n_enroll < urls->n && rc == ERR_OK) {
		rc = enroll_desk_open(urls->item[r->n_enroll], r->conf,
		    &r->gate.issuer, &r->enroll[r->n_enroll], d);
		r->n_enroll += rc == ERR_OK;
	}
	return rc;
}

static enum err
prepare(struct running *r, const struct gate_config *conf, struct diag *d)
{
	enum err rc;

	r->conf = conf;
	r->gate.limits = conf->limits;
	r->gate.issuer.certs = conf->certs;
	r->gate.issuer.ca_pass_file = conf->ca_pass_file;
	certs_watch_init(&r->watch, conf->certs); /* before they are read */
	rc = addr_parse(conf->upstream, &r->gate.upstream, d);
	if (rc == ERR_OK) {
		rc = gate_load_policy(conf->policy, &r->policy, d, NULL);
	}
	if (rc == ERR_OK) {
		r->gate.limits.connections =
		    descriptors_room(conf->limits.connections);
		r->gate.census = census_new(r->gate.limits.connections,
		    conf->limits.connections_per_address,
		    conf->limits.connections_per_client);
		rc = r->gate.census == NULL ? ERR_NOMEM : ERR_OK;
	}
	if (rc == ERR_OK) {
		rc = make_workers(r, conf, d);
	}
	if (rc == ERR_OK) {
		rc = open_admin(r, d);
	}
	if (rc == ERR_OK) {
		rc = open_enrolment(r, d);
	}
	if (rc == ERR_OK) {
		r->listeners.worker = r->worker;
		r->listeners.n_workers = r->n_workers;
		rc = gate_listen(&r->listeners, conf, d);
	}
	return rc;
}

static void
stop_workers(struct running *r)
{
	unsigned i;

	for (i = 0; i < r->n_workers; i++) {
		worker_stop(r->worker[i]);
	}
}

static bool
all_done(const struct running *r)
{
	unsigned i;

	for (i = 0; i < r->n_workers; i++) {
		if (!worker_done(r->worker[i])) {
			return false;
		}
	}
	return true;
}

/* One reload on its way through the workers. */
struct reload {
	struct reload_tally tally; /* first */
	struct admin_asker asker;
	bool asked;
	bool certs_only; /* they have changed; the policy was not looked at */
	const struct gate_config *conf;
};

/* It is in force everywhere; on the last worker's thread. */
static void
reload_done(struct reload_tally *tally)
{
	struct reload *l = (struct reload *)tally;
	unsigned cut = atomic_load(&tally->cut);

	if (l->certs_only) {
		log_info("certificates have changed: reloaded certs=%s "
			 "streams_cut=%u",
		    l->conf->certs, cut);
	} else {
		log_info("reloaded policy=%s certs=%s streams_cut=%u",
		    l->conf->policy, l->conf->certs, cut);
		keeper_tell(KEEPER_READY, "reloaded");
	}
	if (l->asked) {
		l->asker.done(l->asker.arg, cut);
	}
	free(l);
}

static struct reload *
reload_new(const struct running *r, const struct admin_asker *asker)
{
	struct reload *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		atomic_init(&l->tally.left, r->n_workers);
		l->tally.done = reload_done;
		l->conf = r->conf;
		l->asked = asker != NULL;
		if (l->asked) {
			l->asker = *asker;
		}
	}
	return l;
}

/* A part for each worker; what was made is in part, also on failure. */
static enum err
make_parts(struct running *r, struct shared_policy *policy, struct reload *l,
    struct worker_reload **part, struct diag *d)
{
	struct tls_server *tls = NULL;
	enum err rc = ERR_OK;
	unsigned i;

	for (i = 0; i < r->n_workers && rc == ERR_OK; i++) {
		rc = gate_load_tls(r->conf, &r->had_list, &tls, d);
		if (rc == ERR_OK) {
			rc = worker_reload_new(
			    r->worker[i], tls, policy, &l->tally, &part[i]);
			if (rc != ERR_OK) {
				tls_server_drop(tls);
			}
		}
	}
	return rc;
}

/* Everything anew, or nothing at all: whatever can fail comes before the
 * first worker hears of it. */
static enum err
reload_parts(struct running *r, bool certs_only,
    const struct admin_asker *asker, struct diag *d)
{
	struct worker_reload *part[GATE_WORKERS_MAX] = { NULL };
	struct shared_policy *policy = NULL;
	struct reload *l = reload_new(r, asker);
	enum err rc = ERR_OK;
	unsigned i;

	if (l == NULL) {
		rc = ERR_NOMEM;
	} else if (certs_only) {
		policy = shared_policy_hold(r->policy);
	} else {
		rc = gate_load_policy(r->conf->policy, &policy, d, asker);
	}
	if (rc == ERR_OK) {
		l->certs_only = certs_only;
		rc = make_parts(r, policy, l, part, d);
		d->line = 0; /* only a policy's errors have been told */
	}
	if (rc != ERR_OK) {
		for (i = 0; i < r->n_workers; i++) {
			worker_reload_free(part[i]);
		}
		shared_policy_drop(policy);
		free(l);
		return rc;
	}
	shared_policy_drop(r->policy);
	r->policy = policy;
	if (!certs_only) {
		look_at_policy(r);
	}
	gate_look_at_dates(r->conf, &r->view);
	for (i = 0; i < r->n_workers; i++) {
		worker_reload(part[i]);
	}
	return ERR_OK;
}

static enum err
reload(struct running *r, bool certs_only, const struct admin_asker *asker)
{
	struct diag d = { 0, 0, "" };
	enum err rc;

	pthread_mutex_lock(&r->lock);
	if (!certs_only) {
		keeper_tell(KEEPER_RELOADING, NULL);
	}
	rc = reload_parts(r, certs_only, asker, &d);
	r->view.reloads += rc == ERR_OK;
	r->view.reloads_failed += rc != ERR_OK;
	pthread_mutex_unlock(&r->lock);
	if (rc == ERR_OK) {
		return rc;
	}
	if (d.text[0] == '\0') {
		diag_set(&d, 0, 0, "%s", err_text(rc));
	}
	log_error("not reloaded, the old policy and certificates stay in "
		  "force: %s",
	    d.text);
	if (!certs_only) {
		keeper_tell(KEEPER_READY, "not reloaded: see the log");
	}
	if (asker != NULL && d.line == 0) { /* those of the policy were told */
		asker->error(asker->arg, &d);
	}
	return rc;
}

/* On this thread for SIGHUP (asker: NULL), or on the admin's. */
static enum err
gate_reload(void *arg, const struct admin_asker *asker)
{
	return reload(arg, false, asker);
}

static void
set_stopping(struct running *r)
{
	pthread_mutex_lock(&r->lock);
	r->view.stopping = true;
	pthread_mutex_unlock(&r->lock);
}

static void
look_at_certs(struct running *r)
{
	if (certs_watch_look(&r->watch) && reload(r, true, NULL) != ERR_OK) {
		certs_watch_failed(&r->watch);
	}
}

/* It hears of us while every worker comes by, and no longer. */
static void
tell_watchdog(struct running *r)
{
	int64_t now = loop_now_ms();
	unsigned i;

	if (r->conf->notify->watchdog_ms == 0 || now < r->alive_at_ms) {
		return;
	}
	for (i = 0; i < r->n_workers; i++) {
		if (worker_stuck_ms(r->worker[i]) > 0) {
			return;
		}
	}
	keeper_tell(KEEPER_ALIVE, NULL);
	r->alive_at_ms = now + (int64_t)r->conf->notify->watchdog_ms / 2;
}

static void
stop(struct running *r, bool again)
{
	log_info("stopping%s", again ? " now" : "");
	keeper_tell(KEEPER_STOPPING, NULL);
	set_stopping(r);
	stop_workers(r);
}

/* Another gate takes what is new; ours are the streams that run. */
static void
drain(struct running *r)
{
	unsigned i;

	log_info("draining: a new gate takes the connections from now on");
	set_stopping(r);
	admin_stop(r->admin);
	for (i = 0; i < r->n_enroll; i++) {
		enroll_desk_stop(r->enroll[i]);
	}
	for (i = 0; i < r->n_workers; i++) {
		worker_drain(r->worker[i]);
	}
}

/* What the master may tell us; it blocked them all before it forked. */
static void
gate_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, MASTER_STOP);
	sigaddset(set, MASTER_RELOAD);
	sigaddset(set, MASTER_REOPEN);
	sigaddset(set, MASTER_DRAIN);
}

/* Returns when all workers have stopped. */
static void
wait_for_stop(struct running *r)
{
	const struct timespec nap = { 0, GATE_JOIN_MS * 1000000L };
	const struct timespec look = { 0, CERTS_WATCH_MS * 1000000L };
	bool watching = r->conf->tls != GATE_TLS_NONE;
	bool stopping = false, draining = false;
	sigset_t set;
	int sig;

	gate_signals(&set);
	while (!all_done(r)) {
		sig = sigtimedwait(
		    &set, NULL, stopping || draining ? &nap : &look);
		if (!stopping && watching) {
			look_at_certs(r);
		}
		tell_watchdog(r);
		if (sig == MASTER_STOP || (keeper_is_gone() && !stopping)) {
			stop(r, stopping);
			stopping = true;
		} else if (sig == MASTER_RELOAD) {
			(void)!gate_reload(r, NULL);
		} else if (sig == MASTER_REOPEN) {
			audit_reopen(r->gate.audit);
		} else if (sig == MASTER_DRAIN && !draining) {
			draining = true;
			drain(r);
		}
	}
}

static enum err
start_workers(struct running *r)
{
	enum err rc = ERR_OK;
	unsigned i;

	for (i = 0; i < r->n_workers && rc == ERR_OK; i++) {
		rc = worker_start(r->worker[i]);
	}
	for (i = 0; i < r->n_enroll && rc == ERR_OK; i++) {
		rc = enroll_desk_start(r->enroll[i], r->gate.audit);
	}
	return rc == ERR_OK && r->admin != NULL ? admin_start(r->admin) : rc;
}

static void
end(struct running *r)
{
	unsigned i;

	admin_stop(r->admin);
	for (i = 0; i < r->n_enroll; i++) {
		enroll_desk_free(r->enroll[i]);
	}
	for (i = 0; i < r->n_workers; i++) {
		worker_free(r->worker[i]);
	}
	admin_free(r->admin);
	census_free(r->gate.census);
	shared_policy_drop(r->policy);
	audit_close(r->gate.audit);
	pthread_mutex_destroy(&r->lock);
}

/* Its thread is the first, and has no rights either. */
static enum err
open_audit(struct running *r, int fd)
{
	struct audit_call call = { NULL, NULL, NULL };
	enum err rc;

	if (fd == -1) {
		return ERR_OK;
	}
	rc = audit_call_remote(fd, &call);
	if (rc == ERR_OK) {
		rc = gate_open_audit(r->conf, &call, &r->gate.audit);
		if (rc != ERR_OK) {
			call.end(call.arg);
		}
	}
	return rc;
}

enum err
gate_run(const struct gate_config *conf, const struct gate_place *place,
    struct diag *d)
{
	struct running r;
	enum err rc;

	memset(&r, 0, sizeof(r));
	pthread_mutex_init(&r.lock, NULL);
	/* Large buffers go back to the system when they are freed. */
	(void)mallopt(M_MMAP_THRESHOLD, GATE_MMAP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, GATE_TRIM_BYTES);
#ifndef __SANITIZE_ADDRESS__ /* which watches the heap only */
	tls_mem_open(conf->limits.connections);
#endif
	rc = prepare(&r, conf, d);
	if (rc == ERR_OK) {
		rc = keeper_keep_sockets();
	}
	if (rc == ERR_OK) {
		sockets_forget();
		rc = confine(place->user, place->master, MASTER_STOP, d);
	}
	if (rc == ERR_OK) {
		rc = open_audit(&r, place->audit_fd);
	}
	if (rc == ERR_OK) {
		rc = start_workers(&r);
	}
	if (rc == ERR_OK) {
		log_info("ready upstream=%s workers=%u policy=%s",
		    r.gate.upstream.text, r.n_workers, conf->policy);
		keeper_tell(KEEPER_READY, "ready");
		wait_for_stop(&r);
		log_info("stopped");
	} else {
		stop_workers(&r);
		sockets_undo();
	}
	end(&r);
	return rc;
}
