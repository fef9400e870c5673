/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_TOKEN_H
#define CERTS_TOKEN_H

/*
 * Tokens: each lets whoever shows it get one certificate, with a name and
 * units that were settled when the token was made.  The directory keeps their
 * hashes alone (tokens.h).
 *
 *	dinv1-SECRET-PIN
 *
 * SECRET is 128 random bits, PIN what the gate's CA is known by (cert_pin()),
 * both in hex.
 */
#include <time.h>

#include "cert.h"

#define TOKEN_SECRET_SIZE 33 /* hex, and a NUL */
#define TOKEN_TEXT_SIZE (6 + 32 + 1 + 64 + 1)
#define TOKEN_TTL_MAX_S ((time_t)30 * 86400)
#define TOKENS_OPEN_MAX 1000

struct token_parts {
	char secret[TOKEN_SECRET_SIZE];
	char pin[CERT_PIN_SIZE];
};

/* false: that is no token. */
bool token_split(struct span text, struct token_parts *out) MUST_USE;

struct token_request {
	const char *dir;
	const char *name; /* CN; with a '*' in it, a pattern for one */
	const char *const *units;
	size_t n_units;
	const char *org; /* or NULL */
	unsigned days;	 /* of the certificate */
	unsigned hours;	 /* not 0: these count */
	time_t ttl_s;	 /* of the token, 1 to TOKEN_TTL_MAX_S */
	time_t now;
};

/* Names and numbers, by themselves. */
enum err token_check(const struct token_request *req, struct diag *d) MUST_USE;

/*
 * Makes one.  text is the only copy of it that there will ever be; wipe it.
 * ERR_CERT_STORE where nothing could be signed later.
 */
enum err token_new(const struct token_request *req, char text[TOKEN_TEXT_SIZE],
    struct diag *d) MUST_USE;

/* Takes one back that was not used: id as token_id() has it. */
enum err token_cancel(
    const char *dir, const char *id, time_t now, struct diag *d) MUST_USE;

struct token {
	struct span hash; /* token_hash() of the secret */
	bool used;
	time_t made, expires;
	unsigned days, hours;
	struct span name, org, units; /* units with tabs between */
};

/* How people call it: the beginning of its hash. */
struct span token_id(const struct token *t);

/* May somebody with this token be called that? */
bool token_allows(const struct token *t, struct span name) MUST_USE;
/* Does the name leave a choice? */
bool token_is_pattern(const struct token *t) MUST_USE;

#endif
