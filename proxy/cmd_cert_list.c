/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert list, dinv cert show: what the ledger says, for humans and in
 * JSON; docs/pki.md is the manual.
 *
 * Names in the ledger hold no control characters (ledger.c), so they can be
 * printed; the one of a file that is asked for goes through a ledger of its
 * own for the same reason.
 *
 * Rejected: colours and a width that follows the terminal; scripts read the
 * JSON, and humans have small stores.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "cmd_cert.h"
#include "flags.h"
#include "ledger.h"

#define JSON_BYTES ((size_t)256 * 1024 * 1024)
#define DAY_S 86400

struct query {
	const char *dir;
	bool json;
	bool all;
	time_t now;
};

static void
date(time_t t, char *out, size_t size)
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
		snprintf(out, size, "?");
	}
}

/* Whole days that are left; 0 once it is over. */
static uint64_t
days_left(const struct ledger_entry *e, time_t now)
{
	return e->to <= now ? 0 : (uint64_t)(e->to - now) / DAY_S;
}

/* ---- JSON ----------------------------------------------------------------
 */

static void
json_date(struct jsonw *w, const char *key, time_t t)
{
	char text[32];

	date(t, text, sizeof(text));
	jsonw_kv_str(w, key, text);
}

static void
json_units(struct jsonw *w, struct span units)
{
	const char *tab;
	size_t n;

	jsonw_key(w, "units");
	jsonw_array(w);
	while (units.len > 0) {
		tab = memchr(units.p, '\t', units.len);
		n = tab == NULL ? units.len : (size_t)(tab - units.p);
		jsonw_span(w, span_make(units.p, n));
		n += tab != NULL;
		units = span_make(units.p + n, units.len - n);
	}
	jsonw_array_end(w);
}

static void
json_entry(struct jsonw *w, const struct ledger_entry *e, time_t now)
{
	jsonw_object(w);
	jsonw_kv_span(w, "name", e->name);
	jsonw_kv_str(w, "kind", ledger_kind_name(e->kind));
	jsonw_kv_str(w, "state", ledger_state_name(e, now));
	jsonw_kv_span(w, "org", e->org);
	json_units(w, e->units);
	jsonw_kv_span(w, "serial", e->serial);
	jsonw_kv_span(w, "fingerprint", e->fingerprint);
	jsonw_kv_span(w, "issuer_key", e->issuer);
	json_date(w, "not_before", e->from);
	json_date(w, "not_after", e->to);
	jsonw_kv_u64(w, "days_left", days_left(e, now));
	if (e->state != LEDGER_VALID) {
		json_date(w, "revoked_at", e->when);
		jsonw_kv_str(w, "reason", ledger_reason_name(e->reason));
	}
	jsonw_object_end(w);
}

/* ---- text ----------------------------------------------------------------
 */

/* How long it still lives, or what became of it. */
static void
fate(const struct ledger_entry *e, time_t now, char *out, size_t size)
{
	const char *state = ledger_state_name(e, now);

	if (strcmp(state, "valid") == 0) {
		snprintf(out, size, "%llu days",
		    (unsigned long long)days_left(e, now));
	} else {
		snprintf(out, size, "%s", state);
	}
}

static void
print_units(struct span units)
{
	size_t i;

	for (i = 0; i < units.len; i++) {
		if (units.p[i] == '\t') {
			printf(", ");
		} else {
			putchar(units.p[i]);
		}
	}
}

static void
print_row(const struct ledger_entry *e, time_t now)
{
	char left[32];

	fate(e, now, left, sizeof(left));
	printf("%-24.*s %-6s  %-13s  %-32.*s  ", SPAN_ARG(e->name),
	    ledger_kind_name(e->kind), left, SPAN_ARG(e->serial));
	print_units(e->units);
	putchar('\n');
}

static void
print_span(const char *what, struct span s)
{
	if (s.len > 0) {
		printf("%-12s %.*s\n", what, SPAN_ARG(s));
	}
}

static void
print_whole(const struct ledger_entry *e, time_t now)
{
	char from[32], to[32], when[32];

	date(e->from, from, sizeof(from));
	date(e->to, to, sizeof(to));
	date(e->when, when, sizeof(when));
	print_span("name", e->name);
	print_span("org", e->org);
	if (e->units.len > 0) {
		printf("%-12s ", "units");
		print_units(e->units);
		putchar('\n');
	}
	printf("%-12s %s\n", "kind", ledger_kind_name(e->kind));
	printf("%-12s %s", "state", ledger_state_name(e, now));
	if (e->state != LEDGER_VALID) {
		printf(" at %s: %s", when, ledger_reason_name(e->reason));
	}
	printf("\n%-12s %s to %s (%llu days left)\n", "valid", from, to,
	    (unsigned long long)days_left(e, now));
	print_span("serial", e->serial);
	print_span("fingerprint", e->fingerprint);
	print_span("issuer key", e->issuer);
}

/* ---- the commands --------------------------------------------------------
 */

/* Those of which want() is true. */
static int
print_entries(const struct ledger *l, const struct query *q, const char *name,
    bool (*want)(
	const struct ledger_entry *, const struct query *, const char *),
    void (*print)(const struct ledger_entry *, time_t))
{
	struct jsonw w;
	struct buf out;
	size_t i;

	buf_init(&out, JSON_BYTES);
	jsonw_init(&w, &out);
	jsonw_array(&w);
	for (i = 0; i < l->n; i++) {
		if (!want(&l->entry[i], q, name)) {
			continue;
		}
		if (q->json) {
			json_entry(&w, &l->entry[i], q->now);
		} else {
			print(&l->entry[i], q->now);
		}
	}
	jsonw_array_end(&w);
	if (q->json && w.err == ERR_OK) {
		printf("%.*s\n", SPAN_ARG(buf_span(&out)));
	}
	buf_fini(&out);
	return w.err == ERR_OK ? 0 : 1;
}

