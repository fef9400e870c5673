/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert: the certificate directory from the command line; docs/pki.md
 * is its manual.
 *
 * Flags in, one call into certs/, lines out: what was made and what is to be
 * pasted goes to standard output, what should be known to standard error.
 * The lines to paste are quoted for a shell, because a name may hold
 * anything that is not a control character.
 *
 * Rejected: questions on the terminal, and a -force.  Nothing that is there
 * is ever replaced, so there is nothing to confirm; what has to go, the
 * operator removes himself, by the name that the message gives.
 *
 * Attackers: an operator's script passes on a name that someone else chose:
 * with slashes, to write elsewhere; with quotes, for the line to paste.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "bundle.h"
#include "cmd.h"
#include "cmd_cert.h"
#include "flags.h"
#include "hosts.h"
#include "issue.h"
#include "key.h"
#include "store.h"

int
cert_fail(const struct diag *d, enum err rc)
{
	fprintf(
	    stderr, "dinv: %s\n", d->text[0] == '\0' ? err_text(rc) : d->text);
	return rc == ERR_USAGE ? 2 : 1;
}

enum err
cert_load_pass(const char *path, struct secret *s, const struct secret **out,
    struct diag *d)
{
	enum err rc = path == NULL ? ERR_OK : key_pass_load(path, s, d);

	*out = path == NULL || rc != ERR_OK ? NULL : s;
	return rc;
}

/* which: BIT(enum store_file) of those that are worth a line */
static void
print_files(const struct store_report *report, unsigned which, const char *dir)
{
	int f;

	for (f = 0; f < STORE_N_FILES; f++) {
		if ((which & BIT(f)) == 0) {
			continue;
		}
		printf("%s %s/%s\n",
		    (report->made & BIT(f)) != 0 ? "made" : "kept", dir,
		    store_file_name((enum store_file)f));
	}
	fflush(stdout);
}

static void
print_notes(const struct store_report *report)
{
	size_t i;

	for (i = 0; i < report->n_notes; i++) {
		fprintf(stderr, "dinv: %s%s\n",
		    report->note[i].kind == STORE_NOTE_WARN ? "warning: " : "",
		    report->note[i].text);
	}
}

static int
init_run(const char *dir, const struct str_list *hosts)
{
	struct store_report report;
	struct diag d = { 0, 0, "" };
	enum err rc;
	const struct store_request req = {
		.dir = dir,
		.mode = STORE_TLSVERIFY,
		.hosts = hosts->item,
		.n_hosts = hosts->n,
		.now = time(NULL),
	};

	rc = store_ensure(&req, &report, &d);
	if (rc != ERR_OK) {
		print_files(&report, report.made, dir);
		return cert_fail(&d, rc);
	}
	print_files(&report, report.present, dir);
	print_notes(&report);
	return 0;
}

static int
cert_init(int argc, char **argv)
{
	const char *dir = CERTS_DEFAULT;
	struct str_list hosts = { NULL, 0 };
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &dir, "DIR",
		    "the certificate directory" },
		{ "host", FLAG_LIST, &hosts, "NAME",
		    "a name or address for the server certificate, beside "
		    "those\nof this machine" },
	};
	const struct flag_set set = {
		.usage = "dinv cert init [flags]",
		.about = "Makes a CA, a server pair and a client pair in DIR; "
			 "what is there is kept.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct diag d = { 0, 0, "" };
	size_t given;
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (hosts.n > 0 &&
	    issue_server_check(hosts.item, hosts.n, &d) != ERR_OK) {
		return cert_fail(&d, ERR_USAGE);
	}
	given = hosts.n;
	status = hosts_gather(&hosts) == ERR_OK ? init_run(dir, &hosts)
						: cert_fail(&d, ERR_NOMEM);
	hosts_free(&hosts, given);
	return status;
}

/* 'it'\''s': one word for any POSIX shell. */
static void
print_quoted(const char *s)
{
	putchar('\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'') {
			printf("'\\''");
			continue;
		}
		putchar(*s);
	}
	putchar('\'');
}

