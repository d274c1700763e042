// SPDX-License-Identifier: BSD-2-Clause
/*
 * Commands of plans: programs that are executed, and a few that are done here:
 *   write FILE, remove FILE              the first writes what the step has as input
 *   stop FILE                            ends the process whose number is in there
 *   forward on NAME, forward off NAME    whether the node forwards packets: off when nobody here
 *                                        wants it any more, and it was so before
 *   unbridge NAME                        removes a bridge, unless it is used for something else
 *   reach ADDRESS INTERFACE              waits until the address answers there
 *
 * Interface: network_steps.h. Locks: none; whoever calls has one.
 */
#include "toolstack/lib/network_steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/address.h"
#include "toolstack/lib/network_facts.h"
#include "toolstack/lib/places.h"

#define WORDS	      12
#define FORWARD	      "/proc/sys/net/ipv4/ip_forward"
#define REACH_SECONDS 10
#define STOP_TIMES    100
#define DISCARD	      9 /* a port that nobody listens to */

static void wait_shortly(void)
{
	const struct timespec time = { .tv_nsec = 50000000 };

	nanosleep(&time, NULL);
}

/* --- Files --- */

bool network_steps_write(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t size = strlen(text);
	bool good = file >= 0 && write(file, text, size) == (ssize_t)size;

	if (file >= 0)
		close(file);
	return good;
}

static pid_t read_pid(const char *path)
{
	FILE *file = fopen(path, "re");
	int pid = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%d", &pid) != 1 || pid < 2)
		pid = 0;
	fclose(file);
	return pid;
}

void network_steps_signal(const char *path, int signal)
{
	pid_t pid = read_pid(path);

	if (pid)
		kill(pid, signal);
}

static void stop(const char *path)
{
	pid_t pid = read_pid(path);

	if (pid && kill(pid, SIGTERM) == 0)
		for (unsigned i = 0; i < STOP_TIMES && kill(pid, 0) == 0; i++)
			wait_shortly();
	unlink(path);
}

/* --- Forwarding --- */

static bool forwards(void)
{
	FILE *file = fopen(FORWARD, "re");
	int value = 0;

	if (!file)
		return false;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value != 0;
}

/* A file for each that wants it; and one more, if it was off before. */
static void mark_path(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s.forward", places_networks(), name);
}

static bool forward_on(const char *name)
{
	char path[PATH_MAX];

	if (!forwards()) {
		mark_path(path, "");
		if (!network_steps_write(path, "") || !network_steps_write(FORWARD, "1\n"))
			return false;
	}
	mark_path(path, name);
	return network_steps_write(path, "");
}

static unsigned count_marks(void)
{
	DIR *folder = opendir(places_networks());
	unsigned count = 0;

	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		const char *dot = strrchr(entry->d_name, '.');

		count += dot && dot != entry->d_name && !strcmp(dot, ".forward");
	}
	closedir(folder);
	return count;
}

static void forward_off(const char *name)
{
	char path[PATH_MAX];

	mark_path(path, name);
	unlink(path);
	mark_path(path, "");
	if (!count_marks() && !unlink(path))
		network_steps_write(FORWARD, "0\n");
}

/* --- Interfaces --- */

/* It has answered who it is: what is sent to it goes out there. */
static bool is_neighbour(const char *address, const char *interface)
{
	FILE *file = fopen("/proc/net/arp", "re");
	char line[256], ip[64], device[64];
	unsigned flags;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %*x %x %*s %*s %63s", ip, &flags, device) == 3 &&
			(flags & 2) && !strcmp(ip, address) && !strcmp(device, interface);
	if (file)
		fclose(file);
	return found;
}

static bool reach(const char *address, const char *interface)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DISCARD) };
	int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t number = 0;
	bool found = false;

	address_parse(address, &number);
	to.sin_addr.s_addr = htonl(number);
	for (unsigned i = 0; i < REACH_SECONDS * 20 && !found; i++) {
		if (i % 20 == 0)
			sendto(file, "", 0, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
		wait_shortly();
		found = is_neighbour(address, interface);
	}
	close(file);
	errno = found ? 0 : EHOSTUNREACH;
	return found;
}

static bool has_ports(const char *bridge)
{
	char path[128];
	DIR *folder;
	unsigned count = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif", bridge);
	folder = opendir(path);
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count > 2;
}

/* --- Programs --- */

