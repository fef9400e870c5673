/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of JSON bodies that constrained roles may send, of all API
 * versions from 1.24 to 1.56 (moby api/types and api/swagger.yaml), each with
 * what it can do; see struct field in fields.h for the columns.
 *
 * A field without a rule is harmless to the host: it changes the container's
 * own life or narrows it.  FT_DROP rows are what real clients send and dockerd
 * ignores.  A field that is missing here is refused by name.
 */
#include <assert.h>

#include "fields_rows.h"

/* --- resources: ContainerUpdate and HostConfig --------------------------- */

static const struct field weight_device_rows[] = {
	PLAIN("Path", FT_STR),
	PLAIN("Weight", FT_INT),
};
static const struct fields weight_device = TABLE(weight_device_rows);

static const struct field throttle_device_rows[] = {
	PLAIN("Path", FT_STR),
	PLAIN("Rate", FT_INT),
};
static const struct fields throttle_device = TABLE(throttle_device_rows);

static const struct field device_rows[] = {
	PLAIN("PathOnHost", FT_STR),
	PLAIN("PathInContainer", FT_STR),
	PLAIN("CgroupPermissions", FT_STR),
};
static const struct fields device = TABLE(device_rows);

static const struct field device_request_rows[] = {
	PLAIN("Driver", FT_STR),
	PLAIN("Count", FT_INT),
	PLAIN("DeviceIDs", FT_STRS),
	PLAIN("Capabilities", FT_STRLISTS),
	PLAIN("Options", FT_STRMAP),
};
static const struct fields device_request = TABLE(device_request_rows);

static const struct field ulimit_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Hard", FT_INT),
	PLAIN("Soft", FT_INT),
};
const struct fields fields_ulimit = TABLE(ulimit_rows);

static const struct field restart_policy_rows[] = {
	{ "Name", FT_STR, NULL, RULE_RESTART, ALLOW("", "no"), NULL },
	PLAIN("MaximumRetryCount", FT_INT),
};
static const struct fields restart_policy = TABLE(restart_policy_rows);

#define DEVICES(name, sub)                                                     \
	{                                                                      \
		name, FT_OBJS, &sub, RULE_DEVICES, NULL, NULL                  \
	}

#define RESOURCE_ROWS                                                          \
	PLAIN("CpuShares", FT_INT), PLAIN("Memory", FT_INT),                   \
	    PLAIN("NanoCpus", FT_INT),                                         \
	    RULED("CgroupParent", FT_STR, RULE_CGROUP_PARENT),                 \
	    PLAIN("BlkioWeight", FT_INT),                                      \
	    DEVICES("BlkioWeightDevice", weight_device),                       \
	    DEVICES("BlkioDeviceReadBps", throttle_device),                    \
	    DEVICES("BlkioDeviceWriteBps", throttle_device),                   \
	    DEVICES("BlkioDeviceReadIOps", throttle_device),                   \
	    DEVICES("BlkioDeviceWriteIOps", throttle_device),                  \
	    PLAIN("CpuPeriod", FT_INT), PLAIN("CpuQuota", FT_INT),             \
	    PLAIN("CpuRealtimePeriod", FT_INT),                                \
	    PLAIN("CpuRealtimeRuntime", FT_INT), PLAIN("CpusetCpus", FT_STR),  \
	    PLAIN("CpusetMems", FT_STR),                                       \
	    { "Devices", FT_OBJS, &device, RULE_DEVICES, NULL,                 \
		    judge_devices },                                           \
	    RULED("DeviceCgroupRules", FT_STRS, RULE_DEVICES),                 \
	    DEVICES("DeviceRequests", device_request),                         \
	    PLAIN("KernelMemory", FT_INT), PLAIN("KernelMemoryTCP", FT_INT),   \
	    PLAIN("MemoryReservation", FT_INT), PLAIN("MemorySwap", FT_INT),   \
	    PLAIN("MemorySwappiness", FT_INT),                                 \
	    RULED("OomKillDisable", FT_BOOL, RULE_OOM),                        \
	    PLAIN("PidsLimit", FT_INT),                                        \
	    { "Ulimits", FT_OBJS, &fields_ulimit, RULE_NONE, NULL,             \
		    judge_ulimits },                                           \
	    PLAIN("CpuCount", FT_INT), PLAIN("CpuPercent", FT_INT),            \
	    PLAIN("IOMaximumIOps", FT_INT),                                    \
	    PLAIN("IOMaximumBandwidth", FT_INT), PLAIN("DiskQuota", FT_DROP)

