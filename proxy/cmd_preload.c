/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv preload: gives dockerd the image archives of a folder, each once.
 *
 * The entrypoint runs it before the gate, so that whoever reaches the port
 * finds the images; in a process of its own, because loading blocks and what
 * is process 1 must not.
 */
#include "cmd.h"
#include "flags.h"
#include "preload.h"

int
cmd_preload(int argc, char **argv)
{
	struct preload p = { .dir = PRELOAD_DIR,
		.socket = "/var/run/docker.sock",
		.stamp = "/var/lib/docker/" PRELOAD_STAMP };
	const struct flag flags[] = {
		{ "dir", FLAG_STRING, &p.dir, "DIR",
		    "where the archives are: *.tar, *.tar.gz" },
		{ "socket", FLAG_STRING, &p.socket, "PATH",
		    "dockerd's unix socket" },
		{ "stamp", FLAG_STRING, &p.stamp, "FILE",
		    "what was loaded; it belongs beside the images" },
	};
	const struct flag_set set = {
		.usage = "dinv preload [flags]",
		.about = "Loads every image archive of a folder that was not "
			 "loaded before.\nStatus 0: all are there; 1: the log "
			 "says which are not.",
		.flag = flags,
		.n = NELEM(flags),
	};
	int status = flags_start(&set, &argc, argv, NULL);

	return status >= 0 ? status : preload_run(&p) ? 0 : 1;
}
