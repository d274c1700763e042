// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of verbs: the command line is read by it, and help, docs/rf.md, the manual page and the
 * completion for bash are made from it.
 *
 * Interface: verbs[] of command.h. Locks: none, the table is constant.
 */
#include "toolstack/rf/verbs.h"

#include <stddef.h>

#define END                                                                                        \
	{                                                                                          \
		.name = NULL,                                                                      \
	}

#define LIFE   "Guests"
#define KEEP   "Guests that are kept"
#define LOOK   "Looking at them"
#define SHARES "Processors and memory"
#define STORE  "The store"
#define DISKS  "Disks"
#define NETS   "Networks"
#define NODE   "This node"
#define MANY   64

static const struct verb_option create_options[] = {
	{ "paused", 'p', NULL, "leave it paused: `rf unpause` starts it" },
	{ "console", 'c', NULL, "show its console" },
	{ "wait", 'w', NULL, "stay, and do what the `on_*` keys say when it ends" },
	END,
};

static const struct verb_option define_options[] = {
	{ "autostart", 'a', NULL, "start it with the node" },
	END,
};

static const struct verb_option start_options[] = {
	{ "paused", 'p', NULL, "leave it paused: `rf unpause` starts it" },
	{ "console", 'c', NULL, "show its console" },
	END,
};

static const struct verb_option autostart_options[] = {
	{ "off", 0, NULL, "do not" },
	END,
};

static const struct verb_option events_options[] = {
	{ "since", 's', "NUMBER", "only what came after this one" },
	{ "follow", 'f', NULL, "stay, and print what comes" },
	END,
};

static const struct verb_option end_options[] = {
	{ "timeout", 't', "SECONDS", "wait so long for the end (60)" },
	{ "no-wait", 'n', NULL, "only ask, and do not see to the end" },
	END,
};

static const struct verb_option list_options[] = {
	{ "names", 0, NULL, "print nothing but names" },
	END,
};

static const struct verb_option console_options[] = {
	{ "print", 'p', NULL, "print what is kept, and leave" },
	END,
};

static const struct verb_option top_options[] = {
	{ "delay", 'd', "SECONDS", "between two looks (2)" },
	{ "count", 'n', "N", "print so many tables, one after the other, and leave" },
	END,
};

static const struct verb_option stats_options[] = {
	{ "watch", 'w', "SECONDS", "print again after so long what came in between" },
	{ "count", 'n', "N", "so often, and leave" },
	END,
};

static const struct verb_option sched_options[] = {
	{ "weight", 'w', "N", "its share, relative to others: 1 to 65535, usually 256" },
	{ "cap", 'c', "N", "most that each vCPU may run, in percent of a processor; 0: no limit" },
	END,
};

static const struct verb_option store_watch_options[] = {
	{ "count", 'n', "N", "leave after so many lines" },
	{ "timeout", 't', "SECONDS", "leave after so long; the status is 4" },
	END,
};

static const struct verb_option disk_detach_options[] = {
	{ "timeout", 't', "SECONDS", "wait so long for the guest (30)" },
	{ "force", 'f', NULL, "do not ask the guest: it gets errors" },
	END,
};

static const struct verb_option disk_limit_options[] = {
	{ "bytes", 'b', "N", "of data in a second; 0: no limit" },
	{ "operations", 'o', "N", "in a second" },
	{ "burst-bytes", 0, "N", "at once after a rest; at least the limit" },
	{ "burst-operations", 0, "N", "likewise" },
	END,
};

static const struct verb_option net_limit_options[] = {
	{ "bytes", 'b', "N", "of data in a second; 0: no limit" },
	{ "packets", 'p', "N", "in a second" },
	{ "burst-bytes", 0, "N", "at once after a rest; at least the limit" },
	{ "burst-packets", 0, "N", "likewise" },
	END,
};

static const struct verb_option bench_options[] = {
	{ "rounds", 'r', "N", "measure so often (5): the fastest counts" },
	END,
};

static const struct verb_option help_options[] = {
	{ "completion", 0, NULL, "print completion for bash" },
	{ "manual", 0, NULL, "print the manual page, for man" },
	{ "markdown", 0, NULL, "print the verbs of docs/rf.md" },
	{ "config", 0, NULL, "print the keys of docs/config.md" },
	END,
};

