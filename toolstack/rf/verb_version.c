// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf version`.
 *
 * Interface: verbs.h. Locks: none.
 */
#include "abi/version.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/verbs.h"

static const struct output_column columns[] = {
	{ "rf", "rf", OUTPUT_TEXT },
	{ "its ABI", "abi", OUTPUT_NUMBER },
	{ "the hypervisor", "hypervisor", OUTPUT_TEXT },
	{ NULL, NULL, OUTPUT_TEXT },
};

/* Linux and the hypervisor have the same ABI, or Linux would not run. */
static const char *ask_hypervisor(void)
{
	struct report report = { .warnings = 0 };
	struct rf_domain_info info;
	struct access access;
	int error;

	if (!access_open(&access, &report))
		return "is not there";
	error = domain_get(&access, RF_DOMAIN_SELF, &info);
	access_close(&access);
	return error ? "has another ABI" : "has this ABI";
}

enum status verb_version(struct command *command)
{
	return output_lines(command, columns,
			    json_pack("{s:s, s:i, s:s}", "rf", RF_VERSION, "abi", RF_ABI_VERSION,
				      "hypervisor", ask_hypervisor()));
}
