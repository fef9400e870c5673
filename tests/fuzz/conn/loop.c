/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h with a clock of its own; see world.h.
 *
 * Level-triggered, as the real one.  A loop that goes on and on without a
 * byte that moves is a spin, and does not hold.
 */
#include "world.h"

#define IOS 64
#define TIMERS 64

struct loop_io {
	int fd;
	loop_io_fn fn;
	void *arg;
	short want;
};

struct loop_timer {
	loop_fn fn;
	void *arg;
	bool set;
	int64_t due_ms;
};

static struct loop_io *ios[IOS];
static struct loop_timer *timers[TIMERS];

struct loop_io *
loop_io_new(struct loop *l, int fd, loop_io_fn fn, void *arg)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	size_t i;

	(void)l;
	if (io == NULL) {
		return NULL;
	}
	io->fd = fd;
	io->fn = fn;
	io->arg = arg;
	for (i = 0; ios[i] != NULL; i++) {
		CHECK(i + 1 < IOS);
	}
	ios[i] = io;
	return io;
}

void
loop_io_free(struct loop_io *io)
{
	size_t i;

	if (io == NULL) {
		return;
	}
	CHECK(sock_of(io->fd)->open); /* loop.h: before closing it */
	for (i = 0; ios[i] != io; i++) {
		CHECK(i + 1 < IOS);
	}
	ios[i] = NULL;
	free(io);
}

void
loop_io_want(struct loop_io *io, short what)
{
	io->want = what;
}

short
loop_wants(const struct loop_io *io)
{
	return io->want;
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof(*t));
	size_t i;

	(void)l;
	if (t == NULL) {
		return NULL;
	}
	t->fn = fn;
	t->arg = arg;
	for (i = 0; timers[i] != NULL; i++) {
		CHECK(i + 1 < TIMERS);
	}
	timers[i] = t;
	return t;
}

void
loop_timer_free(struct loop_timer *t)
{
	size_t i;

	if (t == NULL) {
		return;
	}
	for (i = 0; timers[i] != t; i++) {
		CHECK(i + 1 < TIMERS);
	}
	timers[i] = NULL;
	free(t);
}

void
loop_timer_set(struct loop_timer *t, uint32_t ms)
{
	t->set = true;
	t->due_ms = world.now_ms + ms;
}

void
loop_timer_clear(struct loop_timer *t)
{
	t->set = false;
}

int64_t
loop_now_ms(void)
{
	return world.now_ms;
}

bool
loop_has_timer(void *of)
{
	size_t i;

	for (i = 0; i < TIMERS; i++) {
		if (timers[i] != NULL && timers[i]->set &&
		    timers[i]->arg == of) {
			return true;
		}
	}
	return false;
}

/* The next one that is due until then; the earliest first. */
static struct loop_timer *
due(int64_t until_ms)
{
	struct loop_timer *t = NULL;
	size_t i;

	for (i = 0; i < TIMERS; i++) {
		if (timers[i] != NULL && timers[i]->set &&
		    timers[i]->due_ms <= until_ms &&
		    (t == NULL || timers[i]->due_ms < t->due_ms)) {
			t = timers[i];
		}
	}
	return t;
}

static void
fire(struct loop_timer *t)
{
	if (t->due_ms > world.now_ms) {
		world.now_ms = t->due_ms;
	}
	t->set = false;
	world.in_gate = true;
	t->fn(t->arg);
	world.in_gate = false;
}

static bool
tell(struct loop_io *io)
{
	const struct sock *s = sock_of(io->fd);
	short what = 0;

	CHECK(s != NULL && s->open);
	if ((io->want & LOOP_READ) != 0 && sock_readable(s)) {
		what |= LOOP_READ;
	}
	if ((io->want & LOOP_WRITE) != 0 && sock_writable(s)) {
		what |= LOOP_WRITE;
	}
	if (what == 0) {
		return false;
	}
	world.in_gate = true;
	io->fn(io->arg, what);
	world.in_gate = false;
	return true;
}

static size_t
moved(void)
{
	size_t i, n = 0;

	for (i = 0; i < world.n_socks; i++) {
		n += world.sock[i].taken + world.sock[i].gate.len;
	}
	return n;
}

/* One turn: every descriptor that has something, then what is due now. */
static bool
turn(void)
{
	struct loop_timer *t;
	bool any = false;
	size_t i, n;

	for (i = 0; i < IOS; i++) {
		n = world.backwards ? IOS - 1 - i : i;
		any = (ios[n] != NULL && tell(ios[n])) || any;
	}
	t = due(world.now_ms);
	if (t != NULL) {
		fire(t);
	}
	return any || t != NULL;
}

void
loop_settle(void)
{
	size_t before = moved(), now;
	unsigned idle = 0;

	while (turn()) {
		now = moved();
		idle = now == before ? idle + 1 : 0;
		before = now;
		CHECK(idle < 200); /* it spins */
	}
	judge_settled();
}

void
loop_pass(uint32_t ms)
{
	int64_t until = world.now_ms + ms;
	struct loop_timer *t;
	unsigned fired = 0;

	/* A full backlog is tried again every LIMIT_RETRY_MS: as is. */
	while ((t = due(until)) != NULL) {
		fire(t);
		loop_settle();
		CHECK(++fired < 2000 + ms / 10);
	}
	if (world.now_ms < until) {
		world.now_ms = until;
	}
}
