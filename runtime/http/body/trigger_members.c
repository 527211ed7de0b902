#include "http/body/trigger_members.h"

/* clang-format off */
#define OPTIONS                                                                                 \
    { "payloadType", MEMBER_TAKEN, NULL },                                                      \
    { "payloadSize", MEMBER_SILENT, NULL },                                                     \
    { "queue", MEMBER_TAKEN, NULL },                                                            \
    { "concurrencyKey", MEMBER_TAKEN, NULL },                                                   \
    { "delay", MEMBER_TAKEN, NULL },                                                            \
    { "ttl", MEMBER_TAKEN, NULL },                                                              \
    { "startBy", MEMBER_ELSEWHERE, "is called \"ttl\" here" },                                   \
    { "priority", MEMBER_TAKEN, NULL },                                                         \
    { "idempotencyKey", MEMBER_TAKEN, NULL },                                                   \
    { "idempotencyKeyTTL", MEMBER_TAKEN, NULL },                                                \
    { "idempotencyKeyOptions", MEMBER_TAKEN, NULL },                                            \
    { "reuse", MEMBER_TAKEN, NULL },                                                            \
    { "cost", MEMBER_TAKEN, NULL },                                                             \
    { "maxAttempts", MEMBER_TAKEN, NULL },                                                      \
    { "maxDuration", MEMBER_TAKEN, NULL },                                                      \
    { "maxAttemptsTotal", MEMBER_TAKEN, NULL },                                                 \
    { "totalTime", MEMBER_TAKEN, NULL },                                                        \
    { "cpuTime", MEMBER_TAKEN, NULL },                                                          \
    { "tags", MEMBER_TAKEN, NULL },                                                             \
    { "metadata", MEMBER_TAKEN, NULL },                                                         \
    { "metadataType", MEMBER_TAKEN, NULL },                                                     \
    { "test", MEMBER_TAKEN, NULL },                                                             \
    { "machine", MEMBER_IGNORED, NULL },                                                        \
    { "region", MEMBER_IGNORED, NULL },                                                         \
    { "bulkActionId", MEMBER_IGNORED, NULL },                                                   \
    { "concurrency", MEMBER_NOT_BUILT,                                                          \
      "is not built here; queues.yaml has the limits of queues" },                              \
    { "gates", MEMBER_NOT_BUILT, "are not built here; queues.yaml has the limits of queues" },  \
    { "lockToVersion", MEMBER_TAKEN, NULL },                                                    \
    { "externalDeploymentId", MEMBER_NOT_BUILT,                                                 \
      "is not built here; a run takes the build that is loaded when it starts" },               \
    { "resumeParentOnCompletion", MEMBER_NOT_BUILT,                                             \
      "is not built over HTTP; a task waits for its children with bide_wait_runs" },            \
    { "parentBatch", MEMBER_NOT_BUILT, "is not built here: an item of a batch goes to /api/v3/batches/{id}/items" },             \
    { "parentRunId", MEMBER_TAKEN, NULL },                                                      \
    { "inheritTags", MEMBER_TAKEN, NULL },                                                      \
    { "onParentEnd", MEMBER_TAKEN, NULL },                                                      \
    { "retry", MEMBER_ELSEWHERE, "is no option; \"maxAttempts\" is" }

static const struct member_rule option_rules[] = {
    OPTIONS,
    { "debounce", MEMBER_TAKEN, NULL },
    { "payload", MEMBER_ELSEWHERE, "belongs beside \"options\", not into it" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule replay_rules[] = {
    OPTIONS,
    { "debounce", MEMBER_ELSEWHERE, "goes with a trigger: a replay is a run of its own" },
    { "payload", MEMBER_TAKEN, NULL },
    { "fromSavePoint", MEMBER_TAKEN, NULL },
    { "options", MEMBER_ELSEWHERE, "is no member of a replay: options stand in the body itself" },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule trigger_rules[] = {
    { "payload", MEMBER_TAKEN, NULL },
    { "options", MEMBER_TAKEN, NULL },
    { "context", MEMBER_IGNORED, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule item_rules[] = {
    { "index", MEMBER_TAKEN, NULL },
    { "task", MEMBER_TAKEN, NULL },
    { "payload", MEMBER_TAKEN, NULL },
    { "options", MEMBER_TAKEN, NULL },
    { NULL, MEMBER_TAKEN, NULL },
};

static const struct member_rule queue_rules[] = {
    { "name", MEMBER_TAKEN, NULL },
    { "concurrencyLimit", MEMBER_NOT_BUILT, "is not taken from a trigger; queues.yaml has it" },
    { NULL, MEMBER_TAKEN, NULL },
};
/* clang-format on */

/* {name}, or as a client's slip makes it, {name: {name}}. */
static bool queue_check(const struct value *options, const char *where, struct unheard *unheard,
                        struct err *err)
{
    const struct value *queue = value_find(options, "queue");

    if (queue != NULL && queue->kind == VALUE_MAP && value_find(queue, "name") != NULL &&
        value_find(queue, "name")->kind == VALUE_MAP)
        queue = value_find(queue, "name");
    return queue == NULL || queue->kind != VALUE_MAP ||
           members_check(queue_rules, where, queue, unheard, err);
}

/* An option that lies beside "options", or a payload that is not called so. */
static bool beside_check(const struct member_rule *rules, const struct value *body,
                         struct err *err)
{
    bool has_payload = value_find(body, "payload") != NULL;

    for (uint32_t i = 0; i < body->count; i++) {
        struct slice name = body->members[i].key;
        if (member_is_known(rules, name))
            continue;
        if (member_is_known(option_rules, name))
            return err_set(err, ERR_BAD_REQUEST, "%.*s belongs into \"options\"",
                           SLICE_ARG(name));
        if (!has_payload)
            return err_set(err, ERR_BAD_REQUEST,
                           "The body has a member %.*s but no \"payload\", which is what the "
                           "task would get; write {\"payload\": {\"%.*s\": …}}",
                           SLICE_ARG(name), SLICE_ARG(name));
    }
    return true;
}

/* `rules`: of what stands beside the options. */
static bool body_check(const struct member_rule *rules, const struct value *body,
                       struct unheard *unheard, struct err *err)
{
    const struct value *options = value_find(body, "options");

    if ((body->kind == VALUE_MAP && !beside_check(rules, body, err)) ||
        !members_check(rules, "", body, unheard, err))
        return false;
    return options == NULL || options->kind != VALUE_MAP ||
           (members_check(option_rules, "options.", options, unheard, err) &&
            queue_check(options, "options.queue.", unheard, err));
}

bool trigger_members_check(const struct value *body, struct unheard *unheard, struct err *err)
{
    return body_check(trigger_rules, body, unheard, err);
}

bool item_members_check(const struct value *item, struct unheard *unheard, struct err *err)
{
    return body_check(item_rules, item, unheard, err);
}

bool replay_members_check(const struct value *body, struct unheard *unheard, struct err *err)
{
    return members_check(replay_rules, "", body, unheard, err) &&
           queue_check(body, "queue.", unheard, err);
}
