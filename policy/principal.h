/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PRINCIPAL_H
#define POLICY_PRINCIPAL_H

/*
 * Who asks.  Made once a connection, from the verified client certificate
 * (RFC 5280), from the credentials of a local socket, or "anonymous" on a
 * listener that asks for no certificate.  Never from a header.
 *
 * Every span is valid UTF-8 without control characters: a certificate with
 * any other name is refused before this struct is filled.
 */
#include "base/span.h"

#define PRINCIPAL_MAX_NAMES 16

enum principal_kind {
	PRINCIPAL_NONE = 0,  /* refused whatever it asks */
	PRINCIPAL_CERT,	     /* a verified client certificate */
	PRINCIPAL_LOCAL,     /* a unix socket: uid and gid (SO_PEERCRED) */
	PRINCIPAL_ANONYMOUS, /* -tls without verify, or a clear listener */
};

struct principal_names {
	struct span name[PRINCIPAL_MAX_NAMES];
	size_t n;
};

struct principal {
	enum principal_kind kind;
	struct span cn;			/* the one common name, or empty */
	struct principal_names o;	/* organisations */
	struct principal_names ou;	/* units */
	struct principal_names san_dns; /* subjectAltName */
	struct principal_names san_uri;
	struct principal_names san_email;
	char serial[64];      /* lower-case hex, no separators */
	char fingerprint[65]; /* SHA-256 of the DER, lower-case hex */
	uint32_t uid, gid;    /* PRINCIPAL_LOCAL only */
	char addr[64];	      /* "192.0.2.1:50000", "[::1]:5", "unix" */
};

#endif
