/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person at the serial line may ask (debug_key.c): `h` lists it. */
#ifndef HYPERVISOR_DEBUG_KEY_H
#define HYPERVISOR_DEBUG_KEY_H

/* Does what the key says, and prints it; a key that says nothing is ignored. */
void debug_key_press(int key);

#endif
