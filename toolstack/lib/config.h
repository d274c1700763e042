/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's configuration, whatever form it was written in: JSON (config_json.c) or the grammar of
 * xl.cfg (config_xl.c). docs/config.md has the schema, config_keys.c the table of it.
 */
#ifndef TOOLSTACK_LIB_CONFIG_H
#define TOOLSTACK_LIB_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/domain.h"
#include "toolstack/lib/report.h"

#define SETTING_FILE_MAX    (1U << 20)
#define SETTING_MEMORY_MIN  (1ULL << 20)
#define SETTING_MEMORY_MAX  (1ULL << 42)
#define SETTING_SHADOW_MAX  (32ULL << 20)
#define SETTING_PATH_MAX    4095
#define SETTING_PAGE	    4096
#define SETTING_WEIGHT_MAX  65535
#define SETTING_CAP_MAX	    100
#define SETTING_CPUS	    64
#define SETTING_UUID_LENGTH 36
#define SETTING_DISKS	    64
#define SETTING_NETS	    64
#define SETTING_SUBNET	    "10.82.0.0/24" /* of mode nat */

enum config_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_PRESERVE,
};

enum config_console {
	CONSOLE_RING,	/* kept, for `rf console` */
	CONSOLE_SERIAL, /* and printed on the serial line, too */
};

/* A number that is zero was not given, where the key says so. */
struct config {
	char *name;
	char *uuid;
	char *kernel;
	char *initrd; /* NULL: none */
	char *command_line;
	uint64_t memory;     /* bytes */
	uint64_t memory_max; /* bytes; 0: as memory */
	uint64_t shadow;     /* bytes; 0: the hypervisor chooses */
	uint64_t cpus;	     /* bit mask of processors; 0: all */
	uint64_t vcpus;
	uint64_t weight;      /* 0: the default */
	uint64_t cap;	      /* percent of a processor for each vCPU; 0: none */
	uint64_t on_poweroff; /* enum config_action */
	uint64_t on_reboot;
	uint64_t on_crash;
	uint64_t console; /* enum config_console */
	json_t *disks;	  /* as config_disk.c leaves them; NULL: none */
	json_t *nets;	  /* as config_net.c does */
};

enum config_kind {
	KIND_NAME,
	KIND_UUID,
	KIND_TEXT,
	KIND_FILE,
	KIND_SIZE,
	KIND_NUMBER,
	KIND_CPU_LIST,
	KIND_CHOICE,
	KIND_DISKS,
	KIND_NETS,
};

struct config_key {
	const char *name;
	enum config_kind kind;
	size_t offset; /* in struct config: a char * or a uint64_t */
	uint64_t min;
	uint64_t max;		    /* of a text: its length */
	const char *const *choices; /* NULL at the end */
	const char *initial;	    /* what it is when it is not given, in words */
	const char *help;
};

/* NULL name at the end. */
extern const struct config_key config_keys[];

/* Where a value was written. */
struct config_place {
	const char *file;
	unsigned line; /* 0: not in a file */
	const char *key;
};

/* Reads a file of either form. False: report->error names the file, the line and the key. */
bool config_read(const char *path, struct config *config, struct report *report);
/* The same from memory; `file` is for messages, and other files are looked for beside it. */
bool config_parse(const char *file, const char *text, size_t size, struct config *config,
		  struct report *report);
/* `key=value`, in either form, on top of what was read. */
bool config_override(struct config *config, const char *assignment, struct report *report);
/* That all that must be there is, and fits together; to be called last. */
bool config_check(const char *file, struct config *config, struct report *report);
void config_init(struct config *config);
void config_free(struct config *config);
/* In the form that config_parse reads. */
json_t *config_to_json(const struct config *config);

/* --- Between the files of the library --- */

const struct config_key *config_find(const char *name);
bool config_set(struct config *config, const struct config_key *key, const json_t *value,
		const struct config_place *place, struct report *report);
/* A list of disks, or one, as a list of objects. */
bool config_disks_set(json_t **field, const json_t *value, const struct config_place *place,
		      struct report *report);
/* The same of networks. */
bool config_nets_set(json_t **field, const json_t *value, const struct config_place *place,
		     struct report *report);
bool config_parse_json(const char *file, const char *text, size_t size, struct config *config,
		       struct report *report);
bool config_parse_xl(const char *file, const char *text, size_t size, struct config *config,
		     struct report *report);
/* The most that a size may be, in words. */
const char *config_size_max(const struct config_key *key, char *text, size_t size);
/* `FILE:LINE: KEY: MESSAGE`, as the report's error. */
bool config_fail(struct report *report, const struct config_place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
