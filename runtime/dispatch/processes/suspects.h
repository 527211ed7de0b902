/*
 * Suspects: runs that were out when their nursery died, one of which may have done that.
 *
 * They come back through the engine, and start before everybody else of their build, one at a
 * time and with nothing of the build beside them. One that was alone when the nursery died
 * again is charged with it. Its turn ends with its segment, or when it has been alone for twice
 * as long as it was out at that death, and a minute at least; the others wait no longer than
 * that. (Signals to the nursery do not get that far: worker/shield.c.)
 */
#ifndef DISPATCH_SUSPECTS_H
#define DISPATCH_SUSPECTS_H

#include <stdbool.h>
#include <stdint.h>

struct build;
struct job;
struct slot;

struct suspect {
    int64_t run_id;
    int64_t turn_ms; /* how long it may be alone */
    int64_t end_ms;  /* of its turn, while it is out */
};

struct suspects {
    struct suspect *items;
    uint32_t count, capacity;
    int64_t hold_ms;  /* until then the others wait for suspects that are on their way */
    int64_t quiet_ms; /* then those that never came are cleared */
};

/* The nursery has died: whoever was out becomes a suspect. The slot of the one that was alone,
 * which is none any more; NULL: nobody was. */
struct slot *suspects_name(struct build *build);
/* The nursery is back: they are on their way. */
void suspects_expect(struct build *build);
/* What the build is to start next; NULL: nothing now. */
struct job *suspects_next(struct build *build);
/* It has got a slot. */
void suspects_begin(struct build *build, int64_t run_id);
/* It was not this one. */
void suspects_clear(struct build *build, int64_t run_id);
/* When something is due again, 0: never. */
int64_t suspects_tick(struct build *build, int64_t now_ms);

#endif
