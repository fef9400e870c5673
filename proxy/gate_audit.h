/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_AUDIT_H
#define PROXY_GATE_AUDIT_H

/* The audit log as the configuration has it. */
#include "audit.h"
#include "gate.h"

/* What writes the records; conf->audit is not NULL. */
enum err gate_open_store(const struct gate_config *conf,
    struct audit_store **out, struct diag *d) MUST_USE;
/* The gate's side of it; takes call on success.  Opens no file. */
enum err gate_open_audit(const struct gate_config *conf,
    const struct audit_call *call, struct audit **out) MUST_USE;

#endif
