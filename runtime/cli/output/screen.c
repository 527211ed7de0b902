#include "cli/output/screen.h"

#include "cli/output/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 80 };

static uint32_t width_of(int fd)
{
    struct winsize size;

    if (isatty(fd) == 0)
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return DEFAULT_WIDTH;
}

uint32_t screen_width(void)
{
    return width_of(STDOUT_FILENO);
}

void screen_print(FILE *file, struct buffer *out)
{
    if (out->size > 0)
        fwrite(out->data, 1, out->size, file);
    buffer_finish(out);
}

void screen_report(FILE *file, struct buffer *report, bool is_json)
{
    struct buffer safe = { 0 };

    if (is_json)
        buffer_slice(&safe, buffer_view(report));
    else
        text_add_safe(&safe, buffer_view(report), true);
    if (safe.size > 0 && safe.data[safe.size - 1] != '\n')
        buffer_byte(&safe, '\n');
    screen_print(file, &safe);
    buffer_finish(report);
}

static bool is_smart(int fd)
{
    const char *terminal = getenv("TERM");
    return isatty(fd) == 1 && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

bool screen_has_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return is_smart(STDOUT_FILENO) && (no == NULL || *no == '\0');
}

void screen_line_init(struct screen_line *line)
{
    *line = (struct screen_line){ .live = is_smart(STDERR_FILENO) };
}

void screen_line_draw(struct screen_line *line, struct slice text, struct slice mark)
{
    struct arena arena = { 0 };
    char now[sizeof line->last];

    snprintf(now, sizeof now, "%.*s", SLICE_ARG(mark));
    if (line->live) {
        struct slice cut =
            text_cut(&arena, text_safe(&arena, text), width_of(STDERR_FILENO) - 1);
        fprintf(stderr, "\r\x1b[K%.*s", SLICE_ARG(cut));
        line->drawn = true;
    } else if (strcmp(now, line->last) != 0) {
        struct slice safe = text_safe(&arena, text);
        fprintf(stderr, "%.*s\n", SLICE_ARG(safe));
    }
    memcpy(line->last, now, sizeof now);
    arena_finish(&arena);
}

void screen_line_end(struct screen_line *line)
{
    if (line->drawn)
        fputc('\n', stderr);
    line->drawn = false;
}