/* They are not where users look for programs. */
static bool find(const char *program, char *path, size_t size)
{
	const char *usual = getenv("PATH");
	char folders[PATH_MAX], *rest = folders;

	snprintf(folders, sizeof(folders), "%s:/usr/sbin:/sbin", usual ? usual : "/usr/bin:/bin");
	for (char *folder; (folder = strsep(&rest, ":"));) {
		snprintf(path, size, "%s/%s", folder, program);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

bool network_steps_find(const char *program)
{
	char path[PATH_MAX];

	return find(program, path, sizeof(path));
}

/* Other threads may have held whatever locks there are. */
static _Noreturn void execute(const char *path, char **words, int in, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	execv(path, words);
	_exit(127);
}

/* What it has to read; without an end in the file system. */
static int input_of(const char *text)
{
	int file = memfd_create("input", MFD_CLOEXEC);

	if (file >= 0 && text && write(file, text, strlen(text)) == (ssize_t)strlen(text))
		lseek(file, 0, SEEK_SET);
	return file;
}

/* The first line of what a program said. */
static void read_said(int file, char *said, size_t size)
{
	ssize_t length;

	lseek(file, 0, SEEK_SET);
	length = read(file, said, size - 1);
	said[length > 0 ? length : 0] = 0;
	said[strcspn(said, "\n")] = 0;
}

static bool run_there(const char *path, char **words, const char *input, char *said, size_t size)
{
	int in = input_of(input), out = input_of(NULL), status = -1;
	pid_t child = in < 0 || out < 0 ? -1 : fork();

	if (child == 0)
		execute(path, words, in, out);
	if (child > 0)
		waitpid(child, &status, 0);
	read_said(out, said, size);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return status == 0;
}

static bool run(char **words, const char *input, char *said, size_t size)
{
	char path[PATH_MAX];

	if (find(words[0], path, sizeof(path)))
		return run_there(path, words, input, said, size);
	snprintf(said, size, "there is no program %s", words[0]);
	return false;
}

/* --- Commands --- */

static unsigned split(char *command, char **words)
{
	unsigned count = 0;
	char *rest = command;

	for (char *word; count < WORDS - 1 && (word = strsep(&rest, " "));)
		words[count++] = word;
	words[count] = NULL;
	return count;
}

static void unbridge(char *name)
{
	char *words[] = { "ip", "link", "del", name, NULL }, said[REPORT_LINE];

	if (!has_ports(name) && !network_has_address(name))
		run(words, NULL, said, sizeof(said));
}

static bool perform(char **words, const char *input, char *said, size_t size)
{
	bool good = true;

	said[0] = 0;
	if (!strcmp(words[0], "write"))
		good = network_steps_write(words[1], input);
	else if (!strcmp(words[0], "remove"))
		unlink(words[1]);
	else if (!strcmp(words[0], "stop"))
		stop(words[1]);
	else if (!strcmp(words[0], "unbridge"))
		unbridge(words[1]);
	else if (!strcmp(words[0], "reach"))
		good = reach(words[1], words[2]);
	else if (!strcmp(words[0], "forward") && !strcmp(words[1], "on"))
		good = forward_on(words[2]);
	else if (!strcmp(words[0], "forward"))
		forward_off(words[2]);
	else
		return run(words, input, said, size);
	if (!good)
		snprintf(said, size, "%s", strerror(errno));
	return good;
}

static bool do_command(const char *command, const char *input, char *said, size_t size)
{
	char *copy = strdup(command), *words[WORDS];
	bool good = copy && split(copy, words) && perform(words, input, said, size);

	free(copy);
	return good;
}

static const char *text_of(const json_t *step, const char *key)
{
	return json_string_value(json_object_get(step, key));
}

void network_steps_undo(const json_t *commands)
{
	char said[REPORT_LINE];
	json_t *command;
	size_t i;

	json_array_foreach((json_t *)commands, i, command)
		do_command(json_string_value(command), NULL, said, sizeof(said));
}

json_t *network_steps_do(const json_t *plan, struct report *report)
{
	json_t *taken_back = json_array(), *step;
	char said[REPORT_LINE];
	size_t i;

	json_array_foreach((json_t *)plan, i, step) {
		if (do_command(text_of(step, "do"), text_of(step, "input"), said, sizeof(said))) {
			if (text_of(step, "undo"))
				json_array_insert(taken_back, 0, json_object_get(step, "undo"));
			continue;
		}
		report_fail(report, "%s: %s", text_of(step, "do"), said[0] ? said : "fails");
		network_steps_undo(taken_back);
		json_decref(taken_back);
		return NULL;
	}
	return taken_back;
}
