#include "clients/ctxctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clients/ctxctl/timing.h"

enum {
    BAR_WIDTH = 32,
    DRAW_EVERY_US = 100000,
};

void ctl_progress_begin(struct ctl_progress *progress, const struct ctl *ctl, const char *unit,
                        uint64_t total)
{
    *progress = (struct ctl_progress){
        .shown = !ctl->json && isatty(STDERR_FILENO),
        .unit = unit,
        .total = total,
        .begun_us = ctl_now_us(),
    };
}

void ctl_progress_bar(uint64_t done, uint64_t total, size_t width, char *ret_text)
{
    size_t inner = width - 2;
    size_t filled = done >= total ? inner : (size_t)((double)done / (double)total * (double)inner);

    ret_text[0] = '[';
    memset(ret_text + 1, '=', filled);
    memset(ret_text + 1 + filled, ' ', inner - filled);
    if (filled < inner) {
        ret_text[1 + filled] = '>';
    }
    ret_text[width - 1] = ']';
    ret_text[width] = '\0';
}

void ctl_progress_update(struct ctl_progress *progress, uint64_t done, uint64_t count)
{
    int64_t now_us = ctl_now_us();
    double seconds = (double)(now_us - progress->begun_us) / 1e6;
    char bar[BAR_WIDTH + 1] = "";

    if (!progress->shown || now_us - progress->drawn_us < DRAW_EVERY_US) {
        return;
    }
    progress->drawn_us = now_us;
    if (progress->total > 0) {
        ctl_progress_bar(done, progress->total, BAR_WIDTH, bar);
    }
    fprintf(stderr, "\r\033[K%s %" PRIu64 " %s, %.0f/s", bar, count, progress->unit,
            seconds > 0 ? (double)count / seconds : 0);
}

void ctl_progress_end(struct ctl_progress *progress)
{
    if (progress->shown && progress->drawn_us > 0) {
        fputs("\r\033[K", stderr);
    }
    progress->shown = false;
}
