/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that have what their tenant has made: refusals first. */
#include "policy_role.h"

#include "rules.h"
#include "tenant.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define ANON "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CREATE "POST /v1.41/containers/create"

#define POLICY                                                                 \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"tenant\","         \
	"\"tenant\":\"a\"},{\"match\":{\"cn\":\"p\"},\"role\":\"ci-runner\"}]" \
	"}"

#define LABELS(t) "\"Labels\":{\"dinv.tenant\":\"" t "\"}"
#define BOX(id, name, t, mark, more)                                           \
	"{\"Id\":\"" id "\",\"Name\":\"/" name "\",\"Config\":{" LABELS(       \
	    t) "},\"HostConfig\":{\"ContainerIDFile\":\"" mark "\"" more "}"
#define EXEC(c) "{\"ID\":\"e\",\"ContainerID\":\"" c "\",\"ProcessConfig\":{}}"
#define NET(id, name, t)                                                       \
	"{\"Id\":\"" id "\",\"Name\":\"" name                                  \
	"\",\"Driver\":\"bridge\"," LABELS(t) "}"
#define VOL(name, t)                                                           \
	"{\"Name\":\"" name "\",\"Driver\":\"local\"," LABELS(t) "}"

static const struct told world[] = {
	{ "/containers/own/json", 200,
	    BOX(ID, "own", "a", "dinv.tenant=a", "") "}" },
	{ "/containers/" ID "/json", 200,
	    BOX(ID, "own", "a", "dinv.tenant=a", "") "}" },
	{ "/containers/theirs/json", 200,
	    BOX(ID2, "theirs", "b", "dinv.tenant=b", "") "}" },
	{ "/containers/fed/json", 200,
	    BOX(ID2, "theirs", "b", "dinv.tenant=b", "") "}" },
	{ "/containers/" ID2 "/json", 200,
	    BOX(ID2, "theirs", "b", "dinv.tenant=b", "") "}" },
	/* the label came with the image */
	{ "/containers/image/json", 200, BOX(ID2, "image", "a", "", "") "}" },
	{ "/containers/image2/json", 200,
	    BOX(ID2, "image2", "a", "dinv.tenant=b", "") "}" },
	{ "/containers/marked/json", 200,
	    "{\"Id\":\"" ID2 "\",\"Config\":null,\"HostConfig\":{"
	    "\"ContainerIDFile\":\"dinv.tenant=a\"}}" },
	{ "/containers/longer/json", 200,
	    BOX(ID2, "longer", "ab", "dinv.tenant=ab", "") "}" },
	{ "/containers/many/json", 500, "{\"message\":\"multiple IDs\"}" },
	{ "/containers/held/json", 200,
	    BOX(ID, "held", "a", "dinv.tenant=a",
		"") ",\"Mounts\":[{\"Type\":"
		    "\"volume\",\"Name\":\"vtheirs\",\"Driver\":\"local\"}]}" },
	{ "/containers/plain/json", 200,
	    BOX(ID, "plain", "a", "dinv.tenant=a",
		"") ",\"Mounts\":[{\"Type\":"
		    "\"volume\",\"Name\":\"vplain\",\"Driver\":\"local\"}]}" },
	{ "/containers/anon/json", 200,
	    BOX(ID, "anon", "a", "dinv.tenant=a",
		"") ",\"Mounts\":[{\"Type\":"
		    "\"volume\",\"Name\":\"" ANON "\",\"Driver\":\"local\"},"
		    "{\"Type\":\"volume\",\"Name\":\"vown\",\"Driver\":"
		    "\"local\"}]}" },
	{ "/containers/joined/json", 200,
	    BOX(ID, "joined", "a", "dinv.tenant=a",
		",\"PidMode\":\"container:" ID2 "\"") "}" },
	{ "/exec/own/json", 200, EXEC(ID) },
	{ "/exec/theirs/json", 200, EXEC(ID2) },
	{ "/networks/own", 200, NET(ID, "own", "a") },
	{ "/networks/" ID, 200, NET(ID, "own", "a") },
	{ "/networks/theirs", 200, NET(ID2, "theirs", "b") },
	{ "/networks/fed", 200, NET(ID2, "theirs", "b") },
	{ "/networks/bridge", 200,
	    "{\"Id\":\"" ID2 "\",\"Name\":\"bridge\",\"Driver\":\"bridge\","
	    "\"Labels\":{}}" },
	{ "/volumes/own", 200, VOL("own", "a") },
	{ "/volumes/vown", 200, VOL("vown", "a") },
	{ "/volumes/theirs", 200, VOL("theirs", "b") },
	{ "/volumes/vtheirs", 200, VOL("vtheirs", "b") },
	{ "/volumes/vplain", 200,
	    "{\"Name\":\"vplain\",\"Driver\":\"local\"}" },
	{ "/volumes/" ANON, 200,
	    "{\"Name\":\"" ANON "\",\"Driver\":\"local\",\"Labels\":null}" },
	{ "/volumes/create", 201, VOL("any", "a") },
	{ NULL, 0, NULL },
};

