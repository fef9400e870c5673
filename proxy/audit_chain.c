/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of audit records; see audit_chain.h.
 *
 * A record begins with {"seq":N,"prev":"HASH", where HASH is of the line
 * before it as it stands in the file, without its LF.  So whoever changes,
 * removes, inserts or moves a line must write all later ones anew, and then
 * every later checkpoint is wrong, because that signs its own line, which
 * holds the hash of the one before.
 *
 * The state is the last line of the file and nothing else: nothing that could
 * be lost or differ.  A line that was torn is a link too, by its bytes; it has
 * no number.
 *
 * Rejected: a signature on each record (25 us of CPU each for what one in a
 * thousand gives as well), a keyed hash (who verifies could forge).
 *
 * Attackers who are root on the host have the key.  What they cannot undo are
 * checkpoints that have left the host.
 */
#include "audit_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_rotate.h"
#include "base/text.h"
#include "certs/file.h"
#include "limit.h"

/* The last record, and what is torn behind it. */
#define CHAIN_TAIL_BYTES (4 * (off_t)LIMIT_AUDIT_RECORD_BYTES)

struct audit_chain {
	struct audit_link at; /* what the next record gets */
	struct key *key;
	struct rng *rng;
	char id[SEAL_ID_SIZE];
	unsigned unsealed; /* records since the last checkpoint */
	time_t since;	   /* of the first of them */
};

/* --- where it stands ----------------------------------------------------- */

/* The last line of tail, which is taken off; {NULL, 0} at its beginning. */
static struct span
last_line(struct span *tail)
{
	const char *lf;
	struct span line;

	if (tail->len == 0) {
		return span_make(NULL, 0);
	}
	lf = memrchr(tail->p, '\n', tail->len);
	line = lf == NULL
		   ? *tail
		   : span_make(lf + 1, (size_t)(tail->p + tail->len - lf) - 1);
	tail->len -= line.len + (lf != NULL);
	return line;
}

static void
resume(struct audit_chain *c, struct span tail)
{
	struct audit_link last;
	struct span line;
	bool newest = true;

	if (tail.len > 0 && tail.p[tail.len - 1] == '\n') {
		tail.len--;
	}
	while (tail.len > 0) {
		line = last_line(&tail);
		if (newest) {
			seal_hash(line, c->at.prev);
			newest = false;
		}
		if (audit_link_parse(line, &last)) {
			c->at.seq = last.seq + 1;
			return;
		}
	}
}

/* The end of a file that is there; none begins a chain. */
static enum err
read_tail(struct audit_chain *c, const char *path, struct diag *d)
{
	enum err rc = ERR_IO;
	struct stat st;
	char *p = NULL;
	off_t from;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1 && errno == ENOENT) {
		return ERR_OK;
	}
	if (fd == -1 || fstat(fd, &st) == -1) {
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		rc = ERR_OK;
		goto out;
	}
	from =
	    st.st_size > CHAIN_TAIL_BYTES ? st.st_size - CHAIN_TAIL_BYTES : 0;
	p = malloc((size_t)(st.st_size - from) + 1);
	n = p == NULL ? -1 : pread(fd, p, (size_t)(st.st_size - from), from);
	if (n == (ssize_t)(st.st_size - from)) {
		resume(c, span_make(p, (size_t)n));
		rc = ERR_OK;
	}
out:
	if (rc != ERR_OK) {
		diag_set(d, 0, 0,
		    "cannot read the end of the audit file %s, which the next "
		    "record goes on from: %s",
		    path, strerror(errno));
	}
	if (fd != -1) {
		close(fd);
	}
	free(p);
	return rc;
}

/* --- the key ------------------------------------------------------------- */

static enum err
write_key(const struct key *k, const char *path, struct diag *d)
{
	struct secret pem = { NULL, 0 };
	char *dir = strdup(path), *name = strdup(path);
	bool made;
	int fd = -1;
	enum err rc =
	    dir == NULL || name == NULL ? ERR_NOMEM : key_to_pem(k, &pem);

	if (rc == ERR_OK) {
		rc = dir_open(dirname(dir), 0700, &fd, &made, d);
	}
	if (rc == ERR_OK) {
		rc = file_create(
		    fd, basename(name), 0600, span_make(pem.data, pem.len));
		if (rc != ERR_OK) {
			diag_set(d, 0, 0, "cannot write the audit key %s: %s",
			    path,
			    rc == ERR_IO ? strerror(errno) : err_text(rc));
		}
	}
	if (fd != -1) {
		close(fd);
	}
	secret_fini(&pem);
	free(dir);
	free(name);
	return rc;
}

