// SPDX-License-Identifier: BSD-2-Clause
/*
 * vCPUs of the guest; see vcpu.h. vCPU 0 runs on the boot stack and finds its own page and GS base
 * here; others get theirs by vcpu_init. Odd: vcpu_init_boot() runs before the page is registered
 * and must not touch the interrupt flag.
 */
#include "vcpu.h"

#include "test.h"

#define RELAXES_PER_YIELD 64

static struct vcpu vcpus[RF_MAX_VCPUS];
static struct rf_vcpu_page boot_page __attribute__((aligned(4096)));

extern const char vcpu_entry[];

_Static_assert(offsetof(struct vcpu, page) == VCPU_PAGE, "layout.h");
_Static_assert(offsetof(struct vcpu, resume_sp) == VCPU_RESUME_SP, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, interrupt_flag) == PAGE_INTERRUPT_FLAG, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, kernel_sp) == PAGE_KERNEL_SP, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.rip) == PAGE_USER_RIP, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.cs) == PAGE_USER_CS, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.rflags) == PAGE_USER_RFLAGS, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.rsp) == PAGE_USER_RSP, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.ss) == PAGE_USER_SS, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.rcx) == PAGE_USER_RCX, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.r11) == PAGE_USER_R11, "layout.h");
_Static_assert(offsetof(struct rf_vcpu_page, user.gs_base) == PAGE_USER_GS, "layout.h");

struct vcpu *vcpu_of(uint32_t id)
{
	return &vcpus[id];
}

void vcpu_init_boot(void)
{
	struct vcpu *v = &vcpus[0];

	v->self = v;
	v->page = &boot_page;
	asm volatile("wrgsbase %0" : : "r"(v) : "memory");
}

void vcpu_register_boot(void)
{
	struct vcpu *v = &vcpus[0];
	int64_t result = hv_vcpu_register_page(physical_of(&boot_page) / PAGE_SIZE);

	if (result)
		ERROR("vcpu_register_page: %ld", result);
	result = hv_set_kernel_gs(ADDRESS(v));
	if (result)
		ERROR("set_kernel_gs: %ld", result);
	v->page->kernel_sp = 0; /* user_enter() sets it */
}

bool interrupts_off(void)
{
	return __atomic_exchange_n(&this_page()->interrupt_flag, 0, __ATOMIC_SEQ_CST);
}

bool interrupts_on(void)
{
	struct rf_vcpu_page *page = this_page();
	bool on = __atomic_exchange_n(&page->interrupt_flag, RF_INTERRUPT_FLAG, __ATOMIC_SEQ_CST);

	if (*(volatile uint8_t *)&page->pending)
		hv_irq_window();
	return on;
}

void vcpu_start(uint32_t id, void (*function)(void *argument), void *argument)
{
	struct vcpu *v = &vcpus[id];
	struct rf_vcpu_context context;
	int64_t result;

	if (!v->self) {
		v->self = v;
		v->page = page_alloc();
		v->stack_top = ADDRESS(pages_alloc(STACK_SIZE / PAGE_SIZE, PAGE_SIZE)) + STACK_SIZE;
	}
	v->id = id;
	v->try = NULL;
	v->function = function;
	v->argument = argument;
	v->done = false;
	context = (struct rf_vcpu_context){
		.rip = ADDRESS(vcpu_entry),
		.rsp = v->stack_top,
		.rdi = ADDRESS(v),
		.root = root_boot(),
		.kernel_gs = ADDRESS(v),
		.page = physical_of(v->page) / PAGE_SIZE,
	};
	result = hv_vcpu_init(id, ADDRESS(&context));
	if (result)
		ERROR("vcpu_init %u: %ld", id, result);
	result = hv_vcpu_up(id);
	if (result)
		ERROR("vcpu_up %u: %ld", id, result);
}

void vcpu_main(struct vcpu *v)
{
	v->function(v->argument);
	interrupts_off();
	v->done = true;
	for (;;)
		hv_vcpu_down();
}

void vcpu_wait(uint32_t id)
{
	while (!vcpus[id].done)
		relax();
	while (hv_vcpu_status(id) != RF_VCPU_DOWN)
		relax();
}

void relax(void)
{
	static uint32_t count;

	asm volatile("pause");
	if (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) % RELAXES_PER_YIELD == 0)
		hv_yield();
}

void spin_lock(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
		relax();
}

void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

void meet(struct meeting *meeting, uint32_t count)
{
	uint32_t round = atomic_load(&meeting->round);

	if (atomic_add(&meeting->arrived, 1) == count) {
		atomic_store(&meeting->arrived, 0);
		atomic_store(&meeting->round, round + 1);
		return;
	}
	while (atomic_load(&meeting->round) == round)
		relax();
}
