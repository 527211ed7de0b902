/*
 * Messages: each is in its run's mailbox from the batch that took it until the segment that was
 * told it has ended; in order, once, and to a wait of its name.
 */
#include "engine/waits/mail.h"
#include "waits.h"

#define KEY_MS (INT64_C(30) * 86400 * 1000)

/* One that a run was sent. */
struct letter {
    int64_t number, since_ms;
    struct slice name, data, key;
    bool is_gone;
    struct letter *next; /* older */
};

static void flaw(const struct look *look, int64_t run_id, const char *what)
{
    world_flaw(look->world, "the mailbox of run %lld: %s", (long long)run_id, what);
}

static struct letter *letter_of(const struct shadow *shadow, int64_t number)
{
    struct letter *letter = shadow->letters;

    while (letter != NULL && letter->number != number)
        letter = letter->next;
    return letter;
}

/* The last that was sent with that key; NULL: there is none. */
static const struct letter *keyed(const struct shadow *shadow, struct slice key)
{
    const struct letter *letter = key.size == 0 ? NULL : shadow->letters;

    while (letter != NULL && !slice_equal(letter->key, key))
        letter = letter->next;
    return letter;
}

static struct slice letter_key(const struct look *look, const struct message_send *send)
{
    if (send->key.size > 0 || send->sender_id == 0)
        return send->key;
    return arena_format(&look->model->arena, "call %lld", (long long)send->id);
}

static void refused_look(const struct look *look, const struct command *command,
                         const struct run *run)
{
    const struct message_send *send = &command->message_send;
    enum err_code code = command->err.code;

    if (code == ERR_NOT_FOUND ? run != NULL && run->environment == send->environment
        : code == ERR_GONE    ? run == NULL || !run_has_ended(run)
        : code == ERR_FULL    ? run == NULL
                              : code != ERR_STOPPING && code != ERR_RULE && code != ERR_STORE)
        world_flaw(look->world, "a message to run %lld is refused: %s", (long long)send->run_id,
                   command->err.text);
}

void rule_message(const struct look *look, const struct command *command)
{
    const struct message_send *send = &command->message_send;
    struct shadow *shadow = shadow_of(look, send->run_id);
    const struct run *run = run_now(look, send->run_id);

    if (command->err.code != ERR_OK) {
        refused_look(look, command, run);
        return;
    }
    if (shadow == NULL || run == NULL || run->environment != send->environment) {
        flaw(look, send->run_id, "it took a message, and there is none");
        return;
    }
    struct slice key = letter_key(look, send);
    const struct letter *first = keyed(shadow, key);
    if (send->cached) {
        if (first == NULL || first->number != send->number)
            flaw(look, run->id, "a message was sent before, and nobody has sent it");
        return;
    }
    if (first != NULL && look->steady_ms < first->since_ms + KEY_MS)
        flaw(look, run->id, "a message was taken twice with one key");
    if (send->number != shadow->sent + 1)
        flaw(look, run->id, "a message has a number that is not the next");
    struct letter *letter = ARENA_NEW(&look->model->arena, struct letter);
    *letter = (struct letter){ .number = shadow->sent = send->number,
                               .since_ms = look->steady_ms,
                               .name = model_keep(look, send->name),
                               .data = model_keep(look, send->data),
                               .key = model_keep(look, key),
                               .next = shadow->letters };
    shadow->letters = letter;
}

void rule_letters_follow(const struct look *look, struct shadow *to, const struct shadow *from)
{
    struct letter **end = &to->letters;

    to->sent = from->sent;
    for (const struct letter *letter = from->letters; letter != NULL; letter = letter->next) {
        *end = ARENA_NEW(&look->model->arena, struct letter);
        **end = *letter;
        (*end)->key = (struct slice){ 0 }; /* a key is of one run */
        end = &(*end)->next;
    }
    *end = NULL;
}

void rule_letters_as(struct shadow *shadow, struct slice packed)
{
    struct arena arena = { 0 };
    struct mail mail = mail_read(&arena, packed);

    for (struct letter *letter = shadow->letters; letter != NULL; letter = letter->next)
        letter->is_gone = mail_find(&mail, letter->number) == NULL;
    arena_finish(&arena);
}

/* ---- rows -------------------------------------------------------------------------------- */

static bool holds(const struct wait *wait, int64_t number)
{
    for (uint32_t i = 0; wait->group != NULL && i < wait->group->count; i++)
        if (wait->group->parts[i].kind == PART_MESSAGE && wait->group->parts[i].id == number)
            return true;
    return false;
}

static bool wants(const struct wait *wait, struct slice name)
{
    for (uint32_t i = 0; wait->group != NULL && i < wait->group->count; i++)
        if (wait->group->parts[i].kind == PART_MESSAGE && wait->group->parts[i].id == 0 &&
            slice_equal(wait->group->parts[i].word, name))
            return true;
    return false;
}

/* The wait's parts: each has one of its own name, and none that is younger than one that is
 * free. */
