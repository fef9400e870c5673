/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_FIELDS_ROWS_H
#define POLICY_FIELDS_ROWS_H

/*
 * How rows of the field tables are written, and the tables that bodies of
 * containers and of services share: for the files with tables alone.
 */
#include "fields.h"
#include "judge.h"

#define ALLOW(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define PLAIN(name, type)                                                      \
	{                                                                      \
		name, type, NULL, RULE_NONE, NULL, NULL                        \
	}
#define SUB(name, type, sub)                                                   \
	{                                                                      \
		name, type, &sub, RULE_NONE, NULL, NULL                        \
	}
#define RULED(name, type, rule)                                                \
	{                                                                      \
		name, type, NULL, rule, NULL, NULL                             \
	}
#define LABELS                                                                 \
	{                                                                      \
		"Labels", FT_STRMAP, NULL, RULE_TENANT, NULL, judge_labels     \
	}
/* An object, or a list of them, that may hold nothing but zero values. */
#define RULED_SUB(name, type, sub, rule)                                       \
	{                                                                      \
		name, type, &sub, rule, NULL, NULL                             \
	}
#define JUDGED(name, type, rule, judge)                                        \
	{                                                                      \
		name, type, NULL, rule, NULL, judge                            \
	}
#define JUDGED_SUB(name, type, sub, rule, judge)                               \
	{                                                                      \
		name, type, &sub, rule, NULL, judge                            \
	}
#define TABLE(t)                                                               \
	{                                                                      \
		t, sizeof(t) / sizeof((t)[0]), NULL                            \
	}
/* A body that is no object but one value of this field's type. */
#define WHOLE(f)                                                               \
	{                                                                      \
		NULL, 0, &f                                                    \
	}

extern const struct fields fields_nothing_in; /* struct{} of Go */
extern const struct fields fields_mount, fields_ulimit, fields_healthcheck;
extern const struct fields fields_cluster_volume, fields_task_log_driver,
    fields_plugin_privilege;

#endif
