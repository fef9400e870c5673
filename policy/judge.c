/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What single fields can do; see judge.h.
 *
 * Each judge says what is allowed and refuses the rest: a bind is a volume's
 * name or it is a path of the host, whatever it looks like.  Names that could
 * mean two things (a volume made with options, a network known by a prefix of
 * its id) are asked of dockerd (walk_need), because only it can tell.
 *
 * Attackers write binds of "/", "//", "/proc/self/root", "./x" and ".."; a
 * Mounts entry of type volume whose driver options are a bind; "host" as the
 * id of the network named host; "host-gateway" behind any name.
 */
#include "judge.h"

#include "constraint.h"

static bool
is_name_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9')) {
		return true;
	}
	return !first && (c == '_' || c == '.' || c == '-');
}

/* moby names.RestrictedNamePattern: [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
bool
judge_is_volume_name(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!is_name_byte(s.p[i], i == 0)) {
			return false;
		}
	}
	return s.len > 0;
}

/* "ro,nocopy": what a named volume may have (moby volume/mounts). */
static bool
is_bind_mode(struct span s)
{
	static const char *const modes[] = { "rw", "ro", "z", "Z", "copy",
		"nocopy", "cached", "delegated", "consistent", "default" };
	const char *comma;
	struct span m;
	size_t i;

	while (s.len > 0) {
		comma = memchr(s.p, ',', s.len);
		m = span_make(
		    s.p, comma == NULL ? s.len : (size_t)(comma - s.p));
		for (i = 0; i < NELEM(modes) && !span_is(m, modes[i]);) {
			i++;
		}
		if (i == NELEM(modes)) {
			return false;
		}
		s.p += m.len + (comma != NULL);
		s.len -= m.len + (comma != NULL);
	}
	return true;
}

/* see judge.h */
const char *
judge_path_hint(struct span source)
{
	static const char socket[] = "docker.sock";
	size_t n = sizeof(socket) - 1;

	if (source.len < n ||
	    memcmp(source.p + source.len - n, socket, n) != 0) {
		return "";
	}
	return "; testcontainers: set TESTCONTAINERS_RYUK_DISABLED=true";
}

static void
refuse_path(struct walk *w, struct span source, const char *how)
{
	walk_about(w, source, how);
	walk_refuse(w, RULE_HOST_PATHS,
	    "the host path %s (use a named volume%s)", quote(source).s,
	    judge_path_hint(source));
}

/* Cuts s at its first colon; what follows is left in s. */
static struct span
cut(struct span *s)
{
	const char *colon = memchr(s->p, ':', s->len);
	struct span head = *s;

	if (colon == NULL) {
		*s = span_make(s->p + s->len, 0);
		return head;
	}
	head.len = (size_t)(colon - s->p);
	s->p = colon + 1;
	s->len -= head.len + 1;
	return head;
}

/*
 * moby volume/mounts linuxParser.ParseMountRaw: "/target" alone is a new
 * volume; "source:/target" and "source:/target:mode" name the source.
 */
static void
judge_bind(struct walk *w, struct span bind)
{
	struct span rest = bind, source, target;

	if (bind.len > 0 && bind.p[0] == '/' &&
	    memchr(bind.p, ':', bind.len) == NULL) {
		judge_target(w, bind);
		return;
	}
	source = cut(&rest);
	target = cut(&rest);
	if (source.len > 0 && source.p[0] == '/' && constraint_has_paths(w)) {
		constraint_bind(w, source, target, rest);
		judge_target(w, target);
		return;
	}
	if (!judge_is_volume_name(source) || target.len == 0 ||
	    target.p[0] != '/' || !is_bind_mode(rest)) {
		refuse_path(w, source, constraint_bind_how(target, rest));
		judge_target(w, target);
		return;
	}
	judge_target(w, target);
	constraint_volume(w, source);
	walk_need(w, FACT_VOLUME, source);
}

static void
bind_element(struct walk *w, const struct json_node *e)
{
	judge_bind(w, json_string(e));
}

void
judge_binds(struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, bind_element);
}

/* With them a volume is whatever mount(8) can make of the host. */
void
judge_driver_options(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	if (json_type(v) == JSON_OBJECT && json_first(v) != NULL) {
		walk_refuse(w, RULE_HOST_PATHS,
		    "options for a volume driver (in memory: --tmpfs)");
	}
}

/* DriverConfig: local without options is what dockerd does anyway. */
static void
judge_driver_config(struct walk *w, const struct json_node *mount)
{
	const struct json_node *o = fields_get(mount, "VolumeOptions");
	const struct json_node *d = fields_get(o, "DriverConfig");
	const struct json_node *options = fields_get(d, "Options");
	struct span name = json_text(fields_get(d, "Name"));

	if (!constraint_volume_driver(w->limits, name)) {
		walk_about(w, name, NULL);
		walk_refuse(w, RULE_VOLUME_DRIVER, "the volume driver %s",
		    quote(name).s);
	}
	if (options != NULL) {
		judge_driver_options(w, NULL, options);
	}
}

