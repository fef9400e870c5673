/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_IMAGE_REF_H
#define POLICY_IMAGE_REF_H

/* Names of images, in the one spelling that patterns are held against. */
#include "base/span.h"

#define IMAGE_REF_MAX 512

enum image_ref_kind {
	IMAGE_REF_BAD = 0, /* dockerd would refuse it, or read it in two ways */
	IMAGE_REF_ID,	   /* an image's id or a prefix: "sha256:abcd" */
	IMAGE_REF_TAG,	   /* "docker.io/library/alpine:3.20" */
	IMAGE_REF_DIGEST,  /* "docker.io/library/alpine@sha256:..." */
	IMAGE_REF_ALL,	   /* no tag was named: "docker.io/library/alpine:*" */
};

struct image_ref {
	enum image_ref_kind kind;
	char text[IMAGE_REF_MAX]; /* ended by NUL */
};

/*
 * What dockerd looks for where it takes an image or an id (a container's
 * Image).  Without a tag it is "latest".
 */
struct image_ref image_ref_any(struct span s);
/*
 * What dockerd makes of a name and a separate tag, which may be empty or a
 * digest (pull, push, tag, commit).  Without either: IMAGE_REF_ALL.
 */
struct image_ref image_ref_join(struct span name, struct span tag);

/*
 * Stars before the first slash of a pattern stay in the registry's name, so
 * "*.example.com/x" is not met by "evil.org/a.example.com/x".
 */
bool image_ref_match(struct span pattern, const struct image_ref *ref);

#endif
