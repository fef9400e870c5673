/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things are mounted inside a container, and how; see judge.h.
 *
 * A mount's target looks harmless: it is the container's own file system.
 * But dockerd passes the options of a tmpfs on as mount flags, and "remount"
 * on "/sys/." made the kernel's own sysfs writable, with the host's settings
 * in it.  So options are a list of those that only shape a tmpfs, and nothing
 * is mounted at or below /proc, /sys and the devices, whatever the spelling.
 *
 * Paths are cleaned as Go's filepath.Clean does before they are compared; a
 * symbolic link of the image that leads there is resolved by runc inside the
 * container, where only the options could do harm.
 *
 * Attackers write "/sys/.", "//sys", "/x/../sys", "remount", "rbind",
 * "shared", and options inside of values ("size=1,remount").
 */
#include "judge.h"

/* Removes the last segment of the path out[0..*n). */
static void
drop_segment(const char *out, size_t *n)
{
	while (*n > 0 && out[*n - 1] != '/') {
		(*n)--;
	}
	if (*n > 0) {
		(*n)--;
	}
}

/* see judge.h */
bool
judge_clean_path(struct span s, char *out, size_t size, size_t *len)
{
	size_t n = 0, from, i = 0;

	while (i < s.len) {
		while (i < s.len && s.p[i] == '/') {
			i++;
		}
		from = i;
		while (i < s.len && s.p[i] != '/') {
			i++;
		}
		if (i == from || (i - from == 1 && s.p[from] == '.')) {
			continue;
		}
		if (i - from == 2 && memcmp(s.p + from, "..", 2) == 0) {
			drop_segment(out, &n);
			continue;
		}
		if (n + 1 + (i - from) > size) {
			return false;
		}
		out[n++] = '/';
		memcpy(out + n, s.p + from, i - from);
		n += i - from;
	}
	*len = n;
	return true;
}

static bool
is_at_or_below(struct span path, const char *dir)
{
	size_t n = strlen(dir);

	return span_starts(path, dir) && (path.len == n || path.p[n] == '/');
}

bool
judge_is_kernel_path(struct span s)
{
	char out[4096];
	struct span path;
	size_t n;

	if (s.len == 0 || s.p[0] != '/' ||
	    !judge_clean_path(s, out, sizeof(out), &n)) {
		return true; /* no path that anyone means */
	}
	path = span_make(out, n);
	return n == 0 || is_at_or_below(path, "/proc") ||
	       is_at_or_below(path, "/sys") ||
	       (is_at_or_below(path, "/dev") &&
		   !is_at_or_below(path, "/dev/shm") &&
		   !is_at_or_below(path, "/dev/mqueue") &&
		   !is_at_or_below(path, "/dev/hugepages"));
}

void
judge_target(struct walk *w, struct span target)
{
	if (judge_is_kernel_path(target)) {
		walk_refuse(
		    w, RULE_MOUNT_TARGET, "a mount at %s", quote(target).s);
	}
}

/* What shapes a tmpfs and nothing else (moby daemon/pkg/oci mount flags). */
static bool
is_tmpfs_option(struct span o)
{
	static const char *const words[] = { "rw", "ro", "exec", "noexec",
		"suid", "nosuid", "dev", "nodev", "sync", "async", "dirsync",
		"atime", "noatime", "diratime", "nodiratime", "relatime",
		"norelatime", "strictatime", "nostrictatime" };
	static const char *const values[] = {
		"size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks="
	};
	size_t i, j;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_is(o, words[i])) {
			return true;
		}
	}
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!span_starts(o, values[i])) {
			continue;
		}
		for (j = strlen(values[i]); j < o.len; j++) {
			if (!(o.p[j] >= '0' && o.p[j] <= '9') &&
			    strchr("kKmMgG%", o.p[j]) == NULL) {
				return false;
			}
		}
		return o.len > strlen(values[i]);
	}
	return false;
}

static void
judge_option(struct walk *w, struct span o)
{
	if (!is_tmpfs_option(o)) {
		walk_refuse(w, RULE_MOUNT_TARGET, "%s as an option of a tmpfs",
		    quote(o).s);
	}
}

static void
judge_options(struct walk *w, struct span list)
{
	const char *comma;
	struct span o;

	while (list.len > 0) {
		comma = memchr(list.p, ',', list.len);
		o = span_make(list.p,
		    comma == NULL ? list.len : (size_t)(comma - list.p));
		judge_option(w, o);
		list.p += o.len + (comma != NULL);
		list.len -= o.len + (comma != NULL);
	}
}

/* HostConfig.Tmpfs: targets, and options in one text each. */
void
judge_tmpfs(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	(void)f;
	if (json_type(v) != JSON_OBJECT) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		here.key = json_key(e);
		judge_target(w, here.key);
		if (json_type(e) == JSON_STRING) {
			judge_options(w, json_string(e));
		}
	}
	w->at = here.up;
}

/* TmpfsOptions.Options: [["size", "64m"], ["noexec"]]. */
void
judge_tmpfs_options(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	const struct json_node *e, *word;

	(void)f;
	if (json_type(v) != JSON_ARRAY) {
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		word = json_type(e) == JSON_ARRAY ? json_first(e) : NULL;
		if (word == NULL || json_type(word) != JSON_STRING) {
			continue;
		}
		if (json_next(word) == NULL) {
			judge_option(w, json_string(word));
		} else {
			walk_refuse(w, RULE_MOUNT_TARGET,
			    "options of a tmpfs that have a value (use "
			    "SizeBytes and Mode)");
		}
	}
}

/* Config.Volumes: a set of targets. */
void
judge_volume_targets(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	(void)f;
	if (json_type(v) != JSON_OBJECT) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		here.key = json_key(e);
		judge_target(w, here.key);
	}
	w->at = here.up;
}
