/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the certificate directory to a TLS server; see gate_tls.h.
 *
 * Each worker has one of its own, at a start and at each reload.  What is
 * revoked is read each time too: a server without the list that the
 * directory asks for is not made, and at a reload the old one stays.
 *
 * Nothing here opens the CA's key.
 */
#include "gate_tls.h"

#include "certs/cert.h"
#include "certs/ledger.h"
#include "certs/store.h"

/* Does the directory's own ledger ask for a list? */
static bool
asks_for_list(const char *dir)
{
	struct ledger l;
	bool asks;

	ledger_init(&l);
	asks = ledger_load(&l, dir, NULL) == ERR_OK && l.crl_number > 0;
	ledger_fini(&l);
	return asks;
}

/* Ledger and list gone together look like a directory that never had any.  A
 * list of somebody else's, which no ledger asks for, may be taken away. */
static enum err
check_list(const struct gate_config *conf, const struct crl_set *crls,
    bool *had_list, struct diag *d)
{
	if (crls == NULL && *had_list) {
		diag_set(d, 0, 0,
		    "crl.pem and issued.tsv are gone, and with them who was "
		    "revoked: put them back");
		return ERR_CERT_STORE;
	}
	*had_list = *had_list || (crls != NULL && asks_for_list(conf->certs));
	return ERR_OK;
}

enum err
gate_load_tls(const struct gate_config *conf, bool *had_list,
    struct tls_server **out, struct diag *d)
{
	struct tls_options opt = { .min = conf->tls_min, .max = conf->tls_max };
	struct store_paths paths;
	enum err rc;

	*out = NULL;
	if (conf->tls == GATE_TLS_NONE) {
		return ERR_OK;
	}
	rc = store_paths(conf->certs, &paths);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the path of -certs is too long");
		return rc;
	}
	opt.cert_path = paths.server_cert;
	opt.key_path = paths.server_key;
	opt.key_pass_path = conf->key_pass_file;
	if (conf->tls == GATE_TLS_VERIFY) {
		opt.ca_path = paths.ca;
		rc = crl_set_load(conf->certs, &opt.crls, d);
		if (rc == ERR_OK) {
			rc = check_list(conf, opt.crls, had_list, d);
		}
	}
	if (rc == ERR_OK) {
		rc = tls_server_new(&opt, out, d);
	}
	if (rc != ERR_OK) {
		crl_set_free(opt.crls);
	}
	return rc;
}

enum err
gate_load_enroll_tls(
    const struct gate_config *conf, struct tls_server **out, struct diag *d)
{
	struct tls_options opt = { .min = conf->tls_min, .max = conf->tls_max };
	struct store_paths paths;
	enum err rc;

	rc = store_paths(conf->certs, &paths);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the path of -certs is too long");
		return rc;
	}
	opt.cert_path = paths.server_cert;
	opt.key_path = paths.server_key;
	opt.key_pass_path = conf->key_pass_file;
	opt.shown_ca_path = paths.ca;
	return tls_server_new(&opt, out, d);
}

void
gate_look_at_dates(const struct gate_config *conf, struct admin_view *v)
{
	struct store_paths paths;
	struct crl_set *crls = NULL;
	struct cert *c = NULL;
	time_t from;

	if (conf->tls == GATE_TLS_NONE ||
	    store_paths(conf->certs, &paths) != ERR_OK) {
		return;
	}
	if (cert_load(paths.server_cert, "", &c, NULL) == ERR_OK) {
		cert_validity(c, &v->server_from, &v->server_to);
		cert_free(c);
	}
	if (conf->tls != GATE_TLS_VERIFY) {
		return;
	}
	if (cert_load(paths.ca, "", &c, NULL) == ERR_OK) {
		cert_validity(c, &from, &v->ca_to);
		cert_free(c);
	}
	if (crl_set_load(conf->certs, &crls, NULL) == ERR_OK) {
		v->crl_to = crls == NULL ? 0 : crl_set_ends(crls);
		crl_set_free(crls);
	}
}
