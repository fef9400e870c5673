/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_FD_MESSAGE_H
#define PROXY_FD_MESSAGE_H

/*
 * One datagram that brings a descriptor along or none (unix(7), SCM_RIGHTS).
 */
#include <stddef.h>
#include <sys/types.h>

/* fd: -1: none.  flags: send(2)'s; no signal whatever they are.  As
 * sendmsg(2). */
ssize_t fd_message_send(int sock, const void *p, size_t len, int fd, int flags);

/*
 * As recvmsg(2).  *fd: what came along, closed on exec, the caller's; -1:
 * none.  Who sends more than one gets none through: each is closed.
 */
ssize_t fd_message_receive(int sock, void *p, size_t len, int *fd, int flags);

#endif
