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

	(void)state;
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"resources\":{\"swap\":{\"max\":\"1k\"}}"),
	    c, NELEM(c), NULL);
}

#define RES(text) "\"resources\":{" text "}"

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ RES("\"ram\":{\"max\":\"1g\"}"),
		    "expected memory, swap, cpus, pids or shm" },
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
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
