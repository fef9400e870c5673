/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_REDACT_TEXT_H
#define POLICY_REDACT_TEXT_H

/* Texts without the secrets that their own form gives away (redact.h). */
#include "base/buf.h"

#define REDACT_HIDDEN "***"

/* Where it goes; after a failure nothing more does. */
struct redact_out {
	struct buf *b;
	enum err rc;
};

void redact_put(struct redact_out *o, const char *p, size_t n);
void redact_hide(struct redact_out *o); /* REDACT_HIDDEN */
/* Without user, password and query of the URLs in it. */
void redact_urls(struct redact_out *o, struct span s);

#endif
