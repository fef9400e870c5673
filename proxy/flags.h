/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_FLAGS_H
#define PROXY_FLAGS_H

/*
 * Command-line flags as every dinv command takes them: one dash or two,
 * "-name value" or "-name=value", operands anywhere, "--" ends the flags.
 */
#include <stdio.h>

#include "base/err.h"

struct str_list {
	const char **item;
	size_t n;
};

enum flag_kind {
	FLAG_BOOL,   /* bool *; "-tls", "-tls=true", "-tls=false" */
	FLAG_STRING, /* const char ** */
	FLAG_LIST,   /* struct str_list *; repeatable */
	FLAG_UINT,   /* unsigned * */
};

struct flag {
	const char *name; /* "listen" */
	enum flag_kind kind;
	void *out;	  /* holds the default before parsing */
	const char *arg;  /* what the value is called: "FILE"; "" for none */
	const char *help; /* one line; "\n" continues it */
};

struct flag_set {
	const char *usage; /* "dinv gate [flags]" */
	const char *about; /* one or more lines, or NULL */
	const struct flag *flag;
	size_t n;
	unsigned max_operands; /* more of them is wrong usage */
};

/*
 * Parses argv[1..]; operands are moved to argv[1..*argc-1].  With "--" the
 * rest is left in *rest (argv pointers up to NULL), if rest is not NULL.
 * ERR_OK; ERR_USAGE with d set; -h or -help: ERR_OK with *help true.
 * Lists are the caller's to str_list_fini().
 */
enum err flags_parse(const struct flag_set *set, int *argc, char **argv,
    char ***rest, bool *help, struct diag *d) MUST_USE;

/* Adds one value to a list; ERR_NOMEM. */
enum err str_list_add(struct str_list *l, const char *item) MUST_USE;

/* Frees the list, not what its items point to. */
void str_list_fini(struct str_list *l);

/* Prints usage, about and the flags with their defaults. */
void flags_help(const struct flag_set *set, FILE *to);

/*
 * flags_parse() as commands use it: prints help (returns 0) or the complaint
 * (returns 2) and says so by a value of 0 or more; -1: go on.
 */
int flags_start(
    const struct flag_set *set, int *argc, char **argv, char ***rest) MUST_USE;

#endif
