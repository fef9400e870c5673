/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_LINKS_H
#define PROXY_LINKS_H

/* Where paths of the host lead; see policy_follow_links(). */
#include "base/err.h"

/*
 *   path  absolute and clean: no "//", "." or ".."
 *   out   where it leads, ended by NUL; of a path that is not there, where
 *         the part that is there leads, and the rest behind it
 *
 * ERR_NOTFOUND: it is not there, and out is as said.  ERR_IO with errno: a
 * dangling link, a file where a folder is named, no right to look.  ERR_LIMIT:
 * longer than size.
 */
enum err links_follow(const char *path, char *out, size_t size) MUST_USE;

#endif
