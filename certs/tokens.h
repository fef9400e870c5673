/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_TOKENS_H
#define CERTS_TOKENS_H

/* A directory's table of tokens (tokens.tsv; docs/pki.md has the columns). */
#include "base/arena.h"
#include "token.h"

#define TOKENS_NAME "tokens.tsv"

struct tokens {
	struct arena arena; /* what the spans point to */
	struct token *token;
	size_t n, cap;
};

void tokens_init(struct tokens *t);
void tokens_fini(struct tokens *t);
/* Into an empty table.  ERR_SYNTAX with the line in d. */
enum err tokens_parse(
    struct tokens *t, struct span text, struct diag *d) MUST_USE;
/* Reads dir's; one that is not there is empty. */
enum err tokens_load(
    struct tokens *t, const char *dir, struct diag *d) MUST_USE;
/* Under the directory's lock; leaves out what ended over a day ago. */
enum err tokens_save(
    const struct tokens *t, int dir_fd, time_t now, struct diag *d) MUST_USE;
/* A new one, all zero but used; NULL: no memory. */
struct token *tokens_append(struct tokens *t) MUST_USE;
/* By the secret in hex; NULL: there is no such token. */
struct token *tokens_find(const struct tokens *t, const char *secret);

#define TOKEN_HASH_HEX 64
/* SHA-256 of the secret's hex, in hex. */
void token_hash(const char *secret, char hex[TOKEN_HASH_HEX + 1]);

#endif
