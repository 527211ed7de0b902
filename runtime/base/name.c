/*
 * A queue may be called what people call tenants, hosts and regions: "mail.eu", "tenant:7",
 * "a@example.com", "task/<id>". The signs are those that a shell, a URL's path and a metric's
 * label bear; a letter beyond ASCII can be spelled in two ways that look alike, and is refused.
 * Tags and keys are for people and other systems: any text that shows.
 */
#include "name.h"

#include "id.h"

#include <stdint.h>
#include <stdio.h>

#define FIRST ", the first a letter, digit or _"
#define TEXT  "a text without control and invisible characters is"

static const struct rule {
    const char *noun;
    const char *signs;   /* beside letters and digits; NULL: a text */
    const char *refused; /* signs that a text may not have */
    const char *says;
    size_t most; /* bytes */
} rules[NAME_KIND_COUNT] = {
    [NAME_QUEUE] = { "queue name", "-_./:@+", NULL,
                     "ASCII letters, digits and - _ . / : @ + are" FIRST, 128 },
    [NAME_TASK] = { "task id", "-_.", NULL, "ASCII letters, digits and - _ . are" FIRST, 128 },
    [NAME_ASKED] = { "task id", NULL, "", TEXT, 128 },
    [NAME_ENVIRONMENT] = { "name of an environment", "-", NULL,
                           "lower-case ASCII letters, digits and - are, the first a letter",
                           32 },
    [NAME_POOL] = { "name of a pool", "-_.", NULL, "ASCII letters, digits and - _ . are" FIRST,
                    128 },
    [NAME_SCHEMA] = { "schema name", "-_.", NULL, "ASCII letters, digits and - _ . are" FIRST,
                      128 },
    [NAME_SYMBOL] = { "name", "_", NULL, "ASCII letters, digits and _ are", 128 },
    /* A filter lists tags with commas. */
    [NAME_TAG] = { "tag", NULL, ",",
                   "a text without commas, control and invisible characters is", 1024 },
    [NAME_KEY] = { "idempotency key", NULL, "", TEXT, 2048 },
    [NAME_LANE] = { "concurrency key", NULL, "", TEXT, 2048 },
    [NAME_METADATA] = { "key of the metadata", NULL, "", TEXT, 1024 },
    [NAME_RECORD] = { "name of a record", NULL, "", TEXT, 1024 },
    [NAME_MESSAGE] = { "name of a message", "-_.", NULL,
                       "ASCII letters, digits and - _ . are" FIRST, 128 },
};

#define TASK_PREFIX "task/"

