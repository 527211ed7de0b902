/* The processes behind codec/trial.h. */
#ifndef DISPATCH_TRIALS_H
#define DISPATCH_TRIALS_H

#include "codec/trial.h"

struct dispatch;

/* Files that may be tried begin so: nobody else's are loaded, or removed. */
#define TRIAL_PREFIX ".plan."

struct trial *trial_open(struct dispatch *dispatch, const struct trial_subject *subject,
                         const struct trial_events *events, void *asker, struct err *err);
void trial_ask(struct trial *trial, const struct trial_question *question);
void trial_close(struct trial *trial);

/* The host is stopping: all of them fail. */
void trials_stop(struct dispatch *dispatch);

#endif
