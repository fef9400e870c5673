/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the host a container, an update or a legacy build may take; see
 * constraint.h.
 *
 * dockerd takes 0, -1 and absence for "no limit", each in other fields; and
 * in an update 0 leaves things as they are.  So amounts are read into one
 * struct first, whoever sends them, and then held against the role's.  CPUs
 * are counted in billionths, as NanoCpus are; a quota is brought to that by
 * its period.
 *
 * Rejected: filling in limits that the client left out, because the user
 * would see a container die of a limit that nobody named.
 *
 * Attackers set one of two fields (a period without its quota makes ten CPUs
 * of one in an update), ask for -1, or for swap instead of memory.
 */
#include <stdio.h>

#include "base/text.h"
#include "decision.h"

#define NANO INT64_C(1000000000)
#define PERIOD_US INT64_C(100000) /* dockerd's own */
#define PERIOD_MAX_US INT64_C(1000000)

struct amounts {
	int64_t memory, swap, nano, quota, period, pids, shm;
	bool update; /* 0: as it was */
	bool pids_given;
	bool no_pids; /* builds have no such limit */
	bool no_shm;  /* services neither */
};

/* What is wrong, and with which field. */
struct excess {
	const char *field;
	char what[200];
};

static bool
exceeds(struct excess *e, const char *field, const struct limit *l, int64_t v,
    const char *noun, const char *flag)
{
	e->field = field;
	if (l->has_max && (v > l->max || v < 0)) {
		snprintf(e->what, sizeof(e->what), "%s%s (at most %.*s)",
		    v < 0 ? "unlimited " : "more ", noun, SPAN_ARG(l->text));
		return true;
	}
	if (l->required && v <= 0) {
		snprintf(e->what, sizeof(e->what),
		    "what has no limit of %s (set %s%s%.*s)", noun, flag,
		    l->has_max ? ", at most " : "", SPAN_ARG(l->text));
		return true;
	}
	return false;
}

/*
 * Where memory has a ceiling and swap none of its own: unlimited swap is
 * memory without a limit, only slower, and so is a lot of it.  What dockerd
 * gives who asks for all the memory and no swap is the most there is.
 */
static bool
swap_exceeds(const struct constraints *c, int64_t swap, struct excess *e)
{
	const struct limit *l = &c->resources.memory;

	if (c->resources.swap.has_max || !l->has_max ||
	    (swap >= 0 && swap / 2 + swap % 2 <= l->max)) {
		return false;
	}
	e->field = "MemorySwap";
	if (swap < 0) {
		snprintf(e->what, sizeof(e->what),
		    "unlimited swap (memory is limited to %.*s)",
		    SPAN_ARG(l->text));
	} else {
		snprintf(e->what, sizeof(e->what),
		    "more memory and swap than twice the memory (which is at "
		    "most %.*s)",
		    SPAN_ARG(l->text));
	}
	return true;
}

static bool
memory_exceeds(
    const struct constraints *c, const struct amounts *a, struct excess *e)
{
	const struct limit *l = &c->resources.memory;
	int64_t swap = a->swap;

	if (!(a->update && a->memory == 0) &&
	    exceeds(e, "Memory", l, a->memory, "memory", "--memory")) {
		return true;
	}
	if (swap_exceeds(c, swap, e)) {
		return true;
	}
	if (!c->resources.swap.set) {
		return false;
	}
	if (a->update && swap == 0) {
		return false;
	}
	if (swap == 0 && a->memory > 0) {
		/* dockerd gives as much swap as memory. */
		swap = a->memory > INT64_MAX / 2 ? INT64_MAX : 2 * a->memory;
	}
	return exceeds(e, "MemorySwap", &c->resources.swap, swap,
	    "memory and swap", "--memory-swap");
}

