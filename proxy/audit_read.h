/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_READ_H
#define PROXY_AUDIT_READ_H

/* Audit files, line by line, compressed ones too; for the commands. */
#include "base/err.h"

struct audit_reader;

/* "-" is standard input; what begins as gzip does is read through gzip. */
enum err audit_reader_open(
    const char *path, struct audit_reader **out, struct diag *d) MUST_USE;
/* ERR_IO where reading failed, such as a file that gzip cannot read. */
enum err audit_reader_close(struct audit_reader *r, struct diag *d) MUST_USE;

/*
 * The next line, without its LF; borrowed until the next call.  false: there
 * is none.  *whole false: the file ended in it, or it is longer than any
 * record.
 */
bool audit_reader_line(struct audit_reader *r, struct span *line, bool *whole);

/* From now on an end is none: what is written later is read, and a line that
 * is not whole yet is waited for. */
void audit_reader_follow(struct audit_reader *r);
/* Has its path another file now (a rotation)? */
bool audit_reader_moved(const struct audit_reader *r);

#endif