/* --- every operation ------------------------------------------------------ */

struct kind {
	enum own_how how;
	const char *foreign[4];
	const char *body;	    /* of operations that have one */
	const char *before, *after; /* the name, in dockerd's words */
};

static const struct kind kinds[] = {
	{ OWN_CONTAINER, { "theirs", "fed", ID2, "image" }, "{}",
	    "No such container: ", "" },
	{ OWN_EXEC, { "theirs", "nothing", "theirs", "theirs" }, "{}",
	    "No such exec instance: ", "" },
	{ OWN_NETWORK, { "theirs", "fed", "nothing", "bridge" }, "{}",
	    "network ", " not found" },
	{ OWN_CONNECT, { "theirs", "fed", "nothing", "theirs" },
	    "{\"Container\":\"own\"}", "network ", " not found" },
	{ OWN_VOLUME, { "theirs", "vtheirs", "nothing", "vplain" }, "{}",
	    "get ", ": no such volume" },
};

/* "/containers/{id}/start" with the name in place. */
static void
write_request(const struct op *op, const char *name, char *out, size_t size)
{
	const char *brace = strstr(op->pattern, "{id}");

	assert_non_null(brace);
	snprintf(out, size, "%s /v1.43%.*s%s%s", method_name(op->method),
	    (int)(brace - op->pattern), op->pattern, name, brace + 4);
}

static void
sweep(const struct op *op, const struct kind *k)
{
	const char *body = op->body == OP_BODY_JSON ? k->body : NULL;
	char request[256], says[256];
	struct asked a;
	size_t i;

	for (i = 0; i < NELEM(k->foreign); i++) {
		write_request(op, k->foreign[i], request, sizeof(request));
		ask_text(POLICY, request, body, world, &a);
		snprintf(says, sizeof(says), "%s%s%s", k->before, k->foreign[i],
		    k->after);
		if (a.verdict != VERDICT_DENY || a.why.status != 404 ||
		    strcmp(a.why.message, says) != 0) {
			fail_msg(
			    "%s: %u %s", request, a.why.status, a.why.message);
		}
	}
	write_request(op, "own", request, sizeof(request));
	ask_text(POLICY, request, body, world, &a);
	if (a.verdict != VERDICT_ALLOW) {
		fail_msg("%s: %u %s", request, a.why.status, a.why.message);
	}
	if (k->how != OWN_EXEC && k->how != OWN_VOLUME) {
		assert_non_null(strstr(a.target, ID));
		assert_null(strstr(a.target, "/own"));
	}
	assert_string_equal(a.why.tenant, "a");
}

static void
every_operation_is_held_to_ownership(void **state)
{
	size_t i, j, n, swept = 0;
	const struct op *op = ops_all(&n);
	struct asked a;
	char request[256];

	(void)state;
	for (i = 0; i < n; i++) {
		if (tenant_how(&op[i]) == OWN_NEVER ||
		    (op[i].body == OP_BODY_JSON && op[i].fields == NULL) ||
		    strcmp(op[i].name, "ImageLoad") == 0 ||
		    strcmp(op[i].name, "VolumeUpdate") == 0 ||
		    strcmp(op[i].name, "ImageSearch") == 0) {
			/* not in the preset, or by no rule of it */
			snprintf(request, sizeof(request), "%s %s",
			    method_name(op[i].method), op[i].pattern);
			ask_text(POLICY, request, "{}", world, &a);
			assert_int_equal(a.verdict, VERDICT_DENY);
			continue;
		}
		for (j = 0; j < NELEM(kinds); j++) {
			if (kinds[j].how == tenant_how(&op[i])) {
				sweep(&op[i], &kinds[j]);
				swept++;
			}
		}
	}
	assert_true(swept >= 30);
}

