/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_NAMES_H
#define CERTS_NAMES_H

/* The names that may stand in a certificate. */
#include "base/err.h"

#define HOST_TEXT_SIZE 254 /* a DNS name (RFC 1035 2.3.4) and a NUL */
#define SUBJECT_MAX 64	   /* characters: ub-common-name, RFC 5280 A.1 */

enum host_kind { HOST_DNS = 0, HOST_IP };

/* What a client may have dialled. */
struct host {
	enum host_kind kind;
	char text[HOST_TEXT_SIZE]; /* lower case */
	uint8_t addr[16];
	size_t addr_len; /* 4 or 16 for HOST_IP, else 0 */
};

/*
 * A DNS name (letters, digits, '-', '_'; a first label "*" is fine), or an
 * IPv4 or IPv6 address.  No trailing dot, no brackets, no zone, no port.
 * ERR_CERT_NAME with d set.
 */
enum err host_parse(const char *s, struct host *out, struct diag *d) MUST_USE;

bool host_equal(const struct host *a, const struct host *b) MUST_USE;

/*
 * Is s fit for a subject (common name, unit, organisation)?  1 to
 * SUBJECT_MAX characters of UTF-8, none of which controls a terminal or
 * turns the reading direction.  All else is taken as it is: commas, quotes
 * and blanks at the ends included.  what names the value in d.
 */
enum err subject_check(
    const char *what, const char *s, struct diag *d) MUST_USE;

#endif
