/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ISSUER_H
#define PROXY_ISSUER_H

/*
 * Certificates from a process of their own: the gate asks ("dinv cert sign"
 * is started, and told on its standard input what is wanted), and gets the
 * certificate or the reason why not.  The gate never holds the CA's key.
 */
#include <stdatomic.h>

#include "base/buf.h"
#include "loop.h"

/* How to start it; shared by all threads. */
struct issuer {
	const char *certs;
	const char *ca_pass_file; /* or NULL */
	atomic_uint jobs;	  /* that are under way */
};

/* Exactly one of token and certificate is there.  All borrowed. */
struct issuer_ask {
	struct span token;	 /* its secret; or empty */
	struct span name;	 /* with a token: the one asked for; or empty */
	struct span certificate; /* PEM, of who asks; or empty */
	struct span csr;
};

struct issuer_reply {
	unsigned status;   /* as of HTTP; 200: there is a certificate */
	char rule[32];	   /* why not, for the audit log; "" */
	char message[400]; /* why not, for who asked; "" */
	char name[260];	   /* "" where nothing was issued */
	char serial[65];
	struct buf body; /* JSON for who asked, whatever the status is */
};

struct issuer_job;

/*
 * done(arg) is called once, later, on l's thread; issuer_job_free() the job
 * there or before.  ERR_LIMIT: too many are under way; ERR_IO, ERR_NOMEM.
 */
enum err issuer_start(struct issuer *is, struct loop *l,
    const struct issuer_ask *ask, loop_fn done, void *arg,
    struct issuer_job **out) MUST_USE;
/* After done(). */
const struct issuer_reply *issuer_reply(const struct issuer_job *j);
/* One that is not done is ended.  NULL is fine. */
void issuer_job_free(struct issuer_job *j);

/* For the process that is asked (cmd_cert_sign.c) and tests: what goes in. */
enum err issuer_write_ask(
    const struct issuer_ask *ask, struct buf *out) MUST_USE;
/* What comes out; anything that is not as it should be is status 503. */
void issuer_read_reply(struct span text, struct issuer_reply *out);

#endif
