/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_HOSTS_H
#define PROXY_HOSTS_H

/* The names and addresses by which clients may know this machine. */
#include "flags.h"

/*
 * Adds localhost, docker, the host name with its longer forms from
 * /etc/hosts, the loopback addresses and those of all interfaces (no
 * link-local IPv6).  Asks no name server, so it cannot hang.  Everything
 * that is added can stand in a certificate; doubles may occur.  Strings live
 * as long as the program.  ERR_NOMEM.
 */
enum err hosts_gather(struct str_list *out) MUST_USE;

/*
 * The same without the addresses of Docker's own bridges, which come and go
 * with its networks.
 */
enum err hosts_gather_lasting(struct str_list *out) MUST_USE;

/* docker0, docker_gwbridge, br- and twelve hexadecimal digits. */
bool hosts_is_docker_bridge(const char *interface) MUST_USE;

/*
 * For tests: adds the names that a file in the form of hosts(5) has on the
 * lines that name `name`.  A file that is not there adds nothing.
 */
enum err hosts_add_aliases(
    struct str_list *out, const char *path, const char *name) MUST_USE;

/* Frees the list and what hosts_gather() added behind the given ones. */
void hosts_free(struct str_list *list, size_t given);

#endif
