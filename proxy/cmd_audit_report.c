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
#include <string.h>
#include <time.h>

#include "audit_read.h"
#include "audit_tally.h"
#include "cmd_audit.h"
#include "flags.h"

#define REPORT_FILES_MAX 4096
#define REPORT_ROWS 20
#define LATER "records of a later dinv are not counted"
#define BAR_HEIGHT 18
#define BAR_LEFT 220
#define BAR_LABEL_BYTES 28
#define BAR_WIDTH 480
#define PLOT_HEIGHT 160
#define PLOT_LEFT 60
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
	if (t->later > 0) {
		printf("%" PRIu64 " " LATER "\n", t->later);
	}
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
    "<meta name=\"viewport\" content=\"width=device-width\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\"><title>dinv audit report</title>\n"
    "<style>:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;"
    "--mute:#57606a;--line:#d0d7de;--ok:#3b7dd8;--no:#cf3d3d}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;"
    "--mute:#9198a1;--line:#30363d;--ok:#4a86d8;--no:#e5534b}}\n"
    "body{font:14px/1.5 system-ui,sans-serif;max-width:60em;margin:2em "
    "auto;padding:0 1em;color:var(--fg);background:var(--bg)}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:2em 0 .5em}"
    "svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;"
    "fill:var(--fg)}svg text.n{fill:var(--mute)}svg line{stroke:var(--line)}"
    ".ok{fill:var(--ok)}.no{fill:var(--no)}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;white-space:nowrap;padding:.25em .8em .25em 0;"
    "border-bottom:1px solid var(--line)}td.r,th.r{text-align:right}"
    "</style></head><body>\n";

/* "1.4 MB": to three digits. */
static void
put_bytes(uint64_t n)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB",
		"EB" };
	double v = (double)n;
	size_t i = 0;

	while (v >= 1000 && i + 1 < NELEM(units)) {
		v /= 1000;
		i++;
	}
	printf("%.*f %s", i == 0 || v >= 100 ? 0 : 1, v, units[i]);
}

/* "11.5 s", "3 min 5 s", "26 h 3 min" */
static void
put_duration(uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s < 60) {
		printf("%.1f s", (double)ms / 1000);
	} else if (s < 3600) {
		printf("%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
	} else {
		printf(
		    "%" PRIu64 " h %" PRIu64 " min", s / 3600, s % 3600 / 60);
	}
}

/* A name beside its bar: what would be cut off by the edge goes. */
static void
put_label(const char *name)
{
	char text[BAR_LABEL_BYTES + 1];

	(void)snprintf(text, sizeof(text), "%.*s", BAR_LABEL_BYTES, name);
	put_html(text);
	if (strlen(name) > BAR_LABEL_BYTES) {
		printf("&#8230;<title>");
		put_html(name);
		printf("</title>");
	}
}

/* "2026-11-27 13:15:18", of a time as records have it. */
static void
put_time(const char *time)
{
	char text[20];

	(void)snprintf(text, sizeof(text), "%.19s", time);
	if (strlen(text) > 10 && text[10] == 'T') {
		text[10] = ' ';
	}
	put_html(text);
}

/* A full id as docker shows it. */
static void
put_object(const char *name)
{
	char text[13];

	if (strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64) {
		(void)snprintf(text, sizeof(text), "%.12s", name);
		name = text;
	}
	put_html(name);
}

