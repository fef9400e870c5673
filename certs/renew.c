/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal; see renew.h.
 *
 * The key stays and only docker.crt is replaced, by one rename, so that at no
 * moment key and certificate do not belong together.  A name that was given
 * by hand years ago is in the certificate alone, so all names of the old one
 * go into the new one, behind those of today.
 *
 * "Due" is answered from public files, by a gate that does not hold the CA's
 * key; the work is done elsewhere, under the lock, by who does.
 *
 * Rejected: a new key each time (pinned clients, and two files that have to
 * change at once); replacing whatever is there (a certificate that somebody
 * put there is theirs, even if our CA has signed it).
 *
 * Attackers who can make the machine's addresses change (DHCP, router
 * advertisements) get names of their choice into a certificate for a key that
 * they do not have, and 128 of them at most.
 */
#include "renew.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "crl_publish.h"
#include "crl_set.h"
#include "file.h"
#include "renew_server.h"
#include "store.h"

#define DAY ((time_t)24 * 3600)
#define CERT_BYTES ((size_t)64 * 1024)

/* ---- is it due? -----------------------------------------------------------
 */

static bool
ends_soon(time_t from, time_t to, time_t now)
{
	time_t margin = (to - from) / 3;

	if (margin > 30 * DAY) {
		margin = 30 * DAY;
	}
	return to - now < margin;
}

/* Of those that all_hosts() would take: else it would be due for ever. */
static bool
lacks_a_host(const struct cert *c, const struct renew_request *req)
{
	struct host h;
	size_t i;

	for (i = 0; i < req->n_hosts && i < ISSUE_HOSTS_MAX; i++) {
		if (host_parse(req->hosts[i], &h, NULL) == ERR_OK &&
		    !cert_names_host(c, &h)) {
			return true;
		}
	}
	return false;
}

/* Ours: the ledger has it as a server's. */
static bool
is_ours(const struct ledger *l, const struct cert *c)
{
	const struct ledger_entry *e = ledger_find_cert(l, c);

	return e != NULL && e->kind == LEDGER_SERVER;
}

static bool
server_is_due(const struct renew_request *req, const struct ledger *l)
{
	char path[STORE_PATH_SIZE];
	struct cert *c = NULL;
	time_t from, to;
	bool due = false;

	if (store_path(req->dir, STORE_SERVER_CERT, path, sizeof(path)) !=
		ERR_OK ||
	    cert_load(path, "", &c, NULL) != ERR_OK) {
		return false;
	}
	if (is_ours(l, c)) {
		cert_validity(c, &from, &to);
		due = ends_soon(from, to, req->now) || lacks_a_host(c, req);
	}
	cert_free(c);
	return due;
}

static bool
crl_is_due(const struct renew_request *req, const struct ledger *l)
{
	struct crl_set *set = NULL;
	bool due = false;

	if (l->crl_number == 0 ||
	    crl_set_load(req->dir, &set, NULL) != ERR_OK || set == NULL) {
		return false; /* not ours; or broken, which is the operator's */
	}
	due = crl_set_ends(set) - req->now <
	      (crl_set_ends(set) - crl_set_begins(set)) / 2;
	crl_set_free(set);
	return due;
}

unsigned
renew_due(const struct renew_request *req)
{
	struct ledger l;
	unsigned due = 0;

	ledger_init(&l);
	if (ledger_load(&l, req->dir, NULL) == ERR_OK) {
		due |= server_is_due(req, &l) ? RENEW_SERVER : 0;
		due |= crl_is_due(req, &l) ? RENEW_CRL : 0;
	}
	ledger_fini(&l);
	return due;
}

/* ---- the server ------------------------------------------------------------
 */

struct job {
	const struct renew_request *req;
	struct hold hold;
	struct ca ca;
	struct rng *rng;
	struct cert *cert; /* docker.crt as it is */
	struct key *key;   /* docker.key */
};

