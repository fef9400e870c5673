/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_CONN_IMPL_H
#define PROXY_CONN_IMPL_H

/*
 * What the sources of a connection (conn*.c) share, and nobody else sees.
 *
 *	conn_start.c     accept, handshake, who it is
 *	conn.c           states, the pump, ends, closing
 *	conn_request.c   a head becomes a judged request, then goes upstream
 *	conn_daemon.c    the connection to dockerd; facts for policy
 *	conn_exchange.c  request body up, answer down
 *	conn_relay.c     after an upgrade: two raw lanes
 *	conn_answer.c    answers of the gate's own
 *	conn_renew.c     a client's next certificate
 *	conn_audit.c     what of it goes on record
 *	conn_count.c     what metrics count of all that
 */
#include "conn.h"
#include "http1.h"

enum conn_state {
	CS_CLOSED = 0,
	CS_HANDSHAKE, /* TLS */
	CS_IDLE,      /* between requests */
	CS_HEAD,      /* reading a request head */
	CS_COLLECT,   /* reading a body that policy must see whole */
	CS_CONNECT,   /* connecting to dockerd */
	CS_ISSUE,     /* another process makes a certificate */
	CS_FACT,      /* asking dockerd what policy wants to know */
	CS_EXCHANGE,  /* request body up, answer down */
	CS_RELAY,     /* two raw lanes */
	CS_ANSWER,    /* writing an answer of our own */
	CS_LINGER,    /* all written; reading on until the client closes */
	CS_N
};

enum step {
	STEP_AGAIN = 0, /* something moved, or the state changed */
	STEP_BLOCKED,	/* nothing to do until an event */
	STEP_CLOSED,	/* free it */
};

/* Names a request to dockerd and to its client, with the id that its records
 * have; ours alone, whatever client and dockerd say (docs/relay.md). */
#define REQUEST_ID "X-Request-Id"

/* One of the two peers of a connection. */
struct end {
	struct stream *s; /* NULL: not connected */
	struct loop_io *io;
	struct lanes *lanes;
	enum io rd; /* IO_OK: reading may succeed; else what it waits for */
	enum io wr;
	enum io late;	  /* IO_OK, or what the next read says */
	bool eof;	  /* its direction has ended */
	bool shut;	  /* we ended ours */
	bool gone;	  /* closed both ways: nothing we write arrives */
	bool starved;	  /* no memory to read into: what it sends is lost */
	metric *in, *out; /* bytes read and written */
};

/* One request; none exists between requests. */
struct request {
	struct arena arena;
	char id[40];
	int64_t start_ms;
	struct http_head head;
	struct canon_req canon;
	struct shared_policy *policy; /* the one it was judged by */
	const struct role *role;
	struct decision *decision;
	struct policy_why why;
	struct body body;	/* the client's */
	enum body_out body_out; /* what becomes of it */
	struct buf collected;	/* CS_COLLECT */
	size_t set_aside;	/* of gate.bodies, for it */
	bool collect;		/* policy reads the body */
	bool judged;		/* VERDICT_ALLOW was given */
	bool fresh_daemon;	/* the upstream connection is new */
	bool retried;
	bool audited;		  /* an end record is due */
	struct issuer_job *issue; /* CS_ISSUE */
	bool issued;		  /* it has answered */
	const char *serial;	  /* of what was issued; NULL: nothing */

	struct http_head answer;
	bool have_answer; /* its final head was read */
	struct body answer_body;
	enum body_out answer_out;
	size_t answer_scanned;
	bool asked;	 /* CS_FACT: the question was written */
	struct buf fact; /* CS_FACT: dockerd's words */
	struct buf told; /* of an answer that says what was made: its body */
	unsigned status; /* what the client was told */
	bool keep;	 /* the connection may live on */
	uint64_t client_bytes, daemon_bytes; /* of the relay */
	const char *ended;

	enum metrics_decision outcome;
	bool streams; /* it is counted as an open stream */
	unsigned role_slot;
	uint64_t policy_ns; /* spent in policy/ */
	uint64_t sent_ns;   /* when the head went upstream */
};

struct conn {
	struct worker *w;
	struct conn *next, *prev;
	struct conn *shaking_next, **shaking_at; /* NULL: it is not there */
	enum conn_state state;
	struct loop_timer *timer; /* the state's limit */
	struct loop_timer *yield; /* come back soon */
	struct end client, daemon;
	struct buf client_in, client_out, daemon_in, daemon_out;
	size_t scanned; /* of client_in, for the end of a head */
	struct principal who;
	struct arena who_arena;
	bool has_host;
	uint8_t host[16];
	bool has_client; /* it is counted by client */
	uint8_t client_key[16];
	bool surplus; /* one too many of its client */
	bool stopping;
	bool busy;	    /* something came since the last sweep */
	bool linger_long;   /* the client still owes a body */
	bool linger_raw;    /* TLS is broken or was never there: bytes alone */
	bool daemon_busy;   /* dockerd owes an answer on this connection */
	const char *reason; /* why it closed */
	uint64_t begun_ns;
	unsigned role_slot; /* where it is counted */
	struct request *req;
};

