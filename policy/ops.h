/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_OPS_H
#define POLICY_OPS_H

/*
 * The operations of the Engine API, v1.24 to the newest known, by their
 * operation ids (moby api/swagger.yaml), and those that dockerd routes
 * without documenting them.
 */
#include "request.h"

#define OPS_API_MINOR_MIN 24
#define OPS_API_MINOR_MAX 56
#define OPS_MAX 192 /* ops_all() has fewer */

enum op_class {
	OPC_NONE = 0, /* in no class: only by its own id */
	OPC_READ,     /* @read: reads state, no file and no secret */
	OPC_RUN,      /* @run: life of containers */
	OPC_EXEC,     /* @exec */
	OPC_BUILD,    /* @build */
	OPC_IMAGE,    /* @image */
	OPC_NETWORK,  /* @network */
	OPC_VOLUME,   /* @volume */
	OPC_FILES,    /* @files: archive, export, save: data out or in */
	OPC_SWARM,    /* @swarm */
	OPC_PLUGIN,   /* @plugin */
	OPC_SYSTEM,   /* @system */
	OPC_N
};

/* What the request body is, and so what the gate does with it. */
enum op_body {
	OP_BODY_NONE = 0, /* dockerd reads none: dropped, length 0 goes on */
	OP_BODY_JSON,	  /* judged and written anew for constrained roles */
	OP_BODY_STREAM,	  /* tar or other bulk: streamed */
};

/* How the answer ends. */
enum op_mode {
	OP_MODE_PLAIN = 0,
	OP_MODE_STREAM,	   /* long answers: no deadline, audited at the end */
	OP_MODE_HIJACK,	   /* 101 Upgrade: tcp, or 200 raw stream */
	OP_MODE_H2C,	   /* 101 Upgrade: h2c */
	OP_MODE_WEBSOCKET, /* 101 Upgrade: websocket */
	OP_MODE_GATE,	   /* the gate answers by itself; never dockerd's */
};

struct fields; /* fields.h */

struct op {
	const char *name; /* operation id: "ContainerCreate" */
	enum method method;
	const char *pattern;  /* "/containers/{id}/json" */
	unsigned since_minor; /* first API version that has it */
	enum op_class class;
	enum op_body body;
	enum op_mode mode;
	bool changes_state;	     /* audited at the decision */
	const char *const *query;    /* keys dockerd reads, ended by NULL */
	const struct fields *fields; /* of the JSON body; NULL: none */
};

/* Every operation; *n gets the count. */
const struct op *ops_all(size_t *n);

/*
 * Finds the operation of a method and a decoded, split path.  {id} stands
 * for one segment, {name} for one or more (moby routes {name:.*}).
 * NULL when there is none.
 */
const struct op *ops_find(enum method method, const struct span *segment,
    size_t n_segments, struct span *object, struct span *object2);

/* Its place in ops_all(). */
size_t ops_index(const struct op *op);

/* What a query key is to an operation. */
enum op_key {
	OP_KEY_UNKNOWN = 0,
	OP_KEY_READ,	/* dockerd reads it */
	OP_KEY_IGNORED, /* clients send it, dockerd does not read it */
};

enum op_key ops_query_key(const struct op *op, struct span key);
/* Does dockerd read all values of this key, not only the first? */
bool ops_query_repeats(const struct op *op, struct span key);

/* How dockerd reads the value of a query key. */
enum op_value {
	OP_VALUE_TEXT = 0,
	OP_VALUE_BOOL, /* httputils.BoolValue */
	OP_VALUE_INT,  /* strconv.ParseInt */
	OP_VALUE_JSON, /* one thing can be written in many ways */
};

enum op_value ops_query_value(const struct op *op, struct span key);
/* May a boolean be true where the key is missing or empty? */
bool ops_query_default(const struct op *op, struct span key);

/* By operation id; NULL when there is none. */
const struct op *ops_by_name(struct span name);

/* "read" for OPC_READ, and back; OPC_NONE when unknown. */
const char *ops_class_name(enum op_class c);
enum op_class ops_class_by_name(struct span name);

#endif
