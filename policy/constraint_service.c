/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What constraints demand of a service; see constraint.h.
 *
 * Its containers are held to what a container is held to, by the same code.
 * What is particular: a service pulls its image, so it is held to both lists;
 * and dockerd leaves out of a spec what the API version of the request did not
 * have yet (adjustForAPIVersion).  A demand is met only where the field is
 * read, so below that version the service is refused; a request without a
 * version could be anything.
 *
 * Rejected: raising the version of the request, because dockerd would then
 * read other fields of it than the client knows.
 *
 * Attackers ask with an old API version for what is hardened in words only
 * ("/v1.24" drops CapabilityDrop, NoNewPrivileges and the limit of processes),
 * and name the variable that is denied by a template.
 */
#include "constraint.h"

static void
need_version(struct walk *w, unsigned minor, enum rule r, const char *what)
{
	if (w->api_minor < minor) {
		walk_refuse_all(w, r,
		    "a service below API version 1.%u, where dockerd does not "
		    "read %s (set DOCKER_API_VERSION=1.%u)",
		    minor, what, minor);
	}
}

static void
check_versions(struct walk *w)
{
	const struct constraints *c = w->limits;

	if (c->require & REQUIRE_NO_NEW_PRIVILEGES) {
		need_version(w, 44, RULE_REQUIRE, "no-new-privileges");
	}
	if ((c->require & REQUIRE_DROP_ALL) || c->capabilities.drop.n > 0) {
		need_version(w, 41, RULE_REQUIRE, "dropped capabilities");
	}
	if (c->resources.pids.required) {
		need_version(w, 41, RULE_RESOURCES, "a limit of processes");
	}
}

static void
service_image(struct walk *w, const struct json_node *spec)
{
	struct span name = json_text(fields_get(spec, "Image"));
	struct frame here = { .up = w->at, .name = "Image" };

	/* Without a name dockerd refuses it in its own words. */
	if (name.len > 0) {
		w->at = &here;
		constraint_use_image(w, IMAGE_RUN, name);
		constraint_use_image(w, IMAGE_PULL, name);
		w->at = here.up;
	}
}

void
constraint_service(struct walk *w, const struct json_node *root)
{
	const struct json_node *task = fields_get(root, "TaskTemplate");
	const struct json_node *spec = fields_get(task, "ContainerSpec");
	struct frame up = { .up = w->at, .name = "TaskTemplate" };
	struct frame here = { .up = &up, .name = "ContainerSpec" };

	check_versions(w);
	w->at = &here;
	service_image(w, spec);
	constraint_env(w, spec);
	constraint_container_labels(w, spec);
	constraint_container_tty(w, spec);
	constraint_service_require(w, spec);
	constraint_service_disk(w, spec);
	here.name = "Resources";
	constraint_service_resources(w, fields_get(task, "Resources"));
	w->at = up.up;
}
