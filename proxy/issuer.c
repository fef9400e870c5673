/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's side of issuing; see issuer.h.
 *
 * The question goes into a file without a name (memfd_create(2)) that becomes
 * the other process's standard input, so nothing here has to be written bit
 * by bit; the answer is read to its end from a pipe, by the loop.  It is JSON
 * both ways, read strictly on both sides: a bug in one must not become a gift
 * of the other's.
 *
 * Rejected: a process that waits all the time (it would hold a key between
 * two questions a week apart, and somebody would have to watch over it); a
 * thread (the key would be in our memory).
 *
 * Attackers who hold tokens or certificates ask often: so many processes at a
 * time, then "try again".  One that does not answer is killed; certs/ says
 * why that leaves the directory whole.
 */
#include "issuer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/secret.h"
#include "keeper.h"
#include "limit.h"
#include "log.h"
#include "policy/json.h"

struct issuer_job {
	struct issuer *is;
	struct loop_io *io;
	struct loop_timer *timer;
	int fd;	      /* its standard output */
	bool running; /* its process, for all we know */
	uint64_t job; /* its name */
	struct buf text;
	loop_fn done;
	void *arg;
	struct issuer_reply reply;
};

/* --- the question -------------------------------------------------------- */

enum err
issuer_write_ask(const struct issuer_ask *ask, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	if (ask->certificate.len > 0) {
		jsonw_kv_span(&w, "certificate", ask->certificate);
	} else {
		jsonw_kv_span(&w, "token", ask->token);
		jsonw_kv_span(&w, "name", ask->name);
	}
	jsonw_kv_span(&w, "csr", ask->csr);
	jsonw_object_end(&w);
	return w.err;
}

/* A descriptor from which the question can be read. */
static int
open_ask(const struct issuer_ask *ask)
{
	struct buf text;
	int fd = -1;

	buf_init(&text, LIMIT_ISSUE_ASK_BYTES);
	if (issuer_write_ask(ask, &text) == ERR_OK) {
		fd = memfd_create("ask", MFD_CLOEXEC);
	}
	if (fd != -1 &&
	    (write(fd, buf_span(&text).p, text.len) != (ssize_t)text.len ||
		lseek(fd, 0, SEEK_SET) == -1)) {
		close(fd);
		fd = -1;
	}
	if (text.data != NULL) {
		secret_wipe(text.data, text.cap);
	}
	buf_fini(&text);
	return fd;
}

/* --- the answer ---------------------------------------------------------- */

static void
fail(struct issuer_reply *r, const char *message)
{
	r->status = 503;
	snprintf(r->rule, sizeof(r->rule), "enroll-failed");
	snprintf(r->message, sizeof(r->message), "%s", message);
	r->name[0] = r->serial[0] = '\0';
}

/* A member that is a string and fits; false: it is not there, or does not. */
static bool
take(const struct json_node *o, const char *key, char *to, size_t size)
{
	const struct json_node *v = json_get(o, key);
	struct span s = json_text(v);

	if (v == NULL || json_type(v) != JSON_STRING || s.len >= size) {
		return false;
	}
	memcpy(to, s.p, s.len);
	to[s.len] = '\0';
	return true;
}

static bool
take_status(const struct json_node *o, unsigned *out)
{
	const struct json_node *v = json_get(o, "status");
	int64_t n;

	if (v == NULL || json_type(v) != JSON_NUMBER ||
	    json_int(v, &n) != ERR_OK || (n != 200 && (n < 400 || n > 599))) {
		return false;
	}
	*out = (unsigned)n;
	return true;
}

static bool
take_reply(const struct json_node *o, struct issuer_reply *r)
{
	return json_type(o) == JSON_OBJECT && take_status(o, &r->status) &&
	       take(o, "rule", r->rule, sizeof(r->rule)) &&
	       take(o, "message", r->message, sizeof(r->message)) &&
	       take(o, "name", r->name, sizeof(r->name)) &&
	       take(o, "serial", r->serial, sizeof(r->serial)) &&
	       (r->status != 200 ||
		   (r->name[0] != '\0' && r->serial[0] != '\0' &&
		       json_text(json_get(o, "certificate")).len > 0));
}

/* For who asked: the certificate, or dockerd's form of an error. */
static void
write_body(const struct json_node *o, struct issuer_reply *r)
{
	static const char *const keys[] = { "name", "serial", "not_after",
		"certificate", "ca" };
	char message[sizeof(r->message) + 8];
	struct jsonw w;
	size_t i;

	jsonw_init(&w, &r->body);
	jsonw_object(&w);
	for (i = 0; i < NELEM(keys) && r->status == 200; i++) {
		jsonw_kv_span(&w, keys[i], json_text(json_get(o, keys[i])));
	}
	if (r->status != 200) {
		snprintf(message, sizeof(message), "dinv: %s", r->message);
		jsonw_kv_str(&w, "message", message);
	}
	jsonw_object_end(&w);
	if (w.err != ERR_OK || buf_append(&r->body, "\n", 1) != ERR_OK) {
		buf_consume(&r->body, r->body.len);
		r->status = 503;
	}
}

