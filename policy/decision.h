/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DECISION_H
#define POLICY_DECISION_H

/* A decision from the inside: for policy/ alone. */
#include "fields.h"
#include "role.h"

/* A body that names more volumes than this is refused. */
#define DECISION_MAX_FACTS 64

#define TENANT_MAX 63

/* One thing to ask dockerd about. */
struct fact {
	enum fact_kind kind;
	struct span name;
	const char *path; /* where the request named it; "" for its target */
	bool subject;	  /* the object of the request: its id is sent on */
	bool own;	  /* it must be the tenant's */
	bool look;	  /* and what the role may make */
	bool asked;
	struct span make;	  /* what to POST to have it, or empty */
	const struct fact *cause; /* whose answer named it, or NULL */
	struct span id, real;	  /* as dockerd told: full id, name */
	struct fact *next;
};

/* A query pair of the gate's, in place of all of the client's with the key. */
struct forced_pair {
	const char *key;
	struct span value;
};
#define DECISION_MAX_FORCED 4

struct decision {
	const struct role *role;
	const struct canon_req *req;
	struct arena *arena;
	unsigned line; /* of the policy file */
	bool replace;  /* policy_new_body() */
	struct span body;
	struct span tenant; /* whose client it is, or empty */
	struct fact *facts; /* in the order found; makes are asked last */
	struct fact *next;  /* the one to ask about */
	unsigned n_facts;
	struct span target; /* to GET for it */
	struct span id;	    /* full id of the request's object, or empty */
	struct forced_pair forced[DECISION_MAX_FORCED];
	size_t n_forced;
	/* Something was refused; nothing takes that back. */
	bool refused;
	struct policy_report *report; /* NULL: enforces; see observe.c */
	struct policy_findings *list; /* of report, for refusals to come */
	bool bare;		      /* asks what a role of nothing needs */
	struct span about;	      /* what the next refusal is about */
	const char *how;	      /* and how, or NULL */
	struct span holder;	      /* the container that is looked at */
	char notes[320];	      /* policy_notes() */
	bool full;		      /* no more fit */
};

/* Writes a refusal; what is refused is in fmt.  Returns VERDICT_DENY. */
enum verdict decision_refuse(struct decision *d, struct policy_why *why,
    enum rule r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Says that the name is another's. */
enum verdict decision_taken(struct decision *d, struct policy_why *why,
    const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* For failures of our own. */
enum verdict decision_fail(
    struct decision *d, struct policy_why *why, enum err rc);
/* What the next refusal is about, for the report; never a secret. */
void decision_about(struct decision *d, struct span value);

/* --- observe.c ------------------------------------------------------------ */

/* Is that the end?  An observed decision looks on; its refusals stay. */
bool decision_ends(const struct decision *d, enum verdict v);
/* The verdict of a step, from that of its checks: see observe.c. */
enum verdict decision_settle(
    struct decision *d, enum verdict v, struct policy_why *why);
/* From here on d observes; where there is no memory for it, it enforces. */
void observe_start(struct decision *d);
/* A refusal, for the report. */
void observe_refusal(
    struct decision *d, enum rule r, const struct policy_why *why);
/* What walks call for each finding, NULL where the first one ends them. */
void (*observe_walks(const struct decision *d))(
    void *arg, const struct finding *f);
/* The same decision for a role that has nothing but the operation. */
struct decision observe_bare(const struct decision *d);
/* The facts that it asks for are asked for. */
void observe_join(struct decision *d, const struct decision *bare);
/* Where d is bare: something that constraints could narrow was used. */
void observe_use(struct decision *d, enum rule r, const char *path,
    struct span value, const char *how);

/* Notes a fact to ask for, once each. */
enum err decision_need(struct decision *d, enum fact_kind kind,
    struct span name, const char *path) MUST_USE;
/* The same, and gives it out. */
enum err decision_add(struct decision *d, enum fact_kind kind, struct span name,
    const char *path, struct fact **out) MUST_USE;
/* The fact of that name, or NULL. */
const struct fact *decision_fact(
    const struct decision *d, enum fact_kind kind, struct span name);
/* Does the role have the rule of the kind, without a list that says more? */
bool decision_free(const struct decision *d, enum fact_kind kind);
/* What walks that find facts call; arg is the decision. */
enum err decision_walk_need(
    void *arg, enum fact_kind kind, struct span name, const char *path);

/* Notes what no table knows and is not refused. */
void decision_walk_note(void *arg, const char *what, const char *path);

/* 64 lower-case hex digits: a container, a network, an anonymous volume. */
bool decision_full_id(struct span s);
/* Does it work inside a container, or give its files away? */
bool decision_touches(const struct op *op);

/* The next fact, or VERDICT_ALLOW when there is none left. */
enum verdict decision_next(struct decision *d, struct policy_why *why);

/* VERDICT_ALLOW, or VERDICT_DENY with why: query.c, constraint_query.c. */
enum verdict query_judge(struct decision *d, struct policy_why *why);
enum verdict constraint_query(struct decision *d, struct policy_why *why);
/*
 * The rules with conditions (condition.c).  root: the judged body, or NULL;
 * last: no body is still to come.
 */
enum verdict condition_judge(struct decision *d, const struct json_node *root,
    bool last, struct policy_why *why);
/* constraint_resources.c */
enum verdict constraint_build_resources(
    struct decision *d, struct policy_why *why);
/* constraint_conduct.c */
enum verdict constraint_build_args(struct decision *d, struct policy_why *why);
enum verdict constraint_label_body(struct decision *d, struct policy_why *why);
enum verdict constraint_attach(struct decision *d, struct policy_why *why);
enum verdict constraint_exec_fact(
    struct decision *d, const struct json_node *config, struct policy_why *why);

#endif