/* The character that `text` begins with, and its bytes; UINT32_MAX, and one, for none. */
static uint32_t character(struct slice text, size_t *size)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)text.data[0];
    size_t count = first < 0x80   ? 1
                   : first < 0xc2 ? 0
                   : first < 0xe0 ? 2
                   : first < 0xf0 ? 3
                                  : 4;
    uint32_t code = count < 2 ? first : first & (0x7fu >> count);

    *size = 1;
    if (count == 0 || first > 0xf4 || count > text.size)
        return UINT32_MAX;
    for (size_t i = 1; i < count; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if ((byte & 0xc0) != 0x80)
            return UINT32_MAX;
        code = code << 6 | (byte & 0x3f);
    }
    if (code < least[count] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return UINT32_MAX;
    *size = count;
    return code;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/* What takes no room, or turns the text around it: two names would look alike. */
static bool is_invisible(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0xad, 0xad },     { 0x34f, 0x34f },     { 0x61c, 0x61c },     { 0x115f, 0x1160 },
        { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x202a, 0x202e },
        { 0x2060, 0x206f }, { 0x3164, 0x3164 },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
        { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Persian is not written without the one, families of emoji not without the other. */
static bool is_joiner(uint32_t code)
{
    return code == 0x200c || code == 0x200d;
}

static bool is_alnum(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
           (code >= 'a' && code <= 'z');
}

static bool is_in(uint32_t code, const char *signs)
{
    return code != 0 && code < 0x80 && strchr(signs, (int)code) != NULL;
}

/* `before` is the character before it, 0 at the beginning. */
static bool is_allowed(enum name_kind kind, uint32_t code, uint32_t before, bool is_last)
{
    bool is_first = before == 0;
    const struct rule *rule = &rules[kind];

    if (rule->signs == NULL)
        return code != UINT32_MAX && !is_control(code) && !is_in(code, rule->refused) &&
               (!is_invisible(code) ||
                (is_joiner(code) && before >= 0x80 && !is_joiner(before) && !is_last));
    if (kind == NAME_ENVIRONMENT && ((code >= 'A' && code <= 'Z') || (is_first && code < 'a')))
        return false;
    return is_alnum(code) || (is_in(code, rule->signs) && (!is_first || code == '_'));
}

/* Enough of a name to know it by, as it can be shown. */
static const char *shown(struct slice name, char *out, size_t room)
{
    size_t at = 0, i = 0, size = 0;

    for (; i < name.size && at + 8 < room; i += size) {
        struct slice rest = { name.data + i, name.size - i };
        uint32_t code = character(rest, &size);
        bool is_fine = code != UINT32_MAX && !is_control(code) && !is_invisible(code);
        memcpy(out + at, is_fine ? rest.data : "?", is_fine ? size : 1);
        at += is_fine ? size : 1;
    }
    snprintf(out + at, room - at, "%s", i < name.size ? "…" : "");
    return out;
}

static bool refuse(enum name_kind kind, struct slice name, struct err *err, const char *why)
{
    char text[120];

    return err_set(err, ERR_RULE, "%s \"%s\" %s", rules[kind].noun,
                   shown(name, text, sizeof text), why);
}

static bool character_refuse(enum name_kind kind, struct slice name, size_t at, uint32_t number,
                             struct err *err)
{
    struct slice rest = { name.data + at, name.size - at };
    char why[240], code[16];
    size_t size;
    uint32_t found = character(rest, &size);

    snprintf(code, sizeof code, found == UINT32_MAX ? "byte %02X" : "U+%04X",
             found == UINT32_MAX ? (unsigned char)rest.data[0] : (unsigned)found);
    if (found == UINT32_MAX)
        snprintf(why, sizeof why, "is not UTF-8: %s at character %u", code, (unsigned)number);
    else if (is_control(found) || is_invisible(found))
        snprintf(why, sizeof why, "has %s character, %s, at character %u: %s",
                 is_control(found) ? "a control" : "an invisible", code, (unsigned)number,
                 rules[kind].says);
    else
        snprintf(why, sizeof why, "has \"%.*s\" (%s) at character %u, which is not allowed: %s",
                 (int)size, rest.data, code, (unsigned)number, rules[kind].says);
    return refuse(kind, name, err, why);
}

/* A text of blanks looks like none, and a filter's list is read without those at its ends. */
static bool blanks_check(enum name_kind kind, struct slice name, struct err *err)
{
    size_t blanks = 0;

    while (blanks < name.size && name.data[blanks] == ' ')
        blanks++;
    if (blanks == name.size)
        return refuse(kind, name, err, "is blank");
    return kind != NAME_TAG || (blanks == 0 && name.data[name.size - 1] != ' ') ||
           refuse(kind, name, err, "begins or ends with a blank");
}

static bool queue_check(struct slice name, struct err *err)
{
    int64_t id;

    if (slice_is(name, TASK_PREFIX))
        return refuse(NAME_QUEUE, name, err, "names no task");
    return !id_parse("queue", name, &id) ||
           refuse(NAME_QUEUE, name, err, "is the id of a queue, not a name");
}

bool name_check(enum name_kind kind, struct slice name, struct err *err)
{
    const struct rule *rule = &rules[kind];
    size_t most = rule->most, size = 0;
    uint32_t number = 1, before = 0;

    if (kind == NAME_QUEUE && slice_starts(name, TASK_PREFIX))
        most += strlen(TASK_PREFIX);
    if (name.size == 0)
        return err_set(err, ERR_RULE, "the %s is empty", rule->noun);
    if (name.size > most) {
        char why[80];
        snprintf(why, sizeof why, "has %zu bytes, at most %zu are allowed", name.size, most);
        return refuse(kind, name, err, why);
    }
    for (size_t at = 0; at < name.size; at += size, number++) {
        uint32_t code = character((struct slice){ name.data + at, name.size - at }, &size);
        if (!is_allowed(kind, code, before, at + size == name.size))
            return character_refuse(kind, name, at, number, err);
        before = code;
    }
    if (rule->signs == NULL && !blanks_check(kind, name, err))
        return false;
    return kind != NAME_QUEUE || queue_check(name, err);
}
