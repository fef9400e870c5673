/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_TLS_H
#define PROXY_GATE_TLS_H

/* What the gate takes out of its certificate directory. */
#include "admin.h"
#include "gate.h"

/*
 * *out is NULL for a gate without TLS.  d says which file and what to do.
 * *had_list: once there was a list that the ledger asks for, there has to be
 * one, whatever the directory looks like then.
 */
enum err gate_load_tls(const struct gate_config *conf, bool *had_list,
    struct tls_server **out, struct diag *d) MUST_USE;

/* For -enroll: asks nobody for a certificate, and shows the CA. */
enum err gate_load_enroll_tls(const struct gate_config *conf,
    struct tls_server **out, struct diag *d) MUST_USE;

/* Until when the certificates are good. */
void gate_look_at_dates(const struct gate_config *conf, struct admin_view *v);

#endif
