/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CA after another; see rollover.h.
 *
 * Between begin and end ca.crt holds both CAs, so clients of either are let
 * in and every ca.pem that is handed out has both; the server shows a
 * certificate of the old one, which all clients know.  Whoever has been
 * issued anew in that time will not notice the end.
 *
 * Begin:	ca-key-next.pem		a new key
 *		ca.crt			both certificates
 *		ca-key-old.pem		a second name for ca-key.pem
 *		ca-key.pem		becomes the new key, by a rename
 *		crl.pem			a list for each
 * End:		docker.crt		by the new CA
 *		ca.crt			the new one alone
 *		crl.pem			the same
 *		ca-key-old.pem		removed
 *
 * After a crash at any step the directory serves, because whoever signs
 * looks for the certificate that fits ca-key.pem; beginning (ending) again
 * goes on where it stopped.
 *
 * Rejected: a cross-signed certificate of the new CA in the server's chain,
 * which would spare clients the new ca.pem: our CAs may not sign other CAs
 * (pathLenConstraint 0), and that is worth more.
 *
 * Attackers who have stolen the old key are clients until the end; if that is
 * the reason, end at once, with anyway.
 */
#include "rollover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "crl_publish.h"
#include "file.h"
#include "renew_server.h"
#include "store.h"

#define NEXT_KEY "ca-key-next.pem"
#define CA_BYTES ((size_t)1024 * 1024)

struct job {
	const char *dir;
	time_t now;
	const struct secret *pass;
	struct hold hold;
	struct ca ca;
	struct rng *rng;
};

static void
job_fini(struct job *j)
{
	ca_fini(&j->ca);
	hold_close(&j->hold);
	rng_free(j->rng);
}

static enum err
job_init(struct job *j, const struct renew_request *req, struct diag *d)
{
	enum err rc;

	memset(j, 0, sizeof(*j));
	j->dir = req->dir;
	j->now = req->now;
	j->pass = req->key_pass;
	rc = hold_open(&j->hold, j->dir, d);
	if (rc == ERR_OK) {
		rc = rng_new(&j->rng);
	}
	return rc == ERR_OK ? ca_load_with(&j->ca, j->dir, j->pass, j->rng, d)
			    : rc;
}

static enum err
say_io(const char *what, struct diag *d)
{
	diag_set(d, 0, 0, "%s cannot be written: %s", what, strerror(errno));
	return ERR_IO;
}

static bool
sync_dir(const struct job *j)
{
	return fsync(j->hold.dir_fd) == 0 || errno == EINVAL;
}

/* ca.crt anew: first, then all but `without`, which may be NULL. */
static enum err
write_cas(struct job *j, const struct cert *first, const struct cert *without,
    struct diag *d)
{
	struct buf pem;
	enum err rc = ERR_OK;

	buf_init(&pem, CA_BYTES);
	if (first != NULL) {
		rc = cert_to_pem(first, &pem);
	}
	if (rc == ERR_OK) {
		rc = cert_to_pem_but(j->ca.cert, without, &pem);
	}
	if (rc == ERR_OK &&
	    file_replace(j->hold.dir_fd, store_file_name(STORE_CA_CERT), 0644,
		buf_span(&pem)) != ERR_OK) {
		rc = say_io("ca.crt", d);
	}
	buf_fini(&pem);
	return rc;
}

/* ---- begin -----------------------------------------------------------------
 */

/* ca.crt is ours to replace if its certificate is in the ledger. */
static enum err
check_ours(struct job *j, struct diag *d)
{
	const struct cert *own = cert_find_key(j->ca.cert, j->ca.key, j->rng);
	const struct ledger_entry *e;

	e = own == NULL ? NULL : ledger_find_cert(&j->hold.ledger, own);
	if (e != NULL && e->kind == LEDGER_CA) {
		return ERR_OK;
	}
	diag_set(d, 0, 0,
	    "ca.crt was not made here, and is not replaced: put the new CA's "
	    "certificate into it, beside the old one");
	return ERR_EXISTS;
}

