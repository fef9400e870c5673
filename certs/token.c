/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens for enrolment; see token.h.
 *
 * What a certificate will say is settled by who makes the token, not by who
 * shows it: a request's own names are never looked at.  A pattern leaves a
 * part of the name open, for machines that are started by the dozen; its star
 * stands for letters, digits, '-', '_' and '.', so that no name looks like
 * another one that a policy means.
 *
 * The secret is 128 random bits, so one SHA-256 over it is as hard to undo as
 * the secret is to guess; a slow hash is for words that people choose.  A
 * file that was copied gives nobody a certificate.
 *
 * The pin in the token is how a client that has nothing yet knows the right
 * gate from one in between: whoever reads a token on its way can use it, but
 * whoever is on the way of the connection learns nothing.
 *
 * Rejected: a token that is signed and holds its own terms: it could not be
 * taken back, and to work once it would need a list all the same.
 */

#include "token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "file.h"
#include "hold.h"
#include "issue.h"
#include "store.h"
#include "tokens.h"

#define PREFIX "dinv1-"
#define SECRET_HEX 32
#define PIN_HEX 64
#define ID_HEX 12

bool
token_split(struct span text, struct token_parts *out)
{
	struct span rest, secret;

	if (!span_starts(text, PREFIX) ||
	    text.len != sizeof(PREFIX) - 1 + SECRET_HEX + 1 + PIN_HEX) {
		return false;
	}
	rest = span_make(
	    text.p + sizeof(PREFIX) - 1, text.len - (sizeof(PREFIX) - 1));
	secret = text_cut(&rest, '-');
	if (secret.len != SECRET_HEX || rest.len != PIN_HEX ||
	    !text_is_hex(secret) || !text_is_hex(rest)) {
		return false;
	}
	memcpy(out->secret, secret.p, SECRET_HEX);
	out->secret[SECRET_HEX] = '\0';
	memcpy(out->pin, rest.p, PIN_HEX);
	out->pin[PIN_HEX] = '\0';
	return true;
}

struct span
token_id(const struct token *t)
{
	return span_make(t->hash.p, ID_HEX);
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool
token_is_pattern(const struct token *t)
{
	return memchr(t->name.p, '*', t->name.len) != NULL;
}

/* There is one star: what is before it, what is behind it, and in between
 * one or more of the characters above.  Where it is the first, no name begins
 * as an option does, or a path: operators type names of others' choice. */
bool
token_allows(const struct token *t, struct span name)
{
	const char *star = memchr(t->name.p, '*', t->name.len);
	size_t head, tail, i;

	if (star == NULL) {
		return span_eq(name, t->name);
	}
	head = (size_t)(star - t->name.p);
	tail = t->name.len - head - 1;
	if (name.len <= head + tail || memcmp(name.p, t->name.p, head) != 0 ||
	    memcmp(name.p + name.len - tail, star + 1, tail) != 0) {
		return false;
	}
	if (head == 0 && (name.p[0] == '-' || name.p[0] == '.')) {
		return false;
	}
	for (i = head; i < name.len - tail; i++) {
		if (!is_name_char(name.p[i])) {
			return false;
		}
	}
	return true;
}

enum err
token_check(const struct token_request *req, struct diag *d)
{
	const struct issue_client client = {
		.name = req->name,
		.units = req->units,
		.n_units = req->n_units,
		.org = req->org,
		.days = req->days,
		.hours = req->hours,
		.now = req->now,
	};
	const char *star = strchr(req->name, '*');
	enum err rc = issue_client_check(&client, d);

	if (rc != ERR_OK) {
		return rc;
	}
	if (star != NULL && strchr(star + 1, '*') != NULL) {
		diag_set(d, 0, 0, "the name may have one star, not more");
		return ERR_USAGE;
	}
	if (req->ttl_s < 1 || req->ttl_s > TOKEN_TTL_MAX_S) {
		diag_set(d, 0, 0,
		    "a token may live for 1 second to 30 days: -ttl 10m");
		return ERR_NUMBER;
	}
	return ERR_OK;
}

/* What clients will know the gate by: its CA, where that is in ca.crt, else
 * the server's own key. */
static enum err
find_pin(const char *dir, char pin[CERT_PIN_SIZE], struct diag *d)
{
	struct cert *server = NULL, *cas = NULL;
	const struct cert *ca;
	char path[STORE_PATH_SIZE];
	enum err rc;

	rc = store_path(dir, STORE_SERVER_CERT, path, sizeof(path));
	if (rc == ERR_OK) {
		rc = cert_load(path, "docker.crt", &server, d);
	}
	if (rc == ERR_OK) {
		rc = store_path(dir, STORE_CA_CERT, path, sizeof(path));
	}
	if (rc == ERR_OK) {
		rc = cert_load(path, "ca.crt", &cas, d);
	}
	if (rc == ERR_OK) {
		ca = cert_find_ca(server, cas);
		rc = cert_pin(ca == NULL ? server : ca, pin);
	}
	cert_free(server);
	cert_free(cas);
	return rc;
}

static enum err
make_secret(char secret[TOKEN_SECRET_SIZE])
{
	uint8_t random[SECRET_HEX / 2];
	struct rng *r = NULL;
	enum err rc = rng_new(&r);

	if (rc == ERR_OK) {
		rc = rng_bytes(r, random, sizeof(random));
	}
	if (rc == ERR_OK) {
		text_hex(random, sizeof(random), secret);
	}
	secret_wipe(random, sizeof(random));
	rng_free(r);
	return rc;
}

/* The units, with tabs between. */
static enum err
join_units(const struct token_request *req, struct arena *a, struct span *out)
{
	const char *all = "";
	size_t i;

	for (i = 0; i < req->n_units; i++) {
		all = arena_printf(
		    a, "%s%s%s", all, i > 0 ? "\t" : "", req->units[i]);
		if (all == NULL) {
			return ERR_NOMEM;
		}
	}
	*out = span_of(all);
	return ERR_OK;
}

static size_t
count_open(const struct tokens *t, time_t now)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		n += !t->token[i].used && t->token[i].expires >= now;
	}
	return n;
}

