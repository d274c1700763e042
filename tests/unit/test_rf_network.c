// SPDX-License-Identifier: BSD-2-Clause
/*
 * Networks of guests in the control domain: what is planned for each mode, what is refused, and, in a network namespace
 * of its own, that plans can be performed and leave nothing behind.
 */
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/lib/network.h"
#include "toolstack/lib/network_facts.h"
#include "toolstack/lib/network_plan.h"
#include "toolstack/lib/network_steps.h"

static struct network_want want_nat(void)
{
	return (struct network_want){
		.mode = NETWORK_NAT,
		.name = "rfnat0",
		.subnet = { 0x0a520000, 24 },
		.folder = "/run/n",
	};
}

/* What is done, a line each; what is undone, by the number of steps. */
static const char *line(const json_t *plan, size_t step, const char *key)
{
	return json_string_value(json_object_get(json_array_get(plan, step), key));
}

static void check_lines(const json_t *plan, const char *const *lines)
{
	size_t i;

	for (i = 0; lines[i]; i++)
		assert_string_equal(line(plan, i, "do"), lines[i]);
	assert_int_equal(json_array_size(plan), i);
}

/* --- Plans --- */

static void test_nat(void **state)
{
	static const char *const lines[] = { "ip link add rfnat0 type bridge",
					     "ip addr add 10.82.0.1/24 dev rfnat0",
					     "ip link set rfnat0 up",
					     "forward on rfnat0",
					     "nft -f -",
					     "write /run/n/rfnat0.conf",
					     "dnsmasq --conf-file=/run/n/rfnat0.conf",
					     NULL };
	struct network_facts facts = { .count = 0 };
	struct network_want want = want_nat();
	struct report report = { .warnings = 0 };
	json_t *plan = network_plan(&want, &facts, &report);

	(void)state;
	check_lines(plan, lines);
	assert_string_equal(line(plan, 0, "undo"), "ip link del rfnat0");
	assert_string_equal(line(plan, 4, "undo"), "nft delete table ip ringfence_rfnat0");
	assert_string_equal(line(plan, 6, "undo"), "stop /run/n/rfnat0.pid");
	assert_non_null(strstr(line(plan, 4, "input"),
			       "ip saddr 10.82.0.0/24 oifname != \"rfnat0\" masquerade"));
	assert_non_null(
		strstr(line(plan, 5, "input"), "dhcp-range=10.82.0.0,static,255.255.255.0"));
	json_decref(plan);
}

static void test_bridge(void **state)
{
	static const char *const lines[] = { "ip link add rf0 type bridge", "ip link set rf0 up",
					     NULL };
	static const char *const none[] = { NULL };
	struct network_want want = { .mode = NETWORK_BRIDGE, .name = "rf0" };
	struct network_facts facts = { .count = 0 };
	struct report report = { .warnings = 0 };
	json_t *plan = network_plan(&want, &facts, &report);

	(void)state;
	check_lines(plan, lines);
	json_decref(plan);
	facts.bridge = true;
	plan = network_plan(&want, &facts, &report);
	check_lines(plan, none);
	json_decref(plan);
}

static struct network_facts facts_of_node(void)
{
	return (struct network_facts){
		.uplink = true,
		.mac = "02:00:00:00:00:09",
		.count = 1,
		.address = { 0x0a00020f },
		.bits = { 24 },
		.gateway = 0x0a000202,
	};
}

