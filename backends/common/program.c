// SPDX-License-Identifier: BSD-2-Clause
/* Options, start, end. What each program adds are names, and what to run. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/common/program.h"

#define EXIT_USAGE 2
#define IDS	   64

static void print_usage(const struct program *program, FILE *file)
{
	fprintf(file,
		"usage: %s [--store SOCKET] [--user N] [--once] DOMAIN ID\n"
		"\n"
		"Serves %s ID of guest DOMAIN until it is taken away, by the keys of\n"
		"/local/domain/0/backend/%s/DOMAIN/ID in the store. What touches the guest and\n"
		"the %s is a process of its own, jailed, which is started again if it dies.\n"
		"\n"
		"  --store SOCKET  the store's (default: as all its clients)\n"
		"  --user N        who that process becomes, if this one is root (default:\n"
		"                  one number for each %s)\n"
		"  --once          end when that process ends\n"
		"  --link SOCKET   the front end is a program that hands out memory there; for tests\n"
		"  --no-jail       for tests under sanitizers\n"
		"  --help          this text\n"
		"\n"
		"Exit status: 0 the device was taken away, or SIGTERM; 1 failed; 2 usage.\n",
		program->name, program->device, program->class, program->source, program->device);
}

static volatile sig_atomic_t stopping;

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

static bool number(const char *text, unsigned long most, uint32_t *value)
{
	char *end;
	unsigned long parsed = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || parsed > most)
		return false;
	*value = (uint32_t)parsed;
	return true;
}

static bool parse_option(struct device_options *options, int option)
{
	switch (option) {
	case 's':
		options->store = optarg;
		return true;
	case 'l':
		options->link = optarg;
		return true;
	case 'u':
		return number(optarg, UINT32_MAX - 1, &options->user);
	case 'o':
		options->once = true;
		return true;
	case 'n':
		options->no_jail = true;
		return true;
	default:
		return false;
	}
}

static bool parse(const struct program *program, struct device_options *options, int count,
		  char **arguments)
{
	static const struct option known[] = {
		{ "store", required_argument, NULL, 's' },
		{ "link", required_argument, NULL, 'l' },
		{ "user", required_argument, NULL, 'u' },
		{ "once", no_argument, NULL, 'o' },
		{ "no-jail", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
		if (option == 'h') {
			print_usage(program, stdout);
			exit(0);
		}
		if (!parse_option(options, option))
			return false;
	}
	return count - optind == 2 && number(arguments[optind], 4095, &options->domain) &&
	       number(arguments[optind + 1], UINT32_MAX, &options->id);
}

int program_run(const struct program *program, int count, char **arguments)
{
	struct device_options options = { 0 };
	struct sigaction action = { .sa_handler = stop };

	if (!parse(program, &options, count, arguments)) {
		print_usage(program, stderr);
		return EXIT_USAGE;
	}
	if (!options.user)
		options.user = program->first_user + options.domain * IDS + options.id % IDS;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return program->run(&options, &stopping);
}
