#include "log.h"

#include "clock.h"
#include "duration.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static _Atomic int least_level = LOG_INFO;

void log_set_level(enum log_level least)
{
    atomic_store(&least_level, (int)least);
}

bool log_level_find(const char *name, enum log_level *level)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_write(enum log_level level, const char *event, const char *format, ...)
{
    char line[2048], when[TIME_TEXT_SIZE];
    va_list arguments;

    if ((int)level < atomic_load(&least_level))
        return;
    time_format(clock_now_ms(), when);
    int size = snprintf(line, sizeof line, "%s %s %s ", when, level_names[level], event);
    va_start(arguments, format);
    int more = vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
    va_end(arguments);
    size = more < (int)sizeof line - size - 1 ? size + more : (int)sizeof line - 2;

    /* One event is one line, and no word to a terminal, whatever a plugin or a client put into
     * a value. */
    for (int i = 0; i < size; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written; /* nowhere left to report it */
}
