// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of routes: requests are checked by it, and docs/api.md is made from it.
 *
 * Interface: route.h. Locks: none, the table is constant.
 */
#include "toolstack/rfd/route.h"

#include <stddef.h>
#include <string.h>

#include "toolstack/lib/config.h"

#define END                                                                                        \
	{                                                                                          \
		.name = NULL,                                                                      \
	}

static const struct field event_fields[] = {
	{ "since", FIELD_NUMBER, false, 0, INT64_MAX,
	  "only what came after this number; usually `last` of the answer before (0: all that is kept)" },
	{ "wait", FIELD_NUMBER, false, 0, 60,
	  "if there is nothing, wait so many seconds for it (0)" },
	END,
};

static const struct field log_fields[] = {
	{ "since", FIELD_NUMBER, false, 0, INT64_MAX,
	  "only what comes after so many bytes: `Ringfence-Position` of the answer before (0)" },
	END,
};

static const struct field create_fields[] = {
	{ "config", FIELD_OBJECT, true, 0, 0,
	  "the [configuration](config.md); files in it have whole paths" },
	{ "paused", FIELD_YES, false, 0, 0, "leave it paused (false)" },
	END,
};

static const struct field define_fields[] = {
	{ "config", FIELD_OBJECT, true, 0, 0,
	  "the [configuration](config.md); files in it have whole paths" },
	{ "autostart", FIELD_YES, false, 0, 0, "start it with the node (false)" },
	END,
};

static const struct field start_fields[] = {
	{ "paused", FIELD_YES, false, 0, 0, "leave it paused (false)" },
	END,
};

static const struct field autostart_fields[] = {
	{ "autostart", FIELD_YES, false, 0, 0, "start it with the node, or not (true)" },
	END,
};

static const struct field end_fields[] = {
	{ "wait", FIELD_YES, false, 0, 0,
	  "answer when it has ended, and what its configuration says was done (true)" },
	{ "timeout", FIELD_NUMBER, false, 0, 600, "wait so many seconds (60)" },
	END,
};

static const struct field rename_fields[] = {
	{ "name", FIELD_TEXT, true, 0, 0, "its name from now on" },
	END,
};

static const struct field trigger_fields[] = {
	{ "what", FIELD_TEXT, true, 0, 0, "`\"poweroff\"`, `\"reboot\"` or `\"nmi\"`" },
	END,
};

static const struct field sysrq_fields[] = {
	{ "key", FIELD_TEXT, true, 0, 0, "one letter or digit" },
	END,
};

static const struct field sched_fields[] = {
	{ "weight", FIELD_NUMBER, false, 1, SETTING_WEIGHT_MAX, "its share, relative to others" },
	{ "cap", FIELD_NUMBER, false, 0, SETTING_CAP_MAX,
	  "most that each vCPU may run, in percent of a processor; 0: no limit" },
	END,
};

static const struct field mem_max_fields[] = {
	{ "size", FIELD_VALUE, true, 0, 0, "a size, as in configurations: MiB, or `\"64M\"`" },
	END,
};

static const struct field vcpu_set_fields[] = {
	{ "count", FIELD_NUMBER, true, 1, 64, "how many of its virtual processors" },
	END,
};

static const struct field vcpu_pin_fields[] = {
	{ "vcpu", FIELD_NUMBER, false, 0, 63, "one of its virtual processors (all)" },
	{ "cpus", FIELD_VALUE, true, 0, 0, "a list, `\"0-3,5\"`, or `\"all\"`" },
	END,
};

