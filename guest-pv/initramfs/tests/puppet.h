/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tiny domain that does what it is told: it makes the hypercalls that are written into a page of it. So a
 * program of the control domain can check what happens between two domains, step by step.
 */
#ifndef PUPPET_H
#define PUPPET_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

#include "abi/control_device.h"
#include "abi/hypercall.h"
#include "abi/memory.h"
#include "check.h"

#define PAGE		  4096UL
#define PUPPET_FRAMES	  64U
#define PUPPET_FREE_FRAME 8U /* and those after it are for who uses it */
#define PUPPET_SECONDS	  30

#define PUPPET_BASE	  0xffffffff80000000UL
#define PUPPET_ENTRY	  1UL /* frames */
#define PUPPET_ROOT	  2UL
#define PUPPET_LEVEL3	  3UL
#define PUPPET_LEVEL2	  4UL
#define PUPPET_ORDERS	  5UL

/* As the code below has it. */
struct puppet_orders {
	uint32_t go;
	uint32_t number;
	uint64_t argument[4];
	int64_t result;
};

/* Never called: what is between the two labels is copied. */
static __attribute__((used)) void puppet_guest(void)
{
	asm volatile(".pushsection .rodata\n"
		     "puppet_code:\n"
		     "	mov	$0xffffffff80005000, %rbx\n"
		     "1:	pause\n"
		     "	cmpl	$0, (%rbx)\n"
		     "	je	1b\n"
		     "	mov	4(%rbx), %eax\n"
		     "	mov	8(%rbx), %rdi\n"
		     "	mov	16(%rbx), %rsi\n"
		     "	mov	24(%rbx), %rdx\n"
		     "	mov	32(%rbx), %r10\n"
		     "	syscall\n"
		     "	mov	%rax, 40(%rbx)\n"
		     "	movl	$0, (%rbx)\n"
		     "	jmp	1b\n"
		     "puppet_code_end:\n"
		     ".popsection\n");
}

extern const char puppet_code[], puppet_code_end[];

static int puppet_device;

static int64_t control(unsigned long command, void *argument)
{
	return ioctl(puppet_device, command, argument);
}

static int64_t puppet_copy(uint32_t domain, uint32_t direction, uint64_t physical, const void *own,
			   uint32_t size)
{
	struct rf_domain_copy op = { direction, size, physical, (uintptr_t)own };
	struct rf_control_copy request = { domain, 1, (uintptr_t)&op };

	return control(RF_CONTROL_DOMAIN_COPY, &request);
}

static inline void puppet_read(uint32_t domain, uint64_t physical, void *own, uint32_t size)
{
	check(puppet_copy(domain, RF_COPY_FROM, physical, own, size) == 1);
}

static inline void puppet_write(uint32_t domain, uint64_t physical, const void *own, uint32_t size)
{
	check(puppet_copy(domain, RF_COPY_TO, physical, own, size) == 1);
}

static inline void puppet_write_word(uint32_t domain, uint64_t physical, uint64_t value)
{
	puppet_write(domain, physical, &value, sizeof(value));
}

static inline uint64_t puppet_read_word(uint32_t domain, uint64_t physical)
{
	uint64_t value;

	puppet_read(domain, physical, &value, sizeof(value));
	return value;
}

static inline uint64_t puppet_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec;
}

/* It makes a hypercall; its result. */
static int64_t puppet_call(uint32_t domain, uint32_t number, uint64_t first, uint64_t second)
{
	struct puppet_orders orders = { 0, number, { first, second }, 0 };
	uint64_t end = puppet_now() + PUPPET_SECONDS;

	puppet_write(domain, PUPPET_ORDERS * PAGE, &orders, sizeof(orders));
	orders.go = 1;
	puppet_write(domain, PUPPET_ORDERS * PAGE, &orders.go, sizeof(orders.go));
	while (orders.go) {
		check(puppet_now() < end);
		usleep(100);
		puppet_read(domain, PUPPET_ORDERS * PAGE, &orders, sizeof(orders));
	}
	return orders.result;
}

static void puppet_populate(uint32_t domain)
{
	struct rf_memory_extent extents[PUPPET_FRAMES] = { 0 };
	struct rf_control_memory request = { domain, PUPPET_FRAMES, (uintptr_t)extents };

	for (unsigned i = 0; i < PUPPET_FRAMES; i++)
		extents[i].gfn = i;
	check(control(RF_CONTROL_MEMORY_POPULATE, &request) == PUPPET_FRAMES);
}

static void puppet_start(uint32_t domain)
{
	const uint64_t flags = 0x63; /* present, writable, accessed, dirty */
	struct rf_control_set start = {
		.domain = domain,
		.set = { .mask = RF_SET_START | RF_SET_PAUSED,
			 .entry = PUPPET_BASE + PUPPET_ENTRY * PAGE,
			 .root = PUPPET_ROOT * PAGE },
	};

	puppet_write(domain, PUPPET_ENTRY * PAGE, puppet_code,
		     (uint32_t)(puppet_code_end - puppet_code));
	puppet_write_word(domain, PUPPET_ROOT * PAGE + 511 * 8, PUPPET_LEVEL3 * PAGE | flags);
	puppet_write_word(domain, PUPPET_LEVEL3 * PAGE + 510 * 8, PUPPET_LEVEL2 * PAGE | flags);
	puppet_write_word(domain, PUPPET_LEVEL2 * PAGE, 0x80 | flags);
	check(control(RF_CONTROL_DOMAIN_SET, &start) == 0);
}

static uint32_t puppet_new(void)
{
	struct rf_control_create request = { .config = { "puppet", 1, 0, PUPPET_FRAMES, 0, { 0 } } };

	check(control(RF_CONTROL_DOMAIN_CREATE, &request) == 0);
	puppet_populate(request.domain);
	puppet_start(request.domain);
	return request.domain;
}

/* Waits until nothing is left of it, but for what is mapped. */
static void puppet_end(uint32_t domain)
{
	struct rf_control_domain request = { .domain = domain };
	struct rf_control_info info = { .domain = domain };
	uint64_t end = puppet_now() + PUPPET_SECONDS;

	check(control(RF_CONTROL_DOMAIN_DESTROY, &request) == 0);
	while (!control(RF_CONTROL_DOMAIN_INFO, &info)) {
		check(puppet_now() < end);
		usleep(1000);
	}
	check(errno == ESRCH);
}

#endif
