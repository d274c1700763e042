// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf version`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "abi/version.h"
#include "toolstack/lib/access.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/verbs.h"

static const struct output_column columns[] = {
	{ "rf", "rf", OUTPUT_TEXT },
	{ "its ABI", "abi", OUTPUT_NUMBER },
	{ "the hypervisor's ABI", "hypervisor_abi", OUTPUT_NUMBER },
	{ NULL, NULL, OUTPUT_TEXT },
};

/* Null when there is no hypervisor to ask. */
static json_t *ask_hypervisor(void)
{
	struct report report = { .warnings = 0 };
	struct access access;
	int64_t version;

	if (!access_open(&access, &report))
		return json_null();
	version = access_call(&access, RF_HYPERCALL_version, 0);
	access_close(&access);
	return version < 0 ? json_null() : json_integer(version);
}

enum status verb_version(struct command *command)
{
	return output_lines(command, columns,
			    json_pack("{s:s, s:i, s:o}", "rf", RF_VERSION, "abi", RF_ABI_VERSION,
				      "hypervisor_abi", ask_hypervisor()));
}
