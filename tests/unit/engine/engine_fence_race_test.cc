// Sixteen threads race for a few contexts: they activate, take over, write with the fences that
// they once had, give up, fall silent until their sessions are lost, and come back. Afterwards
// the log is read like a judge reads the minutes: whoever wrote with a fence had that very
// activation at that moment.
//
// Each write says in its own bytes which fence it carried, so that the log alone tells.

#include "tests/unit/engine/tracking_fixture.h"

#include <atomic>
#include <random>
#include <thread>

namespace {

constexpr int kThreads = 16;
constexpr int kOperations = 1000;  // Of each thread.
constexpr int64_t kTick = CX_SESSION_TTL_US_MIN / 100;

// Follows the log, record by record, with nothing but what it says.
class Judge {
 public:
  struct Counts {
    uint64_t fenced, unfenced, takeovers, lost, batches;
  };

  void Hear(const cx_change &change, uint64_t revision) {
    SCOPED_TRACE("revision " + std::to_string(revision));
    if (change.session.step == CX_SESSION_START) sessions_.insert(NameOf(change));
    counts_.batches += change.item_count == 2 && IsWrite(change.items[1]);
    for (size_t i = 0; i < change.item_count; i++) HearItem(change.items[i]);
    if (change.session.step == CX_SESSION_END || change.session.step == CX_SESSION_LOSE) {
      EXPECT_EQ(1u, sessions_.erase(NameOf(change)));
      for (const auto &each : in_force_) EXPECT_NE(NameOf(change), each.second.session);
      counts_.lost += change.session.step == CX_SESSION_LOSE;
    }
  }

  const Counts &counts() const { return counts_; }

 private:
  // The exclusive activation of a context. Zeroed: none.
  struct InForce {
    std::string session;
    uint64_t fence = 0;
    bool guard = false;
  };

  static std::string NameOf(const cx_change &change) { return Text(change.session.start.name.id); }

  static bool IsWrite(const cx_change_item &item) {
    return item.op_count > 0 && item.ops[0].kind == CX_MUTATION_PUT;
  }

  void HearItem(const cx_change_item &item) {
    InForce &in_force = in_force_[Text(item.id)];
    std::string author = Text(item.session_id);
    if (!author.empty()) {
      EXPECT_EQ(1u, sessions_.count(author)) << "a session that has ended did something";
    }
    for (size_t i = 0; i < item.op_count; i++) HearWrite(item.ops[i], in_force);
    if (item.kind == CX_ITEM_DELETE && in_force.guard) {
      EXPECT_EQ(in_force.session, author) << "a guarded context was deleted by another";
    }
    for (size_t i = 0; i < item.activation_count; i++) {
      HearActivation(item.activations[i], Text(item.id), author, &in_force);
    }
    if (item.kind == CX_ITEM_DELETE) {
      EXPECT_EQ(0u, in_force.fence) << "it outlived its context";
    }
  }

  // The fence that a write carried must be the one in force; one that carried none must have
  // met no guard.
  void HearWrite(const cx_op &op, const InForce &in_force) {
    uint64_t fence;
    if (op.kind == CX_MUTATION_PUT) {
      fence = std::stoull(Text(op.value));
    } else if (op.activity->detail.kind != CX_DETAIL_RESOURCE) {
      fence = std::stoull(Text(op.activity->data));
    } else if (op.activity->detail.resource.step == CX_RESOURCE_ACQUIRED) {
      fence = std::stoull(Text(op.activity->detail.resource.name));
    } else {
      return;  // What is given back needs no fence.
    }
    if (fence != 0) {
      EXPECT_EQ(in_force.fence, fence) << "a write with a stale fence was applied";
      counts_.fenced++;
    } else {
      EXPECT_FALSE(in_force.guard) << "a write without a fence passed a guard";
      counts_.unfenced++;
    }
  }

  void HearActivation(const cx_activation_step &step, const std::string &context,
                      const std::string &author, InForce *in_force) {
    std::string session = Text(step.session_id);
    bool is_holder = session == in_force->session;
    if (!step.active) {
      counts_.takeovers += is_holder && session != author;
      if (is_holder) *in_force = {};
    } else if (step.fence == 0) {
      if (is_holder) *in_force = {};
    } else {
      EXPECT_TRUE(in_force->fence == 0 || is_holder) << "two at once";
      EXPECT_EQ(fences_[context] + 1, step.fence) << "the next fence, never one that was";
      fences_[context] = step.fence;
      *in_force = {session, step.fence, step.guard};
    }
  }

