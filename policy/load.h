/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

/* Reading a policy file, from the inside: for load.c and load_role.c. */
#include "json.h"
#include "role.h"

struct loader {
	struct policy *pol;
	const struct json_node *roles; /* "roles" of the file, or NULL */
	void (*report)(void *arg, const struct diag *d);
	void *arg;
	size_t errors;
	bool nomem;
};

/* Reports an error at a value's place. */
void load_complain(struct loader *l, const struct json_node *at,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Complaints that are kept, and told in the order of the file. */
struct load_order {
	void (*report)(void *arg, const struct diag *d);
	void *arg;
	struct diag *d;
	size_t n, cap;
};

void load_order_keep(void *order, const struct diag *d);
/* Tells and frees them. */
void load_order_tell(struct load_order *o);

/*
 * Parses a policy's text; complains of what is no JSON, and of members that
 * come twice: then ERR_OK, because the rest can be read.
 */
enum err load_parse(
    struct loader *l, struct span text, struct json_doc **doc) MUST_USE;

/* Memory of the policy; NULL and l->nomem when there is none. */
void *load_take(struct loader *l, size_t size);
struct span load_keep(struct loader *l, struct span s);

/* "constraints" of a role, over those that it inherited. */
void load_constraints(
    struct loader *l, struct constraints *c, const struct json_node *v);

/* load_extra.c: members of a role. */
void load_extra_fields(struct loader *l, void *role, const struct json_node *v);
void load_extra_query(struct loader *l, void *role, const struct json_node *v);
void load_unknown_fields(
    struct loader *l, void *role, const struct json_node *v);

/* load_audit.c: a member of a role. */
void load_audit(struct loader *l, void *role, const struct json_node *v);

/* load_rules.c: a member of a role. */
void load_rules(struct loader *l, void *role, const struct json_node *v);

/*
 * A list of operations and classes: set gets each operation, and whether it
 * was named itself.  allowed: those that cannot be judged are left out of
 * classes, and complained about by name.
 */
void load_ops(struct loader *l, const struct json_node *v, bool allowed,
    void (*set)(void *arg, const struct op *op, bool named, unsigned line),
    void *arg);

/* One of them, by a name that stands at v. */
void load_op_named(struct loader *l, const struct json_node *v,
    struct span name,
    void (*set)(void *arg, const struct op *op, bool named, unsigned line),
    void *arg);

/* Every constraint; group: of what it is a member, or NULL. */
void load_each_constraint(
    void (*visit)(void *arg, const char *group, const char *name), void *arg);

unsigned load_line(const struct json_node *v);
/* A text that is not empty, or complains. */
bool load_want_text(struct loader *l, const struct json_node *v,
    const char *what, struct span *out);
/* The value true, or complains. */
bool load_want_true(
    struct loader *l, const struct json_node *v, const char *what);

/* A role that is there, or NULL; of a preset only where that is asked. */
struct role *load_find_role(
    const struct policy *pol, struct span name, bool preset_only);
/*
 * What may stand in an object of the file: the members by name, and who reads
 * each.  read may be NULL for what is read elsewhere, or is not.
 */
struct load_member {
	const char *name;
	void (*read)(struct loader *l, void *to, const struct json_node *m);
};

struct load_table {
	const char *a; /* "a role" */
	const struct load_member *row;
	size_t n;
};

/* Reads all members of an object to to; complains where it is none. */
void load_members(struct loader *l, const struct load_table *t, void *to,
    const struct json_node *v);
/* "about": a text for people; complains where it is none. */
void load_about(struct loader *l, void *to, const struct json_node *m);

/* All there are, for load.c, load_role.c and a test of the JSON Schema. */
extern const struct load_table load_file_table, load_client_table,
    load_match_table, load_role_table, load_rule_table, load_condition_table,
    load_limit_table, load_path_table;

/* "mode": "enforce" or "observe", to an enum policy_mode. */
void load_mode(
    struct loader *l, enum policy_mode *out, const struct json_node *m);

/* Reads a role of the file. */
struct role *load_add_role(struct loader *l, struct span name,
    const struct json_node *v, unsigned line);
/* Reads a preset's role; NULL when there is none. */
struct role *load_preset(struct loader *l, struct span name);
/* A role of the file, or else a preset's, read where it must be; complains. */
struct role *load_want_role(struct loader *l, const struct json_node *at,
    struct span name, bool preset_only);

#endif
