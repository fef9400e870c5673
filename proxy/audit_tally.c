/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums over records; see audit_tally.h.
 *
 * Names are found by a hash with linear probing while rows stand in the order
 * in which they came; a name past the table's end counts as "(others)".
 *
 * Attackers make up names to fill the table: what is known of others is still
 * counted.
 */
#include "audit_tally.h"

#include <stdlib.h>

#include "audit_chain.h"
#include "base/text.h"
#include "policy/ops.h"

static enum err
table_init(struct tally_table *t)
{
	t->n = 0;
	t->row = calloc(TALLY_NAMES, sizeof(*t->row));
	return t->row == NULL ? ERR_NOMEM : ERR_OK;
}

enum err
tally_init(struct tally *t)
{
	memset(t, 0, sizeof(*t));
	if (table_init(&t->clients) != ERR_OK ||
	    table_init(&t->rules) != ERR_OK || table_init(&t->ops) != ERR_OK ||
	    table_init(&t->hours) != ERR_OK) {
		tally_fini(t);
		return ERR_NOMEM;
	}
	return ERR_OK;
}

void
tally_fini(struct tally *t)
{
	free(t->clients.row);
	free(t->rules.row);
	free(t->ops.row);
	free(t->hours.row);
	memset(t, 0, sizeof(*t));
}

/* Slots are rows here, an empty name a free one; FNV-1a. */
static struct tally_row *
find(struct tally_table *t, struct span s)
{
	char name[TALLY_TEXT];
	uint32_t h = 2166136261u;
	const char *p;
	size_t i, at;

	text_escape(s, name, sizeof(name));
	for (p = name; *p != '\0'; p++) {
		h = (h ^ (unsigned char)*p) * 16777619u;
	}
	if (name[0] == '\0') {
		memcpy(name, "-", 2);
	}
	for (i = 0; i < TALLY_NAMES - 1; i++) {
		at = (h + i) % (TALLY_NAMES - 1);
		if (t->row[at].name[0] == '\0' && t->n < TALLY_NAMES / 2) {
			memcpy(t->row[at].name, name, sizeof(name));
			t->n++;
			return &t->row[at];
		}
		if (strcmp(t->row[at].name, name) == 0) {
			return &t->row[at];
		}
		if (t->row[at].name[0] == '\0') {
			break;
		}
	}
	memcpy(t->row[TALLY_NAMES - 1].name, "(others)", 9);
	return &t->row[TALLY_NAMES - 1];
}

static void
count(struct tally_row *row, const struct audit_fields *r)
{
	row->requests++;
	row->refused += span_is(r->of[AF_DECISION], "deny");
	row->errors += span_is(r->of[AF_DECISION], "error");
	row->bytes += audit_field_u64(r, AF_CLIENT_BYTES) +
		      audit_field_u64(r, AF_DAEMON_BYTES);
}

static void
keep_stream(struct tally *t, const struct audit_fields *r, struct span who)
{
	const struct op *op = ops_by_name(r->of[AF_OP]);
	uint64_t ms = audit_field_u64(r, AF_DURATION_MS);
	struct tally_stream *s = t->stream;
	size_t i = TALLY_STREAMS;

	if (op == NULL || op->mode == OP_MODE_PLAIN ||
	    ms <= s[TALLY_STREAMS - 1].ms) {
		return;
	}
	while (i > 1 && s[i - 2].ms < ms) {
		i--;
	}
	memmove(&s[i], &s[i - 1], (TALLY_STREAMS - i) * sizeof(*s));
	s = &s[i - 1];
	s->ms = ms;
	text_escape(who, s->who, sizeof(s->who));
	text_escape(r->of[AF_OP], s->op, sizeof(s->op));
	text_escape(r->of[AF_OBJECT], s->object, sizeof(s->object));
	text_escape(r->of[AF_TIME], s->time, sizeof(s->time));
}

static void
add_end(struct tally *t, const struct audit_fields *r)
{
	char buf[32];
	struct span who = audit_field_who(r, buf, sizeof(buf));
	struct span hour = r->of[AF_TIME];

	t->requests++;
	count(find(&t->clients, who), r);
	count(find(&t->ops, r->of[AF_OP]), r);
	hour.len = hour.len > 13 ? 13 : hour.len; /* 2026-11-21T08 */
	count(find(&t->hours, hour), r);
	if (span_is(r->of[AF_DECISION], "deny")) {
		t->refused++;
		count(find(&t->rules, r->of[AF_RULE]), r);
	}
	keep_stream(t, r, who);
}

void
tally_add(struct tally *t, struct span line)
{
	struct audit_fields r;

	if (!audit_fields_scan(line, &r)) {
		t->broken++;
		return;
	}
	if (audit_field_u64(&r, AF_V) > AUDIT_VERSION) {
		t->later++; /* its words may mean something else */
		return;
	}
	t->records++;
	text_escape(r.of[AF_TIME], t->last, sizeof(t->last));
	if (t->first[0] == '\0') {
		memcpy(t->first, t->last, sizeof(t->first));
	}
	if (span_is(r.of[AF_EVENT], "end")) {
		add_end(t, &r);
	} else if (span_is(r.of[AF_EVENT], "handshake")) {
		t->handshakes++;
	} else if (span_is(r.of[AF_EVENT], "lost")) {
		t->lost += audit_field_u64(&r, AF_RECORDS);
	}
}

/* --- order: rows with a name first --------------------------------------- */

static int
by_name(const void *va, const void *vb)
{
	const struct tally_row *a = va, *b = vb;

	if ((a->name[0] == '\0') != (b->name[0] == '\0')) {
		return a->name[0] == '\0' ? 1 : -1;
	}
	return strcmp(a->name, b->name);
}

static int
by_requests(const void *va, const void *vb)
{
	const struct tally_row *a = va, *b = vb;

	if (a->requests != b->requests) {
		return a->requests < b->requests ? 1 : -1;
	}
	return by_name(va, vb);
}

static int
by_refused(const void *va, const void *vb)
{
	const struct tally_row *a = va, *b = vb;

	if (a->refused != b->refused) {
		return a->refused < b->refused ? 1 : -1;
	}
	return by_name(va, vb);
}

void
tally_sort(struct tally_table *t, enum tally_order order)
{
	qsort(t->row, TALLY_NAMES, sizeof(*t->row),
	    order == TALLY_BY_NAME	 ? by_name
	    : order == TALLY_BY_REQUESTS ? by_requests
					 : by_refused);
	t->n += t->row[t->n].name[0] != '\0'; /* "(others)" */
}
