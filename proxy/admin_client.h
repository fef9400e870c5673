/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_ADMIN_CLIENT_H
#define PROXY_ADMIN_CLIENT_H

/*
 * Asks the admin listener of a running gate: for dinv reload and dinv
 * status.  Blocks, within a deadline.
 */
#include "http_client.h"

/*
 * method "GET" or "POST".  ERR_OK whatever the status is.  Otherwise d says
 * what to do: ERR_SYNTAX (the address), ERR_IO (nobody listens, no
 * permission), ERR_HTTP_SYNTAX (no gate's answer), ERR_NOMEM.
 */
enum err admin_ask(const char *url, const char *method, const char *target,
    struct http_reply *out, struct diag *d) MUST_USE;

/* For a terminal: as it stands where that is text without controls, else
 * escaped.  What does not fit is cut; always ended by NUL. */
void admin_printable(struct span s, char *out, size_t size);

#endif
