/*
 * Texts for examples: one that a pattern matches, one of each format. A pattern is read as far
 * as people write them, without looking around or back; whoever asked checks the result.
 */
#include "base/buffer.h"
#include "schema/prove/sample.h"

#include <stdlib.h>

enum { GROUPS_MAX = 20, REPEATS_MAX = 5000 };

struct writer {
    struct slice pattern;
    size_t at;
    struct buffer *out; /* NULL: only reading */
    uint32_t stretch, choice, depth;
};

static bool alternatives_write(struct writer *writer);

static bool is_at(const struct writer *writer, char wanted)
{
    return writer->at < writer->pattern.size && writer->pattern.data[writer->at] == wanted;
}

static bool take(struct writer *writer, char wanted)
{
    bool is_there = is_at(writer, wanted);

    writer->at += is_there;
    return is_there;
}

static void put(struct writer *writer, const char *bytes, size_t size)
{
    if (writer->out != NULL)
        buffer_add(writer->out, bytes, size);
}

/* ---- classes ----------------------------------------------------------------------------- */

static const char *escape_sample(char letter)
{
    switch (letter) {
    case 'd':
        return "1";
    case 'w':
        return "a";
    case 's':
        return " ";
    case 'D':
    case 'S':
        return "a";
    case 'W':
        return "-";
    case 'n':
        return "\n";
    case 't':
        return "\t";
    case 'r':
        return "\r";
    default:
        return NULL;
    }
}

static bool escape_has(char letter, char c)
{
    bool is_digit = c >= '0' && c <= '9', is_space = c == ' ' || c == '\t' || c == '\n';
    bool is_word = is_digit || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    switch (letter) {
    case 'd':
        return is_digit;
    case 'w':
        return is_word;
    case 's':
        return is_space;
    case 'D':
        return !is_digit;
    case 'S':
        return !is_space;
    case 'W':
        return !is_word;
    default:
        return c == letter;
    }
}

/* What stands between [ and ]; plain ASCII only. */
static bool class_has(struct slice class, char c)
{
    bool is_negated = class.size > 0 && class.data[0] == '^', found = false;

    for (size_t i = is_negated; i < class.size; i++) {
        char from = class.data[i];
        if (from == '\\' && i + 1 < class.size) {
            found |= escape_has(class.data[++i], c);
        } else if (i + 2 < class.size && class.data[i + 1] == '-') {
            found |= c >= from && c <= class.data[i + 2];
            i += 2;
        } else {
            found |= c == from;
        }
    }
    return found != is_negated;
}

static bool class_write(struct writer *writer)
{
    static const char tries[] = "aA1_-0zZ9bBcCdDeEfF @.:/+xyXYghijklmnopqrstuvwGHIJ!#$%&'*,;=";
    size_t start = writer->at;

    for (; writer->at < writer->pattern.size && !is_at(writer, ']'); writer->at++)
        if (is_at(writer, '\\'))
            writer->at++;
    if (writer->at >= writer->pattern.size)
        return false;
    struct slice class = { writer->pattern.data + start, writer->at - start };
    writer->at++;
    for (size_t i = 0; i + 1 < sizeof tries; i++)
        if (class_has(class, tries[i])) {
            put(writer, &tries[i], 1);
            return true;
        }
    return false;
}

/* ---- one thing and how often it comes ---------------------------------------------------- */

static bool escape_write(struct writer *writer)
{
    if (writer->at >= writer->pattern.size)
        return false;
    char letter = writer->pattern.data[writer->at++];
    const char *sample = escape_sample(letter);
    bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');

    if (sample != NULL)
        put(writer, sample, 1);
    else if (letter == 'b' || letter == 'B')
        return true;
    else if (is_letter || (letter >= '0' && letter <= '9'))
        return false; /* \p, \u, \1 */
    else
        put(writer, &letter, 1);
    return true;
}

static bool group_write(struct writer *writer)
{
    if (take(writer, '?') && !take(writer, ':'))
        return false;
    if (writer->depth >= GROUPS_MAX)
        return false;
    writer->depth++;
    bool fine = alternatives_write(writer) && take(writer, ')');
    writer->depth--;
    return fine;
}

static bool atom_write(struct writer *writer)
{
    char c = writer->pattern.data[writer->at++];

    switch (c) {
    case '^':
    case '$':
        return true;
    case '(':
        return group_write(writer);
    case '[':
        return class_write(writer);
    case '\\':
        return escape_write(writer);
    case '.':
        put(writer, "a", 1);
        return true;
    default:
        put(writer, &c, 1); /* of several bytes, one after the other */
        return true;
    }
}

