/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CERTS_STORE_H
#define CERTS_STORE_H

/*
 * The certificate directory: six files under DinV's names, made where they
 * are missing and can be made, never replaced or removed.  docs/pki.md tells
 * the operator's side of it.
 */
#include <time.h>

#include "base/err.h"
#include "base/secret.h"

/* In the order in which they are made: each key before its certificate. */
enum store_file {
	STORE_CA_KEY = 0,  /* ca-key.pem */
	STORE_CA_CERT,	   /* ca.crt */
	STORE_SERVER_KEY,  /* docker.key */
	STORE_SERVER_CERT, /* docker.crt */
	STORE_CLIENT_KEY,  /* docker-client.key */
	STORE_CLIENT_CERT, /* docker-client.crt */
	STORE_N_FILES
};

enum store_mode {
	STORE_TLSVERIFY = 0, /* CA and server pair needed; client pair wanted */
	STORE_TLS,	     /* the server pair is needed, nothing else */
};

#define STORE_PATH_SIZE 1024 /* bytes of any path here, NUL included */
#define STORE_NOTES_MAX 12

enum store_note_kind { STORE_NOTE_WARN = 0, STORE_NOTE_INFO };

/* Something the operator should know; text is one printable line. */
struct store_note {
	enum store_note_kind kind;
	char text[224];
};

struct store_report {
	unsigned made;	  /* BIT(enum store_file) of what this call made */
	unsigned present; /* BIT(enum store_file) of what is there now */
	size_t n_notes;
	struct store_note note[STORE_NOTES_MAX];
};

struct store_request {
	const char *dir; /* made (0755) if only it is missing */
	enum store_mode mode;
	const char *const *hosts; /* names and addresses for a server */
	size_t n_hosts;		  /* certificate that has to be made */
	time_t now;
	/* Passphrases of docker.key and of ca-key.pem; NULL: none. */
	const struct secret *key_pass, *ca_pass;
};

/*
 * store_ensure() -- makes what is missing and can be made, checks the rest.
 *
 *   req     borrowed
 *   report  always written; also on failure it says what was made
 *   d       on failure: one line that names the file and says what to do
 *
 * When it returns ERR_OK, the mode's needed files are there, can be read,
 * and belong together.  A directory that is complete is only read, so it may
 * be mounted read-only.  Callers in other processes wait for each other.
 * After a crash at any point the next call completes the work.  Files that
 * have expired, that others can read and the like are notes, not failures.
 *
 * ERR_CERT_STORE  something is missing that must not be guessed
 * ERR_CERT_MISMATCH, ERR_CERT, ERR_KEY  a file that is there is unusable
 * ERR_CERT_NAME   a host cannot stand in a certificate
 * ERR_IO, ERR_NOMEM, ERR_LIMIT, ERR_RANDOM, ERR_EXISTS
 */
enum err store_ensure(const struct store_request *req,
    struct store_report *report, struct diag *d) MUST_USE;

/* What a TLS server loads; ca is for -tlsverify. */
struct store_paths {
	char ca[STORE_PATH_SIZE];
	char server_cert[STORE_PATH_SIZE];
	char server_key[STORE_PATH_SIZE];
};

/* Names only, touches no file; ERR_LIMIT when dir is too long. */
enum err store_paths(const char *dir, struct store_paths *p) MUST_USE;

/* "ca.crt" and so on; never NULL. */
const char *store_file_name(enum store_file f);

/* dir/name of one file; ERR_LIMIT when it does not fit. */
enum err store_path(
    const char *dir, enum store_file f, char *out, size_t size) MUST_USE;

#endif
