/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between who has records and who has their store; see
 * audit_remote.h.
 *
 * Sizes are fixed but for the lines, whose length is bounded before a byte of
 * them is read.  What has no meaning must be zero.
 */
#include "audit_remote.h"
#include "limit.h"

#define WIRE_NEVER UINT32_MAX

static void
put_le(uint8_t *p, uint64_t v, unsigned n)
{
	while (n-- > 0) {
		*p++ = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t
get_le(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0) {
		v = v << 8 | p[n];
	}
	return v;
}

/* A batch has a number and lines, nothing else has. */
static bool
fits(const struct audit_wire_ask *a)
{
	if (a->kind == AUDIT_ASK_PUT) {
		return a->number != 0;
	}
	return a->kind < AUDIT_ASK_N && a->number == 0;
}

void
audit_wire_put_ask(uint8_t out[AUDIT_WIRE_ASK], const struct audit_ask *ask)
{
	bool put = ask->kind == AUDIT_ASK_PUT;

	out[0] = AUDIT_WIRE_VERSION;
	out[1] = (uint8_t)ask->kind;
	put_le(out + 2, 0, 2);
	put_le(out + 4, put ? ask->lines.len : 0, 4);
	put_le(out + 8, put ? ask->number : 0, 8);
}

bool
audit_wire_get_ask(const uint8_t in[AUDIT_WIRE_ASK], struct audit_wire_ask *out)
{
	struct audit_wire_ask a = {
		.kind = (enum audit_ask_kind)in[1],
		.len = (uint32_t)get_le(in + 4, 4),
		.number = get_le(in + 8, 8),
	};

	if (in[0] != AUDIT_WIRE_VERSION || get_le(in + 2, 2) != 0 ||
	    !fits(&a) || (a.kind == AUDIT_ASK_PUT) != (a.len > 0) ||
	    a.len > LIMIT_AUDIT_RECORD_BYTES) {
		return false;
	}
	*out = a;
	return true;
}

void
audit_wire_put_said(uint8_t out[AUDIT_WIRE_SAID],
    const struct audit_wire_ask *to, const struct audit_said *said)
{
	out[0] = AUDIT_WIRE_VERSION;
	out[1] = (uint8_t)to->kind;
	out[2] = said->done;
	out[3] = 0;
	put_le(out + 4, (uint64_t)said->why, 4);
	put_le(
	    out + 8, said->due_s < 0 ? WIRE_NEVER : (uint64_t)said->due_s, 4);
	put_le(out + 12, to->number, 8);
}

bool
audit_wire_get_said(const uint8_t in[AUDIT_WIRE_SAID],
    struct audit_wire_ask *to, struct audit_said *said)
{
	uint64_t why = get_le(in + 4, 4), due = get_le(in + 8, 4);
	struct audit_wire_ask a = {
		.kind = (enum audit_ask_kind)in[1],
		.number = get_le(in + 12, 8),
	};

	if (in[0] != AUDIT_WIRE_VERSION || in[2] > 1 || in[3] != 0 ||
	    !fits(&a) || why > INT16_MAX ||
	    (due != WIRE_NEVER && due > LIMIT_AUDIT_CHECKPOINT_S)) {
		return false;
	}
	*to = a;
	said->done = in[2] == 1;
	said->why = (int)why;
	said->due_s = due == WIRE_NEVER ? -1 : (int)due;
	return true;
}
