// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of what a guest's configuration may say. docs/config.md is made from it.
 *
 * Interface: config.h. Locks: none, the table is constant.
 */
#include <string.h>

#include "abi/start_info.h"
#include "abi/vcpu.h"
#include "toolstack/lib/config.h"

#define FIELD(name) offsetof(struct config, name)

static const char *const actions[] = { "destroy", "restart", "preserve", NULL };
static const char *const consoles[] = { "ring", "serial", NULL };

const struct config_key config_keys[] = {
	{ "name", KIND_NAME, FIELD(name), 1, RF_DOMAIN_NAME_SIZE - 1, NULL, "the file's name",
	  "how the guest is called; no two guests have the same" },
	{ "uuid", KIND_UUID, FIELD(uuid), SETTING_UUID_LENGTH, SETTING_UUID_LENGTH, NULL, "random",
	  "for programs that keep guests apart" },
	{ "kernel", KIND_FILE, FIELD(kernel), 1, SETTING_PATH_MAX, NULL, "needed",
	  "a vmlinux or a bzImage" },
	{ "initrd", KIND_FILE, FIELD(initrd), 1, SETTING_PATH_MAX, NULL, "none",
	  "its initial RAM disk" },
	{ "command_line", KIND_TEXT, FIELD(command_line), 0, RF_COMMAND_LINE_SIZE - 1, NULL,
	  "empty", "for the kernel" },
	{ "memory", KIND_SIZE, FIELD(memory), SETTING_MEMORY_MIN, SETTING_MEMORY_MAX, NULL, "64M",
	  "what it starts with" },
	{ "memory_max", KIND_SIZE, FIELD(memory_max), SETTING_MEMORY_MIN, SETTING_MEMORY_MAX, NULL,
	  "as `memory`", "the most that it may ever have" },
	{ "shadow", KIND_SIZE, FIELD(shadow), SETTING_PAGE, SETTING_SHADOW_MAX, NULL,
	  "1/64 of `memory_max`, from 2M to 32M", "memory for its shadow page tables" },
	{ "vcpus", KIND_NUMBER, FIELD(vcpus), 1, RF_MAX_VCPUS, NULL, "1", "virtual processors" },
	{ "weight", KIND_NUMBER, FIELD(weight), 1, SETTING_WEIGHT_MAX, NULL, "256",
	  "share of the processors, relative to other guests" },
	{ "cap", KIND_NUMBER, FIELD(cap), 0, SETTING_CAP_MAX, NULL, "0",
	  "most that each of its vCPUs may run, in percent of a processor; 0: no limit" },
	{ "cpus", KIND_CPU_LIST, FIELD(cpus), 0, SETTING_CPUS - 1, NULL, "all",
	  "processors that it may run on: a number, or a list as `0-3,5`" },
	{ "on_poweroff", KIND_CHOICE, FIELD(on_poweroff), 0, 0, actions, "destroy",
	  "what happens when it powers off" },
	{ "on_reboot", KIND_CHOICE, FIELD(on_reboot), 0, 0, actions, "restart",
	  "when it asks for a reboot" },
	{ "on_crash", KIND_CHOICE, FIELD(on_crash), 0, 0, actions, "destroy", "when it crashes" },
	{ "console", KIND_CHOICE, FIELD(console), 0, 0, consoles, "ring",
	  "where what it prints goes: kept for `rf console`, or to the serial line as well" },
	{ "disks", KIND_DISKS, FIELD(disks), 0, SETTING_DISKS, NULL, "none",
	  "its disks, in order: see below" },
	{ "nets", KIND_NETS, FIELD(nets), 0, SETTING_NETS, NULL, "none",
	  "its network interfaces, in order: see below" },
	{ NULL, KIND_NAME, 0, 0, 0, NULL, NULL, NULL },
};

const struct config_key *config_find(const char *name)
{
	for (const struct config_key *key = config_keys; key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}
