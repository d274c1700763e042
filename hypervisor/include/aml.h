/* SPDX-License-Identifier: BSD-2-Clause */
/* The little that is read of the firmware's byte code (aml.c). */
#ifndef HYPERVISOR_AML_H
#define HYPERVISOR_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first two values of the package \_S5: what the two power management registers are told to
 * turn the machine off. False when the code has no such package, or not in plain numbers below 8.
 */
bool aml_find_off(const uint8_t *code, size_t size, uint8_t types[2]);

#endif
