/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that come from a process that others may have taken over; see
 * audit_line.h.
 *
 * A machine of our own, one pass, no memory: what jsonw writes is a small
 * part of JSON (no blanks, one form of escape), and that is all that passes.
 * policy/json.h was rejected: it has a depth, a number of values and texts
 * that it refuses, where a record holds a body of that very depth, or a name
 * with a NUL.
 *
 * Attackers want a line that a reader takes for two, or for a checkpoint; a
 * second number or hash, also by a spelling that folds to it; a terminal's
 * controls; depth without end.
 */
#include "audit_line.h"

#include <stdint.h>

#include "audit_link.h"
#include "base/text.h"
#include "limit.h"

/* A body of 64 levels, and what a record puts around it. */
#define LINE_DEPTH 128
/* Members of a record: there are 38 in all. */
#define LINE_MEMBERS 64
/* '0': any digit */
#define LINE_TIME "{\"time\":\"0000-00-00T00:00:00.000Z\",\"event\":\""

struct reading {
	const char *p, *end;
	unsigned depth;
	uint8_t object[LINE_DEPTH]; /* 1: in one, 0: in an array */
	struct span member[LINE_MEMBERS];
	size_t members;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
take(struct reading *r, char c)
{
	if (r->p == r->end || *r->p != c) {
		return false;
	}
	r->p++;
	return true;
}

/* "\u00XX" of what may not stand for itself, as jsonw has it. */
static bool
take_escape(struct reading *r)
{
	int hi, lo, c;

	if (r->end - r->p < 6 || memcmp(r->p, "\\u00", 4) != 0) {
		return false;
	}
	hi = text_hex_digit(r->p[4]);
	lo = text_hex_digit(r->p[5]);
	if (hi < 0 || lo < 0) {
		return false;
	}
	c = hi << 4 | lo;
	if (c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
		return false;
	}
	r->p += 6;
	return true;
}

/* *out: what stands between the quotes. */
static bool
take_string(struct reading *r, struct span *out)
{
	const char *from;

	if (!take(r, '"')) {
		return false;
	}
	from = r->p;
	while (r->p < r->end && *r->p != '"') {
		if (*r->p == '\\') {
			if (!take_escape(r)) {
				return false;
			}
		} else if ((unsigned char)*r->p < 0x20 || *r->p == 0x7f) {
			return false;
		} else {
			r->p++;
		}
	}
	*out = span_make(from, (size_t)(r->p - from));
	return take(r, '"') && text_is_utf8(*out);
}

static bool
take_digits(struct reading *r)
{
	const char *from = r->p;

	while (r->p < r->end && is_digit(*r->p)) {
		r->p++;
	}
	return r->p > from;
}

/* RFC 8259 6 */
static bool
take_number(struct reading *r)
{
	(void)take(r, '-');
	if (!take(r, '0') && !take_digits(r)) {
		return false;
	}
	if (take(r, '.') && !take_digits(r)) {
		return false;
	}
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '+')) {
			(void)take(r, '-');
		}
		return take_digits(r);
	}
	return true;
}

static bool
take_word(struct reading *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0) {
		return false;
	}
	r->p += n;
	return true;
}

static bool
take_scalar(struct reading *r)
{
	struct span s;

	if (r->p == r->end) {
		return false;
	}
	switch (*r->p) {
	case '"':
		return take_string(r, &s);
	case 't':
		return take_word(r, "true");
	case 'f':
		return take_word(r, "false");
	case 'n':
		return take_word(r, "null");
	default:
		return take_number(r);
	}
}

/* A record's own member: [a-z_] alone, which folds to nothing else. */
static bool
note_member(struct reading *r, struct span name)
{
	static const char *const chains[] = { "seq", "prev", "v", "key",
		"signature" };
	size_t i;

	for (i = 0; i < name.len; i++) {
		if ((name.p[i] < 'a' || name.p[i] > 'z') && name.p[i] != '_') {
			return false;
		}
	}
	for (i = 0; i < NELEM(chains); i++) {
		if (span_is(name, chains[i])) {
			return false;
		}
	}
	for (i = 0; i < r->members; i++) {
		if (span_eq(name, r->member[i])) {
			return false;
		}
	}
	if (name.len == 0 || r->members == LINE_MEMBERS) {
		return false;
	}
	r->member[r->members++] = name;
	return true;
}