static const struct field container_update_rows[] = {
	RESOURCE_ROWS, SUB("RestartPolicy", FT_OBJ, restart_policy),
	PLAIN("Init", FT_DROP), /* documented, and sent by docker-java */
};
const struct fields fields_container_update = TABLE(container_update_rows);

/* --- mounts -------------------------------------------------------------- */

static const struct field bind_options_rows[] = {
	PLAIN("Propagation", FT_STR),
	PLAIN("NonRecursive", FT_BOOL),
	PLAIN("CreateMountpoint", FT_BOOL),
	PLAIN("ReadOnlyNonRecursive", FT_BOOL),
	PLAIN("ReadOnlyForceRecursive", FT_BOOL),
};
static const struct fields bind_options = TABLE(bind_options_rows);

static const struct field driver_config_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Options", FT_STRMAP),
};
static const struct fields driver_config = TABLE(driver_config_rows);

static const struct field volume_options_rows[] = {
	PLAIN("NoCopy", FT_BOOL),
	LABELS,
	PLAIN("Subpath", FT_STR),
	SUB("DriverConfig", FT_OBJ, driver_config),
};
static const struct fields volume_options = TABLE(volume_options_rows);

static const struct field image_options_rows[] = {
	PLAIN("Subpath", FT_STR),
};
static const struct fields image_options = TABLE(image_options_rows);

static const struct field tmpfs_options_rows[] = {
	PLAIN("SizeBytes", FT_INT),
	PLAIN("Mode", FT_INT),
	{ "Options", FT_STRLISTS, NULL, RULE_MOUNT_TARGET, NULL,
	    judge_tmpfs_options },
};
static const struct fields tmpfs_options = TABLE(tmpfs_options_rows);

/* judge_mounts() looks at all of it. */
static const struct field mount_rows[] = {
	PLAIN("Type", FT_STR),
	PLAIN("Source", FT_STR),
	PLAIN("Target", FT_STR),
	PLAIN("ReadOnly", FT_BOOL),
	PLAIN("Consistency", FT_STR),
	{ "BindOptions", FT_OBJ, &bind_options, RULE_HOST_PATHS, NULL,
	    judge_bind_options },
	SUB("VolumeOptions", FT_OBJ, volume_options),
	SUB("ImageOptions", FT_OBJ, image_options),
	SUB("TmpfsOptions", FT_OBJ, tmpfs_options),
	RULED("ClusterOptions", FT_NEVER, RULE_VOLUME_DRIVER),
};
const struct fields fields_mount = TABLE(mount_rows);

/* --- HostConfig ---------------------------------------------------------- */

static const struct field log_config_rows[] = {
	{ "Type", FT_STR, NULL, RULE_LOG_DRIVER,
	    ALLOW("", "json-file", "local", "none"), NULL },
	{ "Config", FT_STRMAP, NULL, RULE_LOG_DRIVER, NULL, judge_log_options },
};
static const struct fields log_config = TABLE(log_config_rows);

static const struct field port_binding_rows[] = {
	PLAIN("HostIp", FT_STR),
	PLAIN("HostPort", FT_STR),
};
static const struct fields port_binding = TABLE(port_binding_rows);

