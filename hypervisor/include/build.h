/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building the domains that the boot modules ask for (build.c): parses their keys, loads the
 * image and the initrd, writes the start information.
 */
#ifndef HYPERVISOR_BUILD_H
#define HYPERVISOR_BUILD_H

struct boot_info;

/*
 * Makes and starts all of them; any mistake in a module is a boot refusal that names the file
 * and the reason.
 */
void build_domains(const struct boot_info *boot);

#endif
