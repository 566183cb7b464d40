#include "server/rpc/stall.h"

#include <assert.h>

void cx_stalls_add(struct cx_stalls *stalls, struct cx_stall *stall, int64_t now_us,
                   int64_t limit_us)
{
    int64_t late_at_us = now_us + limit_us;

    assert(!stall->watched);
    if (stalls->first == NULL || late_at_us < stalls->check_at_us) {
        stalls->check_at_us = late_at_us;
    }
    *stall = (struct cx_stall){
        .next = stalls->first,
        .limit_us = limit_us,
        .late_at_us = late_at_us,
        .watched = true,
    };
    if (stall->next != NULL) {
        stall->next->prev = stall;
    }
    stalls->first = stall;
}

void cx_stalls_remove(struct cx_stalls *stalls, struct cx_stall *stall)
{
    if (!stall->watched) {
        return;
    }
    if (stall->prev != NULL) {
        stall->prev->next = stall->next;
    } else {
        stalls->first = stall->next;
    }
    if (stall->next != NULL) {
        stall->next->prev = stall->prev;
    }
    stall->watched = false;
}

struct cx_stall *cx_stalls_take_late(struct cx_stalls *stalls, int64_t now_us)
{
    int64_t earliest_us = INT64_MAX;

    if (stalls->first == NULL || now_us < stalls->check_at_us) {
        return NULL;
    }
    for (struct cx_stall *each = stalls->first; each != NULL; each = each->next) {
        if (each->late_at_us <= now_us) {
            cx_stalls_remove(stalls, each);
            return each;
        }
        earliest_us = each->late_at_us < earliest_us ? each->late_at_us : earliest_us;
    }
    stalls->check_at_us = earliest_us;
    return NULL;
}
