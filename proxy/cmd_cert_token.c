/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert token: something to hand to somebody who will come for his
 * certificate himself; docs/pki.md is the manual.
 *
 * The token alone goes to standard output, so that a script can take it; the
 * line that uses it goes to standard error.
 *
 * Attackers look over shoulders and into shell histories: a token lives for
 * ten minutes unless it is told otherwise, and works once.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/jsonw.h"
#include "base/text.h"
#include "cmd_cert.h"
#include "flags.h"
#include "issue.h"
#include "tokens.h"

#define TTL_DEFAULT "10m"

/* "90s", "10m", "24h", "7d". */
static enum err
parse_ttl(const char *s, time_t *out, struct diag *d)
{
	static const struct {
		char unit;
		time_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t i, n = strlen(s);
	uint64_t v;

	for (i = 0; i < NELEM(units) && n > 1; i++) {
		if (s[n - 1] == units[i].unit &&
		    text_parse_u64(span_make(s, n - 1), 1000000, &v) ==
			ERR_OK) {
			*out = (time_t)v * units[i].seconds;
			return ERR_OK;
		}
	}
	diag_set(d, 0, 0,
	    "-ttl must be a number and one of s, m, h, d: 10m is ten minutes");
	return ERR_USAGE;
}

/* ---- the list ------------------------------------------------------------ */

static const char *
state_of(const struct token *t, time_t now)
{
	return t->used ? "used" : t->expires < now ? "expired" : "open";
}

/* Names hold no controls, or they would not be in the table. */
static void
print_units(struct span units)
{
	const char *comma = "";

	while (units.len > 0) {
		struct span u = text_cut(&units, '\t');

		printf("%s%.*s", comma, SPAN_ARG(u));
		comma = ",";
	}
}

static void
print_table(const struct tokens *t, time_t now)
{
	const struct token *one;
	size_t i;

	printf("%-12s  %-7s  %6s  %-20s  %s\n", "ID", "STATE", "LEFT", "NAME",
	    "UNITS");
	for (i = 0; i < t->n; i++) {
		one = &t->token[i];
		printf("%.*s  %-7s  %5lldm  %-20.*s  ", SPAN_ARG(token_id(one)),
		    state_of(one, now),
		    one->used || one->expires < now
			? 0LL
			: (long long)(one->expires - now + 59) / 60,
		    SPAN_ARG(one->name));
		print_units(one->units);
		putchar('\n');
	}
}

static void
put_json(struct jsonw *w, const struct token *t, time_t now)
{
	struct span units = t->units;

	jsonw_object(w);
	jsonw_kv_span(w, "id", token_id(t));
	jsonw_kv_str(w, "state", state_of(t, now));
	jsonw_kv_u64(w, "made", (uint64_t)t->made);
	jsonw_kv_u64(w, "expires", (uint64_t)t->expires);
	jsonw_kv_span(w, "name", t->name);
	jsonw_kv_span(w, "organisation", t->org);
	jsonw_key(w, "units");
	jsonw_array(w);
	while (units.len > 0) {
		jsonw_span(w, text_cut(&units, '\t'));
	}
	jsonw_array_end(w);
	jsonw_kv_u64(w, "days", t->days);
	jsonw_kv_u64(w, "hours", t->hours);
	jsonw_object_end(w);
}

static enum err
print_json(const struct tokens *t, time_t now)
{
	struct jsonw w;
	struct buf out;
	size_t i;
	enum err rc;

	buf_init(&out, (size_t)16 << 20);
	jsonw_init(&w, &out);
	jsonw_array(&w);
	for (i = 0; i < t->n; i++) {
		put_json(&w, &t->token[i], now);
	}
	jsonw_array_end(&w);
	rc = w.err;
	if (rc == ERR_OK) {
		printf("%.*s\n", SPAN_ARG(buf_span(&out)));
	}
	buf_fini(&out);
	return rc;
}

static enum err
list(const char *dir, bool json, time_t now, struct diag *d)
{
	struct tokens t;
	enum err rc;

	tokens_init(&t);
	rc = tokens_load(&t, dir, d);
	if (rc == ERR_OK && json) {
		rc = print_json(&t, now);
	} else if (rc == ERR_OK) {
		print_table(&t, now);
	}
	tokens_fini(&t);
	return rc;
}

/* ---- a new one ----------------------------------------------------------- */

static enum err
make(struct token_request *req, const char *ttl, const char *gate,
    struct diag *d)
{
	char text[TOKEN_TEXT_SIZE], address[300], *port;
	enum err rc = parse_ttl(ttl, &req->ttl_s, d);

	if (rc == ERR_OK && req->name == NULL) {
		diag_set(d, 0, 0,
		    "-name is needed: who the client will be (a star in it "
		    "stands for what it chooses)");
		rc = ERR_USAGE;
	}
	if (rc == ERR_OK && token_check(req, d) != ERR_OK) {
		rc = ERR_USAGE;
	}
	if (rc == ERR_OK) {
		rc = cert_gate_address(
		    gate, req->dir, address, sizeof(address), d);
	}
	if (rc == ERR_OK) {
		rc = token_new(req, text, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	/* The gate's own port is not the one where tokens are taken. */
	port = strrchr(address, ':');
	if (port != NULL && strcmp(port, ":2376") == 0) {
		memcpy(port, ":2378", 6);
	}
	fprintf(stderr,
	    "dinv: good once, within %s, where a gate runs with -enroll:\n"
	    "dinv enroll https://%s TOKEN%s\n",
	    ttl, address, strchr(req->name, '*') == NULL ? "" : " -name NAME");
	printf("%s\n", text);
	secret_wipe(text, sizeof(text));
	return fflush(stdout) == 0 ? ERR_OK : ERR_IO;
}

int
cert_token(int argc, char **argv)
{
	struct token_request req = {
		.dir = CERTS_DEFAULT,
		.days = ISSUE_CLIENT_DAYS,
		.now = time(NULL),
	};
	const char *ttl = TTL_DEFAULT, *gate = NULL, *cancel = NULL;
	struct str_list units = { NULL, 0 };
	bool show = false, json = false;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		{ "name", FLAG_STRING, &req.name, "NAME",
		    "who the client will be: the common name; a star in it\n"
		    "stands for letters, digits, - _ . of its choice" },
		{ "ou", FLAG_LIST, &units, "UNIT", "an organisational unit" },
		{ "o", FLAG_STRING, &req.org, "ORG", "the organisation" },
		{ "days", FLAG_UINT, &req.days, "N",
		    "how long the certificate will be valid" },
		{ "hours", FLAG_UINT, &req.hours, "N",
		    "the same, for those that live shorter" },
		{ "ttl", FLAG_STRING, &ttl, "TIME",
		    "how long the token is good: 90s, 10m, 24h, 7d" },
		{ "gate", FLAG_STRING, &gate, "HOST[:PORT]",
		    "where the gate listens with -enroll (default: the first\n"
		    "name in docker.crt, and 2378)" },
		{ "list", FLAG_BOOL, &show, "", "print the tokens there are" },
		{ "json", FLAG_BOOL, &json, "", "the same as JSON" },
		{ "cancel", FLAG_STRING, &cancel, "ID",
		    "take back the one that -list calls so" },
	};
	const struct flag_set set = {
		.usage = "dinv cert token -name NAME [flags]\n"
			 "       dinv cert token -list|-cancel ID [flags]",
		.about = "Makes a token, with which somebody gets himself one "
			 "certificate (dinv enroll).",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);
	enum err rc;

	if (status >= 0) {
		return status;
	}
	req.units = units.item;
	req.n_units = units.n;
	if (show || json) {
		rc = list(req.dir, json, req.now, &d);
	} else if (cancel != NULL) {
		rc = token_cancel(req.dir, cancel, req.now, &d);
	} else {
		rc = make(&req, ttl, gate, &d);
	}
	str_list_fini(&units);
	return rc == ERR_OK ? 0 : cert_fail(&d, rc);
}
