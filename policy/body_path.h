/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_BODY_PATH_H
#define POLICY_BODY_PATH_H

/*
 * Places in a JSON body as a policy names them: "HostConfig.Mounts[].Type",
 * "Labels[team]".  Held against the tables of fields when the policy is read,
 * so that a misspelt one is an error there and not silent for ever.
 */
#include "base/arena.h"
#include "fields.h"

enum path_step_kind {
	PATH_FIELD = 0, /* a member by its name */
	PATH_KEY,	/* "[team]": what a map has under a key */
	PATH_ANY,	/* "[]": every element of a list or a map */
};

struct path_step {
	enum path_step_kind kind;
	const char *name; /* of a field or a key; ends with NUL */
};

struct body_path {
	struct span text; /* as the policy has it */
	const struct path_step *step;
	size_t n;
};

/* What is at the end of a path. */
enum path_end {
	PATH_END_NONE = 0, /* no such place */
	PATH_END_STR,
	PATH_END_BOOL,
	PATH_END_INT,
	PATH_END_LIST,
	PATH_END_MAP,
	PATH_END_OBJECT, /* with fields of a table */
	PATH_END_EMPTY,	 /* an object without any */
};

struct path_place {
	enum path_end end;
	const struct field *field;  /* the last one on the way, or NULL */
	const struct fields *table; /* of PATH_END_OBJECT */
	size_t known;		    /* how many steps led somewhere */
};

/* ERR_OK; ERR_USAGE: it is no path; ERR_NOMEM.  text is kept. */
enum err body_path_parse(
    struct arena *arena, struct span text, struct body_path *out) MUST_USE;

/* Follows the first n steps from a table; the whole body for 0 of them. */
struct path_place body_path_follow(
    const struct fields *t, const struct path_step *step, size_t n);

/* Does this table, or one below it, have a field that Go takes for name? */
bool body_path_knows(const struct fields *t, const char *name);

/* Do n steps lead to where a walk is? */
bool body_path_is_at(
    const struct path_step *step, size_t n, const struct frame *at);

#endif
