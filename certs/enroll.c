/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment and renewal from afar; see enroll.h.
 *
 * All under the directory's lock, and in this order: the token is used up,
 * the ledger knows the certificate, the client gets it.  A crash in between
 * costs a token, never two certificates for one.
 *
 * Renewal wants the request signed by the key of the certificate that is
 * renewed.  The process that forwards it faces the network; were it taken
 * over, it could ask for everybody's renewal and would get certificates for
 * keys that it has not.  The price is that a key lives as long as its client
 * likes: a new key needs a new token.
 *
 * Attackers guess tokens (128 bits), show them twice at once (the lock),
 * ask for the names of others (token_allows(), and a pattern never gives a
 * name that somebody has), renew without end to fill the disk (once a minute
 * for a name, and the ledger forgets what has long expired).
 */
#include "enroll.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "ca.h"
#include "csr.h"
#include "hold.h"
#include "issue.h"
#include "tokens.h"

#define BACKDATE_S 3600 /* what issue.c takes off the beginning */
#define RENEW_EVERY_S 60
#define PEM_BYTES ((size_t)1024 * 1024)

static const char *const rules[] = {
	[ENROLL_FAILED] = "enroll-failed",
	[ENROLL_DONE] = "",
	[ENROLL_UNKNOWN] = "token-unknown",
	[ENROLL_USED] = "token-used",
	[ENROLL_EXPIRED] = "token-expired",
	[ENROLL_REVOKED] = "revoked",
	[ENROLL_NAME] = "token-name",
	[ENROLL_TAKEN] = "name-taken",
	[ENROLL_REQUEST] = "request",
	[ENROLL_SOON] = "too-soon",
};

const char *
enroll_rule(enum enroll_outcome o, bool renews)
{
	if (renews && o == ENROLL_UNKNOWN) {
		return "not-issued-here";
	}
	return renews && o == ENROLL_EXPIRED ? "expired" : rules[o];
}

struct job {
	const struct enroll_request *req;
	struct enroll_answer *a;
	struct hold hold;
	struct tokens tokens;
	struct ca ca;
	struct rng *rng;
	struct key *key;  /* the request's, its public half */
	struct cert *old; /* what is renewed */
	struct arena arena;
	const char *units[ISSUE_UNITS_MAX];
	size_t n_units;
	struct diag d;
};

/* false, for the caller to return. */
static bool
refuse(struct job *j, enum enroll_outcome o, const char *why)
{
	j->a->outcome = o;
	snprintf(j->a->why, sizeof(j->a->why), "%s", why);
	return false;
}

static bool
is_ok(struct job *j, enum err rc)
{
	if (rc == ERR_OK) {
		return true;
	}
	return refuse(
	    j, ENROLL_FAILED, j->d.text[0] == '\0' ? err_text(rc) : j->d.text);
}

/* ---- what both do -------------------------------------------------------- */

/* Everything that is needed to sign: a token is not used up for nothing. */
static bool
begin(struct job *j)
{
	if (!is_ok(j, hold_open(&j->hold, j->req->dir, &j->d)) ||
	    !is_ok(j, rng_new(&j->rng)) ||
	    !is_ok(j, ca_load_with(&j->ca, j->req->dir, j->req->key_pass,
			  j->rng, &j->d))) {
		return false;
	}
	ledger_trim(&j->hold.ledger, j->req->now);
	if (csr_parse(j->req->csr, &j->key, &j->d) != ERR_OK) {
		return refuse(j, ENROLL_REQUEST, j->d.text);
	}
	return true;
}

static bool
record(struct job *j, const struct cert *c)
{
	struct ledger_entry *e = NULL;
	char id[ISSUE_ID_SIZE];
	enum err rc = issue_id(j->ca.key, id);

	if (rc == ERR_OK) {
		rc = ledger_add(
		    &j->hold.ledger, c, LEDGER_CLIENT, id, &e, &j->d);
	}
	if (rc == ERR_OK) {
		rc = ledger_save(&j->hold.ledger, j->hold.dir_fd, &j->d);
	}
	if (!is_ok(j, rc)) {
		return false;
	}
	snprintf(
	    j->a->serial, sizeof(j->a->serial), "%.*s", SPAN_ARG(e->serial));
	return true;
}

