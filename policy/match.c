/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a principal match a client's patterns?  See role.h.
 *
 * Letters are compared as they are: certificates are issued by us, so there
 * is one spelling.  Only "*" is special; regular expressions were rejected,
 * because a dot in a name would match too much and nobody would notice.
 *
 * Attackers choose no name here (the CA does), but a pattern must never match
 * a principal of another kind: an empty common name on a plain listener is
 * not the certificate that "cn": "*" speaks of.
 */
#include <stdio.h>

#include "role.h"

/* Backtracks to the last star only: at most pattern times text steps. */
bool
match_glob(struct span pattern, struct span text)
{
	size_t p = 0, t = 0, star = 0, mark = 0;
	bool starred = false;

	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			starred = true;
			star = p++;
			mark = t;
		} else if (p < pattern.len && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (starred) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*') {
		p++;
	}
	return p == pattern.len;
}

uint64_t
match_key(struct span s)
{
	unsigned char end[8] = { 0 };
	size_t n = s.len < sizeof(end) - 1 ? s.len : sizeof(end) - 1;
	uint64_t key;

	if (n > 0) {
		memcpy(end, s.p + s.len - n, n);
	}
	end[7] = (unsigned char)(1 | s.len << 1);
	memcpy(&key, end, sizeof(key));
	return key;
}

/* Most patterns end in a letter that the text does not end in. */
static bool
ends_differ(struct span pattern, struct span text)
{
	return pattern.len > 0 && pattern.p[pattern.len - 1] != '*' &&
	       (text.len == 0 ||
		   pattern.p[pattern.len - 1] != text.p[text.len - 1]);
}

static bool
holds(struct span pattern, struct span text)
{
	return pattern.p == NULL ||
	       (!ends_differ(pattern, text) && match_glob(pattern, text));
}

static bool
holds_any(struct span pattern, const struct principal_names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		if (match_glob(pattern, names->name[i])) {
			return true;
		}
	}
	return false;
}

static bool
match_cert(const struct match *m, const struct principal *who)
{
	if (!holds(m->cn, who->cn)) {
		return false; /* most are told apart by it */
	}
	if (m->san.p != NULL && !holds_any(m->san, &who->san_dns) &&
	    !holds_any(m->san, &who->san_uri) &&
	    !holds_any(m->san, &who->san_email)) {
		return false;
	}
	return (m->o.p == NULL || holds_any(m->o, &who->o)) &&
	       (m->ou.p == NULL || holds_any(m->ou, &who->ou)) &&
	       holds(m->fingerprint, span_of(who->fingerprint)) &&
	       holds(m->serial, span_of(who->serial));
}

static bool
holds_number(struct span pattern, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return holds(pattern, span_of(text));
}

bool
match_principal(const struct match *m, const struct principal *who)
{
	if (who->kind == PRINCIPAL_NONE) {
		return false;
	}
	if (m->kind == PRINCIPAL_NONE) {
		return true;
	}
	if (m->kind != who->kind) {
		return false;
	}
	switch (m->kind) {
	case PRINCIPAL_CERT:
		return match_cert(m, who);
	case PRINCIPAL_LOCAL:
		return holds_number(m->uid, who->uid) &&
		       holds_number(m->gid, who->gid);
	case PRINCIPAL_ANONYMOUS:
		return true;
	case PRINCIPAL_NONE:
		break;
	}
	return false;
}
