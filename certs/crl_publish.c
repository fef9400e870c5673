/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of a directory; see crl_publish.h.
 *
 * All are made in memory before anything is written: what can fail because of
 * a key or a number fails while the old list stands.  During a rollover two
 * CAs are trusted, and each has its list.
 */
#include "crl_publish.h"

#include <errno.h>

#include "file.h"

#define CRL_BYTES ((size_t)128 * 1024 * 1024)

static enum err
make_lists(struct hold *k, const struct ca *ca, struct rng *r,
    struct crl_request *req, struct buf *out, struct diag *d)
{
	const struct key *keys[] = { ca->key, ca->old };
	enum err rc = ERR_OK;
	size_t i;

	k->ledger.crl_number++;
	k->ledger.n_crls = 0;
	req->number = k->ledger.crl_number;
	for (i = 0; i < NELEM(keys) && rc == ERR_OK; i++) {
		if (keys[i] == NULL) {
			continue;
		}
		req->by = (struct issuer){ ca->cert, keys[i] };
		rc = crl_issue(r, req, out, d);
		k->ledger.n_crls++;
	}
	return rc;
}

enum err
crl_publish(struct hold *k, const struct ca *ca, struct rng *r, unsigned days,
    time_t now, struct diag *d)
{
	struct crl_request req = {
		.ledger = &k->ledger,
		.days = days,
		.now = now,
	};
	struct buf lists;
	enum err rc;

	buf_init(&lists, CRL_BYTES);
	rc = make_lists(k, ca, r, &req, &lists, d);
	if (rc == ERR_OK) {
		rc = ledger_save(&k->ledger, k->dir_fd, d);
	}
	if (rc == ERR_OK) {
		rc = file_replace(k->dir_fd, CRL_NAME, 0644, buf_span(&lists));
		if (rc != ERR_OK) {
			diag_set(d, 0, 0,
			    CRL_NAME " cannot be written: %s; make it anew "
				     "with dinv cert crl -renew",
			    rc == ERR_IO ? strerror(errno) : err_text(rc));
		}
	}
	buf_fini(&lists);
	return rc;
}
