/* Any bytes are a configuration within its ranges, or problems; the same for the queues. */
#include "config/config.h"

#include "fuzz.h"

static void config_holds(const struct config *config)
{
    PROMISE(config->host != NULL && config->data != NULL && config->plugins != NULL);
    PROMISE(config->slots >= 1 && config->slots <= 1024);
    PROMISE(config->environment_count >= 1);
    PROMISE(config->retry_min_ms <= config->retry_max_ms && config->retry_factor >= 1);
    PROMISE(config->limits.payload_bytes <= config->max_body_bytes);
    PROMISE(config->limits.calls >= 1 && config->limits.calls <= 63);
    for (uint32_t i = 0; i < config->environment_count; i++)
        PROMISE(config->environments[i].name[0] >= 'a');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct arena arena = { 0 };
    struct problems problems = { 0 };
    struct config config;
    struct config_queues queues;

    bool fine = config_parse("fuzz.yaml", text, &config, &arena, &problems);
    PROMISE((problems.count == 0) == fine);
    if (fine)
        config_holds(&config);
    config_finish(&config);
    problems = (struct problems){ 0 };
    fine = config_queues_parse("fuzz.yaml", text, 100, &queues, &arena, &problems);
    PROMISE((problems.count == 0) == fine);
    for (uint32_t i = 0; fine && i < queues.queue_count; i++)
        PROMISE(queues.queues[i].concurrency >= 1 && queues.queues[i].name.size > 0);
    config_queues_finish(&queues);
    arena_finish(&arena);
    return 0;
}
