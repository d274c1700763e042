/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between build_plan.c, build_control.c and build.c: what the boot modules ask for, and where they
 * are. One CPU, at boot.
 */
#ifndef HYPERVISOR_BUILD_PLAN_H
#define HYPERVISOR_BUILD_PLAN_H

#include <stdint.h>

#include "domain.h"
#include "guest_image.h"
#include "guest_layout.h"
#include "parse.h"

struct boot_info;
struct boot_module;
struct rf_start_info;

struct build_module {
	const struct boot_module *boot;
	const char *data;
	uint64_t moved; /* first mfn of the frames it was copied to; FRAME_NONE: where it was */
	unsigned order; /* of these frames */
};

struct build_plan {
	struct build_module *image;
	struct build_module *initrd; /* NULL: none */
	struct domain_config config; /* frames 0: the control domain gets what is left */
	struct guest_image content;
	struct parse_word text; /* the domain's own command line */

	bool gets_all; /* the control domain, when no size is given */
	struct domain *domain;
	struct guest_layout layout;
};

extern struct build_plan build_plans[];
extern uint32_t build_plan_count; /* the first is the control domain */
extern struct build_module build_modules[];
extern uint32_t build_module_count;

/* Reads every module's words and headers; refuses what is wrong with them. */
void build_plan_read(const struct boot_info *boot);
/* Frames a domain needs beside its memory. */
uint64_t build_plan_overhead(const struct build_plan *plan);
/* Pages of a module. */
uint64_t build_module_frames(const struct build_module *module);
/* Copies a module to frames of its own. */
void build_module_move(struct build_module *module);

/* The control domain: takes its frames and makes it, its image's place zeroed and its own. */
void build_control_create(struct build_plan *plan);
/* Gives it what is free now and nobody will need, if it is to have all. */
void build_control_top_up(struct build_plan *plan);
/* Every range of the machine, as the control domain is to see it. */
void build_control_ranges(const struct boot_info *boot, struct rf_start_info *info);

#endif
