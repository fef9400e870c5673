/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_RENEWAL_H
#define PROXY_RENEWAL_H

/*
 * What a running gate does about certificates that will expire: it warns, and
 * where the CA's key is, it has them renewed by a process of its own.
 */
#include <sys/types.h>
#include <time.h>

#include "base/span.h"

#define RENEWAL_LOOK_S 60   /* between two looks */
#define RENEWAL_AGAIN_S 300 /* between two attempts */

enum renewal_file { RENEWAL_SERVER = 0, RENEWAL_CA, RENEWAL_LIST, RENEWAL_N };

struct renewal {
	const char *dir, *ca_pass, *key_pass;
	pid_t child; /* 0: none */
	time_t next_look, next_try;
	unsigned level[RENEWAL_N]; /* what was warned of, see below */
};

/* ca_pass, key_pass: the files with the passphrases of the CA's key and of the
 * server's, or NULL. */
void renewal_init(struct renewal *r, const char *dir, const char *ca_pass,
    const char *key_pass);

/* Called often; looks once a minute.  Never waits. */
void renewal_tick(struct renewal *r);

/* The next tick looks, whenever the last one did. */
void renewal_soon(struct renewal *r);

/* Can this process reach the CA's key?  It is not opened. */
bool renewal_has_ca_key(const char *dir);

/*
 * How loud to warn of an end that is so many seconds away: 0 not at all, then
 * 1 for the last thirty days, 2 for seven, 3 for one, 4 once it is over.
 */
unsigned renewal_level(time_t left);

#endif
