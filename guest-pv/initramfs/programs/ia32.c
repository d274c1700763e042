// SPDX-License-Identifier: GPL-2.0
/*
 * A program of 32 bits that needs no library: system calls by INT 0x80, memory, segments, faults and
 * signals, processes, floating point, and a visit to 64-bit code. Ends with the line that went wrong.
 */
#define WRITE		4
#define FORK		2
#define EXIT		1
#define WAITPID		7
#define GETPPID		64
#define KILL		37
#define GETPID		20
#define MPROTECT	125
#define SCHED_YIELD	158
#define MMAP2		192
#define SIGACTION	174
#define SIGRETURN	173
#define SETITIMER	104
#define SET_THREAD_AREA 243

#define SIGSEGV		11
#define SIGUSR1		10
#define SIGALRM		14
#define SA_SIGINFO	4
#define SA_RESTORER	0x4000000

#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			call(EXIT, __LINE__ & 0xff, 0, 0, 0, 0);                                   \
	} while (0)

struct action {
	void *handler;
	unsigned flags;
	void *restorer;
	unsigned mask[2];
};

struct user_segment {
	unsigned number, base, limit, bits;
};

static int call(int number, int a, int b, int c, int d, int e)
{
	int result;

	asm volatile("int $0x80"
		     : "=a"(result)
		     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
		     : "memory");
	return result;
}

static int mmap2(int size)
{
	int result;

	/* Read and write, private and anonymous. */
	asm volatile("push %%ebp; mov $-1, %%edi; xor %%ebp, %%ebp; int $0x80; pop %%ebp"
		     : "=a"(result)
		     : "0"(MMAP2), "b"(0), "c"(size), "d"(3), "S"(0x22)
		     : "edi", "memory");
	return result;
}

asm("restore: mov $173, %eax; int $0x80; ud2");
extern char restore[];

static volatile unsigned caught, fault_at, after_fault;

/* EIP is the 15th word of the context's registers. */
static void on_fault(int signal, unsigned *information, unsigned *context)
{
	(void)signal;
	fault_at = information[3];
	caught++;
	context[5 + 14] = after_fault;
}

static void on_signal(int signal, unsigned *information, unsigned *context)
{
	(void)signal, (void)information, (void)context;
	caught++;
	asm volatile("fninit; pxor %%xmm3, %%xmm3" ::: "xmm3");
}

static void handle(int signal, void *handler)
{
	struct action action = { handler, SA_SIGINFO | SA_RESTORER, restore, { 0, 0 } };

	check(call(SIGACTION, signal, (int)&action, 0, 8, 0) == 0);
}

/* Only the low half of a 64-bit register counts, and what cannot be addressed does not exist. */
static void test_faults(void)
{
	unsigned *memory = (unsigned *)mmap2(8192);

	check((unsigned)memory < 0xfffff000u);
	memory[0] = 1;
	memory[1024] = 2;
	handle(SIGSEGV, on_fault);
	asm volatile("movl $1f, %0; movl $1, 16\n1:" : "=m"(after_fault) : : "memory");
	check(caught == 1 && fault_at == 16);
	check(call(MPROTECT, (int)memory, 4096, 1, 0, 0) == 0);
	asm volatile("movl $1f, %0; movl $3, (%1)\n1:" : "=m"(after_fault) : "r"(memory) : "memory");
	check(caught == 2 && fault_at == (unsigned)memory && memory[0] == 1 && memory[1024] == 2);
	asm volatile("movl $1f, %0; hlt\n1:" : "=m"(after_fault) : : "memory");
	asm volatile("movl $1f, %0; int $0x81\n1:" : "=m"(after_fault) : : "memory");
	asm volatile("movl $1f, %0; mov %1, %%es\n1:" : "=m"(after_fault) : "r"(0x10) : "memory");
	check(caught == 5);
}

static void test_segment(void)
{
	unsigned data = 0x12345678, value;
	struct user_segment segment = { -1u, (unsigned)&data, 0xfff, 0x41 };

	check(call(SET_THREAD_AREA, (int)&segment, 0, 0, 0, 0) == 0);
	asm volatile("mov %0, %%gs" : : "r"(segment.number * 8 + 3));
	for (int i = 0; i < 20; i++) {
		call(SCHED_YIELD, 0, 0, 0, 0, 0);
		asm volatile("mov %%gs:0, %0" : "=r"(value));
		check(value == 0x12345678);
	}
}

static void test_processes(void)
{
	volatile int shared_once = 1;
	int status = 0, child, i;

	for (i = 0; i < 10; i++) {
		child = call(FORK, 0, 0, 0, 0, 0);
		if (child == 0) {
			shared_once = 7;
			call(EXIT, i + shared_once, 0, 0, 0, 0);
		}
		check(child > 0 && call(WAITPID, child, (int)&status, 0, 0, 0) == child);
		check(status == (i + 7) << 8 && shared_once == 1);
	}
}

/* Signals by the timer, while registers of all kinds are in use. */
static void test_signals(void)
{
	int often[4] = { 0, 2000, 0, 2000 }, never[4] = { 0, 0, 0, 0 };
	unsigned count = 0, bad = 0;

	handle(SIGALRM, on_signal);
	handle(SIGUSR1, on_signal);
	caught = 0;
	check(call(KILL, call(GETPID, 0, 0, 0, 0, 0), SIGUSR1, 0, 0, 0) == 0 && caught == 1);
	check(call(SETITIMER, 0, (int)often, 0, 0, 0) == 0);
	while (caught < 10 && !bad && count++ < 1000000)
		asm volatile("mov $0x1234, %%eax; movd %%eax, %%xmm3; fldpi; mov $5000, %%ecx\n"
			     "1: dec %%ecx\n"
			     "jnz 1b\n"
			     "xor $0x1234, %%eax; or %%eax, %0; movd %%xmm3, %%eax;"
			     "xor $0x1234, %%eax; or %%eax, %0; fldpi; fcompp; fnstsw %%ax;"
			     "and $0x4000, %%eax; xor $0x4000, %%eax; or %%eax, %0"
			     : "+S"(bad) : : "eax", "ecx", "xmm3", "cc");
	check(call(SETITIMER, 0, (int)never, 0, 0, 0) == 0);
	check(!bad && caught >= 10);
}

/* By a far jump into 64-bit code, which makes a system call of its kind, and back. */
static void test_long_mode(void)
{
	int pid = 0;

	asm volatile("ljmp $0x33, $1f\n"
		     ".code64\n"
		     "1: mov $39, %%eax\n"
		     "syscall\n"
		     "mov $0x2300000000, %%rcx\n"
		     "lea 2f, %%edx\n"
		     "or %%rdx, %%rcx\n"
		     "push %%rcx\n"
		     "ljmp *(%%rsp)\n"
		     ".code32\n"
		     "2: add $8, %%esp\n"
		     : "=a"(pid) : : "ecx", "edx", "memory", "cc");
	check(pid == call(GETPID, 0, 0, 0, 0, 0));
}

void _start(void)
{
	check(call(GETPPID, 0, 0, 0, 0, 0) > 0);
	check(call(9999, 0, 0, 0, 0, 0) == -38);
	test_faults();
	test_segment();
	test_processes();
	test_signals();
	test_long_mode();
	call(EXIT, 0, 0, 0, 0, 0);
}
