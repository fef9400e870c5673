/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the host and volumes that a role may mount; see constraint.h.
 *
 * A path is cleaned as Go's filepath.Clean does, which is what dockerd does
 * with it, and lies at or below an allowed one or is refused.  Only words are
 * compared: dockerd follows symbolic links when it mounts, so an allowed tree
 * must not be one that clients can write to through another way (docs say so).
 * Read-only is what the request says and what an inspected container has.
 *
 * Rejected: resolving links here; the gate may see another file system, and
 * what a link is now it need not be when dockerd mounts.
 *
 * Attackers write "/srv/cache/../../etc", "//", "/srv/cachex"; "rw" behind
 * "ro"; propagation that reaches back to the host; "Z", which relabels files
 * of the host; a read-only bind whose submounts are not.
 */
#include <stdio.h>

#include "constraint.h"
#include "judge.h"

static struct span
text_of(const struct json_node *v)
{
	return v != NULL && json_type(v) == JSON_STRING ? json_string(v)
							: span_make(NULL, 0);
}

static bool
is_true(const struct json_node *v)
{
	return v != NULL && json_type(v) == JSON_BOOL && json_bool(v);
}

static struct shown
show_paths(const struct host_paths *p)
{
	struct shown out = { "no path" };
	size_t i, n = 0;

	for (i = 0; i < p->n; i++) {
		if (n + p->item[i].text.len + 16 > sizeof(out.s)) {
			snprintf(out.s + n, sizeof(out.s) - n, "%s...",
			    n > 0 ? ", " : "");
			break;
		}
		n += (size_t)snprintf(out.s + n, sizeof(out.s) - n,
		    "%s%.*s (%s)", n > 0 ? ", " : "", SPAN_ARG(p->item[i].text),
		    p->item[i].rw ? "rw" : "ro");
	}
	return out;
}

static bool
is_below(struct span path, struct span dir)
{
	return path.len >= dir.len &&
	       (dir.len == 0 || memcmp(path.p, dir.p, dir.len) == 0) &&
	       (path.len == dir.len || path.p[dir.len] == '/');
}

/* Is some allowed path above this one, and writable where that is asked? */
static bool
is_allowed(const struct host_paths *p, struct span source, bool rw)
{
	char clean[4096];
	size_t i, n;

	if (source.len == 0 || source.p[0] != '/' ||
	    !judge_clean_path(source, clean, sizeof(clean), &n)) {
		return false;
	}
	for (i = 0; i < p->n; i++) {
		if ((p->item[i].rw || !rw) &&
		    is_below(span_make(clean, n), p->item[i].clean)) {
			return true;
		}
	}
	return false;
}

static void
check_source(struct walk *w, struct span source, bool rw)
{
	const struct host_paths *p = &w->limits->host_paths;

	if (!is_allowed(p, source, rw)) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s%s (allowed: %s%s)", quote(source).s,
		    rw ? " for writing" : "", show_paths(p).s,
		    judge_path_hint(source));
	}
}

/* The options of a bind; what it takes for read-only goes to *ro. */
static bool
read_mode(struct span s, bool *ro)
{
	static const char *const words[] = { "rw", "ro", "z", "Z", "cached",
		"delegated", "consistent", "default", "rprivate" };
	bool writes = false;

	*ro = false;
	while (s.len > 0) {
		const char *comma = memchr(s.p, ',', s.len);
		struct span word = s;
		size_t i;

		word.len = comma == NULL ? s.len : (size_t)(comma - s.p);
		for (i = 0; i < NELEM(words) && !span_is(word, words[i]);) {
			i++;
		}
		if (i == NELEM(words)) {
			return false;
		}
		*ro = *ro || i == 1;
		writes = writes || i == 0 || i == 2 || i == 3;
		s.p += word.len + (comma != NULL);
		s.len -= word.len + (comma != NULL);
	}
	*ro = *ro && !writes;
	return true;
}

bool
constraint_has_paths(const struct walk *w)
{
	return w->limits != NULL && w->limits->host_paths.set;
}

void
constraint_bind(
    struct walk *w, struct span source, struct span target, struct span mode)
{
	bool ro = false;

	if (target.len == 0 || target.p[0] != '/' || !read_mode(mode, &ro)) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the options %s of a bind (use ro, rw, rprivate)",
		    quote(mode).s);
		return;
	}
	check_source(w, source, !ro);
}

static bool
is_private(struct span propagation)
{
	return propagation.len == 0 || span_is(propagation, "rprivate");
}

void
constraint_bind_mount(struct walk *w, const struct json_node *mount)
{
	const struct json_node *o = fields_get(mount, "BindOptions");
	bool ro = is_true(fields_get(mount, "ReadOnly")) &&
		  !is_true(fields_get(o, "CreateMountpoint")) &&
		  !is_true(fields_get(o, "ReadOnlyNonRecursive"));

	if (!is_private(text_of(fields_get(o, "Propagation")))) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the propagation %s of a bind (use rprivate)",
		    quote(text_of(fields_get(o, "Propagation"))).s);
	}
	check_source(w, text_of(fields_get(mount, "Source")), !ro);
}

/* types.MountPoint of an inspected container. */
void
constraint_bind_point(struct walk *w, const struct json_node *point)
{
	const struct json_node *rw = fields_get(point, "RW");
	bool ro = rw != NULL && json_type(rw) == JSON_BOOL && !json_bool(rw);

	if (!is_private(text_of(fields_get(point, "Propagation")))) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the propagation %s of a bind",
		    quote(text_of(fields_get(point, "Propagation"))).s);
	}
	check_source(w, text_of(fields_get(point, "Source")), !ro);
}

/* --- volumes -------------------------------------------------------------- */

bool
constraint_volume_driver(const struct constraints *c, struct span driver)
{
	return driver.len == 0 || span_is(driver, "local") ||
	       (c != NULL && words_match(&c->volumes.drivers, driver));
}

bool
constraint_volume_name(const struct constraints *c, struct span name)
{
	return c == NULL || !c->volumes.names.set ||
	       words_match(&c->volumes.names, name);
}

void
constraint_volume(struct walk *w, struct span name)
{
	if (!constraint_volume_name(w->limits, name)) {
		walk_refuse_all(w, RULE_VOLUMES, "the volume %s (allowed: %s)",
		    quote(name).s, words_show(&w->limits->volumes.names).s);
	}
}

/* Without a name dockerd makes one up. */
void
constraint_create_volume(struct walk *w, const struct json_node *root)
{
	struct frame here = { .name = "Name" };
	struct span name = text_of(fields_get(root, "Name"));

	if (name.len > 0) {
		w->at = &here;
		constraint_volume(w, name);
		w->at = NULL;
	}
}
