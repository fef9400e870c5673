/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "span.h"

/* Every way to fail; the list, its tags and sentences are in err.def. */
enum err {
#define X(code, tag, text) code,
#include "err.def"
#undef X
	ERR_N
};

/* The stable tag, such as "json.dupkey"; never NULL. */
const char *err_tag(enum err e);

/* One sentence for a human, without a full stop; never NULL. */
const char *err_text(enum err e);

/*
 * Where and why a parser gave up.  line and col count from 1; 0 means that
 * they say nothing.  text is printable ASCII or valid UTF-8, ended by NUL.
 */
struct diag {
	unsigned line;
	unsigned col;
	char text[320];
};

/* Formats d->text; what does not fit is cut.  d may be NULL. */
void diag_set(struct diag *d, unsigned line, unsigned col, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
