/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's master process; see master.h.
 *
 * One thread, one poll(2) loop: signals by a descriptor, and for each gate a
 * socket on which it asks.  A gate is a fork of this process, made before any
 * key is read: the master's memory holds none.
 *
 * More than one gate: after an upgrade the newest takes what is new, and the
 * others finish what they have.  They are told of reloads as well, because a
 * certificate that is revoked is revoked on an old stream too.
 *
 * The end of the newest gate is the end of all: who started us (systemd, the
 * entrypoint, an operator) decides whether to start again.
 *
 * Rejected: the gate as the parent and the master as its child, which leaves
 * nobody who could start the next gate; a master that starts a gate again by
 * itself, beside a service manager that does the same.
 */
#include "master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "descriptors.h"
#include "gate_audit.h"
#include "keeper_master.h"
#include "log.h"
#include "loop.h"
#include "master_impl.h"
#include "notify.h"
#include "renewal.h"
#include "sockets.h"

#define MASTER_TICK_MS 1000

/* What the master is told by. */
static void
fill_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGCHLD);
}

void
master_hold_signals(void)
{
	sigset_t set;

	fill_signals(&set);
	sigaddset(&set, MASTER_STOP);
	sigaddset(&set, MASTER_RELOAD);
	sigaddset(&set, MASTER_REOPEN);
	sigaddset(&set, MASTER_DRAIN);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* --- gates --------------------------------------------------------------- */

struct master_gate *
master_newest(struct master *m)
{
	return m->n_gates == 0 ? NULL : m->gate[m->n_gates - 1];
}

static void
send_to(const struct master_gate *g, int sig)
{
	if (g->pid > 0) {
		(void)kill(g->pid, sig);
	}
}

static void
send_to_all(const struct master *m, int sig)
{
	size_t i;

	for (i = 0; i < m->n_gates; i++) {
		send_to(m->gate[i], sig);
	}
}

/* The sockets are ours as much as theirs: who connects now is refused, and
 * waits for no gate that takes nobody any more.  But who asks the admin
 * listener hears how the end comes on. */
static void
stop_all(struct master *m)
{
	struct addr admin;
	bool has_admin = m->conf->admin != NULL &&
			 addr_parse(m->conf->admin, &admin, NULL) == ERR_OK;

	m->stopping = true;
	sockets_end(has_admin ? &admin : NULL);
	send_to_all(m, MASTER_STOP);
}

/* The newest is there: the others end when their streams do. */
static void
took_over(struct master *m, struct master_gate *g)
{
	size_t i;

	g->ready = true;
	if (m->n_gates > 1) {
		log_info("upgraded: a new gate has taken over pid=%d "
			 "draining=%zu",
		    (int)g->pid, m->n_gates - 1);
	}
	for (i = 0; i + 1 < m->n_gates; i++) {
		if (!m->gate[i]->draining) {
			m->gate[i]->draining = true;
			send_to(m->gate[i], MASTER_DRAIN);
		}
	}
	sockets_close_unwanted();
}

/* What a gate has to say of itself; the manager hears of the newest only. */
static void
on_news(void *arg, enum keeper_news news, const char *text)
{
	struct master_gate *g = arg;
	struct master *m = g->master;
	const struct notify *to = m->conf->notify;

	if (g != master_newest(m)) {
		return;
	}
	switch (news) {
	case KEEPER_READY:
		if (!g->ready) {
			took_over(m, g);
		}
		notify_ready(to, text);
		break;
	case KEEPER_RELOADING:
		notify_reloading(to);
		break;
	case KEEPER_STOPPING:
		notify_stopping(to);
		break;
	case KEEPER_ALIVE:
		notify_alive(to);
		break;
	case KEEPER_RENEW:
		renewal_soon(&m->renewal);
		break;
	case KEEPER_NEWS_N:
		break;
	}
}

struct master_gate *
master_add_gate(struct master *m, pid_t pid, int fd, int audit_fd)
{
	struct master_gate *g = calloc(1, sizeof(*g));

	if (g == NULL || m->n_gates == MASTER_GATES_MAX) {
		free(g);
		return NULL;
	}
	g->master = m;
	g->pid = pid;
	g->audit_fd = audit_fd;
	keeper_init(&g->keeper, fd, m->conf, &m->dockerd);
	g->keeper.news = on_news;
	g->keeper.arg = g;
	m->gate[m->n_gates++] = g;
	return g;
}

/* The new process's ends of what joins it to us, and ours. */
struct joint {
	int ask[2];   /* keeper.h */
	int audit[2]; /* audit_remote.h; -1: there is no audit log */
};

static enum err
joint_open(struct joint *j, bool audit)
{
	j->audit[0] = j->audit[1] = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, j->ask) ==
	    -1) {
		return ERR_IO;
	}
	if (audit && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			 j->audit) == -1) {
		close(j->ask[0]);
		close(j->ask[1]);
		return ERR_IO;
	}
	return ERR_OK;
}

