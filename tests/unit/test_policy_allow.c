/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of ports, networks, devices and the like: refusals first. */
#include "policy_role.h"

#define CREATE "POST /v1.41/containers/create"
#define START "POST /v1.41/containers/x/start"
#define CONNECT "POST /networks/n/connect"
#define HC(text) "{\"Image\":\"i\",\"HostConfig\":{" text "}}"
#define PORT(ip, port)                                                         \
	HC("\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"" ip                   \
	   "\",\"HostPort\":\"" port "\"}]}")
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define P0 "HostConfig.PortBindings[\"80/tcp\"][0]"

static const struct role_case ports[] = {
	{ CREATE, PORT("", "30000"), "published-ports", P0,
	    "a port published on every address (allowed: 127.0.0.1)" },
	{ CREATE, PORT("0.0.0.0", "30000"), "published-ports", P0, "" },
	{ CREATE, PORT("::", "30000"), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", "80"), "published-ports", P0,
	    "to publish on the port \"80\" (allowed: 30000-32767)" },
	{ CREATE, PORT("127.0.0.1", "32760-32768"), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", ""), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", "0"), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", "030000"), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", "30001-30000"), "published-ports", P0, "" },
	{ CREATE, PORT("127.0.0.1", "30000-"), "published-ports", P0, "" },
	{ CREATE, HC("\"PortBindings\":{\"80/tcp\":null}"), "published-ports",
	    P0, "" },
	{ CREATE, HC("\"PortBindings\":{\"80/tcp\":[{}]}"), "published-ports",
	    P0, "" },
	{ CREATE, HC("\"PublishAllPorts\":true"), "published-ports",
	    "HostConfig.PublishAllPorts", "" },
	{ CREATE, PORT("127.0.0.1", "30000"), NULL, "", "" },
	{ CREATE, PORT("127.0.0.1", "30000-32767"), NULL, "", "" },
	{ CREATE, HC("\"PortBindings\":{},\"PublishAllPorts\":false"), NULL, "",
	    "" },
};

static void
publishes_where_the_role_may(void **state)
{
	static const struct role_case all[] = {
		{ CREATE, HC("\"PublishAllPorts\":true"), NULL, "", "" },
		{ CREATE, PORT("", ""), NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"ports\":{\"addresses\":[\"127.0.0.1\"],\"range\":"
		      "\"30000-32767\",\"publish_all\":false}"),
	    ports, NELEM(ports), NULL);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"ports\":{\"addresses\":[\"0.0.0.0\"],"
				   "\"publish_all\":true}"),
	    all, NELEM(all), NULL);
}

static const struct told networks[] = {
	{ "/networks/n", 200, "{\"Name\":\"ci-a\",\"Driver\":\"bridge\"}" },
	{ "/networks/ci-a", 200, "{\"Name\":\"ci-a\",\"Driver\":\"bridge\"}" },
	{ "/networks/c", 200, "{\"Name\":\"prod\",\"Driver\":\"bridge\"}" },
	{ "/networks/prod", 200, "{\"Name\":\"prod\",\"Driver\":\"bridge\"}" },
	{ "/networks/mac", 200, "{\"Name\":\"ci-m\",\"Driver\":\"macvlan\"}" },
	{ "/networks/over", 200, "{\"Name\":\"ci-o\",\"Driver\":\"overlay\"}" },
	{ "/containers/x/json", 200,
	    "{\"Id\":\"" ID "\",\"HostConfig\":{\"NetworkMode\":\"host\"}}" },
	{ NULL, 0, NULL },
};

