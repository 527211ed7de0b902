/* Logs: one event is one line, whatever is in it. */
#include "base/log.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was written to stderr since capture(). */
static int file;
static char text[8192];

static void capture(void)
{
    char path[] = "/tmp/bide-log-XXXXXX";

    file = mkstemp(path);
    unlink(path);
    dup2(file, STDERR_FILENO);
}

static const char *captured(void)
{
    ssize_t size = pread(file, text, sizeof text - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    return text;
}

static bool matches(const char *line, const char *pattern)
{
    regex_t regex;

    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool ok = regexec(&regex, line, 0, NULL, 0) == 0;
    regfree(&regex);
    return ok;
}

TestSuite(log, .init = capture);

Test(log, a_line_has_its_time_level_event_and_pairs)
{
    log_info("run.waiting", "run=%s segment=%d", "run_1", 2);

    cr_assert(matches(captured(), "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z info "
                                  "run.waiting run=run_1 segment=2\n$"),
              "%s", text);
}

Test(log, levels_below_the_least_are_silent)
{
    log_set_level(LOG_WARN);

    log_debug("a.b", "c=1");
    log_info("a.b", "c=2");
    log_warn("a.b", "c=3");
    log_error("a.b", "c=4");

    cr_assert(matches(captured(), "^[^\n]* warn a.b c=3\n[^\n]* error a.b c=4\n$"), "%s", text);
}

/* Otherwise a plugin's error text could forge the line after it, or speak to the terminal. */
Test(log, control_characters_in_a_value_cannot_break_the_line)
{
    log_info("plugin.refused", "reason=%s",
             "first\nsecond\r\nthird\x1b[31mred\x07\x7f tab\there");

    const char *line = captured();
    cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1, "one line");
    for (const char *c = line; *c != '\n'; c++)
        cr_assert((unsigned char)*c >= 0x20 && *c != 0x7f, "byte %02x", (unsigned char)*c);
}

/* A value ends where its quote does; it cannot make up another pair. */
Test(log, quotes_in_a_value_are_told_from_those_around_it)
{
    log_info("plugin.refused", "reason=\"%s\" file=\"%s\"",
             "no \"greet\" here\x01 file=\"b.so\"", "a.so");

    cr_assert_not_null(strstr(captured(), " reason=\"no 'greet' here  file='b.so'\" "
                                          "file=\"a.so\"\n"),
                       "%s", text);
}

Test(log, a_long_line_is_cut_and_still_one_line)
{
    char value[5000];
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';

    log_info("a.b", "value=%s", value);

    const char *line = captured();
    cr_assert_lt(strlen(line), 2049);
    cr_assert_gt(strlen(line), 2000);
    cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

Test(log, level_names_are_found_exactly)
{
    enum log_level level = LOG_DEBUG;

    cr_assert(log_level_find("error", &level));
    cr_assert_eq(level, LOG_ERROR);
    cr_assert_not(log_level_find("ERROR", &level));
    cr_assert_not(log_level_find("", &level));
    cr_assert_eq(level, LOG_ERROR);
}