static void
joint_close(const struct joint *j, int side)
{
	close(j->ask[side]);
	if (j->audit[side] != -1) {
		close(j->audit[side]);
	}
}

/* In the new process; never returns. */
static void
be_the_gate(const struct master *m, const struct joint *j, pid_t master)
{
	const struct gate_place place = { &m->user, master, j->audit[1] };
	struct diag d = { 0, 0, "" };
	size_t i;
	enum err rc;

	joint_close(j, 0);
	for (i = 0; i < m->n_gates; i++) {
		close(m->gate[i]->keeper.fd);
		if (m->gate[i]->audit_fd != -1) {
			close(m->gate[i]->audit_fd);
		}
	}
	close(m->signals);
	(void)prctl(PR_SET_NAME, "dinv-gate", 0, 0, 0);
	keeper_use(j->ask[1]);
	(void)keeper_look(m->conf->certs); /* waits until we are served */
	rc = gate_run(m->conf, &place, &d);
	if (rc != ERR_OK) {
		fprintf(stderr, "dinv gate: %s\n",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
	}
	exit(rc == ERR_OK ? 0 : 1);
}

static enum err
start_gate(struct master *m, struct diag *d)
{
	pid_t pid, self = getpid();
	struct joint j;

	if (m->n_gates == MASTER_GATES_MAX) {
		diag_set(d, 0, 0, "too many old gates still have streams");
		return ERR_LIMIT;
	}
	if (joint_open(&j, m->conf->audit != NULL) != ERR_OK) {
		return ERR_IO;
	}
	sockets_want_none();
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		be_the_gate(m, &j, self);
	}
	joint_close(&j, 1);
	if (pid == -1 ||
	    master_add_gate(m, pid, j.ask[0], j.audit[0]) == NULL) {
		joint_close(&j, 0);
		diag_set(d, 0, 0, "the gate's process cannot be started: %s",
		    strerror(errno));
		return ERR_IO;
	}
	return ERR_OK;
}

/*
 * After the fork: a gate has no byte of the key that signs records.  Every
 * gate's records are taken, whichever program of ours started it.
 */
static enum err
open_store(struct master *m, struct diag *d)
{
	struct master_gate *g;
	size_t i;
	enum err rc = ERR_OK;

	if (m->conf->audit == NULL) {
		return ERR_OK;
	}
	if (m->store == NULL) {
		rc = gate_open_store(m->conf, &m->store, d);
	}
	for (i = 0; i < m->n_gates && rc == ERR_OK; i++) {
		g = m->gate[i];
		if (g->audit_fd != -1 && g->audit == NULL) {
			rc = audit_remote_serve(
			    m->store, g->audit_fd, &g->audit);
		}
	}
	return rc;
}

/* --- ends ---------------------------------------------------------------- */

static void
forget(struct master *m, size_t i)
{
	struct master_gate *g = m->gate[i];

	keeper_fini(&g->keeper);
	if (g->audit != NULL) {
		audit_remote_stop(g->audit);
	} else if (g->audit_fd != -1) {
		close(g->audit_fd);
	}
	free(g);
	m->n_gates--;
	for (; i < m->n_gates; i++) {
		m->gate[i] = m->gate[i + 1];
	}
}

static int
exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* One gate has ended, which was the newest or not. */
static void
ended(struct master *m, size_t i, int status)
{
	struct master_gate *g = m->gate[i];
	bool newest = g == master_newest(m), ready = g->ready;
	pid_t pid = g->pid;

	if (WIFSIGNALED(status)) {
		log_error("the gate was ended by signal %d (%s) pid=%d",
		    WTERMSIG(status), strsignal(WTERMSIG(status)), (int)pid);
	} else if (!newest) {
		log_info("an old gate has no stream any more, and has ended "
			 "pid=%d",
		    (int)pid);
	}
	forget(m, i);
	if (!newest) {
		return;
	}
	if (!ready && m->n_gates > 0 && !m->stopping) {
		log_error("not upgraded: the new gate could not be started, "
			  "the old one goes on");
		return;
	}
	m->status = exit_status(status);
	if (!m->stopping) {
		stop_all(m);
	}
}

static void
reap(struct master *m)
{
	size_t i = 0;
	int status;

	while (i < m->n_gates) {
		if (waitpid(m->gate[i]->pid, &status, WNOHANG) ==
		    m->gate[i]->pid) {
			ended(m, i, status);
		} else {
			i++;
		}
	}
}

