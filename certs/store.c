/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate directory; see store.h.
 *
 * plan.c says what to make; this does it, under a lock, one file at a time
 * in the order of enum store_file: CA before what it signs, each key before
 * its certificate, every file on the disk before the next.  Whatever the
 * moment of a crash, the files that are there are the beginning of that
 * order, and the plan for a beginning is the rest of it.  No journal is
 * needed.
 *
 * A complete directory is never written to, not even its lock: it may be
 * mounted read-only.  So the first look is taken without the lock and
 * believed only if it says "complete"; certificates are looked for before
 * keys, so that a pair which appears meanwhile is not taken for half a one.
 *
 * The client pair is a convenience: whatever goes wrong with it is a note.
 *
 * Attackers: none should have access; the lock and the refusal to replace
 * guard against a second start, a restored backup, and us.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "file.h"
#include "issue.h"
#include "ledger.h"
#include "plan.h"
#include "store_check.h"

#define CLIENT_NAME "docker-client" /* DinV's */

/* name, and the mode it is made with, by enum store_file */
static const struct {
	const char *name;
	mode_t mode;
} files[STORE_N_FILES] = {
	[STORE_CA_KEY] = { "ca-key.pem", 0600 },
	[STORE_CA_CERT] = { "ca.crt", 0644 },
	[STORE_SERVER_KEY] = { "docker.key", 0600 },
	[STORE_SERVER_CERT] = { "docker.crt", 0644 },
	[STORE_CLIENT_KEY] = { "docker-client.key", 0600 },
	[STORE_CLIENT_CERT] = { "docker-client.crt", 0644 },
};

struct pair {
	struct key *key;
	struct cert *cert;
};

/* One call of store_ensure(). */
struct job {
	const struct store_request *req;
	struct store_report *report;
	struct diag *d;
	int dir_fd;
	struct rng *rng;
	struct pair ca; /* key NULL where it is not there */
};

const char *
store_file_name(enum store_file f)
{
	return f < STORE_N_FILES ? files[f].name : "?";
}

enum err
store_path(const char *dir, enum store_file f, char *out, size_t size)
{
	int n = snprintf(out, size, "%s/%s", dir, store_file_name(f));

	return n < 0 || (size_t)n >= size ? ERR_LIMIT : ERR_OK;
}

enum err
store_paths(const char *dir, struct store_paths *p)
{
	if (store_path(dir, STORE_CA_CERT, p->ca, sizeof(p->ca)) != ERR_OK ||
	    store_path(dir, STORE_SERVER_CERT, p->server_cert,
		sizeof(p->server_cert)) != ERR_OK ||
	    store_path(dir, STORE_SERVER_KEY, p->server_key,
		sizeof(p->server_key)) != ERR_OK) {
		return ERR_LIMIT;
	}
	return ERR_OK;
}

static bool
has(const struct job *j, enum store_file f)
{
	return (j->report->present & BIT(f)) != 0;
}

/* Certificates before keys: see above. */
static enum err
look(struct job *j)
{
	unsigned found = 0;
	enum err rc;
	bool is;
	int f;

	for (f = STORE_N_FILES - 1; f >= 0; f--) {
		rc = file_exists(j->dir_fd, files[f].name, &is);
		if (rc != ERR_OK) {
			diag_set(j->d, 0, 0, "%s: %s", files[f].name,
			    strerror(errno));
			return rc;
		}
		found |= is ? BIT(f) : 0;
	}
	j->report->present = found;
	return ERR_OK;
}

static enum err
read_key(struct job *j, enum store_file f, struct key **out)
{
	char path[STORE_PATH_SIZE];
	enum err rc = store_path(j->req->dir, f, path, sizeof(path));
	const struct secret *pass = f == STORE_CA_KEY	    ? j->req->ca_pass
				    : f == STORE_SERVER_KEY ? j->req->key_pass
							    : NULL;

	return rc != ERR_OK ? rc
			    : key_load_with(
				  path, files[f].name, pass, j->rng, out, j->d);
}

