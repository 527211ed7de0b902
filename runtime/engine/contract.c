#include "engine/contract.h"

#include "base/crypto.h"
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/timeline.h"

/* Of two refusals of what was not given, as null and as {}: the one that says what is missing.
 */
static void missing_tell(const struct problems *of_empty, struct problems *problems)
{
    for (const struct problem *one = of_empty->first; one != NULL; one = one->next)
        if (slice_is(one->keyword, "required")) {
            *problems = *of_empty;
            return;
        }
}

bool payload_fits(const struct schema *schema, bool is_given, struct value *payload,
                  struct arena *arena, struct problems *problems)
{
    struct problems of_empty = { 0 };
    struct value empty = value_map();

    if (schema == NULL || schema_check(schema, payload, arena, problems))
        return true;
    if (is_given)
        return false;
    if (!schema_check(schema, &empty, arena, &of_empty)) {
        missing_tell(&of_empty, problems);
        return false;
    }
    *problems = (struct problems){ 0 };
    *payload = empty;
    return true;
}

bool payloads_fit(const struct schema *schema, struct value *list, struct arena *arena,
                  struct problems *problems)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (!payload_fits(schema, list->items[i].kind != VALUE_NULL, &list->items[i], arena,
                          problems))
            return false;
    return true;
}

bool payload_admit(struct batch *batch, struct command *command,
                   const struct catalog_task *task, const char *what, struct slice *packed)
{
    const struct schema *schema =
        task == NULL || task->schema == NULL ? NULL : schema_input(task->schema);
    bool is_given = packed->size > 0;
    struct value payload = { .kind = VALUE_NULL };
    struct problems *problems = ARENA_NEW(command->arena, struct problems);

    if ((int64_t)packed->size > batch->catalog->limits.payload_bytes)
        return err_set(&command->err, ERR_TOO_LARGE, "%s has %zu bytes, %lld are allowed", what,
                       packed->size, (long long)batch->catalog->limits.payload_bytes);
    if (is_given && !pack_read(batch->arena, *packed, &payload, &command->err))
        return false;
    if (schema == NULL)
        return true;
    if (command->trigger.items > 0
            ? !payloads_fit(schema, &payload, command->arena, problems)
            : !payload_fits(schema, is_given, &payload, command->arena, problems)) {
        command->problems = problems;
        return err_set(&command->err, ERR_BAD_INPUT, "%s of %.*s does not match its schema",
                       what, SLICE_ARG(command->trigger.task));
    }
    *packed = pack_value(batch->arena, &payload);
    return true;
}

enum schema_quick payload_fits_quickly(const struct schema *schema, bool is_given,
                                       struct value *payload, struct arena *arena,
                                       struct problems *problems)
{
    struct problems of_empty = { 0 };
    struct value empty = value_map();
    enum schema_quick first = schema_check_quick(schema, payload, arena, problems);

    if (is_given || first != SCHEMA_REFUSES)
        return first;
    enum schema_quick second = schema_check_quick(schema, &empty, arena, &of_empty);
    if (second == SCHEMA_REFUSES)
        missing_tell(&of_empty, problems);
    if (second != SCHEMA_FITS)
        return second;
    *problems = (struct problems){ 0 };
    *payload = empty;
    return SCHEMA_FITS;
}

void contract_begin(const struct catalog_task *task, struct run *run)
{
    if (task == NULL)
        return;
    run->schema = task->schema_hash;
    if (task->has_secrets)
        run->secrets |= SECRETS_DECLARED;
}

void run_met_secrets(struct run *run)
{
    if ((run->secrets & SECRETS_MET) != 0)
        return;
    run->secrets |= SECRETS_MET;
}

static bool is_hash(struct slice kept)
{
    return kept.size == SCHEMA_KEPT_BYTES;
}

struct slice contract_now(const struct run *run)
{
    struct slice now = run->schema_now.size > 0 ? run->schema_now : run->schema;

    return is_hash(now) ? now : (struct slice){ 0 };
}

static struct slice change_text(struct arena *arena, struct slice was, struct slice now)
{
    char from[2 * SCHEMA_KEPT_BYTES + 1] = "", to[2 * SCHEMA_KEPT_BYTES + 1] = "";

    crypto_hex((const uint8_t *)was.data, was.size, from);
    crypto_hex((const uint8_t *)now.data, now.size, to);
    if (now.size == 0)
        return arena_format(arena, "goes on without a schema; it was %s", from);
    if (was.size == 0)
        return arena_format(arena, "goes on under schema %s; none was recorded before", to);
    return arena_format(arena, "goes on under schema %s; it was %s", to, from);
}

void contract_follow(struct arena *arena, const struct catalog_task *task, struct run *run,
                     int64_t now_ms)
{
    struct slice was = contract_now(run), now = task->schema_hash;

    if (slice_equal(was, now))
        return;
    struct move move = { .at_ms = now_ms,
                         .status = run->status,
                         .outcome = run->outcome,
                         .text = change_text(arena, was, now) };
    run->timeline = timeline_add(arena, run, &move);
    run->schema_now = slice_equal(now, run->schema) ? (struct slice){ 0 }
                      : now.size > 0                ? now
                                                    : (struct slice){ "", 1 };
    if (was.size > 0 && ((run->secrets & SECRETS_DECLARED) != 0 || task->has_secrets))
        run->secrets |= SECRETS_MIXED;
    if (task->has_secrets)
        run->secrets |= SECRETS_DECLARED;
}