static bool
issue(struct job *j, struct issue_client *client)
{
	struct cert *c = NULL;
	time_t from;
	bool done;

	client->by = (struct issuer){ j->ca.cert, j->ca.key };
	client->key = j->key;
	client->units = j->units;
	client->n_units = j->n_units;
	client->now = j->req->now;
	done = is_ok(j, issue_client(j->rng, client, &c, &j->d)) &&
	       is_ok(j, cert_to_pem(c, &j->a->cert)) &&
	       is_ok(j, cert_to_pem(j->ca.cert, &j->a->ca)) && record(j, c);
	if (done) {
		cert_validity(c, &from, &j->a->expires);
		snprintf(j->a->name, sizeof(j->a->name), "%s", client->name);
		j->a->outcome = ENROLL_DONE;
	} else { /* what is not written down leaves nobody's hands */
		buf_consume(&j->a->cert, j->a->cert.len);
		buf_consume(&j->a->ca, j->a->ca.len);
	}
	cert_free(c);
	return done;
}

/* An organisation, or NULL where there is none. */
static bool
take_org(struct job *j, struct span org, const char **out)
{
	*out = NULL;
	if (org.len > 0) {
		*out = arena_dup(&j->arena, org);
		return is_ok(j, *out == NULL ? ERR_NOMEM : ERR_OK);
	}
	return true;
}

/* ---- with a token -------------------------------------------------------- */

static bool
has_good_certificate(const struct job *j, struct span name)
{
	const struct ledger *l = &j->hold.ledger;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->entry[i].kind == LEDGER_CLIENT &&
		    l->entry[i].state == LEDGER_VALID &&
		    l->entry[i].to >= j->req->now &&
		    span_eq(l->entry[i].name, name)) {
			return true;
		}
	}
	return false;
}

static struct token *
find_token(struct job *j)
{
	char secret[TOKEN_SECRET_SIZE];
	struct token *t = NULL;

	if (!is_ok(j, tokens_load(&j->tokens, j->req->dir, &j->d))) {
		return NULL;
	}
	if (j->req->token.len == sizeof(secret) - 1) {
		memcpy(secret, j->req->token.p, sizeof(secret) - 1);
		secret[sizeof(secret) - 1] = '\0';
		t = tokens_find(&j->tokens, secret);
		secret_wipe(secret, sizeof(secret));
	}
	if (t == NULL) {
		(void)refuse(j, ENROLL_UNKNOWN,
		    "there is no such token: ask for a new one");
	}
	return t;
}

static bool
judge_token(struct job *j, const struct token *t, struct span name)
{
	if (t->used) {
		return refuse(j, ENROLL_USED,
		    "this token was used (or taken back): if it was not by "
		    "you, tell who gave it to you");
	}
	if (t->expires < j->req->now) {
		return refuse(j, ENROLL_EXPIRED,
		    "this token has expired: ask for another");
	}
	if (name.len == 0) {
		return refuse(j, ENROLL_NAME,
		    "this token leaves a part of the name open: say which one "
		    "(dinv enroll -name NAME)");
	}
	if (!token_allows(t, name)) {
		return refuse(
		    j, ENROLL_NAME, "this token is not for that name");
	}
	if (token_is_pattern(t) && has_good_certificate(j, name)) {
		return refuse(j, ENROLL_TAKEN,
		    "somebody has a certificate with this name: take another "
		    "name, or have it revoked");
	}
	return true;
}

static bool
use_up(struct job *j, struct token *t)
{
	t->used = true;
	return is_ok(
	    j, tokens_save(&j->tokens, j->hold.dir_fd, j->req->now, &j->d));
}

/* Nothing was handed out, and whoever came will try again.  false. */
static bool
give_back(struct job *j, struct token *t)
{
	t->used = false;
	(void)!tokens_save(&j->tokens, j->hold.dir_fd, j->req->now, NULL);
	return false;
}

static bool
by_token(struct job *j)
{
	struct issue_client client = { .name = NULL };
	struct token *t;
	struct span name;

	if (!begin(j) || (t = find_token(j)) == NULL) {
		return false;
	}
	name = j->req->name.len > 0  ? j->req->name
	       : token_is_pattern(t) ? span_of("")
				     : t->name;
	if (!judge_token(j, t, name)) {
		return false;
	}
	client.name = arena_dup(&j->arena, name);
	client.days = t->days;
	client.hours = t->hours;
	if (client.name == NULL) {
		return is_ok(j, ERR_NOMEM);
	}
	/* A name that was asked for may be too long, for one. */
	if (subject_check("the name", client.name, &j->d) != ERR_OK) {
		return refuse(j, ENROLL_NAME, j->d.text);
	}
	if (!is_ok(j, ledger_units(t->units, &j->arena, j->units,
			  ISSUE_UNITS_MAX, &j->n_units)) ||
	    !take_org(j, t->org, &client.org)) {
		return false;
	}
	return use_up(j, t) && (issue(j, &client) || give_back(j, t));
}

