/* SPDX-License-Identifier: Apache-2.0 */
/* How much a role may take of the host: refusals first. */
#include "policy_role.h"

#define CREATE "POST /v1.41/containers/create"
#define UPDATE "POST /v1.41/containers/x/update"
#define HC(text) "{\"Image\":\"i\",\"HostConfig\":{" text "}}"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OK "\"Memory\":1024,\"PidsLimit\":5"

static const struct told told[] = {
	{ "/containers/x/json", 200, "{\"Id\":\"" ID "\",\"HostConfig\":{}}" },
	{ NULL, 0, NULL },
};

#define RESOURCES                                                              \
	"\"resources\":{\"memory\":{\"max\":\"2g\",\"required\":true},"        \
	"\"cpus\":{\"max\":\"2.5\"},\"pids\":{\"max\":512,\"required\":true}," \
	"\"shm\":{\"max\":\"1g\"}}"

static const struct role_case cases[] = {
	{ CREATE, "{\"Image\":\"i\"}", "resources", "HostConfig.Memory",
	    "refuses what has no limit of memory (set --memory, at most 2g)" },
	{ CREATE, HC("\"PidsLimit\":5"), "resources", "HostConfig.Memory",
	    "no limit" },
	{ CREATE, HC("\"Memory\":0,\"PidsLimit\":5"), "resources",
	    "HostConfig.Memory", "no limit" },
	{ CREATE, HC("\"Memory\":null,\"PidsLimit\":5"), "resources",
	    "HostConfig.Memory", "no limit" },
	{ CREATE, HC("\"Memory\":-1,\"PidsLimit\":5"), "resources",
	    "HostConfig.Memory", "unlimited memory" },
	{ CREATE, HC("\"memory\":2147483649,\"PidsLimit\":5"), "resources",
	    "HostConfig.Memory", "more memory (at most 2g)" },
	{ CREATE, HC(OK ",\"MemorySwap\":-1"), "resources",
	    "HostConfig.MemorySwap", "unlimited swap" },
	/* What leaving it out gives to who asks for all the memory there is. */
	{ CREATE, HC(OK ",\"MemorySwap\":4294967297"), "resources",
	    "HostConfig.MemorySwap",
	    "more memory and swap than twice the memory (which is at most "
	    "2g)" },
	{ CREATE, HC(OK ",\"memoryswap\":9223372036854775807"), "resources",
	    "HostConfig.MemorySwap", "twice the memory" },
	{ UPDATE, "{\"MemorySwap\":4294967297}", "resources", "MemorySwap",
	    "twice the memory" },
	{ UPDATE, "{\"Memory\":1,\"MemorySwap\":4294967297}", "resources",
	    "MemorySwap", "twice the memory" },
	{ "POST /build?memory=1&memswap=4294967297", NULL, "resources",
	    "memswap", "twice the memory" },
	{ CREATE, HC("\"Memory\":1"), "resources", "HostConfig.PidsLimit",
	    "set --pids-limit, at most 512" },
	{ CREATE, HC("\"Memory\":1,\"PidsLimit\":-1"), "resources",
	    "HostConfig.PidsLimit", "unlimited processes" },
	{ CREATE, HC("\"Memory\":1,\"PidsLimit\":513"), "resources",
	    "HostConfig.PidsLimit", "more processes (at most 512)" },
	{ CREATE, HC(OK ",\"NanoCpus\":2500000001"), "resources",
	    "HostConfig.NanoCpus", "more CPUs (at most 2.5)" },
	{ CREATE, HC(OK ",\"CpuQuota\":250001"), "resources",
	    "HostConfig.CpuQuota", "at most 2.5" },
	{ CREATE, HC(OK ",\"CpuQuota\":30000,\"CpuPeriod\":10000"), "resources",
	    "HostConfig.CpuQuota", "at most 2.5" },
	{ CREATE, HC(OK ",\"CpuQuota\":9223372036854775807"), "resources",
	    "HostConfig.CpuQuota", "at most 2.5" },
	{ CREATE, HC(OK ",\"CpuQuota\":-1"), "resources", "HostConfig.CpuQuota",
	    "unlimited CPUs" },
	{ CREATE, HC(OK ",\"ShmSize\":1073741825"), "resources",
	    "HostConfig.ShmSize", "shared memory (at most 1g)" },
	{ UPDATE, "{\"Memory\":2147483649}", "resources", "Memory", "2g" },
	{ UPDATE, "{\"Memory\":-1}", "resources", "Memory", "unlimited" },
	{ UPDATE, "{\"MemorySwap\":-1}", "resources", "MemorySwap", "swap" },
	{ UPDATE, "{\"PidsLimit\":0}", "resources", "PidsLimit", "no limit" },
	{ UPDATE, "{\"PidsLimit\":-1}", "resources", "PidsLimit", "unlimited" },
	{ UPDATE, "{\"CpuQuota\":-1,\"CpuPeriod\":1000}", "resources",
	    "CpuQuota", "unlimited" },
	{ UPDATE, "{\"CpuPeriod\":1000}", "resources", "CpuPeriod",
	    "one of CpuQuota and CpuPeriod" },
	{ UPDATE, "{\"CpuQuota\":100000}", "resources", "CpuQuota",
	    "without the other" },
	{ "POST /build?memory=0", NULL, "resources", "memory", "no limit" },
	{ "POST /build", NULL, "resources", "memory", "no limit" },
	{ "POST /build?memory=9999999999", NULL, "resources", "memory", "2g" },
	{ "POST /build?memory=1&memswap=-1", NULL, "resources", "memswap",
	    "swap" },
	{ "POST /build?memory=1&cpuquota=300000", NULL, "resources", "cpuquota",
	    "2.5" },
	{ "POST /build?memory=1&cpuquota=3000&cpuperiod=1000", NULL,
	    "resources", "cpuquota", "2.5" },
	{ "POST /build?memory=1&shmsize=9999999999", NULL, "resources",
	    "shmsize", "1g" },
	{ "POST /build?memory=0x10", NULL, "type", "memory", "integer" },
	{ "POST /build?memory=%2b1", NULL, "type", "memory", "integer" },
	{ CREATE, HC(OK), NULL, "", "" },
	{ CREATE, HC(OK ",\"MemorySwap\":4294967296"), NULL, "", "" },
	{ UPDATE, "{\"MemorySwap\":4294967296}", NULL, "", "" },
	{ "POST /build?memory=1&memswap=4294967296", NULL, NULL, "", "" },
	{ CREATE,
	    HC("\"Memory\":2147483648,\"PidsLimit\":512,\"NanoCpus\":"
	       "2500000000,\"ShmSize\":67108864,\"MemorySwap\":0"),
	    NULL, "", "" },
	{ CREATE, HC(OK ",\"CpuQuota\":250000,\"CpuPeriod\":100000"), NULL, "",
	    "" },
	{ UPDATE, "{}", NULL, "", "" },
	{ UPDATE, "{\"Memory\":0,\"PidsLimit\":null,\"NanoCpus\":0}", NULL, "",
	    "" },
	{ UPDATE, "{\"Memory\":1024,\"CpuQuota\":5000,\"CpuPeriod\":5000}",
	    NULL, "", "" },
	{ "POST /build?memory=1024&memswap=0", NULL, NULL, "", "" },
	{ "POST /build?version=2", NULL, NULL, "", "" },
};

