/* SPDX-License-Identifier: GPL-2.0 */
/* What the control domain asks of this domain. */
#ifndef _ASM_X86_RINGFENCE_REQUEST_H
#define _ASM_X86_RINGFENCE_REQUEST_H

/* Is the domain asked to end? Then it does so, in order. From any context. */
void rf_check_requests(void);

#endif
