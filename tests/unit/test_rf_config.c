// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests' configurations: what good ones become, and for each bad one the message, which names the
 * file, the line, the key and the limit.
 */
#include "unit.h"

#include "abi/start_info.h"
#include "toolstack/lib/config.h"

static bool parse(const char *file, const char *text, struct config *config, struct report *report)
{
	memset(report, 0, sizeof(*report));
	config_init(config);
	return config_parse(file, text, strlen(text), config, report) &&
	       config_check(file, config, report);
}

/* --- Good ones --- */

static const char json_all[] =
	"{\n"
	"  \"name\": \"web-1\", \"uuid\": \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\",\n"
	"  \"kernel\": \"/boot/vmlinux\", \"initrd\": \"disk.gz\",\n"
	"  \"command_line\": \"console=hvc0 quiet\",\n"
	"  \"memory\": 96, \"memory_max\": \"1G\", \"shadow\": \"4096K\",\n"
	"  \"vcpus\": 2, \"weight\": 512, \"cap\": 50, \"cpus\": \"0-2,5\",\n"
	"  \"on_poweroff\": \"preserve\", \"on_reboot\": \"destroy\",\n"
	"  \"on_crash\": \"restart\", \"console\": \"serial\"\n"
	"}\n";

static const char xl_all[] = "# as for Xen\n"
			     "name = 'web-1'; uuid = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"\n"
			     "type = 'pv'\n"
			     "kernel = \"/boot/vmlinux\"\n"
			     "ramdisk = 'disk.gz' # beside this file\n"
			     "extra = 'console=hvc0 quiet'\n"
			     "memory = 96\nmaxmem = '1024'\n"
			     "vcpus = 2\ncpu_weight = 512\ncap = 0x32\n"
			     "cpus = [ '0-1',\n"
			     "         2, '5',\n"
			     "]\n"
			     "on_poweroff = 'preserve'\non_reboot = 'destroy'\n"
			     "on_crash = 'coredump-restart'\n";

static void check_all(const struct config *c)
{
	assert_string_equal(c->name, "web-1");
	assert_string_equal(c->uuid, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	assert_string_equal(c->kernel, "/boot/vmlinux");
	assert_string_equal(c->initrd, "/etc/guests/disk.gz");
	assert_string_equal(c->command_line, "console=hvc0 quiet");
	assert_int_equal(c->memory, 96 << 20);
	assert_int_equal(c->memory_max, 1 << 30);
	assert_int_equal(c->vcpus, 2);
	assert_int_equal(c->weight, 512);
	assert_int_equal(c->cap, 50);
	assert_int_equal(c->cpus, 0x27);
	assert_int_equal(c->on_poweroff, ACTION_PRESERVE);
	assert_int_equal(c->on_reboot, ACTION_DESTROY);
	assert_int_equal(c->on_crash, ACTION_RESTART);
}

static void test_json(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("/etc/guests/a.json", json_all, &c, &r));
	check_all(&c);
	assert_int_equal(c.shadow, 4 << 20);
	assert_int_equal(c.console, CONSOLE_SERIAL);
	assert_int_equal(r.warnings, 0);
	config_free(&c);
}

static void test_xl(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("/etc/guests/a.cfg", xl_all, &c, &r));
	check_all(&c);
	assert_int_equal(r.warnings, 1);
	assert_string_equal(r.warning[0], "/etc/guests/a.cfg:17: on_crash: 'coredump-restart' is "
					  "taken for 'restart'");
	config_free(&c);
}

static void test_defaults(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("guests/hello.json", "{ \"kernel\": \"vmlinux\" }", &c, &r));
	assert_string_equal(c.name, "hello");
	assert_int_equal(strlen(c.uuid), SETTING_UUID_LENGTH);
	assert_string_equal(c.kernel, "guests/vmlinux");
	assert_null(c.initrd);
	assert_int_equal(c.memory, 64 << 20);
	assert_int_equal(c.memory_max, 64 << 20);
	assert_int_equal(c.vcpus, 1);
	assert_int_equal(c.on_poweroff, ACTION_DESTROY);
	assert_int_equal(c.on_reboot, ACTION_RESTART);
	config_free(&c);
}

