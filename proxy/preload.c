/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image archives for dockerd; see preload.h.
 *
 * An appliance bakes its images in, so that it starts without a network and
 * always with the same bytes.  Each archive is one POST /images/load over
 * dockerd's unix socket, as "docker load" does it; the docker CLI was
 * rejected for this because an appliance's image need not hold it.  HTTP/1.0,
 * so that the answer ends with the connection and is not chunked.
 *
 * What was loaded is written down beside the images, in dockerd's data
 * folder, by name, size and time: a volume that is kept keeps both, a fresh
 * one is filled anew, and an image that somebody removed does not come back
 * at each start.  The line is written after dockerd has said so: a kill
 * between the two loads once more, which changes nothing.
 *
 * Who attacks: nobody; archives are the image author's.  What dockerd quotes
 * of them is escaped for the log.
 */
#include "preload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "log.h"
#include "policy/json.h"

#define ANSWER_BYTES 65536
#define LINE_BYTES 512
#define PROGRESS_BYTES ((off_t)256 << 20)
#define MIB(n) ((long long)((n) >> 20))

/* ---- which ----------------------------------------------------------------
 */

static bool
ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a > b && strcmp(s + a - b, end) == 0;
}

static int
is_archive(const struct dirent *e)
{
	const char *s = e->d_name;

	return s[0] != '.' && strlen(s) < 200 &&
	       text_is_printable(span_of(s)) &&
	       (ends_with(s, ".tar") || ends_with(s, ".tar.gz"));
}

bool
preload_has_archives(const char *dir)
{
	struct dirent **list = NULL;
	int i, n = scandir(dir, &list, is_archive, NULL);

	for (i = 0; i < n; i++) {
		free(list[i]);
	}
	free(list);
	return n > 0;
}

/* ---- what was loaded ------------------------------------------------------
 */

static void
stamp_line(const char *name, const struct stat *sb, char out[LINE_BYTES])
{
	snprintf(out, LINE_BYTES, "%lld %lld.%09ld %s\n",
	    (long long)sb->st_size, (long long)sb->st_mtim.tv_sec,
	    sb->st_mtim.tv_nsec, name);
}

static bool
stamp_has(const char *path, const char *want)
{
	char line[LINE_BYTES];
	FILE *f = fopen(path, "re");
	bool found = false;

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		found = strcmp(line, want) == 0;
	}
	if (f != NULL) {
		fclose(f);
	}
	return found;
}

static bool
stamp_add(const char *path, const char *line)
{
	size_t len = strlen(line);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;

	if (fd == -1) {
		return false;
	}
	/* A torn line is no line: that archive is loaded once more. */
	ok = write(fd, line, len) == (ssize_t)len && fsync(fd) == 0;
	close(fd);
	return ok;
}

/* ---- one archive ----------------------------------------------------------
 */

static int
dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool
send_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0) {
			return false;
		}
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* False with errno; EPIPE: dockerd has answered before it was over. */
static bool
send_archive(int to, int from, const char *name, off_t size)
{
	off_t sent = 0, said = 0;
	char head[256];
	ssize_t n;
	int len;

	len = snprintf(head, sizeof(head),
	    "POST /images/load?quiet=1 HTTP/1.0\r\nHost: docker\r\n"
	    "Content-Type: application/x-tar\r\nContent-Length: %lld\r\n\r\n",
	    (long long)size);
	if (!send_all(to, head, (size_t)len)) {
		return false;
	}
	while (sent < size) {
		n = sendfile(to, from, &sent, 1 << 20);
		if (n == 0) {
			errno = EIO; /* it was longer when we looked */
		}
		if (n <= 0) {
			return false;
		}
		if (sent - said >= PROGRESS_BYTES) {
			said = sent;
			log_info("loading images archive=%s mib=%lld of=%lld",
			    name, MIB(sent), MIB(size));
		}
	}
	return true;
}

static enum err
read_answer(int fd, struct buf *b)
{
	enum err rc = ERR_OK;
	char piece[4096];
	ssize_t n = 1;

	while (rc == ERR_OK && n > 0) {
		n = recv(fd, piece, sizeof(piece), 0);
		if (n > 0) {
			rc = buf_append(b, piece, (size_t)n);
		}
	}
	return n < 0 && b->len == 0 ? ERR_IO : rc;
}