static void
holds_amounts_against_ceilings(void **state)
{
	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", RESOURCES), cases, NELEM(cases), told);
}

static void
counts_memory_and_swap(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, HC("\"Memory\":600"), "resources",
		    "HostConfig.MemorySwap",
		    "more memory and swap (at most 1k)" },
		{ CREATE, HC("\"Memory\":9223372036854775807"), "resources",
		    "HostConfig.MemorySwap", "1k" },
		{ CREATE, HC("\"MemorySwap\":-1"), "resources",
		    "HostConfig.MemorySwap", "unlimited memory and swap" },
		{ CREATE, HC("\"Memory\":600,\"MemorySwap\":1024"), NULL, "",
		    "" },
		{ CREATE, HC("\"Memory\":512"), NULL, "", "" },
		{ CREATE, HC(""), NULL, "", "" },
	};
	/* A swap that is required, but has no ceiling of its own. */
	static const struct role_case required[] = {
		{ CREATE, HC("\"Memory\":9,\"MemorySwap\":2049"), "resources",
		    "HostConfig.MemorySwap", "twice the memory" },
		{ CREATE, HC("\"Memory\":9,\"MemorySwap\":-1"), "resources",
		    "HostConfig.MemorySwap", "unlimited" },
		{ CREATE, HC(""), "resources", "HostConfig.MemorySwap",
		    "no limit of memory and swap" },
		{ CREATE, HC("\"Memory\":9,\"MemorySwap\":2048"), NULL, "",
		    "" },
	};
	/* And one that may be larger than that. */
	static const struct role_case larger = { CREATE,
		HC("\"Memory\":9,\"MemorySwap\":4096"), NULL, "", "" };

	(void)state;
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"resources\":{\"swap\":{\"max\":\"1k\"}}"),
	    c, NELEM(c), NULL);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"resources\":{\"memory\":{\"max\":\"1k\"},"
				   "\"swap\":{\"required\":true}}"),
	    required, NELEM(required), told);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"resources\":{\"memory\":{\"max\":\"1k\"},"
				   "\"swap\":{\"max\":\"4k\"}}"),
	    &larger, 1, told);
}

#define TMPFS(options) HC("\"Tmpfs\":{\"/t\":\"" options "\"}")
#define MOUNT(options)                                                         \
	HC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\"" options "}]")

