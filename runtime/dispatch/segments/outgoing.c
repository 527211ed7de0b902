#include "outgoing.h"

#include "base/log.h"
#include "base/memory.h"
#include "dispatch/host.h"

#include <stdlib.h>

enum {
    SPARE_MAX = 4096,
    SPARE_BYTES = 16 << 10,
    AGAIN_MIN_MS = 2,
    AGAIN_MAX_MS = 500,
    AGAIN_AT_ONCE = 1024
};

void outgoings_init(struct outgoings *outgoings)
{
    *outgoings = (struct outgoings){ 0 };
    list_init(&outgoings->spare);
    list_init(&outgoings->again);
}

static void outgoing_free(struct outgoing *outgoing)
{
    arena_finish(&outgoing->arena);
    free(outgoing);
}

void outgoings_finish(struct outgoings *outgoings)
{
    for (struct list *node; (node = list_shift(&outgoings->again)) != NULL;)
        outgoing_drop(container_of(node, struct outgoing, node));
    LIST_EACH(&outgoings->spare, node, after)
    outgoing_free(container_of(node, struct outgoing, node));
    outgoings_init(outgoings);
}

struct outgoing *outgoing_take(struct dispatch *dispatch, enum command_kind kind)
{
    struct outgoings *outgoings = &dispatch->outgoings;
    struct list *node = list_shift(&outgoings->spare);
    struct arena arena = { 0 };
    struct outgoing *outgoing;

    if (node == NULL) {
        outgoing = memory_get(sizeof *outgoing);
    } else {
        outgoing = container_of(node, struct outgoing, node);
        outgoings->spare_count--;
        arena = outgoing->arena;
    }
    *outgoing = (struct outgoing){ .dispatch = dispatch, .arena = arena };
    outgoing->command.kind = kind;
    outgoing->command.arena = &outgoing->arena;
    list_init(&outgoing->node);
    list_init(&outgoing->rider);
    list_init(&outgoing->riders);
    return outgoing;
}

void outgoing_drop(struct outgoing *outgoing)
{
    struct outgoings *outgoings = &outgoing->dispatch->outgoings;

    for (struct list *node; (node = list_shift(&outgoing->riders)) != NULL;)
        outgoing_drop(container_of(node, struct outgoing, rider));

    if (outgoings->spare_count >= SPARE_MAX) {
        outgoing_free(outgoing);
        return;
    }
    outgoings->spare_count++;
    arena_trim(&outgoing->arena, SPARE_BYTES);
    list_push(&outgoings->spare, &outgoing->node);
}

static void outgoing_decided(struct outgoing *outgoing)
{
    if (outgoing->on_decided != NULL)
        outgoing->on_decided(outgoing);
    outgoing_drop(outgoing);
}

/* Later, with pauses that grow: at once would be a busy loop, never would lose a run's outcome.
 */
static void outgoing_again(struct outgoing *outgoing)
{
    struct dispatch *dispatch = outgoing->dispatch;
    struct outgoings *outgoings = &dispatch->outgoings;
    int64_t now_ms = dispatch_now(dispatch);
    int64_t pause_ms = (int64_t)AGAIN_MIN_MS << (outgoing->tries < 8 ? outgoing->tries : 8);

    if (outgoing->give_up_ms != 0 && now_ms >= outgoing->give_up_ms) {
        outgoing_decided(outgoing);
        return;
    }
    outgoing->tries++;
    list_push(&outgoings->again, &outgoing->node);
    outgoings->again_ms = sooner(outgoings->again_ms,
                                 now_ms + (pause_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : pause_ms));
    dispatch_alarm(dispatch, outgoings->again_ms);
}

static void on_reply(struct command *command)
{
    struct outgoing *outgoing = command->owner;

    outgoing->dispatch->outgoings.under_way--;
    if (command->err.code == ERR_STORE && !outgoing->dispatch->is_stopping)
        outgoing_again(outgoing); /* nothing of it happened */
    else
        outgoing_decided(outgoing);
}

void outgoing_submit(struct outgoing *outgoing)
{
    struct dispatch *dispatch = outgoing->dispatch;
    struct err err = { 0 };

    outgoing->command.owner = outgoing;
    outgoing->command.on_reply = on_reply;
    outgoing->command.err = (struct err){ 0 };
    dispatch->outgoings.under_way++;
    if (pump_submit(dispatch->options.pump, &outgoing->command, &err))
        return;
    dispatch->outgoings.under_way--;
    outgoing->command.err = err;
    if (err.code == ERR_STOPPING || dispatch->is_stopping)
        outgoing_decided(outgoing); /* the next start recovers the run */
    else
        outgoing_again(outgoing);
}

int64_t outgoings_tick(struct dispatch *dispatch, int64_t now_ms)
{
    struct outgoings *outgoings = &dispatch->outgoings;
    struct list due;

    if (outgoings->again_ms == 0 || now_ms < outgoings->again_ms)
        return outgoings->again_ms;
    /* Take the list off first: what is refused once more lands on the new one. */
    list_init(&due);
    for (int i = 0; i < AGAIN_AT_ONCE && !list_is_empty(&outgoings->again); i++)
        list_push(&due, list_shift(&outgoings->again));
    outgoings->again_ms = list_is_empty(&outgoings->again) ? 0 : now_ms + AGAIN_MIN_MS;
    for (struct list *node; (node = list_shift(&due)) != NULL;)
        outgoing_submit(container_of(node, struct outgoing, node));
    return outgoings->again_ms;
}
