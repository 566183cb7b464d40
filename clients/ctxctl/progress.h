/* A progress bar on stderr, for people only: nothing is shown away from a terminal or
 * where scripts listen. */

#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include "clients/ctxctl/ctl.h"

struct ctl_progress {
    bool shown;
    const char *unit; /* What is counted, such as `contexts`. */
    uint64_t total;   /* 0: not known. */
    int64_t begun_us;
    int64_t drawn_us; /* When it was last drawn. */
};

void ctl_progress_begin(struct ctl_progress *progress, const struct ctl *ctl, const char *unit,
                        uint64_t total);

/* Draws the bar, ten times a second at most. `done` is measured against `total`; `count`
 * is what people read. */
void ctl_progress_update(struct ctl_progress *progress, uint64_t done, uint64_t count);

/* Wipes the bar away. */
void ctl_progress_end(struct ctl_progress *progress);

/* The bar itself, of `width` characters: `[=====>    ]`. Pure. */
void ctl_progress_bar(uint64_t done, uint64_t total, size_t width, char *ret_text);

#endif /* CTL_PROGRESS_H */
