/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that will expire, seen from the gate; see renewal.h.
 *
 * The gate faces the network and must not hold the CA's key, so it starts
 * "dinv cert renew -due" and goes on; what that has made, certs_watch.c
 * notices.
 *
 * An attempt that came to nothing is repeated after five minutes, not at
 * once: what stands in its way (a full disk, a directory that is mounted
 * read-only) seldom goes within one.
 *
 * Rejected: renewing in a thread (the key would be in our memory); leaving it
 * to cron (in a container there is none).
 */
#include "renewal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/cert.h"
#include "certs/crl_set.h"
#include "certs/renew.h"
#include "certs/store.h"
#include "hosts.h"
#include "log.h"
#include "spawn.h"

#define DAY_S 86400

/* name, and what is to be done about it, by enum renewal_file */
static const struct {
	const char *name;
	const char *cure;
} files[RENEWAL_N] = {
	[RENEWAL_SERVER] = { "docker.crt", "dinv cert renew -server" },
	[RENEWAL_CA] = { "ca.crt", "dinv cert rollover" },
	[RENEWAL_LIST] = { "crl.pem", "dinv cert crl -renew" },
};

void
renewal_init(struct renewal *r, const char *dir, const char *ca_pass,
    const char *key_pass)
{
	memset(r, 0, sizeof(*r));
	r->dir = dir;
	r->ca_pass = ca_pass;
	r->key_pass = key_pass;
}

void
renewal_soon(struct renewal *r)
{
	r->next_look = r->next_try = 0;
}

bool
renewal_has_ca_key(const char *dir)
{
	char path[STORE_PATH_SIZE];

	return store_path(dir, STORE_CA_KEY, path, sizeof(path)) == ERR_OK &&
	       access(path, R_OK) == 0;
}

unsigned
renewal_level(time_t left)
{
	if (left <= 0) {
		return 4;
	}
	if (left <= DAY_S) {
		return 3;
	}
	return left <= 7 * DAY_S ? 2 : left <= 30 * DAY_S ? 1 : 0;
}

/* ---- warnings --------------------------------------------------------------
 */

/* Once at each level, and again after it has sunk. */
static void
warn(struct renewal *r, enum renewal_file f, time_t end, time_t now)
{
	unsigned level = renewal_level(end - now);
	char date[32] = "?";
	struct tm tm;

	if (level <= r->level[f]) {
		r->level[f] = level;
		return;
	}
	r->level[f] = level;
	if (gmtime_r(&end, &tm) != NULL) {
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	if (level == 4) {
		log_error("%s has expired: %s at=%s", files[f].name,
		    files[f].cure, date);
	} else {
		log_warn("%s expires in %lld days or less: %s at=%s",
		    files[f].name,
		    level == 3	 ? 1LL
		    : level == 2 ? 7LL
				 : 30LL,
		    files[f].cure, date);
	}
}

/* When the first of the chain's certificates ends. */
static time_t
first_end(const struct cert *c)
{
	time_t from, to, first = 0;

	for (; c != NULL; c = cert_next(c)) {
		cert_validity(c, &from, &to);
		first = first == 0 || to < first ? to : first;
	}
	return first;
}

static void
warn_of_certs(
    struct renewal *r, enum store_file file, enum renewal_file f, time_t now)
{
	char path[STORE_PATH_SIZE];
	struct cert *c = NULL;

	if (store_path(r->dir, file, path, sizeof(path)) == ERR_OK &&
	    cert_load(path, "", &c, NULL) == ERR_OK) {
		warn(r, f, first_end(c), now);
	}
	cert_free(c);
}

static void
warn_of_all(struct renewal *r, time_t now)
{
	struct crl_set *set = NULL;

	warn_of_certs(r, STORE_SERVER_CERT, RENEWAL_SERVER, now);
	warn_of_certs(r, STORE_CA_CERT, RENEWAL_CA, now);
	if (crl_set_load(r->dir, &set, NULL) == ERR_OK && set != NULL) {
		warn(r, RENEWAL_LIST, crl_set_ends(set), now);
	}
	crl_set_free(set);
}

/* ---- renewal ---------------------------------------------------------------
 */

static bool
is_due(const struct renewal *r, time_t now)
{
	struct str_list hosts = { NULL, 0 };
	struct renew_request req = { .dir = r->dir, .now = now };
	bool due = false;

	if (hosts_gather_lasting(&hosts) == ERR_OK) {
		req.hosts = hosts.item;
		req.n_hosts = hosts.n;
		due = renew_due(&req) != 0;
	}
	hosts_free(&hosts, 0);
	return due;
}

static void
start(struct renewal *r)
{
	const char *argv[12] = { "dinv", "cert", "renew", "-due", "-certs",
		r->dir };
	size_t n = 6;

	if (r->ca_pass != NULL) {
		argv[n++] = "-key-pass-file";
		argv[n++] = r->ca_pass;
	}
	if (r->key_pass != NULL) {
		argv[n++] = "-server-pass-file";
		argv[n] = r->key_pass;
	}
	if (spawn_self(argv, -1, -1, &r->child) != ERR_OK) {
		r->child = 0;
		log_warn("certificates are due, but nothing could be started "
			 "to renew them: %s",
		    strerror(errno));
		return;
	}
	log_info("renewing certificates that are due certs=%s", r->dir);
}

static void
reap(struct renewal *r)
{
	int status;

	if (r->child == 0 || waitpid(r->child, &status, WNOHANG) == 0) {
		return;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		log_warn("certificates were not renewed: what was said above "
			 "stands in the way");
	}
	r->child = 0;
}

void
renewal_tick(struct renewal *r)
{
	time_t now = time(NULL);

	reap(r);
	/* A clock that was set back is no reason to sleep for years. */
	if (now < r->next_look && r->next_look - now <= RENEWAL_LOOK_S) {
		return;
	}
	r->next_look = now + RENEWAL_LOOK_S;
	warn_of_all(r, now);
	if (r->child != 0 || !renewal_has_ca_key(r->dir) ||
	    (now < r->next_try && r->next_try - now <= RENEWAL_AGAIN_S) ||
	    !is_due(r, now)) {
		return;
	}
	r->next_try = now + RENEWAL_AGAIN_S;
	start(r);
}
