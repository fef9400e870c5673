/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's certificate anew; see renew_client.h.
 *
 * The certificate that is there says whose key it is and what he may be
 * called: nothing is asked for but the time.  One that was revoked is not
 * renewed, or taking back would mean nothing; nor is one that the ledger does
 * not know.  An expired one is: its holder was not told to go.
 *
 * The CA's certificates are written first: during a rollover a client needs
 * the new ones no later than its new certificate.
 *
 * Attackers who put another's certificate beside their own key fail at the
 * comparison of the two.
 */
#include "renew_client.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ca.h"
#include "file.h"
#include "hold.h"
#include "issue.h"
#include "store.h"

#define PEM_BYTES ((size_t)4 * 1024 * 1024)

struct job {
	const struct renew_client_request *req;
	struct hold hold;
	struct ca ca;
	struct rng *rng;
	struct key *key;
	struct cert *old;
	const char *cert_name; /* as messages and files have it */
	const char *units[ISSUE_UNITS_MAX];
	size_t n_units;
	struct arena arena;
};

static enum err
load_pair(struct job *j, struct diag *d)
{
	bool own = j->req->out == NULL;
	const char *dir = own ? j->req->dir : j->req->out;
	const char *key_name = own ? "docker-client.key" : "key.pem";
	char path[STORE_PATH_SIZE];
	enum err rc;
	int n;

	j->cert_name = own ? "docker-client.crt" : "cert.pem";
	n = snprintf(path, sizeof(path), "%s/%s", dir, j->cert_name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		return ERR_LIMIT;
	}
	rc = cert_load(path, j->cert_name, &j->old, d);
	if (rc == ERR_NOTFOUND) {
		diag_set(d, 0, 0,
		    "there is no %s: give -out the directory that dinv cert "
		    "issue made",
		    j->cert_name);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, key_name);
	rc = key_load(path, key_name, j->rng, &j->key, d);
	if (rc == ERR_OK && !cert_matches_key(j->old, j->key, j->rng)) {
		diag_set(
		    d, 0, 0, "%s is not the key of %s", key_name, j->cert_name);
		rc = ERR_CERT_MISMATCH;
	}
	return rc;
}

/* The ledger's word on the certificate. */
static enum err
check_entry(const struct job *j, const struct ledger_entry *e, struct diag *d)
{
	if (e == NULL || e->kind != LEDGER_CLIENT) {
		diag_set(d, 0, 0,
		    "%s was not issued here (it is not in issued.tsv)",
		    j->cert_name);
		return ERR_NOTFOUND;
	}
	if (e->state != LEDGER_VALID) {
		diag_set(d, 0, 0,
		    "%s was revoked, and is not renewed: issue a new one",
		    j->cert_name);
		return ERR_CERT;
	}
	if (!span_is(e->name, j->req->name)) {
		diag_set(d, 0, 0, "%s is that of another name", j->cert_name);
		return ERR_CERT_MISMATCH;
	}
	return ERR_OK;
}

static enum err
issue(struct job *j, struct cert **out, struct diag *d)
{
	const struct ledger_entry *e =
	    ledger_find_cert(&j->hold.ledger, j->old);
	struct issue_client client = {
		.by = { j->ca.cert, j->ca.key },
		.key = j->key,
		.name = j->req->name,
		.units = j->units,
		.days = j->req->days,
		.hours = j->req->hours,
		.now = j->req->now,
	};
	enum err rc = check_entry(j, e, d);

	if (rc == ERR_OK) {
		rc = ledger_units(e->units, &j->arena, j->units,
		    ISSUE_UNITS_MAX, &j->n_units);
	}
	if (rc == ERR_OK && e->org.len > 0) {
		client.org = arena_dup(&j->arena, e->org);
		rc = client.org == NULL ? ERR_NOMEM : ERR_OK;
	}
	client.n_units = j->n_units;
	return rc == ERR_OK ? issue_client(j->rng, &client, out, d) : rc;
}

static enum err
record(struct job *j, const struct cert *c, struct diag *d)
{
	struct ledger_entry *e;
	char id[ISSUE_ID_SIZE];
	enum err rc = issue_id(j->ca.key, id);

	if (rc == ERR_OK) {
		rc = ledger_add(&j->hold.ledger, c, LEDGER_CLIENT, id, &e, d);
	}
	return rc == ERR_OK ? ledger_save(&j->hold.ledger, j->hold.dir_fd, d)
			    : rc;
}

static enum err
replace(int fd, const char *name, const struct cert *c, struct diag *d)
{
	struct buf pem;
	enum err rc;

	buf_init(&pem, PEM_BYTES);
	rc = cert_to_pem(c, &pem);
	if (rc == ERR_OK) {
		rc = file_replace(fd, name, 0644, buf_span(&pem));
	}
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "%s cannot be written: %s", name,
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
	}
	buf_fini(&pem);
	return rc;
}

static enum err
write_out(struct job *j, const struct cert *c, struct diag *d)
{
	enum err rc;
	bool made;
	int fd;

	if (j->req->out == NULL) {
		return replace(j->hold.dir_fd, j->cert_name, c, d);
	}
	rc = dir_open(j->req->out, 0700, &fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = replace(fd, "ca.pem", j->ca.cert, d);
	if (rc == ERR_OK) {
		rc = replace(fd, "cert.pem", c, d);
	}
	close(fd);
	return rc;
}

static enum err
renew(struct job *j, struct bundle_result *res, struct diag *d)
{
	struct cert *c = NULL;
	time_t from, life = issue_life(j->req->days, j->req->hours);
	enum err rc;

	rc = hold_open(&j->hold, j->req->dir, d);
	if (rc == ERR_OK) {
		rc = rng_new(&j->rng);
	}
	if (rc == ERR_OK) {
		rc = ca_load_with(
		    &j->ca, j->req->dir, j->req->key_pass, j->rng, d);
	}
	if (rc == ERR_OK) {
		rc = load_pair(j, d);
	}
	if (rc == ERR_OK) {
		rc = issue(j, &c, d);
	}
	if (rc == ERR_OK) {
		rc = record(j, c, d);
	}
	if (rc == ERR_OK) {
		cert_validity(c, &from, &res->expires);
		res->cut = res->expires < j->req->now + life;
		rc = write_out(j, c, d);
	}
	cert_free(c);
	return rc;
}

enum err
renew_client(const struct renew_client_request *req, struct bundle_result *res,
    struct diag *d)
{
	struct job j = { .req = req };
	struct diag why = { 0, 0, "" };
	char shown[64];
	enum err rc;

	arena_init(&j.arena, 65536);
	rc = renew(&j, res, &why);
	if (rc != ERR_OK) {
		text_escape(span_of(req->out == NULL ? req->dir : req->out),
		    shown, sizeof(shown));
		diag_set(d, 0, 0, "%s: %s", shown,
		    why.text[0] == '\0' ? err_text(rc) : why.text);
	}
	cert_free(j.old);
	key_free(j.key);
	ca_fini(&j.ca);
	hold_close(&j.hold);
	rng_free(j.rng);
	arena_fini(&j.arena);
	return rc;
}
