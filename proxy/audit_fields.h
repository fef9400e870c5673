/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_FIELDS_H
#define PROXY_AUDIT_FIELDS_H

/* The members of one record, found in one pass over its line. */
#include "base/err.h"

enum audit_field {
	AF_SEQ = 0,
	AF_V,
	AF_TIME,
	AF_EVENT,
	AF_ID,
	AF_TRACEPARENT,
	AF_METHOD,
	AF_PATH,
	AF_OP,
	AF_OBJECT,
	AF_DECISION,
	AF_ROLE,
	AF_RULE,
	AF_STATUS,
	AF_CLIENT_BYTES,
	AF_DAEMON_BYTES,
	AF_DURATION_MS,
	AF_ENDED,
	AF_REASON,
	AF_RECORDS,
	AF_CN, /* of "client", like those that follow */
	AF_ADDR,
	AF_KIND,
	AF_UID,
	AF_N
};

/* Of a text: what is between its quotes, still escaped; {NULL, 0}: none. */
struct audit_fields {
	struct span of[AF_N];
};

const char *audit_field_name(enum audit_field f);
/* false: the line is no JSON object in one piece. */
bool audit_fields_scan(struct span line, struct audit_fields *out);
/* Digits; 0 for anything else. */
uint64_t audit_field_u64(const struct audit_fields *r, enum audit_field f);
/* Who: the certificate's name, or "uid:N", or the kind; into buf. */
struct span audit_field_who(
    const struct audit_fields *r, char *buf, size_t size);

#endif
