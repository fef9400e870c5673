/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ENROLL_DESK_H
#define PROXY_ENROLL_DESK_H

/*
 * The enrolment listener (-enroll): POST /enroll with a token and a
 * certificate request, over TLS, is answered with a certificate.  A listener,
 * a thread and a TLS configuration of its own: strangers never get near the
 * one that leads to dockerd.  docs/pki.md has the protocol.
 */
#include "audit.h"
#include "gate.h"
#include "issuer.h"

struct enroll_desk;

/*
 * Listens; before threads start.  All are borrowed as long as it lives; audit
 * may be NULL.  ERR_USAGE, ERR_SYNTAX, ERR_IO, ERR_NOMEM, and those of
 * tls_server_new(), with d set.
 */
enum err enroll_desk_open(const char *url, const struct gate_config *conf,
    struct issuer *issuer, struct enroll_desk **out, struct diag *d) MUST_USE;
/* Takes nobody any more. */
void enroll_desk_stop(struct enroll_desk *e);
enum err enroll_desk_start(struct enroll_desk *e, struct audit *audit) MUST_USE;
/* Ends the thread and frees.  NULL is fine. */
void enroll_desk_free(struct enroll_desk *e);

#endif
