/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_LIMIT_H
#define PROXY_LIMIT_H

/*
 * Every size and time limit of the gate, with its unit and its reason.  The
 * ones in struct limits can be set in the configuration file ("limits"); the
 * values here are what they start with.
 */
#include <stdint.h>

/* A TLS handshake takes two round trips; 10 s is a very bad network. */
#define LIMIT_HANDSHAKE_MS 10000
/* From a request's first byte to the end of its head. */
#define LIMIT_HEAD_MS 20000
/* A body that policy must read whole: at most LIMIT_BODY_BYTES of it. */
#define LIMIT_BODY_MS 30000
/* Between requests.  dockerd itself never closes: so, long. */
#define LIMIT_IDLE_MS 3600000
/* dockerd's backlog is full or it is starting: how long to try. */
#define LIMIT_CONNECT_MS 10000
/* dockerd's answer when policy asks about an object. */
#define LIMIT_FACT_MS 30000
/* Writing an answer of our own. */
#define LIMIT_ANSWER_MS 20000
/* After the last byte was written: reading on, so that the client gets it
 * (RFC 9112 9.6), also when it is still sending a body. */
#define LIMIT_LINGER_MS 30000
/* The same, where nothing more is expected from the client. */
#define LIMIT_CLOSE_MS 5000
/* Graceful stop: for answers that are under way. */
#define LIMIT_STOP_MS 5000
/* How often a worker looks for peers that died silently. */
#define LIMIT_SWEEP_MS 10000
/* A worker that has not come by for so long never will: its loop takes no
 * step that waits, and a turn is a matter of milliseconds. */
#define LIMIT_STUCK_MS 30000
/* How often a full backlog is tried again. */
#define LIMIT_RETRY_MS 20

/* Request head: Go's own default is 1 MiB; docker sends under 2 KiB, plus
 * registry credentials of up to a few KiB. */
#define LIMIT_HEAD_BYTES 65536
/* Headers in one head. */
#define LIMIT_HEADERS 128
/* Request target: prune and list filters are the longest honest ones;
 * dockerode repeats a whole create body there. */
#define LIMIT_TARGET_BYTES 32768
/* A body that policy reads: what docker and compose send is a few KiB. */
#define LIMIT_BODY_BYTES (1u << 20)
/* All such bodies that are held at a time, of all clients. */
#define LIMIT_BODIES_BYTES (64u << 20)
/* Connection: what honest clients name there is one or two words.  Each
 * header is compared with each name, so many names cost their product. */
#define LIMIT_CONNECTION_VALUE_BYTES 256
/* What dockerd says of one object. */
#define LIMIT_FACT_BYTES (8u << 20)
/* Its answer to a create: an id, and warnings. */
#define LIMIT_TOLD_BYTES 8192
/* Trailer section. */
#define LIMIT_TRAILER_BYTES 8192
/* Memory of one request beside the body buffer: tree, new body, names. */
#define LIMIT_ARENA_BYTES (64u << 20)
/* One direction of one connection, each of two stages. */
#define LIMIT_LANE_BYTES 65536
/* What is read at a time: it goes out in four records of 16,383 bytes (all that
 * Mbed TLS puts into one of TLS 1.3), and in one lane, also where it has one
 * chunk more than it came in (8) and what put_chunk() leaves free (32).  A
 * fifth record, of a few bytes, would cost like a full one. */
#define LIMIT_LANE_FILL_BYTES (4 * 16383 - 8 - 32)

/* Audit records that wait for their sink: seconds of the busiest gate. */
#define LIMIT_AUDIT_QUEUE_BYTES (16u << 20)
#define LIMIT_AUDIT_QUEUE_RECORDS 32768
/* Path and object of the longest target (policy/request.c: 64 KiB), each
 * byte escaped to six; names in a certificate; 64 findings of an observed
 * request (policy/observe.c), each with a value of 256 bytes.  A record that
 * did not fit would be a request that nobody hears of. */
#define LIMIT_AUDIT_RECORD_BYTES (1u << 20)
/* What the writer hands on at a time, where no record is longer alone. */
#define LIMIT_AUDIT_BATCH_BYTES (128u << 10)
#define LIMIT_AUDIT_BATCH_RECORDS 1024u
/* For the answer of a store that is another process: then it fails. */
#define LIMIT_AUDIT_CALL_MS 2000
/* For the rest of a request that has begun to come to that process. */
#define LIMIT_AUDIT_REQUEST_MS 10000
/* How long the writer lets records gather: one write takes many. */
#define LIMIT_AUDIT_GATHER_MS 5
/* How soon a sink that failed is tried again. */
#define LIMIT_AUDIT_RETRY_MS 250
/* At the end, for a sink that does not take what is left. */
#define LIMIT_AUDIT_STOP_MS 3000
/* What the chain adds to a record: its number and a hash. */
#define LIMIT_AUDIT_LINK_BYTES 128
/* A checkpoint after so many records, or so long after the first of them. */
#define LIMIT_AUDIT_CHECKPOINT_RECORDS 1000
#define LIMIT_AUDIT_CHECKPOINT_S 60
/* How often the operator is told that it still fails. */
#define LIMIT_AUDIT_COMPLAIN_S 60

