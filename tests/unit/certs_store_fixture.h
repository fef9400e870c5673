/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CERTS_STORE_FIXTURE_H
#define TESTS_CERTS_STORE_FIXTURE_H

/* For the tests of certs/store.c: calls of it, and what they reported. */
#include "certs_fixture.h"
#include "store.h"

static const char *const hosts[] = { "build.example", "127.0.0.1" };

#define CK BIT(STORE_CA_KEY)
#define CC BIT(STORE_CA_CERT)
#define SK BIT(STORE_SERVER_KEY)
#define SC BIT(STORE_SERVER_CERT)
#define LK BIT(STORE_CLIENT_KEY)
#define LC BIT(STORE_CLIENT_CERT)
#define ALL (CK | CC | SK | SC | LK | LC)

static inline enum err
ensure_at(struct tmp *t, enum store_mode mode, time_t now,
    struct store_report *report, struct diag *d)
{
	const struct store_request req = {
		.dir = t->dir,
		.mode = mode,
		.hosts = hosts,
		.n_hosts = NELEM(hosts),
		.now = now,
	};

	d->text[0] = '\0';
	return store_ensure(&req, report, d);
}

static inline enum err
ensure(struct tmp *t, enum store_mode mode, struct store_report *report,
    struct diag *d)
{
	return ensure_at(t, mode, NOW, report, d);
}

/* Fails with the report's and the diagnosis' own words. */
static inline void
must(struct tmp *t, enum store_mode mode, struct store_report *report)
{
	struct diag d;
	enum err rc = ensure(t, mode, report, &d);

	if (rc != ERR_OK) {
		fail_msg("%s: %s", err_tag(rc), d.text);
	}
}

static inline bool
noted(const struct store_report *report, enum store_note_kind kind,
    const char *part)
{
	size_t i;

	for (i = 0; i < report->n_notes; i++) {
		if (report->note[i].kind == kind &&
		    strstr(report->note[i].text, part) != NULL) {
			return true;
		}
	}
	return false;
}

static inline void
take_away(struct tmp *t, unsigned files)
{
	int f;

	for (f = 0; f < STORE_N_FILES; f++) {
		if ((files & BIT(f)) != 0) {
			(void)unlink(
			    tmp_path(t, store_file_name((enum store_file)f)));
		}
	}
}

#endif
