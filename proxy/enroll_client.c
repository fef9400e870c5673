/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking for a certificate; see enroll_client.h.
 *
 * Attackers on the way show another gate: tls_client.c finds out before the
 * token is sent.
 */
#include "enroll_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/secret.h"
#include "base/text.h"
#include "limit.h"
#include "names.h"
#include "store.h"
#include "tls_client.h"

#define ENROLL_TIMEOUT_S 30
/* About a second apart: while the gate says "busy"; while it shows us the door,
 * as it does to the ninth of an address. */
#define ENROLL_TRIES 20
#define ENROLL_KNOCKS 6

/* "HOST:PORT", "[ADDRESS]:PORT", or without a port. */
static bool
split_address(struct span s, struct where *w)
{
	struct span host;

	if (span_starts(s, "[")) {
		s = span_make(s.p + 1, s.len - 1);
		host = text_cut(&s, ']');
		if (s.len > 0 && s.p[0] != ':') {
			return false;
		}
		s = span_make(s.p + (s.len > 0), s.len - (s.len > 0));
	} else {
		host = text_cut(&s, ':');
	}
	if (host.len >= sizeof(w->host) || s.len >= sizeof(w->port)) {
		return false;
	}
	snprintf(w->host, sizeof(w->host), "%.*s", SPAN_ARG(host));
	if (s.len > 0) {
		snprintf(w->port, sizeof(w->port), "%.*s", SPAN_ARG(s));
	}
	return true;
}

/* https://HOST[:PORT], with tcp:// for who has DOCKER_HOST at hand. */
enum err
enroll_parse_url(
    const char *url, const char *port, struct where *w, struct diag *d)
{
	struct span rest = span_of(url);
	uint64_t number;
	struct host h;

	if (span_starts(rest, "https://")) {
		rest = span_of(url + 8);
	} else if (span_starts(rest, "tcp://")) {
		rest = span_of(url + 6);
	}
	snprintf(w->port, sizeof(w->port), "%s", port);
	if (strstr(rest.p, "://") != NULL ||
	    !split_address(text_cut(&rest, '/'), w) ||
	    text_parse_u64(span_of(w->port), 65535, &number) != ERR_OK ||
	    number == 0) {
		diag_set(d, 0, 0, "the gate must be https://HOST:PORT");
		return ERR_USAGE;
	}
	return host_parse(w->host, &h, d) == ERR_OK ? ERR_OK : ERR_USAGE;
}

static int
dial_one(const struct addrinfo *a)
{
	struct timeval limit = { ENROLL_TIMEOUT_S, 0 };
	int saved, fd;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
		return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static enum err
dial(const struct where *w, int *out, struct diag *d)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	const struct addrinfo *a;
	int why, fd = -1;

	why = getaddrinfo(w->host, w->port, &hints, &all);
	if (why != 0) {
		diag_set(d, 0, 0, "%s: %s", w->host, gai_strerror(why));
		return ERR_IO;
	}
	for (a = all; a != NULL && fd == -1; a = a->ai_next) {
		fd = dial_one(a);
	}
	freeaddrinfo(all);
	if (fd == -1) {
		diag_set(d, 0, 0, "%s port %s: %s", w->host, w->port,
		    strerror(errno));
		return ERR_IO;
	}
	*out = fd;
	return ERR_OK;
}

/* --- asking --------------------------------------------------------------- */

static enum err
write_body(const struct enroll_ask *e, struct buf *body)
{
	struct jsonw w;

	if (e->renew) {
		return buf_append(body, e->csr.p, e->csr.len);
	}
	jsonw_init(&w, body);
	jsonw_object(&w);
	jsonw_kv_str(&w, "token", e->token);
	if (e->name != NULL) {
		jsonw_kv_str(&w, "name", e->name);
	}
	jsonw_kv_span(&w, "csr", e->csr);
	jsonw_object_end(&w);
	return w.err;
}

