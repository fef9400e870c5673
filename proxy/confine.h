/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CONFINE_H
#define PROXY_CONFINE_H

/*
 * Gives rights away, for good: the process that faces the network keeps those
 * that serving the descriptors it has takes, and none to get others.
 * docs/threat-model.md, "Rights", lists what is left.
 */
#include <sys/types.h>

#include "base/err.h"

struct confine_user {
	bool change; /* false: we stay who we are */
	uid_t uid;
	gid_t gid;
	char name[64];
};

/*
 * Who the gate becomes.  name: as -user has it, a name or a number; NULL: the
 * user "dinv", or "nobody" where there is none.  Who is not root stays as he
 * is, and may ask for nobody else.  ERR_USAGE with d set.
 */
enum err confine_find_user(
    const char *name, struct confine_user *out, struct diag *d) MUST_USE;

/*
 * Becomes that user, without groups, capabilities or a way to get any; then no
 * file can be opened, no program started and no socket made: by Landlock where
 * the kernel has it, and by a filter of system calls, which has to be there.
 * parent: whose child this is, or 0; death: the signal for its end.
 * Before threads start.  ERR_IO with d set.
 */
enum err confine(const struct confine_user *user, pid_t parent, int death,
    struct diag *d) MUST_USE;

/* Would a build like this one be filtered?  Sanitizers cannot be. */
bool confine_filters(void);

#endif
