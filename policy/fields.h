/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_FIELDS_H
#define POLICY_FIELDS_H

/*
 * What a JSON body may say: tables of fields, and the walk that holds a body
 * against them while it writes the body anew.  Nothing that no table names
 * goes on to dockerd, and nothing in a spelling of the client's.
 */
#include "base/buf.h"
#include "json.h"
#include "rules.h"

/* How dockerd (Go's encoding/json) reads a field; null is always fine. */
enum field_type {
	FT_DROP = 0, /* clients send it, dockerd ignores it: left out */
	FT_NEVER,    /* only zero values, left out */
	FT_STR,
	FT_BOOL,
	FT_INT,
	FT_NUMBER,   /* any number (float32) */
	FT_INTS,     /* array of integers */
	FT_STRS,     /* array of strings */
	FT_STRSLICE, /* the same, or one string: written as an array */
	FT_STRLISTS, /* array of arrays of strings */
	FT_STRMAP,   /* object of strings */
	FT_SET,	     /* object of empty objects: written as such */
	FT_OBJ,	     /* object of the sub table's fields */
	FT_OBJS,     /* array of such objects */
	FT_OBJMAP,   /* object of such objects */
	FT_LISTMAP,  /* object of arrays of such objects (PortMap) */
};

struct walk;
struct fields;

/*
 * One field.  With a rule alone any value but a zero one trips it; with
 * allow, any text that is not in the list; with judge, what judge says.
 */
struct field {
	const char *name;
	enum field_type type;
	const struct fields *sub;
	enum rule rule;
	/* Of FT_STR the value, of FT_STRS each, of FT_STRMAP the keys. */
	const char *const *allow;
	void (*judge)(
	    struct walk *w, const struct field *f, const struct json_node *v);
};

struct fields {
	const struct field *field;
	size_t n;
	const struct field *whole; /* of a body that is no object, or NULL */
};

/* No table has more fields. */
#define FIELDS_MAX 128

/* What the walk found out. */
struct finding {
	enum rule rule;	   /* RULE_NONE: nothing to refuse */
	char path[128];	   /* "HostConfig.Binds[2]" */
	char what[256];	   /* what is refused; printable */
	struct span value; /* the text it is about, or {NULL, 0} */
	const char *how;   /* "ro", "rw", "run", ...; or NULL */
};

/* What only dockerd can tell. */
enum fact_kind {
	FACT_NONE = 0,
	FACT_CONTAINER,
	FACT_EXEC,
	FACT_VOLUME,
	FACT_NETWORK,
	FACT_SWARM_NETWORK, /* as the swarm finds it, for services */
	FACT_HOLDERS,	    /* the tenant's containers that have a volume */
	FACT_NAME, /* a container's name that must be free, or one's own */
};

struct frame {
	const struct frame *up;
	const char *name; /* a member of a struct, or NULL */
	struct span key;  /* a key of a map, or empty */
	size_t index;	  /* of an array's element */
};

struct constraints; /* constraint.h */
struct extras;	    /* extra.h */
struct op;	    /* ops.h */
struct labels;

struct walk {
	uint64_t may;	    /* RULE_BIT() set of what is not refused */
	unsigned api_minor; /* of the request; 0: dockerd's own */
	const struct constraints *limits; /* of the role; may be NULL */
	const struct labels *force;  /* written into "Labels"; may be NULL */
	const struct extras *extras; /* of the role; may be NULL */
	const struct op *op;	     /* whose body it is; may be NULL */
	struct buf *out;	     /* NULL: judge only */
	const struct frame *at;
	struct finding found;
	/* Called for names that dockerd must be asked about; may be NULL. */
	enum err (*need)(
	    void *arg, enum fact_kind kind, struct span name, const char *path);
	/* Told what no table knows and is not refused; may be NULL. */
	void (*note)(void *arg, const char *what, const char *path);
	/* Told each finding; NULL: the first one ends the walk. */
	void (*refused)(void *arg, const struct finding *f);
	void *refused_arg;
	bool uses; /* tells uses too: walk_use() */
	void *arg;
	bool mistyped; /* a value's type is not what judges rely on */
	struct span about;
	const char *how;
	enum err err; /* ERR_POLICY with found, or a failure */
};

/*
 * Judges an object (null is an empty one) and writes it to w->out.
 * ERR_OK; ERR_POLICY with w->found; ERR_NOMEM, ERR_LIMIT.
 */
enum err fields_walk(
    struct walk *w, const struct fields *t, const struct json_node *v) MUST_USE;

/*
 * Judges what dockerd itself wrote (an inspected object): only the fields of
 * the table are looked at, and nothing is written.
 */
enum err fields_judge(
    struct walk *w, const struct fields *t, const struct json_node *v) MUST_USE;

/* For judges.  Each is silent once something was found. */
void walk_refuse(struct walk *w, enum rule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void walk_need(struct walk *w, enum fact_kind kind, struct span name);
/* Refuses although the role may have the rule. */
void walk_refuse_all(struct walk *w, enum rule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the next refusal is about, and how (may be NULL); never a secret. */
void walk_about(struct walk *w, struct span value, const char *how);
/* What constraints could narrow was used: no refusal. */
void walk_use(struct walk *w, enum rule r, struct span value, const char *how);
/* ERR_POLICY if anything was found, else what went wrong. */
enum err walk_result(const struct walk *w) MUST_USE;
/* Each element of an array, with its index on the path. */
void walk_each(struct walk *w, const struct json_node *v,
    void (*judge)(struct walk *w, const struct json_node *e));
void walk_path(const struct frame *at, char *out, size_t size);

/* "", 0, false, null, [] and {}, also a struct of nothing else. */
bool fields_zero(const struct json_node *v);
/* Does the value of this field ask for nothing? */
bool fields_nothing(const struct field *f, const struct json_node *v);
/* Is its value one text or several, that can be told one by one? */
bool fields_is_text(const struct field *f);
/* The member that Go reads as name (its case folded), or NULL. */
const struct json_node *fields_get(
    const struct json_node *object, const char *name);
/* Two scalars that mean the same. */
bool fields_same(const struct json_node *a, const struct json_node *b);
/* Is it the same name to Go? */
bool fields_fold(struct span key, const char *name);
/* The same of two names of a client's. */
bool fields_fold_same(struct span a, struct span b);

/*
 * A member that no table knows (extra.c): refused, left out, or written with
 * a comma before it where that is asked for; says whether it was written.
 */
bool walk_unknown(struct walk *w, const struct json_node *m, bool comma);

/* Text for messages: printable, in quotes, cut at 64 bytes. */
struct quoted {
	char s[80];
};
struct quoted quote(struct span s);

/* What makes an existing container a way to the host. */
extern const struct fields fields_inspect;
extern const struct fields fields_container_create, fields_container_update,
    fields_container_exec, fields_exec_start, fields_auth, fields_image_commit,
    fields_volume_create, fields_network_create, fields_network_connect,
    fields_network_disconnect;
/* fields_service.c, fields_swarm.c, fields_plugin.c */
extern const struct fields fields_service, fields_secret, fields_config,
    fields_node, fields_swarm_init, fields_swarm_join, fields_swarm_spec,
    fields_swarm_unlock, fields_volume_update, fields_plugin_privileges,
    fields_plugin_set, fields_checkpoint_create;

#endif
