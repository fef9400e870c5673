/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

/*
 * A span is a borrowed run of bytes: pointer and length, not ended by NUL.
 * It never owns what it points to.  {NULL, 0} is the empty span.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MUST_USE __attribute__((warn_unused_result))
#define BIT(n) (1u << (n))
#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

struct span {
	const char *p;
	size_t len;
};

/* For printf's "%.*s": only for bytes that were checked to be printable. */
#define SPAN_ARG(s) (int)(s).len, (s).p

static inline struct span
span_of(const char *cstr)
{
	return (struct span){ cstr, cstr == NULL ? 0 : strlen(cstr) };
}

static inline struct span
span_make(const void *p, size_t len)
{
	return (struct span){ p, len };
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool
span_is(struct span a, const char *cstr)
{
	return span_eq(a, span_of(cstr));
}

/* ASCII letters of either case are the same (RFC 9110 5.1, field names). */
static inline bool
span_is_nocase(struct span a, const char *cstr)
{
	return a.len == strlen(cstr) &&
	       (a.len == 0 || strncasecmp(a.p, cstr, a.len) == 0);
}

static inline bool
span_starts(struct span a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && memcmp(a.p, prefix, n) == 0;
}

static inline bool
span_starts_nocase(struct span a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && strncasecmp(a.p, prefix, n) == 0;
}

#endif
