/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gate that was taken over asks of its master.  Each question has one
 * answer, with its number; no file comes with it, since the master of this
 * target has none, and nothing is kept of a descriptor that came along.  No
 * process is started: a question to be issued something has none with it.
 *
 * Input: questions, each behind a byte for its length in units of four and
 * one for what comes along (odd: a descriptor).
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fd_message.h"
#include "keeper_master.h"

static void
on_news(void *arg, enum keeper_news news, const char *text)
{
	(void)arg;
	CHECK(news < KEEPER_NEWS_N);
	CHECK(memchr(text, '\0', KEEPER_TEXT_BYTES) != NULL);
}

static void
ask(struct keeper *k, int gate, const uint8_t *p, size_t n, bool with)
{
	struct keeper_answer a;
	uint32_t number = 0;
	int fd;

	if (n > offsetof(struct keeper_ask, deed)) {
		with = with &&
		       p[offsetof(struct keeper_ask, deed)] != KEEPER_ISSUE;
	}
	CHECK(fd_message_send(gate, p, n, with ? gate : -1, 0) == (ssize_t)n);
	keeper_serve(k);
	CHECK(fd_message_receive(gate, &a, sizeof(a), &fd, MSG_DONTWAIT) >
	      (ssize_t)offsetof(struct keeper_answer, text));
	if (n > offsetof(struct keeper_ask, text)) {
		memcpy(&number, p, sizeof(number));
	}
	CHECK(a.number == number);
	CHECK(fd == -1 && a.with_fd == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gate_config conf = { .certs = "/nowhere",
		.policy = "/nowhere/policy.json" };
	struct addr dockerd;
	struct keeper k;
	int pair[2], before, after;
	size_t n;

	before = dup(0);
	close(before);
	CHECK(addr_parse("unix:///nowhere/docker.sock", &dockerd, NULL) ==
	      ERR_OK);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	keeper_init(&k, pair[0], &conf, &dockerd);
	k.news = on_news;
	k.refusals = KEEPER_REFUSALS; /* quiet */
	while (size > 2 && k.fd != -1) {
		n = (size_t)data[0] * 4 + 1;
		n = n < size - 2 ? n : size - 2;
		ask(&k, pair[1], data + 2, n, data[1] % 2 == 1);
		data += 2 + n;
		size -= 2 + n;
	}
	keeper_fini(&k);
	close(pair[1]);
	after = dup(0);
	close(after);
	CHECK(after == before);
	return 0;
}