void
issuer_read_reply(struct span text, struct issuer_reply *out)
{
	struct json_doc *doc = NULL;
	struct diag d;

	memset(out, 0, sizeof(*out));
	buf_init(&out->body, LIMIT_ISSUE_ANSWER_BYTES);
	if (json_parse(text, JSON_STRICT, &doc, &d) != ERR_OK ||
	    !take_reply(json_root(doc), out)) {
		fail(out, "no certificate can be issued now: the gate's log "
			  "says why");
	}
	write_body(doc == NULL ? NULL : json_root(doc), out);
	json_free(doc);
}

/* --- the process --------------------------------------------------------- */

/* It has said all, or never will. */
static void
end_process(struct issuer_job *j)
{
	if (j->running) {
		keeper_enough(j->job);
		j->running = false;
		atomic_fetch_sub(&j->is->jobs, 1);
	}
	loop_io_free(j->io);
	j->io = NULL;
	if (j->fd != -1) {
		close(j->fd);
		j->fd = -1;
	}
}

static void
finish(struct issuer_job *j)
{
	loop_timer_clear(j->timer);
	end_process(j);
	issuer_read_reply(buf_span(&j->text), &j->reply);
	if (j->reply.status == 503) {
		log_warn(
		    "a certificate could not be issued: %s", j->reply.message);
	}
	j->done(j->arg);
}

static void
on_output(void *arg, short what)
{
	struct issuer_job *j = arg;
	uint8_t *to = buf_reserve(&j->text, 1);
	ssize_t n = 0;

	(void)what;
	if (to != NULL) {
		n = read(j->fd, to, j->text.cap - j->text.off - j->text.len);
	}
	if (n == -1 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (n > 0) {
		buf_commit(&j->text, (size_t)n);
		return;
	}
	finish(j);
}

static void
on_limit(void *arg)
{
	struct issuer_job *j = arg;

	log_warn("issuing took too long, and was given up: is the "
		 "certificate directory locked by somebody?");
	buf_consume(&j->text, j->text.len);
	finish(j);
}

static enum err
start(struct issuer_job *j, int in)
{
	enum err rc = keeper_issue(
	    j->is->certs, j->is->ca_pass_file, in, &j->fd, &j->job);

	j->running = rc == ERR_OK;
	return rc;
}

/* Everything but the process, which comes last. */
static enum err
equip(struct issuer_job *j, struct loop *l, const struct issuer_ask *ask)
{
	enum err rc = ERR_IO;
	int in;

	j->timer = loop_timer_new(l, on_limit, j);
	if (j->timer == NULL) {
		return ERR_NOMEM;
	}
	in = open_ask(ask);
	if (in != -1) {
		rc = start(j, in);
		close(in);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	j->io = loop_io_new(l, j->fd, on_output, j);
	if (j->io == NULL) {
		return ERR_NOMEM;
	}
	loop_io_want(j->io, LOOP_READ);
	loop_timer_set(j->timer, LIMIT_ISSUE_MS);
	return ERR_OK;
}

enum err
issuer_start(struct issuer *is, struct loop *l, const struct issuer_ask *ask,
    loop_fn done, void *arg, struct issuer_job **out)
{
	struct issuer_job *j = calloc(1, sizeof(*j));
	enum err rc;

	if (j == NULL) {
		return ERR_NOMEM;
	}
	j->is = is;
	j->fd = -1;
	j->done = done;
	j->arg = arg;
	buf_init(&j->text, LIMIT_ISSUE_ANSWER_BYTES);
	if (atomic_fetch_add(&is->jobs, 1) >= LIMIT_ISSUE_JOBS) {
		rc = ERR_LIMIT;
	} else {
		rc = equip(j, l, ask);
	}
	if (rc != ERR_OK) {
		if (!j->running) {
			atomic_fetch_sub(&is->jobs, 1);
		}
		issuer_job_free(j);
		return rc;
	}
	*out = j;
	return ERR_OK;
}

const struct issuer_reply *
issuer_reply(const struct issuer_job *j)
{
	return &j->reply;
}

void
issuer_job_free(struct issuer_job *j)
{
	if (j == NULL) {
		return;
	}
	end_process(j);
	loop_timer_free(j->timer);
	buf_fini(&j->text);
	buf_fini(&j->reply.body);
	free(j);
}
