// What the threads of the subscribe loop share: where the server is, how far the run has
// come, and what was acknowledged.
//
// Threads: any.

#ifndef CX_TESTS_INTEGRATION_FEED_WORLD_H
#define CX_TESTS_INTEGRATION_FEED_WORLD_H

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "contextd/v1/context_manager.pb.h"
#include "contextd/v1/recovery.pb.h"
#include "contextd/v1/tracker.pb.h"
#include "tests/support/grpc_client.h"

namespace api = contextd::v1;

// A write that was acknowledged.
struct FeedAck {
  std::string namespace_id;
  std::string name;  // Of a context, or of a session.
  uint64_t revision;
};

class FeedWorld {
 public:
  enum class Phase { kLoad, kQuiet, kFinish };

  // Where the server is now.
  struct Place {
    std::string address;
    int life = 0;  // Which of its lives.
    Phase phase = Phase::kLoad;
  };

  void ServerStarted(const std::string &address) {
    std::lock_guard<std::mutex> lock(mutex_);
    place_.address = address;
    place_.life++;
    changed_.notify_all();
  }

  // From kQuiet on nobody writes any more; from kFinish on what there is is read to its end.
  void SetPhase(Phase phase) {
    std::unique_lock<std::shared_mutex> load(load_mutex_);
    std::lock_guard<std::mutex> lock(mutex_);
    place_.phase = phase;
    phase_ = phase;
    changed_.notify_all();
  }
  Phase phase() const { return phase_; }

  // Holds the phase as it is for as long as it lives.
  std::shared_lock<std::shared_mutex> HoldPhase() {
    return std::shared_lock<std::shared_mutex>(load_mutex_);
  }

  // Waits for a life of the server behind this one, or for the phase.
  Place Await(int behind_life, Phase phase) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return place_.life > behind_life || place_.phase >= phase; });
    return place_;
  }

  // A reader that is slow: lets some time pass, unless the phase comes first.
  void Dawdle(int milliseconds, Phase phase) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                      [&] { return place_.phase >= phase; });
  }

  void Acknowledge(const std::string &namespace_id, const std::string &name, uint64_t revision) {
    std::lock_guard<std::mutex> lock(mutex_);
    acks_.push_back({namespace_id, name, revision});
    last_ = std::max(last_, revision);
    changed_.notify_all();
  }

  // Waits for so many more to be acknowledged, or for the end of the time, or the phase.
  void AwaitAcks(size_t count, std::chrono::steady_clock::time_point end) {
    std::unique_lock<std::mutex> lock(mutex_);
    size_t wanted = acks_.size() + count;
    changed_.wait_until(lock, end, [&] { return acks_.size() >= wanted; });
  }
  void AwaitAcks(size_t count, Phase phase) {
    std::unique_lock<std::mutex> lock(mutex_);
    size_t wanted = acks_.size() + count;
    changed_.wait(lock, [&] { return acks_.size() >= wanted || place_.phase >= phase; });
  }

  // The last revision that was acknowledged to anybody.
  uint64_t last_acknowledged() {
    std::lock_guard<std::mutex> lock(mutex_);
    return last_;
  }
  const std::vector<FeedAck> &acks() const { return acks_; }

  std::atomic<uint64_t> resumes{0};
  std::atomic<uint64_t> received{0};  // Events.

 private:
  std::shared_mutex load_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Place place_;
  std::atomic<Phase> phase_{Phase::kLoad};
  std::vector<FeedAck> acks_;
  uint64_t last_ = 0;
};

// ---- Calls. -------------------------------------------------------------------------------

// Calls a method of ContextManager or Tracker.
template <typename Response, typename Request>
GrpcOutcome FeedCall(GrpcClient *client, const std::string &method, const Request &request,
                     Response *ret_response) {
  GrpcOutcome outcome = client->Unary("/contextd.v1." + method, request.SerializeAsString());
  if (outcome.code == GRPC_STATUS_OK) ret_response->ParseFromString(outcome.messages.at(0));
  return outcome;
}

// Whether an outcome says that the server is gone, or going: gRPC itself cancels calls that
// reach it when it no longer takes any.
inline bool FeedIsGone(const GrpcOutcome &outcome) {
  return outcome.code == GRPC_STATUS_UNAVAILABLE ||
         (outcome.code == GRPC_STATUS_CANCELLED && outcome.details.empty());
}

#endif  // CX_TESTS_INTEGRATION_FEED_WORLD_H
