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
	const char *pass, *server_pass;
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
	struct secret pass = { NULL, 0 }, server_pass = { NULL, 0 };
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
		rc = cert_load_pass(r->pass, &pass, &req.key_pass, &d);
	}
	if (rc == ERR_OK) {
		rc = cert_load_pass(
		    r->server_pass, &server_pass, &req.server_pass, &d);
	}
	if (rc == ERR_OK) {
		req.hosts = r->hosts.item;
		req.n_hosts = r->hosts.n;
		rc = renew_what(&req, r->due, &d);
	}
	secret_fini(&pass);
	secret_fini(&server_pass);
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
		{ "server-pass-file", FLAG_STRING, &r.server_pass, "FILE",
		    "the passphrase of docker.key: the first line" },
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

struct roll {
	struct renew_request req;
	const char *pass, *server_pass;
	bool end, anyway;
};

static enum err
end(struct roll *r, struct diag *d)
{
	struct str_list hosts = { NULL, 0 };
	enum err rc = hosts_gather_lasting(&hosts);

	r->req.hosts = hosts.item;
	r->req.n_hosts = hosts.n;
	if (rc == ERR_OK) {
		rc = rollover_end(&r->req, r->anyway, d);
	}
	hosts_free(&hosts, 0);
	return rc;
}

static int
roll(struct roll *r)
{
	struct secret pass = { NULL, 0 }, server_pass = { NULL, 0 };
	struct diag d = { 0, 0, "" };
	enum err rc;

	rc = cert_load_pass(r->pass, &pass, &r->req.key_pass, &d);
	if (rc == ERR_OK) {
		rc = cert_load_pass(
		    r->server_pass, &server_pass, &r->req.server_pass, &d);
	}
	if (rc == ERR_OK) {
		rc = r->end ? end(r, &d) : rollover_begin(&r->req, &d);
	}
	secret_fini(&pass);
	secret_fini(&server_pass);
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	printf("%s\n",
	    r->end ? "the old CA is gone"
		   : "a new CA signs from now on, and the old one is trusted "
		     "still: renew every\nclient (dinv cert renew NAME), then "
		     "dinv cert rollover -end");
	if (!r->end && r->pass != NULL) {
		fprintf(stderr,
		    "dinv: warning: the new ca-key.pem has no passphrase: "
		    "openssl pkcs8 -topk8 -v2 aes-256-cbc gives it one\n");
	}
	return 0;
}

int
cert_rollover(int argc, char **argv)
{
	struct roll r = { .req = { .dir = CERTS_DEFAULT, .now = time(NULL) } };
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &r.req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		CERT_PASS_FLAG(&r.pass),
		{ "server-pass-file", FLAG_STRING, &r.server_pass, "FILE",
		    "the passphrase of docker.key: the first line" },
		{ "end", FLAG_BOOL, &r.end, "", "the old CA goes" },
		{ "anyway", FLAG_BOOL, &r.anyway, "",
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
	if (r.anyway && !r.end) {
		diag_set(&d, 0, 0, "-anyway is for -end");
		return cert_fail(&d, ERR_USAGE);
	}
	return roll(&r);
}