/* --- bodies and queries --------------------------------------------------- */

static const struct role_case refused[] = {
	/* two marks, both the tenant's and letter by letter */
	{ "GET /containers/image2/json", NULL, "tenant", "", "No such" },
	{ "GET /containers/marked/json", NULL, "tenant", "", "No such" },
	{ "GET /containers/longer/json", NULL, "tenant", "", "No such" },
	{ "GET /containers/many/json", NULL, "fact", "",
	    "No such container: many" },
	{ "GET /containers/none/json", NULL, "not-found", "",
	    "No such container: none" },
	{ "POST /commit?container=theirs", NULL, "tenant", "",
	    "No such container: theirs" },
	{ "POST /networks/own/connect", "{\"Container\":\"theirs\"}", "tenant",
	    "Container", "No such container: theirs" },
	{ "POST /networks/own/disconnect", "{\"Container\":\"fed\"}", "tenant",
	    "Container", "No such container: fed" },
	{ "POST /networks/bridge/connect", "{\"Container\":\"theirs\"}",
	    "tenant", "Container", "No such container" },
	/* a volume that came to be another's while the container was made */
	{ "POST /containers/held/start", NULL, "tenant", "Mounts[0]",
	    "volume \"vtheirs\", which is another's" },
	{ "GET /containers/plain/archive?path=/", NULL, "tenant", "Mounts[0]",
	    "volume \"vplain\"" },
	{ "POST /containers/joined/start", NULL, "tenant", "HostConfig.PidMode",
	    "No such container: joined" },
	/* in bodies */
	{ CREATE, "{\"HostConfig\":{\"NetworkMode\":\"theirs\"}}", "tenant",
	    "HostConfig.NetworkMode", "network theirs not found" },
	{ CREATE, "{\"HostConfig\":{\"NetworkMode\":\"nothing\"}}", "not-found",
	    "HostConfig.NetworkMode", "network nothing not found" },
	{ CREATE,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"theirs\":{}}}}",
	    "tenant", "NetworkingConfig.EndpointsConfig", "not found" },
	{ CREATE,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"own\":{"
	    "\"NetworkID\":\"theirs\"}}}}",
	    "tenant", "NetworkingConfig.EndpointsConfig[\"own\"].NetworkID",
	    "not found" },
	{ CREATE,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"own\":{},\"" ID
	    "\":{}}}}",
	    "tenant", "NetworkingConfig.EndpointsConfig", "two names" },
	{ CREATE, "{\"HostConfig\":{\"PidMode\":\"container:theirs\"}}",
	    "tenant", "HostConfig.PidMode", "No such container: theirs" },
	{ CREATE, "{\"HostConfig\":{\"NetworkMode\":\"container:fed\"}}",
	    "tenant", "HostConfig.NetworkMode", "No such container: fed" },
	{ CREATE, "{\"HostConfig\":{\"VolumesFrom\":[\"theirs\"]}}",
	    "volumes-from", "HostConfig.VolumesFrom", "" },
	{ CREATE "?name=theirs", "{}", "tenant", "name",
	    "name \"/theirs\" is already in use" },
	{ CREATE "?name=/theirs", "{}", "tenant", "name", "in use" },
	{ "POST /containers/own/rename?name=theirs", NULL, "tenant", "name",
	    "in use" },
	{ CREATE, "{\"Labels\":{\"dinv.other\":\"x\"}}", "tenant", "Labels",
	    "dinv.other" },
	{ CREATE,
	    "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Target\":"
	    "\"/x\",\"VolumeOptions\":{\"Labels\":{\"dinv.tenant\":\"b\"}}}"
	    "]}}",
	    "tenant", "HostConfig.Mounts[0].VolumeOptions.Labels", "" },
	{ CREATE, "{\"HostConfig\":{\"ContainerIDFile\":\"dinv.tenant=b\"}}",
	    "tenant", "HostConfig.ContainerIDFile", "" },
	{ "POST /commit?container=own", "{\"Labels\":{\"dinv.x\":\"\"}}",
	    "tenant", "Labels", "" },
	/* filters */
	{ "GET /containers/json?filters=%7B%22before%22:[%22theirs%22]%7D",
	    NULL, "tenant", "filters", "before" },
	{ "GET /containers/json?filters=%7B%22since%22:%7B%22x%22:true%7D%7D",
	    NULL, "tenant", "filters", "since" },
	{ "GET /containers/json?filters=%7B%22Label%22:[]%7D", NULL, "tenant",
	    "filters", "Label" },
	{ "GET /containers/json?filters=%7B%22label%22:[%22a%22],%22label%22:["
	  "]%7D",
	    NULL, "type", "filters", "" },
	{ "GET /containers/json?filters=[]", NULL, "type", "filters", "" },
	{ "GET /containers/json?filters=%7B%22label%22:%7B%22x%22:false%7D%7D",
	    NULL, "type", "filters", "" },
	{ "GET /containers/json?filters=%7B%22label%22:%22x%22%7D", NULL,
	    "type", "filters", "" },
	{ "GET /events?filters=%7B%22label%22:[1]%7D", NULL, "type", "filters",
	    "" },
	/* images */
	{ "POST /images/x/tag?repo=alpine", NULL, "images", "repo", "" },
	{ "POST /images/x/tag?repo=b/app", NULL, "images", "repo", "" },
	{ "POST /images/x/tag?repo=a.evil/b/app", NULL, "images", "repo", "" },
	{ "POST /images/create?fromSrc=-&repo=alpine", NULL, "images", "repo",
	    "" },
	{ "POST /commit?container=own&repo=alpine", NULL, "images", "repo",
	    "" },
	{ "POST /build?t=alpine", NULL, "images", "t", "" },
	{ "DELETE /images/alpine", NULL, "images", "", "remove" },
	{ "DELETE /images/cafe", NULL, "images", "", "" },
	{ "POST /images/alpine/push?tag=x", NULL, "images", "", "" },
	{ "POST /build?cachefrom=[%22alpine%22]", NULL, "tenant", "cachefrom",
	    "" },
	{ "POST /build?networkmode=own", NULL, "tenant", "networkmode", "" },
	{ "POST /build?version=2", NULL, "buildkit", "version", "" },
	{ "POST /build?session=x", NULL, "tenant", "session", "" },
	{ "POST /build?buildid=upload-request:x", NULL, "tenant", "buildid",
	    "" },
};

