/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv audit query, dinv audit tail: some records, in one pass, in bounded
 * memory.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "audit_read.h"
#include "audit_show.h"
#include "cmd_audit.h"

#define QUERY_FILES_MAX 4096
#define TAIL_NAP_MS 100
#define TAIL_KEPT 10

static bool
wanted(const struct audit_filter *f, struct span line, struct audit_fields *r)
{
	return audit_fields_scan(line, r) && audit_filter_matches(f, r);
}

static int
query_file(const char *path, const struct audit_filter *f, enum audit_form form)
{
	struct audit_reader *reader = NULL;
	struct audit_fields r;
	struct diag d = { 0, 0, "" };
	struct span line;
	bool whole;

	if (audit_reader_open(path, &reader, &d) != ERR_OK) {
		fprintf(stderr, "dinv audit query: %s\n", d.text);
		return 2;
	}
	while (!ferror(stdout) && audit_reader_line(reader, &line, &whole)) {
		if (wanted(f, line, &r)) {
			audit_show(form, false, line, &r, stdout);
		}
	}
	if (audit_reader_close(reader, &d) != ERR_OK) {
		fprintf(stderr, "dinv audit query: %s\n", d.text);
		return 2;
	}
	return 0;
}

static int
form_of(const char *name, enum audit_form *out)
{
	static const char *const names[] = { [AUDIT_TABLE] = "table",
		[AUDIT_JSON] = "json",
		[AUDIT_CSV] = "csv" };
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*out = (enum audit_form)i;
			return 0;
		}
	}
	fprintf(stderr, "dinv audit query: -o must be table, json or csv\n");
	return 2;
}

#define PATTERNS "\"*\" stands for anything"

int
cmd_audit_query(int argc, char **argv)
{
	struct audit_filter f = { 0 };
	const char *output = "table";
	enum audit_form form = AUDIT_TABLE;
	const struct flag flags[] = {
		{ "client", FLAG_STRING, &f.client, "NAME",
		    "of the certificate, or uid:N; " PATTERNS },
		{ "op", FLAG_STRING, &f.op, "OP",
		    "an operation, or a class such as @exec" },
		{ "object", FLAG_STRING, &f.object, "NAME",
		    "what the request was about" },
		{ "id", FLAG_STRING, &f.id, "ID",
		    "of the request: what the client got as X-Request-Id" },
		{ "trace", FLAG_STRING, &f.trace, "ID",
		    "the trace-id of the client's traceparent" },
		{ "decision", FLAG_STRING, &f.decision, "WORD",
		    "allow, deny or error" },
		{ "event", FLAG_STRING, &f.event, "WORD",
		    "decision, end, handshake, lost, ..." },
		{ "from", FLAG_STRING, &f.from, "TIME",
		    "the beginning of a time: 2026-11-21T08" },
		{ "to", FLAG_STRING, &f.to, "TIME", "likewise, included" },
		{ "o", FLAG_STRING, &output, "FORM", "table, json or csv" },
	};
	const struct flag_set set = { "dinv audit query [flags] FILE...",
		"Prints the records that all flags fit, as they stand.", flags,
		NELEM(flags), QUERY_FILES_MAX };
	int i, status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s\n", set.usage);
		return 2;
	}
	status = form_of(output, &form);
	if (status == 0) {
		audit_show_head(form, stdout);
	}
	for (i = 1; i < argc && status == 0; i++) {
		status = query_file(argv[i], &f, form);
	}
	if (fflush(stdout) == EOF && status == 0) {
		fprintf(stderr, "dinv audit query: cannot write all of it\n");
		status = 2;
	}
	return status;
}

/* --- tail ---------------------------------------------------------------- */

struct tail {
	struct audit_filter filter;
	bool colour;
	bool live;	       /* what was there has been shown */
	char *kept[TAIL_KEPT]; /* the last lines of it */
	size_t n;
};

static bool
tells(const struct audit_fields *r)
{
	return !span_is(r->of[AF_EVENT], "decision") &&
	       !span_is(r->of[AF_EVENT], "checkpoint");
}

static void
show_line(const struct tail *t, struct span line)
{
	struct audit_fields r;

	(void)audit_fields_scan(line, &r);
	audit_show(AUDIT_TABLE, t->colour, line, &r, stdout);
}

static void
take_line(struct tail *t, struct span line)
{
	struct audit_fields r;
	char **slot = &t->kept[t->n % TAIL_KEPT];

	if (!wanted(&t->filter, line, &r) || !tells(&r)) {
		return;
	}
	if (t->live) {
		show_line(t, line);
		return;
	}
	free(*slot);
	*slot = strndup(line.p, line.len);
	t->n++;
}

/* The end of what was there: its last lines, then what comes. */
static void
go_live(struct tail *t)
{
	size_t i, from = t->n > TAIL_KEPT ? t->n - TAIL_KEPT : 0;
	char **slot;

	for (i = from; !t->live && i < t->n; i++) {
		slot = &t->kept[i % TAIL_KEPT];
		show_line(t, span_of(*slot));
		free(*slot);
		*slot = NULL;
	}
	t->live = true;
	(void)fflush(stdout);
}

static int
follow(struct tail *t, const char *path)
{
	struct timespec nap = { 0, TAIL_NAP_MS * 1000000L };
	struct audit_reader *r = NULL;
	struct diag d = { 0, 0, "" };
	struct span line;
	bool whole, moved = false;

	for (;;) {
		if (r == NULL && audit_reader_open(path, &r, &d) != ERR_OK) {
			fprintf(stderr, "dinv audit tail: %s\n", d.text);
			return 2;
		}
		audit_reader_follow(r);
		while (audit_reader_line(r, &line, &whole)) {
			take_line(t, line);
		}
		go_live(t);
		if (ferror(stdout)) {
			return 0; /* nobody reads */
		}
		if (moved) { /* and read to its end */
			(void)!audit_reader_close(r, NULL);
			r = NULL;
			moved = false;
			continue;
		}
		moved = audit_reader_moved(r);
		(void)nanosleep(&nap, NULL);
	}
}

int
cmd_audit_tail(int argc, char **argv)
{
	struct tail t = { .colour = isatty(STDOUT_FILENO) };
	const struct flag flags[] = {
		{ "client", FLAG_STRING, &t.filter.client, "NAME",
		    "of the certificate, or uid:N; " PATTERNS },
		{ "op", FLAG_STRING, &t.filter.op, "OP",
		    "an operation, or a class such as @exec" },
		{ "decision", FLAG_STRING, &t.filter.decision, "WORD",
		    "allow, deny or error" },
	};
	const struct flag_set set = { "dinv audit tail [flags] FILE",
		"Shows requests as they end, a line each, across rotations.\n"
		"Begins with the last ten that are there.",
		flags, NELEM(flags), 1 };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s\n", set.usage);
		return 2;
	}
	return follow(&t, argv[1]);
}
