/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert revoke, dinv cert crl: certificates that are taken back, and the
 * list of them; docs/pki.md is the manual.
 *
 * The running gate is not told: it looks at the directory itself
 * (certs_watch.c), so that this works from another container or machine.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "cmd_cert.h"
#include "crl.h"
#include "flags.h"
#include "revoke.h"

#define CRL_FILE_MAX ((size_t)64 * 1024 * 1024)

static int
revoke_run(
    struct revoke_request *req, const char *reason, const char *pass_file)
{
	struct secret pass = { NULL, 0 };
	struct revoke_result res;
	struct diag d = { 0, 0, "" };
	enum err rc;

	rc = ledger_reason_parse(reason, &req->reason, &d);
	if (rc == ERR_OK) {
		rc = cert_load_pass(pass_file, &pass, &req->key_pass, &d);
	}
	if (rc == ERR_OK) {
		rc = revoke_cert(req, &res, &d);
	}
	secret_fini(&pass);
	req->key_pass = NULL;
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	printf("revoked %zu, were so before %zu, list number %llu\n",
	    res.revoked, res.before, (unsigned long long)res.number);
	return 0;
}

int
cert_revoke(int argc, char **argv)
{
	struct revoke_request req = {
		.dir = CERTS_DEFAULT,
		.days = CRL_DAYS,
		.now = time(NULL),
	};
	const char *reason = "unspecified", *pass = NULL;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		{ "reason", FLAG_STRING, &reason, "REASON",
		    "unspecified, keyCompromise, CACompromise,\n"
		    "affiliationChanged, superseded, cessationOfOperation or\n"
		    "privilegeWithdrawn" },
		{ "days", FLAG_UINT, &req.days, "N",
		    "how long the new list is good" },
		CERT_PASS_FLAG(&pass),
	};
	const struct flag_set set = {
		.usage = "dinv cert revoke [flags] NAME|SERIAL|FILE",
		.about = "Takes certificates back: the gate refuses them, and "
			 "cuts their open\nstreams, within a second.  A NAME "
			 "means all clients that have it.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 1,
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc != 2 || argv[1][0] == '\0') {
		diag_set(&d, 0, 0, "revoke needs a name, a serial or a file");
		return cert_fail(&d, ERR_USAGE);
	}
	req.what = argv[1];
	return revoke_run(&req, reason, pass);
}

static int
crl_print(const char *dir)
{
	struct secret file = { NULL, 0 };
	struct diag d = { 0, 0, "" };
	char path[4096];
	size_t n;
	enum err rc;

	snprintf(path, sizeof(path), "%s/" CRL_NAME, dir);
	rc = secret_read_file(&file, path, CRL_FILE_MAX);
	if (rc != ERR_OK) {
		diag_set(&d, 0, 0,
		    rc == ERR_NOTFOUND
			? "nothing was revoked: there is no " CRL_NAME
			  "; -renew makes one"
			: CRL_NAME " cannot be read: %s",
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
		return cert_fail(&d, rc);
	}
	n = fwrite(file.data, 1, file.len, stdout);
	rc = n == file.len && fflush(stdout) == 0 ? ERR_OK : ERR_IO;
	secret_fini(&file);
	return rc == ERR_OK ? 0 : cert_fail(&d, rc);
}

int
cert_crl(int argc, char **argv)
{
	struct revoke_request req = {
		.dir = CERTS_DEFAULT,
		.days = CRL_DAYS,
		.now = time(NULL),
	};
	struct secret pass = { NULL, 0 };
	const char *pass_file = NULL;
	bool renew = false;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory" },
		{ "renew", FLAG_BOOL, &renew, "",
		    "make a new one first, which needs ca-key.pem" },
		{ "days", FLAG_UINT, &req.days, "N", "how long that is good" },
		CERT_PASS_FLAG(&pass_file),
	};
	const struct flag_set set = {
		.usage = "dinv cert crl [flags]",
		.about = "Prints the list of revoked certificates, in PEM.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);
	uint64_t number;
	enum err rc = ERR_OK;

	if (status >= 0) {
		return status;
	}
	if (renew) {
		rc = cert_load_pass(pass_file, &pass, &req.key_pass, &d);
	}
	if (renew && rc == ERR_OK) {
		rc = revoke_renew_crl(&req, &number, &d);
	}
	secret_fini(&pass);
	return rc == ERR_OK ? crl_print(req.dir) : cert_fail(&d, rc);
}
