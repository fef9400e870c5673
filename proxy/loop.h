/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_LOOP_H
#define PROXY_LOOP_H

/*
 * One event loop a thread, on libevent.  Everything here is for the loop's
 * own thread, except loop_post() and loop_stop().
 */
#include "base/err.h"

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
struct loop_io;	   /* a descriptor that is watched */
struct loop_post;  /* a call that is to run on a loop's thread */
struct loop_timer; /* fires once when its time has come */

typedef void (*loop_io_fn)(void *arg, short what);
typedef void (*loop_fn)(void *arg);

struct loop *loop_new(void);
void loop_free(struct loop *l);
void loop_run(struct loop *l);	/* until loop_stop() */
void loop_stop(struct loop *l); /* from any thread */

/* Runs fn(arg) on the loop's thread, soon.  From any thread. */
enum err loop_post(struct loop *l, loop_fn fn, void *arg) MUST_USE;

/*
 * The same in two steps, of which only the first can fail (NULL: no memory).
 * A post that never runs, because its loop is freed or nobody sends it, is
 * dropped instead: drop(arg), where there is one.
 */
struct loop_post *loop_post_new(loop_fn fn, loop_fn drop, void *arg);
void loop_post_send(struct loop *l, struct loop_post *p); /* takes p */
void loop_post_free(struct loop_post *p);		  /* NULL is fine */

/* Does not own fd: free the loop_io before closing it. */
struct loop_io *loop_io_new(struct loop *l, int fd, loop_io_fn fn, void *arg);
void loop_io_free(struct loop_io *io);
/* what: LOOP_READ | LOOP_WRITE, or 0; level-triggered; cheap if unchanged. */
void loop_io_want(struct loop_io *io, short what);

struct loop_timer *loop_timer_new(struct loop *l, loop_fn fn, void *arg);
void loop_timer_free(struct loop_timer *t);
void loop_timer_set(struct loop_timer *t, uint32_t ms); /* replaces */
void loop_timer_clear(struct loop_timer *t);

/* Milliseconds of a clock that never jumps. */
int64_t loop_now_ms(void);

#endif
