/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_LOAD_VALUES_H
#define POLICY_LOAD_VALUES_H

/* The kinds of values that "constraints" of a policy hold. */
#include "load.h"

enum load_kind {
	LOAD_TRUE,   /* bool: only true can be written */
	LOAD_IMAGES, /* struct words: patterns of images */
	LOAD_BYTES,  /* struct limit: { "max": "2g", "required": true } */
	LOAD_CPUS,   /* the same of CPUs: "2.5" */
	LOAD_COUNT,  /* the same of a number: 512 */
	LOAD_WORDS,  /* struct words: patterns */
	LOAD_PATHS,  /* struct host_paths */
	LOAD_BOOL,
	LOAD_RANGE,   /* struct port_range: "30000-32767" */
	LOAD_ULIMITS, /* struct ulimits: { "nofile": 65536 } */
	LOAD_RESTART, /* struct words: restart policies */
	LOAD_FALSE,   /* bool: only false can be written, which sets it */
	LOAD_LABELS,  /* struct labels: { "team": "a" } */
	LOAD_CAPS,    /* struct words: capabilities */
	LOAD_DROPS,   /* the same, or "ALL" */
	LOAD_REQUIRE, /* uint32_t: names of demands */
	LOAD_GROUP,   /* an object with members of its own */
};

/*
 * Reads a value of a kind (not LOAD_GROUP) to at, which is zeroed and of the
 * type that the kind names; complains where it is none.  name: of the member.
 */
void load_value(struct loader *l, enum load_kind kind, const char *name,
    void *at, const struct json_node *v);

#endif
