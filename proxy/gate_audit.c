/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the audit log; see gate_audit.h. */
#include "gate_audit.h"

#include <stdio.h>
#include <stdlib.h>

enum err
gate_open_audit(
    const struct gate_config *conf, struct audit **out, struct diag *d)
{
	const struct limits *l = &conf->limits;
	struct audit_options opt = {
		.to = conf->audit,
		.key = conf->audit_key,
		.required = conf->audit_required,
		.rotation = { (uint64_t)conf->audit_rotate_mb << 20,
		    conf->audit_rotate_hours, conf->audit_keep },
		.queue = { l->audit_queue_bytes, l->audit_queue_records },
	};
	char *beside = NULL;
	enum err rc;

	if (opt.key == NULL && audit_sink_is_file(opt.to)) {
		if (asprintf(&beside, "%s.key", opt.to) == -1) {
			return ERR_NOMEM;
		}
		opt.key = beside;
	}
	rc = audit_open(&opt, out, d);
	free(beside);
	return rc;
}
