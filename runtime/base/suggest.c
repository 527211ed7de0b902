#include "base/suggest.h"

enum { NAME_MAX_BYTES = 40, OFFERED_MAX = 1000 };

void suggestion_init(struct suggestion *suggestion, struct slice wanted)
{
    *suggestion = (struct suggestion){ .wanted = wanted };
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Levenshtein's distance where two swapped neighbours count once and case counts nothing. */
static size_t edit_distance(struct slice a, struct slice b)
{
    size_t rows[3][NAME_MAX_BYTES + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            char x = lower(a.data[i - 1]), y = lower(b.data[j - 1]);
            row[j] = least(last[j - 1] + (x != y), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.data[j - 2]) && y == lower(a.data[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b.size];
}

/* "amount" for "amount_cents", however much is missing. */
static bool is_start(struct slice a, struct slice b)
{
    enum { START_MIN_BYTES = 4 };
    size_t size = least(a.size, b.size);

    for (size_t i = 0; i < size; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return size >= START_MIN_BYTES;
}

void suggestion_offer(struct suggestion *suggestion, struct slice known)
{
    struct slice wanted = suggestion->wanted;

    if (wanted.size == 0 || wanted.size > NAME_MAX_BYTES || known.size > NAME_MAX_BYTES ||
        suggestion->offered++ >= OFFERED_MAX)
        return;
    size_t distance = edit_distance(wanted, known), most = wanted.size / 3 + 1;
    if (distance > most && is_start(wanted, known))
        distance = most; /* anything nearer is better */
    if (distance > most || distance >= known.size)
        return;
    if (suggestion->best.size == 0 || distance < suggestion->distance) {
        suggestion->best = known;
        suggestion->distance = distance;
    }
}
