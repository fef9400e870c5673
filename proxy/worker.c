/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads; see worker.h.
 *
 * Each TCP address is listened on by every worker (SO_REUSEPORT), so the
 * kernel deals connections out and no lock is shared; a unix socket's
 * descriptor, and one that was passed to us, is watched by all of them.
 *
 * Stopping has two phases: first no new connections, idle ones closed,
 * answers finished (limits.stop_ms at most); then the streams that are left
 * get what was read for them and a close_notify.
 *
 * Attackers exhaust descriptors: a listener that cannot accept rests a
 * moment instead of spinning.
 */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

#define WORKER_LISTENERS 32
#define WORKER_ACCEPTS 64 /* in one turn of the loop */
/* From a socket that others watch too: the next one is for who is idle. */
#define WORKER_ACCEPTS_SHARED 1
#define REST_MS 100 /* a listener out of descriptors */
#define STOP_TICK_MS 20
#define STOP_LAST_MS 1000 /* for close_notify to leave */

struct listener {
	struct worker_thread *t;
	struct loop_io *io;
	struct loop_timer *rest;
	struct shed shed;
	enum listen_kind kind;
	unsigned accepts; /* in one turn of the loop */
	int fd;
};

struct worker_thread {
	struct worker w;
	struct listener listener[WORKER_LISTENERS];
	size_t n_listeners;
	struct loop_timer *sweep;
	struct loop_timer *tick;
	int64_t stop_by;
	bool last_phase;
	bool running;
	pthread_t thread;
	atomic_bool done;
	atomic_llong beat_ms;
	atomic_uint stops;
};

static void
cannot_accept(struct listener *l, int why)
{
	uint64_t unsaid;

	if (shed_may_say(&l->shed, loop_now_ms(), &unsaid)) {
		log_warn("cannot accept: %s; trying again soon unsaid=%llu",
		    strerror(why), (unsigned long long)unsaid);
	}
}

static void
on_accept(void *arg, short what)
{
	struct listener *l = arg;
	struct sockaddr_storage peer;
	socklen_t len;
	unsigned n;
	int fd;

	(void)what;
	for (n = 0; n < l->accepts; n++) {
		len = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		fd = accept4(l->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			conn_start(&l->t->w, fd, &peer, l->kind);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED) {
			continue;
		}
		if (errno != EAGAIN) {
			cannot_accept(l, errno);
			loop_io_want(l->io, 0);
			loop_timer_set(l->rest, REST_MS);
		}
		return;
	}
}

static void
on_rested(void *arg)
{
	struct listener *l = arg;

	if (l->io != NULL) {
		loop_io_want(l->io, LOOP_READ);
	}
}

static void
on_sweep(void *arg)
{
	struct worker_thread *t = arg;
	struct conn *c, *next;

	atomic_store(&t->beat_ms, loop_now_ms());
	for (c = t->w.conns; c != NULL; c = next) {
		next = conn_next(c);
		conn_sweep(c);
	}
	loop_timer_set(t->sweep, LIMIT_SWEEP_MS);
}

static void
close_listeners(struct worker_thread *t)
{
	size_t i;

	for (i = 0; i < t->n_listeners; i++) {
		loop_io_free(t->listener[i].io);
		loop_timer_free(t->listener[i].rest);
		close(t->listener[i].fd);
	}
	t->n_listeners = 0;
}

static void
each_conn(struct worker_thread *t, void (*fn)(struct conn *))
{
	struct conn *c, *next;

	for (c = t->w.conns; c != NULL; c = next) {
		next = conn_next(c);
		fn(c);
	}
}

static void
kill_conn(struct conn *c)
{
	conn_kill(c, "stopped");
}

static bool
any_answering(const struct worker_thread *t)
{
	const struct conn *c;

	for (c = t->w.conns; c != NULL; c = conn_next(c)) {
		if (conn_is_answering(c)) {
			return true;
		}
	}
	return false;
}

/* Phase by phase until no connection is left. */
static void
on_stop_tick(void *arg)
{
	struct worker_thread *t = arg;
	unsigned stops = atomic_load(&t->stops);
	bool late = loop_now_ms() >= t->stop_by || stops > 1;

	if (stops == 0 && t->w.conns != NULL) { /* no hurry: draining */
		loop_timer_set(t->tick, STOP_TICK_MS);
		return;
	}
	if (!t->last_phase && (late || !any_answering(t))) {
		t->last_phase = true;
		t->stop_by = loop_now_ms() + STOP_LAST_MS;
		late = false;
		each_conn(t, conn_stop_now);
	}
	if (t->w.conns == NULL || (t->last_phase && late)) {
		each_conn(t, kill_conn);
		loop_stop(t->w.loop);
		return;
	}
	loop_timer_set(t->tick, STOP_TICK_MS);
}

static void
on_stop(void *arg)
{
	struct worker_thread *t = arg;

	if (t->stop_by == 0 && atomic_load(&t->stops) > 0) {
		t->stop_by = loop_now_ms() + t->w.gate->limits.stop_ms;
	}
	t->w.draining = atomic_load(&t->stops) == 0;
	if (t->w.stopping) {
		return; /* the tick sees how often we were told */
	}
	t->w.stopping = true;
	close_listeners(t);
	each_conn(t, conn_stop_soon);
	on_stop_tick(t);
}

struct worker_reload {
	struct worker_thread *t;
	struct tls_server *tls;
	struct shared_policy *policy;
	struct reload_tally *tally; /* NULL: it was never sent */
	struct loop_post *post;
};

/* Had its turn, or never will: the last one tells. */
static void
reload_done(struct worker_reload *r, unsigned cut)
{
	struct reload_tally *tally = r->tally;

	free(r);
	if (tally == NULL) {
		return;
	}
	atomic_fetch_add(&tally->cut, cut);
	if (atomic_fetch_sub(&tally->left, 1) == 1) {
		tally->done(tally);
	}
}

