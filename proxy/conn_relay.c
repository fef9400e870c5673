/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After an upgrade: two raw lanes; docs/relay.md has the table of ends.
 *
 * Each lane ends by itself.  The client's close_notify becomes
 * shutdown(SHUT_WR) towards dockerd, once everything before it was written;
 * dockerd's end becomes close_notify towards the client, once everything
 * before it was written; the other lane lives on.  That is what
 * "echo foo | docker run -i" needs: stdin ends first, output comes later.
 *
 * dockerd closing both ways (its container is gone) ends the lane up as
 * well: what the client still sends has nobody to read it.
 *
 * No timer: a silent container is not a dead one.
 */
#include "conn_impl.h"

/* From one stage of a lane to the next; false: out of memory, which must not
 * look like a full lane, because nothing would ever wake it. */
static bool
lane_pass(struct buf *to, struct buf *from, uint64_t *count)
{
	bool could;
	size_t n;

	lanes_bound(to);
	could = from->len > 0 && buf_room(to) > 0;
	n = buf_move(to, from, from->len);
	*count += n;
	return n > 0 || !could;
}

/* Client to dockerd. */
static bool
lane_up(struct conn *c)
{
	struct request *r = c->req;
	bool moved = end_read(&c->client, &c->client_in);

	if (!r->body.done) {
		/* The rest of the request's body is not stdin. */
		if (body_pass(&r->body, &c->client_in, NULL,
			BODY_OUT_DISCARD) != ERR_OK) {
			c->client.rd = IO_FAIL;
			return true;
		}
	}
	if (c->daemon.gone) {
		/* A lane that was full is read again; no event says so. */
		moved = moved || c->client_in.len > 0;
		buf_consume(&c->client_in, c->client_in.len);
		return moved;
	}
	if (r->body.done &&
	    !lane_pass(&c->daemon_out, &c->client_in, &r->client_bytes)) {
		c->client.rd = IO_FAIL;
		return true;
	}
	moved = end_write(&c->daemon, &c->daemon_out) || moved;
	if (c->daemon.wr == IO_FAIL) {
		c->daemon.gone = true;
		buf_fini(&c->daemon_out);
		return true;
	}
	if (c->client.eof && c->client_in.len == 0 && c->daemon_out.len == 0 &&
	    !c->daemon.shut) {
		(void)stream_shut(c->daemon.s);
		c->daemon.shut = true;
		moved = true;
	}
	return moved;
}

/* dockerd to client. */
static bool
lane_down(struct conn *c)
{
	struct request *r = c->req;
	bool moved = end_write(&c->client, &c->client_out);

	moved = end_read(&c->daemon, &c->daemon_in) || moved;
	if (c->daemon.starved) {
		c->client.wr = IO_FAIL;
		return true;
	}
	if (c->daemon.rd == IO_FAIL && !c->daemon.eof) {
		/* Reset: it closed with our bytes unread; its own are here. */
		c->daemon.eof = c->daemon.gone = true;
		moved = true;
	}
	if (!lane_pass(&c->client_out, &c->daemon_in, &r->daemon_bytes)) {
		c->client.wr = IO_FAIL;
		return true;
	}
	moved = end_write(&c->client, &c->client_out) || moved;
	if (c->daemon.eof && c->daemon_in.len == 0 && c->client_out.len == 0 &&
	    !c->client.shut && c->client.wr == IO_OK) {
		c->client.wr = stream_shut(c->client.s);
		c->client.shut = c->client.wr == IO_OK;
		moved = true;
	}
	return moved;
}

enum step
step_relay(struct conn *c)
{
	bool moved = lane_up(c);

	if (c->client.rd == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	moved = lane_down(c) || moved;
	if (c->client.wr == IO_FAIL) {
		return conn_closed(c, "client_lost");
	}
	if (c->daemon.eof && !c->daemon.gone && daemon_hung_up(c)) {
		c->daemon.gone = true;
		moved = true;
	}
	/* Both lanes are drained and ended, or nobody reads the one up. */
	if (c->client.shut && (c->daemon.shut || c->daemon.gone)) {
		daemon_close(c);
		return exchange_finish(c, NULL);
	}
	return moved ? STEP_AGAIN : STEP_BLOCKED;
}
