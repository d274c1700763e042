// SPDX-License-Identifier: BSD-2-Clause
/* Files in memory: the root file system is the RAM disk. */
#include <fcntl.h>
#include <stddef.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operation.h"

#define FILE_NAME    "/bench.file"
#define BLOCK	     4096
#define SELECT_FILES 64

static char block[BLOCK];
static int file, files[SELECT_FILES];

static void create_file(void)
{
	file = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	operation_check(file >= 0 && write(file, block, BLOCK) == BLOCK, FILE_NAME);
}

static void remove_file(void)
{
	close(file);
	unlink(FILE_NAME);
}

static void perform_file_read(uint64_t iterations)
{
	while (iterations--)
		operation_check(pread(file, block, BLOCK, 0) == BLOCK, "pread");
}

static void perform_file_write(uint64_t iterations)
{
	while (iterations--)
		operation_check(pwrite(file, block, BLOCK, 0) == BLOCK, "pwrite");
}

static void perform_stat(uint64_t iterations)
{
	struct stat status;

	while (iterations--)
		operation_check(stat(FILE_NAME, &status) == 0, "stat");
}

static void perform_open(uint64_t iterations)
{
	while (iterations--)
		operation_check(close(open(FILE_NAME, O_RDONLY)) == 0, "open");
}

static void open_many(void)
{
	size_t i;

	create_file();
	for (i = 0; i < SELECT_FILES; i++) {
		files[i] = dup(file);
		operation_check(files[i] >= 0 && files[i] < FD_SETSIZE, "dup");
	}
}

static void perform_select(uint64_t iterations)
{
	while (iterations--) {
		struct timeval none = { 0 };
		fd_set set;
		size_t i;

		FD_ZERO(&set);
		for (i = 0; i < SELECT_FILES; i++)
			FD_SET(files[i], &set);
		operation_check(select(files[SELECT_FILES - 1] + 1, &set, NULL, NULL, &none) ==
					SELECT_FILES,
				"select");
	}
}

static void close_many(void)
{
	size_t i;

	for (i = 0; i < SELECT_FILES; i++)
		close(files[i]);
	remove_file();
}

const struct operation file_operations[] = {
	{ "file-read", 4000, create_file, perform_file_read, remove_file, NULL },
	{ "file-write", 4000, create_file, perform_file_write, remove_file, NULL },
	{ "stat", 4000, create_file, perform_stat, remove_file, NULL },
	{ "open", 4000, create_file, perform_open, remove_file, NULL },
	{ "select", 1000, open_many, perform_select, close_many, NULL },
	{},
};
