/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a service (ServiceCreate, ServiceUpdate), of all API versions
 * from 1.24 to 1.56 (moby api/types/swarm); see fields.h for the columns.
 *
 * A task of a service is a container, made by dockerd itself: whatever a rule
 * refuses in ContainerCreate it refuses here, under the name that the field
 * has here.  Mounts, ulimits and health checks are the same tables.  An update
 * carries the complete spec, so it is held to the same as a new service.
 *
 * Rejected: a table for the "common" half of containers and services; the
 * names differ in nearly every row, and a row that is missing is refused.
 *
 * Attackers write a service where a container is refused: binds under Mounts,
 * CapabilityAdd for CapAdd, the network "host" by the id that it has in the
 * swarm, "{{...}}" where dockerd fills in what nobody judged, a plugin for a
 * container.
 */
#include "fields_rows.h"

static const struct field no_rows[1];
const struct fields fields_nothing_in = { no_rows, 0, NULL };

/* --- ContainerSpec ------------------------------------------------------- */

static const struct field credential_spec_rows[] = {
	PLAIN("Config", FT_STR),
	PLAIN("File", FT_STR),
	PLAIN("Registry", FT_STR),
};
static const struct fields credential_spec = TABLE(credential_spec_rows);

static const struct field selinux_rows[] = {
	PLAIN("Disable", FT_BOOL),
	PLAIN("User", FT_STR),
	PLAIN("Role", FT_STR),
	PLAIN("Type", FT_STR),
	PLAIN("Level", FT_STR),
};
static const struct fields selinux = TABLE(selinux_rows);

static const struct field seccomp_rows[] = {
	PLAIN("Mode", FT_STR),
	PLAIN("Profile", FT_STR),
};
static const struct fields seccomp = TABLE(seccomp_rows);

static const struct field apparmor_rows[] = {
	PLAIN("Mode", FT_STR),
};
static const struct fields apparmor = TABLE(apparmor_rows);

static const struct field privileges_rows[] = {
	RULED_SUB(
	    "CredentialSpec", FT_OBJ, credential_spec, RULE_SECURITY_OPTIONS),
	JUDGED_SUB("SELinuxContext", FT_OBJ, selinux, RULE_SECURITY_OPTIONS,
	    judge_selinux),
	JUDGED_SUB(
	    "Seccomp", FT_OBJ, seccomp, RULE_SECURITY_OPTIONS, judge_seccomp),
	JUDGED_SUB("AppArmor", FT_OBJ, apparmor, RULE_SECURITY_OPTIONS,
	    judge_apparmor),
	PLAIN("NoNewPrivileges", FT_BOOL),
};
static const struct fields privileges = TABLE(privileges_rows);

static const struct field dns_config_rows[] = {
	PLAIN("Nameservers", FT_STRS),
	PLAIN("Search", FT_STRS),
	PLAIN("Options", FT_STRS),
};
static const struct fields dns_config = TABLE(dns_config_rows);

static const struct field file_target_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("UID", FT_STR),
	PLAIN("GID", FT_STR),
	PLAIN("Mode", FT_INT),
};
static const struct fields file_target = TABLE(file_target_rows);

static const struct field secret_ref_rows[] = {
	SUB("File", FT_OBJ, file_target),
	PLAIN("SecretID", FT_STR),
	PLAIN("SecretName", FT_STR),
};
static const struct fields secret_ref = TABLE(secret_ref_rows);

static const struct field config_ref_rows[] = {
	SUB("File", FT_OBJ, file_target),
	SUB("Runtime", FT_OBJ, fields_nothing_in),
	PLAIN("ConfigID", FT_STR),
	PLAIN("ConfigName", FT_STR),
};
static const struct fields config_ref = TABLE(config_ref_rows);

