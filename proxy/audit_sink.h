/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_SINK_H
#define PROXY_AUDIT_SINK_H

/*
 * Where audit records end up.  One thread at a time
 * (audit_store.h).
 */
#include <errno.h>

#include "audit_rotate.h"
#include "base/err.h"

struct audit_sink;

/* Is it the name of a file? */
bool audit_sink_is_file(const char *to);

/* to: a file to append to, "-" for standard output, "syslog:" or "journal:"
 * (audit_socket.h). */
enum err audit_sink_open(const char *to, const struct audit_rotation *rot,
    struct audit_sink **out, struct diag *d) MUST_USE;
void audit_sink_close(struct audit_sink *s);

/*
 * Writes lines, each ended by LF; *took: how many bytes of them are written,
 * which may end in mid-line.  0, or an errno: EAGAIN where nobody took any
 * within wait_ms.  0 and not all: it took some, and wait_ms are over.
 */
int audit_sink_put(
    struct audit_sink *s, struct span lines, size_t *took, int wait_ms);

/* What audit_sink_put() returned, or audit_remote.h's own, for humans. */
#define AUDIT_GONE EOWNERDEAD /* no sink has these two */
#define AUDIT_SILENT ETIME
const char *audit_errno_text(int why);

/* The monotonic clock, and what is left until it says so; not below 0. */
int64_t audit_sink_ms(void);
int audit_sink_left(int64_t until);

/* The name anew, for who has moved the file away; the old one stays in use
 * if that fails.  *same: it is still the one that was written to, and has what
 * was put of a line; else what is put next begins a line. */
enum err audit_sink_reopen(
    struct audit_sink *s, bool *same, struct diag *d) MUST_USE;

/* Is it time to move the file away?  Between lines. */
bool audit_sink_due(const struct audit_sink *s);
/* Moves it away and begins another; what was moved is compressed when the new
 * one has its first line. */
enum err audit_sink_rotate(struct audit_sink *s, struct diag *d) MUST_USE;

#endif
