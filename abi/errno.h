/* SPDX-License-Identifier: MIT */
/*
 * Error numbers of every hypercall: returned negative in RAX. The values are those that Linux
 * uses on x86-64, so a Linux guest passes them on as they are. A host program that has
 * <errno.h> already has the same names and values.
 */
#ifndef RINGFENCE_ABI_ERRNO_H
#define RINGFENCE_ABI_ERRNO_H

#ifndef EPERM
#define EPERM	   1
#define ENOENT	   2
#define ESRCH	   3
#define E2BIG	   7
#define EAGAIN	   11
#define ENOMEM	   12
#define EFAULT	   14
#define EBUSY	   16
#define EEXIST	   17
#define EINVAL	   22
#define ENOSPC	   28
#define ERANGE	   34
#define ENOSYS	   38
#define ENODATA	   61
#define EOPNOTSUPP 95
#define ENOTCONN   107
#endif

#endif
