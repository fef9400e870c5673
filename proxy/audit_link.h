/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_LINK_H
#define PROXY_AUDIT_LINK_H

/* What audit_chain.h puts in front of each record, for who reads it. */
#include "certs/seal.h"

#define LINK_SEQ "{\"seq\":"
#define LINK_PREV ",\"prev\":\""
#define SEAL_MARK ",\"signature\":\""
#define SEAL_KEY ",\"event\":\"checkpoint\",\"key\":\""

struct audit_link {
	uint64_t seq;
	uint8_t prev[SEAL_HASH_BYTES];
};

/* A record's link (line without LF); false: it is no whole record. */
bool audit_link_parse(struct span line, struct audit_link *out);
/* The same of what is left of one; false: its link is not. */
bool audit_link_parse_torn(struct span line, struct audit_link *out);
/* A checkpoint's parts: what is signed, the key's name, the signature. */
bool audit_link_seal(
    struct span line, struct span *bytes, struct span *key, struct span *seal);

#endif
