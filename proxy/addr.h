/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ADDR_H
#define PROXY_ADDR_H

/*
 * Addresses as docker writes them: tcp://0.0.0.0:2376, tcp://[::]:2376,
 * unix:///var/run/docker.sock.  Numeric only: the gate looks up no names.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/err.h"

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_storage ss;
		struct sockaddr_un un;
	};
	socklen_t len;
	char text[128]; /* "tcp://0.0.0.0:2376", for messages */
};

enum err addr_parse(const char *url, struct addr *out, struct diag *d) MUST_USE;

/* Is this the text of a unix socket's address? */
bool addr_is_unix(const char *url);

/*
 * A listening socket, non-blocking and close-on-exec.  TCP: SO_REUSEPORT, so
 * that each worker has its own.  Unix: a stale socket file is removed, one
 * that answers is not.
 */
enum err addr_listen(const struct addr *a, int *fd, struct diag *d) MUST_USE;

/* Another program that shares the port by SO_REUSEPORT would take a part of
 * the connections: ERR_IO if there is one.  Nothing listens after it. */
enum err addr_probe_port(const struct addr *a, struct diag *d) MUST_USE;

/* As addr_listen(), for one thread alone: no other program may share a port,
 * and a unix socket has this mode from its first moment.  Before threads start.
 */
enum err addr_listen_alone(
    const struct addr *a, mode_t mode, int *fd, struct diag *d) MUST_USE;

/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);

/* "192.0.2.1:50000", "[2001:db8::1]:50000" or "unix".  An IPv4 client of a
 * socket that takes both is an IPv4 client (RFC 4291 2.5.5.2). */
void addr_print_peer(const struct sockaddr_storage *ss, char *out, size_t size);

/* 16 bytes that stand for the host; false where there is none (unix). */
bool addr_host_key(const struct sockaddr_storage *ss, uint8_t key[16]);

#endif
