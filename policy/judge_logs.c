/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the log driver; see judge.h.
 *
 * dockerd runs the option "tag" as a Go template, in its own process (moby
 * daemon/logger/loggerutils ParseLogTag): '{{pad "x" 70000000000000 0}}' ends
 * it for want of memory.  So a template there is one of those that name the
 * container or its image, and nothing else; plain text is free.
 */
#include "judge.h"

static const char *const options[] = { "max-size", "max-file", "compress",
	"labels", "labels-regex", "env", "env-regex", "tag", "mode",
	"max-buffer-size" };

static const char *const templates[] = { "{{.ID}}", "{{.FullID}}", "{{.Name}}",
	"{{.ImageName}}", "{{.ImageID}}", "{{.ImageFullID}}" };

static bool
is_option(struct span key)
{
	size_t i;

	for (i = 0; i < NELEM(options); i++) {
		if (span_is(key, options[i])) {
			return true;
		}
	}
	return false;
}

/* Text, and templates of the list. */
static bool
is_tag(struct span s)
{
	const char *open;
	size_t i, n;

	while ((open = memmem(s.p, s.len, "{{", 2)) != NULL) {
		s.len -= (size_t)(open - s.p);
		s.p = open;
		for (i = 0;
		     i < NELEM(templates) && !span_starts(s, templates[i]);) {
			i++;
		}
		if (i == NELEM(templates)) {
			return false;
		}
		n = strlen(templates[i]);
		s.p += n;
		s.len -= n;
	}
	return true;
}

void
judge_log_options(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		here.key = json_key(e);
		if (!is_option(here.key)) {
			walk_refuse(w, f->rule, "%s (%s)", rule_what(f->rule),
			    quote(here.key).s);
		} else if (span_is(here.key, "tag") &&
			   json_type(e) == JSON_STRING &&
			   !is_tag(json_string(e))) {
			walk_refuse(w, f->rule,
			    "a template that does more "
			    "than name the container (%s)",
			    quote(json_string(e)).s);
		}
	}
	w->at = here.up;
}
