/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of tokens; see tokens.h.
 *
 * Like the ledger: a line each, tabs between the columns, the last line
 * counts them, and the file is replaced whole under the lock.  A damaged one
 * lets nobody in: it might have forgotten that a token was used.
 *
 * Used and expired tokens stay for a day, so that the second one to show a
 * token is told that it was used: somebody else may have been first.
 *
 * Attackers who may write here own the CA; those who may read it find hashes.
 */
#include "tokens.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "file.h"
#include "issue.h"
#include "seal.h"
#include "store.h"

#define MAGIC "dinv-tokens"
#define TOKENS_BYTES ((size_t)4 * 1024 * 1024)
#define KEEP_S 86400
#define TIME_MAX 253402300799u

void
tokens_init(struct tokens *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, 2 * TOKENS_BYTES);
}

void
tokens_fini(struct tokens *t)
{
	free(t->token);
	arena_fini(&t->arena);
	memset(t, 0, sizeof(*t));
}

struct token *
tokens_append(struct tokens *t)
{
	size_t cap = t->cap == 0 ? 16 : t->cap * 2;
	struct token *more;

	if (t->n == t->cap) {
		more = reallocarray(t->token, cap, sizeof(*more));
		if (more == NULL) {
			return NULL;
		}
		t->token = more;
		t->cap = cap;
	}
	more = &t->token[t->n++];
	memset(more, 0, sizeof(*more));
	more->used = true; /* until it is said otherwise */
	return more;
}

static bool
take_number(struct span s, uint64_t max, uint64_t *out)
{
	return text_parse_u64(s, max, out) == ERR_OK;
}

/* The columns, in this order: docs/pki.md. */
static bool
take_line(struct span line, struct token *t)
{
	uint64_t made, expires, days, hours;
	struct span state;
	if (!text_is_columns(line, 7)) {
		return false;
	}
	t->hash = text_cut(&line, '\t');
	state = text_cut(&line, '\t');
	if (t->hash.len != TOKEN_HASH_HEX || !text_is_hex(t->hash) ||
	    !(span_is(state, "open") || span_is(state, "used")) ||
	    !take_number(text_cut(&line, '\t'), TIME_MAX, &made) ||
	    !take_number(text_cut(&line, '\t'), TIME_MAX, &expires) ||
	    !take_number(text_cut(&line, '\t'), ISSUE_DAYS_MAX, &days) ||
	    !take_number(text_cut(&line, '\t'), ISSUE_DAYS_MAX * 24, &hours)) {
		return false;
	}
	t->used = !span_is(state, "open");
	t->made = (time_t)made;
	t->expires = (time_t)expires;
	t->days = (unsigned)days;
	t->hours = (unsigned)hours;
	t->name = text_cut(&line, '\t');
	t->org = text_cut(&line, '\t');
	t->units = line;
	return t->name.len > 0;
}

static enum err
bad_line(unsigned number, struct diag *d)
{
	diag_set(d, number, 0,
	    TOKENS_NAME ":%u is damaged: remove the file, and make the tokens "
			"anew that are still wanted",
	    number);
	return ERR_SYNTAX;
}

/* "end\tN", the last line: was the file cut short? */
static bool
is_end(struct span line, struct span rest, size_t have)
{
	uint64_t n;

	/* Where nothing is behind it, text_cut() found the end or its LF. */
	return take_number(span_make(line.p + 4, line.len - 4), SIZE_MAX, &n) &&
	       n == have && rest.len == 0 && rest.p != NULL;
}

enum err
tokens_parse(struct tokens *t, struct span text, struct diag *d)
{
	const char *copy = arena_dup(&t->arena, text);
	struct span rest, line;
	struct token *one;
	unsigned number = 1;

	if (copy == NULL) {
		return ERR_NOMEM;
	}
	rest = span_make(copy, text.len);
	if (!text_is_utf8(rest) ||
	    !span_is(text_cut(&rest, '\n'), MAGIC "\t1")) {
		return bad_line(1, d);
	}
	while (rest.len > 0) {
		number++;
		line = text_cut(&rest, '\n');
		if (span_starts(line, "end\t")) {
			return is_end(line, rest, t->n) ? ERR_OK
							: bad_line(number, d);
		}
		one = tokens_append(t);
		if (one == NULL) {
			return ERR_NOMEM;
		}
		if (!take_line(line, one)) {
			break;
		}
	}
	return bad_line(number, d);
}

enum err
tokens_load(struct tokens *t, const char *dir, struct diag *d)
{
	struct secret file = { NULL, 0 };
	char path[STORE_PATH_SIZE];
	enum err rc;
	int n = snprintf(path, sizeof(path), "%s/" TOKENS_NAME, dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		return ERR_LIMIT;
	}
	errno = 0;
	rc = secret_read_file(&file, path, TOKENS_BYTES);
	if (rc == ERR_NOTFOUND) {
		return ERR_OK;
	}
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, TOKENS_NAME ": %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	rc = tokens_parse(t, span_make(file.data, file.len), d);
	secret_fini(&file);
	return rc;
}

static bool
is_over(const struct token *t, time_t now)
{
	return t->expires + KEEP_S < now;
}

static enum err
write_table(const struct tokens *t, time_t now, struct buf *out)
{
	enum err rc = buf_append_str(out, MAGIC "\t1\n");
	const struct token *one;
	size_t i, n = 0;

	for (i = 0; i < t->n && rc == ERR_OK; i++) {
		one = &t->token[i];
		if (is_over(one, now)) {
			continue;
		}
		n++;
		rc = buf_printf(out,
		    "%.*s\t%s\t%lld\t%lld\t%u\t%u\t%.*s\t%.*s%s%.*s\n",
		    SPAN_ARG(one->hash), one->used ? "used" : "open",
		    (long long)one->made, (long long)one->expires, one->days,
		    one->hours, SPAN_ARG(one->name), SPAN_ARG(one->org),
		    one->units.len > 0 ? "\t" : "", SPAN_ARG(one->units));
	}
	return rc == ERR_OK ? buf_printf(out, "end\t%zu\n", n) : rc;
}

enum err
tokens_save(const struct tokens *t, int dir_fd, time_t now, struct diag *d)
{
	struct buf text;
	enum err rc;

	buf_init(&text, TOKENS_BYTES);
	rc = write_table(t, now, &text);
	if (rc == ERR_OK) {
		rc = file_replace(dir_fd, TOKENS_NAME, 0600, buf_span(&text));
	}
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, TOKENS_NAME " cannot be written: %s",
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
	}
	buf_fini(&text);
	return rc;
}

void
token_hash(const char *secret, char hex[TOKEN_HASH_HEX + 1])
{
	uint8_t hash[SEAL_HASH_BYTES];

	seal_hash(span_of(secret), hash);
	text_hex(hash, sizeof(hash), hex);
}

struct token *
tokens_find(const struct tokens *t, const char *secret)
{
	char hex[TOKEN_HASH_HEX + 1];
	size_t i;

	token_hash(secret, hex);
	for (i = 0; i < t->n; i++) {
		if (secret_equal(t->token[i].hash.p, hex, TOKEN_HASH_HEX)) {
			return &t->token[i];
		}
	}
	return NULL;
}
