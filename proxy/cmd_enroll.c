/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv enroll: the client's side of enrolment and of renewal; docs/pki.md is
 * the manual.
 *
 * The key is made here and never leaves.  It is written before anything is
 * asked for, because a token works once: a disk that is full has to show
 * before.  What comes back is looked at (our key, the CA that the token
 * names) before it is called a certificate.
 *
 * Attackers answer in the gate's place (enroll_client.h), or read the key: it
 * is 0600 in a directory that is 0700.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "admin_client.h"
#include "base/secret.h"
#include "base/text.h"
#include "cert.h"
#include "cmd.h"
#include "cmd_cert.h"
#include "csr.h"
#include "enroll_client.h"
#include "file.h"
#include "flags.h"
#include "limit.h"
#include "policy/json.h"
#include "store.h"
#include "token.h"

#define ENROLL_PORT "2378"
#define GATE_PORT "2376"

struct enrolment {
	struct enroll_ask ask;
	const char *out;
	const char *gate; /* for the lines to paste; or NULL */
	bool due;
	struct token_parts parts;
	char line[TOKEN_TEXT_SIZE + 2]; /* the token, and what ended it */
	struct rng *rng;
	struct key *key;
	int dir_fd;
};

/* --- the answer ----------------------------------------------------------- */

struct answer {
	struct cert *cert, *ca;
	struct buf cert_pem, ca_pem;
};

static void
answer_fini(struct answer *a)
{
	cert_free(a->cert);
	cert_free(a->ca);
	buf_fini(&a->cert_pem);
	buf_fini(&a->ca_pem);
}

static enum err
parse_pem(struct span pem, const char *name, struct cert **out, struct diag *d)
{
	struct buf text;
	enum err rc;

	buf_init(&text, pem.len + 1);
	rc = buf_append(&text, pem.p, pem.len);
	if (rc == ERR_OK) {
		rc = buf_append(&text, "", 1); /* Mbed TLS counts the NUL */
	}
	if (rc == ERR_OK) {
		rc = cert_parse(buf_span(&text).p, text.len, name, out, d);
	}
	buf_fini(&text);
	return rc;
}

/* Is the CA that the token knows among those that came? */
static bool
has_pinned(const struct cert *ca, const char *pin)
{
	char got[CERT_PIN_SIZE];

	for (; ca != NULL; ca = cert_next(ca)) {
		if (cert_pin(ca, got) == ERR_OK && strcmp(got, pin) == 0) {
			return true;
		}
	}
	return false;
}

static enum err
take_answer(const struct enrolment *e, const struct json_node *o,
    struct answer *a, struct diag *d)
{
	enum err rc;