static void
bounds_what_fills_a_disk(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, TMPFS(""), "resources", "HostConfig.Tmpfs[\"/t\"]",
		    "no limit of tmpfs (set its size, at most 64m)" },
		{ CREATE, TMPFS("noexec"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "no limit" },
		{ CREATE, TMPFS("size=65m"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "more tmpfs (at most 64m)" },
		{ CREATE, TMPFS("size=1g"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "more tmpfs" },
		{ CREATE, TMPFS("size=1m,size=1g"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "more" },
		{ CREATE, TMPFS("size=1g,size=1m"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "more" },
		{ CREATE, TMPFS("size=0"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "unlimited tmpfs" },
		{ CREATE, TMPFS("size=50%"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "cannot read" },
		{ CREATE, TMPFS("size=010"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "cannot read" },
		{ CREATE, TMPFS("nr_blocks=9"), "resources",
		    "HostConfig.Tmpfs[\"/t\"]", "in blocks" },
		{ CREATE, MOUNT(""), "resources", "HostConfig.Mounts[0]",
		    "no limit of tmpfs" },
		{ CREATE, MOUNT(",\"TmpfsOptions\":{\"SizeBytes\":0}"),
		    "resources", "HostConfig.Mounts[0]", "unlimited" },
		{ CREATE, MOUNT(",\"TmpfsOptions\":{\"SizeBytes\":-1}"),
		    "resources", "HostConfig.Mounts[0]", "cannot read" },
		{ CREATE, MOUNT(",\"tmpfsoptions\":{\"sizebytes\":67108865}"),
		    "resources", "HostConfig.Mounts[0]", "more tmpfs" },
		{ CREATE, HC(""), "resources", "HostConfig.StorageOpt",
		    "no limit of storage (set --storage-opt size=..., at most "
		    "10g)" },
		{ CREATE, HC("\"StorageOpt\":{\"size\":\"11g\"}"), "resources",
		    "HostConfig.StorageOpt", "more storage (at most 10g)" },
		{ CREATE, HC("\"StorageOpt\":{\"size\":\"1.5p\"}"), "resources",
		    "HostConfig.StorageOpt", "cannot read" },
		{ CREATE, HC("\"StorageOpt\":{\"size\":\"10G\"}"), NULL, "",
		    "" },
		{ CREATE,
		    HC("\"StorageOpt\":{\"size\":\"1g\"},\"Tmpfs\":{\"/t\":"
		       "\"mode=700,size=64m\"},\"Mounts\":[{\"Type\":\"tmpfs\","
		       "\"Target\":\"/u\",\"TmpfsOptions\":{\"SizeBytes\":"
		       "67108864}}]"),
		    NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"resources\":{\"storage\":{\"max\":\"10g\","
		      "\"required\":true}}"),
	    c + 14, NELEM(c) - 14, NULL);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"resources\":{\"tmpfs\":{\"max\":\"64m\","
				   "\"required\":true}}"),
	    c, 14, NULL);
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"resources\":{\"tmpfs\":{\"max\":\"64m\"}}"),
	    c + NELEM(c) - 1, 1, NULL);
}

#define RES(text) "\"resources\":{" text "}"

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ RES("\"ram\":{\"max\":\"1g\"}"),
		    "expected memory, swap, cpus, pids, shm, storage or "
		    "tmpfs" },
		{ RES("\"memory\":\"2g\""), "expected an object with" },
		{ RES("\"memory\":{}"), "expected an object with" },
		{ RES("\"memory\":{\"min\":1}"), "expected max or required" },
		{ RES("\"memory\":{\"max\":2}"), "a size such as \"2g\"" },
		{ RES("\"memory\":{\"max\":\"\"}"), "a size" },
		{ RES("\"memory\":{\"max\":\"g\"}"), "a size" },
		{ RES("\"memory\":{\"max\":\"0\"}"), "a size" },
		{ RES("\"memory\":{\"max\":\"2x\"}"), "a size" },
		{ RES("\"memory\":{\"max\":\"-1\"}"), "a size" },
		{ RES("\"memory\":{\"max\":\"99999999999t\"}"), "a size" },
		{ RES("\"memory\":{\"required\":false}"), "can only be true" },
		{ RES("\"cpus\":{\"max\":\"2.\"}"), "CPUs" },
		{ RES("\"cpus\":{\"max\":\".5\"}"), "CPUs" },
		{ RES("\"cpus\":{\"max\":\"0.0\"}"), "CPUs" },
		{ RES("\"cpus\":{\"max\":\"1.0000000001\"}"), "CPUs" },
		{ RES("\"pids\":{\"max\":\"5\"}"), "a number such as 512" },
		{ RES("\"pids\":{\"max\":0}"), "a number" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_amounts_against_ceilings),
		cmocka_unit_test(counts_memory_and_swap),
		cmocka_unit_test(bounds_what_fills_a_disk),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
