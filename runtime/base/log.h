/*
 * Logs: one line an event on stderr, written whole, from any thread.
 *
 *   2026-01-02T03:04:05.678Z info run.waiting run=run_0f3… segment=decided
 *
 * The event is a stable noun.verb, the rest key=value pairs. Secrets and payloads never.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level least);
bool log_level_find(const char *name, enum log_level *level);
void log_write(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

#endif
