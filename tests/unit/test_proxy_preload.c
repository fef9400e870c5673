/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image archives, given to a scripted dockerd: each once, and what goes wrong
 * is a failure and not written down as done.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload.h"
#include "unit.h"

#define OK_HEAD "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define SIZE 300000 /* more than a socket's buffer holds */

static char dir[64], archives[80], sock[80], stamp[80], seen[80];

/* How the scripted dockerd behaves. */
struct script {
	const char *name;
	const char *answer;
	bool reads; /* all of the archive, before it answers */
	bool ok;
};

static const struct script scripts[] = {
	{ "loaded", OK_HEAD "{\"stream\":\"Loaded image: a:1\\n\"}\r\n", true,
	    true },
	{ "nothing said", OK_HEAD, true, true },
	{ "an error in the stream",
	    OK_HEAD "{\"errorDetail\":{\"message\":\"bad\"},\"error\":\"bad\"}"
		    "\r\n",
	    true, false },
	{ "an error after an image",
	    OK_HEAD "{\"stream\":\"Loaded image: a:1\\n\"}\r\n"
		    "{\"error\":\"no space\"}\r\n",
	    true, false },
	{ "refused",
	    "HTTP/1.0 500 Internal Server Error\r\n\r\n"
	    "{\"message\":\"Error processing tar file\"}\n",
	    true, false },
	{ "refused without a word", "HTTP/1.0 500 X\r\n\r\n", true, false },
	{ "no answer", "", true, false },
	{ "no HTTP", "hello\n", true, false },
	{ "refused before it was sent",
	    "HTTP/1.0 500 X\r\n\r\n{\"message\":\"no\"}\n", false, false },
	{ "done before it was sent", OK_HEAD, false, true },
};

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	unlink(path);
	assert_true(fd != -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* Reads the head, counts it in a file, and the body as it is told to. */
static void
serve(int fd, const struct script *s)
{
	char buf[65536 + 1];
	size_t got = 0, body = 0;
	ssize_t n;
	char *end = NULL;
	int mark, c = accept(fd, NULL, NULL);

	while (end == NULL && (n = recv(c, buf + got, 4096, 0)) > 0) {
		got += (size_t)n;
		buf[got] = '\0';
		end = strstr(buf, "\r\n\r\n");
	}
	mark = open(seen, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (end == NULL || mark == -1 ||
	    strstr(buf, "POST /images/load?quiet=1 HTTP/1.0\r\n") != buf ||
	    strstr(buf, "\r\nContent-Length: 300000\r\n") == NULL ||
	    write(mark, "x", 1) != 1) {
		_exit(1);
	}
	close(mark);
	body = got - (size_t)(end + 4 - buf);
	while (s->reads && body < SIZE &&
	       (n = recv(c, buf, sizeof(buf) - 1, 0)) > 0) {
		body += (size_t)n;
	}
	n = send(c, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	shutdown(c, SHUT_WR);
	if (!s->reads) { /* as Go's server: it drains some before it closes */
		while (recv(c, buf, sizeof(buf) - 1, 0) > 0) {
		}
	}
	close(c);
}

static pid_t
start(const struct script *s)
{
	int fd = listen_at(sock);
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			serve(fd, s);
		}
	}
	close(fd);
	return pid;
}

static void
stop(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status)); /* it did not complain before */
}

static off_t
requests(void)
{
	struct stat sb;

	return stat(seen, &sb) == 0 ? sb.st_size : 0;
}

static void
put_archive(const char *name, int fill)
{
	static char data[SIZE];
	char path[300];
	FILE *f;

	memset(data, fill, sizeof(data));
	snprintf(path, sizeof(path), "%s/%s", archives, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, SIZE, f), SIZE);
	fclose(f);
}

static void
drop(const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", archives, name);
	assert_int_equal(remove(path), 0);
}

static const struct preload plan = { archives, sock, stamp };

static void
failures_are_failures_and_tried_again(void **state)
{
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		put_archive("a.tar", 'a');
		pid = start(&scripts[i]);
		unlink(seen);
		expect_u64(scripts[i].name, preload_run(&plan), scripts[i].ok);
		expect_u64(scripts[i].name, (uint64_t)requests(), 1);
		/* what was done is not done again, what was not is */
		expect_u64(scripts[i].name, preload_run(&plan), scripts[i].ok);
		expect_u64(scripts[i].name, (uint64_t)requests(),
		    scripts[i].ok ? 1 : 2);
		stop(pid);
		unlink(stamp);
	}
	assert_false(preload_run(&plan)); /* nobody listens */
	drop("a.tar");
}

static void
each_is_loaded_once_and_a_changed_one_again(void **state)
{
	pid_t pid = start(&scripts[0]);

	(void)state;
	unlink(seen);
	put_archive("a.tar", 'a');
	put_archive("b.tar.gz", 'b');
	put_archive("not-this.txt", 'c');
	put_archive(".hidden.tar", 'd');
	assert_true(preload_has_archives(archives));
	assert_true(preload_run(&plan));
	assert_int_equal(requests(), 2);
	put_archive("c.tar", 'c');
	drop("a.tar");
	put_archive("a.tar", 'A');
	assert_true(preload_run(&plan));
	assert_int_equal(requests(), 4);
	/* a line that a kill has torn is no line */
	assert_int_equal(truncate(stamp, 10), 0);
	assert_true(preload_run(&plan));
	assert_int_equal(requests(), 7);
	stop(pid);
	drop("a.tar");
	drop("b.tar.gz");
	drop("c.tar");
	assert_false(preload_has_archives(archives));
	drop("not-this.txt");
	drop(".hidden.tar");
	assert_true(preload_run(&plan)); /* nothing to do */
}

static void
one_that_fails_keeps_no_other_from_loading(void **state)
{
	char path[300];
	pid_t pid = start(&scripts[0]);

	(void)state;
	unlink(seen);
	unlink(stamp);
	snprintf(path, sizeof(path), "%s/a.tar", archives);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/b.tar", archives);
	assert_int_equal(mkfifo(path, 0600), 0); /* must hold nothing up */
	put_archive("c.tar", 'c');
	assert_false(preload_run(&plan));
	assert_int_equal(requests(), 1);
	stop(pid);
	drop("a.tar");
	drop("b.tar");
	drop("c.tar");
}

static void
a_folder_that_is_not_there_is_no_folder(void **state)
{
	const struct preload none = { "/nonexistent/x", sock, stamp };

	(void)state;
	assert_false(preload_has_archives(none.dir));
	assert_false(preload_run(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_are_failures_and_tried_again),
		cmocka_unit_test(each_is_loaded_once_and_a_changed_one_again),
		cmocka_unit_test(one_that_fails_keeps_no_other_from_loading),
		cmocka_unit_test(a_folder_that_is_not_there_is_no_folder),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN); /* as main() has it */
	snprintf(dir, sizeof(dir), "/tmp/dinv-pre.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		return 1;
	}
	snprintf(archives, sizeof(archives), "%s/d", dir);
	snprintf(sock, sizeof(sock), "%s/s", dir);
	snprintf(stamp, sizeof(stamp), "%s/stamp", dir);
	snprintf(seen, sizeof(seen), "%s/seen", dir);
	mkdir(archives, 0700);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(sock);
	unlink(stamp);
	unlink(seen);
	rmdir(archives);
	rmdir(dir);
	return failed;
}
