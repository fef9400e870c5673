/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CMD_AUDIT_H
#define PROXY_CMD_AUDIT_H

/* What "dinv audit" can do, one function a word; exit statuses. */
int cmd_audit_key(int argc, char **argv);
int cmd_audit_query(int argc, char **argv);
int cmd_audit_report(int argc, char **argv);
int cmd_audit_tail(int argc, char **argv);
int cmd_audit_verify(int argc, char **argv);

#endif