static void
refuses_what_is_not_the_tenants(void **state)
{
	(void)state;
	ask_cases(POLICY, refused, NELEM(refused), world);
}

static void
allows_what_is(void **state)
{
	static const char *const requests[][2] = {
		{ "POST /containers/anon/start", NULL },
		{ "POST /commit?container=own&repo=a/x", "null" },
		{ "POST /containers/own/rename?name=new", NULL },
		{ "POST /containers/own/rename?name=own", NULL },
		/* found by its id, so the name itself is free */
		{ CREATE "?name=fed", "{}" },
		{ CREATE "?name=many", "{}" },
		{ CREATE,
		    "{\"HostConfig\":{\"NetworkMode\":\"container:own\"}}" },
		{ CREATE, "{\"HostConfig\":{\"NetworkMode\":\"bridge\"}}" },
		{ CREATE, "{\"HostConfig\":{\"NetworkMode\":\"none\"}}" },
		{ "POST /networks/bridge/connect", "{\"Container\":\"own\"}" },
		{ "POST /images/x/tag?repo=localhost:5000/a/app", NULL },
		{ "POST /images/a/app/push?tag=1", NULL },
		{ "DELETE /images/a/app:1", NULL },
		{ "POST /images/create?fromImage=alpine&tag=3", NULL },
		{ "POST /volumes/create", "{}" },
	};
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(requests); i++) {
		ask_text(POLICY, requests[i][0], requests[i][1], world, &a);
		if (a.verdict != VERDICT_ALLOW) {
			fail_msg("%s: %s", requests[i][0], a.why.message);
		}
	}
}

