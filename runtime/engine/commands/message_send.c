/* A message is sent to a run: it is kept in its mailbox, and told to the wait for it. */
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/key.h"
#include "engine/waits/group.h"
#include "engine/waits/mail.h"

#include <inttypes.h>

/* A key is known as long after the message was received. */
#define MESSAGE_KEY_TTL_MS (INT64_C(30) * 86400 * 1000)

struct send_rows {
    struct run *run;
    struct key *key;
    uint8_t hash[16];
    struct slice key_text; /* empty: none */
};

/* A segment's call is known again by its number. */
static struct slice key_of(struct batch *batch, const struct message_send *send)
{
    if (send->key.size > 0)
        return arena_format(batch->arena, "=%.*s", SLICE_ARG(send->key));
    return send->sender_id == 0 ? (struct slice){ 0 }
                                : arena_format(batch->arena, "#%" PRId64, send->id);
}

static bool send_load(struct batch *batch, const struct message_send *send,
                      struct send_rows *found)
{
    bool loaded = rows_run(&batch->rows, send->run_id, 0, &found->run);

    if (found->run != NULL)
        loaded &= mail_ready(batch, found->run);
    found->key = NULL;
    found->key_text = key_of(batch, send);
    if (found->key_text.size > 0) {
        key_hash(KEY_MESSAGE, send->environment, (struct slice){ 0 }, send->run_id,
                 found->key_text, found->hash);
        loaded &= rows_key(&batch->rows, found->hash, &found->key);
    }
    return loaded;
}

bool message_send_prefetch(struct batch *batch, const struct command *command)
{
    struct send_rows found;

    return send_load(batch, &command->message_send, &found);
}

static bool is_here(struct command *command, const struct run *run)
{
    const struct message_send *send = &command->message_send;
    char id[ID_TEXT_SIZE];

    return (run != NULL && run->environment == send->environment) ||
           err_set(&command->err, ERR_NOT_FOUND,
                   "Run not found: there is no %s in this environment",
                   id_format("run", send->run_id, id));
}

/* Of the name and the data: another message under the same key is not the same. */
static int64_t send_hash(struct batch *batch, const struct message_send *send)
{
    return payload_hash(batch->arena, send->data) ^ (int64_t)(table_hash(send->name, 0) << 1);
}

static void send_again(struct batch *batch, struct command *command, const struct key *key)
{
    struct message_send *send = &command->message_send;
    int64_t first;

    memcpy(&first, key->payload, sizeof first);
    send->number = key->target;
    send->cached = true;
    send->differs = first != send_hash(batch, send);
    if (send->differs && send->key.size == 0)
        err_set(&command->err, ERR_DIFFERS,
                "call %" PRId64 " of this segment sent another message when the segment ran "
                "before: what a segment calls must depend on nothing but its input, state and "
                "recorded results",
                send->id & (ID_BLOCK - 1));
}

/* ---- may it be sent? --------------------------------------------------------------------- */

static bool room_check(const struct batch *batch, struct command *command,
                       const struct run *run)
{
    const struct config_limits *limits = &batch->catalog->limits;
    const struct message_send *send = &command->message_send;
    int64_t most = limits->mailbox_bytes, size = (int64_t)(send->name.size + send->data.size);
    uint32_t count = mail_count(run);
    char id[ID_TEXT_SIZE];

    if (size > most)
        return err_set(&command->err, ERR_TOO_LARGE,
                       "the message has %" PRId64 " bytes, and a run's mailbox holds %" PRId64
                       " (limits.mailbox_bytes)",
                       size, most);
    if (count < limits->mailbox && (int64_t)run->mail.size + size <= most)
        return true;
    return err_set(
        &command->err, ERR_FULL,
        "the mailbox of %s is full: it holds %u messages of %zu bytes that were not "
        "received yet, and up to %u of %" PRId64
        " bytes are kept (limits.mailbox, limits.mailbox_bytes); send it again later",
        id_format("run", run->id, id), count, run->mail.size, limits->mailbox, most);
}

