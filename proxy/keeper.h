/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_KEEPER_H
#define PROXY_KEEPER_H

/*
 * What the process that faces the network may not do itself, and asks of its
 * master (master.h): a short list of deeds, each on things that the master
 * knows by its own configuration.
 *
 * The gate's side (keeper_ask.c) is one socket for the whole process; any
 * thread may ask, and waits for the answer.  A process without a master (unit
 * tests, other commands) does the deeds itself.
 */
#include <sys/types.h>

#include "addr.h"
#include "base/err.h"

#define KEEPER_TEXT_BYTES 4096 /* PATH_MAX */

enum keeper_deed {
	KEEPER_NOTHING = 0,
	KEEPER_OPEN,	/* text: a file's name; its descriptor */
	KEEPER_CONNECT, /* a connection to dockerd */
	KEEPER_LOOK,	/* what the certificate directory looks like */
	KEEPER_FOLLOW,	/* text: a path; where it leads */
	KEEPER_ISSUE,	/* fd: a question; the end of the answer's pipe */
	KEEPER_ENOUGH,	/* n: the process of such an answer is to end */
	KEEPER_KEEP,	/* fd, text, n: a listener, its address and number */
	KEEPER_TELL,	/* n: enum keeper_news, text */
	KEEPER_N
};

enum keeper_news {
	KEEPER_READY = 0, /* text: status line */
	KEEPER_RELOADING,
	KEEPER_STOPPING,
	KEEPER_ALIVE,
	KEEPER_RENEW, /* look at once whether a certificate is due */
	KEEPER_NEWS_N
};

/* What is asked and answered, without a descriptor that comes with it.  One
 * datagram each (SOCK_SEQPACKET), cut behind text. */
struct keeper_ask {
	uint32_t number; /* comes back with the answer */
	uint32_t deed;
	uint64_t n;
	char text[KEEPER_TEXT_BYTES]; /* ended by NUL */
};

struct keeper_answer {
	uint32_t number;
	uint32_t rc; /* enum err */
	int32_t why; /* errno, where rc is not ERR_OK */
	uint32_t with_fd;
	uint64_t n;
	char text[KEEPER_TEXT_BYTES];
};

/* --- the gate's side ----------------------------------------------------- */

/* From now on the master at the other end of fd does it.  Before threads
 * start.  -1: back to doing it oneself (tests). */
void keeper_use(int fd);

/*
 * A file of the gate's configuration, for reading; -1 with errno.  It is what
 * secret_read_file() opens files by, once keeper_use() was called.
 */
int keeper_open(const char *path);

/* A connection to dockerd, non-blocking; -1 with errno, EAGAIN: its backlog is
 * full. */
int keeper_connect(const struct addr *dockerd);

/* A number that changes with the files; see certs_watch.h. */
uint64_t keeper_look(const char *certs_dir);

/* As links_follow(). */
enum err keeper_follow(const char *path, char *out, size_t size) MUST_USE;

/*
 * Starts the process that issues (issuer.h); question: a descriptor with what
 * is asked.  *answer can be read to its end; *job: for keeper_enough(), which
 * ends it if it runs still.  ERR_LIMIT, ERR_IO with errno.
 */
enum err keeper_issue(const char *certs_dir, const char *ca_pass_file,
    int question, int *answer, uint64_t *job) MUST_USE;
void keeper_enough(uint64_t job);

/* The master keeps all that sockets.h has, for the next gate. */
enum err keeper_keep_sockets(void) MUST_USE;

/* text may be NULL.  Nothing comes back. */
void keeper_tell(enum keeper_news news, const char *text);

/* Has the master gone?  Then nothing more comes of asking. */
bool keeper_is_gone(void);

#endif