static const struct field host_config_rows[] = {
	{ "Binds", FT_STRS, NULL, RULE_HOST_PATHS, NULL, judge_binds },
	{ "ContainerIDFile", FT_STR, NULL, RULE_TENANT, NULL, judge_id_file },
	SUB("LogConfig", FT_OBJ, log_config),
	{ "NetworkMode", FT_STR, NULL, RULE_HOST_NAMESPACES, NULL,
	    judge_network_mode },
	{ "PortBindings", FT_LISTMAP, &port_binding, RULE_PUBLISHED_PORTS, NULL,
	    judge_port_bindings },
	SUB("RestartPolicy", FT_OBJ, restart_policy),
	PLAIN("AutoRemove", FT_BOOL),
	{ "VolumeDriver", FT_STR, NULL, RULE_VOLUME_DRIVER, ALLOW("", "local"),
	    NULL },
	RULED("VolumesFrom", FT_STRS, RULE_VOLUMES_FROM),
	PLAIN("ConsoleSize", FT_INTS),
	RULED("Annotations", FT_STRMAP, RULE_ANNOTATIONS),
	RULED("CapAdd", FT_STRSLICE, RULE_CAPABILITIES),
	PLAIN("CapDrop", FT_STRSLICE),
	/* Of API 1.40 alone; dockerd refuses it since. */
	RULED("Capabilities", FT_STRSLICE, RULE_CAPABILITIES),
	{ "CgroupnsMode", FT_STR, NULL, RULE_HOST_NAMESPACES,
	    ALLOW("", "private"), NULL },
	PLAIN("Dns", FT_STRS),
	PLAIN("DnsOptions", FT_STRS),
	PLAIN("DnsSearch", FT_STRS),
	{ "ExtraHosts", FT_STRS, NULL, RULE_EXTRA_HOSTS, NULL,
	    judge_extra_hosts },
	PLAIN("GroupAdd", FT_STRS),
	{ "IpcMode", FT_STR, NULL, RULE_HOST_NAMESPACES,
	    ALLOW("", "none", "private", "shareable"), judge_joined },
	RULED("Cgroup", FT_STR, RULE_HOST_NAMESPACES),
	PLAIN("Links", FT_STRS), /* judge_links(), with NetworkMode */
	{ "OomScoreAdj", FT_INT, NULL, RULE_OOM, NULL, judge_negative },
	{ "PidMode", FT_STR, NULL, RULE_HOST_NAMESPACES, ALLOW(""),
	    judge_joined },
	RULED("Privileged", FT_BOOL, RULE_PRIVILEGED),
	{ "PublishAllPorts", FT_BOOL, NULL, RULE_PUBLISHED_PORTS, NULL,
	    judge_publish_all },
	PLAIN("ReadonlyRootfs", FT_BOOL),
	{ "SecurityOpt", FT_STRS, NULL, RULE_SECURITY_OPTIONS,
	    ALLOW("no-new-privileges", "no-new-privileges:true",
		"no-new-privileges=true"),
	    NULL },
	{ "StorageOpt", FT_STRMAP, NULL, RULE_STORAGE_OPT, ALLOW("size"),
	    NULL },
	{ "Tmpfs", FT_STRMAP, NULL, RULE_MOUNT_TARGET, NULL, judge_tmpfs },
	RULED("UTSMode", FT_STR, RULE_HOST_NAMESPACES),
	RULED("UsernsMode", FT_STR, RULE_HOST_NAMESPACES),
	PLAIN("ShmSize", FT_INT),
	RULED("Sysctls", FT_STRMAP, RULE_SYSCTLS),
	RULED("Runtime", FT_STR, RULE_RUNTIME),
	PLAIN("Isolation", FT_STR),
	RESOURCE_ROWS,
	{ "Mounts", FT_OBJS, &fields_mount, RULE_HOST_PATHS, NULL,
	    judge_mounts },
	{ "MaskedPaths", FT_STRS, NULL, RULE_MASKED_PATHS, NULL,
	    judge_not_null },
	{ "ReadonlyPaths", FT_STRS, NULL, RULE_MASKED_PATHS, NULL,
	    judge_not_null },
	PLAIN("Init", FT_BOOL),
};
static const struct fields host_config = TABLE(host_config_rows);

/* --- endpoints ----------------------------------------------------------- */

static const struct field ipam_config_rows[] = {
	PLAIN("IPv4Address", FT_STR),
	PLAIN("IPv6Address", FT_STR),
	PLAIN("LinkLocalIPs", FT_STRS),
};
static const struct fields ipam_config = TABLE(ipam_config_rows);

