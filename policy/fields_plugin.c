/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of plugin operations and of a checkpoint, of all API versions
 * from 1.25 to 1.56 (moby api/types); see fields.h for the columns.
 *
 * A plugin is a program that dockerd runs as root with what it was granted:
 * mounts of the host, devices, its network, all capabilities.  PluginPull and
 * PluginUpgrade carry the list of what is granted, so every entry is the rule;
 * PluginSet changes mounts, devices and arguments of one that is there.  These
 * three bodies are lists and no objects.
 *
 * Attackers grant "mount" of "/", or set another source for a mount that the
 * owner granted; a checkpoint is written into a folder of the host.
 */
#include "fields_rows.h"

static const struct field privilege_rows[] = {
	PLAIN("Name", FT_STR),
	PLAIN("Description", FT_STR),
	PLAIN("Value", FT_STRS),
};
const struct fields fields_plugin_privilege = TABLE(privilege_rows);

static const struct field granted = JUDGED_SUB(
    "", FT_OBJS, fields_plugin_privilege, RULE_PLUGINS, judge_not_empty);
const struct fields fields_plugin_privileges = WHOLE(granted);

static const struct field settings =
    JUDGED("", FT_STRS, RULE_PLUGINS, judge_not_empty);
const struct fields fields_plugin_set = WHOLE(settings);

static const struct field checkpoint_create_rows[] = {
	RULED("CheckpointID", FT_STR, RULE_CHECKPOINTS),
	RULED("CheckpointDir", FT_STR, RULE_HOST_PATHS),
	PLAIN("Exit", FT_BOOL),
};
const struct fields fields_checkpoint_create = TABLE(checkpoint_create_rows);
