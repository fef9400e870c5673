/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams with a descriptor; see fd_message.h.
 *
 * The kernel fills what room there is, and on 64 bits the room for one
 * descriptor has place for a second: whatever comes is looked at, or a sender
 * could fill our table with what nobody closes.
 */
#include "fd_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* room for one descriptor, aligned */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

ssize_t
fd_message_send(int sock, const void *p, size_t len, int fd, int flags)
{
	union control c;
	struct iovec iov = { .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;
	ssize_t n;

	memcpy(&iov.iov_base, &p, sizeof(p)); /* sendmsg writes nothing there */
	if (fd != -1) {
		memset(&c, 0, sizeof(c));
		m.msg_control = c.bytes;
		m.msg_controllen = sizeof(c.bytes);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &m, flags | MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n;
}

/* What a header of control data brought: one is kept, more are closed. */
static void
take_fds(const struct cmsghdr *h, int *fd)
{
	size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;
	int got;

	for (i = 0; i < n; i++) {
		memcpy(&got, CMSG_DATA(h) + i * sizeof(int), sizeof(got));
		if (n == 1 && *fd == -1) {
			*fd = got;
		} else {
			close(got);
		}
	}
}

ssize_t
fd_message_receive(int sock, void *p, size_t len, int *fd, int flags)
{
	union control c;
	struct iovec iov = { p, len };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c.bytes,
		.msg_controllen = sizeof(c.bytes) };
	struct cmsghdr *h;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n == -1) {
		return n;
	}
	for (h = CMSG_FIRSTHDR(&m); h != NULL; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
			take_fds(h, fd);
		}
	}
	return n;
}