	rc = parse_pem(json_text(json_get(o, "certificate")),
	    "the certificate that came", &a->cert, d);
	if (rc == ERR_OK) {
		rc = parse_pem(json_text(json_get(o, "ca")), "the CA that came",
		    &a->ca, d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	if (!cert_has_key(a->cert, e->key) || !cert_is_under(a->cert, a->ca)) {
		diag_set(d, 0, 0,
		    "what came is not a certificate for our key by that CA");
		return ERR_CERT;
	}
	if (!e->ask.renew && !has_pinned(a->ca, e->parts.pin)) {
		fprintf(stderr,
		    "dinv: note: the gate shows a certificate of a CA of its "
		    "own, which is not the one\nthat signs clients\n");
	}
	/* What was parsed, and nothing that stood beside it. */
	rc = cert_to_pem(a->cert, &a->cert_pem);
	return rc == ERR_OK ? cert_to_pem(a->ca, &a->ca_pem) : rc;
}

static enum err
say_refused(
    const struct http_reply *reply, const struct json_node *o, struct diag *d)
{
	struct span m = json_text(json_get(o, "message"));
	char text[280];

	if (span_starts(m, "dinv: ")) {
		m = span_make(m.p + 6, m.len - 6);
	}
	admin_printable(m, text, sizeof(text));
	diag_set(d, 0, 0, "refused (%u): %s", reply->status,
	    text[0] == '\0' ? "no reason was given" : text);
	return ERR_CERT;
}

static enum err
read_answer(const struct enrolment *e, const struct http_reply *reply,
    struct answer *a, struct diag *d)
{
	struct json_doc *doc = NULL;
	struct diag why;
	enum err rc;

	buf_init(&a->cert_pem, LIMIT_ISSUE_ANSWER_BYTES);
	buf_init(&a->ca_pem, LIMIT_ISSUE_ANSWER_BYTES);
	if (json_parse(buf_span(&reply->body), JSON_STRICT, &doc, &why) !=
		ERR_OK ||
	    json_type(json_root(doc)) != JSON_OBJECT) {
		diag_set(d, 0, 0, "the answer (%u) is not one of a gate's",
		    reply->status);
		rc = ERR_HTTP_SYNTAX;
	} else if (reply->status != 200) {
		rc = say_refused(reply, json_root(doc), d);
	} else {
		rc = take_answer(e, json_root(doc), a, d);
	}
	json_free(doc);
	return rc;
}

/* --- files ---------------------------------------------------------------- */

static enum err
say_file(enum err rc, const char *name, const char *what, struct diag *d)
{
	diag_set(d, 0, 0, "%s cannot be %s: %s", name, what,
	    rc == ERR_EXISTS ? "it is there already; take another -out"
	    : rc == ERR_IO   ? strerror(errno)
			     : err_text(rc));
	return rc;
}

static enum err
check_free(const struct enrolment *e, struct diag *d)
{
	static const char *const names[] = { "ca.pem", "cert.pem", "key.pem" };
	size_t i;
	bool is;

	for (i = 0; i < NELEM(names); i++) {
		if (file_exists(e->dir_fd, names[i], &is) == ERR_OK && is) {
			return say_file(ERR_EXISTS, names[i], "written", d);
		}
	}
	return ERR_OK;
}

static enum err
make_key(struct enrolment *e, struct diag *d)
{
	struct secret pem = { NULL, 0 };
	enum err rc = key_new(e->rng, &e->key);

	if (rc == ERR_OK) {
		rc = key_to_pem(e->key, &pem);
	}
	if (rc == ERR_OK) {
		rc = file_create(
		    e->dir_fd, "key.pem", 0600, span_make(pem.data, pem.len));
		if (rc != ERR_OK) {
			rc = say_file(rc, "key.pem", "written", d);
		}
	}
	secret_fini(&pem);
	return rc;
}

static enum err
put_files(const struct enrolment *e, const struct answer *a, struct diag *d)
{
	enum err (*put)(int, const char *, mode_t, struct span) =
	    e->ask.renew ? file_replace : file_create;
	enum err rc;

	rc = put(e->dir_fd, "ca.pem", 0644, buf_span(&a->ca_pem));
	if (rc != ERR_OK) {
		return say_file(rc, "ca.pem", "written", d);
	}
	rc = put(e->dir_fd, "cert.pem", 0644, buf_span(&a->cert_pem));
	return rc == ERR_OK ? rc : say_file(rc, "cert.pem", "written", d);
}

/* --- the two ways --------------------------------------------------------- */

static enum err
exchange(struct enrolment *e, struct answer *a, struct diag *d)
{
	struct http_reply reply = { .status = 0 };
	struct buf csr;
	enum err rc;

	buf_init(&csr, CSR_BYTES_MAX);
	buf_init(&reply.body, 0);
	rc = csr_write(e->key, e->rng, &csr);
	e->ask.csr = buf_span(&csr);
	e->ask.pin = e->parts.pin;
	e->ask.out = e->out;
	if (rc == ERR_OK) {
		rc = enroll_ask(&e->ask, &reply, d);
	}
	if (rc == ERR_OK) {
		rc = read_answer(e, &reply, a, d);
	}
	buf_fini(&reply.body);
	buf_fini(&csr);
	return rc;
}

static enum err
enroll(struct enrolment *e, struct answer *a, struct diag *d)
{
	bool made, has_key = false;
	enum err rc;

	rc = dir_open(e->out, 0700, &e->dir_fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = check_free(e, d);
	if (rc == ERR_OK) {
		rc = make_key(e, d);
		has_key = rc == ERR_OK;
	}
	if (rc == ERR_OK) {
		rc = exchange(e, a, d);
	}
	if (rc == ERR_OK) {
		return put_files(e, a, d); /* the key is of use from here on */
	}
	if (has_key) {
		(void)unlinkat(e->dir_fd, "key.pem", 0);
	}
	if (made) {
		(void)rmdir(e->out);
	}
	return rc;
}

/* Is a third of its life left, or more? */
static bool
has_time(const struct cert *c)
{
	time_t from, to;

	cert_validity(c, &from, &to);
	return to - time(NULL) > (to - from) / 3;
}

/* dir/name of one of the three files. */
static enum err
in_out(const struct enrolment *e, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", e->out, name);

	return n < 0 || (size_t)n >= size ? ERR_LIMIT : ERR_OK;
}

static enum err
renew(struct enrolment *e, struct answer *a, bool *done, struct diag *d)
{
	char cert[STORE_PATH_SIZE], key[STORE_PATH_SIZE];
	struct cert *old = NULL;
	bool made;
	enum err rc;

	if (in_out(e, "cert.pem", cert, sizeof(cert)) != ERR_OK ||
	    in_out(e, "key.pem", key, sizeof(key)) != ERR_OK) {
		return ERR_LIMIT;
	}
	rc = cert_load(cert, "cert.pem", &old, d);
	if (rc == ERR_OK) {
		rc = key_load(key, "key.pem", e->rng, &e->key, d);
	}
	if (rc == ERR_OK && e->due && has_time(old)) {
		*done = false;
		cert_free(old);
		return ERR_OK;
	}
	cert_free(old);
	if (rc == ERR_OK) {
		rc = dir_open(e->out, 0700, &e->dir_fd, &made, d);
	}
	if (rc == ERR_OK) {
		rc = exchange(e, a, d);
	}
	return rc == ERR_OK ? put_files(e, a, d) : rc;
}

static void
say_done(const struct enrolment *e, const struct answer *a)
{
	char gate[300], date[32] = "?";
	const struct cert_tar t = { .dir = e->out };
	struct diag d;
	time_t from, to;
	struct tm tm;

	cert_validity(a->cert, &from, &to);
	if (gmtime_r(&to, &tm) != NULL) {
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%SZ", &tm);
	}
	if (e->ask.renew) {
		printf("renewed, valid until %s\n", date);
		return;
	}
	fprintf(stderr,
	    "dinv: made ca.pem, cert.pem and key.pem, valid until %s; paste:\n",
	    date);
	if (e->gate == NULL ||
	    cert_gate_address(e->gate, "", gate, sizeof(gate), &d) != ERR_OK) {
		snprintf(gate, sizeof(gate),
		    strchr(e->ask.at.host, ':') != NULL ? "[%s]:" GATE_PORT
							: "%s:" GATE_PORT,
		    e->ask.at.host);
	}
	cert_print_use(&t, gate);
}

/* --- the command ---------------------------------------------------------- */

/* A command line is there for everybody on the machine to read: what is left
 * of it there does not outlive the start. */
static enum err
take_token(struct enrolment *e, char *arg, struct diag *d)
{
	size_t len = strlen(arg);

	if (strcmp(arg, "-") == 0) {
		(void)!fgets(e->line, sizeof(e->line), stdin);
		e->line[strcspn(e->line, "\r\n")] = '\0';
	} else if (len < sizeof(e->line)) {
		memcpy(e->line, arg, len + 1);
		secret_wipe(arg, len);
	}
	if (!token_split(span_of(e->line), &e->parts)) {
		diag_set(d, 0, 0,
		    "that is not a token: dinv cert token makes them "
		    "(dinv1-...)");
		return ERR_USAGE;
	}
	e->ask.token = e->line;
	return ERR_OK;
}

static enum err
settle(struct enrolment *e, int argc, char **argv, struct diag *d)
{
	const char *url = argc > 1 ? argv[1] : getenv("DOCKER_HOST");

	if (e->ask.renew && e->out == NULL) {
		e->out = getenv("DOCKER_CERT_PATH");
	}
	if (e->ask.renew && (argc > 2 || url == NULL || e->out == NULL)) {
		diag_set(d, 0, 0,
		    "-renew needs the gate and the directory of the three "
		    "files: dinv enroll -renew https://HOST:2376 -out DIR, or "
		    "DOCKER_HOST and DOCKER_CERT_PATH");
		return ERR_USAGE;
	}
	if (!e->ask.renew && argc != 3) {
		diag_set(d, 0, 0,
		    "enroll needs the gate and the token: dinv enroll "
		    "https://HOST:2378 TOKEN");
		return ERR_USAGE;
	}
	if (!e->ask.renew && take_token(e, argv[2], d) != ERR_OK) {
		return ERR_USAGE;
	}
	if (enroll_parse_url(url, e->ask.renew ? GATE_PORT : ENROLL_PORT,
		&e->ask.at, d) != ERR_OK) {
		return ERR_USAGE;
	}
	if (e->out == NULL) {
		e->out = e->ask.at.host;
	}
	return ERR_OK;
}

static int
run(struct enrolment *e)
{
	struct answer a = { .cert = NULL };
	struct diag d = { 0, 0, "" };
	bool done = true;
	enum err rc = rng_new(&e->rng);

	if (rc == ERR_OK) {
		rc = e->ask.renew ? renew(e, &a, &done, &d) : enroll(e, &a, &d);
	}
	if (rc == ERR_OK && done) {
		say_done(e, &a);
	}
	answer_fini(&a);
	key_free(e->key);
	rng_free(e->rng);
	if (e->dir_fd != -1) {
		close(e->dir_fd);
	}
	secret_wipe(&e->parts, sizeof(e->parts));
	secret_wipe(e->line, sizeof(e->line));
	return rc == ERR_OK ? 0 : cert_fail(&d, rc);
}

int
cmd_enroll(int argc, char **argv)
{
	struct enrolment e = { .dir_fd = -1 };
	const struct flag flags[] = {
		{ "out", FLAG_STRING, &e.out, "DIR",
		    "where the three files go (default ./HOST; with -renew\n"
		    "where they are, default DOCKER_CERT_PATH)" },
		{ "name", FLAG_STRING, &e.ask.name, "NAME",
		    "who to be, where the token leaves a part of it open" },
		{ "gate", FLAG_STRING, &e.gate, "HOST[:PORT]",
		    "the gate, for the lines to paste (default HOST:2376)" },
		{ "renew", FLAG_BOOL, &e.ask.renew, "",
		    "the next certificate for one that is good still, where\n"
		    "the policy allows CertificateRenew" },
		{ "due", FLAG_BOOL, &e.due, "",
		    "with -renew: only if less than a third of its time is "
		    "left" },
	};
	const struct flag_set set = {
		.usage =
		    "dinv enroll [flags] https://HOST:2378 TOKEN|-\n"
		    "       dinv enroll -renew [flags] [https://HOST:2376]",
		.about = "Makes a key here, and fetches a certificate for it "
			 "from a gate: ca.pem,\ncert.pem and key.pem, ready "
			 "for DOCKER_CERT_PATH.  With - the token is read from "
			 "standard input.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 2,
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (settle(&e, argc, argv, &d) != ERR_OK) {
		return cert_fail(&d, ERR_USAGE);
	}
	return run(&e);
}
