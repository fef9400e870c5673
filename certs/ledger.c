/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of what was issued; see ledger.h.
 *
 * One line a certificate, tabs between the columns, because names may hold
 * anything but control characters (names.c).  The first line carries what
 * the newest CRL has to be; the last one counts the entries, so that a copy
 * that was cut short is refused instead of forgetting who was revoked.  All
 * else that does not look as written here is refused for the same reason.
 *
 * Rejected: appending a line (a torn one after a crash has to be told from a
 * damaged one, and a revocation changes a line anyway); a directory with a
 * file for each certificate (10,000 of them take a second to read); OpenSSL's
 * index.txt (one name string with escapes, two digits for a year, and
 * nothing for a CRL's number).
 *
 * Attackers who may write here own the CA.  Those who choose names try tabs
 * and newlines; what comes from other people's certificates is escaped.
 */
#include "ledger.h"

#include <errno.h>
#include <mbedtls/md.h>
#include <mbedtls/oid.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "file.h"
#include "mbed.h"

#define MAGIC "dinv-issued"
#define LEDGER_BYTES ((size_t)64 * 1024 * 1024) /* 250,000 certificates */
#define LEDGER_KEEP_S ((time_t)32 * 86400)	/* longer than crl.c does */
#define TIME_MAX 253402300799u			/* the last second of 9999 */

static const char *const kinds[] = {
	[LEDGER_CLIENT] = "client",
	[LEDGER_SERVER] = "server",
	[LEDGER_CA] = "ca",
};

static const struct {
	enum ledger_reason reason;
	const char *name;
} reasons[] = {
	{ REASON_UNSPECIFIED, "unspecified" },
	{ REASON_KEY_COMPROMISE, "keyCompromise" },
	{ REASON_CA_COMPROMISE, "CACompromise" },
	{ REASON_AFFILIATION, "affiliationChanged" },
	{ REASON_SUPERSEDED, "superseded" },
	{ REASON_CESSATION, "cessationOfOperation" },
	{ REASON_WITHDRAWN, "privilegeWithdrawn" },
};

const char *
ledger_kind_name(enum ledger_kind k)
{
	return kinds[k];
}

const char *
ledger_reason_name(enum ledger_reason r)
{
	size_t i;

	for (i = 0; i < NELEM(reasons); i++) {
		if (reasons[i].reason == r) {
			return reasons[i].name;
		}
	}
	return "?";
}

enum err
ledger_reason_parse(const char *s, enum ledger_reason *out, struct diag *d)
{
	size_t i;

	for (i = 0; i < NELEM(reasons); i++) {
		if (strcasecmp(s, reasons[i].name) == 0) {
			*out = reasons[i].reason;
			return ERR_OK;
		}
	}
	diag_set(d, 0, 0,
	    "the reason must be unspecified, keyCompromise, CACompromise, "
	    "affiliationChanged, superseded, cessationOfOperation or "
	    "privilegeWithdrawn");
	return ERR_USAGE;
}

const char *
ledger_state_name(const struct ledger_entry *e, time_t now)
{
	if (e->state != LEDGER_VALID) {
		return "revoked";
	}
	return now > e->to     ? "expired"
	       : now < e->from ? "not yet valid"
			       : "valid";
}

void
ledger_init(struct ledger *l)
{
	memset(l, 0, sizeof(*l));
	arena_init(&l->arena, 2 * LEDGER_BYTES);
}

void
ledger_fini(struct ledger *l)
{
	free(l->entry);
	arena_fini(&l->arena);
	memset(l, 0, sizeof(*l));
}

/* A new entry, all zero: revoked until it is said otherwise. */
static struct ledger_entry *
append(struct ledger *l)
{
	size_t cap = l->cap == 0 ? 64 : l->cap * 2;
	struct ledger_entry *more;

	if (l->n == l->cap) {
		more = reallocarray(l->entry, cap, sizeof(*more));
		if (more == NULL) {
			return NULL;
		}
		l->entry = more;
		l->cap = cap;
	}
	more = &l->entry[l->n++];
	memset(more, 0, sizeof(*more));
	return more;
}

/* ---- reading -------------------------------------------------------------
 */

static bool
take_time(struct span s, time_t *out)
{
	uint64_t v;

	if (text_parse_u64(s, TIME_MAX, &v) != ERR_OK) {
		return false;
	}
	*out = (time_t)v;
	return true;
}

static bool
take_kind(struct span s, enum ledger_kind *out)
{
	size_t i;

	for (i = 0; i < NELEM(kinds); i++) {
		if (span_is(s, kinds[i])) {
			*out = (enum ledger_kind)i;
			return true;
		}
	}
	return false;
}

static bool
take_state(struct span s, struct ledger_entry *e)
{
	size_t i;

	if (span_is(s, "valid")) {
		e->state = LEDGER_VALID;
		return true;
	}
	for (i = 0; i < NELEM(reasons); i++) {
		if (span_is(s, reasons[i].name)) {
			e->reason = reasons[i].reason;
			return true; /* state is zero: revoked */
		}
	}
	return false;
}

/* The columns, in this order: docs/pki.md. */
static bool
take_line(struct span line, struct ledger_entry *e)
{
	if (!text_is_columns(line, 9)) {
		return false;
	}
	e->serial = text_cut(&line, '\t');
	if (!text_is_hex(e->serial) ||
	    !take_kind(text_cut(&line, '\t'), &e->kind) ||
	    !take_state(text_cut(&line, '\t'), e) ||
	    !take_time(text_cut(&line, '\t'), &e->when) ||
	    !take_time(text_cut(&line, '\t'), &e->from) ||
	    !take_time(text_cut(&line, '\t'), &e->to)) {
		return false;
	}
	e->issuer = text_cut(&line, '\t');
	e->fingerprint = text_cut(&line, '\t');
	e->name = text_cut(&line, '\t');
	e->org = text_cut(&line, '\t');
	e->units = line;
	return text_is_hex(e->issuer) && e->issuer.len == LEDGER_ID_HEX - 1 &&
	       text_is_hex(e->fingerprint) && e->fingerprint.len == 64;
}

static bool
take_head(struct ledger *l, struct span line)
{
	uint64_t n;

	if (!span_is(text_cut(&line, '\t'), MAGIC) ||
	    !span_is(text_cut(&line, '\t'), "1") ||
	    text_parse_u64(text_cut(&line, '\t'), UINT64_MAX / 2,
		&l->crl_number) != ERR_OK ||
	    text_parse_u64(line, 1000, &n) != ERR_OK) {
		return false;
	}
	l->n_crls = (unsigned)n;
	return true;
}

static enum err
bad_line(unsigned number, struct diag *d)
{
	diag_set(d, number, 0,
	    LEDGER_NAME ":%u is damaged: put back a good copy of the file",
	    number);
	return ERR_SYNTAX;
}

enum err
ledger_parse(struct ledger *l, struct span text, struct diag *d)
{
	const char *copy = arena_dup(&l->arena, text);
	struct ledger_entry *e;
	struct span rest, line;
	unsigned number = 1;
	uint64_t n;

	if (copy == NULL) {
		return ERR_NOMEM;
	}
	rest = span_make(copy, text.len);
	if (!text_is_utf8(rest) || !take_head(l, text_cut(&rest, '\n'))) {
		return bad_line(1, d);
	}
	while (rest.len > 0) {
		number++;
		line = text_cut(&rest, '\n');
		if (span_starts(line, "end\t")) {
			line = span_make(line.p + 4, line.len - 4);
			if (text_parse_u64(line, SIZE_MAX, &n) != ERR_OK ||
			    n != l->n || rest.len != 0 ||
			    text.p[text.len - 1] != '\n') {
				break;
			}
			return ERR_OK;
		}
		e = append(l);
		if (e == NULL) {
			return ERR_NOMEM;
		}
		if (!take_line(line, e)) {
			break;
		}
	}
	return bad_line(number, d);
}

enum err
ledger_load(struct ledger *l, const char *dir, struct diag *d)
{
	struct secret file = { NULL, 0 };
	char path[1024];
	enum err rc;
	int n = snprintf(path, sizeof(path), "%s/" LEDGER_NAME, dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		return ERR_LIMIT;
	}
	errno = 0;
	rc = secret_read_file(&file, path, LEDGER_BYTES);
	if (rc == ERR_NOTFOUND) {
		return ERR_OK;
	}
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, LEDGER_NAME ": %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	rc = ledger_parse(l, span_make(file.data, file.len), d);
	secret_fini(&file);
	return rc;
}

enum err
ledger_units(
    struct span units, struct arena *a, const char **to, size_t max, size_t *n)
{
	size_t have = 0;

	while (units.len > 0) {
		if (have == max) {
			return ERR_LIMIT;
		}
		to[have] = arena_dup(a, text_cut(&units, '\t'));
		if (to[have++] == NULL) {
			return ERR_NOMEM;
		}
	}
	*n = have;
	return ERR_OK;
}

void
ledger_trim(struct ledger *l, time_t now)
{
	size_t i, kept = 0;

	if (l->n < LEDGER_FULL) {
		return;
	}
	for (i = 0; i < l->n; i++) {
		if (l->entry[i].to >= now - LEDGER_KEEP_S) {
			l->entry[kept++] = l->entry[i];
		}
	}
	l->n = kept;
}

/* ---- writing -------------------------------------------------------------
 */

static enum err
write_entry(const struct ledger_entry *e, struct buf *out)
{
	return buf_printf(out,
	    "%.*s\t%s\t%s\t%lld\t%lld\t%lld\t%.*s\t%.*s\t%.*s\t%.*s%s%.*s\n",
	    SPAN_ARG(e->serial), kinds[e->kind],
	    e->state == LEDGER_VALID ? "valid" : ledger_reason_name(e->reason),
	    (long long)e->when, (long long)e->from, (long long)e->to,
	    SPAN_ARG(e->issuer), SPAN_ARG(e->fingerprint), SPAN_ARG(e->name),
	    SPAN_ARG(e->org), e->units.len > 0 ? "\t" : "", SPAN_ARG(e->units));
}

enum err
ledger_write(const struct ledger *l, struct buf *out)
{
	enum err rc;
	size_t i;

	rc = buf_printf(out, MAGIC "\t1\t%llu\t%u\n",
	    (unsigned long long)l->crl_number, l->n_crls);
	for (i = 0; i < l->n && rc == ERR_OK; i++) {
		rc = write_entry(&l->entry[i], out);
	}
	return rc != ERR_OK ? rc : buf_printf(out, "end\t%zu\n", l->n);
}

enum err
ledger_save(const struct ledger *l, int dir_fd, struct diag *d)
{
	struct buf text;
	enum err rc;

	buf_init(&text, LEDGER_BYTES);
	rc = ledger_write(l, &text);
	if (rc == ERR_OK) {
		rc = file_replace(dir_fd, LEDGER_NAME, 0644, buf_span(&text));
	}
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, LEDGER_NAME " cannot be written: %s",
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
	}
	buf_fini(&text);
	return rc;
}

