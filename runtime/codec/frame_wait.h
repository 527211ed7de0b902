/* What a wait for a group is, as it travels in an END and as it is kept with its run. */
#ifndef FRAME_WAIT_H
#define FRAME_WAIT_H

#include "codec/frame.h"
#include "codec/frame_cursor.h"

/* Ids, each as its distance from the one before: those of one segment follow each other. */
void ids_write(struct buffer *out, const int64_t *ids, uint32_t count);
void ids_read(struct cursor *cursor, int64_t **ids, uint32_t *count);

void names_write(struct buffer *out, const struct slice *names, uint32_t count);
void names_read(struct cursor *cursor, struct slice **names, uint32_t *count);

/* Tokens or runs without a name that stand in one row are written as one. Reading breaks the
 * cursor where a part is in no group that stands before it. */
void parts_write(struct buffer *out, const struct frame_part *parts, uint32_t count);
void parts_read(struct cursor *cursor, struct frame_part **parts, uint32_t *count);

void manner_write(struct buffer *out, const struct frame_manner *manner);
void manner_read(struct cursor *cursor, struct frame_manner *manner);

/* What has come of it. */
void results_write(struct buffer *out, const struct frame_segment *frame);
void results_read(struct cursor *cursor, struct frame_segment *frame);

#endif
