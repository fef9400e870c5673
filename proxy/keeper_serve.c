/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the master does for a gate; see keeper_master.h.
 *
 * Every deed is on something that the master names: a file of its own list,
 * dockerd's one socket, the one certificate directory.  What the gate says
 * chooses among them and no more.  The path that is followed (KEEPER_FOLLOW)
 * is the exception: any may be asked for, because policy asks where a client's
 * path leads, and the answer is a path and not what is there.
 *
 * Attackers have taken the gate over and write what they like here: lengths
 * are checked, text is ended here, a descriptor that nobody wants is closed,
 * and nothing waits for the gate to read its answer.
 */
#include "keeper_master.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "certs/crl.h"
#include "certs/ledger.h"
#include "certs/tokens.h"
#include "certs_watch.h"
#include "deeds.h"
#include "fd_message.h"
#include "limit.h"
#include "links.h"
#include "log.h"
#include "loop.h"
#include "sockets.h"

_Static_assert(KEEPER_JOBS == LIMIT_ISSUE_JOBS, "one place for each job");

void
keeper_init(struct keeper *k, int fd, const struct gate_config *conf,
    const struct addr *dockerd)
{
	memset(k, 0, sizeof(*k));
	k->fd = fd;
	k->conf = conf;
	k->dockerd = dockerd;
}

void
keeper_fini(struct keeper *k)
{
	size_t i;

	for (i = 0; i < NELEM(k->job); i++) {
		if (k->job[i].pid != 0) {
			deed_end(k->job[i].pid);
			k->job[i].pid = 0;
		}
	}
	if (k->fd != -1) {
		close(k->fd);
		k->fd = -1;
	}
}

/* --- files --------------------------------------------------------------- */

static bool
is_ours(const char *name, const char *path)
{
	return name != NULL && strcmp(name, path) == 0;
}

/* A file that a gate reads; never the CA's key, nor a client's. */
static bool
may_read(const struct gate_config *conf, const char *path)
{
	static const char *const names[] = { "ca.crt", "docker.crt",
		"docker.key", CRL_NAME, LEDGER_NAME };
	static const char tokens[] = TOKENS_NAME;
	size_t n = strlen(conf->certs), i;

	if (is_ours(conf->policy, path) || is_ours(conf->key_pass_file, path)) {
		return true;
	}
	if (strncmp(path, conf->certs, n) != 0 || path[n] != '/') {
		return false;
	}
	for (i = 0; i < NELEM(names); i++) {
		if (strcmp(path + n + 1, names[i]) == 0) {
			return true;
		}
	}
	return conf->enroll.n > 0 && strcmp(path + n + 1, tokens) == 0;
}

/* --- deeds --------------------------------------------------------------- */

/* A gate of ours asks for no such thing.  Whose it is now must not fill the
 * disk with our log: the first few of them say what there is to say. */
static void
log_refusal(struct keeper *k, const char *what)
{
	char text[256];

	if (k->refusals == KEEPER_REFUSALS) {
		return;
	}
	k->refusals++;
	text_escape(span_of(what), text, sizeof(text));
	log_error("the gate asked for what is not its own, and was refused: "
		  "has it been taken over? asked=%s%s",
	    text,
	    k->refusals == KEEPER_REFUSALS ? " (no more of it is logged)" : "");
}

/* out->with_fd, *fd: what the answer brings along. */
static enum err
do_open(struct keeper *k, const struct keeper_ask *ask, int *fd)
{
	if (!may_read(k->conf, ask->text)) {
		log_refusal(k, ask->text);
		errno = EACCES;
		return ERR_IO;
	}
	*fd = deed_open(ask->text);
	return *fd == -1 ? ERR_IO : ERR_OK;
}

static enum err
do_issue(struct keeper *k, int question, struct keeper_answer *out, int *answer)
{
	struct keeper_job *j = NULL;
	size_t i;
	enum err rc;

	for (i = 0; i < NELEM(k->job); i++) {
		j = k->job[i].pid == 0 ? &k->job[i] : j;
	}
	if (j == NULL || question == -1) {
		return ERR_LIMIT;
	}
	rc = deed_issue(
	    k->conf->certs, k->conf->ca_pass_file, question, answer, &j->pid);
	if (rc != ERR_OK) {
		j->pid = 0;
		return rc;
	}
	/* The gate gives up first; this is for one that does not. */
	j->end_by_ms = loop_now_ms() + 2 * LIMIT_ISSUE_MS;
	out->n = (uint64_t)j->pid;
	return ERR_OK;
}

