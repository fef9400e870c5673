/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_DIND_H
#define CERTS_DIND_H

/*
 * A certificate directory as users of docker:dind know it: ca/, server/ and
 * client/ with key.pem, cert.pem and ca.pem.  One store behind both names.
 */
#include "base/err.h"

/*
 * Before store_ensure(): what a docker:dind has left there is taken over,
 * under the names of store.h, as links.
 */
enum err dind_take(const char *dir, struct diag *d) MUST_USE;

/*
 * After it: ca/ and server/ are links to the store.  client/ holds copies,
 * because it is what gets mounted by itself; what is in there and says
 * something else is replaced.  Files in ca/ and server/ are not.
 */
enum err dind_give(const char *dir, struct diag *d) MUST_USE;

#endif