/* One JSON line of the answer: false where it tells of a failure. */
static bool
hear_line(const char *name, struct span line)
{
	const struct json_node *root, *said, *error, *message;
	struct json_doc *doc = NULL;
	char text[LINE_BYTES];
	struct span s;

	if (json_parse(line, JSON_STRICT, &doc, NULL) != ERR_OK) {
		return true; /* a blank, or a progress that we did not want */
	}
	root = json_root(doc);
	error = message = said = NULL;
	if (json_type(root) == JSON_OBJECT) {
		error = json_get(root, "error");
		message = json_get(root, "message");
		said = json_get(root, "stream");
	}
	error = error == NULL ? message : error;
	s = text_trim(json_text(error != NULL ? error : said));
	while (s.len > 0 && s.p[s.len - 1] == '\n') {
		s.len--;
	}
	text_escape(s, text, sizeof(text));
	json_free(doc);
	if (error != NULL) {
		log_error("images not loaded: dockerd said: %s archive=%s",
		    text, name);
	} else if (s.len > 0) {
		log_info("%s archive=%s", text, name);
	}
	return error == NULL;
}

static struct span
next_line(struct span *rest)
{
	const char *end = memchr(rest->p, '\n', rest->len);
	size_t len = end == NULL ? rest->len : (size_t)(end - rest->p);
	struct span line = { rest->p, len };

	len += end != NULL;
	rest->p += len;
	rest->len -= len;
	return line;
}

/* Status and body; a head without a body that says why is a failure too. */
static bool
hear_answer(const char *name, struct span answer)
{
	bool ok = answer.len > 12 && memcmp(answer.p, "HTTP/1.", 7) == 0 &&
		  memcmp(answer.p + 8, " 200", 4) == 0;
	bool told = true;
	struct span line;

	do {
		line = next_line(&answer);
	} while (line.len > 1 && answer.len > 0); /* the head, to "\r" */
	while (answer.len > 0) {
		line = next_line(&answer);
		told = hear_line(name, line) && told;
	}
	if (!ok && told) {
		log_error("images not loaded: no answer of dockerd's that "
			  "can be understood archive=%s",
		    name);
	}
	return ok && told;
}

static bool
exchange(int to, int from, const char *name, off_t size)
{
	struct buf answer;
	bool ok = false;
	int failed = 0;

	buf_init(&answer, ANSWER_BYTES);
	if (!send_archive(to, from, name, size)) {
		failed = errno;
	}
	if (failed == 0 || failed == EPIPE || failed == ECONNRESET) {
		if (read_answer(to, &answer) == ERR_OK && answer.len > 0) {
			ok = hear_answer(name, buf_span(&answer));
			failed = ok ? failed : -1; /* it was said */
		} else {
			failed = failed == 0 ? ECONNRESET : failed;
		}
	}
	if (failed > 0) {
		ok = false;
		log_error(
		    "images not loaded: %s archive=%s", strerror(failed), name);
	}
	buf_fini(&answer);
	return ok;
}

static int64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
load_one(const struct preload *p, const char *name, int from, off_t size)
{
	int64_t since = clock_ms();
	int to = dial(p->socket);
	bool ok;

	if (to == -1) {
		log_error("images not loaded: dockerd is not there: %s "
			  "archive=%s",
		    strerror(errno), name);
		return false;
	}
	log_info("loading images archive=%s mib=%lld", name, MIB(size));
	ok = exchange(to, from, name, size);
	close(to);
	if (ok) {
		log_info("images loaded archive=%s after_ms=%lld", name,
		    (long long)(clock_ms() - since));
	}
	return ok;
}

static bool
look_at(const struct preload *p, const char *name)
{
	char path[4096], line[LINE_BYTES];
	struct stat sb;
	bool ok = true;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode)) {
		log_error("images not loaded: no regular file that can be "
			  "read archive=%s",
		    path);
		ok = false;
	} else {
		stamp_line(name, &sb, line);
		if (stamp_has(p->stamp, line)) {
			log_debug("was loaded before archive=%s", name);
		} else {
			ok = load_one(p, name, fd, sb.st_size);
			if (ok && !stamp_add(p->stamp, line)) {
				log_warn("it will be loaded again at the next "
					 "start: %s file=%s",
				    strerror(errno), p->stamp);
			}
		}
	}
	if (fd != -1) {
		close(fd);
	}
	return ok;
}

bool
preload_run(const struct preload *p)
{
	struct dirent **list = NULL;
	int i, n = scandir(p->dir, &list, is_archive, alphasort);
	bool ok = true;

	if (n == -1) {
		log_error("archives cannot be listed: %s folder=%s",
		    strerror(errno), p->dir);
		return false;
	}
	for (i = 0; i < n; i++) {
		ok = look_at(p, list[i]->d_name) && ok;
		free(list[i]);
	}
	free(list);
	return ok;
}
