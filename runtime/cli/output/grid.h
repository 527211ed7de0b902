/*
 * Grids: rows of cells for people. On a terminal the widest columns give way until the line
 * fits; in a pipe nothing is cut. Cells may be anything: they are made safe when added.
 */
#ifndef GRID_H
#define GRID_H

#include "base/arena.h"
#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRID_MAX_COLUMNS = 12 };

enum grid_column {
    GRID_PLAIN,   /* never cut */
    GRID_NUMBER,  /* never cut, to the right */
    GRID_ELASTIC, /* may be cut */
};

struct grid_title {
    const char *title;
    enum grid_column kind;
};

struct grid_row {
    struct slice cells[GRID_MAX_COLUMNS];
    struct grid_row *next;
};

struct grid {
    struct arena *arena;
    const struct grid_title *titles;
    uint32_t column_count;
    uint32_t widths[GRID_MAX_COLUMNS];
    struct grid_row *first, *last;
    uint32_t row_count;
};

/* `titles` ends with a NULL title. */
void grid_init(struct grid *grid, struct arena *arena, const struct grid_title *titles);
/* A new row of empty cells; fill it from the left. */
void grid_row(struct grid *grid);
void grid_cell(struct grid *grid, uint32_t column, struct slice text);
void grid_format(struct grid *grid, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* width 0: as wide as it gets. */
void grid_write(const struct grid *grid, struct buffer *out, uint32_t width);
/* To stdout, as wide as it is. */
void grid_print(const struct grid *grid);

#endif