/* A member's name and its colon, where one must stand. */
static bool
take_name(struct reading *r)
{
	struct span name;

	if (r->depth == 0 || !r->object[r->depth - 1]) {
		return true;
	}
	if (!take_string(r, &name) || !take(r, ':')) {
		return false;
	}
	if (r->depth > 1) {
		return true;
	}
	/* audit_fields.c looks into it. */
	return note_member(r, name) &&
	       (!span_is(name, "client") || (r->p < r->end && *r->p == '{'));
}

/* An object or array begins; *empty: and ends. */
static bool
take_open(struct reading *r, bool *empty)
{
	bool object = *r->p == '{';

	r->p++;
	*empty = take(r, object ? '}' : ']');
	if (*empty) {
		return true;
	}
	if (r->depth == LINE_DEPTH) {
		return false;
	}
	r->object[r->depth++] = object;
	return true;
}

/* Behind a value: the ends of what it was the last in. */
static bool
take_ends(struct reading *r)
{
	while (r->depth > 0 && take(r, r->object[r->depth - 1] ? '}' : ']')) {
		r->depth--;
	}
	return r->depth == 0 || take(r, ',');
}

/* One value, to its end. */
static bool
take_value(struct reading *r)
{
	bool empty;

	do {
		if (!take_name(r) || r->p == r->end) {
			return false;
		}
		empty = true;
		if (*r->p == '{' || *r->p == '[') {
			if (!take_open(r, &empty)) {
				return false;
			}
		} else if (!take_scalar(r)) {
			return false;
		}
		if (empty && !take_ends(r)) {
			return false;
		}
	} while (r->depth > 0);
	return true;
}

/* What all records begin with. */
static bool
begins_well(struct span line)
{
	static const char form[] = LINE_TIME;
	static const char *const events[] = { "handshake\",", "decision\",",
		"end\",", "enroll\",", "lost\"," };
	size_t i, n = sizeof(form) - 1;

	if (line.len < n) {
		return false;
	}
	for (i = 0; i < n; i++) {
		if (form[i] == '0' ? !is_digit(line.p[i])
				   : line.p[i] != form[i]) {
			return false;
		}
	}
	line.p += n;
	line.len -= n;
	for (i = 0; i < NELEM(events); i++) {
		if (span_starts(line, events[i])) {
			return true;
		}
	}
	return false;
}

const char *
audit_line_wrong(struct span line)
{
	struct reading r = { .p = line.p, .end = line.p + line.len };
	struct span bytes, key, seal;

	if (line.len + 1 > LIMIT_AUDIT_RECORD_BYTES) {
		return "longer than a record";
	}
	if (!begins_well(line)) {
		return "not the beginning of a record";
	}
	if (!take_value(&r) || r.p != r.end) {
		return "not the JSON of a record";
	}
	if (audit_link_seal(line, &bytes, &key, &seal)) {
		return "a checkpoint within a record";
	}
	return NULL;
}

const char *
audit_lines_wrong(struct span lines)
{
	size_t n = 0, whole = lines.len;
	const char *lf, *wrong;

	if (lines.len == 0) {
		return "no line";
	}
	while (lines.len > 0) {
		lf = memchr(lines.p, '\n', lines.len);
		if (lf == NULL) {
			return "a line without an end";
		}
		wrong = audit_line_wrong(
		    span_make(lines.p, (size_t)(lf - lines.p)));
		if (wrong != NULL) {
			return wrong;
		}
		lines.len -= (size_t)(lf - lines.p) + 1;
		lines.p = lf + 1;
		n++;
	}
	if (n > LIMIT_AUDIT_BATCH_RECORDS ||
	    (n > 1 && whole > LIMIT_AUDIT_BATCH_BYTES)) {
		return "more than a batch";
	}
	return NULL;
}