static void
joins_networks_by_list(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, HC("\"NetworkMode\":\"prod\""), "networks",
		    "HostConfig.NetworkMode",
		    "refuses the network \"prod\" (allowed: ci-*, none)" },
		{ CREATE, HC("\"NetworkMode\":\"c\""), "networks",
		    "HostConfig.NetworkMode", "prod" },
		{ CREATE, HC("\"NetworkMode\":\"later\""), "networks",
		    "HostConfig.NetworkMode", "later" },
		{ CREATE, HC("\"NetworkMode\":\"host\""), "host-namespaces",
		    "HostConfig.NetworkMode", "host" },
		{ CREATE, HC("\"NetworkMode\":\"container:x\""),
		    "host-namespaces", "HostConfig.NetworkMode", "" },
		{ CREATE, HC("\"NetworkMode\":\"default\""), "networks",
		    "HostConfig.NetworkMode", "bridge" },
		{ CREATE, "{\"Image\":\"i\"}", "networks",
		    "HostConfig.NetworkMode", "bridge" },
		{ CREATE,
		    "{\"HostConfig\":{\"NetworkMode\":\"none\"},"
		    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"prod\":{}}}}",
		    "networks", "NetworkingConfig.EndpointsConfig", "prod" },
		{ "POST /networks/c/connect", "{\"Container\":\"y\"}",
		    "networks", "", "prod" },
		{ "POST /build?networkmode=prod", NULL, "networks",
		    "networkmode", "prod" },
		{ "POST /build", NULL, "networks", "networkmode", "bridge" },
		{ CREATE, HC("\"NetworkMode\":\"over\""), "network-driver",
		    "HostConfig.NetworkMode", "" },
		{ "POST /networks/create",
		    "{\"Name\":\"a\",\"Driver\":\"overlay\"}", "network-driver",
		    "Driver", "allowed: macvlan" },
		{ "POST /networks/create",
		    "{\"Name\":\"a\",\"IPAM\":{\"Driver\":\"macvlan\"}}",
		    "network-driver", "IPAM.Driver", "" },
		{ START, NULL, "host-namespaces", "HostConfig.NetworkMode",
		    "" },
		{ CREATE, HC("\"NetworkMode\":\"ci-a\""), NULL, "", "" },
		{ CREATE, HC("\"NetworkMode\":\"mac\""), NULL, "", "" },
		{ CREATE, HC("\"NetworkMode\":\"ci-later\""), NULL, "", "" },
		{ CREATE, HC("\"NetworkMode\":\"none\""), NULL, "", "" },
		{ CONNECT, "{\"Container\":\"y\"}", NULL, "", "" },
		{ "POST /build?networkmode=none", NULL, NULL, "", "" },
		{ "POST /networks/create",
		    "{\"Name\":\"a\",\"Driver\":\"macvlan\"}", NULL, "", "" },
	};
	static const struct role_case host[] = {
		{ CREATE, HC("\"NetworkMode\":\"container:x\""),
		    "host-namespaces", "HostConfig.NetworkMode", "" },
		{ CREATE, HC("\"PidMode\":\"host\""), "host-namespaces",
		    "HostConfig.PidMode", "" },
		{ CREATE, HC("\"NetworkMode\":\"host\""), NULL, "", "" },
		{ CREATE, HC("\"NetworkMode\":\"prod\""), NULL, "", "" },
		{ CREATE, HC("\"NetworkMode\":\"\""), NULL, "", "" },
		{ START, NULL, NULL, "", "" },
	};

	static const struct role_case narrowed[] = {
		{ CREATE, HC("\"NetworkMode\":\"host\""), "host-namespaces",
		    "HostConfig.NetworkMode", "" },
		{ START, NULL, "host-namespaces", "HostConfig.NetworkMode",
		    "" },
		{ CREATE, HC("\"PidMode\":\"host\""), NULL, "", "" },
	};

	(void)state;
	ask_cases("{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
		  "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"may\":["
		  "\"host-namespaces\"],\"constraints\":{\"networks\":{"
		  "\"modes\":[\"bridge\"]}}}}}",
	    narrowed, NELEM(narrowed), networks);
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"networks\":{\"modes\":[\"ci-*\",\"none\"],"
		      "\"drivers\":[\"macvlan\"]}"),
	    c, NELEM(c), networks);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"networks\":{\"modes\":[\"*\",\"host\"]}"),
	    host, NELEM(host), networks);
}

