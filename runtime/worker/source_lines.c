#include "source_lines.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AROUND = 2, LINE_MAX_BYTES = 160, FILE_MAX_BYTES = 4 << 20 };

/* The file's whole name, where the compiler has said enough, without "." and "..": as text, for
 * what is there is looked at only below the directories. */
static void name_whole(const char *from, const char *file, char whole[PATH_MAX])
{
    char text[2 * PATH_MAX];
    size_t size = 0;

    (void)snprintf(text, sizeof text, "%s%s%s", file[0] == '/' || from == NULL ? "" : from,
                   file[0] == '/' || from == NULL ? "" : "/", file);
    if (text[0] != '/' || strlen(text) >= PATH_MAX) {
        (void)snprintf(whole, PATH_MAX, "%s", file);
        return;
    }
    for (char *rest = text, *part; (part = strtok_r(rest, "/", &rest)) != NULL;) {
        if (strcmp(part, "..") == 0)
            while (size > 0 && whole[--size] != '/')
                ;
        else if (strcmp(part, ".") != 0)
            size += (size_t)sprintf(whole + size, "/%s", part);
    }
    whole[size] = '\0';
}

/* What of the file's name is below the directory; NULL: it is elsewhere. A name that is not
 * absolute (the compiler was told to shorten it) is one below. */
static const char *name_below(const char *directory, const char *file)
{
    size_t size = strlen(directory);

    while (size > 1 && directory[size - 1] == '/')
        size--;
    if (file[0] != '/')
        return file;
    if (size == 1)
        return file + 1;
    return strncmp(file, directory, size) == 0 && file[size] == '/' ? file + size + 1 : NULL;
}

/* The kernel keeps below the directory what is opened, whatever the links on the way say; one
 * that is too old to do so shows nothing. */
static int file_open(const char *directory, const char *name)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    struct stat stat;
    int top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (top < 0)
        return -1;
    int fd = (int)syscall(SYS_openat2, top, name, &how, sizeof how);
    (void)close(top); /* was only looked through */
    if (fd >= 0 &&
        (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || stat.st_size > FILE_MAX_BYTES)) {
        (void)close(fd); /* was only read */
        fd = -1;
    }
    return fd;
}

/* Without what moves a cursor. */
static void line_write(struct buffer *out, uint32_t number, bool is_it, const char *text)
{
    char safe[LINE_MAX_BYTES + 1];
    size_t size = 0;

    for (; size < LINE_MAX_BYTES && text[size] != '\0' && text[size] != '\n'; size++)
        safe[size] = text[size] == '\t'                                        ? ' '
                     : (unsigned char)text[size] < ' ' || text[size] == '\x7f' ? '?'
                                                                               : text[size];
    if (size == LINE_MAX_BYTES)
        while (size > 0 && ((unsigned char)safe[size - 1] & 0x80) != 0)
            size--; /* not in the middle of a character */
    buffer_format(out, "  %c%5u | %.*s\n", is_it ? '>' : ' ', number, (int)size, safe);
}

static bool file_show(int fd, uint32_t line, struct buffer *out)
{
    FILE *file = fdopen(fd, "r");
    char *text = NULL;
    size_t room = 0, before = out->size;
    uint32_t number = 0;

    if (file == NULL) {
        (void)close(fd); /* was only read */
        return false;
    }
    while (number < line + AROUND && getline(&text, &room, file) >= 0)
        if (++number + AROUND >= line)
            line_write(out, number, number == line, text);
    if (number < line)
        out->size = before; /* the file is not the one that was compiled */
    (void)fclose(file);     /* was only read; `text` goes with the process */
    return out->size > before;
}

bool source_lines_add(const char *const *directories, const char *from, const char *file,
                      uint32_t line, struct buffer *out)
{
    char whole[PATH_MAX];

    name_whole(from, file, whole);
    for (; *directories != NULL; directories++) {
        const char *name = name_below(*directories, whole);
        int fd = name == NULL || *name == '\0' ? -1 : file_open(*directories, name);
        if (fd >= 0 && file_show(fd, line, out))
            return true;
    }
    return false;
}