static void
judge_mount(struct walk *w, const struct json_node *mount)
{
	struct span type = json_text(fields_get(mount, "Type"));
	struct span source = json_text(fields_get(mount, "Source"));
	const struct json_node *options = fields_get(mount, "BindOptions");

	if (span_is(type, "bind") && constraint_has_paths(w)) {
		constraint_bind_mount(w, mount);
		judge_driver_config(w, mount);
		return;
	}
	if (constraint_has_paths(w) && options != NULL &&
	    !fields_zero(options)) {
		walk_refuse(w, RULE_HOST_PATHS, "options of a bind");
	}
	if (span_is(type, "tmpfs") || span_is(type, "image")) {
		judge_driver_config(w, mount);
		return;
	}
	if (span_is(type, "bind")) {
		refuse_path(w, source, constraint_mount_how(mount));
		return;
	}
	if (!span_is(type, "volume")) {
		walk_refuse(w, RULE_HOST_PATHS,
		    "mounts of type %s (use a "
		    "named volume)",
		    quote(type).s);
		return;
	}
	judge_driver_config(w, mount);
	if (source.len == 0) {
		return;
	}
	if (!judge_is_volume_name(source)) {
		refuse_path(w, source, NULL);
		return;
	}
	constraint_volume(w, source);
	walk_need(w, FACT_VOLUME, source);
}

/* Where a role lists paths, judge_mount() looks at them. */
void
judge_bind_options(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (!constraint_has_paths(w) && !fields_zero(v)) {
		walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	}
}

static void
mount_element(struct walk *w, const struct json_node *e)
{
	judge_mount(w, e);
	judge_target(w, json_text(fields_get(e, "Target")));
}

void
judge_mounts(struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, mount_element);
}

/* --- networks ------------------------------------------------------------ */

bool
judge_is_foreign_network(struct span mode)
{
	/* Of "container:x", "ns:/path" and the like none is a network. */
	return span_is(mode, "host") ||
	       (mode.len > 0 && (memchr(mode.p, ':', mode.len) != NULL ||
				    memchr(mode.p, '/', mode.len) != NULL));
}

/* Its driver, and whose it is, only dockerd can tell. */
static void
need_network(struct walk *w, struct span name)
{
	if (name.len > 0 && !span_is(name, "default") &&
	    !span_is(name, "bridge") && !span_is(name, "none")) {
		walk_need(w, FACT_NETWORK, name);
	}
}

bool
judge_names_container(struct span mode, struct span *x)
{
	const size_t n = strlen("container:");

	if (!span_starts(mode, "container:") || mode.len == n) {
		return false;
	}
	*x = span_make(mode.p + n, mode.len - n);
	return true;
}

/* PidMode and IpcMode. */
void
judge_joined(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct span mode = json_text(v), x;
	const char *const *word;

	for (word = f->allow; *word != NULL; word++) {
		if (span_is(mode, *word)) {
			return;
		}
	}
	if (judge_names_container(mode, &x)) {
		walk_need(w, FACT_CONTAINER, x);
	} else {
		walk_refuse(
		    w, f->rule, "%s (%s)", rule_what(f->rule), quote(mode).s);
	}
}

/* A container whose network is joined; a role's list must have it too. */
static bool
judge_joined_network(struct walk *w, struct span mode)
{
	struct span x;

	if (!judge_names_container(mode, &x) ||
	    (w->limits != NULL && w->limits->networks.modes.set &&
		!constraint_network(w->limits, mode))) {
		return false;
	}
	walk_need(w, FACT_CONTAINER, x);
	return true;
}

/* Also of an endpoint's NetworkID, where no container can be. */
void
judge_network_mode(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	struct span mode = json_text(v);

	if (strcmp(f->name, "NetworkMode") == 0 &&
	    judge_joined_network(w, mode)) {
		return;
	}
	if (constraint_judge_network(w, mode)) {
		return;
	}
	if (judge_is_foreign_network(mode)) {
		walk_about(w, mode, NULL);
		walk_refuse(w, RULE_HOST_NAMESPACES,
		    "the network mode %s (use a network of your own)",
		    quote(mode).s);
		return;
	}
	need_network(w, mode);
}

void
judge_endpoints(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	const struct json_node *e;

	(void)f;
	if (json_type(v) != JSON_OBJECT) {
		return;
	}
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (constraint_judge_network(w, json_key(e))) {
			continue;
		}
		if (judge_is_foreign_network(json_key(e))) {
			walk_about(w, json_key(e), NULL);
			walk_refuse(w, RULE_HOST_NAMESPACES, "the network %s",
			    quote(json_key(e)).s);
		}
		need_network(w, json_key(e));
	}
}

