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
#define TEXT  "a text without control characters is"

static const struct rule {
    const char *noun;
    const char *signs;   /* beside letters and digits; NULL: a text */
    const char *refused; /* signs that a text may not have */
    const char *says;
    size_t most; /* bytes */
} rules[NAME_KIND_COUNT] = {
    [NAME_QUEUE] = { "queue name", "-_./:@+", NULL,
                     "letters, digits and - _ . / : @ + are" FIRST, 128 },
    [NAME_TASK] = { "task id", "-_.", NULL, "letters, digits and - _ . are" FIRST, 128 },
    [NAME_ASKED] = { "task id", NULL, "", TEXT, 128 },
    [NAME_ENVIRONMENT] = { "name of an environment", "-", NULL,
                           "lower-case letters, digits and - are, the first a letter", 32 },
    [NAME_SCHEMA] = { "schema name", "-_.", NULL, "letters, digits and - _ . are" FIRST, 128 },
    [NAME_SYMBOL] = { "name", "_", NULL, "letters, digits and _ are", 128 },
    /* A filter lists tags with commas. */
    [NAME_TAG] = { "tag", NULL, ",", "a text without commas and control characters is", 1024 },
    [NAME_KEY] = { "idempotency key", NULL, "", TEXT, 2048 },
    [NAME_METADATA] = { "key of the metadata", NULL, "", TEXT, 1024 },
    [NAME_RECORD] = { "name of a record", NULL, "", TEXT, 1024 },
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

static bool is_alnum(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
           (code >= 'a' && code <= 'z');
}

static bool is_in(uint32_t code, const char *signs)
{
    return code != 0 && code < 0x80 && strchr(signs, (int)code) != NULL;
}

static bool is_allowed(enum name_kind kind, uint32_t code, bool is_first)
{
    const struct rule *rule = &rules[kind];

    if (rule->signs == NULL)
        return code != UINT32_MAX && !is_control(code) && !is_in(code, rule->refused);
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
        bool is_fine = code != UINT32_MAX && !is_control(code);
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
    else if (is_control(found))
        snprintf(why, sizeof why, "has a control character, %s, at character %u: %s", code,
                 (unsigned)number, rules[kind].says);
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
    uint32_t number = 1;

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
        if (!is_allowed(kind, code, at == 0))
            return character_refuse(kind, name, at, number, err);
    }
    if (rule->signs == NULL && !blanks_check(kind, name, err))
        return false;
    return kind != NAME_QUEUE || queue_check(name, err);
}
