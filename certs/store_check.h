/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_STORE_CHECK_H
#define CERTS_STORE_CHECK_H

/* What the operator should know of files that can be used nevertheless. */
#include "cert.h"
#include "store.h"

/* Adds a note; those past STORE_NOTES_MAX are dropped. */
void store_note(struct store_report *report, enum store_note_kind kind,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Expired, about to expire, not valid yet. */
void store_check_dates(struct store_report *report, const char *name,
    const struct cert *c, time_t now);

/* Is it one that docker's clients accept, for these hosts?  ca may be NULL. */
void store_check_server(struct store_report *report, const struct cert *c,
    const struct cert *ca, const struct store_request *req);

/* Would the gate accept it? */
void store_check_client(struct store_report *report, const struct cert *c,
    const struct cert *ca, time_t now);

/* Which keys may others read? */
void store_check_modes(struct store_report *report, int dir_fd);

#endif