/*
 * On the default bridge a link shows the variables of the other container.
 * On a network of its own dockerd does nothing with HostConfig.Links (moby
 * daemon/daemon_unix.go registerLinks); docker-compose 1 sends them there.
 */
void
judge_links(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame here = { .up = w->at, .name = "Links" };
	const struct json_node *links = fields_get(v, "Links");
	struct span mode = json_text(fields_get(v, "NetworkMode"));

	if (links == NULL || fields_zero(links) ||
	    (mode.len > 0 && !span_is(mode, "default") &&
		!span_is(mode, "bridge") && !span_is(mode, "none") &&
		!judge_is_foreign_network(mode))) {
		return;
	}
	w->at = &here;
	walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	w->at = here.up;
}

bool
judge_is_host_gateway(struct span s)
{
	return s.len > 0 && memmem(s.p, s.len, "host-gateway",
				strlen("host-gateway")) != NULL;
}

static void
extra_host_element(struct walk *w, const struct json_node *e)
{
	if (judge_is_host_gateway(json_string(e)) &&
	    (w->limits == NULL ||
		!words_match(&w->limits->extra_hosts, json_string(e)))) {
		walk_about(w, json_string(e), NULL);
		walk_refuse(
		    w, RULE_EXTRA_HOSTS, "%s", rule_what(RULE_EXTRA_HOSTS));
	}
}

void
judge_extra_hosts(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, extra_host_element);
}

/* --- single values ------------------------------------------------------- */

/* An empty list unmasks all; null keeps dockerd's own. */
void
judge_not_null(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) != JSON_NULL) {
		walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	}
}

/* PluginPrivileges: an entry of zero values is an entry. */
void
judge_not_empty(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_ARRAY && json_first(v) != NULL) {
		walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	}
}

void
judge_negative(struct walk *w, const struct field *f, const struct json_node *v)
{
	int64_t i;

	if (json_type(v) == JSON_NUMBER && json_int(v, &i) == ERR_OK && i < 0) {
		walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	}
}

/* --- inspected containers ------------------------------------------------ */

/*
 * "host" and "container:x"; what dockerd fills in is neither.  The container
 * is looked at in turn, and that which it has joined itself.
 */
void
judge_foreign_namespace(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	struct span mode = json_text(v), x;

	if (strcmp(f->name, "NetworkMode") == 0 && w->limits != NULL &&
	    w->limits->networks.modes.set) {
		/* Of an existing container, namespaces alone matter. */
		if (judge_is_foreign_network(mode) &&
		    !judge_joined_network(w, mode)) {
			(void)constraint_judge_network(w, mode);
		}
		return;
	}
	if (strcmp(f->name, "UTSMode") != 0 &&
	    strcmp(f->name, "UsernsMode") != 0 &&
	    judge_names_container(mode, &x)) {
		walk_need(w, FACT_CONTAINER, x);
		return;
	}
	if (span_is(mode, "host") || span_starts(mode, "container:")) {
		walk_about(w, mode, NULL);
		walk_refuse(
		    w, f->rule, "%s (%s)", rule_what(f->rule), quote(mode).s);
	}
}

/* dockerd writes its own list of paths out; [] is what a client sent. */
void
judge_empty_list(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_ARRAY && json_first(v) == NULL) {
		walk_refuse(w, f->rule, "%s", rule_what(f->rule));
	}
}

static void
judge_mount_point(struct walk *w, const struct json_node *m)
{
	struct span type = json_text(fields_get(m, "Type"));
	struct span name = json_text(fields_get(m, "Name"));
	struct span driver = json_text(fields_get(m, "Driver"));

	if (span_is(type, "tmpfs") || span_is(type, "image")) {
		return;
	}
	if (span_is(type, "bind") && constraint_has_paths(w)) {
		constraint_bind_point(w, m);
		return;
	}
	if (!span_is(type, "volume") || !judge_is_volume_name(name)) {
		walk_about(w, json_text(fields_get(m, "Source")),
		    constraint_point_how(m));
		walk_refuse(
		    w, RULE_HOST_PATHS, "mounts of type %s", quote(type).s);
		return;
	}
	if (!constraint_volume_driver(w->limits, driver)) {
		walk_about(w, driver, NULL);
		walk_refuse(w, RULE_VOLUME_DRIVER, "the volume driver %s",
		    quote(driver).s);
	}
	walk_need(w, FACT_VOLUME, name);
}

/* types.MountPoint: what is mounted in the end, whoever asked for it. */
void
judge_mount_points(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	walk_each(w, v, judge_mount_point);
}
