/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin listener's thread; see admin.h.
 *
 * It shares nothing with the workers but counters that they write and it
 * reads, so whatever happens here costs no client of the gate a turn.  A
 * reload reads files and keys on this thread; only the finished result goes
 * to the workers.
 *
 * A unix socket is for root and the gate's own user (mode 0600, and the
 * kernel's word about the peer).  TCP shows, but never takes orders: anybody
 * on the machine reaches 127.0.0.1, a browser included.
 *
 * Rejected: these addresses on the clients' listener behind a policy rule:
 * a gate whose policy or certificate is broken is the one that must be asked.
 * TLS here: what watches the gate runs beside it, or goes through it.
 *
 * Attackers open many connections and say nothing: past the cap the oldest
 * makes room, and each has a deadline.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_impl.h"
#include "log.h"

#define ADMIN_ACCEPTS 16 /* in one turn of the loop */
#define REST_MS 100	 /* out of descriptors */

/* The oldest goes; not one whose reload is under way: it has its orders. */
static bool
make_room(struct admin *a)
{
	struct admin_conn *c, *oldest = NULL;

	for (c = a->conns; c != NULL; c = c->next) {
		if (admin_conn_may_go(c)) {
			oldest = c;
		}
	}
	if (oldest == NULL) {
		return false;
	}
	admin_conn_free(oldest);
	return true;
}

static void
on_accept(void *arg, short what)
{
	struct admin *a = arg;
	unsigned n;
	int fd;

	(void)what;
	for (n = 0; n < ADMIN_ACCEPTS; n++) {
		fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			break;
		}
		if (a->n_conns >= LIMIT_ADMIN_CONNECTIONS && !make_room(a)) {
			close(fd);
			continue;
		}
		admin_conn_start(a, fd);
	}
	if (fd == -1 && errno != EAGAIN && errno != EINTR &&
	    errno != ECONNABORTED) {
		log_warn("admin: cannot accept: %s; trying again soon",
		    strerror(errno));
		loop_io_want(a->io, 0);
		loop_timer_set(a->rest, REST_MS);
	}
}

static void
on_rested(void *arg)
{
	struct admin *a = arg;

	loop_io_want(a->io, LOOP_READ);
}

static void
on_probed(void *arg)
{
	struct admin *a = arg;
	struct admin_conn *c, *next;

	for (c = a->conns; c != NULL; c = next) {
		next = c->next;
		admin_conn_probed(c);
	}
}

/* The folder of the socket, for root alone, if only it is missing. */
static void
make_folder(const struct addr *a)
{
	char path[sizeof(a->un.sun_path)];
	char *slash;

	memcpy(path, a->un.sun_path, sizeof(path));
	slash = strrchr(path, '/');
	if (slash != NULL && slash != path) {
		*slash = '\0';
		(void)mkdir(path, 0700); /* listening says what is wrong */
	}
}

static enum err
check_addr(const struct addr *a, bool remote_ok, struct diag *d)
{
	if (a->sa.sa_family == AF_UNIX || remote_ok || addr_is_loopback(a)) {
		return ERR_OK;
	}
	diag_set(d, 0, 0,
	    "-admin %s: whoever reaches it could read who uses this gate, and "
	    "how; take tcp://127.0.0.1:PORT or unix:///PATH, or say "
	    "-insecure-admin-remote too",
	    a->text);
	return ERR_USAGE;
}

static enum err
equip(struct admin *a, struct diag *d)
{
	enum err rc;

	a->gate.view(a->gate.arg, &a->first);
	a->loop = loop_new();
	if (a->loop == NULL) {
		return ERR_NOMEM;
	}
	a->probe = probe_new(a->loop, &a->first.gate->upstream, on_probed, a);
	a->rest = loop_timer_new(a->loop, on_rested, a);
	if (a->probe == NULL || a->rest == NULL) {
		return ERR_NOMEM;
	}
	if (a->addr.sa.sa_family == AF_UNIX) {
		make_folder(&a->addr);
	}
	rc = addr_listen_alone(&a->addr, 0600, &a->fd, d);
	if (rc != ERR_OK) {
		return rc;
	}
	a->bound = true;
	a->io = loop_io_new(a->loop, a->fd, on_accept, a);
	if (a->io == NULL) {
		return ERR_NOMEM;
	}
	loop_io_want(a->io, LOOP_READ);
	return ERR_OK;
}

enum err
admin_open(const char *url, bool remote_ok, const struct admin_gate *gate,
    struct admin **out, struct diag *d)
{
	struct admin *a = calloc(1, sizeof(*a));
	enum err rc;

	if (a == NULL) {
		return ERR_NOMEM;
	}
	a->fd = -1;
	a->gate = *gate;
	rc = addr_parse(url, &a->addr, d);
	if (rc == ERR_OK) {
		rc = check_addr(&a->addr, remote_ok, d);
	}
	if (rc == ERR_OK) {
		rc = equip(a, d);
	}
	if (rc != ERR_OK) {
		admin_free(a);
		return rc;
	}
	log_info("admin listening addr=%s", a->addr.text);
	*out = a;
	return ERR_OK;
}

static void *
admin_main(void *arg)
{
	struct admin *a = arg;

	loop_run(a->loop);
	return NULL;
}

enum err
admin_start(struct admin *a)
{
	if (pthread_create(&a->thread, NULL, admin_main, a) != 0) {
		return ERR_NOMEM;
	}
	(void)pthread_setname_np(a->thread, "admin");
	a->running = true;
	return ERR_OK;
}

void
admin_stop(struct admin *a)
{
	if (a != NULL && a->running) {
		loop_stop(a->loop);
		(void)pthread_join(a->thread, NULL);
		a->running = false;
	}
}

void
admin_free(struct admin *a)
{
	if (a == NULL) {
		return;
	}
	while (a->conns != NULL) {
		admin_conn_free(a->conns);
	}
	probe_free(a->probe);
	loop_io_free(a->io);
	loop_timer_free(a->rest);
	loop_free(a->loop);
	if (a->fd != -1) {
		close(a->fd);
	}
	if (a->bound && a->addr.sa.sa_family == AF_UNIX) {
		(void)unlink(a->addr.un.sun_path);
	}
	free(a);
}
