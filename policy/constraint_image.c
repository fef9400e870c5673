/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which images a role may run, pull, push and tag; see constraint.h.
 *
 * Every name is brought into dockerd's full form first (image_ref.c), and a
 * list of patterns is all there is: what no pattern meets is refused.  An id
 * has no name, so it meets "sha256:*" and no pattern of names.  A pull or push
 * without a tag is of all tags: its text ends with a star of its own, which
 * only a star of the pattern meets, so "x:v*" does not let all of x through.
 *
 * Rejected: asking dockerd for the names of an id (an image may have several,
 * and whoever may tag gives it the one that is wanted).
 *
 * Attackers pull by digest what they may not by name, name an image "cafe" as
 * if by its id, tag a foreign image with an allowed name: so "tag" is a list
 * too, and it holds for builds, commits and imports.
 */
#include <stdio.h>

#include "constraint.h"

static const struct words *
list_of(const struct constraints *c, enum image_use use)
{
	switch (use) {
	case IMAGE_PULL:
		return &c->images.pull;
	case IMAGE_PUSH:
		return &c->images.push;
	case IMAGE_TAG:
		return &c->images.tag;
	case IMAGE_REMOVE:
		return &c->images.remove;
	case IMAGE_RUN:
		break;
	}
	return &c->images.run;
}

static const char *const use_words[] = {
	[IMAGE_RUN] = "run",
	[IMAGE_PULL] = "pull",
	[IMAGE_PUSH] = "push",
	[IMAGE_TAG] = "tag",
	[IMAGE_REMOVE] = "remove",
};

const char *
constraint_image_use(enum image_use use)
{
	return use_words[use];
}

static bool
meets(const struct words *list, const struct image_ref *ref)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (image_ref_match(list->item[i], ref)) {
			return true;
		}
	}
	return false;
}

/*
 * Does it mean one image for good?  An id does when it is whole: what looks
 * like a part of one ("cafe", "sha256:cafe") is a name to dockerd first.
 */
static bool
is_fixed(const struct image_ref *ref)
{
	return ref->kind == IMAGE_REF_DIGEST ||
	       (ref->kind == IMAGE_REF_ID &&
		   strlen(ref->text) >= strlen("sha256:") + 64);
}

bool
constraint_image(const struct constraints *c, enum image_use use,
    const struct image_ref *ref, struct span as_written, char *what,
    size_t size)
{
	const struct words *list = list_of(c, use);
	bool digest =
	    c->images.digest_only && (use == IMAGE_RUN || use == IMAGE_PULL);

	if (!list->set && !digest) {
		return true;
	}
	if (ref->kind == IMAGE_REF_BAD) {
		snprintf(what, size, "%s, which is no name of an image",
		    quote(as_written).s);
		return false;
	}
	if (list->set && !meets(list, ref)) {
		if (ref->kind == IMAGE_REF_ID) {
			snprintf(what, size,
			    "to %s the image %s, which can be an id (write "
			    "name:tag; allowed: %s)",
			    use_words[use], quote(as_written).s,
			    words_show(list).s);
			return false;
		}
		snprintf(what, size, "to %s the image %s (allowed: %s)",
		    use_words[use], quote(span_of(ref->text)).s,
		    words_show(list).s);
		return false;
	}
	if (digest && !is_fixed(ref)) {
		snprintf(what, size,
		    "to %s the image %s without a digest (write "
		    "name@sha256:...)",
		    use_words[use], quote(span_of(ref->text)).s);
		return false;
	}
	return true;
}
