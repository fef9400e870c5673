/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor; see supervise.h.
 *
 * One thread, one poll(2) over two descriptors: a signalfd and the question
 * to dockerd whether it is ready.  All that happens is a signal (a child's
 * end too), an answer, or the next deadline; nothing sleeps.  Three phases:
 *
 *	STARTING  dockerd has not answered yet; no gate
 *	RUNNING   both are kept running, each with a back-off of its own
 *	STOPPING  nothing is started any more; over when both are gone
 *
 * A dockerd that dies later leaves the gate up: it answers 503 with the
 * reason, which users can read, where a closed port says nothing.
 *
 * At a stop both get SIGTERM at once: dockerd needs the whole grace period
 * for its containers, and streams through the gate end as their containers
 * do.  At 6/10 of it containers that ignore SIGTERM are killed (shims.c), at
 * 9/10 whatever still runs; the rest is for the kernel.  An app that needs
 * dockerd to clean up after itself has 6/10 before dockerd hears of the stop;
 * its containers then have until 8/10.
 *
 * Threads and libevent were rejected: this process may be PID 1 and holds
 * what must not die; it opens no socket to a client and parses nothing but
 * twelve bytes from dockerd.
 */
#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "log.h"
#include "ping.h"
#include "prepare.h"
#include "shims.h"

/* How long a child may take to vanish after SIGKILL (it may hang in a
 * system call); past that we leave without it. */
#define VANISH_MS 2000

/* Exit status of the gate for wrong flags, where trying again cannot help.
 * dockerd has none: its 1 can mean anything, its 2 is Go's for a panic. */
#define GATE_USAGE_STATUS 2
#define NO_USAGE_STATUS (-1)

enum phase { PHASE_STOPPING = 0, PHASE_STARTING, PHASE_RUNNING };

struct sup {
	const struct supervise_plan *plan;
	const struct supervise_limits *lim;
	enum phase phase;
	int signal_fd;
	int64_t now_ms;
	struct child dockerd;
	struct child gate;
	struct child preload;
	struct child app;
	struct ping ping;
	bool ready;	     /* this dockerd has answered */
	int64_t ping_at_ms;  /* when to try to connect again */
	int64_t ready_by_ms; /* STARTING: the limit */
	/* STOPPING: */
	int status;
	unsigned stops; /* signals that said stop */
	bool told;	/* dockerd has got its SIGTERM */
	bool squeezed;	/* stubborn containers were killed */
	bool killed;
	int64_t tell_at_ms;
	int64_t squeeze_at_ms;
	int64_t kill_at_ms;
	int64_t leave_at_ms;
};

static int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- stopping ---------------------------------------------------------- */

static void
tell_dockerd(struct sup *s)
{
	s->told = true;
	child_signal(&s->dockerd, SIGTERM);
}

static void
begin_stop(struct sup *s, int status)
{
	int64_t tenth_ms = s->lim->grace_ms / 10;

	s->phase = PHASE_STOPPING;
	s->status = status;
	s->tell_at_ms = s->now_ms + tenth_ms * (s->app.pid == 0 ? 0 : 6);
	s->squeeze_at_ms = s->now_ms + tenth_ms * (s->app.pid == 0 ? 6 : 8);
	s->kill_at_ms = s->now_ms + tenth_ms * 9;
	s->leave_at_ms = INT64_MAX;
	s->gate.restart_ms = 0;
	s->dockerd.restart_ms = 0;
	ping_fini(&s->ping);
	child_signal(&s->preload, SIGTERM);
	child_signal(&s->app, SIGTERM);
	child_signal(&s->gate, SIGTERM);
	if (s->app.pid == 0) {
		tell_dockerd(s);
	}
}

static void
squeeze(struct sup *s)
{
	size_t n;

	s->squeezed = true;
	n = shims_kill(s->plan->exec_root, SHIMS_CONTAINERS);
	if (n > 0) {
		log_warn("containers that ignored SIGTERM were killed "
			 "processes=%zu",
		    n);
	}
}

static void
kill_one(struct sup *s, const struct child *c)
{
	if (c->pid == 0) {
		return;
	}
	log_error("%s did not stop in time and is killed pid=%d", c->name,
	    (int)c->pid);
	child_kill(c);
	s->status = 1;
}

