/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners beside the clients'; see desk.h.
 *
 * Attackers open many connections: past the cap the oldest makes room, which
 * is theirs and not that of somebody who has just come to ask.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "desk_impl.h"
#include "log.h"

#define DESK_ACCEPTS 16	 /* in one turn of the loop */
#define DESK_REST_MS 100 /* out of descriptors */

/* The oldest goes, but for those whose answer is under way. */
static bool
make_room(struct desk *d)
{
	struct desk_conn *c, *oldest = NULL;

	for (c = d->conns; c != NULL; c = c->next) {
		if (!c->held || c->state != DS_WAIT) {
			oldest = c;
		}
	}
	if (oldest == NULL) {
		return false;
	}
	desk_conn_end(oldest);
	return true;
}

static bool
too_many_of(const struct desk *d, const uint8_t host[16])
{
	const struct desk_conn *c;
	unsigned n = 0;

	for (c = d->conns; c != NULL; c = c->next) {
		n += c->has_host && memcmp(c->host, host, 16) == 0;
	}
	return d->conf->connections_per_address > 0 &&
	       n >= d->conf->connections_per_address;
}

static void
on_accept(void *arg, short what)
{
	struct sockaddr_storage peer;
	struct desk *d = arg;
	uint8_t host[16];
	socklen_t len;
	unsigned n;
	int fd = -1;

	(void)what;
	for (n = 0; n < DESK_ACCEPTS; n++) {
		memset(&peer, 0, sizeof(peer));
		len = sizeof(peer);
		fd = accept4(d->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			break;
		}
		if ((addr_host_key(&peer, host) && too_many_of(d, host)) ||
		    (d->n_conns >= d->conf->connections && !make_room(d))) {
			close(fd);
			continue;
		}
		desk_conn_begin(d, fd, &peer);
	}
	if (fd == -1 && errno != EAGAIN && errno != EINTR &&
	    errno != ECONNABORTED) {
		log_warn("%s: cannot accept: %s; trying again soon",
		    d->conf->name, strerror(errno));
		loop_io_want(d->io, 0);
		loop_timer_set(d->rest, DESK_REST_MS);
	}
}

static void
on_rested(void *arg)
{
	struct desk *d = arg;

	loop_io_want(d->io, LOOP_READ);
}

/* --- the desk ------------------------------------------------------------ */

enum err
desk_new(const struct desk_config *conf, int fd, struct desk **out)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		return ERR_NOMEM;
	}
	d->conf = conf;
	d->fd = -1;
	d->loop = loop_new();
	if (d->loop != NULL) {
		d->rest = loop_timer_new(d->loop, on_rested, d);
		d->io = loop_io_new(d->loop, fd, on_accept, d);
	}
	if (d->rest == NULL || d->io == NULL) {
		desk_free(d);
		return ERR_NOMEM;
	}
	d->fd = fd;
	loop_io_want(d->io, LOOP_READ);
	*out = d;
	return ERR_OK;
}

struct loop *
desk_loop(struct desk *d)
{
	return d->loop;
}

static void *
desk_main(void *arg)
{
	struct desk *d = arg;

	(void)pthread_setname_np(pthread_self(), d->conf->name);
	loop_run(d->loop);
	return NULL;
}

enum err
desk_start(struct desk *d)
{
	if (pthread_create(&d->thread, NULL, desk_main, d) != 0) {
		return ERR_NOMEM;
	}
	d->running = true;
	return ERR_OK;
}

void
desk_stop(struct desk *d)
{
	if (d != NULL && d->running) {
		loop_stop(d->loop);
		(void)pthread_join(d->thread, NULL);
		d->running = false;
	}
}

void
desk_free(struct desk *d)
{
	if (d == NULL) {
		return;
	}
	while (d->conns != NULL) {
		desk_conn_end(d->conns);
	}
	loop_io_free(d->io);
	loop_timer_free(d->rest);
	loop_free(d->loop);
	if (d->fd != -1) {
		close(d->fd);
	}
	free(d);
}
