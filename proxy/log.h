/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROXY_LOG_H
#define PROXY_LOG_H

/*
 * Speaks to the operator: one line a call on standard error, thread-safe,
 * errno kept.  fmt is "what happened, and what to do next" followed by
 * key=value pairs; peer bytes go through text_escape() first.
 *
 *	2026-11-21T10:00:00.123Z info  listening addr=tcp://0.0.0.0:2376
 */
#include <stdbool.h>

enum log_level { LOG_ERROR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Set once, before threads start.  Default LOG_INFO. */
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