static void
kill_all(struct sup *s)
{
	s->killed = true;
	s->leave_at_ms = s->now_ms + VANISH_MS;
	if (s->dockerd.pid != 0) {
		shims_kill(s->plan->exec_root, SHIMS_ALL);
	}
	kill_one(s, &s->preload);
	kill_one(s, &s->app);
	kill_one(s, &s->gate);
	kill_one(s, &s->dockerd);
}

/* True when all is over. */
static bool
step_stopping(struct sup *s)
{
	if (s->dockerd.pid == 0 && s->gate.pid == 0 && s->app.pid == 0 &&
	    s->preload.pid == 0) {
		return true;
	}
	if (!s->told && (s->app.pid == 0 || s->now_ms >= s->tell_at_ms)) {
		tell_dockerd(s);
	}
	if (!s->squeezed && s->dockerd.pid != 0 &&
	    s->now_ms >= s->squeeze_at_ms) {
		squeeze(s);
	}
	if (!s->killed && s->now_ms >= s->kill_at_ms) {
		kill_all(s);
	}
	return s->now_ms >= s->leave_at_ms;
}

static void
on_stop_signal(struct sup *s, int sig)
{
	s->stops++;
	if (s->phase != PHASE_STOPPING) {
		log_info("stopping: %s grace_ms=%lld", strsignal(sig),
		    (long long)s->lim->grace_ms);
		begin_stop(s, 0);
		return;
	}
	log_warn("stopping at once: %s", strsignal(sig));
	s->tell_at_ms = s->now_ms;
	s->squeeze_at_ms = s->now_ms;
	if (s->stops > 2) {
		s->kill_at_ms = s->now_ms;
	} else if (s->kill_at_ms > s->now_ms + s->lim->hurry_ms) {
		s->kill_at_ms = s->now_ms + s->lim->hurry_ms;
	}
}

/* ---- starting ---------------------------------------------------------- */

static void
give_up(struct sup *s, const struct child *c)
{
	log_error("%s cannot be kept running; giving up%s%s", c->name,
	    c->log_path == NULL ? "" : "; its log is ",
	    c->log_path == NULL ? "" : c->log_path);
	if (c->log_path != NULL) {
		prepare_show_log(c->log_path);
	}
	begin_stop(s, 1);
}

static void
start_child(struct sup *s, struct child *c)
{
	if (child_start(c, s->now_ms) == ERR_OK) {
		log_info("%s started pid=%d", c->name, (int)c->pid);
		return;
	}
	log_error(
	    "%s cannot be started: %s: %s", c->name, c->path, strerror(errno));
	if (!c->proven) {
		give_up(s, c);
		return;
	}
	c->restart_ms = s->now_ms + backoff_wait(&c->backoff, 0);
}

static void
start_dockerd(struct sup *s)
{
	s->ready = false;
	s->ping_at_ms = s->now_ms;
	if (prepare_pid_files(s->plan)) {
		start_child(s, &s->dockerd);
	} else if (s->phase == PHASE_STARTING) {
		begin_stop(s, 1);
	} else {
		s->dockerd.restart_ms =
		    s->now_ms + backoff_wait(&s->dockerd.backoff, 0);
	}
}

/* ---- what happens ------------------------------------------------------ */

/* Whoever reaches the gate finds what was to be loaded. */
static void
open_doors(struct sup *s)
{
	s->phase = PHASE_RUNNING;
	if (s->plan->gate != NULL) {
		start_child(s, &s->gate);
	}
	if (s->plan->app != NULL && s->phase == PHASE_RUNNING) {
		start_child(s, &s->app);
	}
}

static void
on_ready(struct sup *s)
{
	s->ready = true;
	s->dockerd.proven = true;
	log_info("dockerd is ready after_ms=%lld socket=%s",
	    (long long)(s->now_ms - s->dockerd.started_ms), s->plan->socket);
	if (s->phase != PHASE_STARTING || s->preload.pid != 0) {
		return;
	}
	if (s->plan->preload == NULL) {
		open_doors(s);
		return;
	}
	start_child(s, &s->preload);
}

/* It has never done what it is for, and trying on will not change that. */
static bool
is_hopeless(const struct sup *s, const struct child *c, int status)
{
	return !c->proven && (c->early >= s->lim->early_max ||
				 (WIFEXITED(status) &&
				     WEXITSTATUS(status) == c->usage_status));
}