/* ---- entries -------------------------------------------------------------
 */

/* Four characters for each byte of a name that is escaped. */
#define NAME_SIZE 1024

/* A value of the subject; if our own CA would not have signed it, escaped. */
static enum err
add_value(struct arena *a, const mbedtls_x509_name *n, struct span *to)
{
	struct span v = span_make(n->val.p, n->val.len);
	char clean[NAME_SIZE];
	const char *copy = arena_dup(a, v);

	if (copy == NULL) {
		return ERR_NOMEM;
	}
	if (strlen(copy) != v.len || subject_check("", copy, NULL) != ERR_OK) {
		text_escape(v, clean, sizeof(clean));
		v = span_of(clean);
		copy = arena_dup(a, v);
	}
	if (copy != NULL && to->len > 0) {
		copy =
		    arena_printf(a, "%.*s\t%.*s", SPAN_ARG(*to), SPAN_ARG(v));
	}
	if (copy == NULL) {
		return ERR_NOMEM;
	}
	*to = span_of(copy);
	return ERR_OK;
}

static enum err
take_subject(
    struct arena *a, const mbedtls_x509_crt *crt, struct ledger_entry *e)
{
	const mbedtls_x509_name *n;
	enum err rc = ERR_OK;

	for (n = &crt->subject; n != NULL && rc == ERR_OK; n = n->next) {
		if (n->oid.p == NULL || n->val.len == 0) {
			continue;
		}
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0 &&
		    e->name.len == 0) {
			rc = add_value(a, n, &e->name);
		} else if (MBEDTLS_OID_CMP(
			       MBEDTLS_OID_AT_ORGANIZATION, &n->oid) == 0 &&
			   e->org.len == 0) {
			rc = add_value(a, n, &e->org);
		} else if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_ORG_UNIT, &n->oid) ==
			   0) {
			rc = add_value(a, n, &e->units);
		}
	}
	return rc;
}