static bool
in_list(const struct ledger_entry *e, const struct query *q, const char *name)
{
	(void)name;
	return q->all || e->to > q->now;
}

int
cert_list(int argc, char **argv)
{
	struct query q = { .dir = CERTS_DEFAULT, .now = time(NULL) };
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &q.dir, "DIR",
		    "the certificate directory" },
		{ "json", FLAG_BOOL, &q.json, "", "for programs" },
		{ "all", FLAG_BOOL, &q.all, "", "those that have expired too" },
	};
	const struct flag_set set = {
		.usage = "dinv cert list [flags]",
		.about = "Lists what was issued in DIR: name, kind, what is "
			 "left of its life, serial, units.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct diag d = { 0, 0, "" };
	struct ledger l;
	int status = flags_start(&set, &argc, argv, NULL);
	enum err rc;

	if (status >= 0) {
		return status;
	}
	ledger_init(&l);
	rc = access(q.dir, F_OK) == 0 ? ledger_load(&l, q.dir, &d)
				      : ERR_NOTFOUND;
	if (rc == ERR_NOTFOUND) {
		diag_set(&d, 0, 0, "-certs: there is no such directory");
	}
	if (rc != ERR_OK) {
		status = cert_fail(&d, rc);
	} else {
		if (!q.json) {
			printf("%-24s %-6s  %-13s  %-32s  %s\n", "NAME", "KIND",
			    "LEFT", "SERIAL", "UNITS");
		}
		status = print_entries(&l, &q, NULL, in_list, print_row);
	}
	ledger_fini(&l);
	return status;
}

static bool
has_name(const struct ledger_entry *e, const struct query *q, const char *name)
{
	(void)q;
	return span_is(e->name, name);
}

static bool
any(const struct ledger_entry *e, const struct query *q, const char *name)
{
	(void)e;
	(void)q;
	(void)name;
	return true;
}

static void
print_block(const struct ledger_entry *e, time_t now)
{
	static bool again;

	if (again) {
		putchar('\n');
	}
	again = true;
	print_whole(e, now);
}

/* One entry by itself. */
static int
print_one(struct ledger_entry *e, const struct query *q)
{
	const struct ledger one = { .entry = e, .n = 1 };

	return print_entries(&one, q, NULL, any, print_block);
}

static enum ledger_kind
kind_of(const struct cert *c)
{
	if (cert_may_sign(c)) {
		return LEDGER_CA;
	}
	return cert_is_for(c, CERT_CLIENT) ? LEDGER_CLIENT : LEDGER_SERVER;
}

/* A file: as the ledger has it, or by what it says itself. */
static int
show_file(struct ledger *l, const struct query *q, const char *path)
{
	static const char unknown[] =
	    "0000000000000000000000000000000000000000";
	struct diag d = { 0, 0, "" };
	struct ledger_entry *e;
	struct cert *c = NULL;
	int status;
	enum err rc;

	rc = cert_load(path, "the file", &c, &d);
	if (rc == ERR_NOTFOUND) {
		diag_set(&d, 0, 0,
		    "no certificate has that name or serial, and there is no "
		    "such file: dinv cert list -all shows what was issued");
	}
	if (rc == ERR_OK) {
		rc = ledger_add(l, c, kind_of(c), unknown, &e, &d);
	}
	if (rc != ERR_OK && rc != ERR_EXISTS) {
		status = cert_fail(&d, rc);
	} else {
		if (rc == ERR_OK) {
			fprintf(
			    stderr, "dinv: not in the ledger of %s\n", q->dir);
		}
		status = print_one(e, q);
	}
	cert_free(c);
	return status;
}

static int
show(struct ledger *l, const struct query *q, const char *what)
{
	struct ledger_entry *e = ledger_find_serial(l, what);
	size_t i;

	if (e != NULL) {
		return print_one(e, q);
	}
	for (i = 0; i < l->n; i++) {
		if (span_is(l->entry[i].name, what)) {
			return print_entries(l, q, what, has_name, print_block);
		}
	}
	return show_file(l, q, what);
}

int
cert_show(int argc, char **argv)
{
	struct query q = { .dir = CERTS_DEFAULT, .now = time(NULL) };
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &q.dir, "DIR",
		    "the certificate directory" },
		{ "json", FLAG_BOOL, &q.json, "", "for programs" },
	};
	const struct flag_set set = {
		.usage = "dinv cert show [flags] NAME|SERIAL|FILE",
		.about = "Shows all that is known of one certificate, or of "
			 "all with one name.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 1,
	};
	struct diag d = { 0, 0, "" };
	struct ledger l;
	int status = flags_start(&set, &argc, argv, NULL);
	enum err rc;

	if (status >= 0) {
		return status;
	}
	if (argc != 2) {
		diag_set(&d, 0, 0, "show needs a name, a serial or a file");
		return cert_fail(&d, ERR_USAGE);
	}
	ledger_init(&l);
	rc = ledger_load(&l, q.dir, &d);
	status = rc == ERR_OK ? show(&l, &q, argv[1]) : cert_fail(&d, rc);
	ledger_fini(&l);
	return status;
}