static enum err
read_cert(struct job *j, enum store_file f, struct cert **out)
{
	char path[STORE_PATH_SIZE];
	enum err rc = store_path(j->req->dir, f, path, sizeof(path));

	return rc != ERR_OK ? rc : cert_load(path, files[f].name, out, j->d);
}

static enum err
write_file(struct job *j, enum store_file f, struct span bytes)
{
	enum err rc;

	rc = file_create(j->dir_fd, files[f].name, files[f].mode, bytes);
	if (rc != ERR_OK) {
		diag_set(j->d, 0, 0, "%s cannot be written: %s", files[f].name,
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
		return rc;
	}
	j->report->made |= BIT(f);
	j->report->present |= BIT(f);
	return ERR_OK;
}

static void
pair_fini(struct pair *p)
{
	cert_free(p->cert);
	key_free(p->key);
	p->cert = NULL;
	p->key = NULL;
}

static enum err
write_key(struct job *j, enum store_file f, const struct key *k)
{
	struct secret pem = { NULL, 0 };
	enum err rc;

	rc = key_to_pem(k, &pem);
	if (rc == ERR_OK) {
		rc = write_file(j, f, span_make(pem.data, pem.len));
	}
	secret_fini(&pem);
	return rc;
}

static enum err
write_cert(struct job *j, enum store_file f, const struct cert *c)
{
	struct buf pem;
	enum err rc;

	buf_init(&pem, (size_t)64 * 1024);
	rc = cert_to_pem(c, &pem);
	if (rc == ERR_OK) {
		rc = write_file(j, f, buf_span(&pem));
	}
	buf_fini(&pem);
	return rc;
}

static enum err
issue_for_ca(struct job *j, const struct key *k, struct cert **out)
{
	return issue_ca(j->rng, k, j->req->now, out, j->d);
}

static enum err
issue_for_server(struct job *j, const struct key *k, struct cert **out)
{
	struct issue_server req = {
		.by = { j->ca.cert, j->ca.key },
		.key = k,
		.hosts = j->req->hosts,
		.n_hosts = j->req->n_hosts,
		.now = j->req->now,
	};

	return issue_server(j->rng, &req, out, j->d);
}

static enum err
issue_for_client(struct job *j, const struct key *k, struct cert **out)
{
	struct issue_client req = {
		.by = { j->ca.cert, j->ca.key },
		.key = k,
		.name = CLIENT_NAME,
		.days = ISSUE_CLIENT_DAYS,
		.now = j->req->now,
	};

	return issue_client(j->rng, &req, out, j->d);
}

/* Before a certificate gets its name, it is in the ledger. */
static enum err
note_issued(struct job *j, enum store_file key_file, const struct pair *p)
{
	static const enum ledger_kind kind[STORE_N_FILES] = {
		[STORE_CA_KEY] = LEDGER_CA,
		[STORE_SERVER_KEY] = LEDGER_SERVER,
		[STORE_CLIENT_KEY] = LEDGER_CLIENT,
	};
	bool is_ca = key_file == STORE_CA_KEY;
	struct ledger_entry *e;
	char id[ISSUE_ID_SIZE];
	struct ledger l;
	enum err rc;

	ledger_init(&l);
	rc = ledger_load(&l, j->req->dir, j->d);
	if (rc == ERR_OK) {
		rc = issue_id(is_ca ? p->key : j->ca.key, id);
	}
	if (rc == ERR_OK) {
		rc = ledger_add(&l, p->cert, kind[key_file], id, &e, j->d);
	}
	if (rc == ERR_OK) {
		rc = ledger_save(&l, j->dir_fd, j->d);
	}
	ledger_fini(&l);
	return rc;
}

/*
 * A certificate, for the key that is there or for a new one.  Both are in
 * memory before the first byte is written; the key is written first.
 */
static enum err
make_pair(struct job *j, enum store_file key_file,
    enum err (*issue)(struct job *, const struct key *, struct cert **),
    struct pair *p)
{
	enum err rc;

	if (has(j, key_file)) {
		rc = read_key(j, key_file, &p->key);
	} else {
		rc = key_new(j->rng, &p->key);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	rc = issue(j, p->key, &p->cert);
	if (rc != ERR_OK) {
		return rc;
	}
	if (!has(j, key_file)) {
		rc = write_key(j, key_file, p->key);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	rc = note_issued(j, key_file, p);
	if (rc != ERR_OK) {
		return rc;
	}
	return write_cert(j, key_file + 1, p->cert);
}

/* A gate without rights to the CA key may serve; it just cannot issue. */
static bool
ca_key_is_closed(struct job *j)
{
	if (faccessat(j->dir_fd, files[STORE_CA_KEY].name, R_OK, AT_EACCESS) ==
		0 ||
	    errno != EACCES) {
		return false;
	}
	store_note(j->report, STORE_NOTE_INFO,
	    "ca-key.pem may not be read by this user, and was not checked");
	return true;
}

static enum err
load_ca(struct job *j, bool to_sign)
{
	enum err rc;

	rc = read_cert(j, STORE_CA_CERT, &j->ca.cert);
	if (rc != ERR_OK || !has(j, STORE_CA_KEY) ||
	    (!to_sign && ca_key_is_closed(j))) {
		return rc;
	}
	rc = read_key(j, STORE_CA_KEY, &j->ca.key);
	if (rc != ERR_OK) {
		return rc;
	}
	if (cert_find_key(j->ca.cert, j->ca.key, j->rng) == NULL) {
		diag_set(j->d, 0, 0,
		    "ca-key.pem is not the key of ca.crt: put the right one "
		    "here, or take ca-key.pem away");
		return ERR_CERT_MISMATCH;
	}
	return ERR_OK;
}

static enum err
load_server(struct job *j, struct pair *p)
{
	enum err rc;

	rc = read_cert(j, STORE_SERVER_CERT, &p->cert);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = read_key(j, STORE_SERVER_KEY, &p->key);
	if (rc != ERR_OK) {
		return rc;
	}
	if (!cert_matches_key(p->cert, p->key, j->rng)) {
		diag_set(j->d, 0, 0,
		    "docker.key is not the key of docker.crt (of the first "
		    "certificate in it): put the right pair here");
		return ERR_CERT_MISMATCH;
	}
	return ERR_OK;
}

/* The client pair is wanted, not needed: a failure becomes a note. */
static void
do_client(struct job *j, unsigned make)
{
	struct pair p = { NULL, NULL };
	struct diag why = { 0, 0, "out of memory" };
	struct job quiet = *j;

	quiet.d = &why;
	if ((make & PLAN_CLIENT) != 0) {
		if (make_pair(&quiet, STORE_CLIENT_KEY, issue_for_client, &p) !=
		    ERR_OK) {
			store_note(j->report, STORE_NOTE_WARN,
			    "no client pair was made: %.180s", why.text);
		}
	} else if (!has(j, STORE_CLIENT_CERT)) {
		store_note(j->report, STORE_NOTE_INFO,
		    "no client pair was made, because ca-key.pem is not here: "
		    "make client certificates where that key is");
	} else if (read_cert(&quiet, STORE_CLIENT_CERT, &p.cert) != ERR_OK) {
		store_note(j->report, STORE_NOTE_WARN, "%.200s", why.text);
	} else {
		store_check_client(j->report, p.cert, j->ca.cert, j->req->now);
	}
	pair_fini(&p);
}

/* What is there is checked before anything is made. */
static enum err
carry_out(struct job *j, unsigned make)
{
	struct pair server = { NULL, NULL };
	bool verify = j->req->mode == STORE_TLSVERIFY;
	enum err rc = ERR_OK;

	if ((make & PLAN_SERVER) == 0) {
		rc = load_server(j, &server);
	} else {
		rc = issue_server_check(j->req->hosts, j->req->n_hosts, j->d);
	}
	if (rc != ERR_OK) {
		goto out;
	}
	if ((make & PLAN_CA) != 0) {
		if (has(j, STORE_CA_KEY)) {
			store_note(j->report, STORE_NOTE_INFO,
			    "ca.crt was missing: made for the ca-key.pem that "
			    "was there");
		}
		rc = make_pair(j, STORE_CA_KEY, issue_for_ca, &j->ca);
	} else if (verify || make != 0) {
		rc = load_ca(j, make != 0);
	}
	if (rc != ERR_OK) {
		goto out;
	}
	if (j->ca.cert != NULL) {
		store_check_dates(j->report, "ca.crt", j->ca.cert, j->req->now);
	}
	if ((make & PLAN_SERVER) != 0) {
		rc = make_pair(j, STORE_SERVER_KEY, issue_for_server, &server);
		if (rc != ERR_OK) {
			goto out;
		}
	}
	store_check_server(
	    j->report, server.cert, verify ? j->ca.cert : NULL, j->req);
	if (verify) {
		do_client(j, make);
	}
	store_check_modes(j->report, j->dir_fd);
out:
	pair_fini(&server);
	return rc;
}

/*
 * Looks and plans, under the lock if something has to be made.  A directory
 * that cannot be written to, but has what is needed, will do as it is.
 */
static enum err
look_and_plan(struct job *j, unsigned *make, int *lock_fd)
{
	enum err rc, plan;

	rc = look(j);
	if (rc != ERR_OK) {
		return rc;
	}
	plan = plan_make(j->report->present, j->req->mode, make, j->d);
	if (plan == ERR_OK && *make == 0) {
		return ERR_OK;
	}
	rc = dir_lock(j->dir_fd, lock_fd);
	if (rc != ERR_OK && plan == ERR_OK && (*make & ~PLAN_CLIENT) == 0) {
		store_note(j->report, STORE_NOTE_INFO,
		    "no client pair was made: the directory cannot be "
		    "written to");
		*make = 0;
		return ERR_OK;
	}
	if (rc != ERR_OK) {
		if (plan == ERR_OK) {
			diag_set(j->d, 0, 0,
			    "files are missing, and the directory cannot be "
			    "written to: %s",
			    strerror(errno));
		}
		return plan == ERR_OK ? rc : plan;
	}
	dir_sweep(j->dir_fd);
	rc = look(j);
	if (rc != ERR_OK) {
		return rc;
	}
	return plan_make(j->report->present, j->req->mode, make, j->d);
}

static enum err
ensure(struct job *j)
{
	unsigned make = 0;
	int lock_fd = -1;
	bool made;
	enum err rc;

	rc = dir_open(j->req->dir, 0755, &j->dir_fd, &made, j->d);
	if (rc != ERR_OK) {
		goto out;
	}
	rc = look_and_plan(j, &make, &lock_fd);
	if (rc != ERR_OK) {
		goto out;
	}
	rc = rng_new(&j->rng);
	if (rc != ERR_OK) {
		goto out;
	}
	rc = carry_out(j, make);
out:
	pair_fini(&j->ca);
	rng_free(j->rng);
	if (lock_fd != -1) {
		close(lock_fd);
	}
	if (j->dir_fd != -1) {
		close(j->dir_fd);
	}
	return rc;
}

enum err
store_ensure(const struct store_request *req, struct store_report *report,
    struct diag *d)
{
	struct diag why = { 0, 0, "" };
	struct job j = {
		.req = req,
		.report = report,
		.d = &why,
		.dir_fd = -1,
	};
	char dir[64];
	enum err rc;

	memset(report, 0, sizeof(*report));
	rc = ensure(&j);
	if (rc != ERR_OK) {
		text_escape(span_of(req->dir), dir, sizeof(dir));
		diag_set(d, 0, 0, "%s: %s", dir,
		    why.text[0] == '\0' ? err_text(rc) : why.text);
	}
	return rc;
}
