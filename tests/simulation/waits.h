/* What the model says of waits; behind model.h. */
#ifndef SIMULATION_WAITS_H
#define SIMULATION_WAITS_H

#include "model.h"

/* rules_wait.c: waits, and what the next segment is told. */
void rule_waited(const struct look *look, struct shadow *shadow, const struct run *run);
void rule_wait(const struct look *look, const struct shadow *shadow, const struct run *run,
               const struct frame_end *end);
bool wait_is_known(const struct look *look, const struct run *run, const struct frame_end *end);
/* One of its tokens is there since this batch, and may not have been when it was asked for. */
bool wait_is_fresh(const struct look *look, const struct frame_end *end);
/* Now, and when the batch began. */
bool wait_has_ended(const struct look *look, bool is_token, int64_t id);
bool wait_had_ended(const struct look *look, bool is_token, int64_t id);
void wait_result_look(const struct look *look, const struct run *run, bool is_token, int64_t id,
                      const struct frame_result *result);

/* rules_cycle.c */
/* Does it hold its parent no more, for which it waits? */
bool rule_hold_ended(const struct look *look, const struct run *was, const struct run *run);
/* It has failed because it would have waited for itself, if it had waited so. */
void rule_cycle(const struct look *look, const struct run *run, const struct wait *wait);

/* rules_wait_key.c: when the first wait with the key of this one began and ends. */
struct wait_first {
    int64_t begun_ms, due_ms;
    bool is_span, is_skipped;
    bool is_unsure; /* the rules do not know */
};
struct wait_first rule_wait_first(const struct look *look, const struct run *run,
                                  const struct frame_end *end, bool acted);
void rule_wait_key_acted(const struct look *look, const struct command *command,
                         const struct wait *wait);
void rule_wait_key_reset(const struct look *look, const struct command *command);

/* rules_group.c: the same for groups. */
/* `mailed`: messages that the run had been sent when the batch began. */
bool group_is_over(const struct look *look, const struct wait *wait, bool now, int64_t mailed);
void rule_group(const struct look *look, const struct shadow *shadow, const struct run *run,
                const struct frame_end *end, const struct wait_first *first);
/* A group that has begun may be over in the same batch: where does the run go on? */
struct slice rule_group_segment(const struct look *look, const struct run *run,
                                struct slice then);
/* Goes on after a reminder; false: there was none. */
bool rule_group_on(const struct look *look, struct shadow *shadow, const struct run *run,
                   const struct frame_end *end);
void rule_group_waited(const struct look *look, struct shadow *shadow, const struct run *run,
                       const struct wait *before);
/* It has ended while it waited: where its save points are kept, who begins at the last one goes
 * on as if it had given up. */
void rule_left(const struct look *look, struct shadow *shadow, const struct run *run);
/* Is the token or run canceled as what is left of that run's group? */
bool rule_group_loses(const struct look *look, int64_t run_id, int64_t id);
void rule_group_told(const struct look *look, const struct run *run, const struct wait *wait,
                     const struct frame_segment *frame);
/* rules_mail.c */
void rule_message(const struct look *look, const struct command *command);
void rule_mailbox(const struct look *look, const struct shadow *shadow, const struct run *run);
void message_result_look(const struct look *look, const struct run *run,
                         const struct frame_part *part, const struct frame_result *result);

/* Clients send some; and whoever waits for some gets them all. */
void messages_some(struct world *world);
void messages_pass(struct world *world);

void rule_assignment(const struct look *look, const struct assignment *assignment);

/* rules_act.c */
void rule_wait_act(const struct look *look, const struct command *command);
bool rule_acted(const struct shadow *shadow, enum command_kind kind);
void rule_acted_row(const struct look *look, struct shadow *shadow, const struct run *run);
/* rules_wait.c: when the batch began, what it waits for had come. */
bool rule_wait_had_come(const struct look *look, const struct wait *wait);

/* rules_mail.c: what it was sent is the other one's, which goes on for it. */
void rule_letters_follow(const struct look *look, struct shadow *to, const struct shadow *from);
/* Those that are not in that mailbox are gone. */
void rule_letters_as(struct shadow *shadow, struct slice packed);

/* rules_redrive.c */
void rule_redrive(const struct look *look, const struct command *command);
/* A client has a new run begin where that one has ended. */
void rule_goes_on(const struct look *look, struct shadow *made, const struct run *from);

#endif
