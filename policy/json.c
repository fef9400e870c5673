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

#include "base/text.h"

#define JSON_MAX_BYTES ((size_t)16 * 1024 * 1024)
/* cJSON takes 64 bytes and more a value; an honest body has a few hundred. */
#define JSON_MAX_VALUES 65536
/* cJSON reads numbers into 64 bytes; 2^63 has 19 digits. */
#define JSON_MAX_NUMBER 40

/* line * PLACE_LINE + col: exact in a double, both being under 2^26. */
#define PLACE_LINE 67108864.0

struct json_doc {
	cJSON *root;
};

/* Where a value begins and, of a number, how many bytes it has. */
struct mark {
	uint32_t off;
	uint32_t len;
};

/* A place in the text that moves forward only. */
struct cursor {
	size_t at;
	unsigned line;
	unsigned col;
};

/* --- scanner ------------------------------------------------------------- */

struct scan {
	char *text; /* ours; comments blanked; ended by NUL */
	size_t len;
	size_t at;
	unsigned depth;
	struct mark *mark; /* of each value, in the order of the text */
	size_t n_marks;
	size_t cap;
	struct diag *d;
};

static void
move_cursor(struct cursor *c, const char *text, size_t to)
{
	for (; c->at < to; c->at++) {
		if (text[c->at] == '\n') {
			c->line++;
			c->col = 1;
		} else if (((unsigned char)text[c->at] & 0xc0) != 0x80) {
			c->col++;
		}
	}
}

static enum err
fail_at(struct scan *s, size_t at, enum err rc, const char *what)
{
	struct cursor c = { 0, 1, 1 };

	move_cursor(&c, s->text, at);
	diag_set(s->d, c.line, c.col, "%s", what);
	return rc;
}

static enum err
fail(struct scan *s, enum err rc, const char *what)
{
	return fail_at(s, s->at, rc, what);
}

static int
peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

/* RFC 8259 2: ws. */
static void
skip_blanks(struct scan *s)
{
	int c = peek(s);

	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		s->at++;
		c = peek(s);
	}
}

static enum err
add_mark(struct scan *s, size_t *ordinal)
{
	struct mark *p;
	size_t cap;

	if (s->n_marks == JSON_MAX_VALUES) {
		return fail(s, ERR_LIMIT, "too many values");
	}
	if (s->n_marks == s->cap) {
		cap = s->cap == 0 ? 64 : s->cap * 2;
		p = realloc(s->mark, cap * sizeof(*p));
		if (p == NULL) {
			return ERR_NOMEM;
		}
		s->mark = p;
		s->cap = cap;
	}
	*ordinal = s->n_marks++;
	s->mark[*ordinal] = (struct mark){ (uint32_t)s->at, 0 };
	return ERR_OK;
}

static int
hex4(const struct scan *s, size_t at)
{
	int v = 0, digit;
	size_t i;

	if (s->len - at < 4) {
		return -1;
	}
	for (i = 0; i < 4; i++) {
		digit = text_hex_digit(s->text[at + i]);
		if (digit < 0) {
			return -1;
		}
		v = v << 4 | digit;
	}
	return v;
}

/* s->at is at the u of "\uXXXX"; leaves it behind the last digit. */
static enum err
scan_unicode(struct scan *s)
{
	int hi = hex4(s, s->at + 1), lo;

	if (hi < 0) {
		return fail(s, ERR_JSON_SYNTAX, "bad \\u escape");
	}
	if (hi == 0) {
		return fail(s, ERR_JSON_NUL, "a string contains NUL");
	}
	if (hi >= 0xdc00 && hi <= 0xdfff) {
		return fail(s, ERR_JSON_UTF8, "lone surrogate");
	}
	s->at += 5;
	if (hi < 0xd800 || hi > 0xdbff) {
		return ERR_OK;
	}
	if (s->len - s->at < 6 || s->text[s->at] != '\\' ||
	    s->text[s->at + 1] != 'u') {
		return fail(s, ERR_JSON_UTF8, "lone surrogate");
	}
	lo = hex4(s, s->at + 2);
	if (lo < 0xdc00 || lo > 0xdfff) {
		return fail(s, ERR_JSON_UTF8, "lone surrogate");
	}
	s->at += 6;
	return ERR_OK;
}

