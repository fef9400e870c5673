/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CMD_H
#define PROXY_CMD_H

/*
 * The commands.  Each takes argv with its own name at [0] ("gate"), and
 * returns the exit status: 0, 1 for a failure explained in one line on
 * standard error, 2 for wrong usage.
 */
int cmd_gate(int argc, char **argv); /* dinv gate: cmd_gate.c */
int cmd_audit(int argc, char **argv);
int cmd_enroll(int argc, char **argv);	/* dinv enroll: cmd_enroll.c */
int cmd_cert(int argc, char **argv);	/* dinv cert ...: cmd_cert.c */
int cmd_policy(int argc, char **argv);	/* dinv policy ...: cmd_policy.c */
int cmd_preload(int argc, char **argv); /* dinv preload: cmd_preload.c */
int cmd_health(int argc, char **argv);	/* dinv health: cmd_health.c */
int cmd_reload(int argc, char **argv);	/* dinv reload: cmd_reload.c */
int cmd_status(int argc, char **argv);	/* dinv status: cmd_status.c */
int cmd_entry(int argc, char **argv);	/* dinv [flags]: cmd_entry.c */

/* cmd_learn.c */
int policy_cmd_learn(int argc, char **argv);

#endif
