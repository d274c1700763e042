// SPDX-License-Identifier: BSD-2-Clause
/*
 * docs/api.md, as far as it is made from tables: every request, and every kind of event.
 *
 * Interface: manual.h. Locks: none.
 */
#include "toolstack/rfd/manual.h"

#include <stdio.h>
#include <string.h>

#include "toolstack/rfd/event.h"
#include "toolstack/rfd/route.h"

static void print_values(const struct field *field)
{
	static const char *const kinds[] = {
		[FIELD_TEXT] = "a text",
		[FIELD_NUMBER] = "a number",
		[FIELD_YES] = "true, false",
		[FIELD_OBJECT] = "an object",
		[FIELD_VALUE] = "a text, a number or a list",
	};

	if (field->kind != FIELD_NUMBER || field->max == INT64_MAX)
		printf("%s", kinds[field->kind]);
	else
		printf("%llu to %llu", (unsigned long long)field->min,
		       (unsigned long long)field->max);
}

static void print_route(const struct route *route)
{
	printf("\n### `%s %s`\n\n%s.\n", route->method, route->path, route->summary);
	if (route->fields) {
		printf("\n| %s | Values | Needed | Meaning |\n|---|---|---|---|\n",
		       strcmp(route->method, "GET") && strcmp(route->method, "DELETE")
			       ? "Field of the body"
			       : "In the query");
		for (const struct field *f = route->fields; f->name; f++) {
			printf("| `%s` | ", f->name);
			print_values(f);
			printf(" | %s | %s |\n", f->needed ? "yes" : "no", f->help);
		}
	}
	printf("\nAnswer: %s.\n", route->answer);
}

void manual_print(void)
{
	for (const struct route *route = route_table; route->method; route++)
		print_route(route);
	printf("\n## Events\n\n| Event | When |\n|---|---|\n");
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
		printf("| `%s` | %s |\n", event_name(kind), event_help(kind));
}
