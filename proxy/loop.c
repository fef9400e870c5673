/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event loop; see loop.h.  The only module that knows libevent.
 *
 * libevent's bufferevents are not used: they do not speak Mbed TLS, and they
 * hide when a byte was taken, which a relay with two ends must know.  Plain
 * level-triggered events are, with what is watched changed only through
 * loop_io_want(), which does nothing when nothing changes.
 *
 * libevent can save up its epoll_ctl() calls (EPOLL_USE_CHANGELIST); that was
 * rejected: a saved call meets a descriptor number that another thread has
 * been given since.
 *
 * Posting from other threads goes through a pipe-less list under a mutex and
 * event_active(), which is thread-safe once evthread_use_pthreads() was
 * called.
 */
#include "loop.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct loop_post {
	struct loop_post *next;
	loop_fn fn, drop;
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake;
	pthread_mutex_t lock;
	struct loop_post *first; /* oldest */
	struct loop_post **last;
};

struct loop_io {
	struct loop *loop;
	struct event *event;
	loop_io_fn fn;
	void *arg;
	int fd;
	short want;
};

struct loop_timer {
	struct event *event;
	loop_fn fn;
	void *arg;
};

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct loop_post *p, *next;

	(void)fd;
	(void)what;
	pthread_mutex_lock(&l->lock);
	p = l->first;
	l->first = NULL;
	l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	for (; p != NULL; p = next) {
		next = p->next;
		p->fn(p->arg);
		free(p);
	}
}

struct loop *
loop_new(void)
{
	struct loop *l;

	(void)evthread_use_pthreads(); /* repeating it is harmless */
	l = calloc(1, sizeof(*l));
	if (l == NULL) {
		return NULL;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->last = &l->first;
	l->base = event_base_new();
	if (l->base != NULL) {
		l->wake = event_new(l->base, -1, EV_PERSIST, on_wake, l);
	}
	if (l->wake == NULL || event_add(l->wake, NULL) != 0) {
		loop_free(l);
		return NULL;
	}
	return l;
}

void
loop_free(struct loop *l)
{
	struct loop_post *p, *next;

	if (l == NULL) {
		return;
	}
	for (p = l->first; p != NULL; p = next) {
		next = p->next;
		loop_post_free(p);
	}
	if (l->wake != NULL) {
		event_free(l->wake);
	}
	if (l->base != NULL) {
		event_base_free(l->base);
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
loop_run(struct loop *l)
{
	(void)event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void
loop_stop(struct loop *l)
{
	(void)event_base_loopbreak(l->base);
}

struct loop_post *
loop_post_new(loop_fn fn, loop_fn drop, void *arg)
{
	struct loop_post *p = malloc(sizeof(*p));

	if (p != NULL) {
		p->next = NULL;
		p->fn = fn;
		p->drop = drop;
		p->arg = arg;
	}
	return p;
}

void
loop_post_free(struct loop_post *p)
{
	if (p != NULL && p->drop != NULL) {
		p->drop(p->arg);
	}
	free(p);
}

void
loop_post_send(struct loop *l, struct loop_post *p)
{
	pthread_mutex_lock(&l->lock);
	*l->last = p;
	l->last = &p->next;
	pthread_mutex_unlock(&l->lock);
	event_active(l->wake, EV_READ, 0);
}

enum err
loop_post(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_post *p = loop_post_new(fn, NULL, arg);

	if (p == NULL) {
		return ERR_NOMEM;
	}
	loop_post_send(l, p);
	return ERR_OK;
}

static void
on_io(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	short mine = 0;

	(void)fd;
	if (what & EV_READ) {
		mine |= LOOP_READ;
	}
	if (what & EV_WRITE) {
		mine |= LOOP_WRITE;
	}
	io->fn(io->arg, mine);
}

struct loop_io *
loop_io_new(struct loop *l, int fd, loop_io_fn fn, void *arg)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (io == NULL) {
		return NULL;
	}
	io->loop = l;
	io->fd = fd;
	io->fn = fn;
	io->arg = arg;
	io->event = event_new(l->base, fd, EV_READ | EV_PERSIST, on_io, io);
	if (io->event == NULL) {
		free(io);
		return NULL;
	}
	return io;
}

void
loop_io_free(struct loop_io *io)
{
	if (io == NULL) {
		return;
	}
	event_free(io->event);
	free(io);
}

void
loop_io_want(struct loop_io *io, short what)
{
	short flags = EV_PERSIST;

	if (io->want == what) {
		return;
	}
	if (io->want != 0) {
		(void)event_del(io->event);
	}
	io->want = what;
	if (what == 0) {
		return;
	}
	if (what & LOOP_READ) {
		flags |= EV_READ;
	}
	if (what & LOOP_WRITE) {
		flags |= EV_WRITE;
	}
	(void)event_assign(io->event, io->loop->base, io->fd, flags, on_io, io);
	(void)event_add(io->event, NULL);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	t->fn(t->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		return NULL;
	}
	t->fn = fn;
	t->arg = arg;
	t->event = evtimer_new(l->base, on_timer, t);
	if (t->event == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL) {
		return;
	}
	event_free(t->event);
	free(t);
}

void
loop_timer_set(struct loop_timer *t, uint32_t ms)
{
	struct timeval tv;

	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	(void)evtimer_add(t->event, &tv);
}

void
loop_timer_clear(struct loop_timer *t)
{
	(void)evtimer_del(t->event);
}

int64_t
loop_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
