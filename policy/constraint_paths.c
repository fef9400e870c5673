/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the host and volumes that a role may mount; see constraint.h.
 *
 * A path is cleaned as Go's filepath.Clean does, which is what dockerd does
 * with it, and lies at or below an allowed one or is refused.  dockerd follows
 * symbolic links when it mounts, so links are followed here too, by the
 * function that the gate brings (policy_follow_links()).  That is an answer of
 * now; in a tree that containers write to, a link can be made in the moment
 * after.  So no path is taken that lies below one that any role may write to,
 * unless the policy's owner trusts it: what is listed itself has no name in it
 * that a container could change.
 *
 * Read-only is what the request says and what an inspected container has.  As
 * dockerd makes the folder of a bind where there is none, what is bound
 * read-only must be there: else any name could be made in a tree to be read,
 * "nologin" in /etc.
 *
 * Rejected: passing the followed path on to dockerd, which the same container
 * can change under its feet.
 *
 * Attackers write "/srv/cache/../../etc", "//", "/srv/cachex"; "rw" behind
 * "ro"; propagation that reaches back to the host; "Z", which relabels files
 * of the host; a read-only bind whose submounts are not.
 */
#include <stdio.h>

#include "constraint.h"
#include "judge.h"

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
is_allowed(const struct host_paths *p, struct span clean, bool rw)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if ((p->item[i].rw || !rw) &&
		    is_below(clean, p->item[i].clean)) {
			return true;
		}
	}
	return false;
}

/* The same of a path without links: an entry may be a link itself. */
static bool
is_allowed_real(const struct host_paths *p, struct span real, bool rw)
{
	char entry[4096];
	size_t i;

	for (i = 0; i < p->n; i++) {
		const char *path =
		    p->item[i].clean.len == 0 ? "/" : p->item[i].clean.p;
		enum err rc = p->world->resolve(path, entry, sizeof(entry));

		if ((p->item[i].rw || !rw) &&
		    (rc == ERR_OK || rc == ERR_NOTFOUND) &&
		    is_below(real, span_is(span_of(entry), "/")
				       ? span_of("")
				       : span_of(entry))) {
			return true;
		}
	}
	return false;
}

/* The path above this one in which containers could make links, or NULL. */
static const struct host_path *
writable_above(const struct path_world *world, struct span clean)
{
	size_t i;

	for (i = 0; i < world->n; i++) {
		const struct host_path *p = world->writable[i];

		if (clean.len > p->clean.len && is_below(clean, p->clean)) {
			return p;
		}
	}
	return NULL;
}

/* Where do its links lead?  Refuses what leaves the list. */
static void
check_links(struct walk *w, struct span source, const char *clean, bool rw)
{
	const struct host_paths *p = &w->limits->host_paths;
	char real[4096];
	enum err rc;

	if (p->world == NULL || p->world->resolve == NULL) {
		return;
	}
	rc = p->world->resolve(
	    clean[0] == '\0' ? "/" : clean, real, sizeof(real));
	if (rc == ERR_NOTFOUND && !rw) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s for reading, which is not there (dockerd "
		    "would make it)",
		    quote(source).s);
	} else if (rc != ERR_OK && rc != ERR_NOTFOUND) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s, whose links it cannot follow",
		    quote(source).s);
	} else if (strcmp(real, clean) != 0 &&
		   (!is_allowed_real(p, span_of(real), rw) ||
		       writable_above(p->world, span_of(real)) != NULL)) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s, whose links lead elsewhere (allowed: "
		    "%s)",
		    quote(source).s, show_paths(p).s);
	}
}

static void
check_source(struct walk *w, struct span source, bool rw)
{
	const struct host_paths *p = &w->limits->host_paths;
	const struct host_path *above;
	char clean[4096] = "";
	size_t n = 0;

	if (source.len == 0 || source.p[0] != '/' ||
	    !judge_clean_path(source, clean, sizeof(clean) - 1, &n) ||
	    !is_allowed(p, span_make(clean, n), rw)) {
		walk_about(w, source, rw ? "rw" : "ro");
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s%s (allowed: %s%s)", quote(source).s,
		    rw ? " for writing" : "", show_paths(p).s,
		    judge_path_hint(source));
		return;
	}
	clean[n] = '\0';
	above = p->world == NULL
		    ? NULL
		    : writable_above(p->world, span_make(clean, n));
	if (above != NULL) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the host path %s below %s, where containers can make "
		    "links (bind %s itself, or the policy's owner trusts "
		    "them)",
		    quote(source).s, quote(above->text).s,
		    quote(above->text).s);
		return;
	}
	check_links(w, source, clean, rw);
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

static bool
mount_is_ro(const struct json_node *mount)
{
	const struct json_node *o = fields_get(mount, "BindOptions");

	return is_true(fields_get(mount, "ReadOnly")) &&
	       !is_true(fields_get(o, "CreateMountpoint")) &&
	       !is_true(fields_get(o, "ReadOnlyNonRecursive"));
}

static bool
point_is_ro(const struct json_node *point)
{
	const struct json_node *rw = fields_get(point, "RW");

	return rw != NULL && json_type(rw) == JSON_BOOL && !json_bool(rw);
}

/* --- for the report of observed requests ---------------------------------- */

const char *
constraint_bind_how(struct span target, struct span mode)
{
	bool ro = false;

	if (target.len == 0 || target.p[0] != '/' || !read_mode(mode, &ro)) {
		return NULL;
	}
	return ro ? "ro" : "rw";
}

const char *
constraint_mount_how(const struct json_node *mount)
{
	const struct json_node *o = fields_get(mount, "BindOptions");

	if (!is_private(json_text(fields_get(o, "Propagation")))) {
		return NULL;
	}
	return mount_is_ro(mount) ? "ro" : "rw";
}

const char *
constraint_point_how(const struct json_node *point)
{
	if (!span_is(json_text(fields_get(point, "Type")), "bind") ||
	    !is_private(json_text(fields_get(point, "Propagation")))) {
		return NULL;
	}
	return point_is_ro(point) ? "ro" : "rw";
}

/* --- mounts --------------------------------------------------------------- */

void
constraint_bind_mount(struct walk *w, const struct json_node *mount)
{
	const struct json_node *o = fields_get(mount, "BindOptions");
	bool ro = mount_is_ro(mount);

	if (!is_private(json_text(fields_get(o, "Propagation")))) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the propagation %s of a bind (use rprivate)",
		    quote(json_text(fields_get(o, "Propagation"))).s);
	}
	check_source(w, json_text(fields_get(mount, "Source")), !ro);
}

/* types.MountPoint of an inspected container. */
void
constraint_bind_point(struct walk *w, const struct json_node *point)
{
	bool ro = point_is_ro(point);

	if (!is_private(json_text(fields_get(point, "Propagation")))) {
		walk_refuse_all(w, RULE_HOST_PATHS,
		    "the propagation %s of a bind",
		    quote(json_text(fields_get(point, "Propagation"))).s);
	}
	check_source(w, json_text(fields_get(point, "Source")), !ro);
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
		walk_about(w, name, NULL);
		walk_refuse_all(w, RULE_VOLUMES, "the volume %s (allowed: %s)",
		    quote(name).s, words_show(&w->limits->volumes.names).s);
	}
}

/* Without a name dockerd makes one up. */
void
constraint_create_volume(struct walk *w, const struct json_node *root)
{
	struct frame here = { .name = "Name" };
	struct span name = json_text(fields_get(root, "Name"));

	if (name.len > 0) {
		w->at = &here;
		constraint_volume(w, name);
		w->at = NULL;
	}
}
