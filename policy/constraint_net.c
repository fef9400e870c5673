/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks, published ports, devices and ulimits that a role may have; see
 * constraint.h.
 *
 * Each is a value with parts, where a list of texts does not tell: a port
 * binding is an address and a range, a device an entry of three fields, a
 * ulimit two numbers.  What is not on the list is refused, in any spelling:
 * ports are decimal digits, and an address is the text that the list has.
 *
 * Rejected: "" as every address.  It is every address of the host, so it needs
 * "0.0.0.0" on the list; and an empty port lets dockerd choose one, which may
 * lie outside the range that the owner meant.
 *
 * Attackers publish on "", "::" or a range that ends outside; give a directory
 * of devices; join networks by an id, a prefix of one, or "container:x".
 */
#include <stdio.h>

#include "base/text.h"
#include "constraint.h"
#include "judge.h"
#include "role.h"

/* --- ports ---------------------------------------------------------------- */

bool
constraint_parse_ports(struct span s, uint32_t *first, uint32_t *last)
{
	const char *dash = s.len == 0 ? NULL : memchr(s.p, '-', s.len);
	size_t n = dash == NULL ? s.len : (size_t)(dash - s.p);
	uint64_t a, b;

	if (text_parse_u64(span_make(s.p, n), UINT16_MAX, &a) != ERR_OK ||
	    a == 0) {
		return false;
	}
	b = a;
	if (dash != NULL && text_parse_u64(span_make(dash + 1, s.len - n - 1),
				UINT16_MAX, &b) != ERR_OK) {
		return false;
	}
	*first = (uint32_t)a;
	*last = (uint32_t)b;
	return a <= b;
}

static void
check_address(struct walk *w, struct span ip)
{
	const struct words *list = &w->limits->ports.addresses;

	if (list->set && !words_have(list, ip) &&
	    !(ip.len == 0 && words_have(list, span_of("0.0.0.0")))) {
		walk_refuse_all(w, RULE_PUBLISHED_PORTS,
		    "a port published on %s%s (allowed: %s)",
		    ip.len == 0 ? "every address" : "the address ",
		    ip.len == 0 ? "" : quote(ip).s, words_show(list).s);
	}
}

static void
check_port(struct walk *w, struct span port)
{
	const struct constraint_ports *p = &w->limits->ports;
	uint32_t first, last;

	if (p->range.last != 0 &&
	    (!constraint_parse_ports(port, &first, &last) ||
		first < p->range.first || last > p->range.last)) {
		walk_refuse_all(w, RULE_PUBLISHED_PORTS,
		    "to publish on the port %s (allowed: %u-%u)", quote(port).s,
		    p->range.first, p->range.last);
	}
}

/* Each address and port, for a role that could be given these alone. */
static void
observe_ports(struct walk *w, const struct json_node *v)
{
	const struct json_node *port, *e;

	for (port = json_first(v); port != NULL; port = json_next(port)) {
		if (json_first(port) == NULL) {
			walk_use(w, RULE_PUBLISHED_PORTS, span_of(""), "port");
			walk_use(w, RULE_PUBLISHED_PORTS, span_of(""), "addr");
		}
		for (e = json_first(port); e != NULL; e = json_next(e)) {
			walk_use(w, RULE_PUBLISHED_PORTS,
			    json_text(fields_get(e, "HostPort")), "port");
			walk_use(w, RULE_PUBLISHED_PORTS,
			    json_text(fields_get(e, "HostIp")), "addr");
		}
	}
}

/* {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]} */
void
judge_port_bindings(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame key = { .up = w->at };
	struct frame here = { .up = &key };
	const struct json_node *port, *e;

	if (w->limits == NULL || !w->limits->ports.set) {
		if (!fields_zero(v)) {
			observe_ports(w, v);
			walk_refuse(w, f->rule, "%s", rule_what(f->rule));
		}
		return;
	}
	for (port = json_first(v); port != NULL; port = json_next(port)) {
		key.key = json_key(port);
		here.index = 0;
		w->at = &here;
		/* null and [] publish on a port of dockerd's choice. */
		if (json_first(port) == NULL) {
			check_address(w, span_make(NULL, 0));
			check_port(w, span_make(NULL, 0));
		}
		for (e = json_first(port); e != NULL; e = json_next(e)) {
			check_address(w, json_text(fields_get(e, "HostIp")));
			check_port(w, json_text(fields_get(e, "HostPort")));
			here.index++;
		}
		w->at = key.up;
	}
}

/*
 * EndpointSpec.Ports: in either mode on every address of a host, and without
 * a number on one of dockerd's choice.
 */
static void
service_port(struct walk *w, const struct json_node *e)
{
	const struct json_node *v = fields_get(e, "PublishedPort");
	struct span port = span_make(NULL, 0);

	if (v != NULL && json_type(v) == JSON_NUMBER && !fields_zero(v)) {
		port = json_number(v);
	}
	check_address(w, span_make(NULL, 0));
	check_port(w, port);
}

void
judge_service_ports(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (w->limits != NULL && w->limits->ports.set) {
		walk_each(w, v, service_port);
	} else {
		judge_not_empty(w, f, v);
	}
}

void
judge_publish_all(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (fields_zero(v) ||
	    (w->limits != NULL && w->limits->ports.publish_all)) {
		return;
	}
	walk_refuse(w, f->rule, "%s", rule_what(f->rule));
}

/* --- networks ------------------------------------------------------------- */

