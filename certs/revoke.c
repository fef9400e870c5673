/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates are taken back; see revoke.h.
 *
 * The ledger comes first, because the list is made from it: a list that was
 * written first would be forgotten by the next one after a crash.  With the
 * mark goes the number of the list that is to come, so that the older list
 * beside it is known for what it is.
 *
 * A certificate that is not in the ledger (issued before there was one, or
 * with the same CA elsewhere) can be revoked by its file.
 *
 * A crl.pem that somebody else has put there is not replaced.
 *
 * Attackers: the one whose certificate it is would like the command to name
 * another's; so a serial is looked for first, then a name, then a file, and
 * what was revoked is told.
 */
#include "revoke.h"

#include <errno.h>

#include "base/text.h"
#include "ca.h"
#include "crl_publish.h"
#include "file.h"
#include "store.h"

struct job {
	struct hold hold;
	struct ca ca;
	struct rng *rng;
	time_t now;
	unsigned days;
};

static void
job_fini(struct job *j)
{
	ca_fini(&j->ca);
	hold_close(&j->hold);
	rng_free(j->rng);
}

/* crl.pem is ours, or not there. */
static enum err
check_owner(const struct job *j, struct diag *d)
{
	bool is;

	if (j->hold.ledger.crl_number > 0) {
		return ERR_OK;
	}
	if (file_exists(j->hold.dir_fd, CRL_NAME, &is) != ERR_OK || is) {
		diag_set(d, 0, 0,
		    CRL_NAME " was not made here, and is not replaced: revoke "
			     "where it comes from, or move it away");
		return ERR_EXISTS;
	}
	return ERR_OK;
}

static enum err
job_init(struct job *j, const struct revoke_request *req, struct diag *d)
{
	enum err rc;

	memset(j, 0, sizeof(*j));
	j->now = req->now;
	j->days = req->days;
	rc = hold_open(&j->hold, req->dir, d);
	if (rc == ERR_OK) {
		rc = check_owner(j, d);
	}
	if (rc == ERR_OK) {
		rc = rng_new(&j->rng);
	}
	return rc == ERR_OK
		   ? ca_load_with(&j->ca, req->dir, req->key_pass, j->rng, d)
		   : rc;
}

static enum err
commit(struct job *j, struct diag *d)
{
	return crl_publish(&j->hold, &j->ca, j->rng, j->days, j->now, d);
}

static void
mark(struct ledger_entry *e, const struct revoke_request *req,
    struct revoke_result *res)
{
	if (e->state != LEDGER_VALID) {
		res->before++;
		return;
	}
	e->state = LEDGER_REVOKED;
	e->reason = req->reason;
	e->when = req->now;
	res->revoked++;
}

static enum err
refuse_ca(const struct ledger_entry *e, struct diag *d)
{
	if (e->kind != LEDGER_CA) {
		return ERR_OK;
	}
	diag_set(d, 0, 0,
	    "a CA cannot revoke itself: take it out of ca.crt, or replace it "
	    "with dinv cert rollover");
	return ERR_CERT;
}

/* During a rollover it may be the old one. */
static const struct key *
signer_of(const struct job *j, const struct cert *c)
{
	const struct cert *old;

	if (j->ca.old == NULL) {
		return j->ca.key;
	}
	old = cert_find_key(j->ca.cert, j->ca.old, j->rng);
	return old != NULL && span_eq(cert_issuer(c), cert_subject(old))
		   ? j->ca.old
		   : j->ca.key;
}

/* A certificate's file; one that our CA signed is written down. */
static enum err
find_file(
    struct job *j, const char *path, struct ledger_entry **e, struct diag *d)
{
	char id[ISSUE_ID_SIZE];
	struct cert *c = NULL;
	enum err rc;

	rc = cert_load(path, "the file", &c, d);
	if (rc == ERR_NOTFOUND) {
		diag_set(d, 0, 0,
		    "no certificate has that name or serial, and there is no "
		    "such file: dinv cert list shows what was issued");
	}
	if (rc == ERR_OK && !cert_is_under(c, j->ca.cert)) {
		diag_set(d, 0, 0, "the certificate was not issued by ca.crt");
		rc = ERR_CERT_MISMATCH;
	}
	if (rc == ERR_OK) {
		rc = issue_id(signer_of(j, c), id);
	}
	if (rc == ERR_OK) {
		rc = ledger_add(&j->hold.ledger, c,
		    cert_is_for(c, CERT_CLIENT) ? LEDGER_CLIENT : LEDGER_SERVER,
		    id, e, d);
	}
	cert_free(c);
	return rc == ERR_EXISTS ? ERR_OK : rc;
}

/* A serial, or all clients of a name, or a file. */
static enum err
mark_all(struct job *j, const struct revoke_request *req,
    struct revoke_result *res, struct diag *d)
{
	struct ledger *l = &j->hold.ledger;
	struct ledger_entry *e = ledger_find_serial(l, req->what);
	bool found = false;
	enum err rc = ERR_OK;
	size_t i;

	for (i = 0; i < l->n && e == NULL; i++) {
		if (l->entry[i].kind == LEDGER_CLIENT &&
		    span_is(l->entry[i].name, req->what)) {
			mark(&l->entry[i], req, res);
			found = true;
		}
	}
	if (found) {
		return ERR_OK;
	}
	if (e == NULL) {
		rc = find_file(j, req->what, &e, d);
	}
	if (rc == ERR_OK) {
		rc = refuse_ca(e, d);
	}
	if (rc == ERR_OK) {
		mark(e, req, res);
	}
	return rc;
}

static void
prefix(struct diag *d, const char *dir, const struct diag *why, enum err rc)
{
	char shown[64];

	text_escape(span_of(dir), shown, sizeof(shown));
	diag_set(d, 0, 0, "%s: %s", shown,
	    why->text[0] == '\0' ? err_text(rc) : why->text);
}

enum err
revoke_cert(
    const struct revoke_request *req, struct revoke_result *res, struct diag *d)
{
	struct revoke_result got = { 0, 0, 0 };
	struct diag why = { 0, 0, "" };
	struct job j;
	enum err rc;

	rc = job_init(&j, req, &why);
	if (rc == ERR_OK) {
		rc = mark_all(&j, req, &got, &why);
	}
	if (rc == ERR_OK) {
		rc = commit(&j, &why);
	}
	got.number = j.hold.ledger.crl_number;
	job_fini(&j);
	if (rc != ERR_OK) {
		prefix(d, req->dir, &why, rc);
		return rc;
	}
	*res = got;
	return ERR_OK;
}

enum err
revoke_renew_crl(
    const struct revoke_request *req, uint64_t *number, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	uint64_t got;
	struct job j;
	enum err rc;

	rc = job_init(&j, req, &why);
	if (rc == ERR_OK) {
		rc = commit(&j, &why);
	}
	got = j.hold.ledger.crl_number;
	job_fini(&j);
	if (rc != ERR_OK) {
		prefix(d, req->dir, &why, rc);
		return rc;
	}
	*number = got;
	return ERR_OK;
}