/* A tar has its own folder or context; else the files are where they are. */
void
cert_print_use(const struct cert_tar *t, const char *gate)
{
	char full[PATH_MAX];

	if (t->context != NULL) {
		printf("docker context import %s ", t->context);
		print_quoted(t->file);
		printf("\ndocker context use %s\n", t->context);
		return;
	}
	if (t->file != NULL) {
		printf("tar -xf ");
		print_quoted(t->file);
		printf("\nexport DOCKER_CERT_PATH=\"$PWD\"/");
		print_quoted(t->name);
	} else {
		if (realpath(t->dir, full) == NULL) {
			snprintf(full, sizeof(full), "%s", t->dir);
		}
		printf("export DOCKER_CERT_PATH=");
		print_quoted(full);
	}
	printf("\nexport DOCKER_TLS_VERIFY=1\n"
	       "export DOCKER_HOST=tcp://%s\n",
	    gate);
}

static void
say_made(const struct bundle_request *req, const struct bundle_result *res)
{
	char date[32];
	struct tm tm;

	if (gmtime_r(&res->expires, &tm) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%SZ", &tm) == 0) {
		snprintf(date, sizeof(date), "?");
	}
	fprintf(stderr,
	    "dinv: made ca.pem%s cert.pem%s, valid until %s%s; paste:\n",
	    req->csr == NULL ? "," : " and",
	    req->csr == NULL ? " and key.pem" : "", date,
	    res->cut ? " (when the CA ends)" : "");
}

enum err
cert_default_out(const char *name, char *out, size_t size, struct diag *d)
{
	int n;

	if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		diag_set(d, 0, 0,
		    "the name cannot be that of a directory: give -out DIR");
		return ERR_USAGE;
	}
	n = snprintf(out, size, "./%s", name);
	return n < 0 || (size_t)n >= size ? ERR_LIMIT : ERR_OK;
}

/* Wrong usage is told before the directory is looked at. */
static enum err
check_request(
    struct bundle_request *req, char *out, size_t size, struct diag *d)
{
	const struct issue_client client = {
		.name = req->name == NULL ? "" : req->name,
		.units = req->units,
		.n_units = req->n_units,
		.org = req->org,
		.days = req->days,
		.hours = req->hours,
		.now = req->now,
	};

	if (req->name == NULL) {
		diag_set(d, 0, 0, "-name is needed: who the client is");
		return ERR_USAGE;
	}
	switch (issue_client_check(&client, d)) {
	case ERR_OK:
		break;
	case ERR_CERT:
		return ERR_CERT; /* the clock */
	default:
		return ERR_USAGE;
	}
	if (req->out != NULL) {
		return ERR_OK;
	}
	req->out = out;
	return cert_default_out(req->name, out, size, d);
}

/* Wrong usage of what comes after the certificate. */
static enum err
check_context(
    const struct bundle_request *req, const char *context, struct diag *d)
{
	if (context == NULL) {
		return ERR_OK;
	}
	if (req->csr != NULL) {
		diag_set(d, 0, 0,
		    "-context needs the key, which -csr leaves where it is");
		return ERR_USAGE;
	}
	return cert_check_context(context, d);
}

static int
issue_run(struct bundle_request *req, const char *context, const char *gate,
    const char *pass_file)
{
	char out[STORE_PATH_SIZE], address[300], file[300];
	struct cert_tar t = { .context = context, .now = req->now };
	struct secret pass = { NULL, 0 };
	struct bundle_result res;
	struct diag d = { 0, 0, "" };
	enum err rc;

	rc = check_request(req, out, sizeof(out), &d);
	if (rc == ERR_OK) {
		rc = check_context(req, context, &d);
	}
	if (rc == ERR_OK) {
		rc = cert_gate_address(
		    gate, req->dir, address, sizeof(address), &d);
	}
	if (rc == ERR_OK) {
		rc = cert_load_pass(pass_file, &pass, &req->key_pass, &d);
	}
	if (rc == ERR_OK) {
		rc = bundle_write(req, &res, &d);
	}
	secret_fini(&pass);
	req->key_pass = NULL;
	t.dir = req->out;
	t.name = req->name;
	t.gate = address;
	if (rc == ERR_OK && context != NULL) {
		snprintf(file, sizeof(file), "%s.dockercontext", context);
		t.file = file;
		rc = cert_write_tar(&t, &d);
	}
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	say_made(req, &res);
	cert_print_use(&t, address);
	return 0;
}

