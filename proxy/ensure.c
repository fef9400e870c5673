/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates at a start; see ensure.h.
 *
 * The gate faces the network, so it must not hold the CA's key, not even in
 * memory that was freed: a child process makes what is missing or due, and
 * ends.  Where nothing is, no process is made, and the CA's key is not opened
 * by anyone.
 */
#include "ensure.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "certs/key.h"
#include "certs/renew.h"
#include "hosts.h"
#include "log.h"
#include "renewal.h"

static void
log_report(const struct store_report *report)
{
	size_t i;

	for (i = 0; i < STORE_N_FILES; i++) {
		if ((report->made & BIT(i)) != 0) {
			log_info("made certificate file=%s",
			    store_file_name((enum store_file)i));
		}
	}
	for (i = 0; i < report->n_notes; i++) {
		if (report->note[i].kind == STORE_NOTE_WARN) {
			log_warn("certificates: %s", report->note[i].text);
		} else {
			log_info("certificates: %s", report->note[i].text);
		}
	}
}

static unsigned
due(const char *dir, const struct str_list *hosts)
{
	const struct renew_request req = {
		.dir = dir,
		.hosts = hosts->item,
		.n_hosts = hosts->n,
		.now = time(NULL),
	};

	return renewal_has_ca_key(dir) ? renew_due(&req) : 0;
}

/* What a request's files hold. */
struct passes {
	struct secret key, ca;
};

static void
passes_fini(struct passes *p)
{
	secret_fini(&p->key);
	secret_fini(&p->ca);
}

static bool
passes_load(const struct ensure_request *req, struct passes *p)
{
	struct diag d = { 0, 0, "" };
	enum err rc = ERR_OK;

	memset(p, 0, sizeof(*p));
	if (req->key_pass_file != NULL) {
		rc = key_pass_load(req->key_pass_file, &p->key, &d);
	}
	if (rc == ERR_OK && req->ca_pass_file != NULL) {
		rc = key_pass_load(req->ca_pass_file, &p->ca, &d);
	}
	if (rc != ERR_OK) {
		log_error("certificates: %s",
		    d.text[0] == '\0' ? err_text(rc) : d.text);
	}
	return rc == ERR_OK;
}

static const struct secret *
or_null(const struct secret *s)
{
	return s->data == NULL ? NULL : s;
}

/* A start is the time for it; if it cannot be, what is there still serves. */
static void
renew_if_due(const struct ensure_request *ensure, const struct passes *p)
{
	const struct renew_request req = {
		.dir = ensure->dir,
		.hosts = ensure->hosts->item,
		.n_hosts = ensure->hosts->n,
		.now = time(NULL),
		.key_pass = or_null(&p->ca),
		.server_pass = or_null(&p->key),
	};
	struct diag d = { 0, 0, "" };
	unsigned what = due(ensure->dir, ensure->hosts);

	if (what == 0) {
		return;
	}
	if (renew_make(&req, what, &d) != ERR_OK) {
		log_warn("certificates were not renewed: %s", d.text);
		return;
	}
	log_info("renewed%s%s certs=%s",
	    (what & RENEW_SERVER) != 0 ? " docker.crt" : "",
	    (what & RENEW_CRL) != 0 ? " crl.pem" : "", ensure->dir);
}

static bool
make(const struct ensure_request *ensure, const struct passes *p)
{
	const struct store_request req = {
		.dir = ensure->dir,
		.mode = ensure->mode,
		.hosts = ensure->hosts->item,
		.n_hosts = ensure->hosts->n,
		.now = time(NULL),
		.key_pass = or_null(&p->key),
		.ca_pass = or_null(&p->ca),
	};
	struct store_report report;
	struct diag d = { 0, 0, "" };
	enum err rc = store_ensure(&req, &report, &d);

	log_report(&report);
	if (rc != ERR_OK) {
		log_error("certificates: %s dir=%s",
		    d.text[0] == '\0' ? err_text(rc) : d.text, ensure->dir);
		return false;
	}
	renew_if_due(ensure, p);
	return true;
}

bool
ensure_certs(const struct ensure_request *req)
{
	struct passes p;
	bool ok;

	if (hosts_gather(req->hosts) != ERR_OK) {
		log_error("out of memory");
		return false;
	}
	ok = passes_load(req, &p) && make(req, &p);
	passes_fini(&p);
	return ok;
}

/* Is all there that a TLS server loads? */
static bool
is_complete(const char *dir, enum store_mode mode)
{
	struct store_paths p;

	return store_paths(dir, &p) == ERR_OK &&
	       access(p.server_cert, F_OK) == 0 &&
	       access(p.server_key, F_OK) == 0 &&
	       (mode == STORE_TLS || access(p.ca, F_OK) == 0);
}

/* Are the names of this machine, and those given, in the certificate, and is
 * there time left? */
static bool
nothing_is_due(const char *dir, const struct str_list *given)
{
	struct str_list hosts = { NULL, 0 };
	enum err rc = ERR_OK;
	bool none;
	size_t i;

	for (i = 0; i < given->n && rc == ERR_OK; i++) {
		rc = str_list_add(&hosts, given->item[i]);
	}
	if (rc == ERR_OK) {
		rc = hosts_gather_lasting(&hosts);
	}
	none = rc != ERR_OK || due(dir, &hosts) == 0;
	hosts_free(&hosts, given->n);
	return none;
}

bool
ensure_certs_apart(const struct ensure_request *req)
{
	int status = 0;
	pid_t child;

	if (is_complete(req->dir, req->mode) &&
	    nothing_is_due(req->dir, req->hosts)) {
		return true;
	}
	child = fork();
	if (child == 0) {
		_exit(ensure_certs(req) ? 0 : 1);
	}
	if (child == -1) {
		log_error("cannot start a process: %s", strerror(errno));
		return false;
	}
	while (waitpid(child, &status, 0) == -1) {
		if (errno != EINTR) {
			return false;
		}
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