/* The key of the CA that comes: what a crash has left, or a new one. */
static enum err
next_key(struct job *j, struct key **out, struct diag *d)
{
	struct secret pem = { NULL, 0 };
	char path[STORE_PATH_SIZE];
	enum err rc;

	snprintf(path, sizeof(path), "%s/" NEXT_KEY, j->dir);
	rc = key_load(path, NEXT_KEY, j->rng, out, d);
	if (rc != ERR_NOTFOUND) {
		return rc;
	}
	if (j->ca.old != NULL) {
		diag_set(d, 0, 0,
		    "a rollover is under way: issue its clients anew, then "
		    "dinv cert rollover -end");
		return ERR_EXISTS;
	}
	rc = key_new(j->rng, out);
	if (rc == ERR_OK) {
		rc = key_to_pem(*out, &pem);
	}
	if (rc == ERR_OK && file_create(j->hold.dir_fd, NEXT_KEY, 0600,
				span_make(pem.data, pem.len)) != ERR_OK) {
		rc = say_io(NEXT_KEY, d);
	}
	secret_fini(&pem);
	return rc;
}

/* Its certificate, in the ledger and in ca.crt. */
static enum err
add_ca(struct job *j, const struct key *k, struct diag *d)
{
	struct cert *c = NULL;
	struct ledger_entry *e;
	char id[ISSUE_ID_SIZE];
	enum err rc;

	if (cert_find_key(j->ca.cert, k, j->rng) != NULL) {
		return ERR_OK; /* before the crash */
	}
	rc = issue_ca(j->rng, k, j->now, &c, d);
	if (rc == ERR_OK) {
		rc = issue_id(k, id);
	}
	if (rc == ERR_OK) {
		rc = ledger_add(&j->hold.ledger, c, LEDGER_CA, id, &e, d);
	}
	if (rc == ERR_OK) {
		rc = ledger_save(&j->hold.ledger, j->hold.dir_fd, d);
	}
	if (rc == ERR_OK) {
		rc = write_cas(j, c, NULL, d);
	}
	cert_free(c);
	return rc;
}

static enum err
swap_keys(struct job *j, struct diag *d)
{
	const char *name = store_file_name(STORE_CA_KEY);
	int fd = j->hold.dir_fd;

	if (linkat(fd, name, fd, CA_OLD_KEY, 0) == -1 && errno != EEXIST) {
		return say_io(CA_OLD_KEY, d);
	}
	if (!sync_dir(j) || renameat(fd, NEXT_KEY, fd, name) == -1 ||
	    !sync_dir(j)) {
		return say_io(name, d);
	}
	return ERR_OK;
}

/* A list for each CA, if there are lists at all. */
static enum err
new_lists(struct job *j, struct diag *d)
{
	enum err rc;

	if (j->hold.ledger.crl_number == 0) {
		return ERR_OK;
	}
	ca_fini(&j->ca);
	rc = ca_load_with(&j->ca, j->dir, j->pass, j->rng, d);
	return rc != ERR_OK
		   ? rc
		   : crl_publish(&j->hold, &j->ca, j->rng, CRL_DAYS, j->now, d);
}

static enum err
begin(struct job *j, struct diag *d)
{
	struct key *next = NULL;
	enum err rc;

	rc = check_ours(j, d);
	if (rc == ERR_OK) {
		rc = next_key(j, &next, d);
	}
	if (rc == ERR_OK) {
		rc = add_ca(j, next, d);
	}
	if (rc == ERR_OK) {
		rc = swap_keys(j, d);
	}
	if (rc == ERR_OK) {
		rc = new_lists(j, d);
	}
	key_free(next);
	return rc;
}

/* ---- end -------------------------------------------------------------------
 */

