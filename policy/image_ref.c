/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images as dockerd reads them (github.com/distribution/reference
 * ParseNormalizedNamed, ParseAnyReference); see image_ref.h.
 *
 * A name is brought into its full form, registry/path:tag or
 * registry/path@digest, and only that is held against patterns.  What older
 * and newer dockerd read differently (upper case in a first component that is
 * no host name) is refused.  A digest beside a tag wins, as in dockerd, so the
 * tag is dropped: "alpine:3@sha256:..." must not pass for "alpine:3".
 *
 * Rejected: patterns on what the client wrote, because "alpine",
 * "docker.io/alpine" and "index.docker.io/library/alpine:latest" are one
 * image.
 *
 * Attackers name an image by its id or a prefix of it, which needs no name at
 * all: dockerd takes "cafe" for an id when no image has that name.  They put a
 * digest where a tag belongs, and a registry's name into a path.
 */
#include "image_ref.h"

#include <stdio.h>

#include "role.h"

static bool
is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool
is_hex(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'f')) {
			return false;
		}
	}
	return s.len > 0;
}

/* "sha256:" and hex digits; whole: all of them. */
static bool
is_digest(struct span s, bool whole)
{
	static const struct {
		const char *prefix;
		size_t hex;
	} kinds[] = { { "sha256:", 64 }, { "sha384:", 96 },
		{ "sha512:", 128 } };
	struct span rest;
	size_t i;

	for (i = 0; i < NELEM(kinds); i++) {
		if (!span_starts(s, kinds[i].prefix)) {
			continue;
		}
		rest = span_make(s.p + strlen(kinds[i].prefix),
		    s.len - strlen(kinds[i].prefix));
		return is_hex(rest) && (!whole || rest.len == kinds[i].hex);
	}
	return false;
}

/* [\w][\w.-]{0,127} */
static bool
is_tag(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '_' &&
		    (i == 0 || (s.p[i] != '.' && s.p[i] != '-'))) {
			return false;
		}
	}
	return s.len > 0 && s.len <= 128;
}

/* [a-z0-9]+ joined by ".", "_", "__" or any number of "-". */
static bool
is_component(struct span s)
{
	size_t i = 0, from;

	while (i < s.len && is_lower_alnum(s.p[i])) {
		while (i < s.len && is_lower_alnum(s.p[i])) {
			i++;
		}
		if (i == s.len) {
			return true;
		}
		from = i;
		while (i < s.len && s.p[i] == s.p[from] &&
		       strchr("._-", s.p[i]) != NULL) {
			i++;
		}
		if (i == from || (s.p[from] == '.' && i - from > 1) ||
		    (s.p[from] == '_' && i - from > 2)) {
			return false;
		}
	}
	return false;
}

static bool
is_path(struct span s)
{
	const char *slash;
	struct span part;

	for (;;) {
		slash = memchr(s.p, '/', s.len);
		part = s;
		part.len = slash == NULL ? s.len : (size_t)(slash - s.p);
		if (!is_component(part)) {
			return false;
		}
		if (slash == NULL) {
			return true;
		}
		s.p += part.len + 1;
		s.len -= part.len + 1;
	}
}

/* Host names, IPv4 and "[IPv6]", with a port or without. */
static bool
is_registry(struct span s)
{
	size_t i, end = s.len;

	for (i = s.len; i > 0 && s.p[i - 1] >= '0' && s.p[i - 1] <= '9';) {
		i--;
	}
	if (i > 0 && i < s.len && s.p[i - 1] == ':') {
		end = i - 1;
	}
	if (end > 2 && s.p[0] == '[' && s.p[end - 1] == ']') {
		for (i = 1; i < end - 1; i++) {
			if (strchr("0123456789abcdefABCDEF:", s.p[i]) == NULL) {
				return false;
			}
		}
		return true;
	}
	for (i = 0; i < end; i++) {
		if (!is_alnum(s.p[i]) &&
		    (i == 0 || i == end - 1 || strchr(".-", s.p[i]) == NULL)) {
			return false;
		}
	}
	return end > 0;
}

/* Is the first component a registry?  See splitDockerDomain(). */
static bool
names_registry(struct span first)
{
	return memchr(first.p, '.', first.len) != NULL ||
	       memchr(first.p, ':', first.len) != NULL ||
	       span_is(first, "localhost");
}

struct parts {
	struct span registry;
	struct span path;
	bool library; /* "library/" stands before the path */
	struct span tag;
	struct span digest;
};

/* Takes what follows the last c off the end of s, if it is there. */
static bool
take_tail(struct span *s, char c, struct span *tail)
{
	const char *at = memrchr(s->p, c, s->len);

	if (at == NULL) {
		return false;
	}
	*tail = span_make(at + 1, (size_t)(s->p + s->len - at) - 1);
	s->len = (size_t)(at - s->p);
	return true;
}

