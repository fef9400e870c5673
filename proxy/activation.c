/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket activation; see activation.h.
 *
 * The protocol is three variables and descriptors from 3 on; libsystemd was
 * rejected for it, as it brings more code than the gate has.  What we ask
 * beyond sd_listen_fds(3): a number is digits and nothing else, names are as
 * many as sockets, and each descriptor is asked of the kernel what it is, for
 * a unit may hand over pipes, datagrams or a file, and accept(2) on those is
 * an error that comes back for ever.
 *
 * LISTEN_PID of another process is no mistake: a shell in between has kept
 * the variables, and the sockets are its own.
 *
 * A socket that nobody takes is refused: clients would connect to it, and
 * wait for ever.
 *
 * Who attacks: whoever can set variables of a program that he starts anyway.
 */
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define ANY_FD "fd://"

/* What was in the environment. */
struct passed {
	const char *pid, *fds, *names;
};

static enum err
not_usable(int fd, const char *why, struct diag *d)
{
	diag_set(
	    d, 0, 0, "systemd has passed descriptor %d, which is %s", fd, why);
	return ERR_SYNTAX;
}

static int
option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* As addr_parse() would have made it. */
static void
describe(struct addr *a)
{
	char peer[96];
	size_t n;

	if (a->sa.sa_family != AF_UNIX) {
		addr_print_peer(&a->ss, peer, sizeof(peer));
		(void)snprintf(a->text, sizeof(a->text), "tcp://%s", peer);
		return;
	}
	n = a->len - offsetof(struct sockaddr_un, sun_path);
	memcpy(a->text, "unix://", 8);
	if (n > 0 && a->un.sun_path[0] == '\0') { /* unix(7), abstract */
		memcpy(a->text, "unix://@", 9);
		text_escape(span_make(a->un.sun_path + 1, n - 1), a->text + 8,
		    sizeof(a->text) - 8);
		return;
	}
	text_escape(span_make(a->un.sun_path, strnlen(a->un.sun_path, n)),
	    a->text + 7, sizeof(a->text) - 7);
}

static enum err
look_at(int fd, struct activation_socket *s, struct diag *d)
{
	int flags = fcntl(fd, F_GETFL), domain = option(fd, SO_DOMAIN);

	if (flags == -1) {
		return not_usable(fd, "not open", d);
	}
	if (domain == -1) {
		return not_usable(fd, "not a socket", d);
	}
	if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) {
		return not_usable(fd, "neither IP nor a unix socket", d);
	}
	if (option(fd, SO_TYPE) != SOCK_STREAM) {
		return not_usable(fd, "not a stream socket (ListenStream=)", d);
	}
	if (option(fd, SO_ACCEPTCONN) != 1) {
		return not_usable(fd, "not listening (Accept=no is needed)", d);
	}
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->addr.len = sizeof(s->addr.ss);
	if (getsockname(fd, &s->addr.sa, &s->addr.len) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		return not_usable(fd, strerror(errno), d);
	}
	describe(&s->addr);
	return ERR_OK;
}

/* "a:b:c": one name a socket; without the variable they have none. */
static enum err
take_names(const char *names, struct activation *out, struct diag *d)
{
	const char *end;
	size_t i, len;

	for (i = 0; names != NULL; i++) {
		end = strchr(names, ':');
		len = end == NULL ? strlen(names) : (size_t)(end - names);
		if (i == out->n || len >= sizeof(out->socket[i].name) ||
		    !text_is_printable(span_make(names, len))) {
			break;
		}
		memcpy(out->socket[i].name, names, len);
		out->socket[i].name[len] = '\0';
		names = end == NULL ? NULL : end + 1;
		if (names == NULL && i + 1 == out->n) {
			return ERR_OK;
		}
	}
	if (names == NULL && i == 0) {
		return ERR_OK;
	}
	diag_set(d, 0, 0,
	    "LISTEN_FDNAMES does not name the %zu sockets that were passed",
	    out->n);
	return ERR_SYNTAX;
}

/* Whatever comes of it, no program that we start has them. */
static void
close_on_exec(uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		(void)fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
	}
}

