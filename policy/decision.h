/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DECISION_H
#define POLICY_DECISION_H

/* A decision from the inside: for policy/ alone. */
#include "fields.h"
#include "role.h"

/* A body that names more volumes than this is refused. */
#define DECISION_MAX_FACTS 64

/* One thing to ask dockerd about. */
struct fact {
	enum fact_kind kind;
	struct span name;
	const char *path; /* where the request named it; "" for its target */
	bool subject;	  /* the object of the request: its id is sent on */
	struct fact *next;
};

struct decision {
	const struct role *role;
	const struct canon_req *req;
	struct arena *arena;
	unsigned line; /* of the policy file */
	bool replace;  /* policy_new_body() */
	struct span body;
	struct fact *facts; /* in order; asked up to and without next */
	struct fact *next;  /* the one to ask about */
	unsigned n_facts;
	struct span target; /* to GET for it */
	struct span id;	    /* full id of the request's object, or empty */
	char notes[320];    /* policy_notes() */
	bool full;	    /* no more fit */
};

/* Writes a refusal; what is refused is in fmt.  Returns VERDICT_DENY. */
enum verdict decision_refuse(const struct decision *d, struct policy_why *why,
    enum rule r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* For failures of our own. */
enum verdict decision_fail(
    const struct decision *d, struct policy_why *why, enum err rc);

/* Notes a fact to ask for, once each. */
enum err decision_need(struct decision *d, enum fact_kind kind,
    struct span name, const char *path) MUST_USE;
/* What walks that find facts call; arg is the decision. */
enum err decision_walk_need(
    void *arg, enum fact_kind kind, struct span name, const char *path);

/* Notes what no table knows and is not refused. */
void decision_walk_note(void *arg, const char *what, const char *path);

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
