/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's three files; see bundle.h.
 *
 * Everything is made in memory first: what can fail because of a name, a
 * date or the CA fails before the output directory is touched.  Then key.pem
 * is written first, so that of two who write to one directory the slower
 * fails at its first file, and nobody gets another's certificate with his
 * own key.
 *
 * Rejected: a directory made under another name and renamed, which is
 * atomic, but does not serve "-out ." and directories that are there.  A
 * process that is killed half-way leaves key.pem; the next try names it.
 *
 * Attackers: the key is made here and handed over as a file; whoever can
 * read it is the client.  The directory is 0700, the key 0600.
 */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "ca.h"
#include "csr.h"
#include "file.h"
#include "hold.h"
#include "issue.h"
#include "store.h"

enum { KEY_PEM = 0, CA_PEM, CERT_PEM, N_PEM }; /* the order of writing */

static const struct {
	const char *name;
	mode_t mode;
} files[N_PEM] = {
	[KEY_PEM] = { "key.pem", 0600 },
	[CA_PEM] = { "ca.pem", 0644 },
	[CERT_PEM] = { "cert.pem", 0644 },
};

struct output {
	struct secret key;
	struct buf ca;
	struct buf cert;
	struct cert *issued;
	char issuer[ISSUE_ID_SIZE];
};

/* Makes the three texts. */
static enum err
issue(struct rng *r, const struct bundle_request *req, struct output *out,
    struct bundle_result *res, struct diag *d)
{
	struct ca ca = { NULL, NULL, NULL };
	struct key *key = NULL;
	struct cert *cert = NULL;
	time_t from;
	enum err rc;

	rc = ca_load_with(&ca, req->dir, req->key_pass, r, d);
	if (rc != ERR_OK) {
		goto out;
	}
	rc = req->csr != NULL ? csr_load(req->csr, &key, d) : key_new(r, &key);
	if (rc != ERR_OK) {
		goto out;
	}
	struct issue_client client = {
		.by = { ca.cert, ca.key },
		.key = key,
		.name = req->name,
		.units = req->units,
		.n_units = req->n_units,
		.org = req->org,
		.days = req->days,
		.hours = req->hours,
		.now = req->now,
	};

	rc = issue_client(r, &client, &cert, d);
	if (rc != ERR_OK) {
		goto out;
	}
	cert_validity(cert, &from, &res->expires);
	res->cut = res->expires < req->now + issue_life(req->days, req->hours);
	rc = req->csr != NULL ? ERR_OK : key_to_pem(key, &out->key);
	if (rc == ERR_OK) {
		rc = cert_to_pem(ca.cert, &out->ca);
	}
	if (rc == ERR_OK) {
		rc = cert_to_pem(cert, &out->cert);
	}
	if (rc == ERR_OK) {
		rc = issue_id(ca.key, out->issuer);
	}
	if (rc == ERR_OK) {
		out->issued = cert;
		cert = NULL;
	}
out:
	cert_free(cert);
	key_free(key);
	ca_fini(&ca);
	return rc;
}

/* d says which directory it speaks of. */
static void
prefix(struct diag *d, const char *dir, const struct diag *why, enum err rc)
{
	char shown[64];

	text_escape(span_of(dir), shown, sizeof(shown));
	diag_set(d, 0, 0, "%s: %s", shown,
	    why->text[0] == '\0' ? err_text(rc) : why->text);
}

static void
explain(enum err rc, int file, struct diag *d)
{
	const char *name = files[file].name;

	if (rc == ERR_EXISTS) {
		diag_set(d, 0, 0,
		    "%s exists already: remove it, or choose another "
		    "directory with -out",
		    name);
		return;
	}
	diag_set(d, 0, 0, "%s cannot be written: %s", name,
	    rc == ERR_IO ? strerror(errno) : err_text(rc));
}

/* Before the work: the names have to be free. */
static enum err
check_free(int fd, int first, struct diag *d)
{
	bool is;
	int i;

	for (i = first; i < N_PEM; i++) {
		if (file_exists(fd, files[i].name, &is) == ERR_OK && is) {
			explain(ERR_EXISTS, i, d);
			return ERR_EXISTS;
		}
	}
	return ERR_OK;
}

static enum err
write_files(int fd, const struct output *o, struct diag *d)
{
	const struct span text[N_PEM] = {
		[KEY_PEM] = { (const char *)o->key.data, o->key.len },
		[CA_PEM] = buf_span(&o->ca),
		[CERT_PEM] = buf_span(&o->cert),
	};
	int i, first = o->key.data == NULL ? CA_PEM : KEY_PEM;
	enum err rc = ERR_OK;

	for (i = first; i < N_PEM && rc == ERR_OK; i++) {
		rc = file_create(fd, files[i].name, files[i].mode, text[i]);
	}
	if (rc == ERR_OK) {
		return ERR_OK;
	}
	explain(rc, --i, d);
	while (i-- > first) {
		(void)unlinkat(fd, files[i].name, 0);
	}
	return rc;
}

static enum err
write_out(
    const struct bundle_request *req, const struct output *o, struct diag *d)
{
	bool made;
	int fd;
	enum err rc;

	rc = dir_open(req->out, 0700, &fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = check_free(fd, o->key.data == NULL ? CA_PEM : KEY_PEM, d);
	if (rc == ERR_OK) {
		rc = write_files(fd, o, d);
	}
	if (rc != ERR_OK && made) {
		(void)rmdir(req->out);
	}
	close(fd);
	return rc;
}

/*
 * Into the ledger first: a certificate that is not in there could not be
 * taken back by name.  If the files cannot be written, out of it again.
 */
static enum err
record_and_write(
    const struct bundle_request *req, struct output *o, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct ledger_entry *e;
	struct hold k;
	enum err rc;

	rc = hold_open(&k, req->dir, &why);
	if (rc == ERR_OK) {
		rc = ledger_add(
		    &k.ledger, o->issued, LEDGER_CLIENT, o->issuer, &e, &why);
	}
	if (rc == ERR_OK) {
		rc = ledger_save(&k.ledger, k.dir_fd, &why);
	}
	if (rc != ERR_OK) {
		prefix(d, req->dir, &why, rc);
		hold_close(&k);
		return rc;
	}
	rc = write_out(req, o, &why);
	if (rc != ERR_OK) {
		prefix(d, req->out, &why, rc);
		k.ledger.n--;
		(void)!ledger_save(&k.ledger, k.dir_fd, NULL);
	}
	hold_close(&k);
	return rc;
}

enum err
bundle_write(
    const struct bundle_request *req, struct bundle_result *res, struct diag *d)
{
	struct output o = { .key = { NULL, 0 } };
	struct bundle_result got = { 0, false };
	struct diag why = { 0, 0, "" };
	struct rng *r = NULL;
	enum err rc;

	buf_init(&o.ca, (size_t)4 * 1024 * 1024);
	buf_init(&o.cert, (size_t)64 * 1024);
	rc = rng_new(&r);
	if (rc != ERR_OK) {
		goto out;
	}
	rc = issue(r, req, &o, &got, &why);
	if (rc != ERR_OK) {
		prefix(d, req->dir, &why, rc);
		goto out;
	}
	rc = record_and_write(req, &o, d);
	if (rc != ERR_OK) {
		goto out;
	}
	*res = got;
out:
	cert_free(o.issued);
	secret_fini(&o.key);
	buf_fini(&o.ca);
	buf_fini(&o.cert);
	rng_free(r);
	return rc;
}