  std::set<std::string> sessions_;
  std::map<std::string, InForce> in_force_;
  std::map<std::string, uint64_t> fences_;
  Counts counts_ = {};
};

class EngineFenceRaceTest : public TrackingFixture {
 protected:
  // A client: it remembers fences for as long as it likes.
  class Client {
   public:
    Client(EngineFenceRaceTest *test, int number)
        : test_(*test), number_(number), random_(static_cast<uint64_t>(number)) {}

    void Work() {
      for (int i = 0; i < kOperations; i++) {
        test_.clock_.now_us += kTick;
        Check(Operate("c" + std::to_string(random_() % 3)));
      }
    }

   private:
    bool OneIn(uint64_t count) { return random_() % count == 0; }

    Outcome Operate(const std::string &context) {
      uint64_t fence = OneIn(8) ? 0 : fences_[context];
      cx_author author = OneIn(4) ? Fenced(fence) : By(session_, fence);
      if (session_.empty()) return StartAnew();
      switch (random_() % 16) {
        case 0:
        case 1:
          return Activate(context);
        case 2:
          return OneIn(2) ? test_.Renew(session_) : Fall();
        case 3:
          return test_.Deactivate(session_, context);
        case 4:
          return test_.Activate(session_, context);
        case 5:
          return OneIn(2) ? test_.Switch(session_, context) : Leave();
        case 6:
          return test_.Acquire(session_, context, std::to_string(fence), "", fence);
        case 7:
          return test_.Release(session_, context, std::to_string(fence));
        case 8:
          return OneIn(4) ? Delete(context) : Look(context);
        case 9:
          return test_.Record(context, {Activity("m", std::to_string(fence))}, author);
        case 10:
          return Both(context);
        case 11:
          return test_.Renew(session_);
        default:
          return test_.UpdateAs(author, context, Mutations().Put("k", std::to_string(fence)), {},
                                &create_);
      }
    }

    // Whoever looks sees something whole, whatever goes on.
    Outcome Look(const std::string &context) {
      switch (random_() % 6) {
        case 0:
          return test_.GetStatus(context);
        case 1:
          return test_.GetSession(session_);
        case 2:
          return test_.Resources(context);
        case 3:
          return test_.Activities(context);
        case 4:
          return test_.Optimize(context, Keep(20));
        default:
          return List();
      }
    }

    Outcome List() {
      Outcome outcome = {};
      cx_session_page page;
      cx_session_query query = {Bytes(test_.namespace_), {}, 0, 100};
      outcome.status = cx_engine_list_sessions(test_.engine_, &query, &page,
                                               &outcome.write.wait_for, &outcome.error);
      for (size_t i = 1; i < page.count; i++) {
        EXPECT_LT(page.rows[i - 1]->start_revision, page.rows[i]->start_revision);
      }
      cx_session_page_done(&page);
      return outcome;
    }

    // The timer may come by at any time.
    Outcome Fall() {
      cx_engine_run_leases(test_.engine_, static_cast<unsigned>(random_() % CX_SHARDS));
      return {};
    }

    Outcome Leave() {
      std::string leaving;
      leaving.swap(session_);
      return OneIn(2) ? test_.End(leaving) : Outcome{};
    }

    // The request id makes the session's id: the tests' randomness is for one thread.
    Outcome StartAnew() {
      cx_session_start_request start =
          Term(CX_SESSION_TTL_US_MIN * static_cast<int64_t>(1 + random_() % 4));
      start.create_if_missing = &create_;
      std::string request_id = std::to_string(number_) + "/" + std::to_string(++started_);
      Shown shown = test_.Start(start, request_id);
      session_ = shown.session.id;
      return shown;
    }

    Outcome Activate(const std::string &context) {
      const How ways[] = {kExclusive, kTakeover, kGuard, kTakeoverGuard};
      Activated activated = test_.Activate(session_, context, ways[random_() % 4]);
      if (activated.status == CX_OK) {
        fences_[context] = activated.activation.fence;
        holders_[context] = session_;
      }
      return activated;
    }