const struct verb verbs[] = {
	{ "create", LIFE, "CONFIGURATION [KEY=VALUE]...", 1, MANY, WORDS_FILE,
	  "Make a guest from its configuration, and start it",
	  "CONFIGURATION is a file, or the name of one in /etc/ringfence without its ending. Assignments "
	  "count above what the file says. If anything is wrong, nothing is left of the guest.",
	  create_options, verb_create },
	{ "shutdown", LIFE, "DOMAIN...", 1, MANY, WORDS_DOMAIN,
	  "Ask guests to power off, and wait until they have",
	  "Then what `on_poweroff` says is done. A DOMAIN is a name or a number, here and below.",
	  end_options, verb_shutdown },
	{ "reboot", LIFE, "DOMAIN...", 1, MANY, WORDS_DOMAIN,
	  "Ask guests to reboot, and wait until they have ended",
	  "Then what `on_reboot` says is done: usually the guest is made again, with another number.",
	  end_options, verb_reboot },
	{ "destroy", LIFE, "DOMAIN...", 1, MANY, WORDS_DOMAIN,
	  "End domains at once, whatever they are doing", "", NULL, verb_destroy },
	{ "pause", LIFE, "DOMAIN...", 1, MANY, WORDS_DOMAIN, "Stop domains where they are", "",
	  NULL, verb_pause },
	{ "unpause", LIFE, "DOMAIN...", 1, MANY, WORDS_DOMAIN, "Let paused domains run", "", NULL,
	  verb_unpause },
	{ "rename", LIFE, "DOMAIN NAME", 2, 2, WORDS_DOMAIN, "Give a domain another name", "", NULL,
	  verb_rename },
	{ "trigger", LIFE, "DOMAIN poweroff|reboot|nmi", 2, 2, WORDS_DOMAIN,
	  "Ask a guest to end, and do not wait; or send it an NMI",
	  "An NMI reaches the guest's first processor even if its interrupts are off. What it does then is for the "
	  "guest to say: Linux prints where it was, and panics with `unknown_nmi_panic`.",
	  NULL, verb_trigger },
	{ "sysrq", LIFE, "DOMAIN KEY", 2, 2, WORDS_DOMAIN, "Send a SysRq key to a guest",
	  "`rf sysrq DOMAIN h` has Linux list the keys on its console.", NULL, verb_sysrq },

	{ "define", KEEP, "CONFIGURATION [KEY=VALUE]...", 1, MANY, WORDS_FILE,
	  "Keep a guest's configuration, whether it runs or not",
	  "As a file in /var/lib/ringfence. It takes the place of one with the same name; a guest that runs "
	  "is not touched.",
	  define_options, verb_define },
	{ "undefine", KEEP, "NAME", 1, 1, WORDS_DEFINITION, "Keep it no longer",
	  "A guest that runs is not touched.", NULL, verb_undefine },
	{ "definitions", KEEP, "", 0, 0, WORDS_NONE, "List the guests that are kept", "",
	  list_options, verb_definitions },
	{ "start", KEEP, "NAME", 1, 1, WORDS_DEFINITION, "Make a guest that is kept, and start it",
	  "", start_options, verb_start },
	{ "autostart", KEEP, "NAME", 1, 1, WORDS_DEFINITION, "Start a guest with the node",
	  "The daemon rfd does it, once after the machine has started.", autostart_options,
	  verb_autostart },

	{ "list", LOOK, "[DOMAIN]", 0, 1, WORDS_DOMAIN, "List the domains", "", list_options,
	  verb_list },
	{ "info", LOOK, "[DOMAIN]", 0, 1, WORDS_DOMAIN, "Say all about a domain, or about the node",
	  "", NULL, verb_info },
	{ "domid", LOOK, "DOMAIN", 1, 1, WORDS_DOMAIN, "Print the number of a domain", "", NULL,
	  verb_domid },
	{ "console", LOOK, "DOMAIN", 1, 1, WORDS_DOMAIN, "Show a guest's console, and type into it",
	  "It begins with what is kept, the last 16 KiB. Ctrl-] leaves; it ends by itself when the guest "
	  "does.",
	  console_options, verb_console },
	{ "top", LOOK, "", 0, 0, WORDS_NONE,
	  "Show which domains use the processors, disks and networks",
	  "On a terminal until q is typed; else one table. What disks and networks do is known to the second.",
	  top_options, verb_top },
	{ "stats", LOOK, "DOMAIN", 1, 1, WORDS_DOMAIN,
	  "Count a domain's entries into the hypervisor by reason, and what was done in them",
	  "What was never counted is left out.", stats_options, verb_stats },

	{ "events", LOOK, "", 0, 0, WORDS_NONE, "Print what has happened to domains",
	  "From the daemon rfd, which keeps the last 1,024. With --json a line for each.",
	  events_options, verb_events },

	{ "vcpu-list", SHARES, "[DOMAIN]", 0, 1, WORDS_DOMAIN,
	  "List virtual processors, and where they run", "", NULL, verb_vcpu_list },
	{ "vcpu-pin", SHARES, "DOMAIN VCPU|all CPUS", 3, 3, WORDS_DOMAIN,
	  "Say on which processors a virtual one may run", "CPUS is a list as `0-3,5`, or `all`.",
	  NULL, verb_vcpu_pin },
	{ "sched", SHARES, "[DOMAIN]", 0, 1, WORDS_DOMAIN,
	  "Show the shares of the processors, or change a domain's", "", sched_options,
	  verb_sched },
	{ "vcpu-set", SHARES, "DOMAIN COUNT", 2, 2, WORDS_DOMAIN,
	  "Ask a guest to use so many of its virtual processors",
	  "It does so a moment later: `rf vcpu-list` shows which are down.", NULL, verb_vcpu_set },
	{ "mem-set", SHARES, "DOMAIN SIZE", 2, 2, WORDS_DOMAIN,
	  "Ask a guest to give memory back, or to take it again",
	  "It does so bit by bit, as far as its programs can do without: `rf list` shows how far it is. It can have "
	  "what it began with, at most.",
	  NULL, verb_mem_set },
	{ "mem-max", SHARES, "DOMAIN SIZE", 2, 2, WORDS_DOMAIN,
	  "Limit the memory that a domain may have",
	  "At most what it was made with, `memory_max`. Nothing is taken from it.", NULL,
	  verb_mem_max },

	{ "store-read", STORE, "PATH...", 1, MANY, WORDS_NONE, "Print values of the store",
	  "A PATH is /..., or a domain's own is below /local/domain/N. The other verbs of the store take the same.",
	  NULL, verb_store_read },
	{ "store-write", STORE, "PATH VALUE [PATH VALUE]...", 2, MANY, WORDS_NONE,
	  "Write values, all at once or none", "What leads there is made.", NULL,
	  verb_store_write },
	{ "store-list", STORE, "PATH...", 1, MANY, WORDS_NONE, "Print the names in nodes", "", NULL,
	  verb_store_list },
	{ "store-ls", STORE, "[PATH]", 0, 1, WORDS_NONE,
	  "Print a node and all below it, with values and permissions",
	  "Bytes that cannot be printed are written as `\\xHH`.", NULL, verb_store_ls },
	{ "store-rm", STORE, "PATH...", 1, MANY, WORDS_NONE,
	  "Remove nodes with all in them, all at once or none", "", NULL, verb_store_rm },
	{ "store-exists", STORE, "PATH", 1, 1, WORDS_NONE, "Say whether there is a node",
	  "The status is 3 if not.", NULL, verb_store_exists },
	{ "store-chmod", STORE, "PATH PERMISSION...", 2, MANY, WORDS_NONE, "Say who may use a node",
	  "A PERMISSION is `n` nothing, `r` read, `w` write or `b` both, and a domain's number. The first names the "
	  "owner, who may all, and what those may who are not named.",
	  NULL, verb_store_chmod },
	{ "store-watch", STORE, "PATH...", 1, MANY, WORDS_NONE,
	  "Print each path that changes at or below nodes",
	  "Each PATH itself is printed first. After the store was away each is printed again: something may have "
	  "changed. `@introduceDomain` and `@releaseDomain` tell of domains.",
	  store_watch_options, verb_store_watch },
	{ "store-control", STORE, "COMMAND [PARAMETER]", 1, 2, WORDS_NONE,
	  "Tell the store itself to do something",
	  "`help` lists the commands; `check` counts everything again, `stats` says what there is, `upgrade` has it go "
	  "on as a new program without ending.",
	  NULL, verb_store_control },
	{ "disk-attach", DISKS, "DOMAIN IMAGE [KEY=VALUE]...", 2, MANY, WORDS_DOMAIN,
	  "Give a guest a disk",
	  "Prints the disk's number. The keys are those of a disk in docs/config.md, such as `mode=r`. If the image "
	  "cannot be opened, nothing is left of the disk.",
	  NULL, verb_disk_attach },
	{ "disk-detach", DISKS, "DOMAIN DISK", 2, 2, WORDS_DOMAIN,
	  "Take a disk away from a guest, when it has let go of it",
	  "A DISK is its number or its name, here and below.", disk_detach_options,
	  verb_disk_detach },
	{ "disk-list", DISKS, "[DOMAIN]", 0, 1, WORDS_DOMAIN, "List a guest's disks, or all", "",
	  NULL, verb_disk_list },
	{ "disk-limit", DISKS, "DOMAIN DISK", 2, 2, WORDS_DOMAIN,
	  "Limit what a disk may do, from now on", "", disk_limit_options, verb_disk_limit },
	{ "disk-resize", DISKS, "DOMAIN DISK", 2, 2, WORDS_DOMAIN,
	  "Tell a guest that the image of its disk has another size now", "", NULL,
	  verb_disk_resize },

	{ "net-attach", NETS, "DOMAIN [KEY=VALUE]...", 1, MANY, WORDS_DOMAIN,
	  "Give a guest a network interface",
	  "Prints its number. The keys are those of a network in docs/config.md, such as `mode=nat`. Without any it is "
	  "in the bridge rf0, with other guests and nobody else. If the network cannot be made, nothing is left of it.",
	  NULL, verb_net_attach },
	{ "net-detach", NETS, "DOMAIN NUMBER", 2, 2, WORDS_DOMAIN,
	  "Take a network interface away from a guest", "", disk_detach_options, verb_net_detach },
	{ "net-list", NETS, "[DOMAIN]", 0, 1, WORDS_DOMAIN,
	  "List a guest's network interfaces, or all", "", NULL, verb_net_list },
	{ "net-limit", NETS, "DOMAIN NUMBER", 2, 2, WORDS_DOMAIN,
	  "Limit what a guest may send by an interface, from now on",
	  "What it may not send yet waits in the guest.", net_limit_options, verb_net_limit },

	{ "check", NODE, "[CONFIGURATION]...", 0, MANY, WORDS_FILE,
	  "Say what is missing for running guests, or what is wrong with configurations",
	  "Without a word it looks at the node: the hypervisor, the device for hypercalls, the folder with "
	  "configurations and each of them. Else it reads these, and the kernels and RAM disks that they "
	  "name, and starts nothing. It fails when something is missing or wrong.",
	  NULL, verb_check },
	{ "bench", NODE, "", 0, 0, WORDS_NONE, "Measure what the ways between domains cost here",
	  "By time: a hypercall, an event to a guest and back, grants mapped, unmapped and copied, beside a system "
	  "call and a fork of the control domain. For that it makes a tiny domain, which needs 3 MiB and is gone "
	  "afterwards. Where others use the processors, the times are longer.",
	  bench_options, verb_bench },
	{ "dmesg", NODE, "", 0, 0, WORDS_NONE, "Print the hypervisor's log", "", NULL, verb_dmesg },
	{ "version", NODE, "", 0, 0, WORDS_NONE,
	  "Print the versions of rf, of the hypervisor, and of what both speak", "", NULL,
	  verb_version },
	{ "help", NODE, "[VERB]", 0, 1, WORDS_VERB, "Explain a verb, or list all of them", "",
	  help_options, verb_help },
	END,
};
