/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of locks, looked at whenever a test takes one (fake_lock.c). */
#ifndef FAKE_LOCK_H
#define FAKE_LOCK_H

/* All that was seen: addresses will be those of other locks. While nobody else holds any. */
void fake_lock_forget(void);
/* A test goes on after an end that it expected, whatever was held there. */
void fake_lock_forget_held(void);

#endif