/* A pattern that begins with a star means networks and not namespaces. */
bool
constraint_network(const struct constraints *c, struct span name)
{
	bool foreign = judge_is_foreign_network(name);
	size_t i;

	for (i = 0; i < c->networks.modes.n; i++) {
		struct span pattern = c->networks.modes.item[i];

		if (match_glob(pattern, name) &&
		    !(foreign && pattern.p[0] == '*')) {
			return true;
		}
	}
	return false;
}

/*
 * Returns whether the role has a list, and so has judged.  What may be a name
 * or an id is asked of dockerd, and its name is judged then (facts.c).
 */
bool
constraint_judge_network(struct walk *w, struct span name)
{
	if (name.len == 0 || span_is(name, "default")) {
		name = span_of("bridge");
	}
	if (span_is(name, "bridge") || span_is(name, "none")) {
		walk_use(w, RULE_NETWORKS, name, NULL);
	}
	if (w->limits == NULL || !w->limits->networks.modes.set) {
		return false;
	}
	if (!judge_is_foreign_network(name) && !span_is(name, "bridge") &&
	    !span_is(name, "none")) {
		walk_need(w, FACT_NETWORK, name);
	} else if (!constraint_network(w->limits, name)) {
		walk_about(w, name, NULL);
		walk_refuse_all(w,
		    judge_is_foreign_network(name) ? RULE_HOST_NAMESPACES
						   : RULE_NETWORKS,
		    "the network %s (allowed: %s)", quote(name).s,
		    words_show(&w->limits->networks.modes).s);
	}
	return true;
}

/* What says nothing of its network gets the default one, a bridge. */
static void
judge_default(struct walk *w, const char *where, const char *name)
{
	struct frame up = { .up = w->at, .name = where };
	struct frame here = { .up = &up, .name = name };

	w->at = &here;
	(void)constraint_judge_network(w, span_make(NULL, 0));
	w->at = up.up;
}

void
constraint_create_network(struct walk *w, const struct json_node *root)
{
	const struct json_node *hc = fields_get(root, "HostConfig");

	if (fields_get(hc, "NetworkMode") == NULL) {
		judge_default(w, "HostConfig", "NetworkMode");
	}
}

/* The networks beside the task are read below 1.44 alone. */
void
constraint_service_network(struct walk *w, const struct json_node *root)
{
	const struct json_node *task = fields_get(root, "TaskTemplate");
	const struct json_node *list = fields_get(task, "Networks");

	if ((list == NULL || json_first(list) == NULL) && w->api_minor > 0 &&
	    w->api_minor < 44) {
		list = fields_get(root, "Networks");
	}
	if (list == NULL || json_first(list) == NULL) {
		judge_default(w, "TaskTemplate", "Networks");
	}
}

/* --- devices -------------------------------------------------------------- */

void
judge_devices(struct walk *w, const struct field *f, const struct json_node *v)
{
	const struct words *list =
	    w->limits == NULL ? NULL : &w->limits->devices;
	struct frame here = { .up = w->at };
	const struct json_node *e;
	struct span path;

	if (list == NULL || !list->set) {
		list = NULL;
		if (w->refused == NULL && !fields_zero(v)) {
			walk_refuse(w, f->rule, "%s", rule_what(f->rule));
			return;
		}
	}
	if (json_type(v) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		path = json_text(fields_get(e, "PathOnHost"));
		if (list == NULL) {
			walk_about(w, path, NULL);
			walk_refuse(w, f->rule, "%s (%s)", rule_what(f->rule),
			    quote(path).s);
		} else if (!words_have(list, path)) {
			walk_about(w, path, NULL);
			walk_refuse_all(w, f->rule,
			    "the device %s (allowed: %s)", quote(path).s,
			    words_show(list).s);
		}
		here.index++;
	}
	w->at = here.up;
}

/* --- ulimits -------------------------------------------------------------- */

static const struct ulimit_max *
find_ulimit(const struct ulimits *u, struct span name)
{
	size_t i;

	for (i = 0; i < u->n; i++) {
		if (span_eq(u->item[i].name, name)) {
			return &u->item[i];
		}
	}
	return NULL;
}

static bool
is_within(const struct json_node *v, int64_t max)
{
	int64_t i = 0;

	return v == NULL || json_type(v) == JSON_NULL ||
	       (json_type(v) == JSON_NUMBER && json_int(v, &i) == ERR_OK &&
		   i >= 0 && i <= max);
}

/* False: what gets the words of a refusal. */
bool
constraint_ulimit(
    const struct ulimits *u, const struct json_node *e, char *what, size_t size)
{
	struct span name = json_text(fields_get(e, "Name"));
	const struct ulimit_max *max = find_ulimit(u, name);

	if (max == NULL) {
		snprintf(what, size, "the ulimit %s, which is not listed",
		    quote(name).s);
		return false;
	}
	if (!is_within(fields_get(e, "Hard"), max->max) ||
	    !is_within(fields_get(e, "Soft"), max->max)) {
		snprintf(what, size, "a higher ulimit %s (at most %lld)",
		    quote(name).s, (long long)max->max);
		return false;
	}
	return true;
}

void
judge_ulimits(struct walk *w, const struct field *f, const struct json_node *v)
{
	struct frame here = { .up = w->at };
	const struct json_node *e;
	char what[200];

	(void)f;
	if (w->limits == NULL || !w->limits->ulimits.set ||
	    json_type(v) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (!constraint_ulimit(
			&w->limits->ulimits, e, what, sizeof(what))) {
			walk_refuse_all(w, RULE_ULIMITS, "%s", what);
		}
		here.index++;
	}
	w->at = here.up;
}
