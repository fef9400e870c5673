/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's side of what it asks of its master; see keeper.h.
 *
 * One socket and one lock: the answers take some ten microseconds each, and a
 * connection needs one of them.  An answer that came too late for who asked
 * is known by its number, and dropped with the descriptor that it brought.
 *
 * Rejected: a socket for each thread (more descriptors that outlive an
 * upgrade, for a lock that is free nearly always); the loop waiting for the
 * answer (a connection would have one more state, for the time of a system
 * call).
 */
#include "keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/secret.h"
#include "certs_watch.h"
#include "deeds.h"
#include "fd_message.h"
#include "limit.h"
#include "links.h"
#include "log.h"
#include "sockets.h"

/* One process has one master, so it is known here and handed to nobody. */
static struct {
	pthread_mutex_t lock;
	int fd; /* -1: no master */
	uint32_t number;
	atomic_bool gone;
} master = { PTHREAD_MUTEX_INITIALIZER, -1, 0, false };

void
keeper_use(int fd)
{
	master.fd = fd;
	atomic_store(&master.gone, false);
	secret_open_by(fd == -1 ? NULL : keeper_open);
}

bool
keeper_is_gone(void)
{
	return atomic_load(&master.gone);
}

/* --- one question -------------------------------------------------------- */

/* One answer, whoever it is for; *fd: what came with it, or -1. */
static bool
receive(struct keeper_answer *a, int *fd)
{
	struct pollfd p = { .fd = master.fd, .events = POLLIN };
	ssize_t n;

	*fd = -1;
	do {
		n = poll(&p, 1, LIMIT_KEEPER_MS);
	} while (n == -1 && errno == EINTR);
	if (n == 0) {
		errno = ETIMEDOUT;
	}
	if (n <= 0) {
		return false;
	}
	n = fd_message_receive(master.fd, a, sizeof(*a), fd, 0);
	if (n <= (ssize_t)offsetof(struct keeper_answer, text)) {
		errno = n == 0 ? ECONNRESET : errno;
		return false;
	}
	((char *)a)[n - 1] = '\0';
	return true;
}

/* Under the lock. */
static bool
exchange(struct keeper_ask *ask, int with, struct keeper_answer *a, int *fd)
{
	size_t len = offsetof(struct keeper_ask, text) + strlen(ask->text) + 1;

	ask->number = ++master.number;
	if (fd_message_send(master.fd, ask, len, with, 0) != (ssize_t)len) {
		return false;
	}
	while (receive(a, fd)) {
		if (a->number == ask->number) {
			return true;
		}
		if (*fd != -1) {
			close(*fd);
		}
	}
	return false;
}

/* *fd: what came with the answer; -1 where it is not wanted. */
static enum err
ask_master(struct keeper_ask *ask, int with, struct keeper_answer *a, int *fd)
{
	int got = -1, why = ECONNRESET;
	bool done = false;

	pthread_mutex_lock(&master.lock);
	if (!atomic_load(&master.gone)) {
		done = exchange(ask, with, a, &got);
		why = errno;
		if (!done && why != ETIMEDOUT) {
			atomic_store(&master.gone, true);
			log_error("the gate's master process has gone: %s",
			    strerror(why));
		}
	}
	pthread_mutex_unlock(&master.lock);
	if (!done) {
		errno = why;
		return ERR_IO;
	}
	if (fd != NULL && a->rc == ERR_OK && got == -1) {
		errno = EMFILE; /* it was sent, and found no room here */
		return ERR_IO;
	}
	if (fd != NULL) {
		*fd = got;
	} else if (got != -1) {
		close(got);
	}
	errno = a->why;
	return (enum err)a->rc;
}

static bool
set_text(struct keeper_ask *ask, const char *text)
{
	int n = snprintf(ask->text, sizeof(ask->text), "%s", text);

	if (n < 0 || (size_t)n >= sizeof(ask->text)) {
		errno = ENAMETOOLONG;
		return false;
	}
	return true;
}

