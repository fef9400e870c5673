/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gist of a body; see gist.h.
 *
 * A list of names that are told, at any depth, because a service has below
 * TaskTemplate what a container has at the top.  Clients send every field
 * with its zero: those go, so that a record says what was asked for and not
 * what could have been.
 *
 * Rejected: telling what the judge has found on its way: a role that allows
 * something finds nothing to tell, and that is when it should be on record.
 *
 * Attackers make records long: the body had a cap, and the record has one.
 */
#include "gist.h"

#include "base/jsonw.h"
#include "json.h"

static const char *const told[] = { "Image", "Cmd", "Entrypoint", "Command",
	"Args", "User", "HostConfig", "TaskTemplate", "ContainerSpec",
	"Resources", "Limits", "Reservations", "Privileged", "Binds", "Mounts",
	"Type", "Source", "Target", "ReadOnly", "VolumesFrom", "CapAdd",
	"CapabilityAdd", "SecurityOpt", "MaskedPaths", "ReadonlyPaths",
	"Devices", "PathOnHost", "DeviceCgroupRules", "DeviceRequests", "Count",
	"DeviceIDs", "NetworkMode", "PidMode", "IpcMode", "UTSMode",
	"UsernsMode", "CgroupnsMode", "CgroupParent", "Runtime", "Sysctls",
	"Memory", "MemorySwap", "NanoCpus", "CpuQuota", "PidsLimit",
	"MemoryBytes", "NanoCPUs", "Pids", "PortBindings", "HostIp", "HostPort",
	"PublishAllPorts", "Ports", "PublishedPort", "TargetPort",
	"NetworkingConfig", "EndpointsConfig", "Networks", "Container",
	"Driver", "DriverOpts", "Name", "Internal", "Attachable", "Scope" };

static bool
is_told(struct span name)
{
	size_t i;

	for (i = 0; i < NELEM(told); i++) {
		if (span_is_nocase(name, told[i])) {
			return true;
		}
	}
	return false;
}

/* Does a map's owner choose its names?  Then all of them are told. */
static bool
is_map(struct span name)
{
	static const char *const maps[] = { "PortBindings", "EndpointsConfig",
		"Sysctls", "DriverOpts" };
	size_t i;

	for (i = 0; i < NELEM(maps); i++) {
		if (span_is_nocase(name, maps[i])) {
			return true;
		}
	}
	return false;
}

/* Is there anything to tell?  all: of every member.  Depth is at most
 * JSON_MAX_DEPTH. */
static bool
says(const struct json_node *v, bool all)
{
	const struct json_node *m;

	switch (json_type(v)) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return json_bool(v);
	case JSON_NUMBER:
		return !span_is(json_number(v), "0");
	case JSON_STRING:
		return json_string(v).len > 0;
	case JSON_ARRAY:
		for (m = json_first(v); m != NULL; m = json_next(m)) {
			if (says(m, false)) {
				return true;
			}
		}
		return false;
	case JSON_OBJECT:
		break;
	}
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (all ||
		    (is_told(json_key(m)) && says(m, is_map(json_key(m))))) {
			return true;
		}
	}
	return false;
}

static void
put(struct jsonw *w, const struct json_node *v, bool all)
{
	const struct json_node *m;

	switch (json_type(v)) {
	case JSON_NULL:
		jsonw_str(w, NULL);
		return;
	case JSON_BOOL:
		jsonw_bool(w, json_bool(v));
		return;
	case JSON_NUMBER:
		jsonw_number(w, json_number(v));
		return;
	case JSON_STRING:
		jsonw_span(w, json_string(v));
		return;
	case JSON_ARRAY:
		jsonw_array(w);
		for (m = json_first(v); m != NULL; m = json_next(m)) {
			put(w, m, false);
		}
		jsonw_array_end(w);
		return;
	case JSON_OBJECT:
		break;
	}
	jsonw_object(w);
	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (all ||
		    (is_told(json_key(m)) && says(m, is_map(json_key(m))))) {
			jsonw_key_span(w, json_key(m));
			put(w, m, !all && is_map(json_key(m)));
		}
	}
	jsonw_object_end(w);
}

enum err
gist_write(struct span body, struct buf *out)
{
	struct json_doc *doc = NULL;
	struct jsonw w;
	enum err rc;

	if (body.len == 0) {
		return ERR_OK;
	}
	rc = json_parse(body, JSON_STRICT, &doc, NULL);
	if (rc != ERR_OK) {
		return rc;
	}
	jsonw_init(&w, out);
	if (json_type(json_root(doc)) == JSON_OBJECT &&
	    says(json_root(doc), false)) {
		put(&w, json_root(doc), false);
	}
	json_free(doc);
	return w.err;
}