static void
on_unwanted_end(struct sup *s, struct child *c, int status, const char *how)
{
	int64_t wait, lived = s->now_ms - c->started_ms;

	if (c == &s->gate && lived >= s->lim->proven_ms) {
		c->proven = true;
	}
	c->early += !c->proven;
	if (is_hopeless(s, c, status)) {
		log_error("%s ended: %s", c->name, how);
		give_up(s, c);
		return;
	}
	wait = backoff_wait(&c->backoff, lived);
	c->restart_ms = s->now_ms + wait;
	log_error("%s ended: %s; it is started again in %lld ms lived_ms=%lld",
	    c->name, how, (long long)wait, (long long)lived);
	if (c->early == 1 && c->log_path != NULL) {
		prepare_show_log(c->log_path);
	}
}

/* As a shell has it. */
static int
exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Of those that run once: their end is no failure of theirs. */
static void
on_last_end(struct sup *s, struct child *c, int status, const char *how)
{
	if (c == &s->app) {
		log_info("%s ended: %s; stopping", c->name, how);
		begin_stop(s, exit_status(status));
		return;
	}
	if (status != 0) {
		log_error("%s ended: %s; going on without what it could not "
			  "load",
		    c->name, how);
	}
	open_doors(s);
}

static void
on_child_end(struct sup *s, struct child *c, int status)
{
	char how[64];

	c->pid = 0;
	if (c == &s->dockerd) {
		s->ready = false;
		ping_fini(&s->ping);
	}
	child_status_text(status, how, sizeof(how));
	if (s->phase == PHASE_STOPPING) {
		log_info("%s stopped: %s", c->name, how);
		return;
	}
	if (c == &s->app || c == &s->preload) {
		on_last_end(s, c, status, how);
		return;
	}
	on_unwanted_end(s, c, status, how);
}

/* Everybody's: as PID 1 we inherit orphans, which nobody else would reap. */
static void
reap(struct sup *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->dockerd.pid) {
			on_child_end(s, &s->dockerd, status);
		} else if (pid == s->gate.pid) {
			on_child_end(s, &s->gate, status);
		} else if (pid == s->app.pid) {
			on_child_end(s, &s->app, status);
		} else if (pid == s->preload.pid) {
			on_child_end(s, &s->preload, status);
		} else {
			log_debug("reaped an orphan pid=%d", (int)pid);
		}
	}
}

static void
on_reload_signal(struct sup *s)
{
	log_info("SIGHUP: passed on");
	if (s->ready) {
		/* Before that dockerd has no handler, and would die of it. */
		child_signal(&s->dockerd, SIGHUP);
	}
	child_signal(&s->gate, SIGHUP);
}

static void
read_signals(struct sup *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGCHLD:
			break; /* several may have become one: reap() asks */
		case SIGHUP:
			on_reload_signal(s);
			break;
		case SIGUSR1: /* the gate's audit log; dockerd dumps stacks */
			child_signal(&s->gate, SIGUSR1);
			break;
		case SIGUSR2: /* the gate's program anew; we stay */
			child_signal(&s->gate, SIGUSR2);
			break;
		default:
			on_stop_signal(s, (int)si.ssi_signo);
			break;
		}
	}
	reap(s);
}

static void
ask_dockerd(struct sup *s)
{
	if (s->phase == PHASE_STOPPING || s->ready || s->dockerd.pid == 0 ||
	    (s->ping.fd == -1 && s->now_ms < s->ping_at_ms)) {
		return;
	}
	switch (ping_step(&s->ping, s->plan->socket)) {
	case PING_OK:
		on_ready(s);
		break;
	case PING_FAIL:
		s->ping_at_ms = s->now_ms + s->lim->ping_ms;
		break;
	case PING_WAIT:
		break;
	}
}

static void
check_deadlines(struct sup *s)
{
	if (s->phase == PHASE_STARTING && !s->dockerd.proven &&
	    s->now_ms >= s->ready_by_ms) {
		log_error("dockerd does not answer after %lld s socket=%s",
		    (long long)s->lim->ready_ms / 1000, s->plan->socket);
		give_up(s, &s->dockerd);
	}
	if (s->dockerd.restart_ms != 0 && s->now_ms >= s->dockerd.restart_ms) {
		start_dockerd(s);
	}
	if (s->gate.restart_ms != 0 && s->now_ms >= s->gate.restart_ms) {
		start_child(s, &s->gate);
	}
}