static enum err
take(const struct passed *p, struct activation *out, struct diag *d)
{
	uint64_t pid, n;
	enum err rc = ERR_OK;
	int i;

	if (p->pid == NULL || p->fds == NULL) {
		return ERR_OK;
	}
	if (text_parse_u64(span_of(p->pid), INT32_MAX, &pid) != ERR_OK ||
	    text_parse_u64(span_of(p->fds), INT32_MAX, &n) != ERR_OK) {
		diag_set(d, 0, 0, "LISTEN_PID and LISTEN_FDS must be numbers");
		return ERR_SYNTAX;
	}
	if ((pid_t)pid != getpid()) {
		return ERR_OK;
	}
	if (n > ACTIVATION_MAX) {
		diag_set(d, 0, 0,
		    "systemd has passed %llu sockets, more than "
		    "the %d that are taken",
		    (unsigned long long)n, ACTIVATION_MAX);
		return ERR_LIMIT;
	}
	close_on_exec(n);
	for (i = 0; i < (int)n && rc == ERR_OK; i++) {
		rc = look_at(FIRST_FD + i, &out->socket[i], d);
	}
	if (rc != ERR_OK) {
		return rc;
	}
	out->n = n;
	return take_names(n == 0 ? NULL : p->names, out, d);
}

enum err
activation_take(struct activation *out, struct diag *d)
{
	const struct passed p = { getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
		getenv("LISTEN_FDNAMES") };
	enum err rc;

	memset(out, 0, sizeof(*out));
	rc = take(&p, out, d);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_PIDFDID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return rc;
}

/* The sockets that a word of the list means, into out. */
static enum err
add_named(struct activation *a, const char *word, struct str_list *out,
    struct diag *d)
{
	const char *name = word + strlen(ANY_FD);
	bool all = name[0] == '\0' || strcmp(name, "*") == 0, found = false;
	struct activation_socket *s;
	enum err rc = ERR_OK;

	for (s = a->socket; s < a->socket + a->n && rc == ERR_OK; s++) {
		if (!s->named && (all || strcmp(s->name, name) == 0)) {
			s->named = found = true;
			rc = str_list_add(out, s->addr.text);
		}
	}
	if (rc == ERR_OK && !found) {
		diag_set(d, 0, 0,
		    a->n == 0
			? "-listen %s: systemd has passed no socket: start "
			  "the .socket unit, or listen on tcp://ADDRESS:PORT"
			: "-listen %s: systemd has passed no other socket of "
			  "that name (FileDescriptorName=)",
		    word);
		return ERR_USAGE;
	}
	return rc;
}

enum err
activation_name(struct activation *a, struct str_list *listen, struct diag *d)
{
	struct str_list out = { NULL, 0 };
	enum err rc = ERR_OK;
	size_t i;

	for (i = 0; i < listen->n && rc == ERR_OK; i++) {
		rc = strncmp(listen->item[i], ANY_FD, strlen(ANY_FD)) == 0
			 ? add_named(a, listen->item[i], &out, d)
			 : str_list_add(&out, listen->item[i]);
	}
	for (i = 0; i < a->n && rc == ERR_OK; i++) {
		if (!a->socket[i].named) {
			diag_set(d, 0, 0,
			    "systemd has passed the socket %s, and no -listen "
			    "fd:// takes it",
			    a->socket[i].addr.text);
			rc = ERR_USAGE;
		}
	}
	if (rc != ERR_OK) {
		str_list_fini(&out);
		return rc;
	}
	str_list_fini(listen);
	*listen = out;
	return ERR_OK;
}

int
activation_claim(struct activation *a, const char *url)
{
	size_t i;
	int fd;

	for (i = 0; i < a->n; i++) {
		if (a->socket[i].fd != -1 &&
		    strcmp(a->socket[i].addr.text, url) == 0) {
			fd = a->socket[i].fd;
			a->socket[i].fd = -1;
			return fd;
		}
	}
	return -1;
}

bool
activation_has(const struct activation *a, const char *url)
{
	size_t i;

	for (i = 0; a != NULL && i < a->n; i++) {
		if (strcmp(a->socket[i].addr.text, url) == 0) {
			return true;
		}
	}
	return false;
}

void
activation_pass(const struct activation *a, bool on)
{
	char names[ACTIVATION_MAX * 257] = "", number[16];
	size_t i, at = 0;

	if (a == NULL || a->n == 0) {
		return;
	}
	for (i = 0; i < a->n; i++) {
		(void)fcntl(a->socket[i].fd, F_SETFD, on ? 0 : FD_CLOEXEC);
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
		    i == 0 ? "" : ":", a->socket[i].name);
	}
	if (!on) {
		(void)unsetenv("LISTEN_PID");
		(void)unsetenv("LISTEN_FDS");
		(void)unsetenv("LISTEN_FDNAMES");
		return;
	}
	(void)snprintf(number, sizeof(number), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", number, 1);
	(void)snprintf(number, sizeof(number), "%zu", a->n);
	(void)setenv("LISTEN_FDS", number, 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
}