static const struct field container_spec_rows[] = {
	PLAIN("Image", FT_STR),
	JUDGED("Labels", FT_STRMAP, RULE_NONE, judge_own_labels),
	PLAIN("Command", FT_STRS),
	PLAIN("Args", FT_STRS),
	PLAIN("Hostname", FT_STR),
	PLAIN("Env", FT_STRS),
	PLAIN("Dir", FT_STR),
	PLAIN("User", FT_STR),
	PLAIN("Groups", FT_STRS),
	SUB("Privileges", FT_OBJ, privileges),
	PLAIN("Init", FT_BOOL),
	PLAIN("StopSignal", FT_STR),
	PLAIN("TTY", FT_BOOL),
	PLAIN("OpenStdin", FT_BOOL),
	PLAIN("ReadOnly", FT_BOOL),
	JUDGED_SUB("Mounts", FT_OBJS, fields_mount, RULE_HOST_PATHS,
	    judge_service_mounts),
	PLAIN("StopGracePeriod", FT_INT),
	SUB("Healthcheck", FT_OBJ, fields_healthcheck),
	JUDGED("Hosts", FT_STRS, RULE_EXTRA_HOSTS, judge_service_hosts),
	SUB("DNSConfig", FT_OBJ, dns_config),
	JUDGED_SUB(
	    "Secrets", FT_OBJS, secret_ref, RULE_SECRETS, judge_secret_refs),
	JUDGED_SUB(
	    "Configs", FT_OBJS, config_ref, RULE_SECRETS, judge_config_refs),
	PLAIN("Isolation", FT_STR),
	RULED("Sysctls", FT_STRMAP, RULE_SYSCTLS),
	RULED("CapabilityAdd", FT_STRS, RULE_CAPABILITIES),
	PLAIN("CapabilityDrop", FT_STRS),
	JUDGED_SUB("Ulimits", FT_OBJS, fields_ulimit, RULE_NONE, judge_ulimits),
	JUDGED("OomScoreAdj", FT_INT, RULE_OOM, judge_negative),
};
static const struct fields container_spec = TABLE(container_spec_rows);

/* --- what is no container ------------------------------------------------ */

static const struct field plugin_spec_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Remote", FT_STR),
	SUB("Privileges", FT_OBJS, fields_plugin_privilege),
	PLAIN("PluginPrivilege", FT_DROP), /* as documented; not read */
	PLAIN("Disabled", FT_BOOL),
	PLAIN("Env", FT_STRS),
};
static const struct fields plugin_spec = TABLE(plugin_spec_rows);

static const struct field attachment_rows[] = {
	PLAIN("ContainerID", FT_STR),
};
static const struct fields attachment = TABLE(attachment_rows);

/* --- TaskTemplate -------------------------------------------------------- */

static const struct field named_resource_rows[] = {
	PLAIN("Kind", FT_STR),
	PLAIN("Value", FT_STR),
};
static const struct fields named_resource = TABLE(named_resource_rows);

static const struct field counted_resource_rows[] = {
	PLAIN("Kind", FT_STR),
	PLAIN("Value", FT_INT),
};
static const struct fields counted_resource = TABLE(counted_resource_rows);

static const struct field generic_resource_rows[] = {
	SUB("NamedResourceSpec", FT_OBJ, named_resource),
	SUB("DiscreteResourceSpec", FT_OBJ, counted_resource),
};
static const struct fields generic_resource = TABLE(generic_resource_rows);

/* Generic resources are what a host's owner lists: graphics cards. */
#define RESOURCE_OBJECT_ROWS                                                   \
	PLAIN("NanoCPUs", FT_INT), PLAIN("MemoryBytes", FT_INT),               \
	    RULED_SUB(                                                         \
		"GenericResources", FT_OBJS, generic_resource, RULE_DEVICES)

static const struct field limit_rows[] = {
	RESOURCE_OBJECT_ROWS,
	PLAIN("Pids", FT_INT),
};
static const struct fields limit = TABLE(limit_rows);

static const struct field reservation_rows[] = { RESOURCE_OBJECT_ROWS };
static const struct fields reservation = TABLE(reservation_rows);

static const struct field task_resources_rows[] = {
	SUB("Limits", FT_OBJ, limit),
	SUB("Reservations", FT_OBJ, reservation),
	/* Documented in between as of the whole and not of Reservations. */
	PLAIN("SwapBytes", FT_INT),
	PLAIN("MemorySwappiness", FT_INT),
};
static const struct fields task_resources = TABLE(task_resources_rows);

/* judge_task() looks at the condition, which is "any" where it is absent. */
static const struct field task_restart_rows[] = {
	PLAIN("Condition", FT_STR),
	PLAIN("Delay", FT_INT),
	PLAIN("MaxAttempts", FT_INT),
	PLAIN("Window", FT_INT),
};
static const struct fields task_restart = TABLE(task_restart_rows);

static const struct field spread_rows[] = {
	PLAIN("SpreadDescriptor", FT_STR),
};
static const struct fields spread = TABLE(spread_rows);

static const struct field preference_rows[] = {
	SUB("Spread", FT_OBJ, spread),
};
static const struct fields preference = TABLE(preference_rows);

