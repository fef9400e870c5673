/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_EXTRA_H
#define POLICY_EXTRA_H

/*
 * What a role does with fields and query keys that no table knows: refuse
 * them, leave them out, or pass on those that it names.
 */
#include "base/jsonw.h"
#include "body_path.h"
#include "ops.h"

struct extra_field {
	const struct op *op; /* NULL: wherever the path leads */
	struct body_path path;
};

struct extra_key {
	const struct op *op;
	struct span key;
};

struct extras {
	const struct extra_field *field;
	size_t n_fields;
	const struct extra_key *key;
	size_t n_keys;
	bool drop; /* "unknown_fields": "drop" */
};

/* A member that no table knows, in the object where a walk is: allowed? */
bool extras_have_field(const struct extras *x, const struct op *op,
    const struct frame *at, struct span key);

/* A value as it came: numbers by their text, names as they are. */
void extras_write_raw(struct jsonw *j, const struct json_node *v);

/*
 * What a query key is to the role: as ops_query_key(), but OP_KEY_READ where
 * the role passes it on, and OP_KEY_IGNORED where it leaves it out.
 */
enum op_key extras_query_key(
    const struct extras *x, const struct op *op, struct span key);

#endif
