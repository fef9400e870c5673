/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_ROLE_H
#define POLICY_ROLE_H

/* A loaded policy from the inside: for policy/ alone. */
#include "base/arena.h"
#include "condition.h"
#include "constraint.h"
#include "extra.h"
#include "ops.h"
#include "policy.h"
#include "principal.h"
#include "rules.h"

/* "mode" of a policy or a role. */
enum policy_mode {
	MODE_UNSAID = 0, /* a role: as the policy; a policy: enforce */
	MODE_ENFORCE,
	MODE_OBSERVE,
};

struct role {
	const char *name;
	struct role *next;
	unsigned line; /* in the policy file; 0: a preset */
	bool open;     /* being read: a role must not extend itself */
	bool unconstrained;
	enum policy_mode mode; /* its own: "extends" leaves it behind */
	bool buildkit;	       /* "buildkit": "unjudged" */
	bool owned;	       /* its clients have what their tenant has made */
	uint64_t may;	       /* RULE_BIT() set */
	struct constraints limits;
	struct extras extras;
	struct rule_when *rules;
	size_t n_rules;
	uint8_t audit[OPS_MAX];	   /* enum audit_level, by ops_index() */
	uint8_t audit_unknown;	   /* of operations that no table has */
	bool allowed[OPS_MAX];	   /* by ops_index() */
	uint16_t line_of[OPS_MAX]; /* where it was allowed or denied */
};

/* Patterns of one client; an absent one is {NULL, 0} and always holds. */
struct match {
	enum principal_kind kind; /* PRINCIPAL_NONE: any but that */
	struct span cn, o, ou, san, fingerprint, serial;
	struct span uid, gid; /* digits, or "*" */
	uint64_t cn_key;      /* match_key() of a cn without "*"; 0: none */
};

struct client {
	struct match match;
	const struct role *role;
	struct span tenant; /* a name, "{cn}", "{ou}", "{o}", or empty */
	unsigned line;
	struct client *next;
};

struct policy {
	struct arena arena; /* holds all of it */
	struct role *roles;
	struct client *clients;
	bool owned; /* a client has an owned role */
	enum policy_mode mode;
	struct path_world paths;
};

/* The first client that matches, or NULL. */
const struct client *policy_client(
    const struct policy *pol, const struct principal *who);

/* "*" stands for any run of bytes, all else for itself. */
bool match_glob(struct span pattern, struct span text);
/* Length and end of a text: different keys are different texts.  Never 0. */
uint64_t match_key(struct span s);
bool match_principal(const struct match *m, const struct principal *who);

#endif
