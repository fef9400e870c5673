/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TENANT_H
#define POLICY_TENANT_H

/* Whose an object is, and which operations can be held to that. */
#include "decision.h"

#define TENANT_LABEL "dinv.tenant"
/* What a tenant's container has in HostConfig.ContainerIDFile. */
#define TENANT_MARK "dinv.tenant="
/* All labels that begin so are the gate's. */
#define TENANT_RESERVED "dinv."

/* How an operation of an owned role is held to ownership. */
enum own_how {
	OWN_NEVER = 0, /* it cannot be: an owned role has it never */
	OWN_FREE,      /* no object that has an owner */
	OWN_CREATE,    /* makes one */
	OWN_CONTAINER, /* of the container in the path */
	OWN_COMMIT,    /* of that in the query */
	OWN_EXEC,      /* of the exec's container */
	OWN_NETWORK,   /* of the network in the path */
	OWN_CONNECT,   /* of that, and of the container in the body */
	OWN_VOLUME,    /* of the volume in the path */
	OWN_LIST,      /* of all that a filter names */
	OWN_BUILD,     /* makes images, and containers on the way */
};

enum own_how tenant_how(const struct op *op);

/* "{cn}", or a name: is it one? */
bool tenant_is_template(struct span s);
bool tenant_is_name(struct span s);

/*
 * Fills d->tenant and d->role for the client; VERDICT_DENY where its tenant
 * cannot be told, or its role needs one.
 */
enum verdict tenant_begin(struct decision *d, const struct policy *pol,
    const struct client *c, const struct principal *who,
    struct policy_why *why);

/* Objects as dockerd shows them: the tenant's? */
bool tenant_has_container(const struct decision *d, const struct json_node *v);
bool tenant_has_labels(const struct decision *d, const struct json_node *v);
/* Has it a label of any tenant's? */
bool tenant_marked(const struct json_node *labels);
/* The first of these containers that has this volume, or NULL. */
const struct json_node *tenant_holder(
    const struct json_node *list, struct span volume);

/* owned.c: what of an owned role's request is asked about, and added. */
enum err owned_need_subject(struct decision *d) MUST_USE;
enum verdict owned_query(struct decision *d, struct policy_why *why);
enum err owned_body(struct decision *d, const struct json_node *root) MUST_USE;

/* resolve.c: names in d->body become what dockerd told of them. */
enum verdict resolve_body(struct decision *d, struct policy_why *why);

#endif