#define DEVICE(path)                                                           \
	HC("\"Devices\":[{\"PathOnHost\":\"" path                              \
	   "\",\"PathInContainer\":\"/dev/"                                    \
	   "x\",\"CgroupPermissions\":\"rwm\"}]")

static const struct role_case lists[] = {
	{ "POST /build?extrahosts=x:host-gateway", NULL, "extra-hosts",
	    "extrahosts", "host-gateway" },
	{ "POST /build?securityopt=seccomp%3dunconfined", NULL,
	    "security-options", "securityopt", "unconfined" },
	{ "POST /build?extrahosts=host.docker.internal:host-gateway"
	  "&securityopt=seccomp%3dbuiltin",
	    NULL, NULL, "", "" },
	{ CREATE, HC("\"ExtraHosts\":[\"a:host-gateway\"]"), "extra-hosts",
	    "HostConfig.ExtraHosts[0]", "" },
	{ CREATE, HC("\"Sysctls\":{\"net.core.somaxconn\":\"1\"}"), "sysctls",
	    "HostConfig.Sysctls[\"net.core.somaxconn\"]",
	    "allowed: net.ipv4.ip_unprivileged_port_start" },
	{ CREATE,
	    HC("\"Sysctls\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\","
	       "\"kernel.shmmax\":\"1\"}"),
	    "sysctls", "HostConfig.Sysctls[\"kernel.shmmax\"]", "" },
	{ CREATE, HC("\"Runtime\":\"kata\""), "runtime", "HostConfig.Runtime",
	    "(\"kata\"; allowed: runsc)" },
	{ CREATE, HC("\"LogConfig\":{\"Type\":\"gelf\"}"), "log-driver",
	    "HostConfig.LogConfig.Type", "allowed: journald" },
	{ CREATE,
	    HC("\"LogConfig\":{\"Type\":\"journald\",\"Config\":{"
	       "\"syslog-address\":\"unix:///x\"}}"),
	    "log-driver", "HostConfig.LogConfig.Config[\"syslog-address\"]",
	    "" },
	{ CREATE, DEVICE("/dev/sda"), "devices", "HostConfig.Devices[0]",
	    "the device \"/dev/sda\" (allowed: /dev/fuse)" },
	{ CREATE, DEVICE("/dev"), "devices", "HostConfig.Devices[0]", "" },
	{ CREATE, DEVICE("/dev/fuse/../sda"), "devices",
	    "HostConfig.Devices[0]", "" },
	{ CREATE, HC("\"Devices\":[{}]"), "devices", "HostConfig.Devices[0]",
	    "" },
	{ CREATE, HC("\"DeviceCgroupRules\":[\"a *:* rwm\"]"), "devices",
	    "HostConfig.DeviceCgroupRules", "" },
	{ CREATE, HC("\"DeviceRequests\":[{\"Count\":-1}]"), "devices",
	    "HostConfig.DeviceRequests", "" },
	{ CREATE, HC("\"RestartPolicy\":{\"Name\":\"always\"}"), "restart",
	    "HostConfig.RestartPolicy.Name", "allowed: no, on-failure" },
	{ "POST /containers/y/update",
	    "{\"RestartPolicy\":{\"Name\":\"unless-stopped\"}}", "restart",
	    "RestartPolicy.Name", "" },
	{ CREATE, HC("\"SecurityOpt\":[\"apparmor=unconfined\"]"),
	    "security-options", "HostConfig.SecurityOpt[0]",
	    "allowed: seccomp=builtin" },
	{ CREATE,
	    HC("\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":"
	       "65537}]"),
	    "ulimits", "HostConfig.Ulimits[0]",
	    "a higher ulimit \"nofile\" (at most 65536)" },
	{ CREATE,
	    HC("\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":-1,\"Hard\":"
	       "1}]"),
	    "ulimits", "HostConfig.Ulimits[0]", "" },
	{ CREATE, HC("\"Ulimits\":[{\"Name\":\"core\",\"Soft\":1}]"), "ulimits",
	    "HostConfig.Ulimits[0]", "not listed" },
	{ "POST /build?ulimits=[{%22Name%22:%22nofile%22,%22Hard%22:1,"
	  "%22Soft%22:1,%22hard%22:99999}]",
	    NULL, "type", "ulimits", "Name, Hard and Soft" },
	{ "POST /build?ulimits=[{%22Name%22:%22nofile%22,%22Hard%22:99999,"
	  "%22Soft%22:1}]",
	    NULL, "ulimits", "ulimits", "at most 65536" },
	{ "POST /build?ulimits=7", NULL, "type", "ulimits", "list" },
	{ CREATE,
	    HC("\"ExtraHosts\":[\"host.docker.internal:host-gateway\","
	       "\"a:10.0.0.1\"]"),
	    NULL, "", "" },
	{ CREATE,
	    HC("\"Sysctls\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\"}"),
	    NULL, "", "" },
	{ CREATE, HC("\"Runtime\":\"runsc\""), NULL, "", "" },
	{ CREATE, HC("\"Runtime\":\"\",\"LogConfig\":{\"Type\":\"local\"}"),
	    NULL, "", "" },
	{ CREATE, HC("\"LogConfig\":{\"Type\":\"journald\"}"), NULL, "", "" },
	{ CREATE, DEVICE("/dev/fuse"), NULL, "", "" },
	{ CREATE, HC("\"RestartPolicy\":{\"Name\":\"on-failure\"}"), NULL, "",
	    "" },
	{ CREATE,
	    HC("\"SecurityOpt\":[\"seccomp=builtin\","
	       "\"no-new-privileges\"]"),
	    NULL, "", "" },
	{ CREATE,
	    HC("\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":1024,"
	       "\"Hard\":65536}]"),
	    NULL, "", "" },
	{ START, NULL, NULL, "", "" },
};