/* Has the client of e a good certificate of another CA? */
static bool
was_issued_anew(const struct job *j, const struct ledger_entry *e)
{
	const struct ledger *l = &j->hold.ledger;
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct ledger_entry *o = &l->entry[i];

		if (o->kind == e->kind && o->state == LEDGER_VALID &&
		    o->to > j->now && !span_eq(o->issuer, e->issuer) &&
		    span_eq(o->name, e->name) && span_eq(o->org, e->org) &&
		    span_eq(o->units, e->units)) {
			return true;
		}
	}
	return false;
}

/* Names a client that the end would lock out. */
static enum err
check_clients(struct job *j, struct diag *d)
{
	const struct ledger *l = &j->hold.ledger;
	const struct ledger_entry *one = NULL;
	char id[ISSUE_ID_SIZE], shown[80];
	size_t i, n = 0;
	enum err rc = issue_id(j->ca.old, id);

	for (i = 0; i < l->n && rc == ERR_OK; i++) {
		const struct ledger_entry *e = &l->entry[i];

		if (e->kind == LEDGER_CLIENT && e->state == LEDGER_VALID &&
		    e->to > j->now && span_is(e->issuer, id) &&
		    !was_issued_anew(j, e)) {
			one = e;
			n++;
		}
	}
	if (one == NULL) {
		return rc;
	}
	text_escape(one->name, shown, sizeof(shown));
	diag_set(d, 0, 0,
	    "%zu certificates of the old CA are still good, one of them for "
	    "%s: renew or revoke them, or lock them out with -anyway",
	    n, shown);
	return ERR_EXISTS;
}

/* The old CA's certificate out of ca.crt. */
static enum err
drop_ca(struct job *j, struct diag *d)
{
	const struct cert *old = cert_find_key(j->ca.cert, j->ca.old, j->rng);

	return write_cas(j, NULL, old, d);
}

static enum err
drop_key(struct job *j, struct diag *d)
{
	if (unlinkat(j->hold.dir_fd, CA_OLD_KEY, 0) == -1 && errno != ENOENT) {
		diag_set(d, 0, 0, CA_OLD_KEY " cannot be removed: %s",
		    strerror(errno));
		return ERR_IO;
	}
	return sync_dir(j) ? ERR_OK : say_io(CA_OLD_KEY, d);
}

static enum err
end(struct job *j, const struct renew_request *req, bool anyway, struct diag *d)
{
	enum err rc = ERR_OK;
	bool is;

	if (file_exists(j->hold.dir_fd, CA_OLD_KEY, &is) != ERR_OK || !is) {
		diag_set(d, 0, 0,
		    "there is no rollover to end: dinv cert rollover begins "
		    "one");
		return ERR_NOTFOUND;
	}
	if (j->ca.old != NULL) { /* else a crash came behind this */
		rc = anyway ? ERR_OK : check_clients(j, d);
		if (rc == ERR_OK) {
			rc = renew_server(req, &j->hold, &j->ca, j->ca.key, d);
		}
		if (rc == ERR_OK) {
			rc = drop_ca(j, d);
		}
	}
	if (rc == ERR_OK) {
		rc = new_lists(j, d);
	}
	return rc == ERR_OK ? drop_key(j, d) : rc;
}

static enum err
explain(enum err rc, const char *dir, const struct diag *why, struct diag *d)
{
	char shown[64];

	if (rc != ERR_OK) {
		text_escape(span_of(dir), shown, sizeof(shown));
		diag_set(d, 0, 0, "%s: %s", shown,
		    why->text[0] == '\0' ? err_text(rc) : why->text);
	}
	return rc;
}

enum err
rollover_begin(const struct renew_request *req, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct job j;
	enum err rc;

	rc = job_init(&j, req, &why);
	if (rc == ERR_OK) {
		rc = begin(&j, &why);
	}
	job_fini(&j);
	return explain(rc, req->dir, &why, d);
}

enum err
rollover_end(const struct renew_request *req, bool anyway, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct job j;
	enum err rc;

	rc = job_init(&j, req, &why);
	if (rc == ERR_OK) {
		rc = end(&j, req, anyway, &why);
	}
	job_fini(&j);
	return explain(rc, req->dir, &why, d);
}