/* One bar a row, the refused part in red. */
static void
bars(const char *title, const struct tally_table *t)
{
	size_t n = t->n < REPORT_ROWS ? t->n : REPORT_ROWS, i;
	uint64_t most = 1;

	for (i = 0; i < n; i++) {
		most = t->row[i].requests > most ? t->row[i].requests : most;
	}
	printf("<h2>%s</h2>\n", title);
	if (n == 0) {
		printf("<p>None.</p>\n");
		return;
	}
	printf("<svg viewBox=\"0 0 %d %zu\" role=\"img\" "
	       "aria-label=\"%s\">\n",
	    PLOT_WIDTH, n * (BAR_HEIGHT + 6) + 4, title);
	for (i = 0; i < n; i++) {
		const struct tally_row *r = &t->row[i];
		size_t y = i * (BAR_HEIGHT + 6);
		double all = (double)r->requests / (double)most * BAR_WIDTH;
		double no = (double)r->refused / (double)most * BAR_WIDTH;

		printf("<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">",
		    BAR_LEFT - 8, y + 14);
		put_label(r->name);
		printf("</text><rect class=\"ok\" x=\"%d\" y=\"%zu\" "
		       "width=\"%.1f\" height=\"%d\"/><rect class=\"no\" "
		       "x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"%d\"/>"
		       "<text class=\"n\" x=\"%.1f\" y=\"%zu\">%" PRIu64,
		    BAR_LEFT, y, all < 1 ? 1 : all, BAR_HEIGHT, BAR_LEFT, y, no,
		    BAR_HEIGHT, BAR_LEFT + all + 8, y + 14, r->requests);
		if (r->refused > 0 && r->refused < r->requests) {
			printf(" (%" PRIu64 " refused)", r->refused);
		}
		if (r->errors > 0) {
			printf(" (%" PRIu64 " failed)", r->errors);
		}
		if (r->bytes > 0 && r->refused < r->requests) {
			printf(", ");
			put_bytes(r->bytes);
		}
		printf("</text>\n");
	}
	printf("</svg>\n");
}

/* Hours since 1970 of "2026-11-21T08"; -1: it is none. */
static int64_t
hour_of(const char *name)
{
	struct tm tm = { 0 };
	const char *end = strptime(name, "%Y-%m-%dT%H", &tm);

	return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&tm) / 3600;
}

/* How many hours from label to label, so that no more than 13 are needed. */
static int64_t
label_step(int64_t n)
{
	static const int64_t steps[] = { 1, 2, 3, 6, 12, 24, 48, 168, 336 };
	size_t i = 0;

	while (i + 1 < NELEM(steps) && n / steps[i] > 12) {
		i++;
	}
	return n / steps[i] > 12 ? (n / 12 / 336 + 1) * 336 : steps[i];
}

/* Hours below their columns; and days, at the first and at midnight. */
static void
hour_labels(int64_t first, int64_t n, double step)
{
	int64_t each = label_step(n), h;
	char text[16], day[16];
	bool dated = false;
	struct tm tm;
	time_t t;

	for (h = first; h < first + n; h++) {
		if ((each <= 24 ? h : h - first) % each != 0) {
			continue;
		}
		t = (time_t)(h * 3600);
		(void)gmtime_r(&t, &tm);
		(void)strftime(text, sizeof(text), "%H:00", &tm);
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
		printf("<text class=\"n\" x=\"%.1f\" y=\"%d\">%s</text>",
		    PLOT_LEFT + (double)(h - first) * step, PLOT_HEIGHT + 16,
		    each < 24 ? text : day);
		if (each < 24 && (!dated || tm.tm_hour == 0)) {
			printf("<text class=\"n\" x=\"%.1f\" y=\"%d\">%s"
			       "</text>",
			    PLOT_LEFT + (double)(h - first) * step,
			    PLOT_HEIGHT + 32, day);
			dated = true;
		}
	}
	printf("\n");
}

