#include "title.h"

#include "base/id.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

static char *room;
static size_t room_size, said_size; /* title_set()'s part */

/* The kernel lays arguments side by side. */
void title_init(int argc, char **argv)
{
    room = argv[0];
    room_size = strlen(argv[0]) + 1;
    for (int i = 1; i < argc && argv[i] == room + room_size; i++)
        room_size += strlen(argv[i]) + 1;
}

void title_set(const char *what, struct slice plugin, struct slice version)
{
    char name[16];

    (void)snprintf(name, sizeof name, "%s:%.*s", what, SLICE_ARG(plugin)); /* cut */
    (void)prctl(PR_SET_NAME, name);
    if (room_size == 0)
        return;
    memset(room, 0, room_size);
    (void)snprintf(room, room_size, "%s of %.*s %.*s", what, SLICE_ARG(plugin),
                   SLICE_ARG(version));
    said_size = strlen(room);
}

/* Before and after each segment: no system call. */
void title_run(struct slice task, int64_t run_id)
{
    char id[ID_TEXT_SIZE];

    if (room_size == 0)
        return;
    memset(room + said_size, 0, room_size - said_size);
    if (run_id != 0)
        (void)snprintf(room + said_size, room_size - said_size, ": %.*s %s", SLICE_ARG(task),
                       id_format("run", run_id, id));
}