static enum err
add(struct tokens *t, const struct token_request *req, const char *secret,
    struct diag *d)
{
	char hex[TOKEN_HASH_HEX + 1];
	struct token *one;
	const char *copy;

	if (count_open(t, req->now) >= TOKENS_OPEN_MAX) {
		diag_set(d, 0, 0,
		    "%d tokens are open: take some back (dinv cert token "
		    "-list, -cancel ID), or wait until they expire",
		    TOKENS_OPEN_MAX);
		return ERR_LIMIT;
	}
	token_hash(secret, hex);
	copy = arena_dup(&t->arena, span_of(hex));
	one = tokens_append(t);
	if (copy == NULL || one == NULL) {
		return ERR_NOMEM;
	}
	one->hash = span_of(copy);
	one->used = false;
	one->made = req->now;
	one->expires = req->now + req->ttl_s;
	one->days = req->hours > 0 ? 0 : req->days;
	one->hours = req->hours;
	one->name = span_of(req->name);
	one->org = span_of(req->org);
	return join_units(req, &t->arena, &one->units);
}

/* Is there a key that will sign when somebody comes with it? */
static enum err
check_ca_key(const char *dir, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	enum err rc = store_path(dir, STORE_CA_KEY, path, sizeof(path));
	FILE *f = rc == ERR_OK ? fopen(path, "re") : NULL;

	if (f == NULL) {
		diag_set(d, 0, 0,
		    "ca-key.pem cannot be read, and without it nothing could "
		    "be signed for who shows the token: %s",
		    rc == ERR_OK ? strerror(errno) : err_text(rc));
		return ERR_CERT_STORE;
	}
	fclose(f);
	return ERR_OK;
}

static enum err
make(const struct token_request *req, char text[TOKEN_TEXT_SIZE],
    struct hold *k, struct diag *d)
{
	char secret[TOKEN_SECRET_SIZE], pin[CERT_PIN_SIZE];
	struct tokens table;
	enum err rc;

	tokens_init(&table);
	rc = hold_open(k, req->dir, d);
	if (rc == ERR_OK) {
		rc = check_ca_key(req->dir, d);
	}
	if (rc == ERR_OK) {
		rc = find_pin(req->dir, pin, d);
	}
	if (rc == ERR_OK) {
		rc = make_secret(secret);
	}
	if (rc == ERR_OK) {
		rc = tokens_load(&table, req->dir, d);
	}
	if (rc == ERR_OK) {
		rc = add(&table, req, secret, d);
	}
	if (rc == ERR_OK) {
		rc = tokens_save(&table, k->dir_fd, req->now, d);
	}
	if (rc == ERR_OK) {
		snprintf(text, TOKEN_TEXT_SIZE, PREFIX "%s-%s", secret, pin);
	}
	secret_wipe(secret, sizeof(secret));
	tokens_fini(&table);
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
token_new(
    const struct token_request *req, char text[TOKEN_TEXT_SIZE], struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct hold k;
	enum err rc = token_check(req, d);

	if (rc != ERR_OK) {
		return rc;
	}
	rc = make(req, text, &k, &why);
	hold_close(&k);
	if (rc != ERR_OK) {
		prefix(d, req->dir, &why, rc);
	}
	return rc;
}

/* Used up, so that it can be told apart from one that never was. */
static enum err
cancel(struct tokens *t, struct span id, struct diag *d)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (id.len == ID_HEX && span_eq(token_id(&t->token[i]), id)) {
			if (t->token[i].used) {
				diag_set(d, 0, 0, "this token was used");
				return ERR_EXISTS;
			}
			t->token[i].used = true;
			return ERR_OK;
		}
	}
	diag_set(d, 0, 0, "there is no such token: dinv cert token -list");
	return ERR_NOTFOUND;
}

enum err
token_cancel(const char *dir, const char *id, time_t now, struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct tokens table;
	struct hold k;
	enum err rc;

	tokens_init(&table);
	rc = hold_open(&k, dir, &why);
	if (rc == ERR_OK) {
		rc = tokens_load(&table, dir, &why);
	}
	if (rc == ERR_OK) {
		rc = cancel(&table, span_of(id), &why);
	}
	if (rc == ERR_OK) {
		rc = tokens_save(&table, k.dir_fd, now, &why);
	}
	hold_close(&k);
	tokens_fini(&table);
	if (rc != ERR_OK) {
		prefix(d, dir, &why, rc);
	}
	return rc;
}
