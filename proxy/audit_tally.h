/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_TALLY_H
#define PROXY_AUDIT_TALLY_H

/* Sums over records, in bounded memory: by client, rule, operation and hour,
 * and the streams that were open longest. */
#include "audit_fields.h"

#define TALLY_NAMES 4096
#define TALLY_STREAMS 10
#define TALLY_TEXT 96

struct tally_row {
	char name[TALLY_TEXT];
	uint64_t requests, refused, errors, bytes;
};

struct tally_table {
	struct tally_row *row; /* TALLY_NAMES; the last one is for the rest */
	size_t n;
};

struct tally_stream {
	uint64_t ms;
	char who[TALLY_TEXT], op[TALLY_TEXT], object[TALLY_TEXT],
	    time[TALLY_TEXT];
};

struct tally {
	struct tally_table clients, rules, ops, hours;
	struct tally_stream stream[TALLY_STREAMS]; /* longest first */
	uint64_t records, requests, refused, handshakes, lost, broken, later;
	char first[TALLY_TEXT], last[TALLY_TEXT];
};

enum err tally_init(struct tally *t) MUST_USE;
void tally_fini(struct tally *t);
void tally_add(struct tally *t, struct span line);
enum tally_order { TALLY_BY_NAME, TALLY_BY_REQUESTS, TALLY_BY_REFUSED };
void tally_sort(struct tally_table *t, enum tally_order order);

#endif
