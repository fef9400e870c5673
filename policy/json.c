/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON; see json.h.
 *
 * Two passes.  The first is a scanner of our own that accepts RFC 8259 and
 * nothing else, counts depth and values, and notes where each value stands.
 * Only then does cJSON build its tree, from bytes that it cannot misread.
 * cJSON's doubles lose 64-bit integers, so nobody here reads them: a number's
 * valuestring gets its digits, and every node's valuedouble its place.
 *
 * Rejected: cJSON alone (takes a BOM, control characters as blanks, bytes
 * after the value, invalid UTF-8, and cuts numbers at 63 characters), and a
 * tree of our own (the tree is the part cJSON does well).
 *
 * Attackers send what Go reads otherwise: members twice, NUL and lone
 * surrogates that become U+FFFD and collide, 1e9 for an integer, raw control
 * bytes, comments, bytes after the value; and what costs us dearly: deep
 * nesting, millions of small values, an object of 100,000 equal prefixes.
 */
#include "json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "json_scan.h"

#define JSON_MAX_BYTES ((size_t)16 * 1024 * 1024)

/*
 * A place is line * PLACE_LINE + col, exact in a double, both being under
 * 2^26.  Lines and columns are for people who write files: in a request's
 * body it is minus one minus the offset, for the one message that needs it.
 */
#define PLACE_LINE 67108864.0

/* Nodes and texts; cJSON's own calls for memory come here. */
#define JSON_MAX_TREE ((size_t)64 * 1024 * 1024)

struct json_doc {
	cJSON *root;
	struct arena arena;
};

/* --- memory --------------------------------------------------------------- */

/*
 * A tree is built once, only read, and given back as a whole: so its pieces
 * come from an arena, which costs a tenth of a heap's.  cJSON takes its
 * allocator for the whole process; which document it works for is this
 * thread's business.
 */
static _Thread_local struct arena *building;

static void *
tree_alloc(size_t n)
{
	return building == NULL ? NULL : arena_alloc(building, n);
}

static void
tree_free(void *p)
{
	(void)p;
}

/* Before main(), because it must come before any thread. */
__attribute__((constructor)) static void
give_memory(void)
{
	cJSON_Hooks hooks = { tree_alloc, tree_free };

	cJSON_InitHooks(&hooks);
}

/* --- tree ---------------------------------------------------------------- */

/* A json_node is a cJSON; nothing else knows. */
static const cJSON *
tree(const struct json_node *v)
{
	return (const cJSON *)(const void *)v;
}

static const struct json_node *
node_of(const cJSON *v)
{
	return (const struct json_node *)(const void *)v;
}

/*
 * Notes in each node where it stands, and the digits of numbers; *i is the
 * mark of the first one: the scanner's order is the tree's.  c may be NULL.
 */
static enum err
place_nodes(struct scan *s, struct cursor *c, cJSON *node, size_t *i)
{
	enum err rc = ERR_OK;

	for (; rc == ERR_OK && node != NULL; node = node->next) {
		const struct mark *m = &s->mark[*i];

		if (*i == s->n_marks) {
			return scan_fail(
			    s, ERR_JSON_SYNTAX, "two readers differ");
		}
		++*i;
		if (c == NULL) {
			node->valuedouble = -1.0 - m->off;
		} else {
			scan_move_cursor(c, s->text, m->off);
			node->valuedouble = c->line * PLACE_LINE + c->col;
		}
		if (cJSON_IsNumber(node)) {
			node->valuestring = arena_dup(
			    building, span_make(s->text + m->off, m->len));
			if (node->valuestring == NULL) {
				return ERR_NOMEM;
			}
		}
		rc = place_nodes(s, c, node->child, i);
	}
	return rc;
}

