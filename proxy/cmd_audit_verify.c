/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv audit verify, dinv audit key: does the chain hold?
 *
 * A line that was changed shows at the line behind it, which has its hash; so
 * of two lines that do not fit the earlier one is named.
 *
 * Attackers own the files that are read here; the key must come from
 * elsewhere, or the file's owner could have made both.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_chain.h"
#include "audit_read.h"
#include "cmd_audit.h"
#include "flags.h"

#define VERIFY_FILES_MAX 4096

struct place {
	const char *file;
	uint64_t line;
};

struct verify {
	struct key *key;
	char id[SEAL_ID_SIZE];
	struct place at;     /* of the line in hand */
	struct place before; /* of the last line that is a link */
	bool begun;
	uint64_t seq;			/* of the last record */
	uint8_t hash[SEAL_HASH_BYTES];	/* of the last line */
	uint8_t whole[SEAL_HASH_BYTES]; /* of the last record */
	bool torn;			/* the last line is no record */
	bool torn_end;			/* and its file ended in it */
	uint64_t records, seals, unsealed;
	char fault[512]; /* "" so far */
};

static void __attribute__((format(printf, 3, 4)))
blame(struct verify *v, const struct place *p, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	if (v->fault[0] != '\0') {
		return; /* the first one counts */
	}
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	(void)snprintf(v->fault, sizeof(v->fault), "%s:%" PRIu64 ": %s",
	    p->file, p->line, what);
}

static bool
fits(const struct verify *v, const struct audit_link *l)
{
	return memcmp(l->prev, v->hash, sizeof(v->hash)) == 0 ||
	       (v->torn_end &&
		   memcmp(l->prev, v->whole, sizeof(v->whole)) == 0);
}

/* A record does not follow the line before it: whose fault is it? */
static void
judge_break(struct verify *v, const struct audit_link *l)
{
	if (l->seq > v->seq + 1) {
		blame(v, &v->at,
		    "%" PRIu64 " records are missing before this "
		    "line (number %" PRIu64 " follows %" PRIu64 ")",
		    l->seq - v->seq - 1, l->seq, v->seq);
	} else if (l->seq <= v->seq) {
		blame(v, &v->at,
		    "this line was inserted or moved (number "
		    "%" PRIu64 " follows %" PRIu64 ")",
		    l->seq, v->seq);
	} else {
		blame(v, &v->before,
		    "this line was changed, or the hash in "
		    "the line behind it (number %" PRIu64 ")",
		    v->seq);
	}
}

static void
check_seal(struct verify *v, struct span line)
{
	struct span bytes, id, seal;

	if (!audit_link_seal(line, &bytes, &id, &seal)) {
		v->unsealed++;
		return;
	}
	v->seals++;
	v->unsealed = 0;
	if (v->key == NULL) {
		return;
	}
	if (!span_is(id, v->id)) {
		blame(v, &v->at,
		    "this checkpoint is of another key than the "
		    "one given (%s)",
		    v->id);
	} else if (seal_check(v->key, bytes, seal) != ERR_OK) {
		blame(v, &v->at,
		    "the signature of this checkpoint is wrong: "
		    "lines before it were written anew");
	}
}

static void
take_record(struct verify *v, struct span line, const struct audit_link *l)
{
	static const uint8_t none[SEAL_HASH_BYTES];
	bool behind_torn = v->torn && !v->torn_end;

	if (!v->begun) {
		if ((l->seq == 1 || behind_torn) &&
		    memcmp(l->prev, behind_torn ? v->hash : none,
			sizeof(none)) != 0) {
			blame(v, &v->at,
			    "lines before the first record were "
			    "removed, or it was changed");
		}
		if (l->seq != 1) {
			printf("begins with number %" PRIu64 ": what was "
			       "before it was not given\n",
			    l->seq);
		}
	} else if (l->seq != v->seq + 1 || !fits(v, l)) {
		judge_break(v, l);
	}
	v->begun = true;
	v->torn = v->torn_end = false;
	v->seq = l->seq;
	v->records++;
	check_seal(v, line);
	seal_hash(line, v->hash);
	memcpy(v->whole, v->hash, sizeof(v->hash));
	v->before = v->at;
}

/*
 * A line that is no record.  One that a kill tore is a link by its bytes; one
 * that a full disk tore at the end of a file was written whole to the next.
 * What follows has the hash of this line only, so the line before is held by
 * the hash in this one, where the tear left that.
 */
