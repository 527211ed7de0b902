/* The screen: what stdout and stderr are, and one line on it that is drawn over. */
#ifndef SCREEN_H
#define SCREEN_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal on stdout; 0: it is none, cut nothing. */
uint32_t screen_width(void);
bool screen_has_colour(void);

/* Write all of it and free it; whether it worked is seen when the program ends. */
void screen_print(FILE *file, struct buffer *out);

/* A report made elsewhere, of files that may hold anything: JSON as it is, text for people made
 * safe. It is freed. */
void screen_report(FILE *file, struct buffer *report, bool is_json);
/* A status line on stderr: drawn over where stderr is a terminal, else printed when it changed.
 */
struct screen_line {
    bool live;
    bool drawn;
    char last[256];
};

void screen_line_init(struct screen_line *line);
/* `text` is what may change often (elapsed time); `mark` is what counts as a change. */
void screen_line_draw(struct screen_line *line, struct slice text, struct slice mark);
/* Leave what was drawn last and go to the next line. */
void screen_line_end(struct screen_line *line);

#endif