/* Links here are names on one network; only HostConfig's share variables. */
static const struct field endpoint_rows[] = {
	SUB("IPAMConfig", FT_OBJ, ipam_config),
	PLAIN("Links", FT_STRS),
	PLAIN("Aliases", FT_STRS),
	RULED("DriverOpts", FT_STRMAP, RULE_NETWORK_DRIVER),
	PLAIN("GwPriority", FT_INT),
	/* dockerd takes it over the name (getNetworkID). */
	{ "NetworkID", FT_STR, NULL, RULE_HOST_NAMESPACES, NULL,
	    judge_network_mode },
	PLAIN("EndpointID", FT_STR),
	PLAIN("Gateway", FT_STR),
	PLAIN("IPAddress", FT_STR),
	PLAIN("MacAddress", FT_STR),
	PLAIN("IPPrefixLen", FT_INT),
	PLAIN("IPv6Gateway", FT_STR),
	PLAIN("GlobalIPv6Address", FT_STR),
	PLAIN("GlobalIPv6PrefixLen", FT_INT),
	PLAIN("DNSNames", FT_STRS),
};
static const struct fields endpoint = TABLE(endpoint_rows);

static const struct field networking_config_rows[] = {
	{ "EndpointsConfig", FT_OBJMAP, &endpoint, RULE_HOST_NAMESPACES, NULL,
	    judge_endpoints },
};
static const struct fields networking_config = TABLE(networking_config_rows);

/* --- Config, create and commit ------------------------------------------- */

static const struct field healthcheck_rows[] = {
	PLAIN("Test", FT_STRS),
	PLAIN("Interval", FT_INT),
	PLAIN("Timeout", FT_INT),
	PLAIN("StartPeriod", FT_INT),
	PLAIN("StartInterval", FT_INT),
	PLAIN("Retries", FT_INT),
};
const struct fields fields_healthcheck = TABLE(healthcheck_rows);

#define CONFIG_ROWS                                                            \
	PLAIN("Hostname", FT_STR), PLAIN("Domainname", FT_STR),                \
	    PLAIN("User", FT_STR), PLAIN("AttachStdin", FT_BOOL),              \
	    PLAIN("AttachStdout", FT_BOOL), PLAIN("AttachStderr", FT_BOOL),    \
	    PLAIN("ExposedPorts", FT_SET), PLAIN("Tty", FT_BOOL),              \
	    PLAIN("OpenStdin", FT_BOOL), PLAIN("StdinOnce", FT_BOOL),          \
	    PLAIN("Env", FT_STRS), PLAIN("Cmd", FT_STRSLICE),                  \
	    SUB("Healthcheck", FT_OBJ, fields_healthcheck),                    \
	    PLAIN("ArgsEscaped", FT_BOOL), PLAIN("Image", FT_STR),             \
	    { "Volumes", FT_SET, NULL, RULE_MOUNT_TARGET, NULL,                \
		    judge_volume_targets },                                    \
	    PLAIN("WorkingDir", FT_STR), PLAIN("Entrypoint", FT_STRSLICE),     \
	    PLAIN("NetworkDisabled", FT_BOOL), PLAIN("MacAddress", FT_STR),    \
	    PLAIN("OnBuild", FT_STRS), LABELS, PLAIN("StopSignal", FT_STR),    \
	    PLAIN("StopTimeout", FT_INT), PLAIN("Shell", FT_STRSLICE)

static const struct field container_create_rows[] = {
	CONFIG_ROWS,
	{ "HostConfig", FT_OBJ, &host_config, RULE_LINKS, NULL, judge_links },
	SUB("NetworkingConfig", FT_OBJ, networking_config),
	/* dockerode takes name and platform from the same object. */
	PLAIN("name", FT_DROP),
	PLAIN("platform", FT_DROP),
};
const struct fields fields_container_create = TABLE(container_create_rows);

/* dockerode and docker-java repeat the query's options in the body. */
static const struct field image_commit_rows[] = {
	CONFIG_ROWS,
	PLAIN("container", FT_DROP),
	PLAIN("containerId", FT_DROP),
	PLAIN("repo", FT_DROP),
	PLAIN("repository", FT_DROP),
	PLAIN("message", FT_DROP),
	PLAIN("tag", FT_DROP),
	PLAIN("comment", FT_DROP),
	PLAIN("author", FT_DROP),
	PLAIN("pause", FT_DROP),
	PLAIN("changes", FT_DROP),
};
const struct fields fields_image_commit = TABLE(image_commit_rows);

/* --- exec ---------------------------------------------------------------- */

