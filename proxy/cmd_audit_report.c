/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv audit report: who did how much, what was refused, which streams were
 * open longest; as text, or as one HTML file that needs nothing else.
 *
 * Attackers name things: texts are printable ASCII already (audit_tally.c),
 * and HTML's own characters are escaped here; the page has no script, and
 * says that it may run none.
 */
#include <inttypes.h>
#include <stdio.h>

#include "audit_read.h"
#include "audit_tally.h"
#include "cmd_audit.h"
#include "flags.h"

#define REPORT_FILES_MAX 4096
#define REPORT_ROWS 20
#define BAR_HEIGHT 18
#define BAR_LEFT 220
#define BAR_WIDTH 480
#define PLOT_HEIGHT 160
#define PLOT_WIDTH 900

static int
read_file(struct tally *t, const char *path)
{
	struct audit_reader *r = NULL;
	struct diag d = { 0, 0, "" };
	struct span line;
	bool whole;

	if (audit_reader_open(path, &r, &d) != ERR_OK) {
		fprintf(stderr, "dinv audit report: %s\n", d.text);
		return 2;
	}
	while (audit_reader_line(r, &line, &whole)) {
		tally_add(t, line);
	}
	if (audit_reader_close(r, &d) != ERR_OK) {
		fprintf(stderr, "dinv audit report: %s\n", d.text);
		return 2;
	}
	return 0;
}

/* --- text ---------------------------------------------------------------- */

static void
text_table(const char *title, const struct tally_table *t)
{
	size_t i;

	printf("\n%s\n  %-32s %10s %8s %8s %14s\n", title, "", "requests",
	    "refused", "errors", "bytes");
	for (i = 0; i < t->n && i < REPORT_ROWS; i++) {
		printf("  %-32s %10" PRIu64 " %8" PRIu64 " %8" PRIu64
		       " %14" PRIu64 "\n",
		    t->row[i].name, t->row[i].requests, t->row[i].refused,
		    t->row[i].errors, t->row[i].bytes);
	}
	if (t->n > REPORT_ROWS) {
		printf("  and %zu more\n", t->n - REPORT_ROWS);
	}
}

static void
text_streams(const struct tally *t)
{
	size_t i;

	printf("\nStreams open longest\n");
	for (i = 0; i < TALLY_STREAMS && t->stream[i].ms > 0; i++) {
		printf("  %10.1fs %-24s %-20s %-20s until %s\n",
		    (double)t->stream[i].ms / 1000, t->stream[i].who,
		    t->stream[i].op, t->stream[i].object, t->stream[i].time);
	}
}

static void
write_text(const struct tally *t)
{
	printf("From %s to %s: %" PRIu64 " requests, %" PRIu64
	       " of them refused;\n%" PRIu64
	       " clients refused before they could ask, %" PRIu64
	       " records lost, %" PRIu64 " lines that are no records\n",
	    t->first, t->last, t->requests, t->refused, t->handshakes, t->lost,
	    t->broken);
	text_table("Clients", &t->clients);
	text_table("Operations", &t->ops);
	text_table("Refusals by rule", &t->rules);
	text_streams(t);
}

/* --- HTML ---------------------------------------------------------------- */

static void
put_html(const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '&':
			fputs("&amp;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		default:
			putchar(*s);
		}
	}
}

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\"><title>dinv audit report</title>\n"
    "<style>body{font:14px/1.5 system-ui,sans-serif;max-width:60em;margin:2em "
    "auto;padding:0 1em;color:#1b1f24;background:#fff}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:2em 0 .5em}"
    "svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;"
    "fill:#1b1f24}svg .n{fill:#57606a}.ok{fill:#3b7dd8}.no{fill:#cf3d3d}"
    ".k{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;"
    "padding:.25em .8em .25em 0;border-bottom:1px solid #d0d7de}"
    "td.r,th.r{text-align:right}</style></head><body>\n";

/* One bar a row, the refused part in red. */
static void
bars(const char *title, const struct tally_table *t)
{
	size_t n = t->n < REPORT_ROWS ? t->n : REPORT_ROWS, i;
	uint64_t most = 1;

	for (i = 0; i < n; i++) {
		most = t->row[i].requests > most ? t->row[i].requests : most;
	}
	printf("<h2>%s</h2>\n<svg viewBox=\"0 0 %d %zu\" role=\"img\">\n",
	    title, PLOT_WIDTH, n * (BAR_HEIGHT + 6) + 4);
	for (i = 0; i < n; i++) {
		const struct tally_row *r = &t->row[i];
		size_t y = i * (BAR_HEIGHT + 6);
		double all = (double)r->requests / (double)most * BAR_WIDTH;
		double no = (double)r->refused / (double)most * BAR_WIDTH;

		printf("<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">",
		    BAR_LEFT - 8, y + 14);
		put_html(r->name);
		printf("</text><rect class=\"ok\" x=\"%d\" y=\"%zu\" "
		       "width=\"%.1f\" height=\"%d\"/><rect class=\"no\" "
		       "x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"%d\"/>"
		       "<text class=\"n\" x=\"%.1f\" y=\"%zu\">%" PRIu64,
		    BAR_LEFT, y, all < 1 ? 1 : all, BAR_HEIGHT, BAR_LEFT, y, no,
		    BAR_HEIGHT, BAR_LEFT + all + 8, y + 14, r->requests);
		if (r->refused > 0 && r->refused < r->requests) {
			printf(" (%" PRIu64 " refused)", r->refused);
		}
		printf("</text>\n");
	}
	printf("</svg>\n");
}