/* The address is on one of both at any time after the first second, and the last step asks the gateway. */
static void test_move(void **state)
{
	static const char *const lines[] = { "ip link add br0 type bridge",
					     "ip link set br0 address 02:00:00:00:00:09",
					     "ip link set br0 up",
					     "ip link set eth0 up",
					     "ip link set eth0 master br0",
					     "ip link set eth0 up",
					     "ip addr del 10.0.2.15/24 dev eth0",
					     "ip addr add 10.0.2.15/24 dev br0",
					     "ip route replace default via 10.0.2.2 dev br0",
					     "reach 10.0.2.2 br0",
					     NULL };
	struct network_want want = { .name = "br0", .uplink = "eth0", .move = true };
	struct network_facts facts = facts_of_node();
	struct report report = { .warnings = 0 };
	json_t *plan = network_plan(&want, &facts, &report);

	(void)state;
	check_lines(plan, lines);
	/* Undone last, when the address is back. */
	assert_string_equal(line(plan, 3, "undo"),
			    "ip route replace default via 10.0.2.2 dev eth0");
	json_decref(plan);
}

static void test_routed(void **state)
{
	static const char *const lines[] = { "forward on rf3.0",
					     "write /proc/sys/net/ipv4/neigh/rf3.0/proxy_delay",
					     "write /proc/sys/net/ipv4/conf/rf3.0/proxy_arp",
					     "ip route add 192.0.2.7/32 dev rf3.0",
					     "ip neigh add proxy 192.0.2.7 dev eth0",
					     NULL };
	struct network_want want = { .mode = NETWORK_ROUTED,
				     .name = "rf3.0",
				     .uplink = "eth0",
				     .ip = 0xc0000207 };
	struct network_facts facts = facts_of_node();
	struct report report = { .warnings = 0 };
	json_t *plan = network_plan(&want, &facts, &report);

	(void)state;
	check_lines(plan, lines);
	assert_string_equal(line(plan, 4, "undo"), "ip neigh del proxy 192.0.2.7 dev eth0");
	json_decref(plan);
}

/* --- What is refused --- */

static void refuse(struct network_want want, struct network_facts facts, const char *message)
{
	struct report report = { .warnings = 0 };

	assert_null(network_plan(&want, &facts, &report));
	assert_non_null(strstr(report.error, message));
}

static void test_refused(void **state)
{
	struct network_want bridge = { .name = "br0", .uplink = "eth0" };
	struct network_facts facts = facts_of_node();

	(void)state;
	refuse(bridge, facts,
	       "eth0 has the node's address 10.0.2.15: in a bridge, the node would be cut off");
	bridge.move = true;
	facts.others = true;
	refuse(bridge, facts, "eth0 has addresses of IPv6, or more than 8: they are not moved");
	strcpy(facts.master, "br7");
	refuse(bridge, facts, "eth0: is in the bridge br7");
	facts.uplink = false;
	refuse(bridge, facts, "eth0: the node has no such interface");
	bridge.mode = NETWORK_ROUTED;
	refuse(bridge, facts, "eth0: the node has no such interface");
	facts.bridge = true;
	refuse(want_nat(), facts, "rfnat0 is there already");
	facts.bridge = false;
	strcpy(facts.user, "eth1");
	refuse(want_nat(), facts, "10.82.0.0/24: the node reaches some of these addresses by eth1");
}

/* --- For real --- */

#define SHELL(command) assert_int_equal(system(command), 0)

static json_t *parse(const char *text)
{
	json_t *net = json_loads(text, 0, NULL);

	assert_non_null(net);
	return net;
}

static bool join(const char *text, const char *tap, struct report *report)
{
	json_t *net = parse(text);
	bool good;

	memset(report, 0, sizeof(*report));
	good = network_join(net, tap, "somebody", report);
	if (!good)
		print_message("%s\n", report->error);
	json_decref(net);
	return good;
}

#define NAT "{ \"mode\": \"nat\", \"mac\": \"02:00:00:00:00:01\", \"mtu\": \"1500\" }"
#define ROUTED                                                                                     \
	"{ \"mode\": \"routed\", \"ip\": \"192.0.2.7\", \"mtu\": \"1500\", \"uplink\": \"eth0\" }"
#define PLAIN "{ \"mtu\": \"1400\" }"
#define MOVED                                                                                      \
	"{ \"bridge\": \"br0\", \"uplink\": \"eth0\", \"mtu\": \"1500\", \"move_addresses\": \"1\" }"
