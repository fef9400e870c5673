/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error codes, their stable tags and their sentences.
 *
 * One list (err.def) feeds the enum and both tables, so that a code without
 * a tag or a sentence cannot exist.  Tags go to the audit log and to tests;
 * sentences go to humans.  Nothing a peer sent is ever in either: what is
 * special to one case is put in a struct diag by whoever found it.
 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *tag;
	const char *text;
} err_table[ERR_N] = {
#define X(code, tag, text) [code] = { tag, text },
#include "err.def"
#undef X
};

const char *
err_tag(enum err e)
{
	if ((unsigned)e >= ERR_N) {
		return "unknown";
	}
	return err_table[e].tag;
}

const char *
err_text(enum err e)
{
	if ((unsigned)e >= ERR_N) {
		return "unknown error";
	}
	return err_table[e].text;
}

void
diag_set(struct diag *d, unsigned line, unsigned col, const char *fmt, ...)
{
	va_list ap;

	if (d == NULL) {
		return;
	}
	d->line = line;
	d->col = col;
	va_start(ap, fmt);
	(void)vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
}