static int
cert_issue(int argc, char **argv)
{
	struct bundle_request req = {
		.dir = CERTS_DEFAULT,
		.days = ISSUE_CLIENT_DAYS,
		.now = time(NULL),
	};
	struct str_list units = { NULL, 0 };
	const char *context = NULL, *gate = NULL, *pass = NULL;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		{ "name", FLAG_STRING, &req.name, "NAME",
		    "who the client is: the common name" },
		{ "ou", FLAG_LIST, &units, "UNIT", "an organisational unit" },
		{ "o", FLAG_STRING, &req.org, "ORG", "the organisation" },
		{ "days", FLAG_UINT, &req.days, "N",
		    "how long the certificate is valid" },
		{ "hours", FLAG_UINT, &req.hours, "N",
		    "the same, for those that live shorter" },
		{ "out", FLAG_STRING, &req.out, "DIR",
		    "where the three files go (default ./NAME)" },
		CERT_PASS_FLAG(&pass),
		{ "csr", FLAG_STRING, &req.csr, "FILE",
		    "a certificate request: the client keeps its key; its\n"
		    "names are not looked at" },
		{ "context", FLAG_STRING, &context, "CONTEXT",
		    "make ./CONTEXT.dockercontext too, for docker context\n"
		    "import" },
		{ "gate", FLAG_STRING, &gate, "HOST[:PORT]",
		    "the gate, as clients dial it (default: the first name in\n"
		    "docker.crt)" },
	};
	const struct flag_set set = {
		.usage = "dinv cert issue -name NAME [flags]",
		.about = "Makes ca.pem, cert.pem and key.pem for one client, "
			 "ready for DOCKER_CERT_PATH.",
		.flag = flags,
		.n = NELEM(flags),
	};
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	req.units = units.item;
	req.n_units = units.n;
	status = issue_run(&req, context, gate, pass);
	str_list_fini(&units);
	return status;
}

/* name, function, one line of help */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "init", cert_init, "make a CA, a server pair and a client pair" },
	{ "issue", cert_issue, "make the files that one client needs" },
	{ "list", cert_list, "what was issued, and what became of it" },
	{ "show", cert_show, "all about one certificate" },
	{ "revoke", cert_revoke, "take a client's certificate back" },
	{ "bundle", cert_bundle, "pack what a user needs into one file" },
	{ "renew", cert_renew, "make a certificate anew before it expires" },
	{ "rollover", cert_rollover, "replace the CA, clients going on" },
	{ "token", cert_token, "let somebody come for a certificate himself" },
	{ "sign", cert_sign, "what a gate starts for those who come" },
	{ "crl", cert_crl, "print the list of what was revoked" },
};

static void
help(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: dinv cert COMMAND [flags]\n\n"
		    "Commands (each has -h):\n");
	for (i = 0; i < NELEM(commands); i++) {
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	}
}

int
cmd_cert(int argc, char **argv)
{
	char shown[64];
	size_t i;

	if (argc < 2) {
		fprintf(stderr,
		    "dinv: cert needs a command; dinv cert -h lists them\n");
		return 2;
	}
	for (i = 0; i < NELEM(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--h") == 0 ||
	    strcmp(argv[1], "-help") == 0 || strcmp(argv[1], "--help") == 0) {
		help(stdout);
		return 0;
	}
	text_escape(span_of(argv[1]), shown, sizeof(shown));
	fprintf(stderr,
	    "dinv: unknown command \"cert %s\"; dinv cert -h lists them\n",
	    shown);
	return 2;
}
