/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

/*
 * "rules" of a role: operations denied or allowed where conditions on query
 * and body hold.  Read with the policy, its paths held against the tables, so
 * that a decision only looks values up.
 */
#include "body_path.h"
#include "constraint.h"
#include "ops.h"

enum condition_kind {
	CONDITION_NONE = 0, /* never holds */
	CONDITION_MATCH,    /* a pattern holds */
	CONDITION_NOT,	    /* none does */
	CONDITION_RANGE,    /* an integer above one and below another */
	CONDITION_BOOL,
	CONDITION_ABSENT,
	CONDITION_PRESENT,
};

struct condition {
	enum condition_kind kind;
	bool query;	     /* of a query key, or else of the body */
	struct span text;    /* of the path, without "body." and "query." */
	enum op_value value; /* of the query key */
	struct body_path path;
	struct path_place place;
	struct words patterns;
	int64_t above, below; /* CONDITION_RANGE: neither is in it */
	bool want;	      /* CONDITION_BOOL */
};

struct rule_when {
	bool allow; /* or else it denies */
	bool body;  /* a condition speaks of the body */
	unsigned line;
	struct span about; /* printable; may be empty */
	const struct condition *condition;
	size_t n;
	bool ops[OPS_MAX]; /* by ops_index() */
};

struct decision;
struct policy_why;

/* Does a rule allow the operation where its conditions hold? */
bool condition_may_allow(const struct decision *d);

#endif
