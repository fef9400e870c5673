/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine is called; see hosts.h.
 *
 * The names go into the server certificate when it is made.  A name too many
 * does no harm, since only this machine holds the key; a name too few is a
 * client that cannot connect.  "docker" is what CI services call the host
 * that runs Docker.
 *
 * Rejected: getaddrinfo(3) and reverse look-ups.  They ask the network,
 * which may not be up yet, and a start that waits for a name server looks
 * like a hang.  What is known locally is in /etc/hosts, where container
 * runtimes write it; for all else there is -host.
 *
 * Attackers: whoever writes /etc/hosts or sets the host name is root here.
 */
#include "hosts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "certs/names.h"

#define GATHER_MAX 100 /* under ISSUE_HOSTS_MAX: leaves room for -host */

/* A copy of s at the end of out, if it can stand in a certificate. */
static enum err
add(struct str_list *out, const char *s)
{
	struct host h;
	char *copy;
	size_t i;

	if (out->n >= GATHER_MAX || host_parse(s, &h, NULL) != ERR_OK) {
		return ERR_OK;
	}
	for (i = 0; i < out->n; i++) {
		if (strcasecmp(out->item[i], s) == 0) {
			return ERR_OK;
		}
	}
	copy = strdup(s);
	return copy == NULL ? ERR_NOMEM : str_list_add(out, copy);
}

/* The next word of *p, ended by NUL; NULL at the end. */
static char *
next_word(char **p)
{
	char *word = *p + strspn(*p, " \t"), *end;

	if (*word == '\0') {
		return NULL;
	}
	end = word + strcspn(word, " \t");
	*p = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

/* One line of hosts(5): an address, then names, up to '#'. */
static enum err
add_line(struct str_list *out, char *line, const char *name)
{
	char *names[32], *word;
	size_t n = 0, i;
	bool ours = false;
	enum err rc = ERR_OK;

	line[strcspn(line, "#\r\n")] = '\0';
	if (next_word(&line) == NULL) {
		return ERR_OK;
	}
	while (n < NELEM(names) && (word = next_word(&line)) != NULL) {
		ours = ours || strcasecmp(word, name) == 0;
		names[n++] = word;
	}
	for (i = 0; ours && i < n && rc == ERR_OK; i++) {
		rc = add(out, names[i]);
	}
	return rc;
}

enum err
hosts_add_aliases(struct str_list *out, const char *path, const char *name)
{
	enum err rc = ERR_OK;
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		return ERR_OK;
	}
	while (rc == ERR_OK && getline(&line, &size, f) != -1) {
		rc = add_line(out, line, name);
	}
	free(line);
	fclose(f);
	return rc;
}

static enum err
add_address(struct str_list *out, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa == NULL) {
		return ERR_OK;
	}
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
		return add(out, text);
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) {
			return ERR_OK; /* no use without an interface's name */
		}
		inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
		return add(out, text);
	}
	return ERR_OK;
}

bool
hosts_is_docker_bridge(const char *interface)
{
	if (strcmp(interface, "docker0") == 0 ||
	    strcmp(interface, "docker_gwbridge") == 0) {
		return true;
	}
	return strncmp(interface, "br-", 3) == 0 && strlen(interface) == 15 &&
	       strspn(interface + 3, "0123456789abcdef") == 12;
}

static enum err
add_interfaces(struct str_list *out, bool bridges)
{
	struct ifaddrs *all, *one;
	enum err rc = ERR_OK;

	if (getifaddrs(&all) == -1) {
		return ERR_OK;
	}
	for (one = all; one != NULL && rc == ERR_OK; one = one->ifa_next) {
		if (bridges || !hosts_is_docker_bridge(one->ifa_name)) {
			rc = add_address(out, one->ifa_addr);
		}
	}
	freeifaddrs(all);
	return rc;
}

static enum err
gather(struct str_list *out, bool bridges)
{
	static const char *const always[] = { "localhost", "docker",
		"127.0.0.1", "::1" };
	char name[HOST_TEXT_SIZE] = "";
	enum err rc;
	size_t i;

	if (gethostname(name, sizeof(name) - 1) == -1) {
		name[0] = '\0';
	}
	rc = add(out, name);
	if (rc == ERR_OK) {
		rc = hosts_add_aliases(out, "/etc/hosts", name);
	}
	for (i = 0; i < NELEM(always) && rc == ERR_OK; i++) {
		rc = add(out, always[i]);
	}
	return rc != ERR_OK ? rc : add_interfaces(out, bridges);
}

enum err
hosts_gather(struct str_list *out)
{
	return gather(out, true);
}

enum err
hosts_gather_lasting(struct str_list *out)
{
	return gather(out, false);
}

void
hosts_free(struct str_list *list, size_t given)
{
	size_t i;

	for (i = given; i < list->n; i++) {
		free((void *)(uintptr_t)list->item[i]);
	}
	str_list_fini(list);
}
