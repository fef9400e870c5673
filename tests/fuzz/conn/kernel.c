/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets in memory; see world.h.
 *
 * They behave as those of Linux do: what was sent before a reset can be read
 * before it is told; a peer that closed makes EPIPE; a full window takes a
 * part.  A descriptor that is used after close() does not hold.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

struct world world;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
int __real_close(int fd);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);
ssize_t __wrap_recv(int fd, void *to, size_t cap, int flags);
ssize_t __wrap_send(int fd, const void *p, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __wrap_poll(struct pollfd *p, nfds_t n, int ms);
int __wrap_setsockopt(
    int fd, int level, int name, const void *value, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

/* --- memory -------------------------------------------------------------- */

static bool
runs_out(void)
{
	if (!world.in_gate || world.fail == 0 || --world.fail > 0) {
		return false;
	}
	world.failed = true;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	return runs_out() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return runs_out() ? NULL : __real_realloc(p, n);
}

void
tape_add(struct tape *t, const void *p, size_t n)
{
	if (n == 0) {
		return;
	}
	if (t->cap - t->len < n) {
		t->cap = 2 * t->cap + n;
		t->p = __real_realloc(t->p, t->cap);
		CHECK(t->p != NULL);
	}
	memcpy(t->p + t->len, p, n);
	t->len += n;
}

void
tape_free(struct tape *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}

struct span
tape_from(const struct tape *t, size_t from)
{
	CHECK(from <= t->len);
	return from == t->len ? span_of("")
			      : span_make(t->p + from, t->len - from);
}

/* --- sockets ------------------------------------------------------------- */

struct sock *
sock_new(bool daemon)
{
	struct sock *s = &world.sock[world.n_socks];

	if (world.n_socks == WORLD_SOCKS) {
		return NULL;
	}
	world.n_socks++;
	memset(s, 0, sizeof(*s));
	s->used = s->open = true;
	s->daemon = daemon;
	s->window = s->piece = SIZE_MAX;
	return s;
}

struct sock *
sock_of(int fd)
{
	size_t i = (size_t)(fd - WORLD_FD);

	return fd < WORLD_FD || i >= world.n_socks ? NULL : &world.sock[i];
}

static struct sock *
open_sock(int fd)
{
	struct sock *s = sock_of(fd);

	CHECK(s != NULL && s->open);
	return s;
}

int
sock_fd(const struct sock *s)
{
	return WORLD_FD + (int)(s - world.sock);
}

bool
sock_readable(const struct sock *s)
{
	return s->taken < s->peer.len || s->fin || s->reset || s->closed;
}

bool
sock_writable(const struct sock *s)
{
	return s->window > 0 || s->reset || s->closed || s->shut;
}

void
sock_send(struct sock *s, const void *p, size_t n)
{
	if (s == NULL || s->fin || s->notify || s->reset || s->closed ||
	    n > WORLD_BYTES - world.sent) {
		return;
	}
	world.sent += n;
	tape_add(&s->peer, p, n);
}

struct sock *
daemon_of(const struct sock *client)
{
	struct sock *s = NULL;
	size_t i;

	for (i = 0; client != NULL && i < world.n_socks; i++) {
		if (world.sock[i].daemon &&
		    world.sock[i].who == (unsigned)(client - world.sock)) {
			s = &world.sock[i];
		}
	}
	return s;
}

/* Which connection has this daemon?  Known from its first byte on. */
static void
find_conn(struct sock *s, int fd)
{
	struct conn *c;

	if (s->conn != NULL || !s->daemon) {
		return;
	}
	for (c = world.w.conns; c != NULL; c = conn_next(c)) {
		if (c->daemon.s != NULL && c->daemon.s->fd == fd) {
			s->conn = c;
			s->who = (unsigned)(c->client.s->fd - WORLD_FD);
		}
	}
}

int
__wrap_socket(int domain, int type, int protocol)
{
	struct sock *s;

	(void)protocol;
	CHECK(domain == AF_UNIX && (type & SOCK_NONBLOCK) != 0);
	s = sock_new(true);
	if (s == NULL) {
		errno = EMFILE;
		return -1;
	}
	s->who = WORLD_SOCKS;
	s->window = world.window;
	s->piece = world.piece;
	return sock_fd(s);
}

int
__wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	static const int why[] = { 0, ECONNREFUSED, EAGAIN, ENOENT };

	(void)sa;
	(void)len;
	(void)open_sock(fd);
	errno = why[world.door];
	return world.door == DAEMON_UP ? 0 : -1;
}

ssize_t
__wrap_recv(int fd, void *to, size_t cap, int flags)
{
	struct sock *s = open_sock(fd);
	size_t n = s->peer.len - s->taken;

	CHECK(flags == 0 && cap > 0);
	find_conn(s, fd);
	n = n < cap ? n : cap;
	n = n < s->piece ? n : s->piece;
	if (n > 0) {
		memcpy(to, s->peer.p + s->taken, n);
		s->taken += n;
		return (ssize_t)n;
	}
	if (s->reset) {
		errno = ECONNRESET;
		return -1;
	}
	if (s->fin || s->closed) {
		return 0;
	}
	errno = EAGAIN;
	return -1;
}

ssize_t
__wrap_send(int fd, const void *p, size_t len, int flags)
{
	struct sock *s = open_sock(fd);
	size_t n = len < s->window ? len : s->window;

	CHECK((flags & MSG_NOSIGNAL) != 0 && len > 0);
	find_conn(s, fd);
	CHECK(!s->shut);
	if (s->reset || s->closed) {
		errno = EPIPE;
		return -1;
	}
	n = n < s->piece ? n : s->piece;
	if (n == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (s->window != SIZE_MAX) {
		s->window -= n;
	}
	tape_add(&s->gate, p, n);
	reader_look(s);
	return (ssize_t)n;
}

int
__wrap_shutdown(int fd, int how)
{
	struct sock *s = open_sock(fd);

	CHECK(how == SHUT_WR);
	s->shut = true;
	return 0;
}

int
__wrap_close(int fd)
{
	struct sock *s = sock_of(fd);

	if (s == NULL) {
		return __real_close(fd);
	}
	CHECK(s->open);
	s->open = false;
	if (!s->daemon) {
		judge_client(s);
	}
	return 0;
}

int
__wrap_poll(struct pollfd *p, nfds_t n, int ms)
{
	struct sock *s = open_sock(p->fd);

	CHECK(n == 1 && ms == 0);
	p->revents = 0;
	if (s->reset) {
		p->revents |= POLLERR;
	}
	if (s->reset || s->closed || (s->fin && s->shut)) {
		p->revents |= POLLHUP;
	}
	if ((p->events & POLLRDHUP) != 0 && (s->fin || s->closed)) {
		p->revents |= POLLRDHUP;
	}
	return p->revents != 0;
}

int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	(void)open_sock(fd);
	return 0;
}

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct ucred cred = { .pid = 1, .uid = 1000, .gid = 1000 };

	(void)open_sock(fd);
	if (level == IPPROTO_TCP) {
		return -1; /* they are unix sockets */
	}
	CHECK(
	    level == SOL_SOCKET && name == SO_PEERCRED && *len == sizeof(cred));
	memcpy(value, &cred, sizeof(cred));
	return 0;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	(void)clock;
	ts->tv_sec = (time_t)(world.now_ms / 1000);
	ts->tv_nsec = (long)(world.now_ms % 1000) * 1000000;
	return 0;
}
