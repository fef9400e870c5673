/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a walk found out, and where; see fields.h.
 *
 * The place is a chain of frames on the stack, one per object or element, and
 * becomes text only when something is refused or asked about: a walk over an
 * honest body writes no path at all.  The first finding ends the walk; all
 * others are silent, so judges need not look whether somebody was faster.
 * Where somebody wants to be told all of them (observe.c) the walk goes on,
 * and its result is a refusal all the same.
 *
 * Rejected: a path that is built up and cut back on the way, which every
 * early exit would have to put right.
 *
 * Attackers name members and keys so long or so odd that a message grows:
 * names are quoted and cut (quote()), the path and the words are cut here.
 */
#include <stdarg.h>
#include <stdio.h>

#include "fields.h"

void
walk_path(const struct frame *at, char *out, size_t size)
{
	size_t n;

	out[0] = '\0';
	if (at == NULL) {
		return;
	}
	walk_path(at->up, out, size);
	n = strlen(out);
	if (at->name != NULL) {
		snprintf(out + n, size - n, "%s%s", n > 0 ? "." : "", at->name);
	} else if (at->key.p != NULL) {
		snprintf(out + n, size - n, "[%s]", quote(at->key).s);
	} else {
		snprintf(out + n, size - n, "[%zu]", at->index);
	}
}

static void __attribute__((format(printf, 3, 0)))
refuse(struct walk *w, enum rule r, const char *fmt, va_list ap)
{
	if (w->err != ERR_OK) {
		return;
	}
	w->found.rule = r;
	walk_path(w->at, w->found.path, sizeof(w->found.path));
	vsnprintf(w->found.what, sizeof(w->found.what), fmt, ap);
	w->found.value = w->about;
	w->found.how = w->how;
	if (w->refused != NULL) {
		w->refused(w->refused_arg, &w->found);
	} else {
		w->err = ERR_POLICY;
	}
}

void
walk_about(struct walk *w, struct span value, const char *how)
{
	w->about = value;
	w->how = how;
}

void
walk_use(struct walk *w, enum rule r, struct span value, const char *how)
{
	struct finding f = { .rule = r, .value = value, .how = how };

	if (w->err == ERR_OK && w->uses && w->refused != NULL) {
		walk_path(w->at, f.path, sizeof(f.path));
		w->refused(w->refused_arg, &f);
	}
}

/* Nothing takes a finding back: what was found once is the result. */
enum err
walk_result(const struct walk *w)
{
	return w->err == ERR_OK && w->found.rule != RULE_NONE ? ERR_POLICY
							      : w->err;
}

void
walk_refuse_all(struct walk *w, enum rule r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(w, r, fmt, ap);
	va_end(ap);
	walk_about(w, span_make(NULL, 0), NULL);
}

void
walk_refuse(struct walk *w, enum rule r, const char *fmt, ...)
{
	va_list ap;

	if (!(w->may & RULE_BIT(r))) {
		va_start(ap, fmt);
		refuse(w, r, fmt, ap);
		va_end(ap);
	}
	walk_about(w, span_make(NULL, 0), NULL);
}

void
walk_need(struct walk *w, enum fact_kind kind, struct span name)
{
	char path[128];

	if (w->err != ERR_OK || w->need == NULL) {
		return;
	}
	walk_path(w->at, path, sizeof(path));
	w->err = w->need(w->arg, kind, name, path);
}

/* see fields.h */
void
walk_each(struct walk *w, const struct json_node *v,
    void (*judge)(struct walk *w, const struct json_node *e))
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		judge(w, e);
		here.index++;
	}
	w->at = here.up;
}