static enum err
scan_escape(struct scan *s)
{
	int c;

	s->at++;
	c = peek(s);
	if (c == 'u') {
		return scan_unicode(s);
	}
	if (c <= 0 || strchr("\"\\/bfnrt", c) == NULL) {
		return fail(s, ERR_JSON_SYNTAX, "bad escape in a string");
	}
	s->at++;
	return ERR_OK;
}

static enum err
scan_string(struct scan *s)
{
	size_t start = ++s->at;
	enum err rc;
	int c;

	for (c = peek(s); c != '"'; c = peek(s)) {
		if (c == -1) {
			return fail_at(s, start - 1, ERR_JSON_SYNTAX,
			    "a string without an end");
		}
		if (c < 0x20) {
			return fail(s, ERR_JSON_SYNTAX,
			    "a control character in a string");
		}
		if (c != '\\') {
			s->at++;
			continue;
		}
		rc = scan_escape(s);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	if (!text_is_utf8(span_make(s->text + start, s->at - start))) {
		return fail_at(
		    s, start - 1, ERR_JSON_UTF8, "a string is not valid UTF-8");
	}
	s->at++;
	return ERR_OK;
}

static size_t
scan_digits(struct scan *s)
{
	size_t start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9') {
		s->at++;
	}
	return s->at - start;
}

/* RFC 8259 6. */
static enum err
scan_number(struct scan *s, size_t ordinal)
{
	size_t start = s->at, digits;

	if (peek(s) == '-') {
		s->at++;
	}
	start = s->at;
	digits = scan_digits(s);
	if (digits == 0 || (digits > 1 && s->text[start] == '0')) {
		return fail_at(s, start, ERR_JSON_SYNTAX, "bad number");
	}
	if (peek(s) == '.') {
		s->at++;
		if (scan_digits(s) == 0) {
			return fail(s, ERR_JSON_SYNTAX, "bad number");
		}
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-') {
			s->at++;
		}
		if (scan_digits(s) == 0) {
			return fail(s, ERR_JSON_SYNTAX, "bad number");
		}
	}
	start = s->mark[ordinal].off;
	if (s->at - start > JSON_MAX_NUMBER) {
		return fail_at(
		    s, start, ERR_JSON_NUMBER, "a number has too many digits");
	}
	s->mark[ordinal].len = (uint32_t)(s->at - start);
	return ERR_OK;
}

static enum err
scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len - s->at < n || memcmp(s->text + s->at, word, n) != 0) {
		return fail(s, ERR_JSON_SYNTAX, "expected a value");
	}
	s->at += n;
	return ERR_OK;
}

static enum err scan_value(struct scan *s);

static enum err
scan_member(struct scan *s)
{
	enum err rc;

	if (peek(s) != '"') {
		return fail(s, ERR_JSON_SYNTAX, "expected a member name");
	}
	rc = scan_string(s);
	if (rc != ERR_OK) {
		return rc;
	}
	skip_blanks(s);
	if (peek(s) != ':') {
		return fail(s, ERR_JSON_SYNTAX, "expected \":\"");
	}
	s->at++;
	return scan_value(s);
}

/* Array or object: values or members between commas up to end. */
static enum err
scan_list(struct scan *s, int end, enum err (*item)(struct scan *))
{
	enum err rc;

	if (++s->depth > JSON_MAX_DEPTH) {
		return fail(s, ERR_JSON_DEPTH, "nested too deeply");
	}
	s->at++;
	skip_blanks(s);
	if (peek(s) == end) {
		s->at++;
		s->depth--;
		return ERR_OK;
	}
	for (;;) {
		skip_blanks(s);
		rc = item(s);
		if (rc != ERR_OK) {
			return rc;
		}
		skip_blanks(s);
		if (peek(s) == end) {
			s->at++;
			s->depth--;
			return ERR_OK;
		}
		if (peek(s) != ',') {
			return fail(s, ERR_JSON_SYNTAX,
			    end == ']' ? "expected \",\" or \"]\""
				       : "expected \",\" or \"}\"");
		}
		s->at++;
	}
}

/* Recursion ends at JSON_MAX_DEPTH. */
static enum err
scan_value(struct scan *s)
{
	size_t ordinal = 0;
	enum err rc;
	int c;

	skip_blanks(s);
	rc = add_mark(s, &ordinal);
	if (rc != ERR_OK) {
		return rc;
	}
	c = peek(s);
	switch (c) {
	case '{':
		return scan_list(s, '}', scan_member);
	case '[':
		return scan_list(s, ']', scan_value);
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	default:
		break;
	}
	if (c == '-' || (c >= '0' && c <= '9')) {
		return scan_number(s, ordinal);
	}
	return fail(s, ERR_JSON_SYNTAX, "expected a value");
}

