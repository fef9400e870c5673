/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets; see sockets.h.
 *
 * One table for the process, as descriptors are: gate_listen.c, admin.c and
 * enroll_desk.c ask for an address and cannot tell who opened it.
 */
#include "sockets.h"

#include <fcntl.h>
#include <unistd.h>

static struct {
	struct kept_socket s[SOCKETS_MAX];
	size_t n;
} kept;

static struct kept_socket *
find(const struct addr *a, unsigned number)
{
	size_t i;

	for (i = 0; i < kept.n; i++) {
		if (kept.s[i].number == number &&
		    strcmp(kept.s[i].addr.text, a->text) == 0) {
			return &kept.s[i];
		}
	}
	return NULL;
}

bool
sockets_has(const struct addr *a)
{
	return find(a, 0) != NULL;
}

static enum err
lend(struct kept_socket *s, int *fd)
{
	s->wanted = true;
	*fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	return *fd == -1 ? ERR_IO : ERR_OK;
}

static enum err
keep(const struct addr *a, unsigned number, int fd, bool new)
{
	if (kept.n == SOCKETS_MAX) {
		return ERR_LIMIT;
	}
	kept.s[kept.n++] = (struct kept_socket){ fd, number, true, new, *a };
	return ERR_OK;
}

enum err
sockets_listen(const struct addr *a, unsigned number, int *fd, struct diag *d)
{
	struct kept_socket *s = find(a, number);
	enum err rc;
	int own;

	if (s != NULL) {
		return lend(s, fd);
	}
	rc = addr_listen(a, &own, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = keep(a, number, own, true);
	if (rc != ERR_OK) {
		close(own);
		diag_set(
		    d, 0, 0, "more than %d sockets to listen at", SOCKETS_MAX);
		return rc;
	}
	return lend(find(a, number), fd);
}

enum err
sockets_listen_alone(const struct addr *a, mode_t mode, int *fd, struct diag *d)
{
	struct kept_socket *s = find(a, 0);
	enum err rc;
	int own;

	if (s != NULL) {
		return lend(s, fd);
	}
	rc = addr_listen_alone(a, mode, &own, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = keep(a, 0, own, true);
	if (rc != ERR_OK) {
		close(own);
		diag_set(
		    d, 0, 0, "more than %d sockets to listen at", SOCKETS_MAX);
		return rc;
	}
	return lend(find(a, 0), fd);
}

enum err
sockets_take(int fd, unsigned number, const char *url, bool wanted)
{
	struct kept_socket *s;
	struct diag d = { 0, 0, "" };
	struct addr a;
	enum err rc = addr_parse(url, &a, &d);

	if (rc != ERR_OK) {
		return rc;
	}
	s = find(&a, number);
	if (s != NULL) {
		s->wanted = wanted;
		close(fd);
		return ERR_OK;
	}
	rc = keep(&a, number, fd, false);
	if (rc == ERR_OK) {
		kept.s[kept.n - 1].wanted = wanted;
	}
	return rc;
}

void
sockets_close_unwanted(void)
{
	size_t i = 0;

	while (i < kept.n) {
		if (kept.s[i].wanted) {
			i++;
			continue;
		}
		close(kept.s[i].fd);
		if (kept.s[i].addr.sa.sa_family == AF_UNIX) {
			(void)unlink(kept.s[i].addr.un.sun_path);
		}
		kept.s[i] = kept.s[--kept.n];
	}
}

const struct kept_socket *
sockets_all(size_t *n)
{
	*n = kept.n;
	return kept.s;
}

void
sockets_want_none(void)
{
	size_t i;

	for (i = 0; i < kept.n; i++) {
		kept.s[i].wanted = false;
	}
}

void
sockets_undo(void)
{
	size_t i;

	for (i = 0; i < kept.n; i++) {
		kept.s[i].wanted = !kept.s[i].new;
	}
	sockets_close_unwanted();
}

void
sockets_forget(void)
{
	while (kept.n > 0) {
		close(kept.s[--kept.n].fd);
	}
}

void
sockets_end(const struct addr *but)
{
	size_t i;

	for (i = 0; i < kept.n; i++) {
		kept.s[i].wanted =
		    but != NULL && strcmp(kept.s[i].addr.text, but->text) == 0;
	}
	sockets_close_unwanted();
}
