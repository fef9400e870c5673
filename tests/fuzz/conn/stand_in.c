/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in for TLS, for the process that issues certificates and for
 * the log; see world.h.
 *
 * The TLS of this world has no cryptography and all the habits that the real
 * one has towards its caller: a record that the socket did not take must come
 * again with the same bytes, a read may want to write, a FIN without
 * close_notify is broken, a handshake takes bytes and can fail.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "world.h"

#define RECORD_BYTES 16384

/* --- TLS ----------------------------------------------------------------- */

static const char *const names[10] = { "root", "ci", "ro", "ta", "tb", "obs",
	"nobody", "renew", "bad", "quiet" };

static struct sock *
of(const struct stream *s)
{
	struct sock *k = sock_of(s->fd);

	CHECK(k != NULL && k->open && k->tls);
	return k;
}

static enum io
tls_read(struct stream *s, void *to, size_t cap, size_t *n)
{
	struct sock *k = of(s);
	ssize_t got;

	k->twisted = k->twists > 0;
	if (k->twisted) {
		k->twists--;
		return IO_WANT_WRITE;
	}
	got = recv(s->fd, to, cap < RECORD_BYTES ? cap : RECORD_BYTES, 0);
	if (got > 0) {
		*n = (size_t)got;
		return IO_OK;
	}
	if (got == 0 || k->notify) {
		return k->notify ? IO_EOF : IO_FAIL;
	}
	return errno == EAGAIN ? IO_WANT_READ : IO_FAIL;
}

static enum io
tls_write(struct stream *s, const void *p, size_t len, size_t *n)
{
	struct sock *k = of(s);
	size_t take = len < RECORD_BYTES ? len : RECORD_BYTES;

	CHECK(len > 0 && !k->shut);
	if (k->record.len > 0) {
		take = k->record.len;
		CHECK(len >= take && memcmp(p, k->record.p, take) == 0);
	} else if (k->piece < take) {
		take = k->piece == 0 ? 1 : k->piece;
	}
	if (k->reset || k->closed) {
		return IO_FAIL;
	}
	if (k->window == 0) {
		if (k->record.len == 0) {
			tape_add(&k->record, p, take);
		}
		return IO_WANT_WRITE;
	}
	k->record.len = 0;
	if (k->window != SIZE_MAX) {
		k->window -= take < k->window ? take : k->window;
	}
	tape_add(&k->gate, p, take);
	*n = take;
	return IO_OK;
}

static enum io
tls_shut(struct stream *s)
{
	struct sock *k = of(s);

	CHECK(k->record.len == 0); /* or bytes would be lost */
	if (k->reset || k->closed) {
		return IO_FAIL;
	}
	return k->window == 0 ? IO_WANT_WRITE : IO_OK;
}

static void
tls_close(struct stream *s)
{
	(void)of(s);
	close(s->fd);
	free(s);
}

static const struct stream_ops tls_ops = {
	.read = tls_read,
	.write = tls_write,
	.shut = tls_shut,
	.close = tls_close,
};

bool
tls_is(const struct stream *s)
{
	return s->ops == &tls_ops;
}

enum err
tls_accept(struct tls_server *t, int fd, struct stream **out)
{
	struct stream *s = malloc(sizeof(*s));

	CHECK(t != NULL);
	if (s == NULL) {
		return ERR_NOMEM;
	}
	s->ops = &tls_ops;
	s->fd = fd;
	s->drains = false;
	*out = s;
	return ERR_OK;
}

enum io
tls_handshake(struct stream *s, struct diag *d)
{
	struct sock *k = of(s);
	char c = 0;
	ssize_t got;

	if (k->shake == SHAKE_DONE) {
		return IO_OK;
	}
	got = recv(s->fd, &c, 1, 0);
	if (got == -1 && errno == EAGAIN) {
		return IO_WANT_READ;
	}
	if (got == 1 && c == '?') {
		return sock_writable(k) ? IO_WANT_READ : IO_WANT_WRITE;
	}
	if (got == 1 && c != '-') {
		k->shake = SHAKE_DONE;
		return IO_OK;
	}
	k->shake = SHAKE_FAILED;
	diag_set(d, 0, 0, "refused");
	return IO_FAIL;
}