static enum err
write_request(const struct enroll_ask *e, struct buf *out)
{
	struct buf body;
	enum err rc;

	buf_init(&body, LIMIT_ENROLL_BODY_BYTES);
	rc = write_body(e, &body);
	if (rc == ERR_OK) {
		rc = buf_printf(out,
		    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		    e->renew ? "/_dinv/renew" : "/enroll", e->at.host,
		    e->renew ? "application/pkcs10" : "application/json",
		    body.len);
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, buf_span(&body).p, body.len);
	}
	if (body.data != NULL) {
		secret_wipe(body.data, body.cap);
	}
	buf_fini(&body);
	return rc;
}

static enum err
in_out(const struct enroll_ask *e, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%s/%s", e->out, name);

	return n < 0 || (size_t)n >= size ? ERR_LIMIT : ERR_OK;
}

static enum err
open_stream(const struct enroll_ask *e, struct stream **out, bool *closed,
    struct diag *d)
{
	char ca[STORE_PATH_SIZE], cert[STORE_PATH_SIZE], key[STORE_PATH_SIZE];
	struct tls_client_options opt = { .host = e->at.host };
	enum err rc;
	int fd;

	if (in_out(e, "ca.pem", ca, sizeof(ca)) != ERR_OK ||
	    in_out(e, "cert.pem", cert, sizeof(cert)) != ERR_OK ||
	    in_out(e, "key.pem", key, sizeof(key)) != ERR_OK) {
		return ERR_LIMIT;
	}
	if (e->renew) {
		opt.ca_path = ca;
		opt.cert_path = cert;
		opt.key_path = key;
	} else {
		opt.pin = e->pin;
	}
	rc = dial(&e->at, &fd, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = tls_connect(&opt, fd, out, d);
	*closed = rc == ERR_IO;
	if (rc != ERR_OK) {
		close(fd);
	}
	return rc;
}

static enum err
ask_once(const struct enroll_ask *e, struct http_reply *reply, bool *closed,
    struct diag *d)
{
	struct stream *s = NULL;
	struct buf request;
	enum err rc;

	buf_init(&request, 2 * LIMIT_ENROLL_BODY_BYTES);
	rc = open_stream(e, &s, closed, d);
	if (rc == ERR_OK) {
		rc = write_request(e, &request);
	}
	if (rc == ERR_OK) {
		rc = http_exchange(
		    s, buf_span(&request), LIMIT_ISSUE_ANSWER_BYTES, reply);
		if (rc != ERR_OK) {
			diag_set(d, 0, 0,
			    "%s gave no whole answer (%s): is it the listener "
			    "of -%s?",
			    e->at.host, err_text(rc),
			    e->renew ? "listen" : "enroll");
		}
	}
	stream_close(s);
	if (request.data != NULL) {
		secret_wipe(request.data, request.cap);
	}
	buf_fini(&request);
	return rc;
}

/* Half a second to one and a half, so that those who came at the same time do
 * not come back at the same time. */
static void
wait_a_moment(void)
{
	struct timespec t = { 0, 0 };
	uint16_t random = 0;

	(void)!getrandom(&random, sizeof(random), 0);
	t.tv_nsec = 500000000L + random * 15000L;
	t.tv_sec = t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	(void)nanosleep(&t, NULL);
}

/* While it is only busy, again.  Where it has closed the connection it was
 * told nothing yet. */
enum err
enroll_ask(const struct enroll_ask *e, struct http_reply *reply, struct diag *d)
{
	unsigned tries;
	bool closed;
	enum err rc;

	for (tries = 1;; tries++) {
		closed = false;
		rc = ask_once(e, reply, &closed, d);
		if (!(closed && tries < ENROLL_KNOCKS) &&
		    !(rc == ERR_OK && reply->status == 503 &&
			tries < ENROLL_TRIES)) {
			return rc;
		}
		buf_fini(&reply->body);
		wait_a_moment();
	}
}
