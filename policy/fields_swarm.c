/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a swarm's own objects (secrets, configs, nodes, the swarm
 * itself, cluster volumes), of all API versions from 1.24 to 1.56 (moby
 * api/types/swarm, api/types/volume); see fields.h for the columns.
 *
 * Secrets and configs are data that services are given; what is refused is a
 * driver (a program that dockerd asks for the data) and a template (a program
 * in the data).  The operations that hand a host over (SwarmInit, NodeUpdate)
 * are refused as a whole (query.c), whatever their bodies say: an empty one
 * does the same.  Their fields are known all the same, so that a role that has
 * the rule is held to them.
 *
 * Attackers let a swarm's certificates be signed elsewhere (ExternalCAs), or
 * fetch a secret from a driver of theirs.
 */
#include "fields_rows.h"

static const struct field driver_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Options", FT_STRMAP),
};
static const struct fields driver = TABLE(driver_rows);

#define ANNOTATIONS PLAIN("Name", FT_STR), PLAIN("Labels", FT_STRMAP)

/* --- secrets and configs ------------------------------------------------- */

/* To dockerd {} is a driver too. */
static const struct field secret_rows[] = {
	ANNOTATIONS,
	PLAIN("Data", FT_STR),
	JUDGED_SUB(
	    "Driver", FT_OBJ, driver, RULE_SECRET_DRIVERS, judge_not_null),
	JUDGED_SUB(
	    "Templating", FT_OBJ, driver, RULE_SECRET_DRIVERS, judge_not_null),
};
const struct fields fields_secret = TABLE(secret_rows);

static const struct field config_rows[] = {
	ANNOTATIONS,
	PLAIN("Data", FT_STR),
	JUDGED_SUB(
	    "Templating", FT_OBJ, driver, RULE_SECRET_DRIVERS, judge_not_null),
};
const struct fields fields_config = TABLE(config_rows);

/* --- nodes and the swarm ------------------------------------------------- */

static const struct field node_rows[] = {
	ANNOTATIONS,
	PLAIN("Role", FT_STR),
	PLAIN("Availability", FT_STR),
};
const struct fields fields_node = TABLE(node_rows);

static const struct field orchestration_rows[] = {
	PLAIN("TaskHistoryRetentionLimit", FT_INT),
};
static const struct fields orchestration = TABLE(orchestration_rows);

static const struct field raft_rows[] = {
	PLAIN("SnapshotInterval", FT_INT),
	PLAIN("KeepOldSnapshots", FT_INT),
	PLAIN("LogEntriesForSlowFollowers", FT_INT),
	PLAIN("ElectionTick", FT_INT),
	PLAIN("HeartbeatTick", FT_INT),
};
static const struct fields raft = TABLE(raft_rows);

static const struct field dispatcher_rows[] = {
	PLAIN("HeartbeatPeriod", FT_INT),
};
static const struct fields dispatcher = TABLE(dispatcher_rows);

static const struct field external_ca_rows[] = {
	PLAIN("Protocol", FT_STR),
	PLAIN("URL", FT_STR),
	PLAIN("Options", FT_STRMAP),
	PLAIN("CACert", FT_STR),
};
static const struct fields external_ca = TABLE(external_ca_rows);

static const struct field ca_config_rows[] = {
	PLAIN("NodeCertExpiry", FT_INT),
	RULED_SUB("ExternalCAs", FT_OBJS, external_ca, RULE_SWARM_HOST),
	RULED("SigningCACert", FT_STR, RULE_SWARM_HOST),
	RULED("SigningCAKey", FT_STR, RULE_SWARM_HOST),
	PLAIN("ForceRotate", FT_INT),
};
static const struct fields ca_config = TABLE(ca_config_rows);

static const struct field encryption_rows[] = {
	PLAIN("AutoLockManagers", FT_BOOL),
};
static const struct fields encryption = TABLE(encryption_rows);

static const struct field task_defaults_rows[] = {
	SUB("LogDriver", FT_OBJ, fields_task_log_driver),
};
static const struct fields task_defaults = TABLE(task_defaults_rows);

