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

/* A start is the time for it; if it cannot be, what is there still serves. */
static void
renew_if_due(const char *dir, const struct str_list *hosts)
{
	const struct renew_request req = {
		.dir = dir,
		.hosts = hosts->item,
		.n_hosts = hosts->n,
		.now = time(NULL),
	};
	struct diag d = { 0, 0, "" };
	unsigned what = due(dir, hosts);

	if (what == 0) {
		return;
	}
	if (renew_make(&req, what, &d) != ERR_OK) {
		log_warn("certificates were not renewed: %s", d.text);
		return;
	}
	log_info("renewed%s%s certs=%s",
	    (what & RENEW_SERVER) != 0 ? " docker.crt" : "",
	    (what & RENEW_CRL) != 0 ? " crl.pem" : "", dir);
}

bool
ensure_certs(const char *dir, enum store_mode mode, struct str_list *hosts)
{
	struct store_report report;
	struct diag d = { 0, 0, "" };
	struct store_request req = {
		.dir = dir, .mode = mode, .now = time(NULL)
	};
	enum err rc;

	if (hosts_gather(hosts) != ERR_OK) {
		log_error("out of memory");
		return false;
	}
	req.hosts = hosts->item;
	req.n_hosts = hosts->n;
	rc = store_ensure(&req, &report, &d);
	log_report(&report);
	if (rc != ERR_OK) {
		log_error("certificates: %s dir=%s",
		    d.text[0] == '\0' ? err_text(rc) : d.text, dir);
		return false;
	}
	renew_if_due(dir, hosts);
	return true;
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
ensure_certs_apart(
    const char *dir, enum store_mode mode, struct str_list *hosts)
{
	int status = 0;
	pid_t child;

	if (is_complete(dir, mode) && nothing_is_due(dir, hosts)) {
		return true;
	}
	child = fork();
	if (child == 0) {
		_exit(ensure_certs(dir, mode, hosts) ? 0 : 1);
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
