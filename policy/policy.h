/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

/*
 * Who may do what.  A policy is loaded once, never changes, and may be used
 * by many threads at a time.  Knows no socket, thread, clock or log.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "ops.h"
#include "principal.h"
#include "request.h"

struct policy;
struct role;

/*
 * policy_load() -- reads a policy file (JSON with comments).
 *
 *   text  the file's bytes
 *   out   policy_free() it
 *   d     the first error, with line and column
 *
 * A policy names clients and the roles they have; a role that the file does
 * not define is a preset's.  Unknown members are errors.
 */
enum err policy_load(
    struct span text, struct policy **out, struct diag *d) MUST_USE;

/*
 * Reports every error of a policy file, in the order of the file; returns how
 * many.
 */
size_t policy_check(struct span text,
    void (*report)(void *arg, const struct diag *d), void *arg);

/* The policy that gives every client the role of a preset ("admin"). */
enum err policy_load_preset(const char *name, struct policy **out) MUST_USE;
/* The text of a preset, or {NULL, 0}. */
struct span policy_preset_text(const char *name);
/* Names of the presets, ended by NULL. */
const char *const *policy_preset_names(void);

void policy_free(struct policy *pol);

/*
 * Before its first use: how the policy follows symbolic links in paths of the
 * host that clients may bind ("host_paths").  Without it they are not looked
 * at.  resolve() is given a clean absolute path and writes where it leads,
 * ended by NUL; of a path that is not there yet, where its beginning leads
 * and the rest behind it, and is ERR_NOTFOUND.  Or why it cannot tell.
 */
void policy_follow_links(struct policy *pol,
    enum err (*resolve)(const char *path, char *out, size_t size));

/* Does the role only observe?  Its own "mode" goes before the policy's. */
bool policy_observes(const struct policy *pol, const struct role *role);
/* The whole policy says so; or the role number i that says so, or NULL. */
bool policy_observes_all(const struct policy *pol);
const char *policy_observing_role(const struct policy *pol, size_t i);

/* First matching client wins; NULL when none does: refuse everything. */
const struct role *policy_role(
    const struct policy *pol, const struct principal *who);
const char *role_name(const struct role *role);
/* Forwards bodies and unknown operations unread (admin). */
bool role_unconstrained(const struct role *role);

/* What of an allowed request goes on record. */
enum audit_level {
	AUDIT_LEVEL_USUAL = 0, /* metadata, but nothing of plain reads */
	AUDIT_LEVEL_NONE,
	AUDIT_LEVEL_METADATA,
	AUDIT_LEVEL_REQUEST, /* its query and body too (redact.h) */
};

/* role may be NULL; op NULL: one that no table has. */
enum audit_level policy_audit_level(
    const struct role *role, const struct op *op);

enum verdict {
	VERDICT_DENY = 0,
	VERDICT_ALLOW,
	VERDICT_NEED_BODY, /* policy_body() next */
	VERDICT_NEED_FACT, /* policy_next_fact(), ask dockerd, policy_fact() */
};

/* Why.  All strings end with NUL, are valid UTF-8 without controls. */
struct policy_why {
	const char *role; /* borrowed from the policy; "" without one */
	const char *rule; /* a short stable name: "privileged" */
	char path[128];	  /* JSON path or query key; "" if none */
	unsigned line;	  /* of the policy file; 0 if none */
	unsigned status;  /* of a refusal: 403; 400, 404: no such; 409: taken */
	char tenant[64];  /* whose client it is; "" if nobody's */
	char message[512]; /* the sentence for the client, on a refusal */
};

/*
 * One decision, made in steps; lives in the request's arena.
 *
 *	v = policy_begin(...);
 *	if (v == VERDICT_NEED_BODY)
 *		v = policy_body(d, body);
 *	while (v == VERDICT_NEED_FACT) {
 *		policy_next_fact(d, target);      (GET it from dockerd)
 *		v = policy_fact(d, status, answer);
 *	}
 *
 * Every step writes the reason on VERDICT_DENY.  Any failure inside (memory,
 * limits) is VERDICT_DENY with rule "internal".
 *
 * Refs: docs/policy.md; moby api/swagger.yaml operation ids.
 */
struct decision;

/*
 *   req   borrowed until the decision's end; canon_request() made it and the
 *         caller filled headers, upgrade and has_body
 *   out   untouched on VERDICT_DENY
 */
enum verdict policy_begin(const struct policy *pol, const struct principal *who,
    const struct canon_req *req, struct arena *arena, struct decision **out,
    struct policy_why *why);

/* body: all of it; borrowed for the call. */
enum verdict policy_body(
    struct decision *d, struct span body, struct policy_why *why);

/* The target to GET from dockerd, such as "/v1.24/containers/x/json". */
struct span policy_next_fact(const struct decision *d);
/* Not empty: POST this JSON there, in place of the GET. */
struct span policy_fact_body(const struct decision *d);
/* status: of dockerd's answer; body: all of it, borrowed for the call. */
enum verdict policy_fact(struct decision *d, unsigned status, struct span body,
    struct policy_why *why);

/*
 * After VERDICT_ALLOW.  The body to send instead of the client's, written
 * from the checked tree; {NULL, 0} with *replace false: stream the client's.
 */
struct span policy_new_body(const struct decision *d, bool *replace);
/* The full id that dockerd told for the object, or empty; for the record. */
struct span policy_object_id(const struct decision *d);
/*
 * What the role passes on unjudged or leaves out although no table knows it:
 * "HostConfig.Foo unjudged, Bar left out"; "" for nothing.  Printable.
 */
const char *policy_notes(const struct decision *d);
/*
 * What was found out about a request that is only observed ("mode":
 * "observe").  Strings end with NUL and are printable, but for values: these
 * are bytes of the client's.  Never a secret: of variables, labels and driver
 * options there are names alone.
 */
struct policy_finding {
	const char *rule; /* "privileged" */
	const char *path; /* JSON path or query key; "" if none */
	const char *message;
	struct span value; /* the text it is about; {NULL, 0}: none */
	bool cut;	   /* value is longer than this */
	const char *how;   /* "ro", "rw", "run", "pull", ...; or "" */
	struct policy_finding *next;
};

struct policy_findings {
	struct policy_finding *first;
	unsigned n;    /* of the list */
	unsigned more; /* that it does not hold */
};

/*
 * refused: what the role refuses.  needs: what a role without any right but
 * the operation would have to be given, and networks and images that were
 * used.
 */
struct policy_report {
	struct policy_findings refused, needs;
};

/* After VERDICT_ALLOW; NULL where the role enforces.  Borrowed from d. */
const struct policy_report *policy_report(const struct decision *d);
/* Is the client's request passed on as it came, unread or only observed? */
bool policy_passes_unread(const struct decision *d);

/* May this request header go upstream?  Hop-by-hop ones are not asked for. */
bool policy_keeps_header(const struct decision *d, struct span name);
/* Writes the target as judged (unknown query keys of lenient ops left out).*/
enum err policy_write_target(
    const struct decision *d, struct buf *out) MUST_USE;

#endif