/* --- signals ------------------------------------------------------------- */

static void
on_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGTERM:
	case SIGINT:
		stop_all(m);
		break;
	case SIGHUP:
		renewal_soon(&m->renewal);
		send_to_all(m, MASTER_RELOAD);
		break;
	case SIGUSR1:
		send_to(master_newest(m), MASTER_REOPEN);
		break;
	case SIGUSR2:
		m->upgrade = true;
		break;
	default:
		break;
	}
}

static void
take_signals(struct master *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		on_signal(m, (int)info.ssi_signo);
	}
}

/* Not before the gate that there is can be relied on. */
static void
upgrade_if_asked(struct master *m)
{
	const struct master_gate *newest = master_newest(m);

	if (m->upgrade && !m->stopping && newest != NULL && newest->ready) {
		m->upgrade = false;
		master_upgrade(m);
	}
}

static enum err
open_signals(struct master *m)
{
	sigset_t set;

	fill_signals(&set);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals == -1 ? ERR_IO : ERR_OK;
}

/* --- the loop ------------------------------------------------------------ */

static void
turn(struct master *m)
{
	struct pollfd p[1 + MASTER_GATES_MAX];
	size_t n = m->n_gates, i;

	p[0] = (struct pollfd){ .fd = m->signals, .events = POLLIN };
	for (i = 0; i < n; i++) {
		p[1 + i] = (struct pollfd){ .fd = m->gate[i]->keeper.fd,
			.events = POLLIN };
	}
	if (poll(p, (nfds_t)(1 + n), MASTER_TICK_MS) > 0) {
		/* while the list is still the one that was polled */
		for (i = 0; i < n; i++) {
			if (p[1 + i].revents != 0) {
				keeper_serve(&m->gate[i]->keeper);
			}
		}
		if (p[0].revents != 0) {
			take_signals(m);
		}
	}
	for (i = 0; i < m->n_gates; i++) {
		keeper_tick(&m->gate[i]->keeper, loop_now_ms());
	}
	if (m->conf->tls != GATE_TLS_NONE && !m->stopping) {
		renewal_tick(&m->renewal);
	}
	reap(m);
	upgrade_if_asked(m);
}

static enum err
prepare(struct master *m, struct diag *d)
{
	const struct gate_config *conf = m->conf;
	enum err rc = open_signals(m);

	if (rc == ERR_OK) {
		rc = addr_parse(conf->upstream, &m->dockerd, d);
	}
	if (rc == ERR_OK && m->dockerd.sa.sa_family != AF_UNIX) {
		diag_set(d, 0, 0,
		    "-upstream must be unix:///path: dockerd "
		    "should listen nowhere else");
		rc = ERR_USAGE;
	}
	if (rc == ERR_OK) {
		rc = confine_find_user(conf->user, &m->user, d);
	}
	return rc;
}

/* The gate that was started last has not been served yet, and never will. */
static void
give_up(struct master *m)
{
	struct master_gate *g = master_newest(m);

	(void)kill(g->pid, SIGKILL);
	(void)waitpid(g->pid, NULL, 0);
	forget(m, m->n_gates - 1);
}

/* An old gate's records wait, until what stands in their way is gone. */
static void
try_store_again(struct master *m)
{
	struct diag d = { 0, 0, "" };

	if (m->conf->audit != NULL && m->store == NULL &&
	    open_store(m, &d) == ERR_OK) {
		log_info("the audit log is open again");
	}
}

int
master_run(const struct gate_config *conf, char **argv)
{
	static struct master m;
	struct diag d = { 0, 0, "" };
	enum err rc;

	m = (struct master){ .conf = conf, .argv = argv, .signals = -1 };
	descriptors_raise();
	renewal_init(
	    &m.renewal, conf->certs, conf->ca_pass_file, conf->key_pass_file);
	rc = master_take_over(&m, &d);
	if (rc == ERR_OK) {
		rc = prepare(&m, &d);
	}
	if (rc == ERR_OK) {
		rc = start_gate(&m, &d);
	}
	if (rc == ERR_OK) {
		rc = open_store(&m, &d);
		if (rc != ERR_OK) {
			give_up(&m);
		}
	}
	if (rc != ERR_OK) {
		fprintf(stderr, "dinv gate: %s\n",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
		m.status = 1;
	}
	while (m.n_gates > 0) {
		try_store_again(&m);
		turn(&m);
	}
	audit_store_drop(m.store);
	if (rc == ERR_OK || m.signals != -1) {
		sockets_end(NULL);
	}
	return m.status;
}
