/* Inside the client library: the time, and what is random. */

#ifndef CXC_CLOCK_H
#define CXC_CLOCK_H

#include <stdint.h>

/* Milliseconds on a clock that only goes forward. */
int64_t cxc_now_ms(void);

/* Sleeps; a signal does not make it shorter. */
void cxc_sleep_ms(int64_t ms);

/* Any number. 0 where the system has none. */
uint32_t cxc_random(void);

#endif /* CXC_CLOCK_H */