/* One column an hour in which something happened. */
static void
hours(const struct tally_table *t)
{
	double step = t->n == 0 ? 1 : (double)(PLOT_WIDTH - 60) / (double)t->n;
	double wide = step > 40 ? 32 : step * 0.8;
	uint64_t most = 1;
	size_t i;

	for (i = 0; i < t->n; i++) {
		most = t->row[i].requests > most ? t->row[i].requests : most;
	}
	printf("<h2>Requests by hour (UTC)</h2>\n<svg viewBox=\"0 0 %d %d\" "
	       "role=\"img\"><text class=\"n\" x=\"0\" y=\"12\">%" PRIu64
	       "</text><line x1=\"60\" x2=\"%d\" y1=\"%d\" y2=\"%d\" "
	       "stroke=\"#d0d7de\"/>\n",
	    PLOT_WIDTH, PLOT_HEIGHT + 24, most, PLOT_WIDTH, PLOT_HEIGHT,
	    PLOT_HEIGHT);
	for (i = 0; i < t->n; i++) {
		const struct tally_row *r = &t->row[i];
		double x = 60 + (double)i * step;
		double all = (double)r->requests / (double)most * PLOT_HEIGHT;
		double no = (double)r->refused / (double)most * PLOT_HEIGHT;

		printf("<rect class=\"ok\" x=\"%.1f\" y=\"%.1f\" "
		       "width=\"%.1f\" height=\"%.1f\"><title>",
		    x, PLOT_HEIGHT - all, wide, all);
		put_html(r->name);
		printf(": %" PRIu64 "</title></rect><rect class=\"no\" "
		       "x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		       "height=\"%.1f\"/>\n",
		    r->requests, x, PLOT_HEIGHT - no, wide, no);
	}
	if (t->n > 0) {
		printf(
		    "<text class=\"n\" x=\"60\" y=\"%d\">", PLOT_HEIGHT + 18);
		put_html(t->row[0].name);
		printf("h</text>");
	}
	if (t->n > 1) {
		printf("<text class=\"n\" x=\"%d\" y=\"%d\" "
		       "text-anchor=\"end\">",
		    PLOT_WIDTH, PLOT_HEIGHT + 18);
		put_html(t->row[t->n - 1].name);
		printf("h</text>");
	}
	printf("</svg>\n");
}

static void
html_streams(const struct tally *t)
{
	size_t i;

	printf("<h2>Streams open longest</h2>\n<table><tr><th "
	       "class=\"r\">seconds</th><th>client</th><th>operation</th>"
	       "<th>object</th><th>until</th></tr>\n");
	for (i = 0; i < TALLY_STREAMS && t->stream[i].ms > 0; i++) {
		printf("<tr><td class=\"r\">%.1f</td><td>",
		    (double)t->stream[i].ms / 1000);
		put_html(t->stream[i].who);
		printf("</td><td>");
		put_html(t->stream[i].op);
		printf("</td><td>");
		put_html(t->stream[i].object);
		printf("</td><td>");
		put_html(t->stream[i].time);
		printf("</td></tr>\n");
	}
	printf("</table>\n");
}

static void
write_html(const struct tally *t)
{
	printf("%s<h1>Audit report</h1><p>From ", page_head);
	put_html(t->first);
	printf(" to ");
	put_html(t->last);
	printf(": <b>%" PRIu64 "</b> requests, <b>%" PRIu64
	       "</b> of them refused; %" PRIu64
	       " clients refused before they could ask, %" PRIu64
	       " records lost, %" PRIu64 " lines that are no records.</p>\n"
	       "<p><svg style=\"width:12px\" viewBox=\"0 0 9 9\"><rect "
	       "class=\"ok\" width=\"9\" height=\"9\"/></svg> requests "
	       "<svg style=\"width:12px\" viewBox=\"0 0 9 9\"><rect "
	       "class=\"no\" width=\"9\" height=\"9\"/></svg> of them "
	       "refused</p>\n",
	    t->requests, t->refused, t->handshakes, t->lost, t->broken);
	hours(&t->hours);
	bars("Clients", &t->clients);
	bars("Operations", &t->ops);
	bars("Refusals by rule", &t->rules);
	html_streams(t);
	printf("</body></html>\n");
}

int
cmd_audit_report(int argc, char **argv)
{
	bool html = false;
	struct tally t;
	const struct flag flags[] = { { "html", FLAG_BOOL, &html, "",
	    "one HTML file with plots, to standard output" } };
	const struct flag_set set = { "dinv audit report [-html] FILE...",
		"Who did how much, what was refused, which streams were open\n"
		"longest.",
		flags, NELEM(flags), REPORT_FILES_MAX };
	int i, status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: %s\n", set.usage);
		return 2;
	}
	if (tally_init(&t) != ERR_OK) {
		fprintf(stderr, "dinv audit report: out of memory\n");
		return 2;
	}
	status = 0;
	for (i = 1; i < argc && status == 0; i++) {
		status = read_file(&t, argv[i]);
	}
	tally_sort(&t.clients, TALLY_BY_REQUESTS);
	tally_sort(&t.ops, TALLY_BY_REQUESTS);
	tally_sort(&t.rules, TALLY_BY_REFUSED);
	tally_sort(&t.hours, TALLY_BY_NAME);
	if (status == 0) {
		(html ? write_html : write_text)(&t);
		status = fflush(stdout) == EOF ? 2 : 0;
	}
	tally_fini(&t);
	return status;
}
