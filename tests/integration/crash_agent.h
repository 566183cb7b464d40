// A client of the crash loop that works as agents do: two sessions that take one context
// from each other, write under its fence, record what they do and hold a resource each.
//
// It has a namespace of its own, and keeps a copy of what the server must hold. The change
// that was under way when the server died may have been made or not, as a whole.
//
// Threads: one at a time.

#ifndef CX_TESTS_INTEGRATION_CRASH_AGENT_H
#define CX_TESTS_INTEGRATION_CRASH_AGENT_H

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/support/grpc_client.h"

class CrashAgent {
 public:
  CrashAgent(int number, uint64_t seed);

  // Works until the server is gone; tells of each change that was acknowledged.
  void Run(const std::string &address, const std::function<void()> &acknowledged);

  // Compares what the server holds with what was acknowledged, and repeats what was not.
  // `started_s`: a time at or before the server's start.
  void Check(const std::string &address, int64_t started_s);

 private:
  static constexpr int kSessions = 2;
  static constexpr int kNobody = -1;

  // One session, by its place.
  struct Session {
    std::string id;        // Empty: there is none.
    std::string resource;  // That it holds. Empty: none.

    bool operator==(const Session &other) const {
      return id == other.id && resource == other.resource;
    }
  };

  // What the server must hold.
  struct Model {
    std::array<Session, kSessions> sessions;
    int holder = kNobody;  // Who has the context exclusively, and guarded.
    uint64_t fence = 0;
    uint64_t version = 0;
    std::string value;
    uint64_t last_sequence = 0;
    std::map<uint64_t, std::string> history;  // By sequence, as Describe() puts it.
    uint64_t call_count = 0;
    uint64_t cost_micros = 0;

    bool operator==(const Model &other) const;
    void Add(const std::string &activity) { history[++last_sequence] = activity; }
  };

  // A change that is under way, and what it leads to.
  struct Change {
    std::string method;
    std::string request;
    std::string answer;    // A part of the answer.
    int starts = kNobody;  // The place of the session that it starts.
    Model after;
  };

  uint64_t Random(uint64_t below) { return random_() % below; }
  std::string Words();
  std::string OnContext() const;
  std::string WriteAs(int session);

  void Decide();
  void DecideStart(Change *change, int session);
  void DecideTake(Change *change, int session);
  void DecideEnd(Change *change, int session);
  void DecideResource(Change *change, int session);
  void DecideWrite(Change *change);
  void DecideRecord(Change *change);
  void DecideTruncate(Change *change);

  bool Send(bool *ret_replayed);
  void Acknowledge();
  void Repeat(bool made);
  void RefusesOthers();
  void EndedStayEnded();

  template <typename Message>
  std::unique_ptr<Message, std::function<void(Message *)>> Ask(
      const std::string &method, const std::string &request,
      Message *(*unpack)(ProtobufCAllocator *, size_t, const uint8_t *),
      void (*release)(Message *, ProtobufCAllocator *));
  std::string Reason(const std::string &method, const std::string &request);
  Model Read(int64_t started_s);
  void ReadSessions(Model *found, int64_t started_s);
  void ReadStatus(Model *found);
  void ReadContext(Model *found);
  void ReadHistory(Model *found);
  void ReadUsage(Model *found);
  void ReadResources(Model *found);

  std::mt19937_64 random_;
  std::string namespace_;
  Model model_;
  std::unique_ptr<Change> pending_;
  std::vector<std::string> ended_;  // Sessions.
  std::unique_ptr<GrpcClient> client_;
};

#endif  // CX_TESTS_INTEGRATION_CRASH_AGENT_H
