/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert renew, dinv cert rollover: what expires is made anew; docs/pki.md
 * is the manual.
 *
 * "renew -due" is what a running gate starts by itself, in a process of its
 * own, because it does not hold the CA's key (renewal.c); so it says nothing
 * where nothing is due.
 */
#include <stdio.h>
#include <time.h>

#include "cmd_cert.h"
#include "flags.h"
#include "hosts.h"
#include "issue.h"
#include "renew_client.h"
#include "rollover.h"

#define OWN_CLIENT "docker-client"

struct renewal {
	struct renew_client_request client;
	struct str_list hosts;
	bool server, due;
	const char *pass;
};

static void
say_until(const struct bundle_result *res)
{
	char date[32];
	struct tm tm;

	if (gmtime_r(&res->expires, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%SZ", &tm) == 0) {
		snprintf(date, sizeof(date), "?");
	}
	printf("renewed, valid until %s%s\n", date,
	    res->cut ? " (when the CA ends)" : "");
}

static int
run_client(struct renewal *r)
{
	struct bundle_result res = { 0, false };
	struct secret pass = { NULL, 0 };
	struct diag d = { 0, 0, "" };
	char out[4096];
	enum err rc;

	if (r->client.out == NULL && strcmp(r->client.name, OWN_CLIENT) != 0) {
		rc = cert_default_out(r->client.name, out, sizeof(out), &d);
		if (rc != ERR_OK) {
			return cert_fail(&d, rc);
		}
		r->client.out = out;
	}
	rc = cert_load_pass(r->pass, &pass, &r->client.key_pass, &d);
	if (rc == ERR_OK) {
		rc = renew_client(&r->client, &res, &d);
	}
	secret_fini(&pass);
	r->client.key_pass = NULL;
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	say_until(&res);
	return 0;
}

static enum err
renew_what(const struct renew_request *req, bool due_only, struct diag *d)
{
	unsigned what = due_only ? renew_due(req) : RENEW_SERVER;
	enum err rc = what == 0 ? ERR_OK : renew_make(req, what, d);

	if (rc == ERR_OK && (what & RENEW_SERVER) != 0) {
		printf("renewed docker.crt\n");
	}
	if (rc == ERR_OK && (what & RENEW_CRL) != 0) {
		printf("renewed crl.pem\n");
	}
	return rc;
}

static int
run_server(struct renewal *r)
{
	struct diag d = { 0, 0, "" };
	size_t given = r->hosts.n;
	struct renew_request req = {
		.dir = r->client.dir,
		.now = r->client.now,
	};
	enum err rc;

	if (given > 0 &&
	    issue_server_check(r->hosts.item, given, &d) != ERR_OK) {
		return cert_fail(&d, ERR_USAGE);
	}
	rc = hosts_gather_lasting(&r->hosts);
	if (rc == ERR_OK) {
		req.hosts = r->hosts.item;
		req.n_hosts = r->hosts.n;
		rc = renew_what(&req, r->due, &d);
	}
	hosts_free(&r->hosts, given);
	r->hosts = (struct str_list){ NULL, 0 };
	return rc == ERR_OK ? 0 : cert_fail(&d, rc);
}

int
cert_renew(int argc, char **argv)
{
	struct renewal r = {
		.client = { .dir = CERTS_DEFAULT,
		    .days = ISSUE_CLIENT_DAYS,
		    .now = time(NULL) },
	};
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &r.client.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		{ "out", FLAG_STRING, &r.client.out, "DIR",
		    "where the client's files are (default ./NAME)" },
		{ "days", FLAG_UINT, &r.client.days, "N",
		    "how long the certificate is valid" },
		{ "hours", FLAG_UINT, &r.client.hours, "N", "the same" },
		CERT_PASS_FLAG(&r.pass),
		{ "server", FLAG_BOOL, &r.server, "",
		    "the server's certificate, not a client's" },
		{ "due", FLAG_BOOL, &r.due, "",
		    "the server's and the list of revoked ones, where due" },
		{ "host", FLAG_LIST, &r.hosts, "NAME",
		    "one more name for the server" },
	};
	const struct flag_set set = {
		.usage = "dinv cert renew [flags] NAME\n"
			 "       dinv cert renew -server|-due [flags]",
		.about = "Makes a certificate anew, for the key that is there. "
			 "Files that were\nnot made by dinv are not replaced.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 1,
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if ((argc == 2) == (r.server || r.due)) {
		diag_set(&d, 0, 0, "renew needs a NAME, or -server, or -due");
		status = cert_fail(&d, ERR_USAGE);
	} else if (argc == 2) {
		r.client.name = argv[1];
		status = run_client(&r);
	} else {
		status = run_server(&r);
	}
	str_list_fini(&r.hosts);
	return status;
}

static int
roll(struct renew_request *req, bool end, bool anyway)
{
	struct str_list hosts = { NULL, 0 };
	struct diag d = { 0, 0, "" };
	enum err rc;

	if (!end) {
		rc = rollover_begin(req->dir, req->now, &d);
	} else {
		rc = hosts_gather_lasting(&hosts);
		req->hosts = hosts.item;
		req->n_hosts = hosts.n;
		if (rc == ERR_OK) {
			rc = rollover_end(req, anyway, &d);
		}
		hosts_free(&hosts, 0);
	}
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	printf("%s\n",
	    end ? "the old CA is gone"
		: "a new CA signs from now on, and the old one is trusted "
		  "still: renew every\nclient (dinv cert renew NAME), then "
		  "dinv cert rollover -end");
	return 0;
}

int
cert_rollover(int argc, char **argv)
{
	struct renew_request req = {
		.dir = CERTS_DEFAULT,
		.now = time(NULL),
	};
	bool end = false, anyway = false;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		{ "end", FLAG_BOOL, &end, "", "the old CA goes" },
		{ "anyway", FLAG_BOOL, &anyway, "",
		    "with -end: lock out clients that still have a\n"
		    "certificate of the old CA" },
	};
	const struct flag_set set = {
		.usage = "dinv cert rollover [flags]",
		.about = "Replaces the CA: both are trusted until -end.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (anyway && !end) {
		diag_set(&d, 0, 0, "-anyway is for -end");
		return cert_fail(&d, ERR_USAGE);
	}
	return roll(&req, end, anyway);
}
