/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_CONSTRAINT_H
#define POLICY_CONSTRAINT_H

/*
 * "constraints" of a role: parts of what a rule refuses that are allowed all
 * the same, and demands.  Read once with the policy, then only looked at.
 */
#include "fields.h"
#include "image_ref.h"

/* A list of texts or patterns; set: the policy has it, even if empty. */
struct words {
	const struct span *item;
	size_t n;
	bool set;
};

struct constraint_images {
	struct words run, pull, push, tag, remove;
	bool digest_only;
};

/* A ceiling; text: as the policy has it, for messages. */
struct limit {
	bool set, has_max, required;
	int64_t max; /* bytes, billionths of a CPU, or a count */
	struct span text;
};

struct constraint_resources {
	struct limit memory, swap, cpus, pids, shm;
	struct limit storage, tmpfs;
};

/* "require", a set. */
enum require {
	REQUIRE_NO_NEW_PRIVILEGES = BIT(0),
	REQUIRE_READ_ONLY_ROOT = BIT(1),
	REQUIRE_USER = BIT(2),
	REQUIRE_DROP_ALL = BIT(3),
};

struct constraint_capabilities {
	struct words allow, drop;
};

struct host_path {
	struct span clean; /* without a slash at its end: "" is the root */
	struct span text;
	bool rw;
	bool trusted; /* "links": nobody makes links in it */
};

/* What the paths of all roles have in common; see constraint_paths.c. */
struct path_world {
	/* Listed for writing by any role, and not trusted. */
	const struct host_path **writable;
	size_t n;
	/* see policy_follow_links(); may be NULL */
	enum err (*resolve)(const char *path, char *out, size_t size);
};

struct host_paths {
	const struct host_path *item;
	size_t n;
	bool set;
	const struct path_world *world;
};

struct constraint_volumes {
	struct words drivers, names;
};

struct port_range {
	uint32_t first, last; /* last 0: none */
};

struct constraint_ports {
	bool set, publish_all;
	struct words addresses;
	struct port_range range;
};

struct constraint_networks {
	struct words modes, drivers;
};

struct ulimit_max {
	struct span name;
	int64_t max;
};

struct ulimits {
	const struct ulimit_max *item;
	size_t n;
	bool set;
};

struct label {
	struct span key, value;
};

struct labels {
	const struct label *item;
	size_t n;
};

struct constraint_labels {
	struct words require;
	struct labels force;
};

struct constraint_exec {
	struct words commands, users;
};

struct constraints {
	bool any; /* there is one; all zero without */
	bool resources_set;
	struct constraint_resources resources;
	struct constraint_images images;
	struct constraint_capabilities capabilities;
	uint32_t require; /* enum require */
	struct host_paths host_paths;
	struct constraint_volumes volumes;
	struct constraint_ports ports;
	struct constraint_networks networks;
	struct words extra_hosts, sysctls, runtimes, log_drivers, devices;
	struct words restart, security_options;
	struct ulimits ulimits;
	struct words env_deny;
	struct constraint_labels labels;
	struct constraint_exec exec;
	bool no_tty, no_attach;
};

/* --- constraint_words.c --------------------------------------------------- */

/* A list for a message: "a, b, c", cut where it gets long. */
struct shown {
	char s[112];
};
struct shown words_show(const struct words *w);
bool words_have(const struct words *w, struct span s);	/* one is s */
bool words_match(const struct words *w, struct span s); /* a pattern holds */

/* --- constraint_image.c --------------------------------------------------- */

/* What is done with an image; its list of patterns goes by it. */
enum image_use {
	IMAGE_RUN = 0,
	IMAGE_PULL,
	IMAGE_PUSH,
	IMAGE_TAG,
	IMAGE_REMOVE
};

/* "run", "pull", "push", "tag" */
const char *constraint_image_use(enum image_use use);
/* May the image be used?  False: what gets the words of a refusal. */
bool constraint_image(const struct constraints *c, enum image_use use,
    const struct image_ref *ref, struct span as_written, char *what,
    size_t size);

/* --- constraint_conduct.c ------------------------------------------------- */

struct op;

