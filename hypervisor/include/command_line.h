/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own command line. To add an option, add a line to command_line.def and read
 * the field. Written once at boot, read-only from then on: no locks.
 */
#ifndef HYPERVISOR_COMMAND_LINE_H
#define HYPERVISOR_COMMAND_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the words in command_line.def. */
enum { ON_PANIC_HALT, ON_PANIC_REBOOT };
enum { CONSOLE_PREFIXED, CONSOLE_RAW };
enum { SERIAL_INPUT_DOMAIN, SERIAL_INPUT_DEBUG };

#define OPTION_FLAG(name, field, help)			    bool field;
#define OPTION_NUMBER(name, field, initial, min, max, help) uint64_t field;
#define OPTION_SIZE(name, field, initial, help)		    uint64_t field;
#define OPTION_CHOICE(name, field, initial, words, help)    uint32_t field;
struct command_line {
#include "command_line.def"
};
#undef OPTION_FLAG
#undef OPTION_NUMBER
#undef OPTION_SIZE
#undef OPTION_CHOICE

extern struct command_line command_line;

/* Set every field. An unknown option or a bad value ends in boot_refuse(). */
void command_line_parse(const char *text);

#endif
