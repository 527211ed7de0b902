/*
 * keys: tasks that make others: by idempotency keys, and with a rule.
 *
 *   keyed   makes "keyed-child" twice by the key and scope of its input, in each of its
 * attempts; fails as often as it is told to. Its output: the ids.
 *   patient waits by the key of its input, in each of its attempts, of which the first fails.
 *   family  makes "keyed-child", whose input is its own, and waits for it.
 */
#include <bide/bide.h>

#define KEYED_STATE(F)    F(I64, unused)
#define KEYED_SEGMENTS(S) S(keyed_start)

BIDE_TASK(keyed, KEYED_STATE, KEYED_SEGMENTS, .id = "keyed", .max_attempts = 2,
          .retry_from = BIDE_RETRY_START, .retry_min_ms = 1, .retry_max_ms = 1)

static bide_next keyed_start(bide_task *t)
{
    const bide_value *in = bide_input(t);
    struct bide_trigger_opts opts = { .key = bide_str(t, in, "key"),
                                      .key_scope = (uint32_t)bide_i64(t, in, "scope"),
                                      .reuse = (uint32_t)bide_i64(t, in, "reuse") };
    bide_list *made = bide_list_new(t);

    for (int i = 0; i < 2; i++) {
        bide_run run =
            bide_trigger_with(t, "keyed-child", bide_get(t, in, i == 0 ? "a" : "b"), opts);
        bide_add_str(t, made, bide_run_text(t, &run));
    }
    bide_meta_set(t, bide_info(t)->attempt == 1 ? "first" : "second", made);
    if (bide_info(t)->attempt == 1 && bide_bool(t, in, "fails"))
        return bide_retry(t, "again", "it is told to");
    return bide_done(t);
}

#define CHILD_STATE(F)    F(I64, unused)
#define CHILD_SEGMENTS(S) S(child_start) S(child_end)

BIDE_TASK(keyed_child, CHILD_STATE, CHILD_SEGMENTS, .id = "keyed-child")

static bide_next child_start(bide_task *t)
{
    return bide_wait_for(t, bide_i64(t, bide_input(t), "wait_ms"), child_end);
}

static bide_next child_end(bide_task *t)
{
    return bide_done(t);
}

#define PATIENT_STATE(F)    F(I64, unused)
#define PATIENT_SEGMENTS(S) S(patient_start) S(patient_end)

BIDE_TASK(patient, PATIENT_STATE, PATIENT_SEGMENTS, .id = "patient", .max_attempts = 2,
          .retry_from = BIDE_RETRY_START, .retry_min_ms = 1, .retry_max_ms = 1)

static bide_next patient_start(bide_task *t)
{
    const bide_value *in = bide_input(t);
    struct bide_part part = bide_part_for("time", bide_i64(t, in, "wait_ms"));

    if (bide_i64(t, in, "scope") == 0 && bide_i64(t, in, "ttl_ms") == 0)
        return bide_wait_for_once(t, bide_str(t, in, "key"), part.for_ms, patient_end);
    return bide_wait_group(
        t, 1, &part, 1,
        (struct bide_wait_opts){ .key = bide_str(t, in, "key"),
                                 .key_scope = (uint32_t)bide_i64(t, in, "scope"),
                                 .key_ttl_ms = bide_i64(t, in, "ttl_ms") },
        patient_end);
}

static bide_next patient_end(bide_task *t)
{
    if (bide_info(t)->attempt == 1 && bide_bool(t, bide_input(t), "fails"))
        return bide_retry(t, "again", "it is told to");
    return bide_done(t);
}

#define FAMILY_STATE(F)    F(RUN, child)
#define FAMILY_SEGMENTS(S) S(family_start) S(family_end)

BIDE_TASK(family, FAMILY_STATE, FAMILY_SEGMENTS, .id = "family",
          .children = BIDE_CHILDREN_ABANDON)

static bide_next family_start(bide_task *t)
{
    struct family *s = bide_state(t);
    uint32_t rule = (uint32_t)bide_i64(t, bide_input(t), "rule");

    s->child = bide_trigger_with(t, "keyed-child", bide_input(t),
                                 (struct bide_trigger_opts){ .on_parent_end = rule });
    return bide_wait_run(t, &s->child, family_end);
}

static bide_next family_end(bide_task *t)
{
    return bide_done(t);
}

BIDE_PLUGIN("keys", "1.0.0", keyed_task, keyed_child_task, family_task, patient_task)
