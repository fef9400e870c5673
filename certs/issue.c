/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dinv's certificates say; see issue.h.
 *
 * Names are checked, dates are fitted between those of the CA, and draft.c
 * lays it out and signs.  The server's names all go into the subject
 * alternative name, because Go has not looked at a common name since 1.15;
 * the common name repeats the first of them that fits, for humans.
 *
 * The beginning lies an hour back: the virtual machine that issues and the
 * laptop that connects seldom agree on the minute, and "not yet valid" is
 * the error nobody understands.  An end after that of the CA would be a
 * promise that cannot be kept, so it is cut.
 *
 * Rejected: a clock check against the network; certificates with no end.  A
 * clock that stands before 2020 is refused, since what it dates would be
 * expired once the clock is set.
 *
 * Attackers: whoever may ask for a client certificate asks for another's
 * name; who may ask at all is the operator's decision, made by who can read
 * the CA key.
 */
#include "issue.h"

#include <stdio.h>

#include "base/text.h"
#include "draft.h"

#define HOUR 3600
#define DAY ((time_t)24 * HOUR)
#define BACKDATE HOUR
#define CA_DAYS 3650
#define SERVER_DAYS 396

#define NOW_MIN ((time_t)1577836800)   /* 2020-01-01 */
#define NOW_MAX ((time_t)252455616000) /* 9970-01-01 */

#define NAME_DER_MAX 8192 /* bytes; 18 values of 64 characters are 5 KiB */

static enum err
check_clock(time_t now, struct diag *d)
{
	if (now < NOW_MIN || now > NOW_MAX) {
		diag_set(d, 0, 0,
		    "the clock is wrong (it says %lld seconds since 1970): "
		    "set it, then try again",
		    (long long)now);
		return ERR_CERT;
	}
	return ERR_OK;
}

/* RelativeDistinguishedName of one value (RFC 5280 4.1.2.4), X.520 type. */
static void
write_rdn(struct der *w, char type, const char *value)
{
	const char oid[3] = { 0x55, 0x04, type }; /* 2.5.4.type */
	const uint8_t *mark = w->p;

	der_value(w, DER_UTF8, value, strlen(value));
	der_value(w, DER_OID, oid, sizeof(oid));
	der_wrap(w, mark, DER_SEQUENCE);
	der_wrap(w, mark, DER_SET);
}

#define X520_CN 3
#define X520_O 10
#define X520_OU 11

/* O, OU..., CN: from the widest to the narrowest, as is custom. */
static struct span
write_name(struct der *w, const struct issue_client *who)
{
	const uint8_t *mark = w->p;
	size_t i;

	write_rdn(w, X520_CN, who->name);
	for (i = who->n_units; i-- > 0;) {
		write_rdn(w, X520_OU, who->units[i]);
	}
	if (who->org != NULL) {
		write_rdn(w, X520_O, who->org);
	}
	der_wrap(w, mark, DER_SEQUENCE);
	return der_done(w);
}

/* Completes dr from its issuer and signs it; id is storage for that. */
static enum err
sign_under(struct rng *r, const struct issuer *by, time_t now, struct draft *dr,
    struct cert **out, struct diag *d)
{
	uint8_t id[DRAFT_KEY_ID_LEN];
	const struct cert *ca = cert_find_key(by->ca, by->key, r);
	time_t from, to;
	enum err rc;

	if (ca == NULL) {
		diag_set(d, 0, 0, "the CA key does not belong to the CA");
		return ERR_CERT_MISMATCH;
	}
	if (!cert_may_sign(ca)) {
		diag_set(d, 0, 0,
		    "the CA's certificate is not that of a CA: "
		    "it may not sign others");
		return ERR_CERT;
	}
	cert_validity(ca, &from, &to);
	if (from > now || to <= now) {
		diag_set(d, 0, 0, "the CA's certificate %s",
		    to <= now ? "has expired"
			      : "is not valid yet: is the clock right?");
		return ERR_CERT;
	}
	dr->from = now - BACKDATE > from ? now - BACKDATE : from;
	dr->to = dr->to < to ? dr->to : to;
	dr->issuer = cert_subject(ca);
	dr->signer = by->key;
	dr->issuer_key_id = cert_key_id(ca);
	if (dr->issuer_key_id.len == 0) {
		rc = draft_key_id(by->key, id);
		if (rc != ERR_OK) {
			return rc;
		}
		dr->issuer_key_id = span_make(id, sizeof(id));
	}
	return draft_sign(r, dr, out, d);
}

enum err
issue_id(const struct key *key, char id[ISSUE_ID_SIZE])
{
	uint8_t raw[DRAFT_KEY_ID_LEN];
	enum err rc = draft_key_id(key, raw);

	if (rc == ERR_OK) {
		text_hex(raw, sizeof(raw), id);
	}
	return rc;
}

enum err
issue_ca(struct rng *r, const struct key *key, time_t now, struct cert **out,
    struct diag *d)
{
	uint8_t random[4], id[DRAFT_KEY_ID_LEN], name_buf[256];
	char hex[9], name[32];
	struct issue_client who = { .name = name };
	struct draft dr = { .kind = DRAFT_CA, .key = key, .signer = key };
	struct der w;
	enum err rc;

