/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections as a whole: states, pump, exchange, relay, answers, questions
 * to dockerd, audit, ends; with scripted bytes on all four ends, time,
 * reloads, revocations and memory that runs out.  What must hold of all that
 * is in conn/judge.c, conn/ledger.c and conn/reader.c.
 *
 * Input: lines, each a letter and what belongs to it.  In texts | is CRLF,
 * \n LF, \r CR, \0 NUL, \\ a backslash; NNN is a number.
 *
 *	n W	a client over TLS that W is: 0 root (admin), 1 ci (ci-runner),
 *		2 ro (read-only), 3 ta and 4 tb (tenants), 5 obs (observed),
 *		6 nobody, 7 renew, 8 one whose name is bad, 9 quiet (no audit)
 *	N W	the same, whose handshake waits: for a byte, "-" fails it
 *	u, a	a client on a unix socket; on a clear listener, by TCP
 *	o N	what follows is for client N, from 0
 *	c TEXT	it sends; b NNN: so many bytes that tell their places
 *	C F R X	it ends its direction well, by a bare FIN; resets; closes
 *	W NNN	it takes so many bytes, and no more until the next W; W: all
 *	P NNN	at most so many bytes in one call; P: any
 *	T NNN	that many reads want to write first
 *	d TEXT, B NNN, D, Z, x, w NNN, p NNN	the same of its dockerd, D: FIN,
 *		Z: reset, x: closes both ways
 *	q TEXT	dockerd's answer to the next request that comes whole
 *	k N	connect() meets: 0 dockerd, 1 nobody, 2 a full backlog, 3 no
 *file t NNN	milliseconds pass l N	policy N is loaded, open streams are
 *judged anew r W	W's certificate is revoked, likewise s, S	graceful
 *stop; its second phase v	the sweep f N	audit: 1 full, 0 not i N
 *issuer: 0 works, 1 busy, 2 broken;  j NNN: it answers so
 *	m NNN	the NNNth allocation from here fails
 *	h NNN	heads of so many bytes, of clients that come from here on
 *	e	events come in the other order
 *
 * A line that begins with & comes at once with the one before it: the loop
 * gets no turn between them.
 */
#include <netinet/in.h>

#include "conn/world.h"

#define LINES 200 /* of one script that are played */

/* --- policies ------------------------------------------------------------ */

#define CLIENTS(admin, tail)                                                   \
	"{" tail "\"clients\":["                                               \
	"{\"match\":{\"cn\":\"root\"},\"role\":\"" admin "\"},"                \
	"{\"match\":{\"cn\":\"ci\"},\"role\":\"ci\"},"                         \
	"{\"match\":{\"cn\":\"ro\"},\"role\":\"read-only\"},"                  \
	"{\"match\":{\"cn\":\"t*\"},\"role\":\"tenant\",\"tenant\":\"{cn}\"}," \
	"{\"match\":{\"cn\":\"obs\"},\"role\":\"obs\"},"                       \
	"{\"match\":{\"cn\":\"renew\"},\"role\":\"renew\"},"                   \
	"{\"match\":{\"cn\":\"bad\"},\"role\":\"admin\"},"                     \
	"{\"match\":{\"cn\":\"quiet\"},\"role\":\"quiet\"},"                   \
	"{\"match\":{\"uid\":\"*\"},\"role\":\"admin\"},"                      \
	"{\"match\":{\"anonymous\":true},\"role\":\"read-only\"}],"            \
	"\"roles\":{"                                                          \
	"\"ci\":{\"extends\":\"ci-runner\",\"audit\":\"request\"},"            \
	"\"obs\":{\"extends\":\"ci-runner\",\"mode\":\"observe\"},"            \
	"\"renew\":{\"allow\":[\"CertificateRenew\",\"@read\"],"               \
	"\"audit\":\"metadata\"},"                                             \
	"\"quiet\":{\"extends\":\"ci-runner\",\"audit\":\"none\"}}}"

static const char *const policies[] = {
	CLIENTS("admin", ""),
	CLIENTS("read-only", ""),
	CLIENTS("admin", "\"mode\":\"observe\","),
	"{\"clients\":[{\"match\":{\"cn\":\"ci\"},\"role\":\"read-only\"}]}",
};

static struct shared_policy *loaded[NELEM(policies)];

static void
load_policies(void)
{
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };
	size_t i;

	for (i = 0; i < NELEM(policies); i++) {
		if (policy_load(span_of(policies[i]), &pol, &d) != ERR_OK) {
			fprintf(
			    stderr, "policy %zu: %u: %s\n", i, d.col, d.text);
			abort();
		}
		loaded[i] = shared_policy_new(pol);
	}
}

