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
		NULL,                                                                              \
	}

static const struct verb_option help_options[] = {
	{ "completion", 0, NULL, "print completion for bash" },
	{ "manual", 0, NULL, "print the manual page, for man" },
	{ "markdown", 0, NULL, "print the verbs of docs/rf.md" },
	{ "config", 0, NULL, "print the keys of docs/config.md" },
	END,
};

const struct verb verbs[] = {
	{ "check", "This node", "[FILE]...", 0, 64, WORDS_FILE,
	  "Say what is missing for running guests, or what is wrong with configurations",
	  "Without a FILE it looks at the node: the hypervisor, the device for hypercalls, memory, the "
	  "folder with configurations and each of them. With FILEs it reads these, and the kernels and "
	  "RAM disks that they name, and starts nothing. It fails when something is missing or wrong.",
	  NULL, verb_check },
	{ "version", "This node", "", 0, 0, WORDS_NONE,
	  "Print the versions of rf, of the hypervisor, and of what both speak", "", NULL,
	  verb_version },
	{ "help", "This node", "[VERB]", 0, 1, WORDS_VERB, "Explain a verb, or list all of them",
	  "", help_options, verb_help },
	END,
};
