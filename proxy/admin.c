/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin listener; see admin.h.
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
 * Attackers open many connections and say nothing: desk.c has their bounds.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_impl.h"
#include "log.h"
#include "sockets.h"

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
	int fd;

	a->gate.view(a->gate.arg, &a->first);
	a->conf = (struct desk_config){
		.name = "admin",
		.ops = &admin_desk_ops,
		.arg = a,
		.connections = LIMIT_ADMIN_CONNECTIONS,
		.head_bytes = LIMIT_ADMIN_HEAD_BYTES,
		.answer_bytes = LIMIT_ADMIN_BODY_BYTES,
		.read_ms = LIMIT_ADMIN_HEAD_MS,
		.write_ms = LIMIT_ADMIN_WRITE_MS,
		.linger_ms = LIMIT_ADMIN_LINGER_MS,
	};
	if (a->addr.sa.sa_family == AF_UNIX) {
		make_folder(&a->addr);
	}
	rc = sockets_listen_alone(&a->addr, 0600, &fd, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = desk_new(&a->conf, fd, &a->desk);
	if (rc != ERR_OK) {
		close(fd);
		return rc;
	}
	/* Later no file can be opened. */
	a->owner = geteuid();
	a->descriptors = opendir("/proc/self/fd");
	a->memory_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	a->probe = probe_new(
	    desk_loop(a->desk), &a->first.gate->upstream, on_probed, a);
	return a->probe == NULL ? ERR_NOMEM : ERR_OK;
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

enum err
admin_start(struct admin *a)
{
	return desk_start(a->desk);
}

void
admin_stop(struct admin *a)
{
	if (a != NULL) {
		desk_stop(a->desk);
	}
}

void
admin_free(struct admin *a)
{
	if (a == NULL) {
		return;
	}
	probe_free(a->probe); /* its events are the desk's loop's */
	desk_free(a->desk);
	if (a->descriptors != NULL) {
		(void)closedir(a->descriptors);
	}
	if (a->memory_fd > 0) {
		close(a->memory_fd);
	}
	free(a);
}
