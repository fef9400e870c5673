/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_PRELOAD_H
#define PROXY_PRELOAD_H

/*
 * Image archives that lie beside a dockerd, given to it once.
 */
#include "base/err.h"

#define PRELOAD_DIR "/var/lib/dinv/preload"
#define PRELOAD_STAMP "dinv-preloaded" /* in dockerd's data folder */

struct preload {
	const char *dir;    /* *.tar, *.tar.gz: what docker save writes */
	const char *socket; /* dockerd's, a path */
	const char *stamp;  /* the file that says what was loaded */
};

/* Is there an archive in dir? */
bool preload_has_archives(const char *dir) MUST_USE;

/*
 * Loads, by name, every archive that the stamp file does not know with its
 * size and time.  Blocks.  Logs progress and every failure; goes on with the
 * next after one.  True where nothing failed.
 */
bool preload_run(const struct preload *p) MUST_USE;

#endif