#define STAYS "{ \"bridge\": \"br0\", \"uplink\": \"eth0\", \"mtu\": \"1500\" }"

/* Two guests behind NAT: addresses, names, the table, dnsmasq; one goes, then the other. */
static void test_real_nat(void **state)
{
	struct report report;

	(void)state;
	assert_true(join(NAT, "rf1.0", &report));
	assert_true(join(NAT, "rf2.0", &report));
	SHELL("ip addr show rfnat0 | grep -q 10.82.0.1/24");
	SHELL("ip link show rf2.0 | grep -q 'master rfnat0'");
	SHELL("nft list table ip ringfence_rfnat0 | grep -q masquerade");
	SHELL("grep -q '10.82.0.3,somebody' $RINGFENCE_NETWORKS/rfnat0.hosts");
	SHELL("kill -0 $(cat $RINGFENCE_NETWORKS/rfnat0.pid)");
	SHELL("grep -q 1 /proc/sys/net/ipv4/ip_forward");
	network_leave("rf1.0");
	SHELL("ip link show rfnat0 >/dev/null");
	assert_true(join(ROUTED, "rf3.0", &report));
	network_leave("rf2.0");
	SHELL("! ip link show rfnat0 2>/dev/null");
	SHELL("! nft list table ip ringfence_rfnat0 2>/dev/null");
	/* Somebody else wants it still. */
	SHELL("grep -q 1 /proc/sys/net/ipv4/ip_forward");
	SHELL("ip route show | grep -q '192.0.2.7 dev rf3.0'");
	SHELL("ip neigh show proxy | grep -q '192.0.2.7 dev eth0'");
	network_leave("rf3.0");
	SHELL("! ip neigh show proxy | grep -q 192.0.2.7");
	SHELL("grep -q 0 /proc/sys/net/ipv4/ip_forward");
	SHELL("test \"$(ls $RINGFENCE_NETWORKS)\" = lock");
}

/* A step fails: what came before is taken back, and the message says which it was. */
static void test_real_failure(void **state)
{
	struct report report = { .warnings = 0 };
	json_t *plan = json_loads(
		"[ { \"do\": \"ip link add one type bridge\", \"undo\": \"ip link del one\" },"
		"{ \"do\": \"ip addr add 10.5.0.1/24 dev two\" } ]",
		0, NULL);
	json_t *none = json_loads("[ { \"do\": \"no-such-program a b\" } ]", 0, NULL);

	(void)state;
	assert_null(network_steps_do(plan, &report));
	assert_string_equal(report.error,
			    "ip addr add 10.5.0.1/24 dev two: Cannot find device \"two\"");
	SHELL("! ip link show one 2>/dev/null");
	memset(&report, 0, sizeof(report));
	assert_null(network_steps_do(none, &report));
	assert_string_equal(report.error,
			    "no-such-program a b: there is no program no-such-program");
	json_decref(plan);
	json_decref(none);
}

/* A bridge goes with the last guest, unless somebody gave it an address. */
static void test_real_bridge(void **state)
{
	struct report report;

	(void)state;
	assert_true(join(PLAIN, "rf1.0", &report));
	SHELL("ip link show rf1.0 | grep -q 'mtu 1400.*master rf0'");
	assert_false(join("{ \"mode\": \"nat\", \"bridge\": \"rf0\", \"mtu\": \"1500\" }", "rf2.0",
			  &report));
	assert_string_equal(report.error, "rf0: is a network of mode bridge");
	network_leave("rf1.0");
	SHELL("! ip link show rf0 2>/dev/null");
	assert_true(join(PLAIN, "rf1.0", &report));
	SHELL("ip addr add 10.7.0.1/24 dev rf0");
	network_leave("rf1.0");
	SHELL("ip link show rf0 >/dev/null && ip link del rf0");
}

