/*
 * Text for a terminal: whatever came from a server, a task or a file is made harmless and
 * measured before it is printed. Control characters, invalid UTF-8 and direction overrides
 * become visible escapes, so that no payload can move the cursor or pretend to be our output.
 */
#ifndef TEXT_H
#define TEXT_H

#include "base/arena.h"
#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* Take one code point off the front; 0xFFFD and one byte for what is not UTF-8 (*valid false).
 */
uint32_t text_next(struct slice *text, bool *valid);

/* Columns the text takes; it must be safe already. */
uint32_t text_width(struct slice text);

/* Append `text` with everything dangerous escaped. `keep_lines`: newlines and tabs stay. */
void text_add_safe(struct buffer *out, struct slice text, bool keep_lines);
struct slice text_safe(struct arena *arena, struct slice text);

/* At most `columns` wide, ending in "…" when something was cut. */
struct slice text_cut(struct arena *arena, struct slice text, uint32_t columns);

#endif
