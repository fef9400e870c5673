/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert sign: what a gate starts when somebody comes with a token or with
 * a certificate (issuer.c): one question on standard input, one answer on
 * standard output, both JSON.
 *
 * This is the process that reads the CA's key; it knows no network, and ends
 * after one answer.  It trusts the gate with nothing: the token has to be in
 * the table, the request signed by the right key, and both are looked at here.
 *
 * Attackers who took the gate over may say anything on standard input.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "cmd_cert.h"
#include "enroll.h"
#include "flags.h"
#include "limit.h"
#include "policy/json.h"

/* as of HTTP, for who asked: see enroll.h for the outcomes */
static const unsigned statuses[] = {
	[ENROLL_FAILED] = 503,
	[ENROLL_DONE] = 200,
	[ENROLL_UNKNOWN] = 403,
	[ENROLL_USED] = 403,
	[ENROLL_EXPIRED] = 403,
	[ENROLL_REVOKED] = 403,
	[ENROLL_NAME] = 403,
	[ENROLL_TAKEN] = 409,
	[ENROLL_REQUEST] = 400,
	[ENROLL_SOON] = 429,
};

static bool
read_all(struct buf *in)
{
	uint8_t *to;
	ssize_t n;

	while ((to = buf_reserve(in, 1)) != NULL) {
		n = read(STDIN_FILENO, to, in->cap - in->off - in->len);
		if (n == 0) {
			return true;
		}
		if (n > 0) {
			buf_commit(in, (size_t)n);
		} else if (errno != EINTR) {
			return false;
		}
	}
	return false;
}

static bool
print(const struct buf *out)
{
	struct span s = buf_span(out);

	return fwrite(s.p, 1, s.len, stdout) == s.len && fflush(stdout) == 0;
}

static bool
answer(const struct enroll_answer *a, bool renews)
{
	char date[32] = "";
	struct tm tm;
	struct jsonw w;
	struct buf out;
	bool ok;

	if (a->outcome == ENROLL_DONE && gmtime_r(&a->expires, &tm) != NULL) {
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	buf_init(&out, LIMIT_ISSUE_ANSWER_BYTES);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_kv_u64(&w, "status", statuses[a->outcome]);
	jsonw_kv_str(&w, "rule", enroll_rule(a->outcome, renews));
	jsonw_kv_str(&w, "message", a->why);
	jsonw_kv_str(&w, "name", a->name);
	jsonw_kv_str(&w, "serial", a->serial);
	jsonw_kv_str(&w, "not_after", date);
	jsonw_kv_span(&w, "certificate", buf_span(&a->cert));
	jsonw_kv_span(&w, "ca", buf_span(&a->ca));
	jsonw_object_end(&w);
	ok = w.err == ERR_OK && print(&out);
	buf_fini(&out);
	return ok;
}

/* What the gate says, into req. */
static enum err
take(const struct json_node *o, struct enroll_request *req, struct diag *d)
{
	req->token = json_text(json_get(o, "token"));
	req->name = json_text(json_get(o, "name"));
	req->certificate = json_text(json_get(o, "certificate"));
	req->csr = json_text(json_get(o, "csr"));
	if (json_type(o) != JSON_OBJECT ||
	    (req->token.len > 0) == (req->certificate.len > 0)) {
		diag_set(d, 0, 0,
		    "sign reads a question of the gate's on standard input; "
		    "dinv cert issue makes a certificate");
		return ERR_USAGE;
	}
	return ERR_OK;
}

static enum err
sign(struct enroll_request *req, struct span text, struct diag *d)
{
	struct enroll_answer a;
	struct json_doc *doc = NULL;
	enum err rc = json_parse(text, JSON_STRICT, &doc, d);

	if (rc == ERR_OK) {
		rc = take(json_root(doc), req, d);
	}
	if (rc == ERR_OK) {
		if (req->token.len > 0) {
			enroll_token(req, &a);
		} else {
			enroll_renew(req, &a);
		}
		if (!answer(&a, req->token.len == 0)) {
			diag_set(d, 0, 0, "the answer cannot be written");
			rc = ERR_IO;
		}
		enroll_fini(&a);
	}
	json_free(doc);
	return rc;
}

static int
run(struct enroll_request *req, const char *pass_file)
{
	struct secret pass = { NULL, 0 };
	struct diag d = { 0, 0, "" };
	struct buf in;
	enum err rc;

	buf_init(&in, LIMIT_ISSUE_ASK_BYTES);
	rc = cert_load_pass(pass_file, &pass, &req->key_pass, &d);
	if (rc == ERR_OK && !read_all(&in)) {
		rc = ERR_IO;
	}
	if (rc == ERR_OK) {
		rc = sign(req, buf_span(&in), &d);
	}
	if (in.data != NULL) {
		secret_wipe(in.data, in.cap);
	}
	buf_fini(&in);
	secret_fini(&pass);
	return rc == ERR_OK ? 0 : cert_fail(&d, rc);
}

int
cert_sign(int argc, char **argv)
{
	struct enroll_request req = { .dir = CERTS_DEFAULT };
	const char *pass = NULL;
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &req.dir, "DIR",
		    "the certificate directory, with ca-key.pem" },
		CERT_PASS_FLAG(&pass),
	};
	const struct flag_set set = {
		.usage = "dinv cert sign [flags] < QUESTION",
		.about = "What a gate starts for those who come with a token: "
			 "not for people.",
		.flag = flags,
		.n = NELEM(flags),
	};
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	req.now = time(NULL);
	return run(&req, pass);
}
