#include "cli/plugins/tar_file.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, NAME_BYTES = 100, SUM_AT = 148, SUM_BYTES = 8, TYPE_AT = 156 };

static const char zeroes[2 * BLOCK];

/* Of the header as if its own field were spaces. */
static unsigned header_sum(const char *header)
{
    unsigned sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : (unsigned char)header[i];
    return sum;
}

static void padding_add(struct buffer *out, size_t size)
{
    buffer_add(out, zeroes, (BLOCK - size % BLOCK) % BLOCK);
}

/* Eleven digits: 8 GiB, or the year 2242. */
static void octal_write(char *field, uint64_t number)
{
    for (int i = 10; i >= 0; i--, number /= 8)
        field[i] = (char)('0' + number % 8);
}

void tar_add(struct buffer *out, const char *name, struct slice bytes, int64_t at_ms)
{
    char header[BLOCK + 1] = { 0 };

    (void)snprintf(header, NAME_BYTES, "%s", name);
    (void)snprintf(header + 100, 8, "%07o", 0644);
    (void)snprintf(header + 108, 8, "%07o", 0);
    (void)snprintf(header + 116, 8, "%07o", 0);
    octal_write(header + 124, bytes.size);
    octal_write(header + 136, (uint64_t)at_ms / 1000);
    header[TYPE_AT] = '0';
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    (void)snprintf(header + SUM_AT, 7, "%06o", header_sum(header));
    header[SUM_AT + 7] = ' ';
    buffer_add(out, header, BLOCK);
    buffer_slice(out, bytes);
    padding_add(out, bytes.size);
}

void tar_end(struct buffer *out)
{
    buffer_add(out, zeroes, sizeof zeroes);
}

static uint64_t octal_read(const char *field, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        number = number * 8 + (uint64_t)(field[i] - '0');
    return number;
}

bool tar_read(struct slice bytes, struct tar_file files[TAR_FILES_MAX], uint32_t *count,
              struct err *err)
{
    *count = 0;
    while (bytes.size >= BLOCK && bytes.data[0] != '\0') {
        const char *header = bytes.data;
        if (octal_read(header + SUM_AT, SUM_BYTES) != header_sum(header))
            return err_set(err, ERR_BAD_REQUEST, "it is no tar file, or a broken one");
        uint64_t size = octal_read(header + 124, 12);
        bytes = (struct slice){ bytes.data + BLOCK, bytes.size - BLOCK };
        if (size > bytes.size)
            return err_set(err, ERR_BAD_REQUEST, "it is cut short");
        if (header[TYPE_AT] == '0' || header[TYPE_AT] == '\0') {
            if (*count == TAR_FILES_MAX)
                return err_set(err, ERR_BAD_REQUEST, "it has more than %d files",
                               TAR_FILES_MAX);
            files[(*count)++] = (struct tar_file){ { header, strnlen(header, NAME_BYTES) },
                                                   { bytes.data, (size_t)size } };
        }
        size_t whole = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
        whole = whole < bytes.size ? whole : bytes.size;
        bytes = (struct slice){ bytes.data + whole, bytes.size - whole };
    }
    return *count > 0 || err_set(err, ERR_BAD_REQUEST, "it is no tar file");
}