    // Its bytes say nothing of a fence: so that it tells whose it was, it carries none but one of
    // this session.
    Outcome Delete(const std::string &context) {
      bool is_own = session_ == holders_[context];
      return test_.DeleteAs(By(session_, is_own ? fences_[context] : 0), context);
    }

    // Writes to two contexts in one change, each with its own fence.
    Outcome Both(const std::string &context) {
      std::string ids[] = {context, context == "c0" ? "c1" : "c0"};
      Outcome outcome = {};
      Mutations puts[2];
      cx_update_request requests[2] = {};
      cx_write_outcome outcomes[2];
      size_t index;
      for (int i = 0; i < 2; i++) {
        puts[i].Put("k", std::to_string(fences_[ids[i]]));
        requests[i].name = {Bytes(test_.namespace_), Bytes(ids[i])};
        requests[i].mutations = puts[i].list().data();
        requests[i].mutation_count = 1;
        requests[i].author = By(session_, fences_[ids[i]]);
      }
      outcome.status =
          cx_engine_update_atomic(test_.engine_, requests, 2, {}, outcomes, &index, &outcome.error);
      return outcome;
    }

    // Only what can happen to a client that does as these do.
    void Check(const Outcome &outcome) {
      static const std::set<std::string> kExpected = {
          "",           "SESSION_NOT_FOUND", "CONTEXT_NOT_FOUND", "STALE_FENCE", "CONTEXT_BUSY",
          "NOT_ACTIVE", "RESOURCE_HELD",     "RESOURCE_NOT_HELD", "OVERLOADED"};
      EXPECT_EQ(1u, kExpected.count(outcome.reason())) << outcome.reason();
      if (outcome.reason() == "STALE_FENCE") test_.stale_count_++;
      if (outcome.reason() == "SESSION_NOT_FOUND" && OneIn(2)) session_.clear();
    }

    EngineFenceRaceTest &test_;
    int number_;
    std::mt19937_64 random_;
    std::string session_;
    int started_ = 0;
    std::map<std::string, uint64_t> fences_;
    std::map<std::string, std::string> holders_;
    cx_new_context create_ = {};
  };

  // Reads the whole log to the judge.
  void ReadLog(Judge *judge) {
    uint64_t tail = engine_->log->ops->tail(engine_->log).revision;
    auto hear = [](void *arg, const cx_log_record *record) {
      cx_arena arena = {};
      cx_change change;
      cx_status status = cx_change_decode(record->payload, &arena, &change);
      if (status == CX_OK && change.kind == CX_CHANGE_CONTEXTS) {
        static_cast<Judge *>(arg)->Hear(change, record->revision);
      }
      cx_arena_done(&arena);
      return status;
    };
    EXPECT_EQ(CX_OK, engine_->log->ops->read(engine_->log, 1, tail, hear, judge));
  }

  std::atomic<uint64_t> stale_count_{0};
};

TEST_F(EngineFenceRaceTest, AppliesNoWriteWithAStaleFence) {
  std::vector<std::thread> threads;
  Judge judge;
  ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  ASSERT_EQ(CX_OK, cx_engine_start(engine_, &events_));
  for (int i = 0; i < kThreads; i++) {
    threads.emplace_back([this, i] { Client(this, i).Work(); });
  }
  for (std::thread &thread : threads) thread.join();
  cx_engine_stop(engine_);
  ReadLog(&judge);

  EXPECT_GT(stale_count_, 100u) << "the race was none";
  EXPECT_GT(judge.counts().fenced, 100u);
  EXPECT_GT(judge.counts().unfenced, 20u);
  EXPECT_GT(judge.counts().takeovers, 20u);
  EXPECT_GT(judge.counts().lost, 20u);
  EXPECT_GT(judge.counts().batches, 0u);
  RecordProperty("fenced", std::to_string(judge.counts().fenced));
  RecordProperty("stale", std::to_string(stale_count_));

  uint64_t digest = Digest();
  Close();
  ASSERT_EQ(CX_OK, Open()) << open_error_.message;
  EXPECT_EQ(digest, Digest()) << "a restart finds what they left";
}

}  // namespace