static const struct field platform_rows[] = {
	PLAIN("Architecture", FT_STR),
	PLAIN("OS", FT_STR),
};
static const struct fields platform = TABLE(platform_rows);

static const struct field placement_rows[] = {
	PLAIN("Constraints", FT_STRS),
	SUB("Preferences", FT_OBJS, preference),
	PLAIN("MaxReplicas", FT_INT),
	SUB("Platforms", FT_OBJS, platform),
};
static const struct fields placement = TABLE(placement_rows);

static const struct field network_target_rows[] = {
	PLAIN("Target", FT_STR),
	PLAIN("Aliases", FT_STRS),
	RULED("DriverOpts", FT_STRMAP, RULE_NETWORK_DRIVER),
};
static const struct fields network_target = TABLE(network_target_rows);

static const struct field log_driver_rows[] = {
	{ "Name", FT_STR, NULL, RULE_LOG_DRIVER,
	    ALLOW("", "json-file", "local", "none"), NULL },
	JUDGED("Options", FT_STRMAP, RULE_LOG_DRIVER, judge_log_options),
};
const struct fields fields_task_log_driver = TABLE(log_driver_rows);

#define NETWORKS                                                               \
	JUDGED_SUB("Networks", FT_OBJS, network_target, RULE_HOST_NAMESPACES,  \
	    judge_service_networks)

static const struct field task_rows[] = {
	SUB("ContainerSpec", FT_OBJ, container_spec),
	RULED_SUB("PluginSpec", FT_OBJ, plugin_spec, RULE_PLUGINS),
	RULED_SUB(
	    "NetworkAttachmentSpec", FT_OBJ, attachment, RULE_HOST_NAMESPACES),
	SUB("Resources", FT_OBJ, task_resources),
	SUB("RestartPolicy", FT_OBJ, task_restart),
	SUB("Placement", FT_OBJ, placement),
	NETWORKS,
	SUB("LogDriver", FT_OBJ, fields_task_log_driver),
	PLAIN("ForceUpdate", FT_INT),
	{ "Runtime", FT_STR, NULL, RULE_PLUGINS, ALLOW("", "container"), NULL },
};
static const struct fields task = TABLE(task_rows);

/* --- ServiceSpec --------------------------------------------------------- */

static const struct field replicated_rows[] = {
	PLAIN("Replicas", FT_INT),
};
static const struct fields replicated = TABLE(replicated_rows);

static const struct field replicated_job_rows[] = {
	PLAIN("MaxConcurrent", FT_INT),
	PLAIN("TotalCompletions", FT_INT),
};
static const struct fields replicated_job = TABLE(replicated_job_rows);

static const struct field mode_rows[] = {
	SUB("Replicated", FT_OBJ, replicated),
	SUB("Global", FT_OBJ, fields_nothing_in),
	SUB("ReplicatedJob", FT_OBJ, replicated_job),
	SUB("GlobalJob", FT_OBJ, fields_nothing_in),
};
static const struct fields mode = TABLE(mode_rows);

/* "rollback" on failure goes back to what ran until this update. */
static const struct field update_config_rows[] = {
	PLAIN("Parallelism", FT_INT),
	PLAIN("Delay", FT_INT),
	PLAIN("FailureAction", FT_STR),
	PLAIN("Monitor", FT_INT),
	PLAIN("MaxFailureRatio", FT_NUMBER),
	PLAIN("Order", FT_STR),
};
static const struct fields update_config = TABLE(update_config_rows);

static const struct field port_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Protocol", FT_STR),
	PLAIN("TargetPort", FT_INT),
	PLAIN("PublishedPort", FT_INT),
	PLAIN("PublishMode", FT_STR),
};
static const struct fields port = TABLE(port_rows);

static const struct field endpoint_spec_rows[] = {
	PLAIN("Mode", FT_STR),
	JUDGED_SUB(
	    "Ports", FT_OBJS, port, RULE_PUBLISHED_PORTS, judge_service_ports),
};
static const struct fields endpoint_spec = TABLE(endpoint_spec_rows);

static const struct field service_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Labels", FT_STRMAP),
	JUDGED_SUB("TaskTemplate", FT_OBJ, task, RULE_RESTART, judge_task),
	SUB("Mode", FT_OBJ, mode),
	SUB("UpdateConfig", FT_OBJ, update_config),
	SUB("RollbackConfig", FT_OBJ, update_config),
	/* Read below API 1.44, where the task names none. */
	NETWORKS,
	SUB("EndpointSpec", FT_OBJ, endpoint_spec),
};
const struct fields fields_service = TABLE(service_rows);