static enum err
load_pair(struct job *j, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	enum err rc;

	rc = store_path(j->req->dir, STORE_SERVER_CERT, path, sizeof(path));
	if (rc == ERR_OK) {
		rc = cert_load(path, "docker.crt", &j->cert, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	if (!is_ours(&j->hold.ledger, j->cert)) {
		diag_set(d, 0, 0,
		    "docker.crt was not made here (it is not in issued.tsv), "
		    "and is not replaced: remove it to have one made");
		return ERR_EXISTS;
	}
	rc = store_path(j->req->dir, STORE_SERVER_KEY, path, sizeof(path));
	return rc != ERR_OK ? rc
			    : key_load_with(path, "docker.key",
				  j->req->server_pass, j->rng, &j->key, d);
}

/* The hosts of now, then what the old certificate has, as far as they fit. */
static size_t
all_hosts(const struct job *j, struct host *old, const char **to)
{
	size_t i, k, n = 0, n_old = cert_hosts(j->cert, old, ISSUE_HOSTS_MAX);
	struct host h;

	for (i = 0; i < j->req->n_hosts && n < ISSUE_HOSTS_MAX; i++) {
		to[n++] = j->req->hosts[i];
	}
	for (i = 0; i < n_old && n < ISSUE_HOSTS_MAX; i++) {
		for (k = 0; k < n; k++) {
			if (host_parse(to[k], &h, NULL) == ERR_OK &&
			    host_equal(&h, &old[i])) {
				break;
			}
		}
		if (k == n) {
			to[n++] = old[i].text;
		}
	}
	return n;
}

/* The key that signs for the server: during a rollover, that of the CA that
 * all clients know. */
static const struct key *
server_signer(const struct ca *ca)
{
	return ca->old != NULL ? ca->old : ca->key;
}

static enum err
issue(
    struct job *j, const struct key *signer, struct cert **out, struct diag *d)
{
	struct host *old = calloc(ISSUE_HOSTS_MAX, sizeof(*old));
	const char *hosts[ISSUE_HOSTS_MAX];
	struct issue_server req = {
		.by = { j->ca.cert, signer },
		.key = j->key,
		.hosts = hosts,
		.now = j->req->now,
	};
	enum err rc;

	if (old == NULL) {
		return ERR_NOMEM;
	}
	req.n_hosts = all_hosts(j, old, hosts);
	rc = issue_server(j->rng, &req, out, d);
	free(old);
	return rc;
}

/* Into the ledger, then in place of the old one. */
static enum err
publish(struct job *j, const struct key *signer, const struct cert *c,
    struct diag *d)
{
	struct ledger_entry *e;
	char id[ISSUE_ID_SIZE];
	struct buf pem;
	enum err rc;

	buf_init(&pem, CERT_BYTES);
	rc = cert_to_pem(c, &pem);
	if (rc == ERR_OK) {
		rc = issue_id(signer, id);
	}
	if (rc == ERR_OK) {
		rc = ledger_add(&j->hold.ledger, c, LEDGER_SERVER, id, &e, d);
	}
	if (rc == ERR_OK) {
		rc = ledger_save(&j->hold.ledger, j->hold.dir_fd, d);
	}
	if (rc == ERR_OK) {
		rc = file_replace(j->hold.dir_fd,
		    store_file_name(STORE_SERVER_CERT), 0644, buf_span(&pem));
		if (rc != ERR_OK) {
			diag_set(d, 0, 0, "docker.crt cannot be written: %s",
			    rc == ERR_IO ? strerror(errno) : err_text(rc));
		}
	}
	buf_fini(&pem);
	return rc;
}

static enum err
make_server(struct job *j, const struct key *signer, struct diag *d)
{
	struct cert *c = NULL;
	enum err rc = load_pair(j, d);

	if (rc == ERR_OK) {
		rc = issue(j, signer, &c, d);
	}
	if (rc == ERR_OK) {
		rc = publish(j, signer, c, d);
	}
	cert_free(c);
	return rc;
}

enum err
renew_server(const struct renew_request *req, struct hold *hold,
    const struct ca *ca, const struct key *signer, struct diag *d)
{
	struct job j = { .req = req, .hold = *hold, .ca = *ca };
	enum err rc = rng_new(&j.rng);

	if (rc == ERR_OK) {
		rc = make_server(&j, signer, d);
	}
	*hold = j.hold; /* the ledger has grown */
	cert_free(j.cert);
	key_free(j.key);
	rng_free(j.rng);
	return rc;
}

static enum err
make(const struct renew_request *req, unsigned what, struct hold *hold,
    struct diag *d)
{
	struct ca ca = { NULL, NULL, NULL };
	struct rng *r = NULL;
	enum err rc;

	rc = rng_new(&r);
	if (rc == ERR_OK) {
		rc = ca_load_with(&ca, req->dir, req->key_pass, r, d);
	}
	if (rc == ERR_OK && (what & RENEW_SERVER) != 0) {
		rc = renew_server(req, hold, &ca, server_signer(&ca), d);
	}
	if (rc == ERR_OK && (what & RENEW_CRL) != 0) {
		rc = crl_publish(hold, &ca, r, CRL_DAYS, req->now, d);
	}
	ca_fini(&ca);
	rng_free(r);
	return rc;
}

enum err
renew_make(const struct renew_request *req, unsigned what, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct hold hold;
	char dir[64];
	enum err rc;

	rc = hold_open(&hold, req->dir, &why);
	if (rc == ERR_OK) {
		rc = make(req, what, &hold, &why);
	}
	hold_close(&hold);
	if (rc != ERR_OK) {
		text_escape(span_of(req->dir), dir, sizeof(dir));
		diag_set(d, 0, 0, "%s: %s", dir,
		    why.text[0] == '\0' ? err_text(rc) : why.text);
	}
	return rc;
}