static bool data_check(struct batch *batch, struct command *command, const struct run *run,
                       struct mail_item *message)
{
    struct message_send *send = &command->message_send;
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    const struct schema_file *file = task == NULL ? NULL : task->schema;
    struct value data = { .kind = VALUE_NULL };

    if (catalog_schema_is_wrong(task))
        return err_set(&command->err, ERR_UNAVAILABLE,
                       "the data cannot be checked just now, send it again later: %.*s",
                       SLICE_ARG(task->reason));
    if (!schema_has_messages(file))
        return true;
    if (!schema_has_message(file, send->name))
        return err_set(&command->err, ERR_RULE,
                       "the schema of task %.*s declares no message \"%.*s\"",
                       SLICE_ARG(run->task), SLICE_ARG(send->name));
    if (send->data.size > 0 && !pack_read(batch->arena, send->data, &data, &command->err))
        return false;
    const struct schema *schema = schema_message(file, send->name);
    if (!schema_check(schema, &data, command->arena, &send->problems)) {
        command->problems = &send->problems;
        return err_set(&command->err, ERR_BAD_DATA,
                       "the data does not match the schema of message \"%.*s\"",
                       SLICE_ARG(send->name));
    }
    message->data = pack_value(batch->arena, &data); /* with defaults */
    if (schema_has_secrets(schema))
        message->secret = task->schema_hash;
    return true;
}

static bool send_check(struct batch *batch, struct command *command, const struct run *run,
                       struct mail_item *message)
{
    char id[ID_TEXT_SIZE];

    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting");
    if (run_has_ended(run))
        return err_set(&command->err, ERR_GONE,
                       "%s has ended; nobody receives its messages any more",
                       id_format("run", run->id, id));
    return room_check(batch, command, run) && data_check(batch, command, run, message);
}

/* ---- sent -------------------------------------------------------------------------------- */

static void send_keep(struct batch *batch, struct message_send *send,
                      const struct send_rows *found, struct mail_item *message)
{
    struct run *run = found->run;
    struct wait *wait;

    message->name = arena_copy(batch->arena, send->name);
    message->data = arena_copy(batch->arena, message->data);
    if (message->secret.size > 0)
        run_met_secrets(run);
    mail_add(batch, run, message);
    send->number = message->number;
    if (found->key_text.size > 0) {
        int64_t hash = send_hash(batch, send);
        memcpy(key_make(batch, found->hash, message->number, MESSAGE_KEY_TTL_MS)->payload,
               &hash, sizeof hash);
    }
    if (run->status != RUN_WAITING || (wait = run_wait(batch, run)) == NULL)
        return;
    if (group_hear(batch, run, wait, message))
        wait_end(batch, run, wait,
                 arena_format(batch->arena, "message %.*s", SLICE_ARG(message->name)));
}

bool message_send_decide(struct batch *batch, struct command *command)
{
    struct message_send *send = &command->message_send;
    struct run *sender = NULL;
    struct send_rows found;

    bool loaded = send_load(batch, send, &found);
    if (send->sender_id != 0)
        loaded &= run_fenced(batch, command, send->sender_id, send->sender_seq, 0, &sender);
    if (!loaded)
        return false;
    if ((send->sender_id != 0 && sender == NULL) || !is_here(command, found.run))
        return true;
    struct mail_item message = { .created_ms = batch->now_ms,
                                 .sender_id = send->sender_id,
                                 .data = send->data };
    if (key_is_live(batch, found.key))
        send_again(batch, command, found.key);
    else if ((send->sender_id != 0 || batch_has_room(batch, command)) &&
             send_check(batch, command, found.run, &message))
        send_keep(batch, send, &found, &message);
    return true;
}

void message_send_clear(struct command *command)
{
    struct message_send *send = &command->message_send;

    send->number = 0;
    send->cached = send->differs = false;
    send->problems = (struct problems){ 0 };
}