static const struct field container_exec_rows[] = {
	PLAIN("User", FT_STR),
	RULED("Privileged", FT_BOOL, RULE_EXEC_PRIVILEGED),
	PLAIN("Tty", FT_BOOL), PLAIN("ConsoleSize", FT_INTS),
	PLAIN("AttachStdin", FT_BOOL), PLAIN("AttachStdout", FT_BOOL),
	PLAIN("AttachStderr", FT_BOOL), PLAIN("Detach", FT_BOOL),
	PLAIN("DetachKeys", FT_STR), PLAIN("Env", FT_STRS),
	PLAIN("WorkingDir", FT_STR), PLAIN("Cmd", FT_STRSLICE),
	PLAIN("Container", FT_DROP),   /* docker-py api/exec_api.py */
	PLAIN("containerId", FT_DROP), /* docker-java ExecCreateCmdImpl */
};
const struct fields fields_container_exec = TABLE(container_exec_rows);

static const struct field exec_start_rows[] = {
	PLAIN("Detach", FT_BOOL),
	PLAIN("Tty", FT_BOOL),
	PLAIN("ConsoleSize", FT_INTS),
	/* dockerode: options of its own connection. */
	PLAIN("hijack", FT_DROP),
	PLAIN("stdin", FT_DROP),
	PLAIN("stdout", FT_DROP),
	PLAIN("stderr", FT_DROP),
	PLAIN("stream", FT_DROP),
};
const struct fields fields_exec_start = TABLE(exec_start_rows);

/* --- registries ---------------------------------------------------------- */

static const struct field auth_rows[] = {
	PLAIN("username", FT_STR),
	PLAIN("password", FT_STR),
	PLAIN("auth", FT_STR),
	PLAIN("email", FT_STR),
	PLAIN("serveraddress", FT_STR),
	PLAIN("identitytoken", FT_STR),
	PLAIN("registrytoken", FT_STR),
	PLAIN("stackOrchestrator", FT_DROP), /* docker-java AuthConfig */
	/* dockerode repeats the query's options of a push. */
	PLAIN("tag", FT_DROP),
	PLAIN("platform", FT_DROP),
};
const struct fields fields_auth = TABLE(auth_rows);

/* --- volumes ------------------------------------------------------------- */

static const struct field volume_create_rows[] = {
	PLAIN("Name", FT_STR),
	{ "Driver", FT_STR, NULL, RULE_VOLUME_DRIVER, ALLOW("", "local"),
	    NULL },
	{ "DriverOpts", FT_STRMAP, NULL, RULE_HOST_PATHS, NULL,
	    judge_driver_options },
	LABELS,
	/* To dockerd {} is one too. */
	JUDGED_SUB("ClusterVolumeSpec", FT_OBJ, fields_cluster_volume,
	    RULE_VOLUME_DRIVER, judge_not_null),
};
const struct fields fields_volume_create = TABLE(volume_create_rows);

/* --- networks ------------------------------------------------------------ */

static const struct field ipam_pool_rows[] = {
	PLAIN("Subnet", FT_STR),
	PLAIN("IPRange", FT_STR),
	PLAIN("Gateway", FT_STR),
	PLAIN("AuxiliaryAddresses", FT_STRMAP),
};
static const struct fields ipam_pool = TABLE(ipam_pool_rows);

static const struct field ipam_rows[] = {
	{ "Driver", FT_STR, NULL, RULE_NETWORK_DRIVER, ALLOW("", "default"),
	    NULL },
	RULED("Options", FT_STRMAP, RULE_NETWORK_DRIVER),
	SUB("Config", FT_OBJS, ipam_pool),
};
static const struct fields ipam = TABLE(ipam_rows);

static const struct field config_from_rows[] = {
	PLAIN("Network", FT_STR),
};
static const struct fields config_from = TABLE(config_from_rows);

