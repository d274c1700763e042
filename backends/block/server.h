/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_SERVER_H
#define BACKENDS_BLOCK_SERVER_H

/*
 * The jail of a program that serves an image by NBD. It takes apart what others have made, so it keeps nothing but that
 * image: no network, no device, no capability, no file that it could write, no other process.
 *
 * rf-block executes itself with these words, so that the jail closes after the library has forked and before the
 * program begins:
 *
 *   --jailed-server IMAGE r|w PROGRAM ARGUMENT...
 */
#define SERVER_WORD "--jailed-server"

/* The words after the first. Does not return but with an exit status, for what failed. */
int server_run(char **words);

#endif
