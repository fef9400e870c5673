/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_SOCKETS_H
#define PROXY_SOCKETS_H

/*
 * Listening sockets of the whole process.  The gate opens them while it may,
 * its master keeps them: a gate that is started in an old one's place listens
 * at the very same ones, so that nobody who knocks meanwhile is turned away.
 * Before threads start, all of this.
 */
#include "addr.h"

#define SOCKETS_MAX 512

struct kept_socket {
	int fd;
	unsigned number; /* of those that share one address */
	bool wanted;	 /* by the newest gate */
	bool new;	 /* opened by this very process */
	struct addr addr;
};

/* As addr_listen() and addr_listen_alone(), but one that is kept already is
 * not opened again.  *fd is the caller's. */
enum err sockets_listen(
    const struct addr *a, unsigned number, int *fd, struct diag *d) MUST_USE;
enum err sockets_listen_alone(
    const struct addr *a, mode_t mode, int *fd, struct diag *d) MUST_USE;

/* Is there one at that address?  Then nothing need be asked of the port. */
bool sockets_has(const struct addr *a);

/* Takes fd, which another process or program has opened, or closes it where
 * it is kept already.  ERR_SYNTAX, ERR_LIMIT: not taken. */
enum err sockets_take(
    int fd, unsigned number, const char *url, bool wanted) MUST_USE;

/* A new gate will say which of them it wants. */
void sockets_want_none(void);
/* Closes those that no gate wants any more. */
void sockets_close_unwanted(void);

/* All of them; *n: how many. */
const struct kept_socket *sockets_all(size_t *n);

/* In a gate that could not be started: what it has opened is taken back. */
void sockets_undo(void);
/* In a gate that could: the master keeps them. */
void sockets_forget(void);
/* In the master: closes all, but those at this address (NULL: none); the files
 * of unix sockets go too. */
void sockets_end(const struct addr *but);

#endif
