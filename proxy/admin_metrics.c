/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: what the workers have counted, and what the process and its
 * surroundings are now.
 *
 * Attackers who reach it learn how much the gate is used, by which roles and
 * operations, never by whom.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin_impl.h"
#include "metrics_text.h"

struct metrics *
admin_total(const struct admin_view *v)
{
	struct metrics *m = metrics_new();
	unsigned i;

	for (i = 0; i < v->n_workers && m != NULL; i++) {
		metrics_sum(m, worker_metrics(v->worker[i]));
	}
	return m;
}

/* 0: there is none */
static void
put_end(struct metrics_text *t, const char *name, const char *of, time_t end)
{
	if (end > 0) {
		metrics_text_value(t, name, "certificate", of, (uint64_t)end);
	}
}

static void
put_certificates(struct metrics_text *t, const struct admin_view *v)
{
	static const char name[] = "dinv_certificate_expiry_timestamp_seconds";

	metrics_text_head(t, name, "gauge",
	    "When the certificate in use ends, or the list of revoked ones, in "
	    "seconds since 1970.");
	put_end(t, name, "server", v->server_to);
	put_end(t, name, "ca", v->ca_to);
	put_end(t, name, "crl", v->crl_to);
}

static void
put_audit(struct metrics_text *t, const struct admin_view *v)
{
	uint64_t written, lost, queued;

	if (v->gate->audit == NULL) {
		return;
	}
	audit_counts(v->gate->audit, &written, &lost, &queued);
	metrics_text_one(t, "dinv_audit_records_total", "counter",
	    "Audit records that were written.", written);
	metrics_text_one(t, "dinv_audit_records_lost_total", "counter",
	    "Audit records that could not be written.", lost);
	metrics_text_one(t, "dinv_audit_records_queued", "gauge",
	    "Audit records that wait to be written.", queued);
}

static void
say_nothing(void *arg, const char *reason)
{
	(void)arg;
	(void)reason;
}

static void
put_gate(struct metrics_text *t, const struct admin_view *v,
    const struct probe_result *p)
{
	static const char reloads[] = "dinv_reloads_total";

	metrics_text_head(
	    t, "dinv_build_info", "gauge", "1; the label says which build.");
	metrics_text_value(t, "dinv_build_info", "version", DINV_VERSION, 1);
	metrics_text_one(t, "dinv_ready", "gauge", "1 when /readyz says 200.",
	    admin_is_ready(v, p, say_nothing, NULL));
	metrics_text_one(t, "dinv_dockerd_up", "gauge",
	    "1 when dockerd answers a ping.", p->up);
	put_certificates(t, v);
	metrics_text_one(t, "dinv_policy_loaded_timestamp_seconds", "gauge",
	    "When the policy in force was loaded, in seconds since 1970.",
	    (uint64_t)v->policy_loaded);
	metrics_text_head(t, reloads, "counter",
	    "Reloads that came into force, and those that changed nothing.");
	metrics_text_value(t, reloads, "result", "ok", v->reloads);
	metrics_text_value(t, reloads, "result", "failed", v->reloads_failed);
	put_audit(t, v);
}

static uint64_t
count_descriptors(const struct admin *a)
{
	const struct dirent *e;
	uint64_t n = 0;

	if (a->descriptors == NULL) {
		return 0;
	}
	rewinddir(a->descriptors);
	while ((e = readdir(a->descriptors)) != NULL) {
		n += e->d_name[0] != '.';
	}
	return n;
}

static void
put_memory(struct metrics_text *t, const struct admin *a)
{
	unsigned long long whole = 0, resident = 0;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[128];
	ssize_t n = pread(a->memory_fd, text, sizeof(text) - 1, 0);

	if (n <= 0) {
		return;
	}
	text[n] = '\0';
	if (sscanf(text, "%llu %llu", &whole, &resident) == 2) {
		metrics_text_one(t, "process_virtual_memory_bytes", "gauge",
		    "Virtual memory size in bytes.", whole * page);
		metrics_text_one(t, "process_resident_memory_bytes", "gauge",
		    "Resident memory size in bytes.", resident * page);
	}
}

static uint64_t
in_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000u +
	       (uint64_t)tv->tv_usec * 1000;
}

static void
put_process(
    struct metrics_text *t, const struct admin_view *v, const struct admin *a)
{
	struct rusage used;
	struct rlimit rl;

	metrics_text_one(t, "process_open_fds", "gauge",
	    "Number of open file descriptors.", count_descriptors(a));
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		metrics_text_one(t, "process_max_fds", "gauge",
		    "Maximum number of open file descriptors.", rl.rlim_cur);
	}
	put_memory(t, a);
	if (getrusage(RUSAGE_SELF, &used) == 0) {
		metrics_text_seconds(t, "process_cpu_seconds_total", "counter",
		    "Total user and system CPU time spent in seconds.",
		    in_ns(&used.ru_utime) + in_ns(&used.ru_stime));
	}
	metrics_text_one(t, "process_start_time_seconds", "gauge",
	    "Start time of the process since unix epoch in seconds.",
	    (uint64_t)v->started);
}

void
admin_show_metrics(struct admin_conn *c)
{
	const struct probe_result *p = probe_result(c->a->probe);
	struct metrics *m;
	struct metrics_text t;
	struct admin_view v;
	struct buf body;

	c->a->gate.view(c->a->gate.arg, &v);
	m = admin_total(&v);
	if (m == NULL) {
		admin_answer_text(c, 503, "out of memory");
		return;
	}
	buf_init(&body, LIMIT_ADMIN_BODY_BYTES);
	t = (struct metrics_text){ &body, ERR_OK };
	put_gate(&t, &v, p);
	metrics_text_counts(&t, m);
	put_process(&t, &v, c->a);
	if (t.err == ERR_OK) {
		admin_answer(c, 200, METRICS_TEXT_TYPE, &body);
	} else {
		admin_answer_text(c, 500, "the metrics do not fit");
	}
	buf_fini(&body);
	metrics_free(m);
}
