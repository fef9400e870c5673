/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readiness of dockerd; see ping.h.
 *
 * dockerd binds its socket early and accepts only when it is able to work,
 * so a connection that has been made is answered at the moment of readiness:
 * no polling is needed past the connect.  The answer is a line of text from
 * a program that we started; only "HTTP/1.x 200" of it is read.
 *
 * systemd's notification socket (READY=1) was rejected: it says that dockerd
 * thinks it is up, and this asks for what clients will ask for.
 *
 * Who attacks: somebody who took the socket's path before dockerd.  ping_look
 * refuses to start beside a listener, because dockerd would silently unlink
 * the socket of another daemon and take its clients.
 */
#include "ping.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char ping_request[] =
    "GET /_ping HTTP/1.1\r\nHost: docker\r\nUser-Agent: dinv\r\n"
    "Connection: close\r\n\r\n";

void
ping_init(struct ping *p)
{
	p->fd = -1;
	p->len = 0;
}

void
ping_fini(struct ping *p)
{
	if (p->fd != -1) {
		close(p->fd);
	}
	ping_init(p);
}

/* A connected socket, or -1 with errno. */
static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, saved;

	if (len > PING_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1) {
		return -1;
	}
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static enum ping_state
ask(struct ping *p, const char *path)
{
	const size_t len = sizeof(ping_request) - 1;

	p->fd = dial(path);
	if (p->fd == -1) {
		return PING_FAIL;
	}
	/* A new socket's buffer takes the whole of it. */
	if (send(p->fd, ping_request, len, MSG_NOSIGNAL) != (ssize_t)len) {
		return PING_FAIL;
	}
	return PING_WAIT;
}

static enum ping_state
listen_for_answer(struct ping *p)
{
	static const char want[] = "HTTP/1.x 200";
	ssize_t n;

	n = recv(p->fd, p->head + p->len, sizeof(p->head) - p->len, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		return PING_WAIT;
	}
	if (n <= 0) {
		return PING_FAIL;
	}
	p->len += (size_t)n;
	if (p->len < sizeof(want) - 1) {
		return PING_WAIT;
	}
	if (memcmp(p->head, "HTTP/1.", 7) != 0 ||
	    memcmp(p->head + 8, " 200", 4) != 0) {
		return PING_FAIL;
	}
	return PING_OK;
}

enum ping_state
ping_step(struct ping *p, const char *path)
{
	enum ping_state st;

	st = p->fd == -1 ? ask(p, path) : listen_for_answer(p);
	if (st != PING_WAIT) {
		ping_fini(p);
	}
	return st;
}

enum err
ping_look(const char *path)
{
	struct stat sb;
	int fd;

	if (strlen(path) > PING_PATH_MAX) {
		return ERR_LIMIT;
	}
	if (lstat(path, &sb) == -1) {
		return errno == ENOENT ? ERR_OK : ERR_IO;
	}
	if (!S_ISSOCK(sb.st_mode)) {
		return ERR_SYNTAX;
	}
	fd = dial(path);
	if (fd == -1) {
		/* EAGAIN: somebody listens whose queue is full. */
		return errno == ECONNREFUSED || errno == ENOENT ? ERR_OK
		       : errno == EAGAIN			? ERR_EXISTS
								: ERR_IO;
	}
	close(fd);
	return ERR_EXISTS;
}
