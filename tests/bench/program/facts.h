/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said once of a system: lines "bench: fact NAME NUMBER". */
#ifndef PROGRAM_FACTS_H
#define PROGRAM_FACTS_H

/* Before anything is measured; `cycles` is what the cycle counter said first of all. */
void facts_print_first(unsigned long cycles);
/* After everything, since finding them out changes what is where. */
void facts_print_last(void);

#endif
