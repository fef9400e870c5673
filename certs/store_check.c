/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes on a certificate directory; see store_check.h.
 *
 * A gate that does not start helps nobody, and an expired certificate stops
 * at most those who would see that it has expired.  So nothing in here
 * fails: each finding becomes one line that the caller logs.  The findings
 * are those that otherwise show up first at a client, as a message from
 * Go's or OpenSSL's verifier that names neither file nor cure.
 */
#include "store_check.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define SOON ((time_t)30 * 24 * 3600)

void
store_note(struct store_report *report, enum store_note_kind kind,
    const char *fmt, ...)
{
	struct store_note *n;
	va_list ap;

	if (report->n_notes == STORE_NOTES_MAX) {
		return;
	}
	n = &report->note[report->n_notes++];
	n->kind = kind;
	va_start(ap, fmt);
	vsnprintf(n->text, sizeof(n->text), fmt, ap);
	va_end(ap);
}

static void
date(time_t t, char *out, size_t size)
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, size, "%Y-%m-%d %H:%M:%SZ", &tm) == 0) {
		snprintf(out, size, "?");
	}
}

void
store_check_dates(struct store_report *report, const char *name,
    const struct cert *c, time_t now)
{
	time_t from, to;
	char text[32];

	cert_validity(c, &from, &to);
	if (now < from) {
		date(from, text, sizeof(text));
		store_note(report, STORE_NOTE_WARN,
		    "%s is not valid before %s: is the clock right?", name,
		    text);
		return;
	}
	if (to - now > SOON) {
		return;
	}
	date(to, text, sizeof(text));
	store_note(report, STORE_NOTE_WARN, "%s %s %s: replace it", name,
	    to < now ? "expired at" : "expires at", text);
}

/* The hosts that the certificate does not name, as "a, b". */
static void
list_unnamed(const struct cert *c, const struct store_request *req, char *out,
    size_t size)
{
	size_t i, used = 0;
	struct host h;

	out[0] = '\0';
	for (i = 0; i < req->n_hosts; i++) {
		if (host_parse(req->hosts[i], &h, NULL) != ERR_OK ||
		    cert_names_host(c, &h)) {
			continue;
		}
		if (used + strlen(h.text) + 7 > size) {
			snprintf(out + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s",
		    used == 0 ? "" : ", ", h.text);
	}
}

void
store_check_server(struct store_report *report, const struct cert *c,
    const struct cert *ca, const struct store_request *req)
{
	char names[128];

	store_check_dates(report, "docker.crt", c, req->now);
	if (!cert_is_for(c, CERT_SERVER)) {
		store_note(report, STORE_NOTE_WARN,
		    "docker.crt is not for servers (extended key usage): "
		    "clients will refuse it");
	}
	if (!cert_has_alt_names(c)) {
		store_note(report, STORE_NOTE_WARN,
		    "docker.crt has no subject alternative name: docker will "
		    "refuse it");
		return;
	}
	if (ca != NULL && !cert_is_under(c, ca)) {
		store_note(report, STORE_NOTE_INFO,
		    "docker.crt was not issued by ca.crt: clients need the "
		    "certificate of the CA that issued it as ca.pem");
	}
	list_unnamed(c, req, names, sizeof(names));
	if (names[0] != '\0') {
		store_note(report, STORE_NOTE_INFO,
		    "docker.crt was there already and does not name: %s",
		    names);
	}
}

void
store_check_client(struct store_report *report, const struct cert *c,
    const struct cert *ca, time_t now)
{
	store_check_dates(report, "docker-client.crt", c, now);
	if (!cert_is_under(c, ca) || !cert_is_for(c, CERT_CLIENT)) {
		store_note(report, STORE_NOTE_WARN,
		    "docker-client.crt is not a client certificate of ca.crt: "
		    "it will be refused");
	}
}

void
store_check_modes(struct store_report *report, int dir_fd)
{
	static const enum store_file keys[] = { STORE_CA_KEY, STORE_SERVER_KEY,
		STORE_CLIENT_KEY };
	struct stat st;
	size_t i;

	for (i = 0; i < NELEM(keys); i++) {
		const char *name = store_file_name(keys[i]);

		/* A gate that is not root reads its key by its group. */
		mode_t closed = keys[i] == STORE_SERVER_KEY ? 037 : 077;

		if (fstatat(dir_fd, name, &st, 0) == 0 &&
		    (st.st_mode & closed) != 0) {
			store_note(report, STORE_NOTE_WARN,
			    "%s is open to others (mode %04o): chmod 600", name,
			    (unsigned)st.st_mode & 07777);
		}
	}
}
