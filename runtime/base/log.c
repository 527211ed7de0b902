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

enum { FORMAT_MAX_BYTES = 512 };

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

/* The format's own quotes become `mark`, so that those of the values can be told from them. */
static void quotes_mark(char marked[FORMAT_MAX_BYTES], const char *format, char mark)
{
    (void)snprintf(marked, FORMAT_MAX_BYTES, "%s", format); /* formats are short */
    for (; *marked != '\0'; marked++)
        if (*marked == '"')
            *marked = mark;
}

/* A control character that no value holds. */
static char mark_find(const char *text, int size)
{
    char mark = 1;

    while (mark < ' ' - 1 && size > 0 && memchr(text, mark, (size_t)size) != NULL)
        mark++;
    return mark;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* callers' formats are checked */

void log_write(enum log_level level, const char *event, const char *format, ...)
{
    char line[2048], when[TIME_TEXT_SIZE];
    char marked[FORMAT_MAX_BYTES];
    va_list arguments, again;

    if ((int)level < atomic_load(&least_level))
        return;
    time_format(clock_now_ms(), when);
    int size = snprintf(line, sizeof line, "%s %s %s ", when, level_names[level], event);
    int room = (int)sizeof line - size - 1;
    va_start(arguments, format);
    va_copy(again, arguments);
    int more = vsnprintf(line + size, (size_t)room, format, arguments);
    va_end(arguments);
    char mark = mark_find(line + size, more < room ? more : room - 1);
    quotes_mark(marked, format, mark);
    (void)vsnprintf(line + size, (size_t)room, marked, again); /* as long as before */
    va_end(again);
    size = more < room ? size + more : (int)sizeof line - 2;

    /* One event is one line, a value ends where its quote does, and there is no word to a
     * terminal, whatever a plugin or a client put into a value. */
    for (int i = 0; i < size; i++) {
        if (line[i] == mark)
            line[i] = '"';
        else if (line[i] == '"')
            line[i] = '\'';
        else if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[size++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written; /* nowhere left to report it */
}