static const struct field network_create_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("CheckDuplicate", FT_BOOL),
	{ "Driver", FT_STR, NULL, RULE_NETWORK_DRIVER, ALLOW("", "bridge"),
	    NULL },
	{ "Scope", FT_STR, NULL, RULE_NETWORK_DRIVER, ALLOW("", "local"),
	    NULL },
	PLAIN("EnableIPv4", FT_BOOL),
	PLAIN("EnableIPv6", FT_BOOL),
	SUB("IPAM", FT_OBJ, ipam),
	PLAIN("Internal", FT_BOOL),
	PLAIN("Attachable", FT_BOOL),
	RULED("Ingress", FT_BOOL, RULE_NETWORK_DRIVER),
	RULED("ConfigOnly", FT_BOOL, RULE_NETWORK_DRIVER),
	{ "ConfigFrom", FT_OBJ, &config_from, RULE_NETWORK_DRIVER, NULL, NULL },
	{ "Options", FT_STRMAP, NULL, RULE_NETWORK_DRIVER,
	    ALLOW("com.docker.network.bridge.enable_icc",
		"com.docker.network.bridge.enable_ip_masquerade",
		"com.docker.network.container_iface_prefix",
		"com.docker.network.driver.mtu",
		"com.docker.network.enable_ipv4",
		"com.docker.network.enable_ipv6"),
	    NULL },
	LABELS,
};
const struct fields fields_network_create = TABLE(network_create_rows);

static const struct field network_connect_rows[] = {
	PLAIN("Container", FT_STR),
	SUB("EndpointConfig", FT_OBJ, endpoint),
	/* docker-java ConnectToNetworkCmdImpl: the same once more. */
	PLAIN("containerConfig", FT_DROP),
};
const struct fields fields_network_connect = TABLE(network_connect_rows);

static const struct field network_disconnect_rows[] = {
	PLAIN("Container", FT_STR),
	PLAIN("Force", FT_BOOL),
};
const struct fields fields_network_disconnect = TABLE(network_disconnect_rows);

/* --- inspected containers (GET /containers/{id}/json) --------------------- */

/*
 * What makes somebody else's container a way to the host.  Not here: what
 * dockerd fills in by itself, so that it tells nothing about who made the
 * container (Runtime, CgroupnsMode, LogConfig), and what only its maker gains
 * from (ports, limits, restarts).
 */
#define FOREIGN(name)                                                          \
	{                                                                      \
		name, FT_STR, NULL, RULE_HOST_NAMESPACES, NULL,                \
		    judge_foreign_namespace                                    \
	}

static const struct field inspect_host_config_rows[] = {
	RULED("Privileged", FT_BOOL, RULE_PRIVILEGED),
	{ "Binds", FT_STRS, NULL, RULE_HOST_PATHS, NULL, judge_binds },
	{ "Mounts", FT_OBJS, NULL, RULE_HOST_PATHS, NULL, judge_mounts },
	{ "Tmpfs", FT_STRMAP, NULL, RULE_MOUNT_TARGET, NULL, judge_tmpfs },
	RULED("CapAdd", FT_STRSLICE, RULE_CAPABILITIES),
	{ "Devices", FT_OBJS, NULL, RULE_DEVICES, NULL, judge_devices },
	RULED("DeviceRequests", FT_OBJS, RULE_DEVICES),
	RULED("DeviceCgroupRules", FT_STRS, RULE_DEVICES),
	FOREIGN("NetworkMode"),
	FOREIGN("PidMode"),
	FOREIGN("IpcMode"),
	FOREIGN("UTSMode"),
	FOREIGN("UsernsMode"),
	{ "SecurityOpt", FT_STRS, NULL, RULE_SECURITY_OPTIONS,
	    ALLOW("no-new-privileges", "no-new-privileges:true",
		"no-new-privileges=true"),
	    NULL },
	{ "MaskedPaths", FT_STRS, NULL, RULE_MASKED_PATHS, NULL,
	    judge_empty_list },
	{ "ReadonlyPaths", FT_STRS, NULL, RULE_MASKED_PATHS, NULL,
	    judge_empty_list },
};
static const struct fields inspect_host_config =
    TABLE(inspect_host_config_rows);

static const struct field inspect_rows[] = {
	SUB("HostConfig", FT_OBJ, inspect_host_config),
	{ "Mounts", FT_OBJS, NULL, RULE_HOST_PATHS, NULL, judge_mount_points },
};
const struct fields fields_inspect = TABLE(inspect_rows);

static_assert(
    sizeof(host_config_rows) / sizeof(host_config_rows[0]) <= FIELDS_MAX,
    "the largest table");
