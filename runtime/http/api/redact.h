/*
 * Veils: what of a run's or a token's values people may see. `secret: true` in a schema hides a
 * part; when the file that said so is gone or has changed, nobody knows which part, and the
 * whole value is hidden. So is an output that the file of a task with secrets does not
 * describe. What a task itself writes into its metadata, log and errors is shown as it is.
 */
#ifndef VEIL_H
#define VEIL_H

#include "engine/catalog.h"
#include "engine/rows/row.h"
#include "http/server/out.h"

struct veil {
    bool hides_all;
    const struct schema *schema; /* whose secrets to hide; NULL: there are none */
};

/* `catalog` may be NULL. A veil lives as long as its catalog. */
struct veil veil_payload(const struct catalog *catalog, const struct run *run);
struct veil veil_output(const struct catalog *catalog, const struct run *run);
struct veil veil_token(const struct catalog *catalog, const struct waitpoint *token);

/* A packed value as JSON; empty is null. */
void veil_write(struct buffer *out, const struct veil *veil, struct arena *arena,
                struct slice packed);
void veil_out(struct out *out, const char *key, const struct veil *veil, struct arena *arena,
              struct slice packed);
/* A state has no schema: of one that may hold a secret only the names are shown. */
void veil_out_state(struct out *out, const char *key, const struct catalog *catalog,
                    struct arena *arena, const struct run *run);

#endif
