/*
 * TZif, version 2 and later: a header and a block of 32-bit times that nobody needs any more,
 * the same once more with 64 bits, and a line with the rule for what comes after. Nothing that
 * a file says is believed before it is looked at.
 */
#include "schedule/zone.h"

#include "base/memory.h"
#include "schedule/civil.h"
#include "schedule/zone_rule.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 44, OFFSET_MAX_S = 26 * HOUR_S };

struct header {
    uint32_t utc_count, standard_count, leap_count, time_count, kind_count, char_count;
};

struct cursor {
    const unsigned char *at;
    size_t left;
};

static uint32_t big32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

static int64_t big64(const unsigned char *bytes)
{
    return (int64_t)((uint64_t)big32(bytes) << 32 | big32(bytes + 4));
}

static const unsigned char *take(struct cursor *cursor, size_t size)
{
    const unsigned char *at = cursor->at;

    if (size > cursor->left)
        return NULL;
    cursor->at += size;
    cursor->left -= size;
    return at;
}

static bool header_take(struct cursor *cursor, struct header *header)
{
    const unsigned char *bytes = take(cursor, HEADER_SIZE);

    if (bytes == NULL || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return false;
    uint32_t *const counts[] = { &header->utc_count,  &header->standard_count,
                                 &header->leap_count, &header->time_count,
                                 &header->kind_count, &header->char_count };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        *counts[i] = big32(bytes + 20 + 4 * i);
        if (*counts[i] > ZONE_CHANGES_MAX)
            return false;
    }
    return true;
}

static size_t block_size(const struct header *header, size_t time_size)
{
    return header->time_count * (time_size + 1) + header->kind_count * 6 + header->char_count +
           header->leap_count * (time_size + 4) + header->standard_count + header->utc_count;
}

static bool kinds_take(struct zone *zone, struct cursor *cursor, const struct header *header)
{
    const unsigned char *kinds = take(cursor, (size_t)header->kind_count * 6);
    const unsigned char *names = take(cursor, header->char_count);

    if (kinds == NULL || names == NULL || header->kind_count == 0 || header->kind_count > 256)
        return false;
    zone->kind_count = header->kind_count;
    zone->kinds =
        memory_zeroed(header->kind_count + 2u, sizeof *zone->kinds); /* with the rule's two */
    for (uint32_t i = 0; i < header->kind_count; i++, kinds += 6) {
        struct zone_kind *kind = &zone->kinds[i];
        kind->offset_s = (int32_t)big32(kinds);
        if (kind->offset_s < -OFFSET_MAX_S || kind->offset_s > OFFSET_MAX_S ||
            kinds[5] >= header->char_count)
            return false;
        size_t room = header->char_count - kinds[5];
        size_t size = strnlen((const char *)names + kinds[5], room);
        if (size == room || size >= ZONE_ABBREVIATION_SIZE)
            return false;
        memcpy(kind->abbreviation, names + kinds[5], size);
    }
    return true;
}

static bool kinds_agree(const struct zone_kind *a, const struct zone_kind *b)
{
    return a->offset_s == b->offset_s && strcmp(a->abbreviation, b->abbreviation) == 0;
}

/* In order of time. One that changes nothing is none, and of two at once the later counts. */
static void change_add(struct zone *zone, int64_t at_s, uint16_t kind)
{
    struct zone_change *last =
        zone->change_count == 0 ? NULL : &zone->changes[zone->change_count - 1];

    if (last != NULL && last->at_s >= at_s) {
        last->kind = kind;
        return;
    }
    if (!kinds_agree(&zone->kinds[last == NULL ? 0 : last->kind], &zone->kinds[kind]))
        zone->changes[zone->change_count++] = (struct zone_change){ at_s, kind };
}

static bool changes_take(struct zone *zone, struct cursor *cursor, const struct header *header)
{
    const unsigned char *times = take(cursor, (size_t)header->time_count * 8);
    const unsigned char *kinds = take(cursor, header->time_count);

    if (times == NULL || kinds == NULL || !kinds_take(zone, cursor, header))
        return false;
    zone->changes =
        memory_zeroed(header->time_count + 2u * (ZONE_LAST_YEAR + 1), sizeof *zone->changes);
    for (uint32_t i = 0; i < header->time_count; i++) {
        int64_t at_s = big64(times + 8 * i);
        if (kinds[i] >= header->kind_count || (i > 0 && at_s <= big64(times + 8 * (i - 1))))
            return false;
        change_add(zone, at_s, kinds[i]);
    }
    return true;
}

