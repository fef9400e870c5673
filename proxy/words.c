/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of DOCKER_OPTS; see words.h.
 *
 * The images that dinv replaces put the variable unquoted into a shell
 * script: it was split on blanks, globbed against the current directory, and
 * a value with a blank in it could not be said at all.  Here quotes work and
 * nothing else has a meaning.
 *
 * wordexp(3) was rejected: it runs a shell for $(...) unless told not to,
 * and expands variables and globs in any case.
 *
 * Unquoting only ever shortens, so the words are written over the text they
 * come from: no allocation, no second length to get wrong.
 *
 * The text comes from whoever starts the container, who may give any flag to
 * dockerd; what may not be given is refused in entry.c, after the split, on
 * the words as dockerd will read them.
 */
#include "words.h"

/* Where the next byte is read and where it is written (to <= from). */
struct cursor {
	const char *from;
	char *to;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Behind an opening quote: copies up to the closing one. */
static enum err
take_quoted(struct cursor *c, char quote, struct diag *d)
{
	while (*c->from != quote) {
		if (quote == '"' && c->from[0] == '\\' &&
		    (c->from[1] == '"' || c->from[1] == '\\')) {
			c->from++;
		}
		if (*c->from == '\0') {
			diag_set(d, 0, 0, "a %c has no partner", quote);
			return ERR_SYNTAX;
		}
		*c->to++ = *c->from++;
	}
	c->from++;
	return ERR_OK;
}

static enum err
take_word(struct cursor *c, struct diag *d)
{
	enum err rc;
	char ch;

	while (*c->from != '\0' && !is_blank(*c->from)) {
		ch = *c->from++;
		if (ch == '\'' || ch == '"') {
			rc = take_quoted(c, ch, d);
			if (rc != ERR_OK) {
				return rc;
			}
			continue;
		}
		if (ch == '\\') {
			ch = *c->from;
			if (ch == '\0') {
				diag_set(d, 0, 0, "a backslash at the end");
				return ERR_SYNTAX;
			}
			c->from++;
		}
		*c->to++ = ch;
	}
	return ERR_OK;
}

enum err
words_split(char *text, struct str_list *out, struct diag *d)
{
	struct cursor c = { text, text };
	enum err rc;
	char *word;
	bool last;

	for (;;) {
		while (is_blank(*c.from)) {
			c.from++;
		}
		if (*c.from == '\0') {
			return ERR_OK;
		}
		word = c.to;
		rc = take_word(&c, d);
		if (rc != ERR_OK) {
			return rc;
		}
		/* The end mark may fall on the blank that is read next. */
		last = *c.from == '\0';
		if (!last) {
			c.from++;
		}
		*c.to++ = '\0';
		rc = str_list_add(out, word);
		if (rc != ERR_OK || last) {
			return rc;
		}
	}
}
