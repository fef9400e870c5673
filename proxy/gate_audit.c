/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the audit log; see gate_audit.h. */
#include "gate_audit.h"

#include <stdio.h>
#include <stdlib.h>

static struct audit_options
options(const struct gate_config *conf)
{
	const struct limits *l = &conf->limits;

	return (struct audit_options){
		.to = conf->audit,
		.key = conf->audit_key,
		.required = conf->audit_required,
		.rotation = { (uint64_t)conf->audit_rotate_mb << 20,
		    conf->audit_rotate_hours, conf->audit_keep },
		.queue = { l->audit_queue_bytes, l->audit_queue_records },
	};
}

enum err
gate_open_store(
    const struct gate_config *conf, struct audit_store **out, struct diag *d)
{
	struct audit_options opt = options(conf);
	char *beside = NULL;
	enum err rc;

	if (opt.key == NULL && audit_sink_is_file(opt.to)) {
		if (asprintf(&beside, "%s.key", opt.to) == -1) {
			return ERR_NOMEM;
		}
		opt.key = beside;
	}
	rc = audit_store_open(&opt, out, d);
	free(beside);
	return rc;
}

enum err
gate_open_audit(const struct gate_config *conf, const struct audit_call *call,
    struct audit **out)
{
	const struct audit_options opt = options(conf);

	return audit_open(&opt, call, out);
}