static void
on_reload(void *arg)
{
	struct worker_reload *r = arg;
	struct worker *w = &r->t->w;
	struct tls_server *old_tls = w->tls;
	struct shared_policy *old_policy = w->policy;
	struct conn *c, *next;
	unsigned cut = 0;
	bool stream;

	w->tls = r->tls;
	w->policy = r->policy;
	tls_server_drop(old_tls);
	shared_policy_drop(old_policy);
	for (c = w->conns; c != NULL; c = next) {
		next = conn_next(c);
		conn_count_role(c);
		stream = conn_is_stream(c);
		cut += conn_rejudge(c) && stream;
	}
	metrics_add(&w->metrics->cut, cut);
	reload_done(r, cut);
}

/* The loop ended before it came to this. */
static void
on_reload_dropped(void *arg)
{
	struct worker_reload *r = arg;

	tls_server_drop(r->tls);
	shared_policy_drop(r->policy);
	reload_done(r, 0);
}

enum err
worker_reload_new(struct worker_thread *t, struct tls_server *tls,
    struct shared_policy *policy, struct reload_tally *tally,
    struct worker_reload **out)
{
	struct worker_reload *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		return ERR_NOMEM;
	}
	r->post = loop_post_new(on_reload, on_reload_dropped, r);
	if (r->post == NULL) {
		free(r);
		return ERR_NOMEM;
	}
	r->t = t;
	r->tls = tls;
	r->policy = shared_policy_hold(policy);
	r->tally = tally;
	*out = r;
	return ERR_OK;
}

void
worker_reload_free(struct worker_reload *r)
{
	if (r != NULL) {
		r->tally = NULL;
		loop_post_free(r->post);
	}
}

void
worker_reload(struct worker_reload *r)
{
	loop_post_send(r->t->w.loop, r->post);
}

int64_t
worker_stuck_ms(const struct worker_thread *t)
{
	int64_t away = loop_now_ms() - atomic_load(&t->beat_ms);

	return away > LIMIT_STUCK_MS && !worker_done(t) ? away : 0;
}

const struct metrics *
worker_metrics(const struct worker_thread *t)
{
	return t->w.metrics;
}

void
worker_stop(struct worker_thread *t)
{
	atomic_fetch_add(&t->stops, 1);
	if (loop_post(t->w.loop, on_stop, t) != ERR_OK) {
		loop_stop(t->w.loop);
	}
}

void
worker_drain(struct worker_thread *t)
{
	if (loop_post(t->w.loop, on_stop, t) != ERR_OK) {
		loop_stop(t->w.loop);
	}
}

bool
worker_done(const struct worker_thread *t)
{
	return atomic_load(&t->done);
}

static void *
worker_main(void *arg)
{
	struct worker_thread *t = arg;

	(void)pthread_setname_np(pthread_self(), "worker"); /* top -H, gdb */
	loop_timer_set(t->sweep, LIMIT_SWEEP_MS);
	loop_run(t->w.loop);
	each_conn(t, kill_conn);
	atomic_store(&t->done, true);
	return NULL;
}

enum err
worker_new(struct gate *gate, unsigned number, struct tls_server *tls,
    struct shared_policy *policy, struct worker_thread **out)
{
	struct worker_thread *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		return ERR_NOMEM;
	}
	t->w.gate = gate;
	t->w.number = number;
	t->w.metrics = metrics_new();
	t->w.loop = loop_new();
	if (t->w.loop != NULL) {
		t->sweep = loop_timer_new(t->w.loop, on_sweep, t);
		t->tick = loop_timer_new(t->w.loop, on_stop_tick, t);
	}
	if (t->sweep == NULL || t->tick == NULL || t->w.metrics == NULL) {
		worker_free(t);
		return ERR_NOMEM;
	}
	t->w.tls = tls;
	t->w.policy = shared_policy_hold(policy);
	*out = t;
	return ERR_OK;
}

enum err
worker_listen(
    struct worker_thread *t, int fd, enum listen_kind kind, bool shared)
{
	struct listener *l = &t->listener[t->n_listeners];

	if (t->n_listeners == WORKER_LISTENERS) {
		return ERR_LIMIT;
	}
	l->t = t;
	l->fd = fd;
	l->kind = kind;
	l->accepts = shared ? WORKER_ACCEPTS_SHARED : WORKER_ACCEPTS;
	l->io = loop_io_new(t->w.loop, fd, on_accept, l);
	l->rest = loop_timer_new(t->w.loop, on_rested, l);
	if (l->io == NULL || l->rest == NULL) {
		loop_io_free(l->io);
		loop_timer_free(l->rest);
		return ERR_NOMEM;
	}
	loop_io_want(l->io, LOOP_READ);
	t->n_listeners++;
	return ERR_OK;
}

enum err
worker_start(struct worker_thread *t)
{
	atomic_store(&t->beat_ms, loop_now_ms());
	if (pthread_create(&t->thread, NULL, worker_main, t) != 0) {
		return ERR_NOMEM;
	}
	t->running = true;
	return ERR_OK;
}

void
worker_free(struct worker_thread *t)
{
	if (t == NULL) {
		return;
	}
	if (t->running) {
		(void)pthread_join(t->thread, NULL);
	}
	close_listeners(t);
	loop_timer_free(t->sweep);
	loop_timer_free(t->tick);
	loop_free(t->w.loop);
	lanes_fini(&t->w.lanes);
	tls_server_drop(t->w.tls);
	shared_policy_drop(t->w.policy);
	metrics_free(t->w.metrics);
	free(t);
}
