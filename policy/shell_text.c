/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shell's text in pieces; see shell_text.h.
 *
 * Attackers do not write what is read here: it is for the record of what they
 * did, and who wants to can always hide that from it.
 */
#include "shell_text.h"

size_t
shell_blank(struct span s, size_t at)
{
	size_t n = at;

	while (n < s.len && memchr(" \t\r\v\f", s.p[n], 5) != NULL) {
		n++;
	}
	if (n < s.len && s.p[n] == '\\') {
		size_t end = n + 1;

		end += end < s.len && s.p[end] == '\r';
		if (end < s.len && s.p[end] == '\n') {
			return end + 1 - at;
		}
	}
	return n - at;
}

bool
shell_separates(char c)
{
	return memchr(";&|()<>\n", c, 8) != NULL;
}

size_t
shell_quote_end(struct span s, size_t at, bool escapes)
{
	char quote = s.p[at++];

	while (at < s.len && s.p[at] != quote) {
		at += quote != '\'' && escapes && s.p[at] == '\\' ? 2 : 1;
	}
	return at < s.len ? at + 1 : s.len;
}

bool
shell_quotes(char c)
{
	return c == '\'' || c == '"' || c == '`';
}

/* How many bytes the one at at takes with it. */
static size_t
taken(struct span s, size_t at, bool escapes)
{
	bool quote = at + 1 < s.len && shell_quotes(s.p[at + 1]);

	return s.p[at] == '\\' && (escapes || !quote) ? 2 : 1;
}

/* Behind the ')' of the "$(" at at. */
static size_t
paren_end(struct span s, size_t at, bool escapes)
{
	size_t depth = 0;

	for (at++; at < s.len;) {
		if (shell_quotes(s.p[at])) {
			at = shell_quote_end(s, at, escapes);
			continue;
		}
		depth += s.p[at] == '(';
		depth -= s.p[at] == ')';
		at += taken(s, at, escapes);
		if (depth == 0) {
			break;
		}
	}
	return at < s.len ? at : s.len;
}

bool
shell_substitutes(struct span s, size_t at)
{
	return at + 1 < s.len && s.p[at] == '$' && s.p[at + 1] == '(';
}

size_t
shell_word_end(struct span s, size_t at, bool escapes)
{
	while (at < s.len && !shell_separates(s.p[at]) &&
	       shell_blank(s, at) == 0) {
		if (shell_quotes(s.p[at])) {
			at = shell_quote_end(s, at, escapes);
		} else if (shell_substitutes(s, at)) {
			at = paren_end(s, at, escapes);
		} else {
			at += taken(s, at, escapes);
		}
	}
	return at < s.len ? at : s.len;
}

size_t
shell_special(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (shell_separates(s.p[i]) || shell_quotes(s.p[i]) ||
		    shell_substitutes(s, i) || shell_blank(s, i) > 0) {
			break;
		}
	}
	return i;
}
