#include "out.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/id.h"
#include "codec/json.h"
#include "engine/rows/row.h"

static void begin(struct out *out, const char *key)
{
    if (out->comma)
        buffer_byte(out->buffer, ',');
    out->comma = true;
    if (key == NULL)
        return;
    buffer_byte(out->buffer, '"');
    buffer_text(out->buffer, key);
    buffer_add(out->buffer, "\":", 2);
}

void out_map(struct out *out, const char *key)
{
    begin(out, key);
    buffer_byte(out->buffer, '{');
    out->comma = false;
}

void out_list(struct out *out, const char *key)
{
    begin(out, key);
    buffer_byte(out->buffer, '[');
    out->comma = false;
}

void out_end_map(struct out *out)
{
    buffer_byte(out->buffer, '}');
    out->comma = true;
}

void out_end_list(struct out *out)
{
    buffer_byte(out->buffer, ']');
    out->comma = true;
}

void out_text(struct out *out, const char *key, struct slice text)
{
    begin(out, key);
    json_write_string(out->buffer, text);
}

void out_word(struct out *out, const char *key, const char *word)
{
    begin(out, key);
    buffer_byte(out->buffer, '"');
    buffer_text(out->buffer, word);
    buffer_byte(out->buffer, '"');
}

void out_int(struct out *out, const char *key, int64_t number)
{
    begin(out, key);
    buffer_int(out->buffer, number);
}

void out_double(struct out *out, const char *key, double number)
{
    struct value value = value_double(number);

    begin(out, key);
    json_write(out->buffer, &value);
}

void out_bool(struct out *out, const char *key, bool boolean)
{
    begin(out, key);
    buffer_text(out->buffer, boolean ? "true" : "false");
}

void out_time(struct out *out, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT_SIZE];

    if (at_ms != 0 && time_is_date(at_ms))
        out_word(out, key, time_format(at_ms, text));
}

int64_t due_date(int64_t due_ms, bool is_span)
{
    /* Later than it would be, by as much as the wall clock was set back. */
    return !is_span || due_ms == 0 ? due_ms : due_ms - clock_lag_ms();
}

int64_t token_due_date(const struct waitpoint *token)
{
    return token->due_ms != 0 ? due_date(token->due_ms, token->due_is_span) : token->timeout_ms;
}

void out_id(struct out *out, const char *key, const char *prefix, int64_t id)
{
    char text[ID_TEXT_SIZE];

    out_word(out, key, id_format(prefix, id, text));
}

void out_packed(struct out *out, const char *key, struct slice packed)
{
    begin(out, key);
    json_write_packed(out->buffer, packed);
}

void out_value(struct out *out, const char *key, const struct value *value)
{
    begin(out, key);
    json_write(out->buffer, value);
}
