/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ENROLL_CLIENT_H
#define PROXY_ENROLL_CLIENT_H

/* Asks a gate for a certificate, as dinv enroll does; blocks. */
#include "http_client.h"

/* Where a gate is. */
struct where {
	char host[256];
	char port[8];
};

/* https://HOST[:PORT]; port: where the URL says none.  ERR_USAGE. */
enum err enroll_parse_url(const char *url, const char *port, struct where *w,
    struct diag *d) MUST_USE;

struct enroll_ask {
	struct where at;
	struct span csr; /* PEM */
	/* With a token, to POST /enroll: */
	const char *token;
	const char *name; /* or NULL */
	const char *pin;  /* how the gate is known */
	/* Or with the three files in out, to POST /_dinv/renew: */
	bool renew;
	const char *out;
};

/*
 * Asks, and asks again for a while where the gate is only busy.  ERR_OK
 * whatever the status is; buf_fini() reply's body.
 */
enum err enroll_ask(const struct enroll_ask *e, struct http_reply *reply,
    struct diag *d) MUST_USE;

#endif
