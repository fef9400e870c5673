/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the service manager; see notify.h.
 *
 * One datagram a message, each written whole.  Nothing comes back, and
 * nothing depends on its arriving: who was told to listen and does not will
 * kill us for it.  A manager whose queue is full holds the caller for two
 * seconds at most.
 *
 * Other address families (vsock, for a machine's own manager) are not spoken.
 */
#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "log.h"

#define SEND_LIMIT_S 2

/* "/run/systemd/notify", or "@name" for an abstract one. */
static bool
read_address(const char *text, struct notify *n)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 ||
	    len >= sizeof(n->to.sun_path)) {
		return false;
	}
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, text, len + 1);
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (text[0] == '@') {
		n->to.sun_path[0] = '\0'; /* its name ends with its length */
	} else {
		n->to_len++;
	}
	return true;
}

static uint64_t
read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t value, who;

	if (usec == NULL ||
	    text_parse_u64(span_of(usec), INT64_MAX, &value) != ERR_OK) {
		return 0;
	}
	if (pid != NULL &&
	    (text_parse_u64(span_of(pid), INT32_MAX, &who) != ERR_OK ||
		(pid_t)who != getpid())) {
		return 0; /* another is watched */
	}
	return value / 1000;
}

void
notify_open(struct notify *n)
{
	const struct timeval limit = { SEND_LIMIT_S, 0 };
	const char *address = getenv("NOTIFY_SOCKET");

	memset(n, 0, sizeof(*n));
	n->fd = -1;
	if (address != NULL && address[0] != '\0') {
		if (read_address(address, n)) {
			n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		}
		if (n->fd == -1) {
			log_warn("NOTIFY_SOCKET cannot be used: the service "
				 "manager will not hear that the gate is "
				 "ready");
		} else {
			(void)setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
			    sizeof(limit));
			n->watchdog_ms = read_watchdog();
		}
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void
notify_pass(const struct notify *n)
{
	char name[sizeof(n->to.sun_path) + 1], number[24];
	size_t len;

	if (n->fd == -1) {
		return;
	}
	len = n->to_len - offsetof(struct sockaddr_un, sun_path);
	memcpy(name, n->to.sun_path, len);
	name[len] = '\0'; /* where it is abstract, it does not end so */
	if (name[0] == '\0') {
		name[0] = '@';
	}
	(void)setenv("NOTIFY_SOCKET", name, 1);
	if (n->watchdog_ms != 0) {
		(void)snprintf(number, sizeof(number), "%llu",
		    (unsigned long long)n->watchdog_ms * 1000);
		(void)setenv("WATCHDOG_USEC", number, 1);
		(void)snprintf(number, sizeof(number), "%d", (int)getpid());
		(void)setenv("WATCHDOG_PID", number, 1);
	}
}

static void
tell(const struct notify *n, const char *text)
{
	if (n == NULL || n->fd == -1) {
		return;
	}
	if (sendto(n->fd, text, strlen(text), MSG_NOSIGNAL,
		(const struct sockaddr *)&n->to, n->to_len) == -1) {
		log_debug(
		    "the service manager was not told: %s", strerror(errno));
	}
}

void
notify_ready(const struct notify *n, const char *status)
{
	char line[512], text[600];

	text_escape(span_of(status), line, sizeof(line));
	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", line);
	tell(n, text);
}

void
notify_reloading(const struct notify *n)
{
	struct timespec ts;
	char text[96];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)ts.tv_sec * 1000000 +
		(unsigned long long)ts.tv_nsec / 1000);
	tell(n, text);
}

void
notify_stopping(const struct notify *n)
{
	tell(n, "STOPPING=1\nSTATUS=finishing what is under way");
}

void
notify_alive(const struct notify *n)
{
	tell(n, "WATCHDOG=1");
}
