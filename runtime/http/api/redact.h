/*
 * Redactions: what of a run's or a token's values people may see. `secret: true` in a schema
 * hides a part; when the file that said so is gone or has changed, nobody knows which part, and
 * the whole value is hidden. So is an output that the file of a task with secrets does not
 * describe. What a task itself writes into its metadata, log and errors is shown as it is.
 */
#ifndef HTTP_REDACT_H
#define HTTP_REDACT_H

#include "engine/catalog.h"
#include "engine/rows/row.h"
#include "http/server/out.h"

struct redaction {
    bool hides_all;
    bool is_list;                /* of values that the schema is of */
    const struct schema *schema; /* whose secrets to hide; NULL: there are none */
};

/* `catalog` may be NULL. A redaction lives as long as its catalog. */
/* May the run know a secret that nobody says where it puts? */
bool redact_knows_secrets(const struct catalog *catalog, const struct run *run);
struct redaction redact_payload(const struct catalog *catalog, const struct run *run);
struct redaction redact_output(const struct catalog *catalog, const struct run *run);
struct redaction redact_token(const struct catalog *catalog, const struct waitpoint *token);
/* One that was sent to the run; `secret` as mail.h has it. */
struct redaction redact_message(const struct catalog *catalog, const struct run *run,
                                struct slice name, struct slice secret);

/* A packed value as JSON; empty is null. */
void redact_write(struct buffer *out, const struct redaction *redaction, struct arena *arena,
                  struct slice packed);
void redact_out(struct out *out, const char *key, const struct redaction *redaction,
                struct arena *arena, struct slice packed);
/* A state has no schema: of one that may hold a secret only the names are shown. */
void redact_out_state(struct out *out, const char *key, const struct catalog *catalog,
                      struct arena *arena, const struct run *run);

#endif
