/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_JUDGE_H
#define POLICY_JUDGE_H

/*
 * What single fields can do, where a list of values does not tell.  Each
 * judges a value whose type the walk has checked; see struct field.
 */
#include "fields.h"

void judge_binds(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_bind_options(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_mounts(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_network_mode(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_endpoints(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_driver_options(
    struct walk *w, const struct field *f, const struct json_node *v);
/* Of the whole HostConfig. */
void judge_links(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_extra_hosts(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_labels(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_id_file(
    struct walk *w, const struct field *f, const struct json_node *v);
/* PidMode, IpcMode: listed words, and containers that are asked about. */
void judge_joined(
    struct walk *w, const struct field *f, const struct json_node *v);
/* "container:x": x; else false. */
bool judge_names_container(struct span mode, struct span *x);
void judge_not_null(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_negative(
    struct walk *w, const struct field *f, const struct json_node *v);

/* Of lists: anything in them. */
void judge_not_empty(
    struct walk *w, const struct field *f, const struct json_node *v);

/* judge_service.c: what a service says in other words than a container */
void judge_task(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_service_mounts(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_service_hosts(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_service_networks(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_secret_refs(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_config_refs(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_selinux(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_seccomp(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_apparmor(
    struct walk *w, const struct field *f, const struct json_node *v);
/* Judges nothing: marks the labels of containers, which a role may force. */
void judge_own_labels(
    struct walk *w, const struct field *f, const struct json_node *v);

/* judge_logs.c */
void judge_log_options(
    struct walk *w, const struct field *f, const struct json_node *v);

/* constraint_net.c */
void judge_port_bindings(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_service_ports(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_publish_all(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_devices(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_ulimits(
    struct walk *w, const struct field *f, const struct json_node *v);

/* judge_targets.c */
void judge_tmpfs(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_tmpfs_options(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_volume_targets(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_target(struct walk *w, struct span target);
/*
 * An absolute path without ".", "..", empty segments and a slash at its end
 * ("" for the root); false when it does not fit.
 */
bool judge_clean_path(struct span s, char *out, size_t size, size_t *len);
/* The root, /proc, /sys, devices, or no absolute path at all. */
bool judge_is_kernel_path(struct span s);

/* "host", "container:x", or what could be either. */
bool judge_is_foreign_network(struct span mode);
/* Does this extra host name the gateway of the host? */
bool judge_is_host_gateway(struct span extra_host);
/* Could dockerd take this for the name of a volume? */
bool judge_is_volume_name(struct span s);
/* For a message: what who asks for dockerd's socket should do, or "". */
const char *judge_path_hint(struct span source);

/* Of inspected containers. */
void judge_mount_points(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_foreign_namespace(
    struct walk *w, const struct field *f, const struct json_node *v);
void judge_empty_list(
    struct walk *w, const struct field *f, const struct json_node *v);

#endif
