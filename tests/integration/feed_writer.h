// A client of the subscribe loop that writes whatever there is to write, in one namespace
// that it shares with others: refusals belong to it. It keeps no model; that is the log.
//
// What is to end by itself (an expiry, a session) does so after 3 seconds at the latest.
//
// Threads: one.

#ifndef CX_TESTS_INTEGRATION_FEED_WRITER_H
#define CX_TESTS_INTEGRATION_FEED_WRITER_H

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/feed_world.h"

class FeedWriter {
 public:
  FeedWriter(int number, uint64_t seed, const std::string &namespace_id, FeedWorld *world);

  // Writes, over all lives of the server, until the load is over.
  void Run();

  // What was answered that no write of these may be. Empty: nothing.
  const std::string &wrong() const { return wrong_; }

 private:
  struct Session {
    std::string id;
    std::string context_id;  // That it activated last.
    uint64_t fence = 0;      // Of that, where it is exclusive.
  };

  uint64_t Random(uint64_t below) { return random_() % below; }
  bool OneIn(uint64_t count) { return Random(count) == 0; }
  std::string Words(size_t size);
  std::string Value();
  std::string Key();
  std::string SharedId() { return "c-" + std::to_string(Random(10)); }
  std::string OwnId(const std::string &kind) { return kind + "-" + std::to_string(number_); }
  Session *AnySession();

  void FillNew(api::NewContext *context);
  void FillMutation(api::Mutation *mutation);
  void FillActivity(api::Activity *activity);
  void FillUpdate(const std::string &id, api::UpdateContextRequest *request);
  void FillAuthor(const std::string &id, api::WriteOptions *write);

  // Each does one thing. False: the server is gone.
  bool Step();
  bool Create();
  bool Update();
  bool Batch();
  bool GrowDocument();
  bool PutMuch();
  bool Spread();
  bool Expire();
  bool Grow();
  bool Delete();
  bool History();
  bool Recover();
  bool Keep(const std::string &id);
  bool Restore(const std::string &id);
  bool Fork(const std::string &id);
  bool Merge(const std::string &id);
  bool StartSession();
  bool WorkInSession();
  bool Activate(Session *session);
  bool HoldResource(Session *session);
  bool EndSession(Session *session);

  // Sends a write, again in the next life if it has a request id and the server is gone.
  // `names`: of what it is an event of, when it has done anything.
  template <typename Response, typename Request>
  bool Write(const std::string &method, Request request, const std::vector<std::string> &names,
             Response *ret_response);
  bool Judge(const std::string &method, const GrpcOutcome &outcome);

  int number_;
  std::mt19937_64 random_;
  std::string namespace_;
  FeedWorld *world_;
  GrpcClient *client_ = nullptr;
  std::vector<Session> sessions_;
  std::map<std::string, std::string> documents_;  // By key.
  std::function<bool()> pending_;                 // Sends again what was not answered.
  std::string wrong_;
};

#endif  // CX_TESTS_INTEGRATION_FEED_WRITER_H