static void
take_torn(struct verify *v, struct span line, bool whole)
{
	struct audit_link l;

	if (v->torn_end || (!v->begun && !span_starts(line, "{\"seq\":"))) {
		blame(v, &v->at, "this is no record of a chain");
		return;
	}
	if ((v->begun || v->torn) && audit_link_parse_torn(line, &l) &&
	    memcmp(l.prev, v->hash, sizeof(v->hash)) != 0) {
		blame(v, &v->before,
		    "this line was changed, or the hash in the torn line "
		    "behind it");
		return;
	}
	v->torn = true;
	v->torn_end = !whole;
	seal_hash(line, v->hash);
	v->before = v->at;
}

static bool
verify_file(struct verify *v, const char *path)
{
	struct audit_reader *r = NULL;
	struct diag d = { 0, 0, "" };
	struct audit_link l;
	struct span line;
	bool whole = true, ok;

	if (audit_reader_open(path, &r, &d) != ERR_OK) {
		fprintf(stderr, "dinv audit verify: %s\n", d.text);
		return false;
	}
	v->at = (struct place){ path, 0 };
	while (v->fault[0] == '\0' && audit_reader_line(r, &line, &whole)) {
		v->at.line++;
		if (audit_link_parse(line, &l)) {
			take_record(v, line, &l);
		} else {
			take_torn(v, line, whole);
		}
	}
	ok = audit_reader_close(r, &d) == ERR_OK || v->fault[0] != '\0';
	if (!ok) {
		fprintf(stderr, "dinv audit verify: %s\n", d.text);
	}
	return ok;
}

static int
report(struct verify *v)
{
	if (v->torn && (!v->torn_end || !v->begun)) {
		blame(v, &v->before, "this is no record of a chain");
	}
	if (v->fault[0] == '\0' && v->torn) {
		printf("the last line is torn: the gate was killed there, or "
		       "is writing it\n");
	}
	if (v->fault[0] != '\0') {
		printf("BROKEN %s\n", v->fault);
		return 1;
	}
	printf("the chain holds: %" PRIu64 " records, %" PRIu64
	       " checkpoints%s, %" PRIu64 " records after the last one\n",
	    v->records, v->seals,
	    v->key == NULL ? " (not checked: give -key)" : " by the key given",
	    v->unsealed);
	return 0;
}

#define VERIFY_ABOUT                                                           \
	"Reads audit files in the order given, the oldest first, and names\n"  \
	"the first line that was changed, removed, inserted or moved.  Exit\n" \
	"status 0: the chain holds; 1: it does not; 2: it could not be read."

int
cmd_audit_verify(int argc, char **argv)
{
	const char *key = NULL;
	struct verify v;
	struct diag d = { 0, 0, "" };
	const struct flag flags[] = { { "key", FLAG_STRING, &key, "FILE",
	    "the public key, or the private one; without it signatures are\n"
	    "not checked" } };
	const struct flag_set set = { "dinv audit verify [-key FILE] FILE...",
		VERIFY_ABOUT, flags, NELEM(flags), VERIFY_FILES_MAX };
	int i, status = flags_start(&set, &argc, argv, NULL);
	bool ok = true;

	if (status >= 0) {
		return status;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s\n", set.usage);
		return 2;
	}
	memset(&v, 0, sizeof(v));
	if (key != NULL && (seal_load_public(key, &v.key, &d) != ERR_OK ||
			       seal_key_id(v.key, v.id) != ERR_OK)) {
		fprintf(stderr, "dinv audit verify: %s\n", d.text);
		key_free(v.key);
		return 2;
	}
	for (i = 1; i < argc && ok && v.fault[0] == '\0'; i++) {
		ok = verify_file(&v, argv[i]);
	}
	status = ok ? report(&v) : 2;
	key_free(v.key);
	return status;
}

int
cmd_audit_key(int argc, char **argv)
{
	const char *file = NULL;
	struct key *key = NULL;
	struct diag d = { 0, 0, "" };
	char pem[SEAL_PEM_SIZE], id[SEAL_ID_SIZE];
	const struct flag_set set = { "dinv audit key FILE",
		"Prints the public half of the key that signs checkpoints, in\n"
		"PEM, for dinv audit verify -key.  FILE: the audit file's "
		"name\n"
		"and .key, or what -audit-key says.  Keep it off this host.",
		NULL, 0, 1 };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s\n", set.usage);
		return 2;
	}
	file = argv[1];
	if (seal_load_public(file, &key, &d) != ERR_OK ||
	    seal_public_pem(key, pem) != ERR_OK ||
	    seal_key_id(key, id) != ERR_OK) {
		fprintf(stderr, "dinv audit key: %s\n", d.text);
		key_free(key);
		return 1;
	}
	printf("%s", pem);
	fprintf(stderr, "key %s\n", id);
	key_free(key);
	return 0;
}
