/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_REDACT_WORDS_H
#define POLICY_REDACT_WORDS_H

/*
 * Commands for the record: which program and how, without what may be a
 * secret.  A word may itself be a line for a shell; that is read as one, and
 * so are the lines quoted in it.  What goes (docs/audit.md has the table):
 * values of assignments; what follows a flag or a word that names a secret;
 * users' and passwords' pairs; -p and what is glued to it; here-documents.
 */
#include "redact_text.h"

enum redact_next {
	REDACT_SHOW = 0,
	REDACT_NEXT, /* the next word goes */
	REDACT_USER, /* of the next word, what is behind a ':' */
	REDACT_REST, /* all words go, up to the end of the command */
};

/* What the words of one command have said of those that follow. */
struct redact_words {
	enum redact_next next;
	bool owed;	   /* REDACT_REST, and no word went yet */
	bool begun;	   /* the program has been named */
	bool line;	   /* the next word is a line for a shell */
	bool plain_p;	   /* -p of this program is no password */
	unsigned programs; /* those seen whose short flags are known */
};

#define REDACT_WORDS_INIT                                                      \
	{                                                                      \
		0                                                              \
	}

/* The next word of a command, as it may be told. */
void redact_word(
    struct redact_words *words, struct span word, struct redact_out *o);

#endif
