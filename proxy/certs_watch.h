/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CERTS_WATCH_H
#define PROXY_CERTS_WATCH_H

/*
 * Notices that another process has changed a certificate directory.  Looks
 * at names, never into files.
 */
#include "base/span.h"

#define CERTS_WATCH_MS 200 /* between two looks: a revocation waits for two */

struct certs_watch {
	const char *dir;
	uint64_t told; /* what the files looked like when it was last told */
	uint64_t last; /* at the last look */
};

void certs_watch_init(struct certs_watch *w, const char *dir);

/* Have they changed since the last true, and come to rest? */
bool certs_watch_look(struct certs_watch *w) MUST_USE;

#endif
