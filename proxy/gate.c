/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate as a whole; see gate.h.
 *
 * Everything that can be wrong is found before the first connection is
 * taken: files, keys, policy, addresses.  Then the workers run and this
 * thread only waits for signals.
 *
 * The process holds the server's key, the CA's certificate and the policy.
 * It never opens the CA's key.
 */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "certs/store.h"
#include "log.h"
#include "worker.h"

#define GATE_WORKERS_MAX 64
#define GATE_POLICY_BYTES (16u << 20)
#define GATE_JOIN_MS 50
#define GATE_MMAP_BYTES (256 << 10)
#define GATE_TRIM_BYTES (1 << 20)

#define GATE_SOCKETS_MAX 32

struct running {
	struct addr socket[GATE_SOCKETS_MAX]; /* unix listeners */
	size_t n_sockets;
	struct gate gate;
	const struct gate_config *conf;
	struct shared_policy *policy;
	struct worker_thread *worker[GATE_WORKERS_MAX];
	unsigned n_workers;
};

static bool
is_preset(const char *name)
{
	const char *const *p;

	for (p = policy_preset_names(); *p != NULL; p++) {
		if (strcmp(*p, name) == 0) {
			return true;
		}
	}
	return false;
}

static enum err
read_policy(const char *name, struct policy **out, struct diag *d)
{
	struct secret text = { NULL, 0 };
	struct diag why = { 0, 0, "" };
	enum err rc;

	if (is_preset(name)) {
		return policy_load_preset(name, out);
	}
	rc = secret_read_file(&text, name, GATE_POLICY_BYTES);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0,
		    "cannot read the policy %s: %s (a file, or "
		    "one of: dinv policy show)",
		    name, rc == ERR_LIMIT ? "too large" : strerror(errno));
		return rc;
	}
	rc = policy_load(span_make(text.data, text.len), out, &why);
	secret_fini(&text);
	if (rc != ERR_OK) {
		diag_set(d, why.line, why.col, "%s:%u:%u: %s", name, why.line,
		    why.col, why.text);
	}
	return rc;
}

static enum err
load_policy(const char *name, struct shared_policy **out, struct diag *d)
{
	struct policy *pol = NULL;
	enum err rc = read_policy(name, &pol, d);

	if (rc != ERR_OK) {
		return rc;
	}
	*out = shared_policy_new(pol);
	if (*out == NULL) {
		policy_free(pol);
		return ERR_NOMEM;
	}
	return ERR_OK;
}

static enum err
load_tls(
    const struct gate_config *conf, struct tls_server **out, struct diag *d)
{
	struct tls_options opt = { .min = conf->tls_min, .max = conf->tls_max };
	struct store_paths paths;
	enum err rc;

	*out = NULL;
	if (conf->tls == GATE_TLS_NONE) {
		return ERR_OK;
	}
	rc = store_paths(conf->certs, &paths);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the path of -certs is too long");
		return rc;
	}
	opt.cert_path = paths.server_cert;
	opt.key_path = paths.server_key;
	if (conf->tls == GATE_TLS_VERIFY) {
		opt.ca_path = paths.ca;
	}
	return tls_server_new(&opt, out, d);
}

/* Another program that shares the port by SO_REUSEPORT would take a part of
 * the connections: find out by asking for it alone first. */
static enum err
probe_port(const struct addr *a, struct diag *d)
{
	int fd, one = 1;
	enum err rc = ERR_OK;

	if (a->sa.sa_family == AF_UNIX) {
		return ERR_OK;
	}
	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return ERR_OK; /* listening will say it better */
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->sa.sa_family == AF_INET6) { /* as addr_listen() does */
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
	if (bind(fd, &a->sa, a->len) == -1 && errno == EADDRINUSE) {
		diag_set(d, 0, 0,
		    "cannot listen on %s: another program has "
		    "it; stop that, or choose another port",
		    a->text);
		rc = ERR_IO;
	}
	close(fd);
	return rc;
}

/* One address, on every worker. */
static enum err
listen_on(struct running *r, const struct gate_config *conf, const char *url,
    struct diag *d)
{
	enum listen_kind kind =
	    conf->tls == GATE_TLS_NONE ? LISTEN_CLEAR : LISTEN_TLS;
	struct addr a;
	unsigned i;
	int fd = -1;
	enum err rc = addr_parse(url, &a, d);

	if (rc == ERR_OK) {
		rc = probe_port(&a, d);
	}
	if (rc == ERR_OK && a.sa.sa_family == AF_UNIX) {
		kind = LISTEN_CLEAR;
		rc = addr_listen(&a, &fd, d);
		if (rc == ERR_OK && r->n_sockets < GATE_SOCKETS_MAX) {
			r->socket[r->n_sockets++] = a;
		}
	}
	for (i = 0; i < r->n_workers && rc == ERR_OK; i++) {
		int mine = fd;

		if (a.sa.sa_family != AF_UNIX) {
			rc = addr_listen(&a, &mine, d);
		} else if (i > 0) {
			mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		}
		if (rc == ERR_OK) {
			rc = worker_listen(r->worker[i], mine, kind);
		}
	}
	if (rc == ERR_OK) {
		log_info("listening addr=%s security=%s", a.text,
		    kind == LISTEN_CLEAR	   ? "none"
		    : conf->tls == GATE_TLS_VERIFY ? "mutual-tls"
						   : "tls");
	}
	return rc;
}

