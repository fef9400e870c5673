/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CMD_CERT_H
#define PROXY_CMD_CERT_H

/* What the sources of dinv cert (cmd_cert*.c) share, and nobody else sees. */
#include <time.h>

#include "base/err.h"
#include "base/secret.h"

#define CERTS_DEFAULT "/certs"

/* Says why on standard error; the exit status. */
int cert_fail(const struct diag *d, enum err rc);

/* The directory ./NAME; a name that would lead elsewhere needs -out. */
enum err cert_default_out(
    const char *name, char *out, size_t size, struct diag *d) MUST_USE;

#define CERT_PASS_FLAG(to)                                                     \
	{                                                                      \
		"key-pass-file", FLAG_STRING, to, "FILE",                      \
		    "the passphrase of ca-key.pem: the first line"             \
	}

/* Loads it if there is a path; *out is s, or NULL for none. */
enum err cert_load_pass(const char *path, struct secret *s,
    const struct secret **out, struct diag *d) MUST_USE;

/* A client's three files as one. */
struct cert_tar {
	const char *dir;     /* where they are */
	const char *name;    /* the client's */
	const char *context; /* for docker context import; NULL: a plain tar */
	const char *gate;    /* HOST:PORT */
	const char *file;    /* what is made here, 0600 */
	time_t now;
};

/* ERR_EXISTS, ERR_NOTFOUND and so on; d says what to do. */
enum err cert_write_tar(const struct cert_tar *t, struct diag *d) MUST_USE;

/* The lines to paste. */
void cert_print_use(const struct cert_tar *t, const char *gate);

enum err cert_check_context(const char *s, struct diag *d) MUST_USE;

/* HOST:PORT from -gate, or from docker.crt, or "HOST:2376". */
enum err cert_gate_address(const char *given, const char *certs, char *out,
    size_t size, struct diag *d) MUST_USE;

/* argv[0] is the command's own name. */
int cert_list(int argc, char **argv); /* cmd_cert_list.c */
int cert_show(int argc, char **argv);
int cert_revoke(int argc, char **argv); /* cmd_cert_revoke.c */
int cert_crl(int argc, char **argv);
int cert_renew(int argc, char **argv); /* cmd_cert_renew.c */
int cert_rollover(int argc, char **argv);
int cert_bundle(int argc, char **argv); /* cmd_cert_bundle.c */
int cert_token(int argc, char **argv);	/* cmd_cert_token.c */
int cert_sign(int argc, char **argv);	/* cmd_cert_sign.c */

#endif
