/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict readings of small texts; see text.h.
 *
 * The C library's own readers (strtol, isprint) skip blanks, take signs,
 * wrap silently or follow the locale; attackers live in such gaps between
 * two readers.  So these are written out, and do one thing each.
 */
#include "text.h"

#include <stdio.h>

enum err
text_parse_u64(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (s.len == 0 || (s.len > 1 && s.p[0] == '0')) {
		return ERR_NUMBER;
	}
	for (i = 0; i < s.len; i++) {
		unsigned d = (unsigned)(unsigned char)s.p[i] - '0';

		if (d > 9 || v > (UINT64_MAX - d) / 10) {
			return ERR_NUMBER;
		}
		v = v * 10 + d;
	}
	if (v > max) {
		return ERR_NUMBER;
	}
	*out = v;
	return ERR_OK;
}

/* Length of the well-formed sequence at p, or 0 (RFC 3629 4). */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len, i;

	if (p[0] < 0x80) {
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		lo = p[0] == 0xe0 ? 0xa0 : 0x80;
		hi = p[0] == 0xed ? 0x9f : 0xbf;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		lo = p[0] == 0xf0 ? 0x90 : 0x80;
		hi = p[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (n < len || p[1] < lo || p[1] > hi) {
		return 0;
	}
	for (i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf) {
			return 0;
		}
	}
	return len;
}

bool
text_is_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i = 0, n;
	uint64_t eight;

	while (i < s.len) {
		/* Eight at once where all are ASCII, as they mostly are. */
		if (s.len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if ((eight & 0x8080808080808080) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		n = utf8_sequence(p + i, s.len - i);
		if (n == 0) {
			return false;
		}
		i += n;
	}
	return true;
}

bool
text_is_printable(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

bool
text_is_hex(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (text_hex_digit(s.p[i]) < 0 ||
		    (s.p[i] >= 'A' && s.p[i] <= 'F')) {
			return false;
		}
	}
	return s.len > 0 && s.len % 2 == 0;
}

struct span
text_cut(struct span *rest, char end)
{
	const char *p = rest->len == 0 ? NULL : memchr(rest->p, end, rest->len);
	struct span got = *rest;

	if (p == NULL) {
		*rest = span_make(NULL, 0);
		return got;
	}
	got.len = (size_t)(p - rest->p);
	*rest = span_make(p + 1, rest->len - got.len - 1);
	return got;
}

bool
text_is_columns(struct span line, size_t tabs)
{
	size_t i, n = 0;

	for (i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
		n += c == '\t';
	}
	return n >= tabs;
}

static bool
is_tchar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool
text_is_token(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!is_tchar(s.p[i])) {
			return false;
		}
	}
	return s.len > 0;
}

int
text_hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

void
text_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
}

struct span
text_trim(struct span s)
{
	while (s.len > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t')) {
		s.len--;
	}
	return s;
}

void
text_escape(struct span s, char *out, size_t size)
{
	size_t i, at = 0;

	if (size == 0) {
		return;
	}
	for (i = 0; i < s.len && at + 5 <= size; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c > 0x7e || c == '\\') {
			(void)snprintf(out + at, 5, "\\x%02x", c);
			at += 4;
		} else {
			out[at++] = (char)c;
		}
	}
	out[at] = '\0';
}