/* --- what goes on --------------------------------------------------------- */

#define MARK "\"ContainerIDFile\":\"dinv.tenant=a\""

static const struct {
	const char *request, *body, *sent;
} written[] = {
	{ CREATE, "{\"Image\":\"i\"}",
	    "{\"Image\":\"i\"," LABELS(
		"a") ",\"HostConfig\":{" MARK
		     "},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}" },
	{ CREATE,
	    "{\"Labels\":{\"dinv.tenant\":\"b\",\"x\":\"y\"},\"HostConfig\":{"
	    "\"containeridfile\":\"/f\",\"NetworkMode\":\"own\"}}",
	    "{\"Labels\":{\"dinv.tenant\":\"a\",\"x\":\"y\"},\"HostConfig\":"
	    "{" MARK ",\"NetworkMode\":\"own\"},\"NetworkingConfig\":{"
	    "\"EndpointsConfig\":{\"own\":{\"NetworkID\":\"" ID "\"}}}}" },
	{ CREATE,
	    "{\"HostConfig\":{\"NetworkMode\":\"" ID
	    "\"},\"NetworkingConfig\":{\"EndpointsConfig\":{\"" ID
	    "\":{\"NetworkID\":\"own\",\"Aliases\":[\"z\"]},\"bridge\":{"
	    "\"NetworkID\":\"\"}}}}",
	    "{\"HostConfig\":{\"NetworkMode\":\"" ID "\"," MARK
	    "},\"NetworkingConfig\":{\"EndpointsConfig\":{\"own\":{"
	    "\"NetworkID\":\"" ID
	    "\",\"Aliases\":[\"z\"]},\"bridge\":{}}}," LABELS("a") "}" },
	{ CREATE,
	    "{\"HostConfig\":{\"PidMode\":\"container:own\"},"
	    "\"NetworkingConfig\":null}",
	    "{\"HostConfig\":{\"PidMode\":\"container:" ID "\"," MARK
	    "},\"NetworkingConfig\":{\"EndpointsConfig\":{}}," LABELS(
		"a") "}" },
	{ "POST /networks/own/connect",
	    "{\"Container\":\"own\",\"EndpointConfig\":{\"NetworkID\":\"own\","
	    "\"Aliases\":null}}",
	    "{\"Container\":\"" ID "\",\"EndpointConfig\":{\"NetworkID\":\"" ID
	    "\",\"Aliases\":null}}" },
	{ "POST /networks/own/connect", "{\"Container\":\"own\"}",
	    "{\"Container\":\"" ID "\",\"EndpointConfig\":{\"NetworkID\":\"" ID
	    "\"}}" },
	{ "POST /networks/own/disconnect",
	    "{\"Container\":\"own\",\"Force\":"
	    "true}",
	    "{\"Container\":\"" ID "\",\"Force\":true}" },
	{ "POST /networks/create", "{\"Name\":\"n\",\"CheckDuplicate\":false}",
	    "{\"Name\":\"n\",\"CheckDuplicate\":true," LABELS("a") "}" },
	{ "POST /volumes/create", "{\"Name\":\"v\"}",
	    "{\"Name\":\"v\"," LABELS("a") "}" },
};

static void
writes_whose_it_is(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(written); i++) {
		ask_text(
		    POLICY, written[i].request, written[i].body, world, &a);
		if (a.verdict != VERDICT_ALLOW) {
			fail_msg("%s: %s", written[i].body, a.why.message);
		}
		assert_string_equal(a.body, written[i].sent);
	}
}

