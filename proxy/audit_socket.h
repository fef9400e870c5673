/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_SOCKET_H
#define PROXY_AUDIT_SOCKET_H

/* Audit records to syslog (RFC 5424) or to journald's native socket. */
#include "base/err.h"

struct audit_socket;

/* "syslog:", "journal:", with or without the socket's path behind it. */
bool audit_socket_is(const char *to);
enum err audit_socket_open(
    const char *to, struct audit_socket **out, struct diag *d) MUST_USE;
void audit_socket_close(struct audit_socket *s);
/* As audit_sink_put(): whole lines are taken, or none of a line. */
int audit_socket_put(
    struct audit_socket *s, struct span lines, size_t *took, int wait_ms);

#endif