/* ---- with a certificate -------------------------------------------------- */

static const struct ledger_entry *
find_entry(struct job *j)
{
	const struct ledger_entry *e = NULL;
	const char *pem = arena_dup(&j->arena, j->req->certificate);

	if (pem == NULL) {
		(void)is_ok(j, ERR_NOMEM);
		return NULL;
	}
	if (cert_parse(pem, j->req->certificate.len + 1, "the certificate",
		&j->old, &j->d) == ERR_OK) {
		e = ledger_find_cert(&j->hold.ledger, j->old);
	}
	if (e == NULL || e->kind != LEDGER_CLIENT) {
		(void)refuse(j, ENROLL_UNKNOWN,
		    "this certificate was not issued here: what somebody else "
		    "has issued, he renews");
		return NULL;
	}
	return e;
}

/* Were there two in the last minute?  A certificate begins an hour before it
 * was made, but not before its CA does: in a CA's first hour nobody can tell.
 */
static bool
is_too_soon(const struct job *j, struct span name)
{
	const struct ledger *l = &j->hold.ledger;
	time_t since = j->req->now - BACKDATE_S - RENEW_EVERY_S;
	time_t ca_from, ca_to;
	size_t i, n = 0;

	cert_validity(j->ca.cert, &ca_from, &ca_to);
	if (j->req->now - BACKDATE_S < ca_from) {
		return false;
	}
	for (i = 0; i < l->n; i++) {
		n += l->entry[i].kind == LEDGER_CLIENT &&
		     span_eq(l->entry[i].name, name) &&
		     l->entry[i].from > since;
	}
	return n >= 2;
}

static bool
judge_entry(struct job *j, const struct ledger_entry *e)
{
	if (e->state != LEDGER_VALID) {
		return refuse(j, ENROLL_REVOKED,
		    "this certificate was revoked, and is not renewed");
	}
	if (e->to < j->req->now) {
		return refuse(j, ENROLL_EXPIRED,
		    "this certificate has expired: ask for a token");
	}
	if (!cert_has_key(j->old, j->key)) {
		return refuse(j, ENROLL_REQUEST,
		    "the request is not signed by the key of the certificate "
		    "that is to be renewed");
	}
	if (is_too_soon(j, e->name)) {
		return refuse(j, ENROLL_SOON,
		    "this name got two certificates within the last minute: "
		    "wait that long");
	}
	return true;
}

/* As long as it was given, to the hour. */
static unsigned
hours_of(const struct ledger_entry *e)
{
	time_t life = e->to - e->from - BACKDATE_S;

	return life < 3600 ? 1 : (unsigned)((life + 1800) / 3600);
}

static bool
by_certificate(struct job *j)
{
	struct issue_client client = { .name = NULL };
	const struct ledger_entry *e;

	if (!begin(j) || (e = find_entry(j)) == NULL || !judge_entry(j, e)) {
		return false;
	}
	client.hours = hours_of(e);
	client.name = arena_dup(&j->arena, e->name);
	return is_ok(j, client.name == NULL ? ERR_NOMEM : ERR_OK) &&
	       is_ok(j, ledger_units(e->units, &j->arena, j->units,
			    ISSUE_UNITS_MAX, &j->n_units)) &&
	       take_org(j, e->org, &client.org) && issue(j, &client);
}

/* -------------------------------------------------------------------------- */

static void
run(const struct enroll_request *req, struct enroll_answer *a,
    bool (*work)(struct job *j))
{
	struct job j = { .req = req, .a = a };

	memset(a, 0, sizeof(*a));
	buf_init(&a->cert, PEM_BYTES);
	buf_init(&a->ca, PEM_BYTES);
	arena_init(&j.arena, 2 * PEM_BYTES);
	tokens_init(&j.tokens);
	(void)!work(&j);
	cert_free(j.old);
	key_free(j.key);
	ca_fini(&j.ca);
	rng_free(j.rng);
	hold_close(&j.hold);
	tokens_fini(&j.tokens);
	arena_fini(&j.arena);
}

void
enroll_token(const struct enroll_request *req, struct enroll_answer *a)
{
	run(req, a, by_token);
}

void
enroll_renew(const struct enroll_request *req, struct enroll_answer *a)
{
	run(req, a, by_certificate);
}

void
enroll_fini(struct enroll_answer *a)
{
	buf_fini(&a->cert);
	buf_fini(&a->ca);
}
