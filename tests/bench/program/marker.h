/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Marks for whoever watches the machine from outside: instructions that do nothing and that no
 * compiler emits, a NOP whose displacement says what is meant. tests/bench/plugin looks for them.
 */
#ifndef PROGRAM_MARKER_H
#define PROGRAM_MARKER_H

#define MARKER_START	    "0x52464201"
#define MARKER_STOP	    "0x52464202"

#define marker_emit(marker) asm volatile(".byte 0x0f, 0x1f, 0x80; .long " marker ::: "memory")

#endif
