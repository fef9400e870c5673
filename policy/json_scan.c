/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict reading of JSON's bytes; see json_scan.h.
 *
 * RFC 8259 and nothing else, and of that only what Go's encoding/json and
 * cJSON read alike.  Depth and the number of values are counted here, before
 * anything is built, because that is what costs.
 *
 * Rejected: a table-driven automaton; each function here is one production
 * of the grammar and can be held beside it.
 *
 * Attackers send NUL and lone surrogates that become U+FFFD and collide, 1e9
 * for an integer, raw control bytes, comments, bytes after the value, deep
 * nesting, millions of small values.
 */
#include "json_scan.h"

#include <stdlib.h>

#include "base/text.h"
#include "json.h"

/* cJSON takes 64 bytes and more a value; an honest body has a few hundred. */
#define JSON_MAX_VALUES 65536
/* cJSON reads numbers into 64 bytes; 2^63 has 19 digits. */
#define JSON_MAX_NUMBER 40

void
scan_move_cursor(struct cursor *c, const char *text, size_t to)
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

	scan_move_cursor(&c, s->text, at);
	diag_set(s->d, c.line, c.col, "%s", what);
	return rc;
}

enum err
scan_fail(struct scan *s, enum err rc, const char *what)
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
		return scan_fail(s, ERR_LIMIT, "too many values");
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
		return scan_fail(s, ERR_JSON_SYNTAX, "bad \\u escape");
	}
	if (hi == 0) {
		return scan_fail(s, ERR_JSON_NUL, "a string contains NUL");
	}
	if (hi >= 0xdc00 && hi <= 0xdfff) {
		return scan_fail(s, ERR_JSON_UTF8, "lone surrogate");
	}
	s->at += 5;
	if (hi < 0xd800 || hi > 0xdbff) {
		return ERR_OK;
	}
	if (s->len - s->at < 6 || s->text[s->at] != '\\' ||
	    s->text[s->at + 1] != 'u') {
		return scan_fail(s, ERR_JSON_UTF8, "lone surrogate");
	}
	lo = hex4(s, s->at + 2);
	if (lo < 0xdc00 || lo > 0xdfff) {
		return scan_fail(s, ERR_JSON_UTF8, "lone surrogate");
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
		return scan_fail(s, ERR_JSON_SYNTAX, "bad escape in a string");
	}
	s->at++;
	return ERR_OK;
}

/* Bytes of a string that need no look of their own; the NUL ends them. */
static size_t
plain_bytes(const struct scan *s)
{
	const unsigned char *p = (const unsigned char *)s->text + s->at;
	size_t n = 0;

	while (p[n] >= 0x20 && p[n] != '"' && p[n] != '\\') {
		n++;
	}
	return n;
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
			return scan_fail(s, ERR_JSON_SYNTAX,
			    "a control character in a string");
		}
		if (c != '\\') {
			s->at += plain_bytes(s);
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
			return scan_fail(s, ERR_JSON_SYNTAX, "bad number");
		}
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-') {
			s->at++;
		}
		if (scan_digits(s) == 0) {
			return scan_fail(s, ERR_JSON_SYNTAX, "bad number");
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
		return scan_fail(s, ERR_JSON_SYNTAX, "expected a value");
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
		return scan_fail(s, ERR_JSON_SYNTAX, "expected a member name");
	}
	rc = scan_string(s);
	if (rc != ERR_OK) {
		return rc;
	}
	skip_blanks(s);
	if (peek(s) != ':') {
		return scan_fail(s, ERR_JSON_SYNTAX, "expected \":\"");
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
		return scan_fail(s, ERR_JSON_DEPTH, "nested too deeply");
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
			return scan_fail(s, ERR_JSON_SYNTAX,
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
	return scan_fail(s, ERR_JSON_SYNTAX, "expected a value");
}

enum err
scan_text(struct scan *s)
{
	enum err rc = scan_value(s);

	if (rc != ERR_OK) {
		return rc;
	}
	skip_blanks(s);
	if (peek(s) != -1) {
		return scan_fail(
		    s, ERR_JSON_TRAILING, "bytes follow the value");
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

/* see json_scan.h */
enum err
scan_blank_comments(struct scan *s)
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
