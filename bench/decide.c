/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one decision costs: a ContainerCreate as docker run sends it, from the
 * request target to the body that goes on, under a policy of many clients and
 * roles.  Links the library that the gate links; no socket, no dockerd.
 *
 *	decide [rounds]
 *
 * Prints CPU time per decision, in microseconds, for bodies of 1 KiB to 1 MiB
 * and for 1 to 1,000 clients, the one that asks standing last.  Each figure is
 * the median of several rounds: other load on the machine then counts little.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/policy.h"

#define POLICY_MAX ((size_t)8 << 20)
#define BODY_MAX ((size_t)2 << 20)

static void
die(const char *what)
{
	fprintf(stderr, "decide: %s\n", what);
	exit(1);
}

static void
need(enum err rc)
{
	if (rc != ERR_OK) {
		die(err_text(rc));
	}
}

/* --- what is asked -------------------------------------------------------- */

/* What docker run writes, every field at its zero value but a few. */
static const char body_head[] =
    "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"1000:1000\","
    "\"AttachStdin\":false,\"AttachStdout\":true,\"AttachStderr\":true,"
    "\"ExposedPorts\":{\"8080/tcp\":{}},\"Tty\":false,\"OpenStdin\":false,"
    "\"StdinOnce\":false,\"Cmd\":[\"sh\",\"-c\",\"make check\"],"
    "\"Image\":\"registry.example.com/ci/build:7\",\"Volumes\":{},"
    "\"WorkingDir\":\"/src\",\"Entrypoint\":null,\"OnBuild\":null,"
    "\"HostConfig\":{\"Binds\":null,\"ContainerIDFile\":\"\",\"LogConfig\":"
    "{\"Type\":\"\",\"Config\":{}},\"NetworkMode\":\"default\","
    "\"PortBindings\":{\"8080/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"\"}]},"
    "\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
    "\"AutoRemove\":true,\"VolumeDriver\":\"\",\"VolumesFrom\":null,"
    "\"ConsoleSize\":[24,80],\"CapAdd\":[\"CHOWN\"],\"CapDrop\":[\"ALL\"],"
    "\"CgroupnsMode\":\"\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":[],"
    "\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"\",\"Cgroup\":\"\","
    "\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"\",\"Privileged\":false,"
    "\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,\"SecurityOpt\":null,"
    "\"UTSMode\":\"\",\"UsernsMode\":\"\",\"ShmSize\":0,\"Isolation\":\"\","
    "\"CpuShares\":0,\"Memory\":1073741824,\"NanoCpus\":2000000000,"
    "\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],"
    "\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],"
    "\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],\"CpuPeriod\":0,"
    "\"CpuQuota\":0,\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,"
    "\"CpusetCpus\":\"\",\"CpusetMems\":\"\",\"Devices\":[],"
    "\"DeviceCgroupRules\":null,\"DeviceRequests\":null,"
    "\"MemoryReservation\":0,\"MemorySwap\":0,\"MemorySwappiness\":-1,"
    "\"OomKillDisable\":false,\"PidsLimit\":256,\"Ulimits\":[],"
    "\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,"
    "\"IOMaximumBandwidth\":0,\"MaskedPaths\":null,\"ReadonlyPaths\":null},"
    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"default\":{\"IPAMConfig\":"
    "null,\"Links\":null,\"Aliases\":null,\"MacAddress\":\"\",\"NetworkID\":"
    "\"\",\"EndpointID\":\"\",\"Gateway\":\"\",\"IPAddress\":\"\","
    "\"IPPrefixLen\":0,\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\","
    "\"GlobalIPv6PrefixLen\":0,\"DNSNames\":null}}},"
    "\"Labels\":{\"job\":\"7\"},\"Env\":[\"CI=true\"";

/* Environment fills the body up to size. */
static struct span
make_body(size_t size)
{
	struct buf b;
	char line[96];
	unsigned i;

	buf_init(&b, BODY_MAX);
	need(buf_append_str(&b, body_head));
	for (i = 0; buf_span(&b).len + 2 < size; i++) {
		snprintf(line, sizeof(line),
		    ",\"BUILD_VARIABLE_%06u=/srv/build/artefacts/%u\"", i, i);
		need(buf_append_str(&b, line));
	}
	need(buf_append_str(&b, "]}"));
	return buf_span(&b); /* kept to the end of the program */
}

static const char role_text[] =
    "%s\"team-%u\": { \"extends\": \"ci-runner\", \"constraints\": {"
    "\"images\": { \"run\": [ \"docker.io/library/*\", "
    "\"registry.example.com/ci/*\" ] },"
    "\"resources\": { \"memory\": { \"max\": \"2g\", \"required\": true },"
    " \"cpus\": { \"max\": \"4\" }, \"pids\": { \"max\": 512 } },"
    "\"env\": { \"deny\": [ \"LD_*\", \"NVIDIA_*\" ] },"
    "\"labels\": { \"require\": [ \"job\" ], \"force\": { \"team\": \"%u\" } },"
    "\"require\": [ \"non-root-user\", \"drop-all\" ] } }";