static void parts_look(const struct look *look, const struct run *run, const struct wait *wait,
                       const struct mail *mail)
{
    int64_t seen[64];
    uint32_t count = 0;

    for (uint32_t i = 0; wait->group != NULL && i < wait->group->count; i++) {
        const struct frame_part *part = &wait->group->parts[i];
        if (part->kind != PART_MESSAGE || part->id == 0)
            continue;
        const struct mail_item *message = mail_find(mail, part->id);
        if (message == NULL || !slice_equal(message->name, part->word))
            flaw(look, run->id, "a part has a message that is not there, or not its own");
        for (uint32_t j = 0; j < count; j++)
            if (seen[j] == part->id)
                flaw(look, run->id, "two parts have one message");
        if (count < 64)
            seen[count++] = part->id;
        for (uint32_t j = 0; message != NULL && j < mail->count; j++)
            if (mail->items[j].number < part->id && !holds(wait, mail->items[j].number) &&
                slice_equal(mail->items[j].name, part->word))
                flaw(look, run->id, "a younger message was taken before an older one");
    }
}

/* It may go when the segment that it was told to has ended. */
static bool may_go(const struct shadow *shadow, const struct run *run, int64_t number)
{
    struct arena arena = { 0 };
    struct wait wait;
    bool was_told = run->status == RUN_DONE;

    if (!was_told && shadow->was != NULL && shadow->was->entry != run->entry)
        was_told = wait_read(&arena, shadow->was->wait, &wait) && holds(&wait, number);
    arena_finish(&arena);
    return was_told;
}

static void letters_look(const struct look *look, const struct shadow *shadow,
                         const struct run *run, const struct mail *mail)
{
    uint32_t there = 0;

    for (struct letter *letter = shadow->letters; letter != NULL; letter = letter->next) {
        const struct mail_item *message = mail_find(mail, letter->number);
        there += message != NULL;
        if (message != NULL && (letter->is_gone || !slice_equal(message->name, letter->name) ||
                                !slice_equal(message->data, letter->data)))
            flaw(look, run->id, "a message has come back, or is another one");
        if (message == NULL && !letter->is_gone && !may_go(shadow, run, letter->number))
            flaw(look, run->id, "a message that nobody has received is gone");
        letter->is_gone |= message == NULL;
    }
    if (there != mail->count)
        flaw(look, run->id, "there is a message that nobody has sent");
    for (uint32_t i = 1; i < mail->count; i++)
        if (mail->items[i].number <= mail->items[i - 1].number)
            flaw(look, run->id, "its messages are not in order");
}

void rule_mailbox(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    struct arena arena = { 0 };
    struct wait wait = { 0 };

    if (run->mailed != shadow->sent)
        flaw(look, run->id, "it counts another number of messages");
    if (run->mailed == 0)
        return;
    struct mail mail = mail_read(&arena, run->mail);
    letters_look(look, shadow, run, &mail);
    if (run->status == RUN_DONE && mail.count > 0 && !run_has_failed(run) && run->keeps == 0)
        flaw(look, run->id, "its run is done, and messages are there");
    if (wait_read(&arena, run->wait, &wait) && wait.group != NULL) {
        parts_look(look, run, &wait, &mail);
        for (uint32_t i = 0;
             run->status == RUN_WAITING && !wait.group->is_over && i < mail.count; i++)
            if (!holds(&wait, mail.items[i].number) && wants(&wait, mail.items[i].name))
                flaw(look, run->id, "it waits for a message that is there");
    }
    arena_finish(&arena);
}

void message_result_look(const struct look *look, const struct run *run,
                         const struct frame_part *part, const struct frame_result *result)
{
    const struct shadow *shadow = shadow_of(look, run->id);
    const struct letter *letter = part->id == 0 ? NULL : letter_of(shadow, part->id);

    if (result->status != (uint32_t)(part->id != 0 ? WAIT_OK : WAIT_NONE))
        flaw(look, run->id, "a segment is told wrongly whether a message has come");
    if (part->id != 0 && (letter == NULL || !slice_equal(letter->data, result->value)))
        flaw(look, run->id, "a segment is told another message than was sent");
}

/* ---- what clients send ------------------------------------------------------------------- */

static void message_send(struct world *world, const struct run *run, struct slice name)
{
    static const char *const keys[] = { "k0", "k1", "k2", "k3", "" };
    struct command *command = world_command(world, COMMAND_MESSAGE_SEND);
    bool is_other = world_chance(world, 5) && !world->drains; /* it has no such run */

    if (command != NULL)
        command->message_send = (struct message_send){
            .environment = is_other ? run->environment ^ 3 : run->environment,
            .run_id = run->id,
            .name = name,
            .data = arena_format(&world->arena, "%c", (int)world_random(world, 127)),
            .key = slice_of(keys[world->drains ? 4 : world_random(world, 9) / 2])
        };
}

void messages_some(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    const struct run *run = NULL;

    for (int tries = 0; count > 0 && tries < 5 && (run == NULL || run->status == RUN_DONE);
         tries++)
        run = store_memory_run(world->memory, (uint32_t)world_random(world, count));
    for (int i = 0; run != NULL && i < 3; i++)
        message_send(world, run,
                     arena_format(&world->arena, "%c", 'a' + (int)world_random(world, 3)));
}

void messages_pass(struct world *world)
{
    struct wait wait;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->status != RUN_WAITING || !wait_read(&world->arena, run->wait, &wait))
            continue;
        for (uint32_t j = 0; wait.group != NULL && j < wait.group->count; j++)
            if (wait.group->parts[j].kind == PART_MESSAGE && wait.group->parts[j].id == 0 &&
                world->command_count + 2 < BATCH_MAX)
                message_send(world, run, arena_copy(&world->arena, wait.group->parts[j].word));
    }
}