/* Its own processes only, by what it was told of them. */
static enum err
do_enough(struct keeper *k, uint64_t n)
{
	size_t i;

	for (i = 0; i < NELEM(k->job); i++) {
		if (k->job[i].pid != 0 && (uint64_t)k->job[i].pid == n) {
			deed_end(k->job[i].pid);
			k->job[i].pid = 0;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

static enum err
do_tell(struct keeper *k, const struct keeper_ask *ask)
{
	if (ask->n >= KEEPER_NEWS_N) {
		return ERR_USAGE;
	}
	k->settled = k->settled || ask->n == KEEPER_READY;
	k->news(k->arg, (enum keeper_news)ask->n, ask->text);
	return ERR_OK;
}

/* While it starts, and runs code of ours only. */
static enum err
do_keep(const struct keeper *k, const struct keeper_ask *ask, int *with)
{
	enum err rc;

	if (k->settled || *with == -1 || ask->n > UINT32_MAX) {
		return ERR_USAGE;
	}
	rc = sockets_take(*with, (unsigned)ask->n, ask->text, true);
	if (rc == ERR_OK) {
		*with = -1;
	}
	return rc;
}

static enum err
act(struct keeper *k, const struct keeper_ask *ask, int *with,
    struct keeper_answer *out, int *fd)
{
	switch ((enum keeper_deed)ask->deed) {
	case KEEPER_OPEN:
		return do_open(k, ask, fd);
	case KEEPER_CONNECT:
		*fd = deed_connect(k->dockerd);
		return *fd == -1 ? ERR_IO : ERR_OK;
	case KEEPER_LOOK:
		out->n = certs_look(k->conf->certs);
		return ERR_OK;
	case KEEPER_FOLLOW:
		return links_follow(ask->text, out->text, sizeof(out->text));
	case KEEPER_ISSUE:
		return do_issue(k, *with, out, fd);
	case KEEPER_ENOUGH:
		return do_enough(k, ask->n);
	case KEEPER_KEEP:
		return do_keep(k, ask, with);
	case KEEPER_TELL:
		return do_tell(k, ask);
	case KEEPER_NOTHING:
	case KEEPER_N:
		break;
	}
	log_refusal(k, "(something that there is not)");
	return ERR_USAGE;
}

/* --- datagrams ----------------------------------------------------------- */

/* Full or not, it is not waited for: a gate that does not read its answers
 * gets none. */
static void
answer(int to, const struct keeper_answer *a, int fd)
{
	size_t len = offsetof(struct keeper_answer, text) + strlen(a->text) + 1;

	(void)fd_message_send(to, a, len, fd, MSG_DONTWAIT);
}

void
keeper_serve(struct keeper *k)
{
	struct keeper_ask ask;
	struct keeper_answer out;
	int with, fd = -1;
	ssize_t n =
	    fd_message_receive(k->fd, &ask, sizeof(ask), &with, MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN) {
		return;
	}
	if (n <= 0) {
		close(k->fd);
		k->fd = -1;
		return;
	}
	memset(&out, 0, offsetof(struct keeper_answer, text) + 1);
	errno = 0;
	if ((size_t)n <= offsetof(struct keeper_ask, text)) {
		out.rc = ERR_USAGE;
	} else {
		out.number = ask.number;
		((char *)&ask)[n - 1] = '\0';
		out.rc = (uint32_t)act(k, &ask, &with, &out, &fd);
		out.why = out.rc == ERR_OK ? 0 : errno;
		out.with_fd = fd != -1;
	}
	answer(k->fd, &out, fd);
	if (fd != -1) {
		close(fd);
	}
	if (with != -1) {
		close(with);
	}
}

void
keeper_tick(struct keeper *k, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < NELEM(k->job); i++) {
		if (k->job[i].pid != 0 && now_ms >= k->job[i].end_by_ms) {
			deed_end(k->job[i].pid);
			k->job[i].pid = 0;
		}
	}
}
