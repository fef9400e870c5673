/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar archives; see tar.h.
 *
 * Header fields are octal text in 512 bytes, with a sum over them in which
 * the sum's own field counts as blanks.  Owner and group are 0 and have no
 * name: who unpacks becomes the owner.
 *
 * Rejected: libarchive, for three files.
 *
 * Attackers choose names of clients; a name with a '/' does not come here
 * (cmd_cert.c), and one that is too long is refused.
 */
#include "tar.h"

#include <stdio.h>

#define BLOCK 512

/* POSIX.1-1988, ustar: offsets and sizes of the fields used here. */
#define AT_MODE 100
#define AT_UID 108
#define AT_GID 116
#define AT_SIZE 124
#define AT_MTIME 136
#define AT_SUM 148
#define AT_TYPE 156
#define AT_MAGIC 257
#define NAME_MAX_BYTES 99

static void
octal(char *to, size_t digits, unsigned long long v)
{
	size_t i;

	for (i = digits; i-- > 0; v >>= 3) {
		to[i] = (char)('0' + (v & 7));
	}
}

static void
header(char *h, const char *name, unsigned mode, time_t mtime, size_t n)
{
	unsigned sum = 0;
	size_t i;

	memset(h, 0, BLOCK);
	memcpy(h, name, strlen(name));
	octal(h + AT_MODE, 7, mode);
	octal(h + AT_UID, 7, 0);
	octal(h + AT_GID, 7, 0);
	octal(h + AT_SIZE, 11, n);
	octal(h + AT_MTIME, 11, (unsigned long long)mtime);
	memset(h + AT_SUM, ' ', 8);
	h[AT_TYPE] = '0';
	memcpy(h + AT_MAGIC, "ustar\00000", 8);
	for (i = 0; i < BLOCK; i++) {
		sum += (unsigned char)h[i];
	}
	octal(h + AT_SUM, 6, sum);
	h[AT_SUM + 6] = '\0';
}

size_t
tar_size(size_t n)
{
	return BLOCK + (n + BLOCK - 1) / BLOCK * BLOCK;
}

enum err
tar_add(struct buf *out, const char *name, unsigned mode, time_t mtime,
    struct span bytes)
{
	size_t all = tar_size(bytes.len);
	uint8_t *to;

	if (strlen(name) > NAME_MAX_BYTES) {
		return ERR_LIMIT;
	}
	to = buf_reserve(out, all);
	if (to == NULL) {
		return ERR_LIMIT;
	}
	memset(to, 0, all);
	header((char *)to, name, mode, mtime, bytes.len);
	memcpy(to + BLOCK, bytes.p, bytes.len);
	buf_commit(out, all);
	return ERR_OK;
}

enum err
tar_end(struct buf *out)
{
	static const char zeros[2 * BLOCK];

	return buf_append(out, zeros, sizeof(zeros));
}
