/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_JSON_SCAN_H
#define POLICY_JSON_SCAN_H

/*
 * The strict reading of JSON's bytes, without building anything: for json.c
 * alone.
 */
#include "base/err.h"

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

/* Turns comments into blanks, so that places stay what they were. */
enum err scan_blank_comments(struct scan *s) MUST_USE;
/* Takes one value and nothing else; fills s->mark, which the caller frees. */
enum err scan_text(struct scan *s) MUST_USE;

/* Notes in s->d what is wrong at s->at; returns rc. */
enum err scan_fail(struct scan *s, enum err rc, const char *what);
void scan_move_cursor(struct cursor *c, const char *text, size_t to);

#endif