static enum err
take_key(struct audit_chain *c, const char *path, struct diag *d)
{
	enum err rc = rng_new(&c->rng);

	if (rc == ERR_OK && access(path, F_OK) == -1 && errno == ENOENT) {
		rc = key_new(c->rng, &c->key);
		if (rc == ERR_OK) {
			rc = write_key(c->key, path, d);
		}
	} else if (rc == ERR_OK) {
		rc = key_load(path, path, c->rng, &c->key, d);
	}
	return rc == ERR_OK ? seal_key_id(c->key, c->id) : rc;
}

enum err
audit_chain_new(
    const char *path, const char *key, struct audit_chain **out, struct diag *d)
{
	struct audit_chain *c = calloc(1, sizeof(*c));
	enum err rc = c == NULL ? ERR_NOMEM : ERR_OK;
	char moved[PATH_MAX];

	if (rc == ERR_OK) {
		c->at.seq = 1;
		rc = path == NULL ? ERR_OK : read_tail(c, path, d);
	}
	/* It was moved away, and there was no time for a line in the next. */
	if (rc == ERR_OK && path != NULL && c->at.seq == 1 &&
	    audit_rotate_newest(path, moved, sizeof(moved))) {
		rc = read_tail(c, moved, d);
		/* What is torn there is a link nonetheless. */
		rc = rc == ERR_OK ? read_tail(c, path, d) : rc;
	}
	if (rc == ERR_OK && key != NULL) {
		rc = take_key(c, key, d);
	}
	if (rc != ERR_OK) {
		audit_chain_free(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}

void
audit_chain_free(struct audit_chain *c)
{
	if (c != NULL) {
		key_free(c->key);
		rng_free(c->rng);
		free(c);
	}
}

/* --- writing ------------------------------------------------------------- */

static enum err
put_link(const struct audit_chain *c, struct buf *out)
{
	char hex[2 * SEAL_HASH_BYTES + 1];

	text_hex(c->at.prev, SEAL_HASH_BYTES, hex);
	return buf_printf(out, LINK_SEQ "%" PRIu64 LINK_PREV "%s\",\"v\":%d,",
	    c->at.seq, hex, AUDIT_VERSION);
}

/* What was added to out since len is one line with its LF. */
static void
advance(struct audit_chain *c, const struct buf *out, size_t len)
{
	struct span all = buf_span(out);

	seal_hash(span_make(all.p + len, all.len - len - 1), c->at.prev);
	c->at.seq++;
}

enum err
audit_chain_add(struct audit_chain *c, struct span line, struct buf *out)
{
	size_t len = out->len;
	enum err rc;

	if (buf_room(out) < line.len + LIMIT_AUDIT_LINK_BYTES) {
		return ERR_LIMIT;
	}
	rc = put_link(c, out);
	if (rc == ERR_OK) {
		rc = buf_append(out, line.p + 1, line.len - 1);
	}
	if (rc != ERR_OK) {
		out->len = len; /* as if nothing had been begun */
		return rc;
	}
	advance(c, out, len);
	if (c->unsealed++ == 0) {
		c->since = time(NULL);
	}
	return ERR_OK;
}

int
audit_chain_due(const struct audit_chain *c, time_t now)
{
	if (c->key == NULL || c->unsealed == 0) {
		return -1;
	}
	if (c->unsealed >= LIMIT_AUDIT_CHECKPOINT_RECORDS || now < c->since ||
	    now - c->since >= LIMIT_AUDIT_CHECKPOINT_S) {
		return 0;
	}
	return (int)(LIMIT_AUDIT_CHECKPOINT_S - (now - c->since));
}

enum err
audit_chain_sign(struct audit_chain *c, const char *stamp, struct buf *out)
{
	char text[SEAL_TEXT_SIZE];
	size_t len = out->len;
	struct span all;
	enum err rc = put_link(c, out);

	if (rc == ERR_OK) {
		rc = buf_printf(
		    out, "\"time\":\"%s\"" SEAL_KEY "%s\"", stamp, c->id);
	}
	if (rc == ERR_OK) {
		all = buf_span(out);
		rc = seal_sign(c->key, c->rng,
		    span_make(all.p + len, all.len - len), text);
	}
	if (rc == ERR_OK) {
		rc = buf_printf(out, SEAL_MARK "%s\"}\n", text);
	}
	if (rc != ERR_OK) {
		out->len = len;
		return rc;
	}
	advance(c, out, len);
	c->unsealed = 0;
	return ERR_OK;
}
