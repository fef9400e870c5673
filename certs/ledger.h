/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_LEDGER_H
#define CERTS_LEDGER_H

/*
 * The ledger of a certificate directory: every certificate that was issued
 * there, and what became of it (issued.tsv; docs/pki.md has the columns).
 *
 * A certificate is written down before it is handed out.  The file is
 * replaced whole under the directory's lock, so that a crash leaves the old
 * one or the new one.
 */
#include <time.h>

#include "base/arena.h"
#include "cert.h"

#define LEDGER_NAME "issued.tsv"
#define LEDGER_ID_HEX 41 /* SHA-1 of a CA's key in hex, and a NUL */

enum ledger_kind { LEDGER_CLIENT = 0, LEDGER_SERVER, LEDGER_CA };
enum ledger_state { LEDGER_REVOKED = 0, LEDGER_VALID };

/* CRLReason, RFC 5280 5.3.1; those that make sense here. */
enum ledger_reason {
	REASON_UNSPECIFIED = 0,
	REASON_KEY_COMPROMISE = 1,
	REASON_CA_COMPROMISE = 2,
	REASON_AFFILIATION = 3,
	REASON_SUPERSEDED = 4,
	REASON_CESSATION = 5,
	REASON_WITHDRAWN = 9,
};

struct ledger_entry {
	struct span serial; /* lower-case hex, without leading zero bytes */
	struct span issuer; /* hex of SHA-1 of the CA's public key */
	struct span fingerprint; /* hex of SHA-256 of the certificate */
	enum ledger_kind kind;
	enum ledger_state state;
	time_t from, to;
	time_t when; /* revoked */
	enum ledger_reason reason;
	struct span name;  /* CN */
	struct span org;   /* O, or empty */
	struct span units; /* OUs with a tab between */
};

struct ledger {
	struct arena arena; /* what the spans point to */
	struct ledger_entry *entry;
	size_t n, cap;
	uint64_t crl_number; /* of the newest CRL; 0: there never was one */
	unsigned n_crls;     /* how many CRLs (one a CA) that had */
};

void ledger_init(struct ledger *l);
void ledger_fini(struct ledger *l);

/* Into an empty ledger.  ERR_SYNTAX with the line in d. */
enum err ledger_parse(
    struct ledger *l, struct span text, struct diag *d) MUST_USE;

/* Reads dir's; one that is not there is empty. */
enum err ledger_load(
    struct ledger *l, const char *dir, struct diag *d) MUST_USE;

/*
 * Adds a certificate that the CA with this key identifier (hex) has signed.
 * ERR_EXISTS where it is there already; *out is the entry in any case.
 */
enum err ledger_add(struct ledger *l, const struct cert *c,
    enum ledger_kind kind, const char *issuer, struct ledger_entry **out,
    struct diag *d) MUST_USE;

enum err ledger_write(const struct ledger *l, struct buf *out) MUST_USE;

/* Puts it in the directory, under its lock. */
enum err ledger_save(
    const struct ledger *l, int dir_fd, struct diag *d) MUST_USE;

/* By serial (hex, any case, colons and leading zeros forgiven) or NULL. */
struct ledger_entry *ledger_find_serial(
    const struct ledger *l, const char *serial);

struct ledger_entry *ledger_find_cert(
    const struct ledger *l, const struct cert *c);

/*
 * Copies of units that have tabs between, in order.  ERR_LIMIT where there are
 * more than max.
 */
enum err ledger_units(struct span units, struct arena *a, const char **to,
    size_t max, size_t *n) MUST_USE;

#define LEDGER_FULL 10000 /* entries; from here on the expired ones go */
/*
 * For those who issue by themselves, day and night: what expired over a month
 * ago is forgotten where there is much of it.  No list of revoked ones names
 * it any more.
 */
void ledger_trim(struct ledger *l, time_t now);

const char *ledger_kind_name(enum ledger_kind k);
/* "valid", "revoked", "expired", "not yet valid". */
const char *ledger_state_name(const struct ledger_entry *e, time_t now);
/* "keyCompromise" and so on, as openssl calls them. */
const char *ledger_reason_name(enum ledger_reason r);
enum err ledger_reason_parse(
    const char *s, enum ledger_reason *out, struct diag *d) MUST_USE;

#endif