static const struct field swarm_spec_rows[] = {
	ANNOTATIONS,
	SUB("Orchestration", FT_OBJ, orchestration),
	SUB("Raft", FT_OBJ, raft),
	SUB("Dispatcher", FT_OBJ, dispatcher),
	SUB("CAConfig", FT_OBJ, ca_config),
	SUB("TaskDefaults", FT_OBJ, task_defaults),
	SUB("EncryptionConfig", FT_OBJ, encryption),
};
const struct fields fields_swarm_spec = TABLE(swarm_spec_rows);

#define ADDRESSES                                                              \
	RULED("ListenAddr", FT_STR, RULE_SWARM_HOST),                          \
	    RULED("AdvertiseAddr", FT_STR, RULE_SWARM_HOST),                   \
	    RULED("DataPathAddr", FT_STR, RULE_SWARM_HOST)

static const struct field swarm_init_rows[] = {
	ADDRESSES,
	PLAIN("DataPathPort", FT_INT),
	RULED("ForceNewCluster", FT_BOOL, RULE_SWARM_HOST),
	SUB("Spec", FT_OBJ, fields_swarm_spec),
	PLAIN("AutoLockManagers", FT_BOOL),
	PLAIN("Availability", FT_STR),
	PLAIN("DefaultAddrPool", FT_STRS),
	PLAIN("SubnetSize", FT_INT),
};
const struct fields fields_swarm_init = TABLE(swarm_init_rows);

static const struct field swarm_join_rows[] = {
	ADDRESSES,
	RULED("RemoteAddrs", FT_STRS, RULE_SWARM_HOST),
	RULED("JoinToken", FT_STR, RULE_SWARM_HOST),
	PLAIN("Availability", FT_STR),
};
const struct fields fields_swarm_join = TABLE(swarm_join_rows);

static const struct field swarm_unlock_rows[] = {
	RULED("UnlockKey", FT_STR, RULE_SWARM_HOST),
};
const struct fields fields_swarm_unlock = TABLE(swarm_unlock_rows);

/* --- cluster volumes ----------------------------------------------------- */

static const struct field mount_volume_rows[] = {
	PLAIN("FsType", FT_STR),
	PLAIN("MountFlags", FT_STRS),
};
static const struct fields mount_volume = TABLE(mount_volume_rows);

static const struct field access_mode_rows[] = {
	PLAIN("Scope", FT_STR),
	PLAIN("Sharing", FT_STR),
	SUB("MountVolume", FT_OBJ, mount_volume),
	SUB("BlockVolume", FT_OBJ, fields_nothing_in),
	/* Documented in here; dockerd reads them around it. */
	PLAIN("Secrets", FT_DROP),
	PLAIN("AccessibilityRequirements", FT_DROP),
	PLAIN("CapacityRange", FT_DROP),
	PLAIN("Availability", FT_DROP),
};
static const struct fields access_mode = TABLE(access_mode_rows);

static const struct field topology_rows[] = {
	PLAIN("Segments", FT_STRMAP),
};
static const struct fields topology = TABLE(topology_rows);

static const struct field topologies_rows[] = {
	SUB("Requisite", FT_OBJS, topology),
	SUB("Preferred", FT_OBJS, topology),
};
static const struct fields topologies = TABLE(topologies_rows);

static const struct field capacity_rows[] = {
	PLAIN("RequiredBytes", FT_INT),
	PLAIN("LimitBytes", FT_INT),
};
static const struct fields capacity = TABLE(capacity_rows);

static const struct field volume_secret_rows[] = {
	PLAIN("Key", FT_STR),
	PLAIN("Secret", FT_STR),
};
static const struct fields volume_secret = TABLE(volume_secret_rows);

static const struct field cluster_volume_rows[] = {
	PLAIN("Group", FT_STR),
	SUB("AccessMode", FT_OBJ, access_mode),
	SUB("AccessibilityRequirements", FT_OBJ, topologies),
	SUB("CapacityRange", FT_OBJ, capacity),
	SUB("Secrets", FT_OBJS, volume_secret),
	PLAIN("Availability", FT_STR),
};
const struct fields fields_cluster_volume = TABLE(cluster_volume_rows);

static const struct field volume_update_rows[] = {
	JUDGED_SUB("Spec", FT_OBJ, fields_cluster_volume, RULE_VOLUME_DRIVER,
	    judge_not_null),
};
const struct fields fields_volume_update = TABLE(volume_update_rows);
