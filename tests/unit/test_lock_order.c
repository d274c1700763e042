// SPDX-License-Identifier: BSD-2-Clause
/* That the order in which unit tests take locks is looked at, by every test with locks: see fake_lock.c. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_lock.h"
#include "spinlock.h"

static struct spinlock a, b, c;

static void take_two(struct spinlock *outer, struct spinlock *inner)
{
	spin_lock(outer);
	spin_lock(inner);
	spin_unlock(outer);
	spin_unlock(inner);
}

/* The signal that ends a process which takes two locks in one order and then in another; 0: none. */
static int end_of(struct spinlock *outer, struct spinlock *inner)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		fclose(stderr);
		take_two(&a, &b);
		take_two(&b, &c);
		take_two(outer, inner);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_order(void **state)
{
	(void)state;
	assert_int_equal(end_of(&a, &b), 0);
	assert_int_equal(end_of(&a, &c), 0);
	assert_int_equal(end_of(&b, &a), SIGABRT);
	assert_int_equal(end_of(&c, &b), SIGABRT);
}

/* One after the other is no order. */
static void test_not_nested(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		spin_lock(i ? &a : &b);
		spin_unlock(i ? &a : &b);
		spin_lock(i ? &b : &a);
		spin_unlock(i ? &b : &a);
	}
	take_two(&a, &b);
	fake_lock_forget();
	take_two(&b, &a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_not_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