static struct policy *
make_policy(unsigned clients, unsigned roles)
{
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };
	struct buf b;
	char line[1024];
	unsigned i;

	buf_init(&b, POLICY_MAX);
	need(buf_append_str(&b, "{ \"clients\": ["));
	for (i = 1; i <= clients; i++) {
		snprintf(line, sizeof(line),
		    "%s{ \"match\": { \"cn\": \"runner-%u\", \"ou\": "
		    "\"team-%u\" }, \"role\": \"team-%u\" }\n",
		    i == 1 ? "" : ",", i, i % roles, i % roles);
		need(buf_append_str(&b, line));
	}
	need(buf_append_str(&b, "], \"roles\": {"));
	for (i = 0; i < roles; i++) {
		snprintf(
		    line, sizeof(line), role_text, i == 0 ? "" : ",", i, i);
		need(buf_append_str(&b, line));
	}
	need(buf_append_str(&b, "} }"));
	if (policy_load(buf_span(&b), &pol, &d) != ERR_OK) {
		fprintf(stderr, "decide: %u:%u: %s\n", d.line, d.col, d.text);
		exit(1);
	}
	buf_fini(&b);
	return pol;
}

/* --- one decision --------------------------------------------------------- */

static void
decide(const struct policy *pol, const struct principal *who, struct span body)
{
	static const struct header headers[] = {
		{ { "Content-Type", 12 }, { "application/json", 16 } },
	};
	struct canon_req req;
	struct policy_why why;
	struct decision *d = NULL;
	struct arena arena;
	struct buf target;
	enum verdict v;
	bool replace;

	arena_init(&arena, (size_t)16 << 20);
	need(canon_request(&arena, METHOD_POST,
	    span_of("/v1.45/containers/create?name=job-7"), &req, NULL));
	req.headers = headers;
	req.n_headers = 1;
	req.has_body = true;
	v = policy_begin(pol, who, &req, &arena, &d, &why);
	if (v == VERDICT_NEED_BODY) {
		v = policy_body(d, body, &why);
	}
	if (v != VERDICT_ALLOW || policy_new_body(d, &replace).len == 0) {
		die(v == VERDICT_DENY ? why.message : "a question to dockerd");
	}
	buf_init(&target, 4096);
	need(policy_write_target(d, &target));
	buf_fini(&target);
	arena_fini(&arena);
}

/* --- measuring ------------------------------------------------------------ */

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median_us(unsigned clients, size_t size, unsigned rounds)
{
	unsigned roles = clients < 50 ? clients : 50;
	struct policy *pol = make_policy(clients, roles);
	struct span body = make_body(size);
	struct principal who = { .kind = PRINCIPAL_CERT };
	unsigned times = (unsigned)(((size_t)8 << 20) / (size + 4096)), i, r;
	double took[64], start;
	char cn[32], ou[32];

	snprintf(cn, sizeof(cn), "runner-%u", clients);
	snprintf(ou, sizeof(ou), "team-%u", clients % roles);
	who.cn = span_of(cn);
	who.ou.name[0] = span_of(ou);
	who.ou.n = 1;
	for (r = 0; r < rounds; r++) {
		start = cpu_us();
		for (i = 0; i < times; i++) {
			decide(pol, &who, body);
		}
		took[r] = (cpu_us() - start) / times;
	}
	qsort(took, rounds, sizeof(took[0]), by_value);
	policy_free(pol);
	return took[rounds / 2];
}

int
main(int argc, char **argv)
{
	static const size_t sizes[] = { 1 << 10, 4 << 10, 16 << 10, 64 << 10,
		256 << 10, 1000 << 10 };
	static const unsigned clients[] = { 1, 10, 100, 1000 };
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 9;
	double us;
	size_t i, j;

	if (rounds < 1 || rounds > 64) {
		die("1 to 64 rounds");
	}
	/* as the gate has it (gate_run) */
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
	printf("| ContainerCreate of | 1 client | 10 | 100 | 1,000 clients | "
	       "ns a byte |\n| --- | --- | --- | --- | --- | --- |\n");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len = make_body(sizes[i]).len;

		printf("| %.1f KiB |", (double)len / 1024);
		for (j = 0; j < sizeof(clients) / sizeof(clients[0]); j++) {
			us = median_us(clients[j], sizes[i], rounds);
			printf(" %.1f |", us);
		}
		printf(" %.1f |\n", us * 1000 / (double)len);
		fflush(stdout);
	}
	return 0;
}