static void check_node(const char *interface)
{
	char command[256];

	snprintf(
		command, sizeof(command),
		"ip route show | grep -q '^default via 10.99.0.1 dev %s' && "
		"ip addr show %s | grep -q 10.99.0.2/24 && busybox ping -q -c 1 -W 5 10.99.0.1 >/dev/null",
		interface, interface);
	SHELL(command);
}

/* The node's only interface: refused, then moved, moved back; and back at once when the gateway is not heard of. */
static void test_real_uplink(void **state)
{
	struct report report;

	(void)state;
	check_node("eth0");
	/* Of those that somebody has set, the ones of IPv6 are not moved. */
	SHELL("ip addr add fd00::2/64 dev eth0");
	assert_false(join(MOVED, "rf1.0", &report));
	assert_non_null(strstr(report.error, "eth0 has addresses of IPv6"));
	SHELL("ip addr del fd00::2/64 dev eth0 && ip addr add fd00::3/64 dev eth0 valid_lft 900 preferred_lft 900");
	assert_false(join(STAYS, "rf1.0", &report));
	check_node("eth0");
	assert_true(join(MOVED, "rf1.0", &report));
	check_node("br0");
	network_leave("rf1.0");
	check_node("eth0");
	SHELL("nsenter -t $PEER -n ip link set far arp off && ip neigh flush dev eth0");
	assert_false(join(MOVED, "rf1.0", &report));
	assert_string_equal(report.error, "reach 10.99.0.1 br0: No route to host");
	SHELL("! ip link show br0 2>/dev/null && ! ip link show rf1.0 2>/dev/null");
	SHELL("nsenter -t $PEER -n ip link set far arp on");
	check_node("eth0");
}

/* --- A namespace of our own --- */

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);

	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
}

/* A process in another namespace, which is there when this is done. */
static pid_t start_peer(void)
{
	int ready[2];
	pid_t child;
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unshare(CLONE_NEWNET);
		close(ready[1]);
		pause();
		_exit(0);
	}
	close(ready[1]);
	/* Until it has closed its end. */
	if (read(ready[0], &byte, 1) < 0)
		return -1;
	close(ready[0]);
	return child;
}

/* Root in it, whoever we are; it ends with us. Its gateway is another one. */
static int enter(void **state)
{
	static char folder[] = "/tmp/networks-XXXXXX";
	char pid[16], map[64];
	uid_t user = geteuid();

	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)))
		return -1;
	if (user) {
		snprintf(map, sizeof(map), "0 %u 1", user);
		write_file("/proc/self/uid_map", map);
	}
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("sys", "/sys", "sysfs", 0, NULL) || !mkdtemp(folder))
		return -1;
	chmod(folder, 0755);
	setenv("RINGFENCE_NETWORKS", folder, 1);
	snprintf(pid, sizeof(pid), "%d", start_peer());
	setenv("PEER", pid, 1);
	return system(
		"ip link set lo up && ip link add eth0 type veth peer name far && "
		"ip link set far netns $PEER && nsenter -t $PEER -n ip addr add 10.99.0.1/24 dev far && "
		"nsenter -t $PEER -n ip link set far up && ip addr add 10.99.0.2/24 dev eth0 && "
		"ip link set eth0 up && ip route add default via 10.99.0.1");
}

static int leave(void **state)
{
	(void)state;
	return system("kill $PEER; rm -r $RINGFENCE_NETWORKS");
}

int main(void)
{
	const struct CMUnitTest plans[] = {
		cmocka_unit_test(test_nat),	cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_move),	cmocka_unit_test(test_routed),
		cmocka_unit_test(test_refused),
	};
	const struct CMUnitTest real[] = {
		cmocka_unit_test(test_real_nat),
		cmocka_unit_test(test_real_failure),
		cmocka_unit_test(test_real_bridge),
		cmocka_unit_test(test_real_uplink),
	};

	return cmocka_run_group_tests(plans, NULL, NULL) ||
	       cmocka_run_group_tests(real, enter, leave);
}
