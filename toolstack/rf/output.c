// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tables for people, JSON for programs, both from the same values.
 *
 * Interface: output.h. Locks: none.
 */
#include "toolstack/rf/output.h"

#include <stdlib.h>
#include <string.h>

#define CELL_SIZE 256

void output_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* --- One value --- */

static void write_cpus(const json_t *list, char *cell)
{
	size_t count = json_array_size(list), used = 0;

	cell[0] = 0;
	for (size_t i = 0; i < count && used < CELL_SIZE - 16; i++) {
		json_int_t first = json_integer_value(json_array_get(list, i)), last = first;

		while (i + 1 < count && json_integer_value(json_array_get(list, i + 1)) == last + 1)
			last = json_integer_value(json_array_get(list, ++i));
		used += (size_t)snprintf(cell + used, CELL_SIZE - used, "%s%lld", used ? "," : "",
					 (long long)first);
		if (last > first)
			used += (size_t)snprintf(cell + used, CELL_SIZE - used, "-%lld",
						 (long long)last);
	}
}

static void write_plain(const json_t *value, char *cell)
{
	if (json_is_string(value))
		snprintf(cell, CELL_SIZE, "%s", json_string_value(value));
	else if (json_is_real(value))
		snprintf(cell, CELL_SIZE, "%.1f", json_real_value(value));
	else if (json_is_integer(value))
		snprintf(cell, CELL_SIZE, "%lld", (long long)json_integer_value(value));
	else if (json_is_boolean(value))
		snprintf(cell, CELL_SIZE, "%s", json_is_true(value) ? "yes" : "no");
	else
		snprintf(cell, CELL_SIZE, "-");
}

static void write_cell(const struct output_column *column, const json_t *row, char *cell)
{
	const json_t *value = json_object_get(row, column->key);

	if (column->form == OUTPUT_CPUS && json_is_array(value))
		write_cpus(value, cell);
	else if (column->form == OUTPUT_CPUS)
		snprintf(cell, CELL_SIZE, "all");
	else if (column->form == OUTPUT_MIB && json_is_integer(value))
		snprintf(cell, CELL_SIZE, "%lld", (long long)json_integer_value(value) >> 20);
	else if (column->form == OUTPUT_SECONDS && json_is_integer(value))
		snprintf(cell, CELL_SIZE, "%.1f", (double)json_integer_value(value) / 1e9);
	else
		write_plain(value, cell);
}

/* --- Tables and lines --- */

static bool is_left(const struct output_column *column)
{
	return column->form == OUTPUT_TEXT || column->form == OUTPUT_CPUS;
}

static void measure(const struct output_column *columns, const json_t *rows, int *widths)
{
	char cell[CELL_SIZE];
	size_t number;
	json_t *row;

	for (unsigned i = 0; columns[i].title; i++) {
		widths[i] = (int)strlen(columns[i].title);
		json_array_foreach((json_t *)rows, number, row) {
			write_cell(&columns[i], row, cell);
			if ((int)strlen(cell) > widths[i])
				widths[i] = (int)strlen(cell);
		}
	}
}

/* No blanks at the end of a line. */
static void print_cell(const struct output_column *column, int width, const char *text)
{
	if (!is_left(column))
		printf("%*s", width, text);
	else if (column[1].title)
		printf("%-*s", width, text);
	else
		printf("%s", text);
	printf(column[1].title ? "  " : "\n");
}

static size_t count_columns(const struct output_column *columns)
{
	size_t count = 0;

	while (columns[count].title)
		count++;
	return count;
}

static bool print_table(const struct output_column *columns, const json_t *rows)
{
	int *widths = calloc(count_columns(columns), sizeof(*widths));
	char cell[CELL_SIZE];
	size_t number;
	json_t *row;

	if (!widths)
		return false;
	measure(columns, rows, widths);
	for (unsigned i = 0; columns[i].title; i++)
		print_cell(&columns[i], widths[i], columns[i].title);
	json_array_foreach((json_t *)rows, number, row) {
		for (unsigned i = 0; columns[i].title; i++) {
			write_cell(&columns[i], row, cell);
			print_cell(&columns[i], widths[i], cell);
		}
	}
	free(widths);
	return true;
}

enum status output_table(const struct command *command, const struct output_column *columns,
			 json_t *rows)
{
	bool printed = true;

	if (command->json)
		output_json(rows);
	else
		printed = print_table(columns, rows);
	json_decref(rows);
	return printed ? STATUS_OK : command_fail(command, STATUS_FAILED, "there is no memory");
}

enum status output_lines(const struct command *command, const struct output_column *columns,
			 json_t *object)
{
	char cell[CELL_SIZE];

	if (command->json)
		output_json(object);
	for (; !command->json && columns->title; columns++) {
		write_cell(columns, object, cell);
		printf("%-22s: %s\n", columns->title, cell);
	}
	json_decref(object);
	return STATUS_OK;
}

enum status output_done(const struct command *command)
{
	if (command->json)
		printf("{}\n");
	return STATUS_OK;
}