static enum err
scan_text(struct scan *s)
{
	enum err rc = scan_value(s);

	if (rc != ERR_OK) {
		return rc;
	}
	skip_blanks(s);
	if (peek(s) != -1) {
		return fail(s, ERR_JSON_TRAILING, "bytes follow the value");
	}
	return ERR_OK;
}

/* --- comments ------------------------------------------------------------ */

static size_t
comment_end(const struct scan *s, size_t at)
{
	const char *p = s->text + at;
	const char *end;

	if (p[1] == '/') {
		end = memchr(p, '\n', s->len - at);
		return end == NULL ? s->len : (size_t)(end - s->text);
	}
	end = memmem(p + 2, s->len - at - 2, "*/", 2);
	return end == NULL ? 0 : (size_t)(end - s->text) + 2;
}

/* Turns comments into blanks, so that places stay what they were. */
static enum err
blank_comments(struct scan *s)
{
	bool in_string = false;
	size_t i, end;

	for (i = 0; i < s->len; i++) {
		char c = s->text[i];

		if (in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			in_string = !in_string;
		} else if (!in_string && c == '/' && i + 1 < s->len &&
			   (s->text[i + 1] == '/' || s->text[i + 1] == '*')) {
			end = comment_end(s, i);
			if (end == 0) {
				return fail_at(s, i, ERR_JSON_SYNTAX,
				    "a comment without an end");
			}
			for (; i < end; i++) {
				if (s->text[i] != '\n') {
					s->text[i] = ' ';
				}
			}
			i--;
		}
	}
	return ERR_OK;
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
 * mark of the first one: the scanner's order is the tree's.
 */
static enum err
place_nodes(struct scan *s, struct cursor *c, cJSON *node, size_t *i)
{
	enum err rc = ERR_OK;

	for (; rc == ERR_OK && node != NULL; node = node->next) {
		const struct mark *m = &s->mark[*i];

		if (*i == s->n_marks) {
			return fail(s, ERR_JSON_SYNTAX, "two readers differ");
		}
		++*i;
		move_cursor(c, s->text, m->off);
		node->valuedouble = c->line * PLACE_LINE + c->col;
		if (cJSON_IsNumber(node)) {
			/* cJSON_Delete() frees it, as it does a string's. */
			node->valuestring = strndup(s->text + m->off, m->len);
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
refuse_twice(struct scan *s, const cJSON *node)
{
	const cJSON *m;
	enum err rc = ERR_OK;
	unsigned line, col;

	if (cJSON_IsObject(node)) {
		rc = find_twice(node, &m);
		if (rc == ERR_OK && m != NULL) {
			json_where(node_of(m), &line, &col);
			diag_set(
			    s->d, line, col, "an object names a member twice");
			return ERR_JSON_DUPKEY;
		}
	}
	for (m = node->child; rc == ERR_OK && m != NULL; m = m->next) {
		rc = refuse_twice(s, m);
	}
	return rc;
}

static enum err
build_tree(struct scan *s, cJSON **root)
{
	struct cursor c = { 0, 1, 1 };
	size_t i = 0;
	enum err rc;

	*root = cJSON_ParseWithLength(s->text, s->len + 1);
	if (*root == NULL) {
		/* The scanner took it: memory is short, or cJSON differs. */
		return fail(s, ERR_JSON_SYNTAX, "cannot be read");
	}
	rc = place_nodes(s, &c, *root, &i);
	if (rc == ERR_OK && i != s->n_marks) {
		rc = fail(s, ERR_JSON_SYNTAX, "two readers differ");
	}
	return rc == ERR_OK ? refuse_twice(s, *root) : rc;
}

static enum err
parse(struct scan *s, enum json_flags flags, cJSON **root)
{
	enum err rc = ERR_OK;

	if (flags == JSON_COMMENTS) {
		rc = blank_comments(s);
	}
	if (rc == ERR_OK) {
		rc = scan_text(s);
	}
	return rc == ERR_OK ? build_tree(s, root) : rc;
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
	rc = parse(&s, flags, &doc->root);
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
	cJSON_Delete(doc->root);
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

	*line = (unsigned)(place / PLACE_LINE);
	*col = (unsigned)(place - *line * PLACE_LINE);
}