	rc = check_clock(now, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = rng_bytes(r, random, sizeof(random));
	if (rc != ERR_OK) {
		return rc;
	}
	rc = draft_key_id(key, id);
	if (rc != ERR_OK) {
		return rc;
	}
	text_hex(random, sizeof(random), hex);
	snprintf(name, sizeof(name), "dinv CA %s", hex);
	der_init(&w, name_buf, sizeof(name_buf));
	dr.subject = dr.issuer = write_name(&w, &who);
	dr.issuer_key_id = span_make(id, sizeof(id));
	dr.from = now - BACKDATE;
	dr.to = now + CA_DAYS * DAY;
	return draft_sign(r, &dr, out, d);
}

/* Parses the hosts, drops doubles. */
static enum err
take_hosts(const char *const *hosts, size_t n_hosts, struct host *to, size_t *n,
    struct diag *d)
{
	size_t i, j, have = 0;
	struct host h;
	enum err rc;

	for (i = 0; i < n_hosts; i++) {
		rc = host_parse(hosts[i], &h, d);
		if (rc != ERR_OK) {
			return rc;
		}
		for (j = 0; j < have && !host_equal(&to[j], &h); j++) {
		}
		if (j < have) {
			continue;
		}
		if (have == ISSUE_HOSTS_MAX) {
			diag_set(d, 0, 0,
			    "a server certificate takes at most %d names",
			    ISSUE_HOSTS_MAX);
			return ERR_LIMIT;
		}
		to[have++] = h;
	}
	if (have == 0) {
		diag_set(d, 0, 0, "a server certificate needs a name");
		return ERR_CERT_NAME;
	}
	*n = have;
	return ERR_OK;
}

enum err
issue_server_check(const char *const *hosts, size_t n_hosts, struct diag *d)
{
	struct host parsed[ISSUE_HOSTS_MAX]; /* 36 KiB */
	size_t n;

	return take_hosts(hosts, n_hosts, parsed, &n, d);
}

/* RFC 5280 A.1: a common name has 64 characters at most. */
static const char *
common_name(const struct host *h, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strlen(h[i].text) <= SUBJECT_MAX) {
			return h[i].text;
		}
	}
	return "dinv";
}

enum err
issue_server(struct rng *r, const struct issue_server *req, struct cert **out,
    struct diag *d)
{
	struct host hosts[ISSUE_HOSTS_MAX]; /* 36 KiB */
	uint8_t name_buf[256];
	struct issue_client who = { .name = NULL };
	struct draft dr = { .kind = DRAFT_SERVER, .key = req->key };
	struct der w;
	enum err rc;

	rc = check_clock(req->now, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = take_hosts(req->hosts, req->n_hosts, hosts, &dr.n_hosts, d);
	if (rc != ERR_OK) {
		return rc;
	}
	dr.hosts = hosts;
	who.name = common_name(hosts, dr.n_hosts);
	der_init(&w, name_buf, sizeof(name_buf));
	dr.subject = write_name(&w, &who);
	dr.to = req->now + SERVER_DAYS * DAY;
	return sign_under(r, &req->by, req->now, &dr, out, d);
}

time_t
issue_life(unsigned days, unsigned hours)
{
	return hours > 0 ? (time_t)hours * HOUR : (time_t)days * DAY;
}

enum err
issue_client_check(const struct issue_client *req, struct diag *d)
{
	enum err rc;
	size_t i;

	rc = subject_check("the name", req->name, d);
	for (i = 0; rc == ERR_OK && i < req->n_units; i++) {
		rc = subject_check("the unit", req->units[i], d);
	}
	if (rc == ERR_OK && req->org != NULL) {
		rc = subject_check("the organisation", req->org, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	if (req->n_units > ISSUE_UNITS_MAX) {
		diag_set(d, 0, 0, "a client takes at most %d units, got %zu",
		    ISSUE_UNITS_MAX, req->n_units);
		return ERR_LIMIT;
	}
	if (req->hours > ISSUE_DAYS_MAX * 24) {
		diag_set(d, 0, 0, "hours must be 1 to %d, got %u",
		    ISSUE_DAYS_MAX * 24, req->hours);
		return ERR_NUMBER;
	}
	if (req->hours == 0 && (req->days < 1 || req->days > ISSUE_DAYS_MAX)) {
		diag_set(d, 0, 0, "days must be 1 to %d, got %u",
		    ISSUE_DAYS_MAX, req->days);
		return ERR_NUMBER;
	}
	return check_clock(req->now, d);
}

enum err
issue_client(struct rng *r, const struct issue_client *req, struct cert **out,
    struct diag *d)
{
	uint8_t name_buf[NAME_DER_MAX];
	struct draft dr = { .kind = DRAFT_CLIENT, .key = req->key };
	struct der w;
	enum err rc;

	rc = issue_client_check(req, d);
	if (rc != ERR_OK) {
		return rc;
	}
	der_init(&w, name_buf, sizeof(name_buf));
	dr.subject = write_name(&w, req);
	dr.to = req->now + issue_life(req->days, req->hours);
	return sign_under(r, &req->by, req->now, &dr, out, d);
}
