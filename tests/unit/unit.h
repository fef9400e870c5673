/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* cmocka with what it needs, and messages that name the case of a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* A literal with all its bytes, NULs too. */
#define LIT(s)                                                                 \
	{                                                                      \
		(s), sizeof(s) - 1                                             \
	}

/* Fails with the name of the case unless got is want. */
static inline void
expect_err(const char *what, enum err got, enum err want)
{
	if (got != want) {
		fail_msg(
		    "%s: got %s, want %s", what, err_tag(got), err_tag(want));
	}
}

static inline void
expect_span(const char *what, struct span got, const char *want)
{
	if (!span_is(got, want)) {
		fail_msg(
		    "%s: got \"%.*s\", want \"%s\"", what, SPAN_ARG(got), want);
	}
}

static inline void
expect_u64(const char *what, uint64_t got, uint64_t want)
{
	if (got != want) {
		fail_msg("%s: got %llu, want %llu", what,
		    (unsigned long long)got, (unsigned long long)want);
	}
}

/* The same numbers in every run (xorshift; Marsaglia 2003). */
static inline uint32_t
unit_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
