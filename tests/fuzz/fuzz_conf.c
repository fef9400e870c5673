/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files.  An error says where and what; what is accepted keeps
 * to the ranges that the gate counts on.
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"

static void
check_ranges(const struct gate_config *c)
{
	CHECK(c->tls <= GATE_TLS_NONE);
	CHECK(c->tls_min <= TLS_VERSION_1_3 && c->tls_max <= TLS_VERSION_1_3);
	CHECK(c->limits.body_bytes > 0 && c->limits.body_bytes <= INT32_MAX);
	CHECK(c->limits.head_ms > 0 && c->limits.head_ms <= INT32_MAX);
	CHECK(c->limits.connections > 0);
	CHECK(c->workers <= INT32_MAX);
}

/* Only what the file gave: the rest was NULL. */
static void
drop(struct gate_config *c)
{
	size_t i;

	for (i = 0; i < c->listen.n; i++) {
		free((void *)(uintptr_t)c->listen.item[i]);
	}
	free(c->listen.item);
	free((void *)(uintptr_t)c->upstream);
	free((void *)(uintptr_t)c->certs);
	free((void *)(uintptr_t)c->key_pass_file);
	free((void *)(uintptr_t)c->policy);
	free((void *)(uintptr_t)c->audit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gate_config c = { .limits = LIMITS_DEFAULT };
	struct diag d = { 0, 0, "" };
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);

	CHECK(fd != -1 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(path, &c, &d) == ERR_OK) {
		check_ranges(&c);
	} else {
		CHECK(span_starts(span_of(d.text), path) ||
		      span_starts(span_of(d.text), "cannot read"));
	}
	drop(&c);
	(void)close(fd);
	return 0;
}