/* --- what the script says ------------------------------------------------ */

static void
say(struct sock *s, struct span text)
{
	char *out = malloc(2 * text.len + 1);
	size_t i, n = 0;

	CHECK(out != NULL);
	for (i = 0; i < text.len; i++) {
		if (text.p[i] == '|') {
			out[n++] = '\r';
			out[n++] = '\n';
		} else if (text.p[i] == '\\' && i + 1 < text.len) {
			i++;
			out[n++] = text.p[i] == 'n'   ? '\n'
				   : text.p[i] == 'r' ? '\r'
				   : text.p[i] == '0' ? '\0'
						      : text.p[i];
		} else {
			out[n++] = text.p[i];
		}
	}
	sock_send(s, out, n);
	free(out);
}

static size_t
number(struct span text, size_t otherwise, size_t most)
{
	size_t i, n = 0;

	for (i = 0;
	     i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && n <= most;
	     i++) {
		n = n * 10 + (size_t)(text.p[i] - '0');
	}
	n = n < most ? n : most;
	return i == 0 ? otherwise : n;
}

/* Bytes that tell where they stand, so that none can be lost or repeated. */
static void
say_many(struct sock *s, size_t n)
{
	char line[16];
	size_t i;

	for (i = 0; s != NULL && i < n; i += sizeof(line) - 1) {
		(void)snprintf(
		    line, sizeof(line), "%14zx\n", s->peer.len * 2654435761u);
		sock_send(s, line,
		    n - i < sizeof(line) - 1 ? n - i : sizeof(line) - 1);
	}
}

static void
come(char how, size_t who)
{
	struct sockaddr_storage peer = { .ss_family =
					     how == 'u' ? AF_UNIX : AF_INET };
	struct sock *s = sock_new(false);

	if (s == NULL) {
		return;
	}
	s->tls = how == 'n' || how == 'N';
	s->who = (unsigned)(who % 10);
	s->shake = how == 'N' ? SHAKE_WAITS : SHAKE_DONE;
	world.client = s;
	world.in_gate = true;
	conn_start(
	    &world.w, sock_fd(s), &peer, s->tls ? LISTEN_TLS : LISTEN_CLEAR);
	world.in_gate = false;
}

static void
choose(size_t n)
{
	size_t i;

	for (i = 0; i < world.n_socks; i++) {
		if (!world.sock[i].daemon && n-- == 0) {
			world.client = &world.sock[i];
			return;
		}
	}
}

static void
each(void (*fn)(struct conn *))
{
	struct conn *c, *next;

	world.in_gate = true;
	for (c = world.w.conns; c != NULL; c = next) {
		next = conn_next(c);
		fn(c);
	}
	world.in_gate = false;
}

static void
rejudge(struct conn *c)
{
	conn_count_role(c);
	(void)conn_rejudge(c);
}

static void
load(size_t n)
{
	struct shared_policy *old = world.w.policy;

	world.w.policy = shared_policy_hold(loaded[n % NELEM(loaded)]);
	shared_policy_drop(old);
	each(rejudge);
}

/* What one peer does: the client's letters, or those of dockerd as such. */
static void
peer_does(struct sock *s, char what, struct span text)
{
	size_t n = number(text, SIZE_MAX, SIZE_MAX / 32);

	if (s == NULL) {
		return;
	}
	switch (what) {
	case 'c':
		say(s, text);
		break;
	case 'b':
		say_many(s, number(text, 0, 150000));
		break;
	case 'C':
		s->notify = s->tls;
		s->fin = true;
		break;
	case 'F':
		s->fin = true;
		break;
	case 'R':
		s->reset = true;
		break;
	case 'X':
		s->closed = true;
		break;
	case 'W':
		s->window = n;
		break;
	case 'P':
		s->piece = n == 0 ? 1 : n;
		break;
	default:
		s->twists = (unsigned)number(text, 0, 5);
		break;
	}
}

static void
dockerd_does(char what, struct span text)
{
	static const char letters[] = "ddcBbDFZRxXwWpP";
	const char *as = strchr(letters + 1, what);
	struct sock *s = daemon_of(world.client);

	/* letters: dockerd's, then the client's that does the same */
	while (as != NULL && (as - letters) % 2 == 0) {
		as = strchr(as + 1, what);
	}
	peer_does(s, as == NULL ? 'c' : as[1], text);
	if (what == 'w') {
		world.window = s == NULL ? SIZE_MAX : s->window;
	}
	if (what == 'p') {
		world.piece = s == NULL ? SIZE_MAX : s->piece;
	}
}

