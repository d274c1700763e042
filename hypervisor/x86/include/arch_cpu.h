/* SPDX-License-Identifier: BSD-2-Clause */
/* The x86 part of struct cpu: what entry.S and the descriptor tables need of each CPU. */
#ifndef X86_ARCH_CPU_H
#define X86_ARCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/*
 * The task-state segment, with room for a full I/O bitmap. io_map_base beyond the limit: every
 * port is refused.
 */
#define TSS_IO_BITMAP_BYTES 8193 /* 65536 bits and the byte of ones that ends them */

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
	uint8_t io_bitmap[TSS_IO_BITMAP_BYTES];
} __attribute__((packed));

#define TSS_IO_MAP_NONE	   0xffff
#define TSS_IO_MAP_PRESENT __builtin_offsetof(struct tss, io_bitmap)

/* Interrupt stacks by number (1-based in the descriptor). */
#define IST_DOUBLE_FAULT   1
#define IST_NMI		   2
#define IST_DEBUG	   3
#define IST_MACHINE_CHECK  4
#define IST_COUNT	   4

struct arch_cpu {
	uint64_t stack_top; /* the one stack of this CPU */
	uint64_t scratch;   /* RSP of the guest during the first instructions of a syscall */
	uint64_t ist_top[IST_COUNT + 1];
	uint32_t apic_id;
	struct tss *tss;
	uint64_t *gdt;	     /* GDT_ENTRIES of them, a page of its own */
	uint64_t loaded_cr3; /* for assertions */
	uint8_t no_tsc;	     /* CR4.TSD is set */
};

#endif
