/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of whole domains: the audit finds nothing, and at the end not a frame is missing. */
#ifndef UNIT_AUDITED_H
#define UNIT_AUDITED_H

#include "unit.h"

#include "audit.h"
#include "fake_domain.h"
#include "frame.h"

#define AUDITED_LOW 256 /* frames below 1 MiB, which are not free */

static inline void assert_audit(void)
{
	const char *wrong = audit_run();

	if (wrong)
		fail_msg("audit: %s", wrong);
}

static inline int teardown(void **state)
{
	(void)state;
	assert_audit();
	fake_domain_end_all();
	assert_audit();
	assert_int_equal(frame_free_count(), frame_total - AUDITED_LOW);
	return 0;
}

#endif