/* dockerd answers a create with the volume that is there already. */
static void
makes_volumes_before_they_are_used(void **state)
{
	static const char body[] =
	    "{\"HostConfig\":{\"Binds\":[\"v:/x\",\"v:/y\"],\"Mounts\":["
	    "{\"Type\":\"volume\",\"Source\":\"w\",\"Target\":\"/z\","
	    "\"VolumeOptions\":{\"Labels\":{\"k\":\"l\"}}}],\"NetworkMode\":"
	    "\"own\"}}";
	static const struct told foreign[] = {
		{ "/networks/own", 200, NET(ID, "own", "a") },
		{ "/volumes/create", 201, VOL("v", "b") },
		{ NULL, 0, NULL },
	};
	static const struct told plugin[] = {
		{ "/volumes/create", 409, "{\"message\":\"in use\"}" },
		{ NULL, 0, NULL },
	};
	static const struct told bind[] = {
		{ "/volumes/create", 201,
		    "{\"Name\":\"v\",\"Driver\":\"local\"," LABELS(
			"a") ",\"Options\":{\"o\":\"bind\"}}" },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_text(POLICY, CREATE, body, world, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(
	    a.facts, "/networks/own /volumes/create /volumes/create ");
	assert_string_equal(a.made,
	    "{\"Name\":\"v\",\"Driver\":\"\"," LABELS(
		"a") "} "
		     "{\"Name\":\"w\",\"Driver\":\"\",\"Labels\":{\"dinv."
		     "tenant\":\"a\","
		     "\"k\":\"l\"}} ");
	ask_text(POLICY, CREATE, body, foreign, &a);
	assert_int_equal(a.why.status, 409);
	assert_string_equal(a.why.rule, "tenant");
	ask_text(
	    POLICY, "POST /volumes/create", "{\"Name\":\"v\"}", foreign, &a);
	assert_int_equal(a.why.status, 409);
	ask_text(
	    POLICY, "POST /volumes/create", "{\"Name\":\"v\"}", plugin, &a);
	assert_int_equal(a.why.status, 409);
	ask_text(POLICY, "POST /volumes/create", "{\"Name\":\"v\"}", bind, &a);
	assert_string_equal(a.why.rule, "host-paths");
	/* nothing is made for a request that is refused */
	ask_text(POLICY, CREATE,
	    "{\"HostConfig\":{\"Binds\":[\"v:/x\"],\"NetworkMode\":\"theirs\"}"
	    "}",
	    world, &a);
	assert_string_equal(a.facts, "/networks/theirs ");
}

#define HOLDERS                                                                \
	"/containers/json?all=1&filters=%7B%22volume%22%3A%7B%22" ANON         \
	"%22%3Atrue%7D%2C%22label%22%3A%7B%22dinv.tenant%3Da%22%3Atrue%7D%7D"

#define HAS(id)                                                                \
	"{\"Id\":\"" id                                                        \
	"\",\"Mounts\":[{\"Name\":\"other\"},{\"Name\":\"" ANON "\"}]}"

/* docker-compose gives them to the container that takes another's place. */
static void
knows_anonymous_volumes_by_who_has_them(void **state)
{
	static const char body[] =
	    "{\"HostConfig\":{\"Binds\":[\"" ANON ":/x\"]}}";
	struct told told[] = {
		{ HOLDERS, 200, NULL },
		{ "/volumes/" ANON, 200, NULL },
		{ "/containers/" ID "/json", 200,
		    BOX(ID, "own", "a", "dinv.tenant=a", "") "}" },
		/* its label came with the image */
		{ "/containers/" ID2 "/json", 200,
		    BOX(ID2, "image", "a", "", "") "}" },
		{ "/volumes/create", 201,
		    "{\"Name\":\"" ANON "\",\"Driver\":\"local\"}" },
		{ NULL, 0, NULL },
	};
	static const struct {
		const char *holders, *volume;
		unsigned status; /* 200: allowed */
	} c[] = {
		/* nobody has it, and it is there: whose it was is not known */
		{ "[]", "{}", 409 },
		/* has another one, at a path that is called as this one is */
		{ "[{\"Id\":\"" ID "\",\"Mounts\":[{\"Name\":\"other\","
		  "\"Destination\":\"" ANON "\"}]}]",
		    "{\"Driver\":\"local\",\"Labels\":null}", 409 },
		{ "{}", "{}", 403 },
		{ "[" HAS("x") "]", "{}", 403 },
		{ "[" HAS(ID2) "]", "{\"Driver\":\"local\",\"Labels\":null}",
		    400 },
		{ "[" HAS(ID) "]", VOL("x", "b"), 403 },
		{ "[" HAS(ID) "]",
		    "{\"Driver\":\"local\",\"Options\":{\"o\":\"bind\"}}",
		    403 },
		{ "[" HAS(ID) ",{\"Id\":\"" ID2 "\"}]",
		    "{\"Driver\":\"local\",\"Labels\":null}", 200 },
	};
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		told[0].body = c[i].holders;
		told[1].body = c[i].volume;
		ask_text(POLICY, CREATE, body, told, &a);
		if ((a.verdict == VERDICT_ALLOW ? 200 : a.why.status) !=
		    c[i].status) {
			fail_msg("%zu: %u %s (%s)", i, a.why.status,
			    a.why.message, a.facts);
		}
		assert_int_equal(a.made[0] != '\0', c[i].status == 409);
	}
}

static void
narrows_lists_and_builds(void **state)
{
	static const struct {
		const char *request, *sent;
	} c[] = {
		{ "GET /v1.41/containers/json?all=1",
		    "/v1.41/containers/json?all=1&filters={\"label\":{"
		    "\"dinv.tenant=a\":true}}" },
		{ "GET /containers/json?filters=%7B%22status%22:[%22exited%22],"
		  "%22label%22:%7B%22k%22:true,%22dinv.tenant=a%22:true%7D%7D&"
		  "size=1",
		    "/containers/json?size=1&filters={\"label\":{"
		    "\"dinv.tenant=a\":true,\"k\":true},\"status\":{\"exited\":"
		    "true}}" },
		{ "GET /events", "/events?filters={\"label\":{\"dinv.tenant=a\""
				 ":true}}" },
		{ "GET /networks?filters=", "/networks?filters={\"label\":{"
					    "\"dinv.tenant=a\":true}}" },
		{ "GET /volumes?filters=%7B%7D",
		    "/volumes?filters={\"label\":{\"dinv.tenant=a\":true}}" },
		{ "POST /volumes/prune?filters=%7B%22all%22:[%221%22]%7D",
		    "/volumes/prune?filters={\"label\":{\"dinv.tenant=a\":true}"
		    ",\"all\":{\"1\":true}}" },
		{ "POST /build?t=a/x&rm=0&nocache=0&cachefrom=[]",
		    "/build?t=a/x&cachefrom=[]&nocache=1&rm=1&forcerm=1" },
		{ "POST /build?cachefrom=[%22a/x%22]",
		    "/build?cachefrom=[\"a/x\"]&rm=1&forcerm=1" },
	};
	struct canon_req req;
	struct arena arena;
	struct asked a;
	struct buf b;
	size_t i, j;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		ask_text(POLICY, c[i].request, NULL, world, &a);
		if (a.verdict != VERDICT_ALLOW) {
			fail_msg("%s: %s", c[i].request, a.why.message);
		}
		/* read as dockerd would */
		arena_init(&arena, 65536);
		buf_init(&b, 65536);
		assert_int_equal(canon_request(&arena, METHOD_GET,
				     span_of(a.target), &req, NULL),
		    ERR_OK);
		assert_int_equal(
		    buf_printf(&b, "%.*s",
			(int)(strchrnul(a.target, '?') - a.target), a.target),
		    ERR_OK);
		for (j = 0; j < req.n_query; j++) {
			assert_int_equal(
			    buf_printf(&b, "%s%.*s=%.*s", j == 0 ? "?" : "&",
				SPAN_ARG(req.query[j].key),
				SPAN_ARG(req.query[j].value)),
			    ERR_OK);
		}
		assert_int_equal(buf_append(&b, "", 1), ERR_OK);
		assert_string_equal(buf_span(&b).p, c[i].sent);
		buf_fini(&b);
		arena_fini(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_is_held_to_ownership),
		cmocka_unit_test(refuses_what_is_not_the_tenants),
		cmocka_unit_test(allows_what_is),
		cmocka_unit_test(writes_whose_it_is),
		cmocka_unit_test(makes_volumes_before_they_are_used),
		cmocka_unit_test(knows_anonymous_volumes_by_who_has_them),
		cmocka_unit_test(narrows_lists_and_builds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
