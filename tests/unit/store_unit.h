/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STORE_UNIT_H
#define UNIT_STORE_UNIT_H

/* What tests of the store have in common: a store with sessions of domain 0 and of some guests. */
#include "unit.h"

#include <errno.h>

#include "toolstack/store/check.h"
#include "toolstack/store/domain.h"
#include "toolstack/store/operation.h"
#include "toolstack/store/store.h"

#define UNIT_GUESTS 3

struct store_unit {
	struct store store;
	struct session control;
	struct session guest[UNIT_GUESTS]; /* of domains 1 to 3 */
};

static inline void unit_start(struct store_unit *unit)
{
	store_init(&unit->store);
	session_init(&unit->control, &unit->store, 0);
	for (uint16_t i = 0; i < UNIT_GUESTS; i++)
		session_init(&unit->guest[i], &unit->store, (uint16_t)(i + 1));
}

static inline void unit_check(struct store_unit *unit)
{
	char text[256];

	if (!check_store(&unit->store, text, sizeof(text)))
		fail_msg("%s", text);
}

static inline void unit_end(struct store_unit *unit)
{
	unit_check(unit);
	session_end(&unit->control);
	for (int i = 0; i < UNIT_GUESTS; i++)
		session_end(&unit->guest[i]);
	unit_check(unit);
	store_free(&unit->store);
}

static inline int unit_write(struct session *session, const char *path, const char *value)
{
	const struct view view = { session, NULL };

	return operation_write(&view, path, value, strlen(value));
}

static inline int unit_remove(struct session *session, const char *path)
{
	const struct view view = { session, NULL };

	return operation_remove(&view, path);
}

/* "n0" "r1" and so on, one after the other. */
static inline int unit_permit(struct session *session, const char *path, const char *text)
{
	const struct view view = { session, NULL };
	struct permission list[PERMISSION_MAX];
	char strings[256];
	size_t length = strlen(text) + 1, count;

	memcpy(strings, text, length);
	for (size_t i = 0; i < length; i++) {
		if (strings[i] == ' ')
			strings[i] = 0;
	}
	count = permission_parse(strings, length, list, PERMISSION_MAX);
	assert_true(count > 0);
	return operation_set_permissions(&view, path, list, count);
}

static inline void unit_assert_in(struct session *session, struct transaction *transaction,
				  const char *path, const char *value)
{
	const struct view view = { session, transaction };
	const struct content *content;

	assert_int_equal(operation_read(&view, path, &content), 0);
	assert_int_equal(content->length, strlen(value));
	assert_memory_equal(content->value, value, content->length);
}

static inline void unit_assert_value(struct session *session, const char *path, const char *value)
{
	unit_assert_in(session, NULL, path, value);
}

static inline int unit_error(struct session *session, const char *path)
{
	const struct view view = { session, NULL };
	const struct content *content;

	return operation_read(&view, path, &content);
}

static inline struct transaction *unit_begin(struct session *session)
{
	uint32_t id;

	assert_int_equal(transaction_start(session, &id), 0);
	return transaction_find(session, id);
}

#endif
