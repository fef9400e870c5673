/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses; see addr.h.
 *
 * Numeric hosts only: a gate that resolves names at start depends on a
 * resolver that may itself run in a container behind the gate.  The values
 * come from the operator; messages say what was expected.
 */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define ADDR_BACKLOG 1024

static enum err
parse_unix(struct span path, struct addr *out, struct diag *d)
{
	if (path.len == 0 || path.p[0] != '/' ||
	    path.len >= sizeof(out->un.sun_path)) {
		diag_set(d, 0, 0,
		    "a unix socket is unix:///absolute/path of at most %zu "
		    "bytes",
		    sizeof(out->un.sun_path) - 1);
		return ERR_SYNTAX;
	}
	out->un.sun_family = AF_UNIX;
	memcpy(out->un.sun_path, path.p, path.len);
	out->len = sizeof(out->un);
	return ERR_OK;
}

static enum err
parse_host(const char *host, uint16_t port, struct addr *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->ss;

	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		out->len = sizeof(*in);
		return ERR_OK;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		out->len = sizeof(*in6);
		return ERR_OK;
	}
	return ERR_SYNTAX;
}

static enum err
parse_tcp(struct span s, struct addr *out, struct diag *d)
{
	char host[64];
	uint64_t port;
	size_t i = s.len, n;

	while (i > 0 && s.p[i - 1] != ':') {
		i--;
	}
	if (i == 0 ||
	    text_parse_u64(span_make(s.p + i, s.len - i), 65535, &port) !=
		ERR_OK ||
	    port == 0) {
		diag_set(d, 0, 0, "the port must be 1 to 65535");
		return ERR_SYNTAX;
	}
	n = i - 1;
	if (n >= 2 && s.p[0] == '[' && s.p[n - 1] == ']') {
		s.p++;
		n -= 2;
	}
	if (n >= sizeof(host)) {
		n = 0;
	}
	memcpy(host, s.p, n);
	host[n] = '\0';
	if (parse_host(host, (uint16_t)port, out) != ERR_OK) {
		diag_set(d, 0, 0,
		    "the host must be an IPv4 or [IPv6] address, not a name");
		return ERR_SYNTAX;
	}
	return ERR_OK;
}

enum err
addr_parse(const char *url, struct addr *out, struct diag *d)
{
	struct span s = span_of(url);
	struct addr a;
	enum err rc;

	memset(&a, 0, sizeof(a));
	if (addr_is_unix(url)) {
		rc = parse_unix(span_make(s.p + 7, s.len - 7), &a, d);
	} else if (span_starts(s, "tcp://")) {
		rc = parse_tcp(span_make(s.p + 6, s.len - 6), &a, d);
	} else {
		diag_set(d, 0, 0,
		    "an address is tcp://ADDRESS:PORT or unix:///path");
		rc = ERR_SYNTAX;
	}
	if (rc == ERR_OK) {
		text_escape(s, a.text, sizeof(a.text));
		*out = a;
	}
	return rc;
}

bool
addr_is_unix(const char *url)
{
	return span_starts(span_of(url), "unix://");
}

/* Nobody answers behind the socket file: it was left by a process that died. */
static void
remove_stale(const struct addr *a)
{
	struct stat st;
	int fd;

	if (lstat(a->un.sun_path, &st) == -1 || !S_ISSOCK(st.st_mode)) {
		return;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return;
	}
	if (connect(fd, &a->sa, a->len) == -1 && errno == ECONNREFUSED) {
		(void)unlink(a->un.sun_path);
	}
	close(fd);
}

static bool
set_options(int fd, const struct addr *a, bool shared)
{
	int one = 1;

	if (a->sa.sa_family == AF_UNIX) {
		return true;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0) {
		return false;
	}
	if (shared &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) {
		return false;
	}
	return a->sa.sa_family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) ==
		   0;
}

static enum err
listen_at(const struct addr *a, bool shared, int *out, struct diag *d)
{
	int fd;

	if (a->sa.sa_family == AF_UNIX) {
		remove_stale(a);
	}
	fd = socket(
	    a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && set_options(fd, a, shared) &&
	    bind(fd, &a->sa, a->len) == 0 && listen(fd, ADDR_BACKLOG) == 0) {
		*out = fd;
		return ERR_OK;
	}
	if (errno == EADDRINUSE) {
		diag_set(d, 0, 0,
		    "cannot listen on %s: another program has it; choose "
		    "another with %s",
		    a->text, shared ? "-listen" : "-admin");
	} else {
		diag_set(d, 0, 0, "cannot listen on %s: %s", a->text,
		    strerror(errno));
	}
	if (fd != -1) {
		close(fd);
	}
	return ERR_IO;
}

enum err
addr_listen(const struct addr *a, int *out, struct diag *d)
{
	enum err rc = listen_at(a, true, out, d);

	if (rc == ERR_OK && a->sa.sa_family == AF_UNIX) {
		(void)chmod(a->un.sun_path, 0660);
	}
	return rc;
}

enum err
addr_listen_alone(const struct addr *a, mode_t mode, int *out, struct diag *d)
{
	mode_t before = umask(0777 & ~mode);
	enum err rc = listen_at(a, false, out, d);

	(void)umask(before);
	return rc;
}

enum err
addr_probe_port(const struct addr *a, struct diag *d)
{
	int fd;
	enum err rc = ERR_OK;

	if (a->sa.sa_family == AF_UNIX) {
		return ERR_OK;
	}
	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1) {
		return ERR_OK; /* listening will say it better */
	}
	if (set_options(fd, a, false) && bind(fd, &a->sa, a->len) == -1 &&
	    errno == EADDRINUSE) {
		diag_set(d, 0, 0,
		    "cannot listen on %s: another program has "
		    "it; stop that, or choose another port",
		    a->text);
		rc = ERR_IO;
	}
	close(fd);
	return rc;
}

bool
addr_is_loopback(const struct addr *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;

	if (a->sa.sa_family == AF_INET) {
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	return a->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* An IPv4 host: its own address, or that in an IPv6 socket's. */
static bool
ipv4_of(const struct sockaddr_storage *ss, struct in_addr *out)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		*out = in->sin_addr;
		return true;
	}
	if (ss->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(out, in6->sin6_addr.s6_addr + 12, 4);
		return true;
	}
	return false;
}

void
addr_print_peer(const struct sockaddr_storage *ss, char *out, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	char host[INET6_ADDRSTRLEN] = "?";
	struct in_addr v4;

	if (ipv4_of(ss, &v4)) {
		/* the port is at one place in both: RFC 3493 3.3 */
		(void)inet_ntop(AF_INET, &v4, host, sizeof(host));
		(void)snprintf(out, size, "%s:%u", host, ntohs(in6->sin6_port));
	} else if (ss->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		(void)snprintf(
		    out, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		(void)snprintf(out, size, "unix");
	}
}

bool
addr_host_key(const struct sockaddr_storage *ss, uint8_t key[16])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	struct in_addr v4;

	memset(key, 0, 16);
	if (ipv4_of(ss, &v4)) {
		key[10] = key[11] = 0xff; /* ::ffff:a.b.c.d */
		memcpy(key + 12, &v4, 4);
		return true;
	}
	if (ss->ss_family == AF_INET6) {
		/* a host has its whole /64: RFC 4291 2.5.1 */
		memcpy(key, &in6->sin6_addr, 8);
		return true;
	}
	return false;
}
