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

void cells_init(struct cells *cells)
{
    *cells = (struct cells){ 0 };
    list_init(&cells->spare);
    list_init(&cells->again);
}

static void cell_free(struct cell *cell)
{
    arena_finish(&cell->arena);
    free(cell);
}

void cells_finish(struct cells *cells)
{
    for (struct list *node; (node = list_shift(&cells->again)) != NULL;)
        cell_drop(container_of(node, struct cell, node));
    LIST_EACH(&cells->spare, node, after)
    cell_free(container_of(node, struct cell, node));
    cells_init(cells);
}

struct cell *cell_take(struct dispatch *dispatch, enum command_kind kind)
{
    struct cells *cells = &dispatch->cells;
    struct list *node = list_shift(&cells->spare);
    struct arena arena = { 0 };
    struct cell *cell;

    if (node == NULL) {
        cell = memory_get(sizeof *cell);
    } else {
        cell = container_of(node, struct cell, node);
        cells->spare_count--;
        arena = cell->arena;
    }
    *cell = (struct cell){ .dispatch = dispatch, .arena = arena };
    cell->command.kind = kind;
    cell->command.arena = &cell->arena;
    list_init(&cell->node);
    list_init(&cell->rider);
    list_init(&cell->riders);
    return cell;
}

void cell_drop(struct cell *cell)
{
    struct cells *cells = &cell->dispatch->cells;

    for (struct list *node; (node = list_shift(&cell->riders)) != NULL;)
        cell_drop(container_of(node, struct cell, rider));

    if (cells->spare_count >= SPARE_MAX) {
        cell_free(cell);
        return;
    }
    cells->spare_count++;
    arena_trim(&cell->arena, SPARE_BYTES);
    list_push(&cells->spare, &cell->node);
}

static void cell_decided(struct cell *cell)
{
    if (cell->on_decided != NULL)
        cell->on_decided(cell);
    cell_drop(cell);
}

/* Later, with pauses that grow: at once would be a busy loop, never would lose a run's outcome.
 */
static void cell_again(struct cell *cell)
{
    struct dispatch *dispatch = cell->dispatch;
    struct cells *cells = &dispatch->cells;
    int64_t now_ms = dispatch_now(dispatch);
    int64_t pause_ms = (int64_t)AGAIN_MIN_MS << (cell->tries < 8 ? cell->tries : 8);

    if (cell->give_up_ms != 0 && now_ms >= cell->give_up_ms) {
        cell_decided(cell);
        return;
    }
    cell->tries++;
    list_push(&cells->again, &cell->node);
    cells->again_ms =
        sooner(cells->again_ms, now_ms + (pause_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : pause_ms));
    dispatch_alarm(dispatch, cells->again_ms);
}

static void on_reply(struct command *command)
{
    struct cell *cell = command->owner;

    cell->dispatch->cells.under_way--;
    if (command->err.code == ERR_STORE && !cell->dispatch->is_stopping)
        cell_again(cell); /* nothing of it happened */
    else
        cell_decided(cell);
}

void cell_submit(struct cell *cell)
{
    struct dispatch *dispatch = cell->dispatch;
    struct err err = { 0 };

    cell->command.owner = cell;
    cell->command.on_reply = on_reply;
    cell->command.err = (struct err){ 0 };
    dispatch->cells.under_way++;
    if (pump_submit(dispatch->options.pump, &cell->command, &err))
        return;
    dispatch->cells.under_way--;
    cell->command.err = err;
    if (err.code == ERR_STOPPING || dispatch->is_stopping)
        cell_decided(cell); /* the next start recovers the run */
    else
        cell_again(cell);
}

int64_t cells_tick(struct dispatch *dispatch, int64_t now_ms)
{
    struct cells *cells = &dispatch->cells;
    struct list due;

    if (cells->again_ms == 0 || now_ms < cells->again_ms)
        return cells->again_ms;
    /* Take the list off first: what is refused once more lands on the new one. */
    list_init(&due);
    for (int i = 0; i < AGAIN_AT_ONCE && !list_is_empty(&cells->again); i++)
        list_push(&due, list_shift(&cells->again));
    cells->again_ms = list_is_empty(&cells->again) ? 0 : now_ms + AGAIN_MIN_MS;
    for (struct list *node; (node = list_shift(&due)) != NULL;)
        cell_submit(container_of(node, struct cell, node));
    return cells->again_ms;
}
