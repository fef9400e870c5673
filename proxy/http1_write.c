/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of HTTP/1.1 messages, the writing side; see http1.h.
 *
 * What is written was read and checked by http1.c, or is our own: nothing is
 * checked again here.  Attackers reach this file only through what the
 * strict reader let pass.
 */
#include "http1.h"

enum err
http1_write_header(struct buf *out, struct span name, struct span value)
{
	enum err rc = buf_append(out, name.p, name.len);

	if (rc == ERR_OK) {
		rc = buf_append(out, ": ", 2);
	}
	if (rc == ERR_OK) {
		rc = buf_append(out, value.p, value.len);
	}
	return rc == ERR_OK ? buf_append(out, "\r\n", 2) : rc;
}

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
http1_reason(unsigned status)
{
	size_t i;

	for (i = 0; i < NELEM(reasons); i++) {
		if (reasons[i].status == status) {
			return reasons[i].reason;
		}
	}
	return "Unknown";
}
