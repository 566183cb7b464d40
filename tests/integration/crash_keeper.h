// A client of the crash loop that comes back to what was: it makes recovery points of a
// context, some beside its head, drops them, restores, forks, and merges what its forks became.
//
// It has a namespace of its own, and keeps a copy of every state that the server must hold.
// The change that was under way when the server died may have been made or not, as a whole.
//
// Threads: one at a time.

#ifndef CX_TESTS_INTEGRATION_CRASH_KEEPER_H
#define CX_TESTS_INTEGRATION_CRASH_KEEPER_H

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "contextd/v1/context_manager.pb.h"
#include "contextd/v1/recovery.pb.h"
#include "tests/support/grpc_client.h"

class CrashKeeper {
 public:
  CrashKeeper(int number, uint64_t seed);

  // Works until the server is gone; tells of each change that was acknowledged.
  void Run(const std::string &address, const std::function<void()> &acknowledged);

  // Compares what the server holds with what was acknowledged, and repeats what was not.
  void Check(const std::string &address);

 private:
  using Entries = std::map<std::string, std::string>;

  // Of a change that was not answered, versions and ids that the server makes up are not
  // known: 0 and "".
  struct Point {
    std::string id, parent;
    std::string metadata;  // The value of its one label.
    uint64_t version = 0;
    Entries entries;
    bool pinned = false;
    bool safety = false;
  };

  struct Context {
    bool there = false;
    uint64_t version = 0;
    Entries entries;
    std::map<uint64_t, Point> points;  // By sequence.
    uint64_t last_sequence = 0;
    std::string head_point;  // That the next point of the head has as parent.
    Entries ancestor;        // Of a fork: what it has in common with the trunk.

    const Point *Find(const std::string &id) const;
    void Add(const Point &point) { points[++last_sequence] = point; }
    void AddSafety();  // Of the head; its id is the server's.
    void Drop(uint64_t sequence);
    std::vector<uint64_t> Unkept() const;  // By the policy, newest first.
    void DropUnkept();
  };
  using Model = std::map<std::string, Context>;

  // A change that is under way, and what it leads to.
  struct Change {
    std::string method;
    std::string request;
    std::string context;  // That it changes.
    Model after;
  };

  uint64_t Random(uint64_t below) { return random_() % below; }
  std::string AnyFork() { return "fork-" + std::to_string(Random(3)); }
  std::string AnyPoint(const std::string &context);
  std::string Value();
  template <typename Request>
  void Set(Change *change, const std::string &method, Request *request);

  void Decide();
  bool DecideUpdate(Change *change, const std::string &context);
  bool DecidePoint(Change *change);
  bool DecidePin(Change *change);
  bool DecideDrop(Change *change);
  bool DecideRestore(Change *change);
  bool DecideFork(Change *change);
  bool DecideMerge(Change *change);
  bool DecidePurge(Change *change);

  bool Send(bool *ret_replayed);
  void Learn(const GrpcOutcome &outcome, bool *ret_replayed);
  template <typename Response>
  Response Answer(const GrpcOutcome &outcome, bool *ret_replayed);
  void Acknowledge();
  void Repeat(bool made);

  Model Read();
  Model ReadOnce();
  bool ReadHead(const std::string &id, Context *found);
  bool AwaitDrops(const std::string &id);
  bool ReadPoints(const std::string &id, Context *found);
  static std::string Differences(const Model &expected, const Model &found);
  static std::string Differences(const Context &expected, const Context &found);
  static std::string Differences(const Point &expected, const Point &found);

  std::mt19937_64 random_;
  std::string namespace_;
  uint64_t point_ids_ = 0;
  Model model_;
  std::unique_ptr<Change> pending_;
  std::unique_ptr<GrpcClient> client_;
};

#endif  // CX_TESTS_INTEGRATION_CRASH_KEEPER_H
