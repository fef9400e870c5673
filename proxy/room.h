/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ROOM_H
#define PROXY_ROOM_H

/*
 * Room for a dockerd in a container: what the outer Docker mounts read-only
 * there, and what cgroup v2 wants arranged.
 */
#include "base/err.h"

/* Is this a container, as Docker, Podman or Kubernetes start one? */
bool room_is_container(void);

/*
 * Mounts /proc/sys and what is in /sys/fs/cgroup anew, to be written, where
 * it is read-only and the capabilities allow it.  Says so in the log; what
 * still is read-only afterwards is for needs_are_met() to tell.
 */
void room_unlock(void);

/*
 * One line of proc_pid_mountinfo(5): sets path (unescaped; at least 256
 * bytes) and returns true where that mount has to be unlocked.
 */
bool room_is_locked(const char *line, char *path, size_t size) MUST_USE;

/*
 * Empties dockerd's exec-root of what a killed life of this container left
 * there: ids of processes that are gone, and that others have now.  Only
 * where we are the container's first process, or its init's child, so that
 * nobody can be using it.
 */
void room_forget(const char *exec_root);

/* The same without looking who we are: for tests. */
void room_forget_anyway(const char *exec_root);

/*
 * cgroup v2: moves every process of the group at root into a group "init"
 * below it and hands all controllers down, because a group that hands
 * controllers down may hold no processes itself.  ERR_OK also where root is
 * no cgroup v2; ERR_IO (errno).
 */
enum err room_nest(const char *root) MUST_USE;

/* The same without looking whether root is a cgroup v2: for tests. */
enum err room_nest_anyway(const char *root) MUST_USE;

#endif