/* What is written as JSON reads as the same. */
static void test_back(void **state)
{
	struct config c, again;
	struct report r;
	json_t *first, *second;
	char *text;

	(void)state;
	assert_true(parse("/etc/guests/a.json", json_all, &c, &r));
	first = config_to_json(&c);
	text = json_dumps(first, 0);
	assert_true(parse("/elsewhere/b.json", text, &again, &r));
	second = config_to_json(&again);
	assert_true(json_equal(first, second));
	json_decref(first);
	json_decref(second);
	free(text);
	config_free(&c);
	config_free(&again);
}

static void test_xl_command_line(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("a.cfg", "kernel='k'\nroot='/dev/xvda1 ro'\nextra='quiet'", &c, &r));
	assert_string_equal(c.command_line, "root=/dev/xvda1 ro quiet");
	config_free(&c);
	assert_true(parse("a.cfg", "kernel='k'\nroot='/dev/xvda1'\n", &c, &r));
	assert_string_equal(c.command_line, "root=/dev/xvda1");
	config_free(&c);
	assert_true(parse("a.cfg", "kernel='k'\nextra='a'\ncmdline='b'\n", &c, &r));
	assert_string_equal(c.command_line, "b");
	assert_int_equal(r.warnings, 1);
	config_free(&c);
}

static const char *text_of(const struct config *c, size_t disk, const char *key)
{
	return json_string_value(json_object_get(json_array_get(c->disks, disk), key));
}

/* The same three disks, as JSON and in each of xl's forms; and what they became is read again. */
static void disks(void **state)
{
	static const char *const texts[] = {
		"{ \"kernel\": \"/k\", \"disks\": [ { \"image\": \"a.img\", \"name\": \"xvda\", \"mode\": \"w\" },\n"
		"{ \"image\": \"/dev/b\", \"mode\": \"r\", \"name\": \"xvdb\", \"limit_bytes\": 5 }, \"/c\" ] }",
		"kernel='/k'\ndisk=['file:a.img,xvda,w', '/dev/b , raw, xvdb, ro',\n'target=/c']",
		"kernel='/k'\ndisk=['a.img,,xvda,rw', 'phy:/dev/b,xvdb,r', 'format=raw,target=/c']",
	};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct config c, again;
		struct report r;
		json_t *json;
		char *text;

		assert_true(parse("/etc/guests/a.cfg", texts[i], &c, &r));
		assert_int_equal(json_array_size(c.disks), 3);
		assert_string_equal(text_of(&c, 0, "image"), "/etc/guests/a.img");
		assert_string_equal(text_of(&c, 0, "name"), "xvda");
		assert_string_equal(text_of(&c, 0, "mode"), "w");
		assert_string_equal(text_of(&c, 1, "image"), "/dev/b");
		assert_string_equal(text_of(&c, 1, "mode"), "r");
		assert_string_equal(text_of(&c, 2, "image"), "/c");
		json = config_to_json(&c);
		text = json_dumps(json, 0);
		assert_true(parse("/elsewhere/b.json", text, &again, &r));
		assert_true(json_equal(c.disks, again.disks));
		free(text);
		json_decref(json);
		config_free(&c);
		config_free(&again);
	}
}

static const char *net_of(const struct config *c, size_t net, const char *key)
{
	return json_string_value(json_object_get(json_array_get(c->nets, net), key));
}

