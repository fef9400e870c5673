/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_TLS_REFUSE_H
#define PROXY_TLS_REFUSE_H

/*
 * What is said of a client that is refused: for tls.c alone.  flags are what
 * Mbed TLS found in its certificate, rc what it returned from the handshake.
 */
#include "tls.h"

/* RFC 8446 6.2 */
unsigned char tls_alert_for(uint32_t flags);
/* For the operator. */
void tls_say_verify(uint32_t flags, struct diag *d);
void tls_say_handshake(int rc, struct diag *d);
/* For counting. */
enum tls_failure tls_failure_of(int rc, bool has_certificate, uint32_t flags);

#endif