static void
queue_answer(struct span text)
{
	struct sock as = { .used = true };

	if (world.n_answers == NELEM(world.answers)) {
		return;
	}
	say(&as, text);
	world.sent -= as.peer.len;
	world.answers[world.n_answers++] = as.peer;
}

static void
gate_does(char what, struct span text)
{
	size_t n = number(text, 0, 100000000);

	switch (what) {
	case 'k':
		world.door = (enum world_daemon)(n % 4);
		break;
	case 'l':
		load(n);
		break;
	case 'r':
		world.revoked[n % 10] = true;
		each(rejudge);
		break;
	case 's':
		world.w.stopping = true;
		each(conn_stop_soon);
		break;
	case 'S':
		each(conn_stop_now);
		break;
	case 'v':
		each(conn_sweep);
		break;
	case 'f':
		world.audit_full = n == 1;
		break;
	case 'i':
		world.issuer = (unsigned)n % 3;
		break;
	case 'j':
		issuer_answer(n == 200 || n == 403 ? (unsigned)n : 503);
		break;
	case 'm':
		world.fail = (unsigned)n;
		break;
	case 'h':
		world.gate.limits.head_bytes = (uint32_t)(n % 1000001);
		break;
	default:
		world.backwards = !world.backwards;
		break;
	}
}

static void
play(char what, struct span text)
{
	switch (what) {
	case 'n':
	case 'N':
	case 'u':
	case 'a':
		come(what, number(text, 0, 9));
		break;
	case 'o':
		choose(number(text, 0, WORLD_SOCKS));
		break;
	case 't':
		loop_pass((uint32_t)number(text, 0, 8000000));
		break;
	case 'q':
		queue_answer(text);
		break;
	default:
		if (strchr("cbCFRXWPT", what) != NULL) {
			peer_does(world.client, what, text);
		} else if (strchr("dBDZxwp", what) != NULL) {
			dockerd_does(what, text);
		} else if (strchr("klrsSvfijmeh", what) != NULL) {
			gate_does(what, text);
		}
		break;
	}
}

static void
play_all(struct span script)
{
	const char *eol;
	struct span line;
	unsigned n;

	for (n = 0; n < LINES && script.len > 0; n++) {
		eol = memchr(script.p, '\n', script.len);
		line = span_make(script.p,
		    eol == NULL ? script.len : (size_t)(eol - script.p));
		script.p += line.len + (eol != NULL);
		script.len -= line.len + (eol != NULL);
		if (line.len > 0 && line.p[0] == '&') {
			line = span_make(line.p + 1, line.len - 1);
		} else {
			loop_settle();
		}
		if (line.len > 0 && line.p[0] != '\0') {
			play(line.p[0],
			    span_make(line.p + 1, line.len - 1).len > 0 &&
				    line.p[1] == ' '
				? span_make(line.p + 2, line.len - 2)
				: span_make(line.p + 1, line.len - 1));
		}
	}
	loop_settle();
}

/* --- the world ----------------------------------------------------------- */

static void
world_begin(void)
{
	static const struct limits limits = LIMITS_DEFAULT;

	memset(&world, 0, offsetof(struct world, answers));
	world.now_ms = 1000000000;
	world.window = world.piece = SIZE_MAX;
	world.gate.limits = limits;
	world.gate.limits.body_bytes = 4096;
	world.gate.limits.bodies_bytes = 8192;
	world.gate.limits.head_bytes = 2048;
	world.gate.limits.target_bytes = 1024;
	world.gate.limits.connections = 5;
	world.gate.handshakes_each = 5;
	world.gate.audit = (struct audit *)&world; /* a list: ledger.c */
	world.gate.census = census_new(5, 4, 4);
	CHECK(
	    addr_parse("unix:///d.sock", &world.gate.upstream, NULL) == ERR_OK);
	world.w.gate = &world.gate;
	world.w.tls = (struct tls_server *)&world; /* stand_in.c has none */
	world.w.metrics = metrics_new();
	CHECK(world.gate.census != NULL && world.w.metrics != NULL);
	world.w.policy = shared_policy_hold(loaded[0]);
}

static void
world_end(void)
{
	size_t i;

	lanes_fini(&world.w.lanes);
	shared_policy_drop(world.w.policy);
	metrics_free(world.w.metrics);
	census_free(world.gate.census);
	for (i = 0; i < world.n_socks; i++) {
		tape_free(&world.sock[i].peer);
		tape_free(&world.sock[i].gate);
		tape_free(&world.sock[i].record);
	}
	for (i = 0; i < world.n_answers; i++) {
		tape_free(&world.answers[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loaded[0] == NULL) {
		load_policies();
	}
	world_begin();
	play_all(span_make(data, size));
	judge_end();
	world_end();
	return 0;
}