const struct route route_table[] = {
	{ "GET", "/v1", 0, NULL, "List what can be asked",
	  "A list of objects with `method`, `path` and `summary`", route_index },
	{ "GET", "/v1/version", 0, NULL, "Say the versions of rfd and of its ABI",
	  "An object with `rf` and `abi`", route_version },
	{ "GET", "/v1/node", ROUTE_ACCESS, NULL, "Say all about the node", "As `rf info --json`",
	  route_node },
	{ "GET", "/v1/log", ROUTE_ACCESS, log_fields, "Read the hypervisor's log",
	  "Bytes, at most 64 KiB; the header `Ringfence-Position` says where they end", route_log },
	{ "GET", "/v1/events", 0, event_fields, "Read what has happened, or wait for it",
	  "An object with `events`, `last`, the number of the newest, and `lost`: some that came after "
	  "`since` are not kept any more",
	  route_events },
	{ "GET", "/v1/helpers", 0, NULL, "List the programs that guests need",
	  "A list of objects: those that the daemon was told to keep running, with `name`, `running`, `starts` "
	  "(by this daemon) and, if it runs, `process`; and the back ends of guests' devices, with `name`, "
	  "`running`, `domain`, `starts` (again, by this daemon) and, if it is to be started later because it did not "
	  "last, `wait` (seconds)",
	  route_helpers },
	{ "GET", "/metrics", 0, NULL, "Count, for Prometheus",
	  "Text in its format, at most five seconds old: the node, domains, virtual processors, events",
	  route_metrics },

	{ "GET", "/v1/domains", ROUTE_ACCESS, NULL, "List the domains", "As `rf list --json`",
	  route_domain_list },
	{ "POST", "/v1/domains", ROUTE_ACCESS, create_fields,
	  "Make a guest from a configuration, and start it",
	  "As `rf create --json`: `name` and `domain`, its number; `warnings`, a list, if there are any",
	  route_domain_create },
	{ "GET", "/v1/domains/{domain}", ROUTE_DOMAIN, NULL, "Say all about a domain",
	  "As `rf info DOMAIN --json`", route_domain_info },
	{ "GET", "/v1/domains/{domain}/vcpus", ROUTE_DOMAIN, NULL, "List its virtual processors",
	  "As `rf vcpu-list DOMAIN --json`", route_domain_vcpus },
	{ "GET", "/v1/domains/{domain}/stats", ROUTE_DOMAIN, NULL,
	  "Count its entries into the hypervisor by reason, and what was done in them",
	  "As `rf stats DOMAIN --json`", route_domain_stats },
	{ "GET", "/v1/domains/{domain}/console", ROUTE_DOMAIN, log_fields,
	  "Read what is kept of its console, the last 16 KiB",
	  "Bytes; the header `Ringfence-Position` says where they end", route_domain_console },
	{ "POST", "/v1/domains/{domain}/console", ROUTE_DOMAIN | ROUTE_BYTES, NULL,
	  "Type into its console: the body is what is typed",
	  "An object with `taken`: for so many bytes there was room", route_domain_type },
	{ "POST", "/v1/domains/{domain}/shutdown", ROUTE_DOMAIN, end_fields, "Ask it to power off",
	  "An empty object", route_domain_shutdown },
	{ "POST", "/v1/domains/{domain}/reboot", ROUTE_DOMAIN, end_fields, "Ask it to reboot",
	  "An empty object", route_domain_reboot },
	{ "POST", "/v1/domains/{domain}/destroy", ROUTE_DOMAIN, NULL,
	  "End it at once, whatever it is doing", "An empty object", route_domain_destroy },
	{ "POST", "/v1/domains/{domain}/pause", ROUTE_DOMAIN, NULL, "Stop it where it is",
	  "An empty object", route_domain_pause },
	{ "POST", "/v1/domains/{domain}/unpause", ROUTE_DOMAIN, NULL, "Let it run",
	  "An empty object", route_domain_unpause },
	{ "POST", "/v1/domains/{domain}/rename", ROUTE_DOMAIN, rename_fields,
	  "Give it another name", "An empty object", route_domain_rename },
	{ "POST", "/v1/domains/{domain}/trigger", ROUTE_DOMAIN, trigger_fields,
	  "Ask it to end, or send it a non-maskable interrupt, and do not wait", "An empty object",
	  route_domain_trigger },
	{ "POST", "/v1/domains/{domain}/sysrq", ROUTE_DOMAIN, sysrq_fields, "Send it a SysRq key",
	  "An empty object", route_domain_sysrq },
	{ "POST", "/v1/domains/{domain}/sched", ROUTE_DOMAIN, sched_fields,
	  "Change its share of the processors", "An empty object", route_domain_sched },
	{ "POST", "/v1/domains/{domain}/mem-max", ROUTE_DOMAIN, mem_max_fields,
	  "Limit the memory that it may have", "An empty object", route_domain_mem_max },
	{ "POST", "/v1/domains/{domain}/mem-set", ROUTE_DOMAIN, mem_max_fields,
	  "Ask it to give memory back, or to take it again", "An empty object",
	  route_domain_mem_set },
	{ "POST", "/v1/domains/{domain}/vcpu-set", ROUTE_DOMAIN, vcpu_set_fields,
	  "Ask it to use so many of its virtual processors", "An empty object",
	  route_domain_vcpu_set },
	{ "POST", "/v1/domains/{domain}/vcpu-pin", ROUTE_DOMAIN, vcpu_pin_fields,
	  "Say on which processors its virtual ones may run", "An empty object",
	  route_domain_vcpu_pin },

	{ "GET", "/v1/definitions", 0, NULL, "List the guests that are kept",
	  "As `rf definitions --json`; one that cannot be read has an `error`",
	  route_definition_list },
	{ "POST", "/v1/definitions", 0, define_fields,
	  "Keep a guest's configuration, in place of one with the same name",
	  "An object with `name`, `autostart` and `config`", route_definition_write },
	{ "GET", "/v1/definitions/{name}", 0, NULL, "Say how one is kept",
	  "An object with `name`, `autostart` and `config`", route_definition_info },
	{ "DELETE", "/v1/definitions/{name}", 0, NULL,
	  "Keep it no longer; a guest that runs is not touched", "An empty object",
	  route_definition_remove },
	{ "POST", "/v1/definitions/{name}/start", ROUTE_ACCESS, start_fields,
	  "Make the guest, and start it", "An object with `name` and `domain`, its number",
	  route_definition_start },
	{ "POST", "/v1/definitions/{name}/autostart", 0, autostart_fields,
	  "Start it with the node, or not", "An empty object", route_definition_autostart },
	{ NULL, NULL, 0, NULL, NULL, NULL, NULL },
};

/* --- Finding --- */

/* Takes the word of the pattern's part in braces. */
static bool matches(const char *pattern, const char *path, char word[REQUEST_WORD])
{
	size_t length;

	for (; *pattern && *pattern != '{'; pattern++, path++)
		if (*path != *pattern)
			return false;
	if (!*pattern)
		return !*path;
	length = strcspn(path, "/");
	if (!length || length >= REQUEST_WORD)
		return false;
	memcpy(word, path, length);
	word[length] = 0;
	return !strcmp(strchr(pattern, '}') + 1, path + length);
}

const struct route *route_find(const char *method, const char *path, char word[REQUEST_WORD],
			       bool *known)
{
	*known = false;
	for (const struct route *route = route_table; route->method; route++) {
		if (!matches(route->path, path, word))
			continue;
		if (!strcmp(route->method, method))
			return route;
		*known = true;
	}
	return NULL;
}
