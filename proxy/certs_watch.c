/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate directory that others change; see certs_watch.h.
 *
 * A revocation must not wait for somebody to send a signal: the command runs
 * in another container, which sees the directory and not our process.  So
 * four names are looked at, five times a second, for 10 us of system calls
 * each time.  One look without a change has to follow, because what belongs
 * together is written one file after the other.  Who revokes one after the
 * other all day does not hold back what he has revoked: after a second the
 * files are told as they stand.  What could not be used is told again, because
 * the reason may be ours (no descriptor was left), and nobody would come back
 * to a revocation that was missed.
 *
 * Rejected: inotify(7), which says nothing of changes that another machine
 * makes on a network file system, and which a full queue silences.
 */
#include "certs_watch.h"

#include <stdio.h>
#include <sys/stat.h>

#include "keeper.h"

/* Not the ledger, which changes with each certificate that is issued: after a
 * revocation there is a new list. */
static const char *const names[] = { "ca.crt", "crl.pem", "docker.crt",
	"docker.key" };

/* FNV-1a: no secret, no enemy. */
static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (; n > 0; n--) {
		h = (h ^ *b++) * 0x100000001b3u;
	}
	return h;
}

/* What the files look like from outside. */
uint64_t
certs_look(const char *dir)
{
	uint64_t h = 0xcbf29ce484222325u;
	char path[4096];
	struct stat st;
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (stat(path, &st) == -1) {
			h = mix(h, "", 1);
			continue;
		}
		h = mix(h, &st.st_dev, sizeof(st.st_dev));
		h = mix(h, &st.st_ino, sizeof(st.st_ino));
		h = mix(h, &st.st_size, sizeof(st.st_size));
		h = mix(h, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
		h = mix(h, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
	}
	return h;
}

void
certs_watch_init(struct certs_watch *w, const char *dir)
{
	w->dir = dir;
	w->told = w->last = keeper_look(dir);
	w->restless = w->again = 0;
}

bool
certs_watch_look(struct certs_watch *w)
{
	uint64_t now = keeper_look(w->dir);
	bool rests = now == w->last, again = w->again == 1;

	w->restless = rests ? 0 : w->restless + 1;
	w->last = now;
	w->again -= w->again > 0;
	if ((!rests && w->restless < CERTS_WATCH_RESTLESS) ||
	    (now == w->told && !again)) {
		return false;
	}
	w->told = now;
	w->restless = w->again = 0;
	return true;
}

void
certs_watch_failed(struct certs_watch *w)
{
	w->again = CERTS_WATCH_AGAIN;
}
