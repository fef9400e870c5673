/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CMD_CERT_H
#define PROXY_CMD_CERT_H

/* What the sources of dinv cert (cmd_cert*.c) share, and nobody else sees. */
#include "base/err.h"

#define CERTS_DEFAULT "/certs"

/* Says why on standard error; the exit status. */
int cert_fail(const struct diag *d, enum err rc);

/* The directory ./NAME; a name that would lead elsewhere needs -out. */
enum err cert_default_out(
    const char *name, char *out, size_t size, struct diag *d) MUST_USE;

/* argv[0] is the command's own name. */
int cert_list(int argc, char **argv); /* cmd_cert_list.c */
int cert_show(int argc, char **argv);
int cert_revoke(int argc, char **argv); /* cmd_cert_revoke.c */
int cert_crl(int argc, char **argv);
int cert_renew(int argc, char **argv); /* cmd_cert_renew.c */
int cert_rollover(int argc, char **argv);

#endif
