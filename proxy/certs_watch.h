/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CERTS_WATCH_H
#define PROXY_CERTS_WATCH_H

/*
 * Notices that another process has changed a certificate directory.  Looks
 * at names, never into files.
 */
#include "base/span.h"

#define CERTS_WATCH_MS 200 /* between two looks: a revocation waits for two */
#define CERTS_WATCH_RESTLESS 5 /* looks, each of which finds another change */
#define CERTS_WATCH_AGAIN 25   /* looks, from what came to nothing */

struct certs_watch {
	const char *dir;
	uint64_t told; /* what the files looked like when it was last told */
	uint64_t last; /* at the last look */
	unsigned restless; /* looks that found them changing */
	unsigned again;	   /* looks until they are told once more; 0: never */
};

/* A number that stands for what the files look like from outside, for who may
 * see them; watchers ask for it by keeper_look(). */
uint64_t certs_look(const char *dir);

void certs_watch_init(struct certs_watch *w, const char *dir);

/* Have they changed since the last true, and come to rest?  Where they do not,
 * they are told all the same before long. */
bool certs_watch_look(struct certs_watch *w) MUST_USE;

/* What was told could not be used: it is told again, changed or not. */
void certs_watch_failed(struct certs_watch *w);

#endif
