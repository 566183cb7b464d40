// A subscriber of the subscribe loop: consumes events exactly once, as docs/events.md says,
// over broken streams and lives of the server, and keeps a record of what it was told.
//
// It leaves at random and goes on with the cursor of any event of the last message.
//
// Threads: one; what it has is looked at when that has ended.

#ifndef CX_TESTS_INTEGRATION_FEED_SUBSCRIBER_H
#define CX_TESTS_INTEGRATION_FEED_SUBSCRIBER_H

#include <random>
#include <string>
#include <vector>

#include "tests/integration/feed_check.h"
#include "tests/integration/feed_world.h"

struct FeedPlan {
  std::string name;
  api::SubscribeRequest request;  // Without a cursor.
  bool from_list = false;         // It begins with the cursor of a list.
  bool late = false;  // It begins when there is something already.
  bool slow = false;
  bool anew = false;   // Now and then it begins from the beginning.
  bool quiet = false;  // It never leaves, until nothing is left that ends by itself.
};

class FeedSubscriber {
 public:
  FeedSubscriber(const FeedPlan &plan, uint64_t seed, FeedWorld *world, FeedTexts *texts);

  // Consumes until the world is finished and all has been told.
  void Run();

  // One for each time that it began.
  std::vector<FeedRecord> TakeRecords();

  // Whether what it built is what `whole`, made of all events, has of its selection. Returns
  // what is not; empty: nothing, or it builds nothing.
  std::string CompareView(const FeedView &whole) const;

  const FeedView &view() const { return view_; }

  // What should not have been. Empty: nothing.
  const std::string &wrong() const { return wrong_; }

 private:
  enum class Next { kGoOn, kLeave, kServerGone };

  uint64_t Random(uint64_t below) { return random_() % below; }
  bool OneIn(uint64_t count) { return Random(count) == 0; }
  void Begin();
  bool Builds() const;
  bool IsDone() const;

  // One stream. False: the server is gone.
  bool Attach();
  bool ChooseStart(api::SubscribeRequest *request);
  bool Read(GrpcCall *call);
  bool Ended(GrpcCall *call);
  Next Take(const api::SubscribeResponse &response, bool leave);
  Next TakeEvents(const api::EventBatch &batch, bool leave);
  Next TakeEvent(const api::Event &part);
  Next TakeMark(const std::string &cursor);
  bool ReadAnew(const std::string &id);
  void Build(const api::Event &event);
  void Keep(const api::Event &event);
  void Wrong(const std::string &what);

  FeedPlan plan_;
  FeedFilter filter_;
  std::mt19937_64 random_;
  FeedWorld *world_;
  FeedTexts *texts_;
  std::unique_ptr<GrpcClient> client_;

  std::string cursor_;
  FeedJoiner joiner_;
  FeedView view_;
  FeedRecord record_;
  std::vector<FeedRecord> earlier_;
  bool caught_up_ = false;  // In this stream.
  bool finishes_ = false;   // This stream is the last one, once it has caught up.
  bool done_ = false;
  std::string wrong_;
};

#endif  // CX_TESTS_INTEGRATION_FEED_SUBSCRIBER_H