static struct span
hex_of(struct arena *a, const uint8_t *p, size_t n)
{
	char *hex;

	while (n > 1 && *p == 0) {
		p++;
		n--;
	}
	hex = arena_alloc(a, 2 * n + 1);
	if (hex == NULL) {
		return span_make(NULL, 0);
	}
	text_hex(p, n, hex);
	return span_make(hex, 2 * n);
}

static enum err
fill(struct ledger *l, const struct cert *c, const char *issuer,
    struct ledger_entry *e)
{
	const mbedtls_x509_crt *crt = &c->crt;
	const char *copy = arena_dup(&l->arena, span_of(issuer));
	uint8_t hash[32];
	char hex[65];

	if (copy == NULL ||
	    mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), crt->raw.p,
		crt->raw.len, hash) != 0) {
		return ERR_NOMEM;
	}
	e->issuer = span_of(copy);
	text_hex(hash, sizeof(hash), hex);
	copy = arena_dup(&l->arena, span_of(hex));
	e->serial = hex_of(&l->arena, crt->serial.p, crt->serial.len);
	if (copy == NULL || e->serial.len == 0) {
		return ERR_NOMEM;
	}
	e->fingerprint = span_of(copy);
	cert_validity(c, &e->from, &e->to);
	return take_subject(&l->arena, crt, e);
}

