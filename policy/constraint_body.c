/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What constraints demand of a JSON body; see constraint.h.
 *
 * Looks at a body that the walk has judged and written already: types are
 * right, no member stands twice, nothing is unknown.  So a demand reads its
 * few fields by name and needs no second parser.  What a rule refuses and a
 * constraint allows in part is not here but where the rule is judged.
 *
 * Rejected: one pass for both, which would put the words of every constraint
 * into the tables of fields.
 *
 * Attackers leave a field out where absence means "no limit", write it as
 * null, or say the same through another field (NanoCpus and CpuQuota).
 */
#include "constraint.h"
#include "ops.h"

/* --- images --------------------------------------------------------------- */

void
constraint_use_image(struct walk *w, enum image_use use, struct span name)
{
	struct image_ref ref = image_ref_any(name);
	char what[sizeof(w->found.what)];

	if (ref.kind != IMAGE_REF_BAD) {
		walk_use(w, RULE_IMAGES, span_of(ref.text),
		    constraint_image_use(use));
	}
	walk_about(w, span_of(ref.text), constraint_image_use(use));
	if (!constraint_image(w->limits, use, &ref, name, what, sizeof(what))) {
		walk_refuse_all(w, RULE_IMAGES, "%s", what);
	}
	walk_about(w, span_make(NULL, 0), NULL);
}

static void
create_image(struct walk *w, const struct json_node *root)
{
	struct frame here = { .name = "Image" };
	struct span name = json_text(fields_get(root, "Image"));

	/* Without a name dockerd refuses it in its own words. */
	if (name.len > 0) {
		w->at = &here;
		constraint_use_image(w, IMAGE_RUN, name);
		w->at = NULL;
	}
}

/* A mount of type image brings the files of any image. */
static void
create_image_mounts(struct walk *w, const struct json_node *root)
{
	const struct json_node *mounts =
	    fields_get(fields_get(root, "HostConfig"), "Mounts");
	struct frame hc = { .name = "HostConfig" };
	struct frame list = { .up = &hc, .name = "Mounts" };
	struct frame here = { .up = &list };
	const struct json_node *m;

	if (mounts == NULL || json_type(mounts) != JSON_ARRAY) {
		return;
	}
	w->at = &here;
	for (m = json_first(mounts); m != NULL; m = json_next(m)) {
		if (span_is(json_text(fields_get(m, "Type")), "image")) {
			constraint_use_image(
			    w, IMAGE_RUN, json_text(fields_get(m, "Source")));
		}
		here.index++;
	}
	w->at = NULL;
}

/* --- operations ----------------------------------------------------------- */

static const struct {
	const char *op;
	void (*check)(struct walk *w, const struct json_node *root);
} checks[] = {
	{ "ContainerCreate", create_image },
	{ "ContainerCreate", create_image_mounts },
	{ "ContainerCreate", constraint_create_resources },
	{ "ContainerCreate", constraint_create_disk },
	{ "ContainerCreate", constraint_create_require },
	{ "ContainerCreate", constraint_create_network },
	{ "VolumeCreate", constraint_create_volume },
	{ "ContainerExec", constraint_exec_require },
	{ "ContainerUpdate", constraint_update_resources },
	{ "ContainerCreate", constraint_env },
	{ "ContainerCreate", constraint_labels },
	{ "ContainerCreate", constraint_tty },
	{ "NetworkCreate", constraint_labels },
	{ "VolumeCreate", constraint_labels },
	{ "ContainerExec", constraint_env },
	{ "ContainerExec", constraint_exec },
	{ "ContainerExec", constraint_tty },
	{ "ExecStart", constraint_tty },
	{ "ServiceCreate", constraint_labels },
	{ "ServiceUpdate", constraint_labels },
	{ "ServiceCreate", constraint_service },
	{ "ServiceUpdate", constraint_service },
	{ "ServiceCreate", constraint_service_network },
	{ "ServiceUpdate", constraint_service_network },
	{ "SecretCreate", constraint_labels },
	{ "SecretUpdate", constraint_labels },
	{ "ConfigCreate", constraint_labels },
	{ "ConfigUpdate", constraint_labels },
};

void
constraint_body(
    struct walk *w, const struct op *op, const struct json_node *root)
{
	size_t i;

	for (i = 0; i < NELEM(checks) && w->err == ERR_OK; i++) {
		if (strcmp(checks[i].op, op->name) == 0) {
			checks[i].check(w, root);
		}
	}
}
