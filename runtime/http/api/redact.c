#include "http/api/redact.h"

#include "codec/json.h"
#include "codec/pack.h"
#include "engine/contract.h"

#define HIDDEN "[secret]"

enum { PACKED_NIL = 0xc0 };

static const struct redaction whole = { .hides_all = true };

static struct redaction redact_run(const struct catalog *catalog, const struct run *run,
                                   const struct schema *(*part)(const struct schema_file *file))
{
    const struct catalog_task *task = catalog_task(catalog, run->task);
    const struct schema_file *file = task == NULL ? NULL : task->schema;

    if ((run->secrets & SECRETS_MIXED) != 0)
        return whole;
    if ((run->secrets & SECRETS_DECLARED) != 0 &&
        (file == NULL || !slice_equal(task->schema_hash, contract_now(run))))
        return whole;
    return (struct redaction){ .schema = part(file) };
}

struct redaction redact_payload(const struct catalog *catalog, const struct run *run)
{
    struct redaction redaction = redact_run(catalog, run, schema_input);

    redaction.is_list = run->collected > 0;
    return redaction;
}

static bool is_nothing(struct slice packed)
{
    return packed.size == 0 ||
           (packed.size == 1 && (unsigned char)packed.data[0] == PACKED_NIL);
}

bool redact_knows_secrets(const struct catalog *catalog, const struct run *run)
{
    const struct catalog_task *task = catalog_task(catalog, run->task);

    return run->secrets != 0 || (task != NULL && task->has_secrets);
}

/* A task that has secrets and whose file says nothing of its output may give one back there. */
struct redaction redact_output(const struct catalog *catalog, const struct run *run)
{
    struct redaction redaction = redact_run(catalog, run, schema_output);

    if (redaction.schema == NULL && redact_knows_secrets(catalog, run) &&
        !is_nothing(run->output))
        return whole;
    return redaction;
}

struct redaction redact_token(const struct catalog *catalog, const struct waitpoint *token)
{
    const struct catalog_task *task = catalog_task(catalog, token->task);
    const struct schema_file *file = task == NULL ? NULL : task->schema;

    if (token->secret.size > 0 &&
        (file == NULL || !slice_equal(task->schema_hash, token->secret)))
        return whole;
    return (struct redaction){ .schema = schema_token(file, token->schema) };
}

struct redaction redact_message(const struct catalog *catalog, const struct run *run,
                                struct slice name, struct slice secret)
{
    const struct catalog_task *task = catalog_task(catalog, run->task);
    const struct schema_file *file = task == NULL ? NULL : task->schema;

    if (secret.size > 0 && (file == NULL || !slice_equal(task->schema_hash, secret)))
        return whole;
    return (struct redaction){ .schema = schema_message(file, name) };
}

static bool hides_nothing(const struct redaction *redaction)
{
    return !redaction->hides_all && !schema_has_secrets(redaction->schema);
}

/* What can be seen through it. */
static struct value seen(const struct redaction *redaction, struct arena *arena,
                         struct slice packed)
{
    struct value value = { .kind = VALUE_NULL };

    if (redaction->hides_all || (packed.size > 0 && !pack_read(arena, packed, &value, NULL)))
        return value_text(HIDDEN);
    if (!redaction->is_list || value.kind != VALUE_LIST)
        schema_redact(redaction->schema, &value, arena);
    for (uint32_t i = 0; redaction->is_list && i < value.count; i++)
        schema_redact(redaction->schema, &value.items[i], arena);
    return value;
}

void redact_write(struct buffer *out, const struct redaction *redaction, struct arena *arena,
                  struct slice packed)
{
    if (hides_nothing(redaction)) {
        json_write_packed(out, packed);
        return;
    }
    struct value value = seen(redaction, arena, packed);
    json_write(out, &value);
}

void redact_out(struct out *out, const char *key, const struct redaction *redaction,
                struct arena *arena, struct slice packed)
{
    if (hides_nothing(redaction)) {
        out_packed(out, key, packed);
        return;
    }
    struct value value = seen(redaction, arena, packed);
    out_value(out, key, &value);
}

void redact_out_state(struct out *out, const char *key, const struct catalog *catalog,
                      struct arena *arena, const struct run *run)
{
    struct value state;

    if (!redact_knows_secrets(catalog, run)) {
        out_packed(out, key, run->state);
        return;
    }
    if (run->state.size == 0 || !pack_read(arena, run->state, &state, NULL) ||
        state.kind != VALUE_MAP) {
        out_word(out, key, HIDDEN);
        return;
    }
    for (uint32_t i = 0; i < state.count; i++)
        state.members[i].value = value_text(HIDDEN);
    out_value(out, key, &state);
}
