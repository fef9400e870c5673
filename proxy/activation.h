/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ACTIVATION_H
#define PROXY_ACTIVATION_H

/*
 * Sockets that systemd has opened for this process (sd_listen_fds(3)), so
 * that a port is there before the gate is, and while it is started anew.
 */
#include "addr.h"
#include "flags.h"

#define ACTIVATION_MAX 16

struct activation {
	struct activation_socket {
		int fd;	    /* -1: activation_claim() has given it away */
		bool named; /* by a word of the list */
		char name[256];
		struct addr addr; /* where it listens */
	} socket[ACTIVATION_MAX];
	size_t n;
};

/*
 * activation_take() -- what was passed to this process.
 *
 * Removes the variables from the environment whatever they say, so that no
 * child of ours takes them for its own.  Before threads start, once.
 *
 * ERR_OK; out->n is 0 where nothing was passed, or not to us.  ERR_SYNTAX,
 * ERR_LIMIT: the variables or a descriptor are not what they should be; d says
 * which.  Each socket is a listening stream of IPv4, IPv6 or a unix socket,
 * close-on-exec and non-blocking.
 */
enum err activation_take(struct activation *out, struct diag *d) MUST_USE;

/*
 * activation_name() -- puts addresses in the place of "fd://" (all sockets
 * that were passed; so does a star behind it, as dockerd has it) and
 * "fd://NAME" (those of that name, FileDescriptorName= in the socket unit).
 *
 * The addresses borrow from a.  ERR_USAGE with d set: there is no such socket,
 * or one was passed that no word of the list takes; ERR_NOMEM.
 */
enum err activation_name(
    struct activation *a, struct str_list *listen, struct diag *d) MUST_USE;

/* Was one passed for that address, claimed or not? */
bool activation_has(const struct activation *a, const char *url);

/*
 * on: this very process, as another program, shall be passed the same ones;
 * where they were claimed, that has to have been in another process.  false:
 * as before.  a may be NULL.
 */
void activation_pass(const struct activation *a, bool on);

/* The descriptor that listens at that address, which is the caller's then;
 * -1: none was passed. */
int activation_claim(struct activation *a, const char *url);

#endif