/* The same four networks in both forms; and what they became is read again. */
static void nets(void **state)
{
	static const char *const texts[] = {
		"{ \"kernel\": \"/k\", \"nets\": [ { \"mode\": \"nat\", \"ip\": \"10.82.0.9\" },\n"
		"{ \"mac\": \"00:16:3e:00:00:01\", \"bridge\": \"br0\", \"limit_bytes\": 1250000 }, {},\n"
		"{ \"mode\": \"routed\", \"ip\": \"192.0.2.7\", \"uplink\": \"eth0\", \"link\": false } ] }",
		"kernel='/k'\nvif=['script=/etc/xen/scripts/vif-nat,ip=10.82.0.9',\n"
		"'mac=00:16:3e:00:00:01, bridge=br0 ,rate=10Mb/s@20ms', '',\n"
		"'script=vif-route,ip=192.0.2.7,gatewaydev=eth0,link=0']",
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct config c, again;
		struct report r;
		json_t *json;
		char *text;

		assert_true(parse("/etc/guests/a.cfg", texts[i], &c, &r));
		assert_int_equal(json_array_size(c.nets), 4);
		assert_string_equal(net_of(&c, 0, "mode"), "nat");
		assert_string_equal(net_of(&c, 0, "ip"), "10.82.0.9");
		assert_string_equal(net_of(&c, 1, "mac"), "00:16:3e:00:00:01");
		assert_string_equal(net_of(&c, 1, "bridge"), "br0");
		assert_string_equal(net_of(&c, 1, "limit_bytes"), "1250000");
		assert_null(net_of(&c, 2, "bridge"));
		assert_string_equal(net_of(&c, 3, "mode"), "routed");
		assert_string_equal(net_of(&c, 3, "uplink"), "eth0");
		assert_string_equal(net_of(&c, 3, "link"), "0");
		/* Chosen: local, of one interface, and not the same. */
		assert_memory_equal(net_of(&c, 0, "mac"), "02:72:", 6);
		assert_string_not_equal(net_of(&c, 0, "mac"), net_of(&c, 2, "mac"));
		json = config_to_json(&c);
		text = json_dumps(json, 0);
		assert_true(parse("/elsewhere/b.json", text, &again, &r));
		assert_true(json_equal(c.nets, again.nets));
		assert_true(config_override(&again, "nets=", &r));
		assert_int_equal(json_array_size(again.nets), 0);
		assert_true(config_override(&again, "nets=mode=nat,mtu=1400", &r));
		assert_string_equal(net_of(&again, 0, "mtu"), "1400");
		free(text);
		json_decref(json);
		config_free(&c);
		config_free(&again);
	}
}

/* Ignored: a warning for each. */
static void test_xl_ignored(void **state)
{
	static const char text[] = "kernel='k'\nbuilder='generic'\npci=['01:00.0']\nacpi=1\n"
				   "usb=['phy:/dev/x,sda,w',['a',[]]]\nvnc=0\n";
	static const char *const names[] = { "2: builder", "3: pci", "4: acpi", "5: usb",
					     "6: vnc" };
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("a.cfg", text, &c, &r));
	assert_int_equal(r.warnings, 5);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(strstr(r.warning[i], names[i]));
	config_free(&c);
}

static void test_override(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	assert_true(parse("/x/a.json", "{\"kernel\":\"k\"}", &c, &r));
	assert_true(config_override(&c, "name=other", &r));
	assert_true(config_override(&c, "memory=128M", &r));
	assert_true(config_override(&c, "cap=7", &r));
	assert_true(config_override(&c, "cpus=1,3", &r));
	/* Given on a command line, so relative to where that is. */
	assert_true(config_override(&c, "kernel=here", &r));
	assert_string_equal(c.name, "other");
	assert_int_equal(c.memory, 128 << 20);
	assert_int_equal(c.cap, 7);
	assert_int_equal(c.cpus, 0xa);
	assert_string_equal(c.kernel, "here");
	assert_false(config_override(&c, "cap=101", &r));
	assert_string_equal(r.error, "command line: cap: '101': should be a number from 0 to 100");
	config_free(&c);
}

/* --- Bad ones --- */

struct bad {
	const char *file;
	const char *text;
	const char *message;
};

#define LONG_NAME "a234567890123456789012345678901x"

