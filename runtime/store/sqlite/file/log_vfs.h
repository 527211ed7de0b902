/*
 * The log, written in one piece a commit: a VFS for the connection that writes.
 *
 * SQLite appends each page to the log in two calls, its head and its content, so a commit of
 * fifteen pages makes thirty of them, one after the other in the file. Here they are collected,
 * and go to the system when SQLite syncs the log, or when anything else is done with the file.
 */
#ifndef LOG_VFS_H
#define LOG_VFS_H

/*
 * Its name, for sqlite3_open_v2; everything but the log is left to the default VFS. Only for a
 * connection with synchronous = FULL: others see pages as soon as the index beside the log
 * names them, and SQLite syncs the log before that in this mode alone. NULL: out of memory. Any
 * thread.
 */
const char *log_vfs(void);

#endif
