/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_WORDS_H
#define PROXY_WORDS_H

#include "flags.h"

/*
 * words_split() -- splits a line as a shell would, and does nothing else.
 *
 *   text  rewritten in place; the words point into it
 *   out   gets the words, behind those it holds; its array is free()d by
 *         the caller
 *
 * Words are parted by blanks, tabs and newlines.  '...' keeps all, "..."
 * keeps all but \" and \\, a backslash elsewhere keeps the next byte.  There
 * are no variables, globs, comments or operators: $, *, #, ; and | are bytes
 * like others.  "" is an empty word.
 *
 * ERR_SYNTAX with d set: a quote without its end, or a backslash at the end.
 * ERR_NOMEM.
 */
enum err words_split(char *text, struct str_list *out, struct diag *d) MUST_USE;

#endif