static const struct bad files[] = {
	/* JSON: syntax */
	{ "a.json", "{", "a.json:1:1: string or '}' expected near end" },
	{ "a.json", "{ \"kernel\": \"k\",\n}", "a.json:2:1: string or '}' expected near '}'" },
	{ "a.json", "{ \"kernel\": 'k' }", "a.json:1:13: invalid token near" },
	{ "a.json", "{ \"kernel\": \"k\" } more", "a.json:1:22: end of file expected" },
	{ "a.json", "{ \"kernel\": \"k\\u0000\" }", "a.json:1:" },
	{ "a.json", "{ \"cap\": 1,\n\"cap\": 2 }", "a.json:2:5: duplicate object key" },
	{ "a.json", "[ ]", "a.json:1: should be an object" },
	{ "a.json", "\xef\xbb\xbf{ }", "a.json:1: begins with a byte order mark" },
	{ "a.json", "{ \"name\": \"\xff\" }", "a.json:1:" },
	/* JSON: keys, wherever they stand */
	{ "a.json", "{\n\"kernel\": \"k\",\n\"memroy\": 64 }", "a.json:3: memroy: no such key" },
	{ "a.json", "{ \"Kernel\": \"k\" }", "a.json:1: Kernel: no such key" },
	{ "a.json", "{ \"kernel\":\n\"cap: {\", \"cap\"\n: -1 }", "a.json:2: cap: -1: should be" },
	{ "a.json", "{ \"cpus\": [\n\"cap\",\n1],\n\"cap\": 1 }",
	  "a.json:1: cpus: 'cap': should be" },
	{ "a.json", "{ \"disk\": [] }", "a.json:1: disk: no such key" },
	{ "a.json", "{ \"disks\": [ 7 ] }",
	  "a.json:1: disks: disk 0: should be an object or a text" },
	{ "a.json", "{ \"disks\": [ { \"mode\": \"w\" } ] }",
	  "a.json:1: disks: disk 0: has no image" },
	{ "a.json", "{ \"disks\": { \"image\": \"a\", \"mode\": \"x\" } }",
	  "a.json:1: disks: mode: 'x': should be one of w, r" },
	{ "a.json", "{ \"disks\": { \"imago\": \"a\" } }",
	  "a.json:1: disks: imago: no such key of a disk" },
	{ "a.json", "{ \"disks\": { \"image\": \"a\", \"limit_bytes\": -1 } }",
	  "a.json:1: disks: limit_bytes: '-1': should be a number from 0 to 9223372036854775807" },
	{ "a.cfg", "disk=['/a,raw,xvda,q']", "a.cfg:1: disk: 'q': should be r, ro, w or rw" },
	{ "a.cfg", "disk=['/a,raw,xvda,w,x']", "a.cfg:1: disk: 'x': one word too many" },
	{ "a.cfg", "disk=['/a,qcow,xvda,w']",
	  "a.cfg:1: disk: format: 'qcow': should be one of raw, qcow2, vpc, vhdx, vmdk, nbd" },
	{ "a.cfg", "disk=['script=a,target=b']",
	  "a.cfg:1: disk: 'script': not known of disks here" },
	{ "a.cfg", "disk=['']", "a.cfg:1: disk: disk 0: has no image" },
	{ "a.json", "{ \"nets\": [ 7 ] }", "a.json:1: nets: net 0: should be an object or a text" },
	{ "a.json", "{ \"nets\": { \"colour\": 1 } }",
	  "a.json:1: nets: colour: no such key of a net" },
	{ "a.json", "{ \"nets\": { \"mac\": [] } }",
	  "a.json:1: nets: mac: should be a text or a number" },
	{ "a.json", "{ \"nets\": { \"mode\": \"router\" } }",
	  "a.json:1: nets: mode: 'router': should be one of bridge, nat, routed" },
	{ "a.json", "{\n\"nets\": { \"mtu\": 67 } }",
	  "a.json:2: nets: mtu: '67': should be a number from 68 to 65535" },
	{ "a.json", "{ \"nets\": { \"mtu\": 65536 } }",
	  "a.json:1: nets: mtu: '65536': should be a number from 68 to 65535" },
	{ "a.json", "{ \"nets\": { \"link\": 2 } }",
	  "a.json:1: nets: link: '2': should be a number from 0 to 1" },
	{ "a.json", "{ \"nets\": { \"mac\": \"03:00:00:00:00:01\" } }",
	  "a.json:1: nets: mac: '03:00:00:00:00:01': should be an address of one interface" },
	{ "a.json", "{ \"nets\": { \"mac\": \"02:00:00:00:00\" } }",
	  "a.json:1: nets: mac: '02:00:00:00:00': should be an address of one interface" },
	{ "a.json", "{ \"nets\": { \"bridge\": \"sixteen-letters-\" } }",
	  "a.json:1: nets: bridge: 'sixteen-letters-': should be an interface's name of 1 to 15" },
	{ "a.json", "{ \"nets\": { \"bridge\": \"a b\" } }",
	  "a.json:1: nets: bridge: 'a b': should be" },
	{ "a.json", "{ \"nets\": { \"ip\": \"10.0.0.256\" } }",
	  "a.json:1: nets: ip: '10.0.0.256': should be an address of IPv4" },
	{ "a.json", "{ \"nets\": { \"source_addresses\": \"10.0.0.1,::1\" } }",
	  "a.json:1: nets: source_addresses: '10.0.0.1,::1': should be addresses of IPv4 or IPv6" },
	{ "a.json", "{ \"nets\": { \"mode\": \"nat\", \"subnet\": \"10.0.0.1/24\" } }",
	  "a.json:1: nets: subnet: '10.0.0.1/24': should be as 10.82.0.0/24" },
	{ "a.json", "{ \"nets\": { \"mode\": \"nat\", \"subnet\": \"10.0.0.0/31\" } }",
	  "a.json:1: nets: subnet: '10.0.0.0/31': should be as 10.82.0.0/24" },
	{ "a.json", "{ \"nets\": { \"mode\": \"nat\", \"ip\": \"10.82.0.1\" } }",
	  "a.json:1: nets: net 0: ip: '10.82.0.1': should be in 10.82.0.0/24, and neither its first" },
	{ "a.json", "{ \"nets\": { \"mode\": \"nat\", \"uplink\": \"eth0\" } }",
	  "a.json:1: nets: net 0: uplink: nat takes the way that the node has" },
	{ "a.json", "{ \"nets\": { \"subnet\": \"10.0.0.0/24\" } }",
	  "a.json:1: nets: net 0: subnet: only of mode nat" },
	{ "a.json", "{ \"nets\": { \"move_addresses\": true } }",
	  "a.json:1: nets: net 0: move_addresses: needs an uplink" },
	{ "a.json", "{ \"nets\": [ {}, { \"mode\": \"routed\" } ] }",
	  "a.json:1: nets: net 1: mode routed needs an ip" },
	{ "a.json",
	  "{ \"nets\": { \"mode\": \"routed\", \"ip\": \"10.0.0.1\", \"bridge\": \"b\" } }",
	  "a.json:1: nets: net 0: bridge: mode routed has none" },
	{ "a.cfg", "vif=['bridge']", "a.cfg:1: vif: 'bridge': should be KEY=VALUE" },
	{ "a.cfg", "vif=['bridge=b,colour=red']",
	  "a.cfg:1: vif: 'colour': not known of networks here" },
	{ "a.cfg", "vif=['script=vif-openvswitch']",
	  "a.cfg:1: vif: script: 'vif-openvswitch': should be one of vif-bridge, vif-nat, vif-route" },
	{ "a.cfg", "vif=['rate=10']", "a.cfg:1: vif: rate: '10': should be as 10Mb/s or 1MB/s" },
	{ "a.cfg", "vif=['rate=1Tb/s']", "a.cfg:1: vif: rate: '1Tb/s': should be as 10Mb/s" },
	{ "a.cfg", "\nvif=['mac=00:16:3e']",
	  "a.cfg:2: vif: mac: '00:16:3e': should be an address" },
	/* Names, texts, files */
	{ "a.json", "{ \"name\": \"\" }", "name: has 0 bytes, should have 1 to 31" },
	{ "a.json", "{ \"name\": \"" LONG_NAME "\" }", "name: has 32 bytes, should have 1 to 31" },
	{ "a.json", "{ \"name\": \"a b\" }", "name: 'a b': should be letters, digits" },
	{ "a.json", "{ \"name\": \"../x\" }", "name: '../x': should be letters, digits" },
	{ "a.json", "{ \"name\": \"17\" }", "name: '17': only digits would be taken for" },
	{ "a.json", "{ \"name\": 17 }", "name: is a number, should be a text" },
	{ "a.json", "{ \"name\": null }", "name: is null, should be a text" },
	{ "a.json", "{ \"uuid\": \"1234\" }", "uuid: has 4 bytes, should have 36 to 36" },
	{ "a.json", "{ \"uuid\": \"6ba7b810-9dad-11d1-80b4-00c04fd430cg\" }", "uuid: '6ba7b810" },
	{ "a.json", "{ \"kernel\": \"\" }", "kernel: has 0 bytes, should have 1 to 4095" },
	{ "a.json", "{ \"kernel\": [] }", "kernel: is a list, should be a text" },
	{ "a.json", "{ \"name\": \"a\" }", "a.json: kernel: is missing" },
	{ "9.json", "{ \"kernel\": \"k\" }", "9.json: name: is missing, and the file's name" },
	/* Numbers */
	{ "a.json", "{ \"vcpus\": 0 }", "vcpus: 0: should be a number from 1 to 64" },
	{ "a.json", "{ \"vcpus\": 65 }", "vcpus: 65: should be a number from 1 to 64" },
	{ "a.json", "{ \"vcpus\": \"2x\" }", "vcpus: '2x': should be a number from 1 to 64" },
	{ "a.json", "{ \"vcpus\": 1.5 }", "vcpus: is a broken number, should be a number" },
	{ "a.json", "{ \"weight\": 65536 }", "weight: 65536: should be a number from 1 to 65535" },
	{ "a.json", "{ \"weight\": \"\" }", "weight: '': should be a number" },
	{ "a.json", "{ \"weight\": \"18446744073709551617\" }", "weight: '18446744073709551617'" },
	{ "a.json", "{ \"cap\": true }", "cap: is true, should be a number" },
	/* Sizes */
	{ "a.json", "{ \"memory\": 0 }", "memory: 0: should be from 1024K to 4096G" },
	{ "a.json", "{ \"memory\": -1 }", "memory: -1: should be a number of MiB" },
	{ "a.json", "{ \"memory\": \"5000G\" }", "memory: '5000G': should be from 1024K to 4096G" },
	{ "a.json", "{ \"memory\": \"9999999999999T\" }",
	  "memory: '9999999999999T': should be from" },
	{ "a.json", "{ \"memory\": \"1025K\" }", "memory: '1025K': should be whole pages of 4K" },
	{ "a.json", "{ \"memory\": \"64MB\" }",
	  "memory: '64MB': the unit should be one of K, M, G" },
	{ "a.json", "{ \"memory\": \"much\" }", "memory: 'much': should be a number of MiB" },
	{ "a.json", "{ \"memory\": {} }", "memory: is an object, should be a size" },
	{ "a.json", "{ \"kernel\":\"k\", \"memory\": 64, \"memory_max\": 32 }",
	  "a.json: memory_max: 32768K is less than memory, 65536K" },
	{ "a.json", "{ \"shadow\": \"1K\" }", "shadow: '1K': should be from 4K to 32M" },
	/* Processors, choices */
	{ "a.json", "{ \"cpus\": \"3-1\" }", "cpus: '3-1': should be a list as 0-3,5 of numbers" },
	{ "a.json", "{ \"cpus\": 64 }", "cpus: 64: should be a list as 0-3,5 of numbers below 64" },
	{ "a.json", "{ \"cpus\": \"0,\" }", "cpus: '0,': should be a list" },
	{ "a.json", "{ \"cpus\": [] }", "cpus: is empty: it could run nowhere" },
	{ "a.json", "{ \"on_crash\": \"ignore\" }",
	  "on_crash: 'ignore': should be one of destroy, restart, preserve" },
	{ "a.json", "{ \"console\": 1 }", "console: is a number, should be a text" },
	/* xl.cfg: syntax */
	{ "a.cfg", "", "a.cfg: kernel: is missing" },
	{ "a.cfg", "kernel\n", "a.cfg:1: byte 0x0a where = should be" },
	{ "a.cfg", "\nkernel = \n",
	  "a.cfg:2: byte 0x0a where a quoted text, a number or [ should be" },
	{ "a.cfg", "kernel = k\n", "a.cfg:1: 'k' where a quoted text" },
	{ "a.cfg", "kernel = 'k",
	  "a.cfg:1: the file ends where the end of a quoted text should be" },
	{ "a.cfg", "kernel = 'k\n'", "a.cfg:1: byte 0x0a where the end of a quoted text" },
	{ "a.cfg", "kernel = 'a\\q'", "a.cfg:1: 'q' where one of n r t" },
	{ "a.cfg", "kernel = 'k' vcpus = 2", "a.cfg:1: 'v' where the end of the line should be" },
	{ "a.cfg", "cpus = [ 1\n, 2\n 3 ]", "a.cfg:3: '3' where a comma or ] should be" },
	{ "a.cfg", "cpus = [ 1", "a.cfg:1: the file ends where a comma or ] should be" },
	{ "a.cfg", "disk = [[[[[[[[[[1]]]]]]]]]]", "a.cfg:1: lists in lists, more than 8 deep" },
	{ "a.cfg", "= 9", "a.cfg:1: '=' where a key should be" },
	{ "a.cfg", "9 = 9", "a.cfg:1: '9' where a key should be" },
	{ "a.cfg", "k1234567890123456789012345678901234567890123456789012345678901234=1",
	  "a.cfg:1: a key of 65 bytes, at most 63 are possible" },
	{ "a.cfg", "name = '\xff'", "a.cfg:1: a text is not UTF-8" },
	/* xl.cfg: values */
	{ "a.cfg", "type = 'hvm'", "a.cfg:1: type: hvm: only \"pv\" guests can run" },
	{ "a.cfg", "type = 1", "a.cfg:1: type: 1: only \"pv\" guests can run" },
	{ "a.cfg", "\n\nvcpus = 99", "a.cfg:3: vcpus: '99': should be a number from 1 to 64" },
	{ "a.cfg", "cap = 400", "a.cfg:1: cap: '400': should be a number from 0 to 100" },
	{ "a.cfg", "kernel = 'k'\nextra = []", "a.cfg:2: extra: should be a text" },
	{ "a.cfg", "on_poweroff = 'panic'", "a.cfg:1: on_poweroff: 'panic': should be one of" },
};