/* In billionths of a CPU; -1: asked for no limit; 0: did not ask. */
static int64_t
nano_cpus(const struct amounts *a)
{
	int64_t period = a->period > 0 ? a->period : PERIOD_US;
	int64_t nano = 0;

	if (a->quota < 0 || a->nano < 0) {
		return -1;
	}
	period = period > PERIOD_MAX_US ? PERIOD_MAX_US : period;
	if (a->quota > 0) {
		nano = a->quota > INT64_MAX / NANO ? INT64_MAX
						   : a->quota * NANO / period;
	}
	return a->nano > nano ? a->nano : nano;
}

static bool
cpus_exceed(
    const struct constraints *c, const struct amounts *a, struct excess *e)
{
	const struct limit *l = &c->resources.cpus;
	int64_t nano = nano_cpus(a);

	if (a->update && l->set && (a->quota == 0) != (a->period == 0)) {
		e->field = a->quota == 0 ? "CpuPeriod" : "CpuQuota";
		snprintf(e->what, sizeof(e->what),
		    "one of CpuQuota and CpuPeriod without the other (set "
		    "both, or --cpus)");
		return true;
	}
	if (a->update && nano == 0) {
		return false;
	}
	return exceeds(e, a->quota != 0 ? "CpuQuota" : "NanoCpus", l, nano,
	    "CPUs", "--cpus");
}

static bool
too_much(const struct constraints *c, const struct amounts *a, struct excess *e)
{
	if (memory_exceeds(c, a, e) || cpus_exceed(c, a, e)) {
		return true;
	}
	if (!a->no_pids && !(a->update && !a->pids_given) &&
	    exceeds(e, "PidsLimit", &c->resources.pids, a->pids, "processes",
		"--pids-limit")) {
		return true;
	}
	return !a->update && !a->no_shm &&
	       exceeds(e, "ShmSize", &c->resources.shm, a->shm, "shared memory",
		   "--shm-size");
}

/* --- bodies --------------------------------------------------------------- */

static int64_t
number_of(const struct json_node *object, const char *name)
{
	const struct json_node *v = fields_get(object, name);
	int64_t i = 0;

	if (v == NULL || json_type(v) != JSON_NUMBER ||
	    json_int(v, &i) != ERR_OK) {
		return 0;
	}
	return i;
}

/* HostConfig, or the body of an update: the same names. */
static void
check_body(struct walk *w, const struct json_node *v, bool update,
    const struct frame *up)
{
	const struct json_node *pids = fields_get(v, "PidsLimit");
	struct frame here = { .up = up };
	struct amounts a = {
		.memory = number_of(v, "Memory"),
		.swap = number_of(v, "MemorySwap"),
		.nano = number_of(v, "NanoCpus"),
		.quota = number_of(v, "CpuQuota"),
		.period = number_of(v, "CpuPeriod"),
		.pids = number_of(v, "PidsLimit"),
		.shm = number_of(v, "ShmSize"),
		.update = update,
		.pids_given = pids != NULL && json_type(pids) != JSON_NULL,
	};
	struct excess e;

	if (too_much(w->limits, &a, &e)) {
		here.name = e.field;
		w->at = &here;
		walk_refuse_all(w, RULE_RESOURCES, "%s", e.what);
		w->at = NULL;
	}
}

void
constraint_create_resources(struct walk *w, const struct json_node *root)
{
	struct frame hc = { .name = "HostConfig" };

	check_body(w, fields_get(root, "HostConfig"), false, &hc);
}

void
constraint_update_resources(struct walk *w, const struct json_node *root)
{
	check_body(w, root, true, NULL);
}

/* --- services ------------------------------------------------------------- */

/*
 * Memory and swap together, as a container has it.  Below 1.52 dockerd leaves
 * SwapBytes out, and an older one does not know it: then it is what dockerd
 * gives by itself.
 */
static int64_t
service_swap(const struct walk *w, const struct json_node *r, int64_t memory)
{
	const struct json_node *v = fields_get(r, "SwapBytes");
	int64_t swap = number_of(r, "SwapBytes");

	if (v == NULL || json_type(v) == JSON_NULL || w->api_minor < 52) {
		return swap < 0 ? -1 : 0;
	}
	if (swap < 0) {
		return -1;
	}
	return swap > INT64_MAX - memory ? INT64_MAX : memory + swap;
}