static void rule_write_out(struct zone *zone, const struct zone_rule *rule, int64_t listed_s)
{
    uint16_t standard = (uint16_t)zone->kind_count, summer = (uint16_t)(standard + 1);
    int32_t year = civil_of(listed_s).year - 1;

    zone->kinds[standard] = rule->standard;
    zone->kinds[summer] = rule->summer;
    zone->kind_count += 2;
    if (!rule->sets_clocks) {
        change_add(zone, listed_s + 1, standard);
        return;
    }
    for (; year <= ZONE_LAST_YEAR; year++) {
        int64_t starts_s, ends_s;
        zone_rule_year(rule, year, &starts_s, &ends_s);
        bool starts_first = starts_s < ends_s;
        int64_t first_s = starts_first ? starts_s : ends_s;
        int64_t second_s = starts_first ? ends_s : starts_s;
        if (first_s > listed_s)
            change_add(zone, first_s, starts_first ? summer : standard);
        if (second_s > listed_s)
            change_add(zone, second_s, starts_first ? standard : summer);
    }
}

/* The last line: "\n" rule "\n"; nothing between them: what was last goes on. */
static bool rule_take(struct zone *zone, struct cursor *cursor, int64_t listed_s)
{
    struct slice text = { (const char *)cursor->at, cursor->left };
    struct zone_rule rule;

    if (text.size < 2 || text.data[0] != '\n')
        return false;
    text.data++;
    text.size--;
    const char *end = memchr(text.data, '\n', text.size);
    if (end == NULL)
        return false;
    text.size = (size_t)(end - text.data);
    if (text.size == 0)
        return true;
    if (!zone_rule_read(text, &rule))
        return false;
    rule_write_out(zone, &rule, listed_s);
    return true;
}

struct zone *zone_read(struct slice bytes, const char *name, struct err *err)
{
    struct cursor cursor = { (const unsigned char *)bytes.data, bytes.size };
    struct header header;
    struct zone *zone = memory_zeroed(1, sizeof *zone);
    int64_t listed_s = INT32_MIN; /* a rule alone counts from 1901, before which nobody asks */

    memcpy(zone->name, name, strnlen(name, ZONE_NAME_MAX));
    if (bytes.size > ZONE_FILE_MAX || !header_take(&cursor, &header) ||
        take(&cursor, block_size(&header, 4)) == NULL || !header_take(&cursor, &header))
        goto none;
    if (header.leap_count > 0) {
        err_set(err, ERR_CONFIG,
                "the time zone %s counts leap seconds; take the one of the "
                "same name that does not",
                name);
        goto destroy;
    }
    const unsigned char *times = cursor.at;
    if (!changes_take(zone, &cursor, &header) ||
        take(&cursor, header.standard_count + header.utc_count) == NULL)
        goto none;
    if (header.time_count > 0)
        listed_s = big64(times + 8 * (size_t)(header.time_count - 1));
    if (listed_s < INT32_MIN || listed_s > civil_days(ZONE_LAST_YEAR, 1, 1) * DAY_S)
        listed_s = listed_s < 0 ? INT32_MIN : civil_days(ZONE_LAST_YEAR, 1, 1) * DAY_S;
    if (rule_take(zone, &cursor, listed_s))
        return zone;

none:
    err_set(err, ERR_CONFIG,
            "the file of the time zone %s is none of version 2 or later (TZif), or damaged",
            name);
destroy:
    zone_destroy(zone);
    return NULL;
}

struct zone *zone_utc(void)
{
    struct zone *zone = memory_zeroed(1, sizeof *zone);

    strcpy(zone->name, "UTC");
    zone->kinds = memory_zeroed(1, sizeof *zone->kinds);
    strcpy(zone->kinds[0].abbreviation, "UTC");
    zone->kind_count = 1;
    return zone;
}

void zone_destroy(struct zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->kinds);
    free(zone->changes);
    free(zone);
}

struct zone_span zone_span(const struct zone *zone, int64_t at_s)
{
    uint32_t low = 0, high = zone->change_count; /* how many changes are not after at_s */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    const struct zone_kind *kind = &zone->kinds[low == 0 ? 0 : zone->changes[low - 1].kind];
    const struct zone_kind *before = &zone->kinds[low <= 1 ? 0 : zone->changes[low - 2].kind];
    return (struct zone_span){
        .from_s = low == 0 ? INT64_MIN : zone->changes[low - 1].at_s,
        .until_s = low == zone->change_count ? INT64_MAX : zone->changes[low].at_s,
        .offset_s = kind->offset_s,
        .offset_before_s = low == 0 ? kind->offset_s : before->offset_s,
        .abbreviation = kind->abbreviation,
    };
}

bool zone_name_check(struct slice name, struct err *err)
{
    bool is_name = name.size > 0 && name.size <= ZONE_NAME_MAX;
    bool at_start = true;

    for (size_t i = 0; is_name && i < name.size; i++) {
        char c = name.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
        is_name = is_word || (c == '/' && !at_start);
        at_start = c == '/';
    }
    if (is_name && !at_start)
        return true;
    return err_set(err, ERR_RULE,
                   "\"%.*s\" is no time zone; write it like Europe/Berlin, or UTC",
                   name.size > 80 ? 80 : (int)name.size, name.data == NULL ? "" : name.data);
}
