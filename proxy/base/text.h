/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Strict readings of small texts.  Nothing here forgives: no sign, no blank,
 * no leading zero, no overflow, unless the function says so.
 */
#include "err.h"

/* "0", or digits without a leading zero; at most max. */
enum err text_parse_u64(struct span s, uint64_t max, uint64_t *out) MUST_USE;

/* Valid UTF-8 as RFC 3629 has it: no surrogates, no over-long forms. */
bool text_is_utf8(struct span s) MUST_USE;

/* Every byte from 0x20 to 0x7e. */
bool text_is_printable(struct span s) MUST_USE;

/* A line of a table: at least so many tabs, and no other control character
 * (0x7f is one). */
bool text_is_columns(struct span line, size_t tabs) MUST_USE;

/* One or more tchar (RFC 9110 5.6.2). */
bool text_is_token(struct span s) MUST_USE;

/* The value of a hexadecimal digit, or -1. */
int text_hex_digit(char c);

/* Bytes as text_hex() writes them: at least one, in lower case. */
bool text_is_hex(struct span s) MUST_USE;

/* What stands before the next `end`, which *rest moves behind; without one
 * all of it. */
struct span text_cut(struct span *rest, char end);

/* out gets 2 * n digits in lower case and a NUL. */
void text_hex(const void *p, size_t n, char *out);

/* Without blanks and tabs at both ends (RFC 9110 5.5, OWS). */
struct span text_trim(struct span s);

/*
 * A printable copy for operators: bytes outside 0x20..0x7e and backslashes
 * become \xHH.  Always ended by NUL; what does not fit is cut.
 */
void text_escape(struct span s, char *out, size_t size);

#endif
