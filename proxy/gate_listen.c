/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners for clients; see gate_listen.h.
 *
 * A TCP port of our own is opened once for each worker (SO_REUSEPORT).  What
 * cannot be opened twice, a unix socket or one that was passed to us, all
 * workers watch together.  A passed one stays open in the service manager
 * when we close ours, so that clients who come meanwhile wait for the next
 * gate.
 *
 * No TLS on a unix socket: the kernel says who is there.
 */
#include "gate_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "activation.h"
#include "log.h"
#include "sockets.h"

/* The one socket that all workers share, or -1: each opens one. */
static enum err
open_shared(const struct addr *a, int *fd, struct diag *d)
{
	if (a->sa.sa_family != AF_UNIX) {
		return sockets_has(a) ? ERR_OK : addr_probe_port(a, d);
	}
	return sockets_listen(a, 0, fd, d);
}

/* a: where to listen, for those who do not share. */
static enum err
listen_all(const struct gate_listeners *l, const struct addr *a, int shared,
    enum listen_kind kind, struct diag *d)
{
	enum err rc = ERR_OK;
	unsigned i;
	int fd;

	for (i = 0; i < l->n_workers && rc == ERR_OK; i++) {
		if (shared == -1) {
			rc = sockets_listen(a, i, &fd, d);
		} else {
			fd = fcntl(shared, F_DUPFD_CLOEXEC, 0);
			rc = fd == -1 ? ERR_IO : ERR_OK;
		}
		if (rc == ERR_OK) {
			rc =
			    worker_listen(l->worker[i], fd, kind, shared != -1);
		}
	}
	return rc;
}

static enum err
listen_on(struct gate_listeners *l, const struct gate_config *conf,
    const char *url, struct diag *d)
{
	bool clear = conf->tls == GATE_TLS_NONE || addr_is_unix(url);
	int shared = activation_claim(conf->passed, url);
	bool passed = shared != -1;
	struct addr a;
	enum err rc = ERR_OK;

	if (!passed) {
		rc = addr_parse(url, &a, d);
		if (rc == ERR_OK) {
			rc = open_shared(&a, &shared, d);
		}
	}
	if (rc == ERR_OK) {
		rc = listen_all(
		    l, &a, shared, clear ? LISTEN_CLEAR : LISTEN_TLS, d);
	}
	if (shared != -1) {
		close(shared);
	}
	if (rc == ERR_OK) {
		log_info("listening addr=%s security=%s%s", url,
		    clear			   ? "none"
		    : conf->tls == GATE_TLS_VERIFY ? "mutual-tls"
						   : "tls",
		    passed ? " passed=yes" : "");
	}
	return rc;
}

enum err
gate_listen(
    struct gate_listeners *l, const struct gate_config *conf, struct diag *d)
{
	enum err rc = ERR_OK;
	size_t i;

	for (i = 0; i < conf->listen.n && rc == ERR_OK; i++) {
		rc = listen_on(l, conf, conf->listen.item[i], d);
	}
	return rc;
}

unsigned
gate_workers(const struct gate_config *conf)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = conf->workers;

	if (n == 0) {
		n = cpus < 1 ? 1 : (unsigned)cpus;
	}
	return n > GATE_WORKERS_MAX ? GATE_WORKERS_MAX : n;
}