static bool number_take(struct writer *writer, uint32_t *number)
{
    size_t start = writer->at;

    for (*number = 0; writer->at < writer->pattern.size && *number <= REPEATS_MAX;
         writer->at++) {
        char c = writer->pattern.data[writer->at];
        if (c < '0' || c > '9')
            break;
        *number = *number * 10 + (uint32_t)(c - '0');
    }
    return writer->at > start;
}

/* How often, if anything is said about it. */
static void repeat_read(struct writer *writer, uint32_t *least, uint32_t *most)
{
    size_t start = writer->at;

    *least = *most = 1;
    if (take(writer, '?')) {
        *least = 0;
    } else if (take(writer, '*')) {
        *least = 0;
        *most = UINT32_MAX;
    } else if (take(writer, '+')) {
        *most = UINT32_MAX;
    } else if (take(writer, '{')) {
        bool fine = number_take(writer, least);
        *most = *least;
        if (fine && take(writer, ',') && !number_take(writer, most))
            *most = UINT32_MAX;
        if (!fine || !take(writer, '}')) { /* a brace as such */
            writer->at = start;
            *least = *most = 1;
            return;
        }
    } else {
        return;
    }
    (void)(take(writer, '?') || take(writer, '+')); /* greedy or not is all the same */
}

static bool piece_write(struct writer *writer)
{
    struct buffer *out = writer->out;
    size_t start = writer->at;
    uint32_t least, most;

    writer->out = NULL;
    bool fine = atom_write(writer);
    repeat_read(writer, &least, &most);
    size_t end = writer->at;
    writer->out = out;
    uint32_t times = writer->stretch < least  ? least
                     : writer->stretch < most ? writer->stretch
                                              : most;
    if (!fine || out == NULL)
        return fine;
    for (uint32_t i = 0; fine && i < times && i < REPEATS_MAX && out->size < REPEATS_MAX; i++) {
        writer->at = start;
        fine = atom_write(writer);
    }
    writer->at = end;
    return fine;
}

static bool sequence_write(struct writer *writer)
{
    bool fine = true;

    while (fine && writer->at < writer->pattern.size && !is_at(writer, '|') &&
           !is_at(writer, ')'))
        fine = piece_write(writer);
    return fine;
}

/* One of them is written, the others are read over. */
static bool alternatives_write(struct writer *writer)
{
    struct buffer *out = writer->out;
    size_t start = writer->at;
    uint32_t count = 1;

    writer->out = NULL;
    bool fine = sequence_write(writer);
    for (; fine && take(writer, '|'); count++)
        fine = sequence_write(writer);
    size_t end = writer->at;
    writer->out = out;
    if (!fine || out == NULL)
        return fine;
    writer->at = start;
    for (uint32_t i = 0; fine && i <= writer->choice % count; i++) {
        writer->out = i == writer->choice % count ? out : NULL;
        fine = sequence_write(writer);
        if (writer->out == NULL)
            (void)take(writer, '|'); /* it is there: they were counted */
    }
    writer->out = out;
    writer->at = end;
    return fine;
}

bool pattern_sample(struct arena *arena, struct slice pattern, uint32_t stretch,
                    uint32_t choice, struct slice *text)
{
    enum { LONG_PATTERN = 1000 };
    struct buffer out = { 0 };
    struct writer writer = {
        .pattern = pattern, .out = &out, .stretch = stretch, .choice = choice
    };

    bool fine = pattern.size <= LONG_PATTERN && alternatives_write(&writer) &&
                writer.at == pattern.size;
    *text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return fine && utf8_is_valid(*text);
}

const char *format_sample(const char *name)
{
    static const char *const samples[][2] = {
        { "date-time", "2026-01-02T03:04:05Z" },
        { "date", "2026-01-02" },
        { "time", "03:04:05Z" },
        { "duration", "P1D" },
        { "email", "a@example.com" },
        { "idn-email", "a@example.com" },
        { "hostname", "example.com" },
        { "idn-hostname", "example.com" },
        { "ipv4", "192.0.2.1" },
        { "ipv6", "2001:db8::1" },
        { "uri", "https://example.com/a" },
        { "uri-reference", "a/b" },
        { "iri", "https://example.com/a" },
        { "iri-reference", "a/b" },
        { "uri-template", "/a/{b}" },
        { "uuid", "3f2504e0-4f89-41d3-9a0c-0305e82c3301" },
        { "json-pointer", "/a/b" },
        { "relative-json-pointer", "1/a" },
        { "regex", "^a+$" },
    };

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if (strcmp(samples[i][0], name) == 0)
            return samples[i][1];
    return NULL;
}