static enum err
make_workers(struct running *r, const struct gate_config *conf, struct diag *d)
{
	struct tls_server *tls;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = conf->workers;
	enum err rc = ERR_OK;

	if (n == 0) {
		n = cpus < 1 ? 1 : (unsigned)cpus;
	}
	n = n > GATE_WORKERS_MAX ? GATE_WORKERS_MAX : n;
	while (r->n_workers < n && rc == ERR_OK) {
		rc = load_tls(conf, &tls, d);
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

static enum err
prepare(struct running *r, const struct gate_config *conf, struct diag *d)
{
	enum err rc;
	size_t i;

	r->conf = conf;
	r->gate.limits = conf->limits;
	rc = addr_parse(conf->upstream, &r->gate.upstream, d);
	if (rc == ERR_OK && r->gate.upstream.sa.sa_family != AF_UNIX) {
		diag_set(d, 0, 0,
		    "-upstream must be unix:///path: dockerd "
		    "should listen nowhere else");
		rc = ERR_USAGE;
	}
	if (rc == ERR_OK) {
		rc = load_policy(conf->policy, &r->policy, d);
	}
	if (rc == ERR_OK && conf->audit != NULL) {
		rc = audit_open(conf->audit, &r->gate.audit, d);
	}
	if (rc == ERR_OK) {
		r->gate.census = census_new(conf->limits.connections,
		    conf->limits.connections_per_address);
		rc = r->gate.census == NULL ? ERR_NOMEM : ERR_OK;
	}
	if (rc == ERR_OK) {
		rc = make_workers(r, conf, d);
	}
	for (i = 0; i < conf->listen.n && rc == ERR_OK; i++) {
		rc = listen_on(r, conf, conf->listen.item[i], d);
	}
	return rc;
}

static void
raise_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

/* The files of unix listeners go with their listeners. */
static void
remove_sockets(const struct running *r)
{
	size_t i;

	for (i = 0; i < r->n_sockets; i++) {
		(void)unlink(r->socket[i].un.sun_path);
	}
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

/* Everything anew, or nothing at all: the first part that cannot be used
 * leaves all as it is. */
static enum err
reload_parts(struct running *r, struct diag *d)
{
	struct tls_server *tls[GATE_WORKERS_MAX] = { NULL };
	struct shared_policy *policy = NULL;
	enum err rc = load_policy(r->conf->policy, &policy, d);
	unsigned i;

	for (i = 0; i < r->n_workers && rc == ERR_OK; i++) {
		rc = load_tls(r->conf, &tls[i], d);
	}
	for (i = 0; i < r->n_workers && rc == ERR_OK; i++) {
		rc = worker_reload(r->worker[i], tls[i], policy);
		if (rc == ERR_OK) {
			tls[i] = NULL; /* it is the worker's now */
		}
	}
	for (i = 0; i < r->n_workers; i++) {
		tls_server_drop(tls[i]);
	}
	if (rc == ERR_OK) {
		shared_policy_drop(r->policy);
		r->policy = policy;
		policy = NULL;
	}
	shared_policy_drop(policy);
	return rc;
}

static void
reload(struct running *r)
{
	struct diag d = { 0, 0, "" };
	enum err rc = reload_parts(r, &d);

	if (rc == ERR_OK) {
		log_info("reloaded policy=%s certs=%s", r->conf->policy,
		    r->conf->certs);
	} else {
		log_error("not reloaded, the old policy and certificates stay "
			  "in force: %s",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
	}
}

/* Waits for the signals that main blocked; returns when all have stopped. */
static void
wait_for_stop(struct running *r, const sigset_t *set)
{
	struct timespec nap = { 0, GATE_JOIN_MS * 1000000L };
	bool stopping = false;
	int sig;

	while (!all_done(r)) {
		sig = stopping ? sigtimedwait(set, NULL, &nap)
			       : sigwaitinfo(set, NULL);
		if (sig == SIGTERM || sig == SIGINT) {
			log_info("stopping%s", stopping ? " now" : "");
			stopping = true;
			stop_workers(r);
		} else if (sig == SIGHUP) {
			reload(r);
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
	return rc;
}

enum err
gate_run(const struct gate_config *conf, struct diag *d)
{
	struct running r;
	sigset_t set;
	unsigned i;
	enum err rc;

	memset(&r, 0, sizeof(r));
	/* Large buffers go back to the system when they are freed. */
	(void)mallopt(M_MMAP_THRESHOLD, GATE_MMAP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, GATE_TRIM_BYTES);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* workers inherit it */
	raise_descriptors();
	rc = prepare(&r, conf, d);
	if (rc == ERR_OK) {
		rc = start_workers(&r);
	}
	if (rc == ERR_OK) {
		log_info("ready upstream=%s workers=%u policy=%s",
		    r.gate.upstream.text, r.n_workers, conf->policy);
		wait_for_stop(&r, &set);
		log_info("stopped");
	} else {
		stop_workers(&r);
	}
	for (i = 0; i < r.n_workers; i++) {
		worker_free(r.worker[i]);
	}
	remove_sockets(&r);
	census_free(r.gate.census);
	shared_policy_drop(r.policy);
	audit_close(r.gate.audit);
	return rc;
}