/* --- deeds --------------------------------------------------------------- */

int
keeper_open(const char *path)
{
	struct keeper_ask ask = { .deed = KEEPER_OPEN };
	struct keeper_answer a;
	int fd = -1;

	if (master.fd == -1) {
		return deed_open(path);
	}
	if (!set_text(&ask, path) || ask_master(&ask, -1, &a, &fd) != ERR_OK) {
		return -1;
	}
	return fd;
}

int
keeper_connect(const struct addr *dockerd)
{
	struct keeper_ask ask = { .deed = KEEPER_CONNECT };
	struct keeper_answer a;
	int fd = -1;

	if (master.fd == -1) {
		return deed_connect(dockerd);
	}
	return ask_master(&ask, -1, &a, &fd) == ERR_OK ? fd : -1;
}

uint64_t
keeper_look(const char *certs_dir)
{
	struct keeper_ask ask = { .deed = KEEPER_LOOK };
	struct keeper_answer a;

	if (master.fd == -1) {
		return certs_look(certs_dir);
	}
	return ask_master(&ask, -1, &a, NULL) == ERR_OK ? a.n : 0;
}

enum err
keeper_follow(const char *path, char *out, size_t size)
{
	struct keeper_ask ask = { .deed = KEEPER_FOLLOW };
	struct keeper_answer a;
	enum err rc;

	if (master.fd == -1) {
		return links_follow(path, out, size);
	}
	if (!set_text(&ask, path)) {
		return ERR_LIMIT;
	}
	rc = ask_master(&ask, -1, &a, NULL);
	if (rc != ERR_OK && rc != ERR_NOTFOUND) {
		return rc;
	}
	if (strlen(a.text) >= size) {
		return ERR_LIMIT;
	}
	memcpy(out, a.text, strlen(a.text) + 1);
	return rc;
}

enum err
keeper_issue(const char *certs_dir, const char *ca_pass_file, int question,
    int *answer, uint64_t *job)
{
	struct keeper_ask ask = { .deed = KEEPER_ISSUE };
	struct keeper_answer a;
	enum err rc;
	pid_t pid;

	if (master.fd == -1) {
		rc =
		    deed_issue(certs_dir, ca_pass_file, question, answer, &pid);
		*job = rc == ERR_OK ? (uint64_t)pid : 0;
		return rc;
	}
	rc = ask_master(&ask, question, &a, answer);
	if (rc == ERR_OK) {
		*job = a.n;
	}
	return rc;
}

void
keeper_enough(uint64_t job)
{
	struct keeper_ask ask = { .deed = KEEPER_ENOUGH, .n = job };
	struct keeper_answer a;

	if (master.fd == -1) {
		deed_end((pid_t)job);
	} else {
		(void)!ask_master(&ask, -1, &a, NULL);
	}
}

enum err
keeper_keep_sockets(void)
{
	const struct kept_socket *s;
	struct keeper_answer a;
	size_t n, i;
	enum err rc = ERR_OK;

	s = sockets_all(&n);
	for (i = 0; i < n && rc == ERR_OK && master.fd != -1; i++) {
		struct keeper_ask ask = { .deed = KEEPER_KEEP,
			.n = s[i].number };

		rc = set_text(&ask, s[i].addr.text)
			 ? ask_master(&ask, s[i].fd, &a, NULL)
			 : ERR_LIMIT;
	}
	return rc;
}

void
keeper_tell(enum keeper_news news, const char *text)
{
	struct keeper_ask ask = { .deed = KEEPER_TELL, .n = news };
	struct keeper_answer a;

	if (master.fd == -1) {
		return;
	}
	(void)snprintf(
	    ask.text, sizeof(ask.text), "%s", text == NULL ? "" : text);
	(void)!ask_master(&ask, -1, &a, NULL);
}