enum tls_failure
tls_failure(const struct stream *s)
{
	(void)of(s);
	return TLS_FAILED_LOST;
}

enum err
tls_principal(struct stream *s, struct arena *arena, struct principal *out,
    struct diag *d)
{
	const struct sock *k = of(s);

	(void)arena;
	CHECK(k->shake == SHAKE_DONE);
	if (k->who == 8) {
		diag_set(d, 0, 0, "a name that nobody can trust");
		return ERR_CERT;
	}
	out->kind = PRINCIPAL_CERT;
	out->cn = span_of(names[k->who]);
	return ERR_OK;
}

enum err
tls_peer_pem(struct stream *s, struct buf *out)
{
	(void)of(s);
	return buf_append_str(out, "PEM\n");
}

bool
tls_still_good(struct stream *s, struct tls_server *t, struct diag *d)
{
	CHECK(t != NULL);
	diag_set(d, 0, 0, "revoked");
	return !world.revoked[of(s)->who];
}

enum io
tls_judge_again(struct stream *s, struct tls_server *t, struct diag *d)
{
	return tls_still_good(s, t, d) ? IO_OK : IO_FAIL;
}

enum err
tls_settle(struct stream *s)
{
	(void)s;
	return ERR_OK;
}

const char *
tls_version_name(const struct stream *s)
{
	(void)of(s);
	return "TLSv1.3";
}

const char *
tls_cipher_name(const struct stream *s)
{
	(void)of(s);
	return "none";
}

/* --- the issuer ---------------------------------------------------------- */

struct issuer_job {
	loop_fn done;
	void *arg;
	struct issuer_reply reply;
	struct issuer_job *next;
};

static struct issuer_job *jobs;

enum err
issuer_start(struct issuer *is, struct loop *l, const struct issuer_ask *ask,
    loop_fn done, void *arg, struct issuer_job **out)
{
	struct issuer_job *j;

	(void)is;
	(void)l;
	CHECK(ask->csr.len > 0 && ask->certificate.len > 0);
	if (world.issuer != 0) {
		return world.issuer == 1 ? ERR_LIMIT : ERR_IO;
	}
	j = calloc(1, sizeof(*j));
	if (j == NULL) {
		return ERR_NOMEM;
	}
	j->done = done;
	j->arg = arg;
	j->next = jobs;
	jobs = j;
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
	struct issuer_job **at = &jobs;

	if (j == NULL) {
		return;
	}
	while (*at != j) {
		CHECK(*at != NULL);
		at = &(*at)->next;
	}
	*at = j->next;
	buf_fini(&j->reply.body);
	free(j);
}

void
issuer_answer(unsigned status)
{
	struct issuer_job *j = jobs;

	while (j != NULL && j->done == NULL) {
		j = j->next;
	}
	if (j == NULL) {
		return;
	}
	j->reply.status = status;
	(void)snprintf(j->reply.serial, sizeof(j->reply.serial), "%s",
	    status == 200 ? "0a" : "");
	buf_init(&j->reply.body, 1024);
	CHECK(
	    buf_append_str(&j->reply.body, "{\"message\":\"x\"}\n") == ERR_OK);
	world.in_gate = true;
	j->done(j->arg);
	world.in_gate = false;
	for (j = jobs; j != NULL; j = j->next) {
		j->done = j->reply.status != 0 ? NULL : j->done;
	}
}

/* --- the log ------------------------------------------------------------- */

void
log_error(const char *fmt, ...)
{
	/* No peer can cause one: conn_goto() has the one for illegal steps. */
	fprintf(stderr, "log_error: %s\n", fmt);
	abort();
}

void
log_warn(const char *fmt, ...)
{
	(void)fmt;
}

void
log_info(const char *fmt, ...)
{
	(void)fmt;
}

void
log_debug(const char *fmt, ...)
{
	(void)fmt;
}
