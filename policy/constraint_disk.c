/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the host's disk, and of its memory by way of a tmpfs, a
 * container may fill; see constraint.h.
 *
 * dockerd bounds a container's own files by StorageOpt "size", where its
 * storage driver can (overlay2 on xfs with pquota), and refuses it elsewhere.
 * A tmpfs is bounded by "size=" among its options, or by SizeBytes; without
 * either the kernel gives it half of the machine's memory, and 0 is no bound.
 *
 * Rejected: writing a size into a request that has none, because the user
 * would see a full disk that nobody named.
 *
 * Attackers write the size twice, in percent, in blocks ("nr_blocks="), with
 * a unit that only one reader knows, or in the other of two places.
 */
#include <stdio.h>

#include "base/text.h"
#include "constraint.h"

bool
constraint_parse_bytes(struct span s, int64_t *out)
{
	static const char units[] = "bkmgt";
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t n;

	if (s.len > 1 && s.p[s.len - 1] > '9') {
		unit = strchr(units, s.p[s.len - 1] | 0x20);
		if (unit == NULL) {
			return false;
		}
		shift = 10 * (unsigned)(unit - units);
		s.len--;
	}
	if (text_parse_u64(s, INT64_MAX >> shift, &n) != ERR_OK) {
		return false;
	}
	*out = (int64_t)(n << shift);
	return true;
}

static void
refuse_amount(
    struct walk *w, const struct limit *l, const char *noun, struct span size)
{
	int64_t n = 0;

	if (size.len > 0 && !constraint_parse_bytes(size, &n)) {
		walk_refuse_all(w, RULE_RESOURCES,
		    "the size %s of %s, which it cannot read (write 64m or "
		    "2g)",
		    quote(size).s, noun);
	} else if (l->has_max && size.len > 0 && (n == 0 || n > l->max)) {
		walk_refuse_all(w, RULE_RESOURCES, "%s%s (at most %.*s)",
		    n == 0 ? "unlimited " : "more ", noun, SPAN_ARG(l->text));
	} else if (l->required && n == 0) {
		walk_refuse_all(w, RULE_RESOURCES,
		    "what has no limit of %s (set its size%s%.*s)", noun,
		    l->has_max ? ", at most " : "", SPAN_ARG(l->text));
	}
}

/* --- tmpfs ---------------------------------------------------------------- */

/* "size=64m,mode=700": the kernel takes the last of several. */
static void
check_options(struct walk *w, const struct limit *l, struct span list)
{
	struct span size = { NULL, 0 };
	const char *comma;
	struct span o;

	while (list.len > 0) {
		comma = memchr(list.p, ',', list.len);
		o = span_make(list.p,
		    comma == NULL ? list.len : (size_t)(comma - list.p));
		list.p += o.len + (comma != NULL);
		list.len -= o.len + (comma != NULL);
		if (span_starts(o, "nr_blocks")) {
			walk_refuse_all(w, RULE_RESOURCES,
			    "the size of a tmpfs in blocks (set size=)");
		} else if (span_starts(o, "size=")) {
			size = span_make(o.p + 5, o.len - 5);
			size = size.len == 0 ? span_of("?") : size;
			refuse_amount(w, l, "tmpfs", size);
		}
	}
	if (size.len == 0) {
		refuse_amount(w, l, "tmpfs", size);
	}
}

static void
check_tmpfs(struct walk *w, const struct json_node *map)
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (map == NULL || json_type(map) != JSON_OBJECT) {
		return;
	}
	w->at = &here;
	for (e = json_first(map); e != NULL; e = json_next(e)) {
		here.key = json_key(e);
		check_options(w, &w->limits->resources.tmpfs,
		    json_type(e) == JSON_STRING ? json_string(e)
						: span_make(NULL, 0));
	}
	w->at = here.up;
}

static void
check_mount(struct walk *w, const struct json_node *m)
{
	const struct limit *l = &w->limits->resources.tmpfs;
	const struct json_node *type = fields_get(m, "Type");
	const struct json_node *o = fields_get(m, "TmpfsOptions");
	const struct json_node *size = fields_get(o, "SizeBytes");
	const struct json_node *words = fields_get(o, "Options");
	const struct json_node *e;

	if (type == NULL || json_type(type) != JSON_STRING ||
	    !span_is(json_string(type), "tmpfs")) {
		return;
	}
	refuse_amount(w, l, "tmpfs",
	    size == NULL || json_type(size) != JSON_NUMBER ? span_make(NULL, 0)
							   : json_number(size));
	if (words == NULL || json_type(words) != JSON_ARRAY) {
		return;
	}
	for (e = json_first(words); e != NULL; e = json_next(e)) {
		if (json_type(e) == JSON_ARRAY && json_count(e) > 1) {
			walk_refuse_all(w, RULE_RESOURCES,
			    "options of a tmpfs that have a value (set "
			    "SizeBytes)");
		}
	}
}

static void
check_mounts(struct walk *w, const struct json_node *mounts)
{
	struct frame here = { .up = w->at };
	const struct json_node *m;

	if (mounts == NULL || json_type(mounts) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (m = json_first(mounts); m != NULL; m = json_next(m)) {
		check_mount(w, m);
		here.index++;
	}
	w->at = here.up;
}

/* --- the container's own files -------------------------------------------- */

/* moby takes the key in any case (overlay2 parseStorageOpt). */
static void
check_storage(struct walk *w, const struct json_node *map)
{
	const struct limit *l = &w->limits->resources.storage;
	const struct json_node *e;
	struct span size = { NULL, 0 };

	e = map == NULL || json_type(map) != JSON_OBJECT ? NULL
							 : json_first(map);
	for (; e != NULL; e = json_next(e)) {
		if (span_is_nocase(json_key(e), "size") &&
		    json_type(e) == JSON_STRING) {
			size = json_string(e);
			size = size.len == 0 ? span_of("?") : size;
			refuse_amount(w, l, "storage", size);
		}
	}
	if (size.len == 0 && l->required) {
		walk_refuse_all(w, RULE_RESOURCES,
		    "what has no limit of storage (set --storage-opt "
		    "size=...%s%.*s)",
		    l->has_max ? ", at most " : "", SPAN_ARG(l->text));
	}
}

static void
at_member(struct walk *w, const struct json_node *hc, const char *name,
    void (*check)(struct walk *w, const struct json_node *v))
{
	struct frame up = { .name = "HostConfig" };
	struct frame here = { .up = &up, .name = name };

	w->at = &here;
	check(w, fields_get(hc, name));
	w->at = NULL;
}

void
constraint_create_disk(struct walk *w, const struct json_node *root)
{
	const struct json_node *hc = fields_get(root, "HostConfig");

	if (w->limits->resources.storage.set) {
		at_member(w, hc, "StorageOpt", check_storage);
	}
	if (w->limits->resources.tmpfs.set) {
		at_member(w, hc, "Tmpfs", check_tmpfs);
		at_member(w, hc, "Mounts", check_mounts);
	}
}

/* w->at: where the spec of the service's containers stands. */
void
constraint_service_disk(struct walk *w, const struct json_node *spec)
{
	struct frame here = { .up = w->at, .name = "Mounts" };

	if (w->limits->resources.storage.required) {
		walk_refuse_all(w, RULE_RESOURCES,
		    "services, whose own files cannot be limited");
	}
	if (w->limits->resources.tmpfs.set) {
		w->at = &here;
		check_mounts(w, fields_get(spec, "Mounts"));
		w->at = here.up;
	}
}