/* ---- the loop ----------------------------------------------------------- */

static void
earlier(int64_t *t, int64_t other)
{
	if (other != 0 && other < *t) {
		*t = other;
	}
}

/* Milliseconds for poll(2): to the next thing that time alone brings. */
static int
time_left(const struct sup *s)
{
	int64_t t = INT64_MAX;

	if (s->phase == PHASE_STOPPING) {
		earlier(&t, s->told ? 0 : s->tell_at_ms);
		earlier(&t, s->squeezed ? 0 : s->squeeze_at_ms);
		earlier(&t, s->killed ? s->leave_at_ms : s->kill_at_ms);
	} else {
		earlier(&t, s->dockerd.restart_ms);
		earlier(&t, s->gate.restart_ms);
		earlier(&t, s->phase == PHASE_STARTING && !s->dockerd.proven
				? s->ready_by_ms
				: 0);
		if (!s->ready && s->dockerd.pid != 0 && s->ping.fd == -1) {
			earlier(&t, s->ping_at_ms);
		}
	}
	if (t == INT64_MAX) {
		return -1;
	}
	return t <= s->now_ms ? 0 : (int)(t - s->now_ms);
}

static void
wait_for_something(struct sup *s)
{
	struct pollfd p[2] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->ping.fd, .events = POLLIN }, /* -1 is passed over */
	};

	if (poll(p, 2, time_left(s)) == -1 && errno != EINTR) {
		log_error("poll: %s", strerror(errno));
		begin_stop(s, 1);
	}
	s->now_ms = clock_ms();
}

static int
run(struct sup *s)
{
	for (;;) {
		read_signals(s);
		if (s->phase != PHASE_STOPPING) {
			check_deadlines(s);
			ask_dockerd(s);
		}
		/* Not else: what came before may have begun the stop. */
		if (s->phase == PHASE_STOPPING && step_stopping(s)) {
			break;
		}
		wait_for_something(s);
	}
	log_info("all stopped");
	return s->status;
}

static void
wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGCHLD);
}

enum err
supervise_block_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	wanted_signals(&set);
	/* Whoever started us may have ignored it: then nobody is reaped. */
	if (sigaction(SIGCHLD, &sa, NULL) == -1 ||
	    sigprocmask(SIG_BLOCK, &set, NULL) == -1) {
		return ERR_IO;
	}
	return ERR_OK;
}

/* The gate takes them when it is up; cmd_gate.c has them blocked until then,
 * which would be too late for one that comes between its exec and that. */
static const int gate_held[] = { SIGHUP, SIGUSR1, SIGUSR2, 0 };

static struct child
child_of(const struct supervise_limits *lim, const char *name, const char *path,
    char *const *argv)
{
	return (struct child){ .name = name,
		.path = path,
		.argv = argv,
		.backoff = { lim->backoff_first_ms, lim->backoff_max_ms,
		    lim->calm_ms, 0 } };
}

int
supervise_run(const struct supervise_plan *plan)
{
	const struct supervise_limits *lim = &plan->limits;
	struct sup s = { .plan = plan, .lim = lim, .phase = PHASE_STARTING };
	sigset_t set;
	int status;

	if (!prepare_socket(plan->socket)) {
		return 1;
	}
	wanted_signals(&set);
	s.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signal_fd == -1) {
		log_error("signalfd: %s", strerror(errno));
		return 1;
	}
	s.dockerd = child_of(lim, "dockerd", plan->dockerd, plan->dockerd_argv);
	s.dockerd.log_path = plan->dockerd_log;
	s.dockerd.usage_status = NO_USAGE_STATUS;
	s.gate = child_of(lim, "gate", plan->gate, plan->gate_argv);
	s.gate.usage_status = GATE_USAGE_STATUS;
	s.gate.held = gate_held;
	s.preload = child_of(lim, "preload", plan->preload, plan->preload_argv);
	s.app = child_of(lim, "app", plan->app, plan->app_argv);
	ping_init(&s.ping);
	s.now_ms = clock_ms();
	s.ready_by_ms = s.now_ms + lim->ready_ms;
	s.dockerd.restart_ms = s.now_ms;
	status = run(&s);
	close(s.signal_fd);
	return status;
}