/* All hours from the first to the last, also those of nothing. */
static void
hours(const struct tally_table *t)
{
	int64_t first = -1, last = -1, h;
	uint64_t most = 1;
	double step, wide;
	size_t i;

	for (i = 0; i < t->n; i++) {
		h = hour_of(t->row[i].name);
		first = first == -1 ? h : first;
		last = h > last ? h : last;
		most = t->row[i].requests > most ? t->row[i].requests : most;
	}
	step = (double)(PLOT_WIDTH - PLOT_LEFT) / (double)(last - first + 1);
	step = step > 80 ? 80 : step;
	wide = step > 4 ? step * 0.8 : step;
	printf("<h2>Requests by hour (UTC)</h2>\n<svg viewBox=\"0 0 %d %d\" "
	       "role=\"img\" aria-label=\"Requests by hour\"><text "
	       "class=\"n\" x=\"%d\" y=\"12\" text-anchor=\"end\">%" PRIu64
	       "</text><line x1=\"%d\" x2=\"%d\" y1=\"1\" y2=\"1\"/><line "
	       "x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
	    PLOT_WIDTH, PLOT_HEIGHT + 40, PLOT_LEFT - 8, most, PLOT_LEFT,
	    PLOT_WIDTH, PLOT_LEFT, PLOT_WIDTH, PLOT_HEIGHT, PLOT_HEIGHT);
	for (i = 0; i < t->n; i++) {
		const struct tally_row *r = &t->row[i];
		double all = (double)r->requests / (double)most * PLOT_HEIGHT;
		double no = (double)r->refused / (double)most * PLOT_HEIGHT;
		double x;

		h = hour_of(r->name);
		if (h < 0) {
			continue; /* "(others)" */
		}
		x = PLOT_LEFT + (double)(h - first) * step;
		printf("<rect class=\"ok\" x=\"%.1f\" y=\"%.1f\" "
		       "width=\"%.1f\" height=\"%.1f\"><title>",
		    x, PLOT_HEIGHT - all, wide, all);
		put_html(r->name);
		printf("h: %" PRIu64 ", %" PRIu64 " refused</title></rect>"
		       "<rect class=\"no\" x=\"%.1f\" y=\"%.1f\" "
		       "width=\"%.1f\" height=\"%.1f\"/>\n",
		    r->requests, r->refused, x, PLOT_HEIGHT - no, wide, no);
	}
	if (first >= 0) {
		hour_labels(first, last - first + 1, step);
	}
	printf("</svg>\n");
}

static void
html_streams(const struct tally *t)
{
	size_t i;

	printf(
	    "<h2>Streams open longest</h2>\n<div class=\"wide\"><table><tr><th "
	    "class=\"r\">open for</th><th>client</th><th>operation</th>"
	    "<th>object</th><th>until (UTC)</th></tr>\n");
	for (i = 0; i < TALLY_STREAMS && t->stream[i].ms > 0; i++) {
		printf("<tr><td class=\"r\">");
		put_duration(t->stream[i].ms);
		printf("</td><td>");
		put_html(t->stream[i].who);
		printf("</td><td>");
		put_html(t->stream[i].op);
		printf("</td><td>");
		put_object(t->stream[i].object);
		printf("</td><td>");
		put_time(t->stream[i].time);
		printf("</td></tr>\n");
	}
	printf("</table></div>\n");
}

static void
write_html(const struct tally *t)
{
	printf("%s<h1>Audit report</h1><p>From ", page_head);
	put_time(t->first);
	printf(" to ");
	put_time(t->last);
	printf(" (UTC): <b>%" PRIu64 "</b> requests, <b>%" PRIu64
	       "</b> of them refused; %" PRIu64
	       " clients refused before they could ask, %" PRIu64
	       " records lost, %" PRIu64 " lines that are no records.</p>\n"
	       "<p><svg style=\"width:12px\" viewBox=\"0 0 9 9\"><rect "
	       "class=\"ok\" width=\"9\" height=\"9\"/></svg> requests "
	       "<svg style=\"width:12px\" viewBox=\"0 0 9 9\"><rect "
	       "class=\"no\" width=\"9\" height=\"9\"/></svg> of them "
	       "refused</p>\n",
	    t->requests, t->refused, t->handshakes, t->lost, t->broken);
	if (t->later > 0) {
		printf("<p><b>%" PRIu64 "</b> " LATER "</p>\n", t->later);
	}
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