static void test_bad(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_false(parse(files[i].file, files[i].text, &c, &r));
		if (!strstr(r.error, files[i].message))
			fail_msg("%s\nsays: %s\nnot:  %s", files[i].text, r.error,
				 files[i].message);
		assert_null(strchr(r.error, '\n'));
		config_free(&c);
	}
}

/* One byte more than is read, and one more than a command line can have. */
static void test_long(void **state)
{
	size_t size = SETTING_FILE_MAX + 1;
	char *text = malloc(size + 1);
	struct config c;
	struct report r;

	(void)state;
	memset(text, '\n', size);
	text[size] = 0;
	assert_false(parse("a.cfg", text, &c, &r));
	assert_string_equal(r.error, "a.cfg: has 1048577 bytes, at most 1048576 are read");
	memset(text, 'x', size);
	memcpy(text, "kernel='k'\nextra='", 18);
	memcpy(text + 18 + RF_COMMAND_LINE_SIZE, "'", 2);
	assert_false(parse("a.cfg", text, &c, &r));
	assert_non_null(strstr(r.error, "cmdline: has 2048 bytes, should have 0 to 2047"));
	config_free(&c);
	free(text);
}

/* Whatever is cut off anywhere must neither crash nor be taken for something whole that it is not. */
static void test_cut(void **state)
{
	struct config c;
	struct report r;

	(void)state;
	for (size_t size = 1; size < sizeof(json_all) - 2; size++) {
		memset(&r, 0, sizeof(r));
		config_init(&c);
		if (config_parse("a.json", json_all, size, &c, &r))
			assert_int_equal(size, strrchr(json_all, '}') + 1 - json_all);
		config_free(&c);
	}
	for (size_t size = 0; size < sizeof(xl_all); size++) {
		memset(&r, 0, sizeof(r));
		config_init(&c);
		config_parse("a.cfg", xl_all, size, &c, &r);
		config_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks),
		cmocka_unit_test(nets),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_xl),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_xl_command_line),
		cmocka_unit_test(test_xl_ignored),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
