/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_NAMES_H
#define PROXY_TLS_NAMES_H

/* Private to tls*.c. */
#include <mbedtls/x509_crt.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/principal.h"

/*
 * CN, O, OU and subjectAltName of a verified certificate into who; spans live
 * in arena.  ERR_CERT with d for names that are not sound, ERR_LIMIT for too
 * many, ERR_NOMEM.
 */
enum err tls_take_names(const mbedtls_x509_crt *crt, struct arena *arena,
    struct principal *who, struct diag *d) MUST_USE;

#endif
