/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_REMOTE_H
#define PROXY_AUDIT_REMOTE_H

/*
 * A store of records in another process, over a pair of connected unix stream
 * sockets (socketpair(2)).  The process that keeps the store trusts nothing
 * that comes from the other one.
 */
#include "audit_call.h"

/* --- who has records ----------------------------------------------------- */

/*
 * Takes fd on success; opens nothing.  A store that does not answer, or is
 * gone, is a sink that fails: AUDIT_SILENT, AUDIT_GONE.
 */
enum err audit_call_remote(int fd, struct audit_call *out) MUST_USE;

/* --- who has the store --------------------------------------------------- */

struct audit_remote;

/*
 * Starts a thread that answers until the other side has closed, or sends what
 * is none of the messages below; then that is logged, and nothing that it sent
 * is used.  Holds the store; takes fd on success, and keeps its number until
 * audit_remote_stop().  The thread blocks all signals.
 */
enum err audit_remote_serve(
    struct audit_store *s, int fd, struct audit_remote **out) MUST_USE;
/* Has it come to its end? */
bool audit_remote_ended(struct audit_remote *r);
/*
 * Ends the thread, after the other side has closed, or else with what it had
 * begun to read unanswered; closes fd.  Waits for the sink as
 * audit_writer_free() does.  NULL is fine.  Of a store that is suspended
 * nothing is read and nothing written any more: another fd of the same socket
 * can be served on.
 */
void audit_remote_stop(struct audit_remote *r);

/* --- what they say ------------------------------------------------------- */

/*
 * Numbers have their lowest byte first.
 *
 *   request  u8 version, u8 kind, u16 0, u32 bytes of lines, u64 number; lines
 *   answer   u8 version, u8 kind, u8 done, u8 0, u32 why, u32 due (all ones:
 *            -1), u64 number
 */
#define AUDIT_WIRE_VERSION 1
#define AUDIT_WIRE_ASK 16
#define AUDIT_WIRE_SAID 20

struct audit_wire_ask {
	enum audit_ask_kind kind;
	uint64_t number;
	uint32_t len;
};

void audit_wire_put_ask(
    uint8_t out[AUDIT_WIRE_ASK], const struct audit_ask *ask);
/* false: it is no request. */
bool audit_wire_get_ask(
    const uint8_t in[AUDIT_WIRE_ASK], struct audit_wire_ask *out) MUST_USE;
void audit_wire_put_said(uint8_t out[AUDIT_WIRE_SAID],
    const struct audit_wire_ask *to, const struct audit_said *said);
bool audit_wire_get_said(const uint8_t in[AUDIT_WIRE_SAID],
    struct audit_wire_ask *to, struct audit_said *said) MUST_USE;

#endif