#define LIMIT_CONNECTIONS 4096
#define LIMIT_CONNECTIONS_PER_ADDRESS 1024
/* Of one client, wherever it comes from; as many again are told so, more
 * are closed. */
#define LIMIT_CONNECTIONS_PER_CLIENT 1024
/* How long one that is too many may take to ask, and be told. */
#define LIMIT_SURPLUS_MS 5000
/* An honest one is over within milliseconds, so the oldest makes room. */
#define LIMIT_HANDSHAKES 1024

/* Descriptors that are no connection's: listeners, loops, logs, files that are
 * read at a reload, the admin's and the enrolment's clients. */
#define LIMIT_DESCRIPTORS_SPARE 192

/* A peer that says nothing any more, not even that it is there, on a stream
 * that no other timer may cut: TCP keep-alive asks after half of that time,
 * then each eighth. */
#define LIMIT_DEAD_PEER_MS 120000
#define LIMIT_KEEPALIVE_COUNT 4
/* So many repetitions of bytes that nobody confirmed, or questions about a
 * full window that nobody answered. */
#define LIMIT_DEAD_PEER_TRIES 3

/* What is turned away is logged once in so long; the rest is counted. */
#define LIMIT_SHED_LOG_MS 1000

/* The admin listener: who watches is one or two, beside "dinv status". */
#define LIMIT_ADMIN_CONNECTIONS 32
#define LIMIT_ADMIN_HEAD_BYTES 8192
#define LIMIT_ADMIN_HEAD_MS 5000
/* What is said at a time: all metrics are under 300 KiB. */
#define LIMIT_ADMIN_BODY_BYTES (2u << 20)
#define LIMIT_ADMIN_WRITE_MS 5000
#define LIMIT_ADMIN_LINGER_MS 1000
/* dockerd's answer to a ping; a healthy one takes a millisecond. */
#define LIMIT_ADMIN_PROBE_MS 2000
/* For how long that answer is good. */
#define LIMIT_ADMIN_PROBE_FRESH_MS 250

/* The master answers within microseconds, or something is wrong. */
#define LIMIT_KEEPER_MS 10000
/* Issuing: a process each, which waits for the directory's lock. */
#define LIMIT_ISSUE_JOBS 4
#define LIMIT_ISSUE_MS 20000
/* A request for a key of RSA 16384 is 6 KiB in PEM, a certificate 4. */
#define LIMIT_ISSUE_ASK_BYTES (256u << 10)
/* The certificate, and all that ca.crt holds. */
#define LIMIT_ISSUE_ANSWER_BYTES (2u << 20)

/* The enrolment listener: a client comes once. */
#define LIMIT_ENROLL_CONNECTIONS 64
#define LIMIT_ENROLL_PER_ADDRESS 8
#define LIMIT_ENROLL_HEAD_BYTES 8192
#define LIMIT_ENROLL_BODY_BYTES 32768
#define LIMIT_ENROLL_READ_MS 10000
#define LIMIT_ENROLL_WRITE_MS 10000
#define LIMIT_ENROLL_LINGER_MS 2000
/* Who shows what is no token so often within so long waits. */
#define LIMIT_ENROLL_FAILURES 10
#define LIMIT_ENROLL_WINDOW_MS 60000

/* Reads from one end in one step; of TLS each is a record at most. */
#define LIMIT_STEP_READS 8
/* Steps one connection may take before others get their turn. */
#define LIMIT_PUMP_STEPS 64

struct limits {
	uint32_t handshake_ms;
	uint32_t head_ms;
	uint32_t body_ms;
	uint32_t fact_ms;
	uint32_t idle_ms;
	uint32_t stop_ms;
	uint32_t head_bytes;
	uint32_t target_bytes;
	uint32_t body_bytes;
	uint32_t bodies_bytes;
	uint32_t connections;
	uint32_t connections_per_address;
	uint32_t connections_per_client;
	uint32_t handshakes;
	uint32_t dead_peer_ms;
	uint32_t audit_queue_bytes;
	uint32_t audit_queue_records;
};

#define LIMITS_DEFAULT                                                         \
	{                                                                      \
		.handshake_ms = LIMIT_HANDSHAKE_MS, .head_ms = LIMIT_HEAD_MS,  \
		.body_ms = LIMIT_BODY_MS, .fact_ms = LIMIT_FACT_MS,            \
		.idle_ms = LIMIT_IDLE_MS, .stop_ms = LIMIT_STOP_MS,            \
		.head_bytes = LIMIT_HEAD_BYTES,                                \
		.target_bytes = LIMIT_TARGET_BYTES,                            \
		.body_bytes = LIMIT_BODY_BYTES,                                \
		.bodies_bytes = LIMIT_BODIES_BYTES,                            \
		.connections = LIMIT_CONNECTIONS,                              \
		.connections_per_address = LIMIT_CONNECTIONS_PER_ADDRESS,      \
		.connections_per_client = LIMIT_CONNECTIONS_PER_CLIENT,        \
		.handshakes = LIMIT_HANDSHAKES,                                \
		.dead_peer_ms = LIMIT_DEAD_PEER_MS,                            \
		.audit_queue_bytes = LIMIT_AUDIT_QUEUE_BYTES,                  \
		.audit_queue_records = LIMIT_AUDIT_QUEUE_RECORDS,              \
	}

#endif
