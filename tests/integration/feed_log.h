// The log of a server that has stopped, as the events that docs/events.md says it makes. Made
// from the changes by other code than the server's, to be held against what it tells.
//
// Threads: one at a time.

#ifndef CX_TESTS_INTEGRATION_FEED_LOG_H
#define CX_TESTS_INTEGRATION_FEED_LOG_H

#include <functional>
#include <string>
#include <vector>

#include "tests/integration/feed_check.h"

// Calls `each` with the events of every change, in order; of some changes there are none.
// *ret_purges, if it is wanted, is what was purged.
// Takes the lock of the directory. Returns what is wrong; empty: nothing.
std::string FeedReadLog(
    const std::string &data_dir,
    const std::function<void(uint64_t revision, const std::vector<LoggedEvent> &)> &each,
    FeedPurges *ret_purges = nullptr);

#endif  // CX_TESTS_INTEGRATION_FEED_LOG_H