struct ledger_entry *
ledger_find_serial(const struct ledger *l, const char *serial)
{
	char want[128];
	size_t i, n = 0;

	for (; *serial != '\0'; serial++) {
		if (*serial == ':' || (n == 0 && *serial == '0')) {
			continue;
		}
		if (text_hex_digit(*serial) < 0 || n == sizeof(want)) {
			return NULL;
		}
		want[n++] =
		    (char)(*serial |
			   ('A' <= *serial && *serial <= 'F' ? 0x20 : 0));
	}
	for (i = 0; i < l->n && n > 0; i++) {
		struct span s = l->entry[i].serial;

		if (s.p[0] == '0') { /* of the first byte's two digits */
			s = span_make(s.p + 1, s.len - 1);
		}
		if (span_eq(s, span_make(want, n))) {
			return &l->entry[i];
		}
	}
	return NULL;
}

struct ledger_entry *
ledger_find_cert(const struct ledger *l, const struct cert *c)
{
	uint8_t hash[32];
	char hex[65];
	size_t i;

	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
		c->crt.raw.p, c->crt.raw.len, hash) != 0) {
		return NULL;
	}
	text_hex(hash, sizeof(hash), hex);
	for (i = 0; i < l->n; i++) {
		if (span_is(l->entry[i].fingerprint, hex)) {
			return &l->entry[i];
		}
	}
	return NULL;
}

enum err
ledger_add(struct ledger *l, const struct cert *c, enum ledger_kind kind,
    const char *issuer, struct ledger_entry **out, struct diag *d)
{
	struct ledger_entry *e = ledger_find_cert(l, c);
	enum err rc;

	if (e != NULL) {
		*out = e;
		return ERR_EXISTS;
	}
	e = append(l);
	if (e == NULL) {
		return ERR_NOMEM;
	}
	rc = fill(l, c, issuer, e);
	if (rc != ERR_OK) {
		l->n--;
		diag_set(d, 0, 0, "%s", err_text(rc));
		return rc;
	}
	e->kind = kind;
	e->state = LEDGER_VALID;
	*out = e;
	return ERR_OK;
}
