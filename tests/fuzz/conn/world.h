/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_CONN_WORLD_H
#define TESTS_FUZZ_CONN_WORLD_H

/*
 * The world that fuzz_conn.c puts real connections (proxy/conn*.c) into: a
 * kernel with sockets in memory, a loop whose clock moves when the script
 * says so, TLS without cryptography, an audit log that is a list.  Nothing in
 * proxy/ knows: the linker puts these in the place of loop.c, tls*.c,
 * audit.c, issuer.c and log.c, and of a few system calls (ld --wrap).
 *
 *	kernel.c   sockets; memory that runs out
 *	loop.c     events and time
 *	stand_in.c TLS, issuer, log
 *	reader.c   what reached dockerd, read as dockerd would
 *	ledger.c   what became of each request; the audit log
 *	judge.c    what must hold between two events, and at the end
 */
#include "../fuzz.h"

#include "conn_impl.h"

#define WORLD_SOCKS 96
#define WORLD_REQUESTS 512
#define WORLD_FD 100000	    /* of the first socket */
#define WORLD_BYTES 400000u /* that all peers together may send */

/* Bytes without a ceiling, and without a failure that is not asked for. */
struct tape {
	uint8_t *p;
	size_t len, cap;
};

void tape_add(struct tape *t, const void *p, size_t n);
void tape_free(struct tape *t);
struct span tape_from(const struct tape *t, size_t from);

/* Which framing a body has, and how much of it was there. */
struct content {
	struct tape bytes; /* without framing */
	size_t taken;	   /* bytes with framing */
	bool whole, broken;
};

/* Reads a body in the plainest way. */
void content_read(struct content *out, struct span from, enum body_kind kind,
    uint64_t length);

struct question { /* to dockerd, as it has come */
	enum { READ_HEAD = 0, READ_BODY, READ_RAW } at;
	size_t begin; /* of the message in gate's tape */
	size_t head;  /* its head's length, once known */
	enum body_kind kind;
	uint64_t length;
	struct seen *seen; /* NULL: a question of the gate's own */
};

/* A socket, seen from the peer of the gate. */
struct sock {
	bool used, open;
	bool daemon, tls;
	struct conn *conn;
	/* what the peer has sent; the gate has read up to taken */
	struct tape peer;
	size_t taken;
	bool fin, reset, closed; /* the peer's doing */
	bool notify;		 /* TLS: a close_notify came before fin */
	/* what the gate has written */
	struct tape gate;
	bool shut;
	size_t window;	    /* how much more the peer takes */
	size_t piece;	    /* at most that much in one call */
	unsigned twists;    /* TLS: reads that want to write first */
	bool twisted;	    /* the last one did */
	struct tape record; /* TLS: cut by the window, must come again */
	enum { SHAKE_DONE = 0, SHAKE_WAITS, SHAKE_FAILED } shake;
	unsigned who; /* a digit of the script */

	struct question q;     /* dockerd's */
	size_t answers;	       /* of queued ones: taken */
	size_t n_requests;     /* that have come whole */
	size_t relay_from;     /* in peer, once raw */
	size_t relay_to;       /* in gate, once raw */
	struct sock *relay;    /* the other end, once raw */
	struct seen *relay_of; /* client: the request that went raw */
	bool relay_over;
};

/* One request that was made. */
struct seen {
	char id[40];
	struct sock *client;
	enum method method;
	unsigned decisions, ends, sent, answered;
	bool allowed, denied, by_gate;
	unsigned status;
	char ended[24];
	bool freed, whole, raw;
	/* up: where its body begins in client->peer, and how it is framed */
	bool has_up;
	size_t up_from;
	enum body_kind up_kind;
	uint64_t up_length;
	struct sock *to; /* dockerd's, last */
	size_t to_head, to_body;
	enum body_kind to_kind;
	uint64_t to_length;
	/* down: where the answer's body begins in to->peer */
	bool has_down;
	size_t down_from;
	enum body_kind down_kind;
	uint64_t down_length;
	size_t told_at; /* its head in client->gate */
};

enum world_daemon {
	DAEMON_UP = 0,
	DAEMON_REFUSES,
	DAEMON_BACKLOG,
	DAEMON_ABSENT,
};

struct world {
	struct worker w;
	struct gate gate;
	int64_t now_ms;
	size_t n_socks;
	struct sock *client;	/* that the script speaks for */
	enum world_daemon door; /* what connect() meets */
	size_t window, piece;	/* of dockerd's next socket */
	size_t sent;		/* bytes of all peers */
	bool backwards;		/* events in the other order */
	bool revoked[10];	/* by who */
	bool audit_full;
	unsigned issuer; /* 0: works */
	bool in_gate;	 /* code of the gate's is running */
	unsigned fail;	 /* the allocation that fails; 0: none */
	bool failed;	 /* one has */
	size_t n_seen;
	size_t n_answers, next_answer;
	/* Not cleared as a whole: each is when it is taken. */
	struct tape answers[64]; /* of dockerd, one for each request */
	struct sock sock[WORLD_SOCKS];
	struct seen seen[WORLD_REQUESTS];
};

extern struct world world;

/* kernel.c */
struct sock *sock_new(bool daemon);
struct sock *sock_of(int fd); /* NULL: not one of ours */
int sock_fd(const struct sock *s);
bool sock_readable(const struct sock *s);
bool sock_writable(const struct sock *s);
void sock_send(struct sock *s, const void *p, size_t n); /* as the peer */
/* The current one's connection to dockerd, or the newest that was. */
struct sock *daemon_of(const struct sock *client);

/* loop.c */
void loop_settle(void);	       /* until nothing happens any more */
void loop_pass(uint32_t ms);   /* time, and what it brings */
bool loop_has_timer(void *of); /* whose callbacks get this argument */
short loop_wants(const struct loop_io *io);

/* stand_in.c */
struct stream *tls_stand_in(struct sock *s);
void issuer_answer(unsigned status);
void issuer_forget(void);
struct conn *conn_newest(void);

/* reader.c */
void reader_look(struct sock *s); /* the gate has written */

/* ledger.c */
struct seen *seen_of(const char *id); /* NULL: none */
void ledger_check(const struct seen *r);

/* judge.c */
void judge_settled(void);
void judge_client(const struct sock *s); /* when it is closed */
void judge_end(void);

#endif