/* What a service calls the limits of a container. */
static const struct {
	const char *container;
	const char *service;
} service_names[] = {
	{ "Memory", "MemoryBytes" },
	{ "NanoCpus", "NanoCPUs" },
	{ "PidsLimit", "Pids" },
};

static void
refuse_excess(struct walk *w, const struct excess *e)
{
	struct frame limits = { .up = w->at, .name = "Limits" };
	struct frame here = { .up = w->at, .name = "SwapBytes" };
	size_t i;

	for (i = 0; i < NELEM(service_names); i++) {
		if (strcmp(e->field, service_names[i].container) == 0) {
			here.name = service_names[i].service;
			here.up = &limits;
		}
	}
	w->at = &here;
	walk_refuse_all(w, RULE_RESOURCES, "%s", e->what);
	w->at = limits.up;
}

/* root: the resources of a task, w->at where they stand. */
void
constraint_service_resources(struct walk *w, const struct json_node *root)
{
	const struct json_node *l = fields_get(root, "Limits");
	struct amounts a = {
		.memory = number_of(l, "MemoryBytes"),
		.nano = number_of(l, "NanoCPUs"),
		.pids = number_of(l, "Pids"),
		.no_shm = true,
	};
	struct excess e;

	a.swap = service_swap(w, root, a.memory > 0 ? a.memory : 0);
	if (w->limits->resources.shm.required) {
		walk_refuse_all(w, RULE_RESOURCES,
		    "services, whose shared memory cannot be limited");
	} else if (too_much(w->limits, &a, &e)) {
		refuse_excess(w, &e);
	}
}

/* --- legacy builds -------------------------------------------------------- */

/* strconv.ParseInt; what it does not read is no number to dockerd either. */
static bool
query_number(struct decision *d, const char *key, int64_t *out)
{
	struct span s = { NULL, 0 };
	bool minus;
	uint64_t n;

	*out = 0;
	(void)canon_query(d->req, key, &s);
	if (s.len == 0) {
		return true;
	}
	minus = s.p[0] == '-';
	if (text_parse_u64(span_make(s.p + minus, s.len - minus), INT64_MAX,
		&n) != ERR_OK) {
		return false;
	}
	*out = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

static const struct {
	const char *key;
	const char *field;
	size_t off;
} build_keys[] = {
	{ "memory", "Memory", offsetof(struct amounts, memory) },
	{ "memswap", "MemorySwap", offsetof(struct amounts, swap) },
	{ "cpuquota", "CpuQuota", offsetof(struct amounts, quota) },
	{ "cpuquota", "NanoCpus", offsetof(struct amounts, nano) },
	{ "cpuperiod", "CpuPeriod", offsetof(struct amounts, period) },
	{ "shmsize", "ShmSize", offsetof(struct amounts, shm) },
};

enum verdict
constraint_build_resources(struct decision *d, struct policy_why *why)
{
	struct amounts a = { .no_pids = true };
	struct span version = { NULL, 0 };
	struct excess e;
	size_t i;

	(void)canon_query(d->req, "version", &version);
	if (!d->role->limits.resources_set ||
	    (version.len > 0 && !span_is(version, "1"))) {
		return VERDICT_ALLOW; /* BuildKit reads none of them */
	}
	for (i = 0; i < NELEM(build_keys); i++) {
		void *to = (char *)&a + build_keys[i].off;

		if (!query_number(d, build_keys[i].key, to)) {
			return decision_refuse(d, why, RULE_TYPE,
			    build_keys[i].key, "what is not an integer");
		}
	}
	a.nano = 0; /* a row for its name alone */
	if (!too_much(&d->role->limits, &a, &e)) {
		return VERDICT_ALLOW;
	}
	for (i = 0; strcmp(build_keys[i].field, e.field) != 0;) {
		i++;
	}
	return decision_refuse(
	    d, why, RULE_RESOURCES, build_keys[i].key, "%s", e.what);
}