static int
compare_keys(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

/* Sorts the members' names; *twice is one that comes twice, or NULL. */
static enum err
find_twice(const cJSON *object, const cJSON **twice)
{
	const cJSON *m, **list;
	size_t n = 0, i = 0;

	*twice = NULL;
	for (m = object->child; m != NULL; m = m->next) {
		n++;
	}
	if (n < 2) {
		return ERR_OK;
	}
	list = malloc(n * sizeof(*list));
	if (list == NULL) {
		return ERR_NOMEM;
	}
	for (m = object->child; m != NULL; m = m->next) {
		list[i++] = m;
	}
	qsort(list, n, sizeof(*list), compare_keys);
	for (i = 1; i < n && *twice == NULL; i++) {
		if (strcmp(list[i - 1]->string, list[i]->string) == 0) {
			*twice = list[i];
		}
	}
	free(list);
	return ERR_OK;
}

static enum err
fail_twice(struct scan *s, const cJSON *m)
{
	static const char what[] = "an object names a member twice";
	unsigned line, col;

	if (m->valuedouble < 0) {
		s->at = (size_t)(-1.0 - m->valuedouble);
		return scan_fail(s, ERR_JSON_DUPKEY, what);
	}
	json_where(node_of(m), &line, &col);
	diag_set(s->d, line, col, "%s", what);
	return ERR_JSON_DUPKEY;
}

static enum err
refuse_twice(struct scan *s, const cJSON *node)
{
	const cJSON *m;
	enum err rc = ERR_OK;

	if (cJSON_IsObject(node)) {
		rc = find_twice(node, &m);
		if (rc == ERR_OK && m != NULL) {
			return fail_twice(s, m);
		}
	}
	for (m = node->child; rc == ERR_OK && m != NULL; m = m->next) {
		rc = refuse_twice(s, m);
	}
	return rc;
}

static enum err
build_tree(struct scan *s, enum json_flags flags, cJSON **root)
{
	struct cursor c = { 0, 1, 1 };
	size_t i = 0;
	enum err rc;

	*root = cJSON_ParseWithLength(s->text, s->len + 1);
	if (*root == NULL) {
		/* The scanner took it: memory is short, or cJSON differs. */
		return scan_fail(s, ERR_JSON_SYNTAX, "cannot be read");
	}
	rc = place_nodes(s, flags == JSON_STRICT ? NULL : &c, *root, &i);
	if (rc == ERR_OK && i != s->n_marks) {
		rc = scan_fail(s, ERR_JSON_SYNTAX, "two readers differ");
	}
	return rc == ERR_OK && flags != JSON_COMMENTS_TWICE
		   ? refuse_twice(s, *root)
		   : rc;
}

static enum err
parse(struct scan *s, enum json_flags flags, cJSON **root)
{
	enum err rc = ERR_OK;

	if (flags != JSON_STRICT) {
		rc = scan_blank_comments(s);
	}
	if (rc == ERR_OK) {
		rc = scan_text(s);
	}
	return rc == ERR_OK ? build_tree(s, flags, root) : rc;
}

enum err
json_parse(struct span text, enum json_flags flags, struct json_doc **out,
    struct diag *d)
{
	struct scan s = { .len = text.len, .d = d };
	struct json_doc *doc = NULL;
	enum err rc = ERR_NOMEM;

	if (text.len > JSON_MAX_BYTES) {
		diag_set(d, 0, 0, "larger than %zu bytes", JSON_MAX_BYTES);
		return ERR_LIMIT;
	}
	s.text = malloc(text.len + 1);
	doc = calloc(1, sizeof(*doc));
	if (s.text == NULL || doc == NULL) {
		goto out;
	}
	if (text.len > 0) {
		memcpy(s.text, text.p, text.len);
	}
	s.text[text.len] = '\0';
	arena_init(&doc->arena, JSON_MAX_TREE);
	building = &doc->arena;
	rc = parse(&s, flags, &doc->root);
	building = NULL;
	if (rc == ERR_OK) {
		*out = doc;
		doc = NULL;
	}
out:
	json_free(doc);
	free(s.mark);
	free(s.text);
	return rc;
}

void
json_free(struct json_doc *doc)
{
	if (doc == NULL) {
		return;
	}
	arena_fini(&doc->arena);
	free(doc);
}

/* --- reading ------------------------------------------------------------- */

const struct json_node *
json_root(const struct json_doc *doc)
{
	return node_of(doc->root);
}

enum json_type
json_type(const struct json_node *v)
{
	switch (tree(v)->type & 0xff) {
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

bool
json_bool(const struct json_node *v)
{
	return (tree(v)->type & 0xff) == cJSON_True;
}

struct span
json_string(const struct json_node *v)
{
	return span_of(tree(v)->valuestring);
}

struct span
json_text(const struct json_node *v)
{
	return v != NULL && json_type(v) == JSON_STRING ? json_string(v)
							: span_make(NULL, 0);
}

const struct json_node *
json_first(const struct json_node *v)
{
	return node_of(tree(v)->child);
}

const struct json_node *
json_next(const struct json_node *v)
{
	return node_of(tree(v)->next);
}

size_t
json_count(const struct json_node *v)
{
	const cJSON *m;
	size_t n = 0;

	for (m = tree(v)->child; m != NULL; m = m->next) {
		n++;
	}
	return n;
}

struct span
json_key(const struct json_node *v)
{
	return span_of(tree(v)->string);
}

const struct json_node *
json_get(const struct json_node *object, const char *key)
{
	const cJSON *m;

	for (m = tree(object)->child; m != NULL; m = m->next) {
		if (m->string != NULL && strcmp(m->string, key) == 0) {
			return node_of(m);
		}
	}
	return NULL;
}

struct span
json_number(const struct json_node *v)
{
	return span_of(tree(v)->valuestring);
}

enum err
json_int(const struct json_node *v, int64_t *out)
{
	struct span s = json_number(v);
	bool minus = s.len > 0 && s.p[0] == '-';
	uint64_t u;

	if (minus) {
		s.p++;
		s.len--;
	}
	if (text_parse_u64(s, (uint64_t)INT64_MAX + minus, &u) != ERR_OK) {
		return ERR_JSON_NUMBER;
	}
	/* -(u - 1) - 1 reaches INT64_MIN without overflow. */
	*out = !minus || u == 0 ? (int64_t)u : -(int64_t)(u - 1) - 1;
	return ERR_OK;
}

void
json_where(const struct json_node *v, unsigned *line, unsigned *col)
{
	double place = tree(v)->valuedouble;

	if (place < 0) {
		*line = *col = 0;
		return;
	}
	*line = (unsigned)(place / PLACE_LINE);
	*col = (unsigned)(place - *line * PLACE_LINE);
}
