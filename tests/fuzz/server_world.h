// The services with everything around them that a script can move.

#ifndef CX_TESTS_FUZZ_SERVER_WORLD_H
#define CX_TESTS_FUZZ_SERVER_WORLD_H

#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/script.h"
#include "tests/unit/services/fake_call.h"

extern "C" {
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/engine/engine.h"
#include "server/rpc/quota.h"
#include "tests/support/sim_disk.h"
}

class ServerWorld {
 public:
  ServerWorld();
  ~ServerWorld();
  ServerWorld(const ServerWorld &) = delete;
  ServerWorld &operator=(const ServerWorld &) = delete;

  void Do(const ScriptStep &step);

  // Stops and starts: the state is the same afterwards.
  void Restart();

 private:
  struct Clock {
    cx_clock base;  // First, so that one can be had from the other.
    int64_t now_us;
  };
  struct Random {
    cx_random base;
    uint64_t next;
  };

  void Open();
  void Step();
  void Settle();
  void Quiet();
  uint64_t Revision();
  uint64_t Digest() const;

  std::unique_ptr<cx_call> NewCall(const ScriptMethod &method);
  cx_reason Unpack(const cx_call &call, const std::string &bytes, cx_arena *arena,
                   cx_charge *charge, ProtobufCMessage **ret_message);
  void Call(const ScriptMethod &method, const std::string &bytes);
  void Finish(cx_call *call);
  void NextPage(const ScriptList &list, const std::string &bytes);
  void NameSessions(const ScriptMethod &method, const std::string &bytes);
  void StreamReceive(const ScriptMethod &method, const std::string &bytes);
  void StreamGoOn();
  void StreamEnd(bool leave);
  void CheckMessages(const cx_call &call);

  Clock clock_;
  Random random_;
  sim_disk *disk_;
  cx_engine_options options_ = {};
  cx_engine_events events_ = {};
  cx_engine *engine_ = nullptr;
  cx_app app_ = {};
  cx_quota quota_ = {};
  std::vector<cx_waiter *> completed_;

  std::unique_ptr<cx_call> stream_;
  size_t stream_updates_ = 0;  // That it has to answer.
  bool stream_left_ = false;

  std::string last_page_;              // The answer of the last list.
  std::vector<std::string> sessions_;  // Their ids, in the order of their starts.
  bool split_ = false;
  bool leaves_ = false;
  size_t small_ = 0;  // 0: as large as a message may be.
};

#endif  // CX_TESTS_FUZZ_SERVER_WORLD_H
