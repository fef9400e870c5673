/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records for people and for other programs; see audit_show.h.
 *
 * Attackers name things: what goes to a terminal is printable ASCII, and what
 * goes to a spreadsheet begins no formula.
 */
#include "audit_show.h"

#include <fnmatch.h>
#include <inttypes.h>

#include "base/text.h"
#include "policy/ops.h"

#define CELL_BYTES 512

static bool
matches(const char *pattern, struct span s)
{
	char text[4096];

	if (pattern == NULL) {
		return true;
	}
	if (s.len >= sizeof(text)) {
		return false;
	}
	memcpy(text, s.p == NULL ? "" : s.p, s.len);
	text[s.len] = '\0';
	return fnmatch(pattern, text, 0) == 0;
}

static bool
matches_op(const char *pattern, struct span name)
{
	const struct op *op;

	if (pattern == NULL || pattern[0] != '@') {
		return matches(pattern, name);
	}
	op = ops_by_name(name);
	return op != NULL && op->class != OPC_NONE &&
	       ops_class_by_name(span_of(pattern + 1)) == op->class;
}

/* The trace's id, or all that the client said (traceparent.h). */
static bool
matches_trace(const char *pattern, struct span parent)
{
	return matches(pattern, parent) ||
	       (parent.len > 35 &&
		   matches(pattern, span_make(parent.p + 3, 32)));
}

/* -1, 0, 1: time against as much of it as at says. */
static int
compare_time(struct span time, const char *at)
{
	size_t n = strlen(at), m = time.len < n ? time.len : n;
	int c = m == 0 ? 0 : memcmp(time.p, at, m);

	return c != 0 ? c : (time.len < n ? -1 : 0);
}

bool
audit_filter_matches(const struct audit_filter *f, const struct audit_fields *r)
{
	char buf[32];

	return (f->from == NULL ||
		   compare_time(r->of[AF_TIME], f->from) >= 0) &&
	       (f->to == NULL || compare_time(r->of[AF_TIME], f->to) <= 0) &&
	       matches(f->event, r->of[AF_EVENT]) &&
	       matches(f->decision, r->of[AF_DECISION]) &&
	       matches_op(f->op, r->of[AF_OP]) &&
	       matches(f->object, r->of[AF_OBJECT]) &&
	       matches(f->id, r->of[AF_ID]) &&
	       matches_trace(f->trace, r->of[AF_TRACEPARENT]) &&
	       matches(f->client, audit_field_who(r, buf, sizeof(buf)));
}

/* --- a table ------------------------------------------------------------- */

static void
put_cell(FILE *to, struct span s, int width)
{
	char text[CELL_BYTES];

	text_escape(s, text, sizeof(text));
	fprintf(to, "%-*s ", width, text[0] == '\0' ? "-" : text);
}

static const char *
colour_of(const struct audit_fields *r)
{
	if (span_is(r->of[AF_DECISION], "deny") ||
	    span_is(r->of[AF_EVENT], "handshake")) {
		return "\033[31m";
	}
	if (span_is(r->of[AF_DECISION], "error") ||
	    span_is(r->of[AF_EVENT], "lost")) {
		return "\033[33m";
	}
	return "";
}

static void
show_row(bool colour, const struct audit_fields *r, FILE *to)
{
	const char *on = colour ? colour_of(r) : "";
	char who[32], text[CELL_BYTES];
	struct span what = r->of[AF_OP].len > 0 ? r->of[AF_OP] : r->of[AF_PATH];

	fprintf(to, "%s", on);
	put_cell(to, r->of[AF_TIME], 24);
	put_cell(to, audit_field_who(r, who, sizeof(who)), 16);
	put_cell(to,
	    r->of[AF_DECISION].len > 0 ? r->of[AF_DECISION] : r->of[AF_EVENT],
	    8);
	put_cell(to, r->of[AF_STATUS], 3);
	put_cell(to, what, 20);
	put_cell(to, r->of[AF_OBJECT], 16);
	text_escape(r->of[AF_REASON].len > 0 ? r->of[AF_REASON]
		    : r->of[AF_RULE].len > 0 ? r->of[AF_RULE]
					     : r->of[AF_ENDED],
	    text, sizeof(text));
	fprintf(to, "%s", text);
	if (r->of[AF_DURATION_MS].len > 0) {
		fprintf(
		    to, " %" PRIu64 "ms", audit_field_u64(r, AF_DURATION_MS));
	}
	if (r->of[AF_RECORDS].len > 0) {
		fprintf(
		    to, " %" PRIu64 " records", audit_field_u64(r, AF_RECORDS));
	}
	fprintf(to, "%s\n", on[0] == '\0' ? "" : "\033[0m");
}

/* --- CSV (RFC 4180) ------------------------------------------------------ */

static const enum audit_field columns[] = { AF_SEQ, AF_TIME, AF_EVENT, AF_ID,
	AF_TRACEPARENT, AF_KIND, AF_CN, AF_UID, AF_ADDR, AF_METHOD, AF_PATH,
	AF_OP, AF_OBJECT, AF_DECISION, AF_ROLE, AF_RULE, AF_STATUS,
	AF_CLIENT_BYTES, AF_DAEMON_BYTES, AF_DURATION_MS, AF_ENDED, AF_REASON };

static void
put_csv(FILE *to, struct span s)
{
	size_t i;

	fputc('"', to);
	if (s.len > 0 && strchr("=+-@\t\r", s.p[0]) != NULL) {
		fputc('\'', to);
	}
	for (i = 0; i < s.len; i++) {
		if (s.p[i] == '"') {
			fputc('"', to);
		}
		fputc(s.p[i], to);
	}
	fputc('"', to);
}

static void
show_csv(const struct audit_fields *r, FILE *to)
{
	size_t i;

	for (i = 0; i < NELEM(columns); i++) {
		if (i > 0) {
			fputc(',', to);
		}
		put_csv(to, r->of[columns[i]]);
	}
	fputs("\r\n", to);
}

void
audit_show_head(enum audit_form form, FILE *to)
{
	size_t i;

	if (form == AUDIT_TABLE) {
		fprintf(to, "%-24s %-16s %-8s %-3s %-20s %-16s %s\n", "TIME",
		    "CLIENT", "DECISION", "ST", "OPERATION", "OBJECT", "HOW");
	}
	for (i = 0; form == AUDIT_CSV && i < NELEM(columns); i++) {
		fprintf(
		    to, "%s%s", i > 0 ? "," : "", audit_field_name(columns[i]));
	}
	if (form == AUDIT_CSV) {
		fputs("\r\n", to);
	}
}

void
audit_show(enum audit_form form, bool colour, struct span line,
    const struct audit_fields *r, FILE *to)
{
	switch (form) {
	case AUDIT_TABLE:
		show_row(colour, r, to);
		return;
	case AUDIT_CSV:
		show_csv(r, to);
		return;
	case AUDIT_JSON:
		(void)fwrite(line.p, 1, line.len, to);
		fputc('\n', to);
		return;
	}
}
