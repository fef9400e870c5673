/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_JSON_H
#define POLICY_JSON_H

/*
 * Strict JSON: the bytes are checked by our own scanner first (RFC 8259 and
 * what Go's encoding/json would read in its own way), then given to cJSON.
 * Numbers keep their text, so that 64-bit integers are exact.
 */
#include "base/buf.h"
#include "base/err.h"

#define JSON_MAX_DEPTH 64

enum json_type {
	JSON_NULL = 0,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_doc;  /* owns the tree */
struct json_node; /* one value in it; borrowed from the doc */

/* Comments (// and block) are for policy files, never for requests. */
enum json_flags {
	JSON_STRICT = 0,
	JSON_COMMENTS,
	/* The same, and an object may name a member twice: to find what else
	 * is wrong with a file that was refused for that. */
	JSON_COMMENTS_TWICE,
};

/*
 * ERR_JSON_*, ERR_LIMIT, ERR_NOMEM.  d gets line and column.
 * An object that names one member twice, letter by letter after unescaping,
 * is refused.  Names that only Go takes for equal ("image", "Image") are the
 * field tables' business: in a map, such as labels, both may stand.
 */
enum err json_parse(struct span text, enum json_flags flags,
    struct json_doc **out, struct diag *d) MUST_USE;
void json_free(struct json_doc *doc);

const struct json_node *json_root(const struct json_doc *doc);
enum json_type json_type(const struct json_node *v);
bool json_bool(const struct json_node *v);	    /* JSON_BOOL only */
struct span json_string(const struct json_node *v); /* JSON_STRING only */
/* Of a string its text, of anything else, and of NULL, an empty one. */
struct span json_text(const struct json_node *v);
struct span json_number(const struct json_node *v); /* its text */
/* An integer from -2^63 to 2^63-1 in Go's spelling, or ERR_JSON_NUMBER. */
enum err json_int(const struct json_node *v, int64_t *out) MUST_USE;

/* Children of an array or object, in order; NULL at the end. */
const struct json_node *json_first(const struct json_node *v);
const struct json_node *json_next(const struct json_node *v);
size_t json_count(const struct json_node *v);
struct span json_key(const struct json_node *v); /* of an object's member */
/* The member whose name is exactly key, or NULL. */
const struct json_node *json_get(
    const struct json_node *object, const char *key);
/* Where a value of a JSON_COMMENTS document began; 0, 0 in others. */
void json_where(const struct json_node *v, unsigned *line, unsigned *col);

#endif
