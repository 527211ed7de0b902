#include "cli/output/grid.h"

#include "cli/output/screen.h"
#include "cli/output/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { GAP = 2, ELASTIC_LEAST = 8 };

void grid_init(struct grid *grid, struct arena *arena, const struct grid_title *titles)
{
    *grid = (struct grid){ .arena = arena, .titles = titles };
    for (; titles[grid->column_count].title != NULL; grid->column_count++) {
        assert(grid->column_count < GRID_MAX_COLUMNS);
        grid->widths[grid->column_count] =
            text_width(slice_of(titles[grid->column_count].title));
    }
}

void grid_row(struct grid *grid)
{
    struct grid_row *row = ARENA_NEW(grid->arena, struct grid_row);
    if (grid->last == NULL)
        grid->first = row;
    else
        grid->last->next = row;
    grid->last = row;
    grid->row_count++;
}

void grid_cell(struct grid *grid, uint32_t column, struct slice text)
{
    assert(column < grid->column_count && grid->last != NULL);
    struct slice safe = text_safe(grid->arena, text);
    uint32_t width = text_width(safe);

    grid->last->cells[column] = safe;
    if (width > grid->widths[column])
        grid->widths[column] = width;
}

void grid_format(struct grid *grid, uint32_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    grid_cell(grid, column, arena_vformat(grid->arena, format, arguments));
    va_end(arguments);
}

/* Take columns from the widest elastic one until the line fits or nothing more can give. */
static void shrink(const struct grid *grid, uint32_t *widths, uint32_t width)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < grid->column_count; i++)
        total += widths[i] + (i > 0 ? GAP : 0);

    while (width > 0 && total > width) {
        uint32_t widest = grid->column_count;
        for (uint32_t i = 0; i < grid->column_count; i++)
            if (grid->titles[i].kind == GRID_ELASTIC && widths[i] > ELASTIC_LEAST &&
                (widest == grid->column_count || widths[i] > widths[widest]))
                widest = i;
        if (widest == grid->column_count)
            return;
        widths[widest]--;
        total--;
    }
}

static void add_spaces(struct buffer *out, uint32_t count)
{
    while (count-- > 0)
        buffer_byte(out, ' ');
}

static void write_line(const struct grid *grid, struct buffer *out, const struct slice *cells,
                       const uint32_t *widths)
{
    for (uint32_t i = 0; i < grid->column_count; i++) {
        struct slice cell = text_cut(grid->arena, cells[i], widths[i]);
        uint32_t rest = widths[i] - text_width(cell);
        bool right = grid->titles[i].kind == GRID_NUMBER;
        if (right)
            add_spaces(out, rest);
        buffer_slice(out, cell);
        if (i + 1 < grid->column_count)
            add_spaces(out, (right ? 0 : rest) + GAP);
    }
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->size--;
    buffer_byte(out, '\n');
}

void grid_write(const struct grid *grid, struct buffer *out, uint32_t width)
{
    uint32_t widths[GRID_MAX_COLUMNS];
    struct slice titles[GRID_MAX_COLUMNS];

    for (uint32_t i = 0; i < grid->column_count; i++) {
        widths[i] = grid->widths[i];
        titles[i] = slice_of(grid->titles[i].title);
    }
    shrink(grid, widths, width);
    write_line(grid, out, titles, widths);
    for (const struct grid_row *row = grid->first; row != NULL; row = row->next)
        write_line(grid, out, row->cells, widths);
}

void grid_print(const struct grid *grid)
{
    struct buffer out = { 0 };
    grid_write(grid, &out, screen_width());
    screen_print(stdout, &out);
}
