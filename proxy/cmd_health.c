/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv health: one exit status for the HEALTHCHECK of an image, however it
 * was started.
 *
 * The entrypoint leaves a line that says whom to ask: the gate, whose
 * readiness decides (dockerd answers, certificates are valid), or dockerd
 * itself where no gate was wanted (-local, -admin none).  To guess that from
 * what is there was tried and rejected: before the gate listens, and after
 * it died, it looks the same as where none was wanted.
 *
 * Who attacks: see admin_client.c and ping.c; the line is root's.
 */
#include <poll.h>
#include <stdio.h>

#include "admin.h"
#include "admin_client.h"
#include "cmd.h"
#include "entry.h"
#include "flags.h"
#include "ping.h"

#define PATIENCE_MS 4000

static bool
ask_gate(const char *url)
{
	struct http_reply reply;
	struct diag d = { 0, 0, "" };
	char text[1024];
	struct span s;
	bool ok;

	if (admin_ask(url, "GET", "/readyz", &reply, &d) != ERR_OK) {
		printf("dinv health: %s\n",
		    d.text[0] == '\0' ? "out of memory" : d.text);
		return false;
	}
	ok = reply.status == 200;
	s = buf_span(&reply.body);
	while (s.len > 0 && s.p[s.len - 1] == '\n') {
		s.len--;
	}
	admin_printable(s, text, sizeof(text));
	printf("%s\n", text);
	buf_fini(&reply.body);
	return ok;
}

static bool
ask_dockerd(const char *path)
{
	enum ping_state st;
	struct ping p;

	ping_init(&p);
	st = ping_step(&p, path);
	while (st == PING_WAIT) {
		struct pollfd fd = { .fd = p.fd, .events = POLLIN };

		if (poll(&fd, 1, PATIENCE_MS) <= 0) {
			break;
		}
		st = ping_step(&p, path);
	}
	ping_fini(&p);
	printf("dockerd %s\n", st == PING_OK ? "answers" : "does not answer");
	return st == PING_OK;
}

/* "admin ADDR" or "dockerd PATH" */
static bool
ask_whom(const char *file)
{
	char kind[16] = "", where[1024] = "";
	FILE *f = fopen(file, "re");
	int n = 0;

	if (f != NULL) {
		n = fscanf(f, "%15s %1023[^\n]", kind, where);
		fclose(f);
	}
	if (n == 2 && strcmp(kind, "admin") == 0) {
		return ask_gate(where);
	}
	if (n == 2 && strcmp(kind, "dockerd") == 0) {
		return ask_dockerd(where);
	}
	printf("dinv health: no entrypoint has left its mark in %s\n", file);
	return false;
}

int
cmd_health(int argc, char **argv)
{
	const char *file = ENTRY_HEALTH;
	const struct flag flags[] = {
		{ "file", FLAG_STRING, &file, "FILE",
		    "where the entrypoint says whom to ask" },
	};
	const struct flag_set set = {
		.usage = "dinv health [-file FILE]",
		.about =
		    "In a container, asks the dinv that is its entrypoint. "
		    "Status 0: the gate is\nready or, where none was "
		    "wanted, dockerd answers.",
		.flag = flags,
		.n = NELEM(flags),
	};
	int status = flags_start(&set, &argc, argv, NULL);

	return status >= 0 ? status : ask_whom(file) ? 0 : 1;
}
