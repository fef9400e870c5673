/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's log; see log.h.
 *
 * A line is built in one piece and written with one write(2), so that lines
 * of several threads and processes do not mix.  No buffer is kept: what was
 * logged before a crash has been written.  Attackers would like to forge
 * lines: callers escape peer bytes, and a newline that slips through is
 * replaced here.
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static enum log_level log_level_now = LOG_INFO;

void
log_set_level(enum log_level level)
{
	log_level_now = level;
}

bool
log_wants(enum log_level level)
{
	return level <= log_level_now;
}

static size_t
put_stamp(char *line, size_t size, const char *level)
{
	struct timespec ts;
	struct tm tm;
	int n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, ts.tv_nsec / 1000000, level);
	return n < 0 ? 0 : (size_t)n;
}

static void __attribute__((format(printf, 2, 0)))
log_line(const char *level, const char *fmt, va_list ap)
{
	char line[1024];
	int saved = errno, n;
	size_t len, i;
	ssize_t written;

	len = put_stamp(line, sizeof(line), level);
	n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	if (n > 0) {
		len += (size_t)n;
	}
	if (len > sizeof(line) - 2) {
		len = sizeof(line) - 2;
	}
	for (i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20) {
			line[i] = '?';
		}
	}
	line[len++] = '\n';
	written = write(STDERR_FILENO, line, len);
	(void)written; /* nobody is left to tell */
	errno = saved;
}

#define LOG_FUNCTION(name, level, text)                                        \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		if (!log_wants(level)) {                                       \
			return;                                                \
		}                                                              \
		va_start(ap, fmt);                                             \
		log_line(text, fmt, ap);                                       \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_error, LOG_ERROR, "error")
LOG_FUNCTION(log_warn, LOG_WARN, "warn")
LOG_FUNCTION(log_info, LOG_INFO, "info")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug")
