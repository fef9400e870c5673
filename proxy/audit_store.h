/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_AUDIT_STORE_H
#define PROXY_AUDIT_STORE_H

/*
 * Where records become a chain and go to their sink, for one writer or
 * several.  Passive: no thread and no clock of its own, it works while it is
 * asked.
 */
#include "audit_chain.h"
#include "audit_sink.h"

struct audit_store;
struct audit_caller; /* one who asks; one thread at a time */

enum audit_ask_kind {
	AUDIT_ASK_TICK = 0, /* a checkpoint may be due, bytes may be left */
	AUDIT_ASK_PUT,
	AUDIT_ASK_REOPEN, /* audit_sink_reopen(), behind a checkpoint */
	AUDIT_ASK_END,	  /* the caller ends: the last checkpoint */
	AUDIT_ASK_N
};

struct audit_ask {
	enum audit_ask_kind kind;
	/*
	 * AUDIT_ASK_PUT: of the batch, another one than of the caller's last,
	 * not 0.  A batch that was not done is asked for again by its number,
	 * and then its lines are not looked at.
	 */
	uint64_t number;
	struct span lines; /* each a record with its LF (audit_line.h) */
};

struct audit_said {
	int why; /* 0, or errno of the sink (audit_errno_text()) */
	/* All is written that was asked for.  Neither done nor why: it went
	 * on, and there was no time for the rest. */
	bool done;
	int due_s; /* until AUDIT_ASK_TICK has something to do, -1: nothing */
};

/* Takes both on success.  Counted: who holds one drops it. */
enum err audit_store_new(struct audit_sink *sink, struct audit_chain *chain,
    struct audit_store **out) MUST_USE;
/* The last one closes the sink and wipes the key.  NULL is fine. */
void audit_store_drop(struct audit_store *s);

/* Holds the store. */
enum err audit_caller_new(
    struct audit_store *s, struct audit_caller **out) MUST_USE;
void audit_caller_free(struct audit_caller *c);

/*
 * Waits for the turn of who came before, and for the sink no longer than
 * LIMIT_AUDIT_RETRY_MS.  What is left of another's batch goes first; while
 * that cannot be written, nothing of this one is begun.
 */
void audit_caller_ask(struct audit_caller *c, const struct audit_ask *ask,
    struct audit_said *said);

/*
 * For who serves others: a request is read, and its answer given, between
 * these two.  begin() waits while the store is suspended; false: it is, and
 * another thread has called audit_caller_stop().
 */
bool audit_caller_begin(struct audit_caller *c) MUST_USE;
void audit_caller_end(struct audit_caller *c);
void audit_caller_stop(struct audit_caller *c);

/*
 * Before exec(2): true, once nobody is between begin() and end(), nobody can
 * begin, all that was chained is written, and whose it was knows.  So the
 * next image goes on from the file's end, and repeats nothing.  false: not
 * within ms (a sink that takes nothing), and all goes on as before.
 */
bool audit_store_suspend(struct audit_store *s, unsigned ms) MUST_USE;
/* After an exec(2) that failed. */
void audit_store_resume(struct audit_store *s);

#endif
