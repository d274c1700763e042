/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that C and assembly share: addresses, and where assembly finds fields. Checked in
 * vcpu.c.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define IMAGE_BASE	    0xffffffff80000000 /* virtual = IMAGE_BASE + guest-physical */
#define DIRECT_BASE	    0xffff888000000000 /* the first DIRECT_GIB GiB of memory */
#define DIRECT_GIB	    4

#define STACK_SIZE	    16384

/* struct rf_vcpu_page */
#define PAGE_INTERRUPT_FLAG 0
#define PAGE_KERNEL_SP	    24
#define PAGE_USER_RIP	    64
#define PAGE_USER_CS	    72
#define PAGE_USER_RFLAGS    80
#define PAGE_USER_RSP	    88
#define PAGE_USER_SS	    96
#define PAGE_USER_RCX	    104
#define PAGE_USER_R11	    112
#define PAGE_USER_GS	    120

/* struct vcpu, at GS */
#define VCPU_PAGE	    8
#define VCPU_RESUME_SP	    16

/* struct trap_frame */
#define FRAME_RCX	    88
#define FRAME_R11	    48
#define FRAME_VECTOR	    120
#define FRAME_RIP	    136
#define FRAME_CS	    144
#define FRAME_RFLAGS	    152
#define FRAME_RSP	    160
#define FRAME_SS	    168
#define FRAME_SIZE	    176

/* struct user */
#define USER_GS_BASE	    176
#define USER_KERNEL_SP	    184

/* The "vector" with which a user's syscall is reported. */
#define VECTOR_SYSCALL	    256

#endif
