/* Runs whose attempts are used up: they are kept, and go on when somebody says so, once. */
#include "base/id.h"
#include "codec/pack.h"
#include "keep.h"
#include "waits.h"

static void flaw(const struct look *look, int64_t run_id, const char *what)
{
    world_flaw(look->world, "run %lld, whose attempts are used up: %s", (long long)run_id,
               what);
}

/* What it was before the batch; in the batch it may have become it, or have gone on. */
static bool had_given_up(const struct run *was)
{
    return was != NULL && (run_is_paused(was) || was->is_dead);
}

static void refused_look(const struct look *look, const struct command *command,
                         const struct redrive_item *item)
{
    const struct shadow *shadow = shadow_of(look, item->id);
    bool is_there = shadow != NULL && shadow->was != NULL &&
                    shadow->was->environment == command->redrive.environment;

    if (item->err.code != ERR_NOT_FOUND && item->err.code != ERR_NOT_NOW)
        world_flaw(look->world, "a redrive is refused: %s", item->err.text);
    if (is_there && item->err.code == ERR_NOT_FOUND)
        flaw(look, item->id, "it is not found");
    if (is_there && had_given_up(shadow->was) && !shadow->is_redriven &&
        shadow->cancel == NULL && strstr(item->err.text, "on_conflict") == NULL &&
        run_now(look, item->id)->status != RUN_DONE)
        flaw(look, item->id, "it is not let go on");
}

static void save_point_take(const struct look *look, struct shadow *made, struct shadow *old)
{
    made->segment = old->segment;
    made->state = old->state;
    memcpy(made->once, old->once, sizeof made->once);
    made->once_count = old->once_count;
    rule_letters_follow(look, made, old);
}

/* The new one begins with what the old one has kept. */
static void letter_take(const struct look *look, const struct command *command,
                        const struct redrive_item *item, struct shadow *old)
{
    const struct run *run = run_now(look, item->run_id), *letter = run_now(look, item->id);

    rule_made(look, item->made);
    struct shadow *made = shadow_of(look, item->run_id);
    if (run == NULL || made == NULL || letter == NULL || letter->is_dead)
        flaw(look, item->id, "it has gone on, and is kept, or what goes on is not there");
    if (letter != NULL && letter->keeps == 0 &&
        (letter->state.size > 0 || letter->wait.size > 0))
        flaw(look, item->id, "it has gone on, and keeps its state");
    old->extra_moves++; /* a remark */
    if (made == NULL)
        return;
    made->counted = old->counted;
    made->appended = old->appended;
    made->letter = old;
    if (command->redrive.from_start)
        return;
    save_point_take(look, made, old);
}

/* Of one before the last: what was recorded, and which messages were there, is its own. */
static void earlier_take(const struct look *look, struct shadow *made, const struct run *from)
{
    struct arena *arena = &look->model->arena;
    struct value map = { .kind = VALUE_NULL };

    rule_letters_as(made, from->mail);
    if (from->once.size > 0)
        (void)pack_read(arena, model_keep(look, from->once), &map, NULL);
    made->once_count = map.kind == VALUE_MAP ? map.count : 0;
    for (uint32_t i = 0; i < made->once_count; i++)
        made->once[i] = (struct frame_once){ map.members[i].key, map.members[i].value.bytes };
}

void rule_goes_on(const struct look *look, struct shadow *made, const struct run *from)
{
    struct shadow *old = shadow_of(look, from->id);
    struct slice state = from->state;

    if (old != NULL && old->was != NULL && old->was->entry == from->entry) {
        save_point_take(look, made, old);
        return;
    }
    if (old != NULL) {
        if (!rule_keep_was(old, from, &state))
            flaw(look, from->id, "it begins at a save point that nobody has made");
        save_point_take(look, made, old);
        earlier_take(look, made, from);
    }
    made->segment = model_keep(look, from->segment); /* it was removed meanwhile */
    made->state = model_keep(look, state);
}

static void item_look(const struct look *look, const struct command *command,
                      const struct redrive_item *item)
{
    struct shadow *shadow = shadow_of(look, item->id);

    if (item->run_id == 0) {
        refused_look(look, command, item);
        return;
    }
    if (shadow == NULL || shadow->is_redriven ||
        (!had_given_up(shadow->was) && shadow->end == NULL)) {
        flaw(look, item->id, "it goes on twice, or had not given up");
        return;
    }
    shadow->is_redriven = true;
    if (item->run_id != item->id) {
        letter_take(look, command, item, shadow);
        return;
    }
    shadow->is_again = true;
    shadow->is_anew = command->redrive.from_start;
}

void rule_redrive(const struct look *look, const struct command *command)
{
    const struct redrive *redrive = &command->redrive;

    if (command->err.code == ERR_STOPPING)
        return;
    for (uint32_t i = 0; i < redrive->count; i++)
        item_look(look, command, &redrive->items[i]);
}

/* ---- what people do ---------------------------------------------------------------------- */

static const struct run *some_run(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    const struct run *run = NULL;

    for (int i = 0; count > 0 && i < 20 && (run == NULL || !had_given_up(run)); i++)
        run = store_memory_run(world->memory, (uint32_t)world_random(world, count));
    return run;
}

bool act_redrive(struct world *world)
{
    const struct run *run = some_run(world);
    bool is_wanted = run != NULL && (had_given_up(run) || world_chance(world, 10));
    struct command *command = is_wanted ? world_command(world, COMMAND_REDRIVE) : NULL;

    if (command == NULL)
        return false;
    struct redrive *redrive = &command->redrive;
    redrive->environment = run->environment;
    redrive->from_start = world_chance(world, 30);
    redrive->by = world_chance(world, 50) ? SLICE("ann") : SLICE("");
    redrive->items = ARENA_ARRAY(&world->arena, struct redrive_item, 3);
    for (; redrive->count < 1 + world_random(world, 3); run = some_run(world))
        redrive->items[redrive->count++] = (struct redrive_item){ .id = run->id };
    if (world_chance(world, 5))
        redrive->environment ^= 3; /* the other one: it has no such run */
    return true;
}
