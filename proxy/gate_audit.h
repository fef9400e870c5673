/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_GATE_AUDIT_H
#define PROXY_GATE_AUDIT_H

/* The audit log as the configuration has it. */
#include "audit.h"
#include "gate.h"

/* conf->audit is not NULL. */
enum err gate_open_audit(const struct gate_config *conf, struct audit **out,
    struct diag *d) MUST_USE;

#endif