/* conn_start.c */
/* Its handshake is over, or it is. */
void conn_shaken(struct conn *c);
enum step step_handshake(struct conn *c);

/* conn.c */
void conn_pump(struct conn *c); /* may free c */
void conn_free(struct conn *c);
uint32_t conn_limit_ms(const struct conn *c, enum conn_state s);
void conn_on_client(void *arg, short what); /* the loop's */
void conn_on_yield(void *arg);
void conn_on_limit(void *arg);
void conn_goto(struct conn *c, enum conn_state next);
enum step conn_closed(struct conn *c, const char *reason);
/* Reads into b as far as it has room; true if something came or ended: not
 * both, so that what came is passed on before its end is acted upon. */
bool end_read(struct end *e, struct buf *b);
/* Writes from b; true if something went.  IO_FAIL shows in e->wr. */
bool end_write(struct end *e, struct buf *b);
/* May end_read() bring something? */
bool end_readable(const struct end *e);
const char *conn_tls_name(const struct conn *c);
const char *conn_cipher_name(const struct conn *c);
void conn_on_daemon(void *arg, short what); /* the loop's, for daemon.io */

/* conn_request.c */
enum step step_idle(struct conn *c);
enum step step_head(struct conn *c);
enum step step_collect(struct conn *c);
void request_free(struct conn *c);
/* Refused before there was a request: makes one, so that it is answered. */
enum step request_refuse_early(
    struct conn *c, unsigned status, const char *text);
/* Acts on a verdict: refuse, look at a fact, or forward. */
enum step request_verdict(struct conn *c, enum verdict v);
/* The judged request's head into daemon_out; ERR_LIMIT, ERR_NOMEM. */
enum err request_write_head(struct conn *c) MUST_USE;

/* Reads the whole body, then goes on as its operation says. */
enum step request_collect(struct conn *c);

/* conn_renew.c */
bool request_renews(const struct request *r);
enum step renew_begin(struct conn *c);
enum step renew_ask(struct conn *c); /* the body is there */
enum step step_issue(struct conn *c);

/* conn_audit.c; "allow" becomes "observe" where that is why */
void request_audit(struct conn *c, enum audit_kind kind, const char *decision);
/* Does dockerd's answer say what it has made? */
bool request_makes(const struct request *r);
/* It goes on now: the record of that, if one is due. */
void request_audit_allowed(struct conn *c);
/* false: it changes state and could not be recorded, and was answered so. */
bool request_may_be_recorded(struct conn *c);

/* conn_daemon.c */
enum step step_connect(struct conn *c);
enum step step_fact(struct conn *c);
void daemon_close(struct conn *c);
/* Between requests dockerd may only close: if it did, so do we. */
void daemon_refresh(struct conn *c);
/* dockerd has closed both ways (and not only its own direction). */
bool daemon_hung_up(const struct conn *c);
/* The next final answer head from daemon_in.  *got false: not yet there. */
enum err daemon_answer_head(
    struct conn *c, enum method to, bool *got, struct diag *d) MUST_USE;

/* conn_exchange.c */
enum step step_exchange(struct conn *c);
/* Ends the request: the next one, or the end of the connection. */
enum step exchange_finish(struct conn *c, const char *ended);

/* conn_relay.c */
enum step step_relay(struct conn *c);

/* conn_count.c */
void conn_count_begin(struct conn *c);
void conn_count_daemon(struct conn *c); /* after it was connected */
void conn_count_handshake(struct conn *c);
void conn_count_refused(struct conn *c, enum tls_failure why);
void conn_count_end(struct conn *c);
void request_count_verdict(struct conn *c, enum metrics_decision d);
void request_count_sent(struct conn *c);
void request_count_answered(struct conn *c);
void request_count_stream(struct conn *c); /* until its end */
void request_count_end(struct conn *c);

/* conn_answer.c */
enum step step_answer(struct conn *c);
enum step step_linger(struct conn *c);
/* Answers with dockerd's error form; text: printable or valid UTF-8. */
enum step answer_error(struct conn *c, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Answers with this JSON, and records the decision ("allow", "deny", ...). */
enum step answer_json(
    struct conn *c, unsigned status, const char *decision, struct span json);
/* Answers with what policy said against it, and records it. */
enum step answer_denied(struct conn *c);
/* "HTTP/1.1 100 Continue" to the client. */
void answer_continue(struct conn *c);

#endif