void constraint_env(struct walk *w, const struct json_node *root);
void constraint_labels(struct walk *w, const struct json_node *root);
/* The same of a service's containers: spec, with w->at where it stands. */
void constraint_container_labels(struct walk *w, const struct json_node *spec);
void constraint_container_tty(struct walk *w, const struct json_node *spec);
void constraint_exec(struct walk *w, const struct json_node *root);
void constraint_tty(struct walk *w, const struct json_node *root);
/* Must an operation's body have labels? */
bool constraint_wants_labels(const struct constraints *c, const struct op *op);
/* The labels that an operation's body must have, or NULL. */
const struct labels *constraint_forces(
    const struct constraints *c, const struct op *op);
/* The forced label of that name, or NULL. */
const struct label *constraint_forced(
    const struct labels *force, struct span key);

/* --- what a request is held against --------------------------------------- */

struct op;
struct decision;
struct policy_why;

/* A judged body, once more, for what the constraints demand of it. */
void constraint_body(
    struct walk *w, const struct op *op, const struct json_node *root);
/* An image's name in a body, at w->at. */
void constraint_use_image(struct walk *w, enum image_use use, struct span name);

/* --- constraint_service.c ------------------------------------------------- */

void constraint_service(struct walk *w, const struct json_node *root);

/* --- constraint_lists.c --------------------------------------------------- */

/* The rules that constraints decide, whatever "may" says: a RULE_BIT() set. */
uint64_t constraint_taken(const struct constraints *c);
/* The list that speaks for a rule at a field, or NULL; top: of the body. */
const struct words *constraint_list(const struct constraints *c, enum rule r,
    const char *field, bool top,
    bool (**match)(const struct words *list, struct span s));

/* --- constraint_paths.c --------------------------------------------------- */

/* Does the role list paths of the host?  Then these judge, not the rule. */
bool constraint_has_paths(const struct walk *w);
/* "source:/target:mode", split */
void constraint_bind(
    struct walk *w, struct span source, struct span target, struct span mode);
void constraint_bind_mount(struct walk *w, const struct json_node *mount);
/* "ro" or "rw" where an entry of host_paths can say it, else NULL. */
const char *constraint_bind_how(struct span target, struct span mode);
const char *constraint_mount_how(const struct json_node *mount);
const char *constraint_point_how(const struct json_node *point);
void constraint_bind_point(struct walk *w, const struct json_node *point);
/* c may be NULL */
bool constraint_volume_driver(const struct constraints *c, struct span driver);
bool constraint_volume_name(const struct constraints *c, struct span name);
void constraint_volume(struct walk *w, struct span name);
void constraint_create_volume(struct walk *w, const struct json_node *root);

/* --- constraint_net.c ----------------------------------------------------- */

/* "8080", "8000-8010" */
bool constraint_parse_ports(struct span s, uint32_t *first, uint32_t *last);
bool constraint_network(const struct constraints *c, struct span name);
bool constraint_judge_network(struct walk *w, struct span name);
void constraint_create_network(struct walk *w, const struct json_node *root);
void constraint_service_network(struct walk *w, const struct json_node *root);
bool constraint_ulimit(const struct ulimits *u, const struct json_node *e,
    char *what, size_t size);

/* --- constraint_require.c ------------------------------------------------- */

bool constraint_same_capability(struct span a, struct span b);
bool constraint_match_capability(const struct words *list, struct span s);
void constraint_create_require(struct walk *w, const struct json_node *root);
void constraint_service_require(struct walk *w, const struct json_node *spec);
void constraint_exec_require(struct walk *w, const struct json_node *root);

/* --- constraint_disk.c ---------------------------------------------------- */

/* "512", "64k", "100m", "2g", "1t": binary, as docker's --memory. */
bool constraint_parse_bytes(struct span s, int64_t *out);
void constraint_create_disk(struct walk *w, const struct json_node *root);
void constraint_service_disk(struct walk *w, const struct json_node *spec);

/* --- constraint_resources.c ----------------------------------------------- */

void constraint_create_resources(struct walk *w, const struct json_node *root);
void constraint_update_resources(struct walk *w, const struct json_node *root);
void constraint_service_resources(struct walk *w, const struct json_node *root);

#endif
