/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_NEEDS_H
#define PROXY_NEEDS_H

/*
 * What a container has to be given before a dockerd can run in it, and the
 * words of docker run that give it.
 */
#include "base/err.h"

/* What was found; every errno is 0 where the thing can be done. */
struct needs_seen {
	uint64_t caps;	   /* bit n: capability n is effective and bounding */
	int mount_errno;   /* mount(2) in a mount namespace of one's own */
	int pivot_errno;   /* pivot_root(2) is let through */
	int keyring_errno; /* keyctl(2) is let through */
	int cgroup_errno;  /* making a group in /sys/fs/cgroup */
	int forward_errno; /* having /proc/sys/net/ipv4/ip_forward at 1 */
	bool seccomp;	   /* a filter is in force */
	char apparmor[64]; /* the profile; "" where there is none */
};

/* One thing that is missing: for people, and for docker run. */
struct needs_gap {
	char what[256];
	char add[512]; /* --cap-add for all of them fits */
};

#define NEEDS_GAPS_MAX 6

/* Looks; changes nothing that lasts.  Before any thread is started. */
void needs_look(struct needs_seen *out);

/* How many gaps there are; 0: a dockerd can run. */
size_t needs_judge(
    const struct needs_seen *seen, struct needs_gap gap[NEEDS_GAPS_MAX]);

/* Both, with a log line for each gap and one that says what to add; false
 * where there is a gap. */
bool needs_are_met(void) MUST_USE;

#endif