static void
lets_values_through_by_list(void **state)
{
	static const struct told told[] = {
		{ "/containers/y/json", 200,
		    "{\"Id\":\"" ID "\",\"HostConfig\":{}}" },
		{ "/containers/x/json", 200,
		    "{\"Id\":\"" ID "\",\"HostConfig\":{\"Devices\":[{"
		    "\"PathOnHost\":\"/dev/fuse\"}],\"SecurityOpt\":["
		    "\"seccomp=builtin\"]}}" },
		{ NULL, 0, NULL },
	};

	(void)state;
	ask_cases(
	    ROLE_TEXT("ci-runner",
		"\"extra_hosts\":[\"host.docker.internal:host-gateway\"],"
		"\"sysctls\":[\"net.ipv4.ip_unprivileged_port_start\"],"
		"\"ulimits\":{\"nofile\":65536},\"runtimes\":[\"runsc\"],"
		"\"log_drivers\":[\"journald\"],\"devices\":[\"/dev/fuse\"],"
		"\"restart\":[\"no\",\"on-failure\"],"
		"\"security_options\":[\"seccomp=builtin\"]"),
	    lists, NELEM(lists), told);
}

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ "\"ports\":{\"address\":[]}",
		    "expected addresses, range or publish_all" },
		{ "\"ports\":{\"range\":\"x\"}", "expected ports such as" },
		{ "\"ports\":{\"range\":\"2-1\"}", "expected ports such as" },
		{ "\"ports\":{\"range\":8080}", "expected ports such as" },
		{ "\"ports\":{\"publish_all\":0}", "expected true or false" },
		{ "\"networks\":{\"mode\":[]}", "expected modes or drivers" },
		{ "\"restart\":[\"never\"]", "expected no, always" },
		{ "\"ulimits\":[]", "expected an object such as" },
		{ "\"ulimits\":{\"nofile\":\"1\"}", "expected a number" },
		{ "\"ulimits\":{\"nofile\":-1}", "expected a number" },
		{ "\"devices\":\"/dev/fuse\"", "expected a list" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publishes_where_the_role_may),
		cmocka_unit_test(joins_networks_by_list),
		cmocka_unit_test(lets_values_through_by_list),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