static bool
split_path(struct span s, struct parts *out)
{
	const char *slash = memchr(s.p, '/', s.len);
	struct span first = s;

	first.len = slash == NULL ? s.len : (size_t)(slash - s.p);
	out->registry = span_of("docker.io");
	out->path = s;
	if (slash != NULL && names_registry(first)) {
		out->registry = first;
		out->path = span_make(slash + 1, s.len - first.len - 1);
		if (span_is(first, "index.docker.io")) {
			out->registry = span_of("docker.io");
		}
	}
	out->library = span_is(out->registry, "docker.io") &&
		       (out->path.len == 0 ||
			   memchr(out->path.p, '/', out->path.len) == NULL);
	return out->path.len > 0 && is_path(out->path) &&
	       is_registry(out->registry) &&
	       out->registry.len + out->path.len < 240;
}

/* name[:tag][@digest] */
static bool
split(struct span s, struct parts *out)
{
	const char *slash;

	memset(out, 0, sizeof(*out));
	/* dockerd takes 64 hex digits for an id and nothing else. */
	if (s.len == 0 || (s.len == 64 && is_hex(s))) {
		return false;
	}
	if (take_tail(&s, '@', &out->digest) && !is_digest(out->digest, true)) {
		return false;
	}
	slash = memrchr(s.p, '/', s.len);
	if (memchr(slash == NULL ? s.p : slash, ':',
		slash == NULL ? s.len : (size_t)(s.p + s.len - slash)) !=
		NULL &&
	    (!take_tail(&s, ':', &out->tag) || !is_tag(out->tag))) {
		return false;
	}
	return s.len > 0 && split_path(s, out);
}

static struct image_ref
join(const struct parts *p)
{
	struct image_ref ref = { IMAGE_REF_BAD, "" };
	struct span last = p->digest;
	char mark = '@';

	ref.kind = IMAGE_REF_DIGEST;
	if (last.len == 0) {
		last = p->tag;
		mark = ':';
		ref.kind = IMAGE_REF_TAG;
	}
	if (last.len == 0) {
		last = span_of("*");
		ref.kind = IMAGE_REF_ALL;
	}
	snprintf(ref.text, sizeof(ref.text), "%.*s/%s%.*s%c%.*s",
	    SPAN_ARG(p->registry), p->library ? "library/" : "",
	    SPAN_ARG(p->path), mark, SPAN_ARG(last));
	return ref;
}

struct image_ref
image_ref_any(struct span s)
{
	struct image_ref ref = { IMAGE_REF_BAD, "" };
	struct parts p;

	if ((s.len <= 64 && is_hex(s)) ||
	    (s.len < IMAGE_REF_MAX && is_digest(s, false))) {
		ref.kind = IMAGE_REF_ID;
		snprintf(ref.text, sizeof(ref.text), "%s%.*s",
		    is_hex(s) ? "sha256:" : "", SPAN_ARG(s));
		return ref;
	}
	if (!split(s, &p)) {
		return ref;
	}
	if (p.tag.len == 0) {
		p.tag = span_of("latest");
	}
	return join(&p);
}

/* moby daemon/images PullImage: "the tag could actually be a digest" */
struct image_ref
image_ref_join(struct span name, struct span tag)
{
	struct image_ref bad = { IMAGE_REF_BAD, "" };
	struct parts p;

	/* "pull -a" may send a name with a colon at its end. */
	if (name.len > 0 && name.p[name.len - 1] == ':') {
		name.len--;
	}
	if (!split(name, &p)) {
		return bad;
	}
	if (is_digest(tag, true)) {
		p.digest = tag;
	} else if (is_tag(tag)) {
		p.tag = tag;
	} else if (tag.len > 0) {
		return bad;
	}
	return join(&p);
}

bool
image_ref_match(struct span pattern, const struct image_ref *ref)
{
	struct span text = span_of(ref->text), head, rest;
	const char *p, *t;

	if (ref->kind == IMAGE_REF_BAD) {
		return false;
	}
	if (span_is(pattern, "*")) {
		return true;
	}
	p = pattern.len == 0 ? NULL : memchr(pattern.p, '/', pattern.len);
	t = memchr(text.p, '/', text.len);
	if (p == NULL || t == NULL) {
		return p == NULL && t == NULL && match_glob(pattern, text);
	}
	head = span_make(pattern.p, (size_t)(p - pattern.p));
	rest = span_make(p, pattern.len - head.len);
	return match_glob(head, span_make(text.p, (size_t)(t - text.p))) &&
	       match_glob(rest, span_of(t));
}
