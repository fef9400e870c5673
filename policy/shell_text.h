/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SHELL_TEXT_H
#define POLICY_SHELL_TEXT_H

/*
 * Where words, quotes and blanks end in what a shell may read.  No shell is
 * emulated: of two readings the one with the longer word is taken.
 *
 * escapes: a backslash takes the next byte's meaning away; not so in what
 * stood in double quotes, where \" is the quote that it was meant to be.
 */
#include "base/span.h"

/* Blanks from at on; backslash and end of line are one too. */
size_t shell_blank(struct span s, size_t at);
/* Ends a word, and where it is none of "()<>" the command too. */
bool shell_separates(char c);
bool shell_quotes(char c); /* ', ", ` */
/* "$(" */
bool shell_substitutes(struct span s, size_t at);
/* Behind the quote that ends the one at at; s.len: none does. */
size_t shell_quote_end(struct span s, size_t at, bool escapes);
/* The end of the word that begins at at. */
size_t shell_word_end(struct span s, size_t at, bool escapes);
/* The first byte that more than itself depends on; s.len: there is none. */
size_t shell_special(struct span s);

#endif
