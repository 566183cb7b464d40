// contextd.v1.Tracker as a whole: registered, and what holds for each of its methods.

#include "tests/unit/services/tracker_fixture.h"

extern "C" {
#include "contextd/v1/tracker.pb-c.h"
#include "tests/support/fail_nth.h"
}

namespace {

struct Row {
  const char *method;
  std::string request;
};

class TrackerTest : public TrackerFixture {
 protected:
  // A world with a session, a context that it has active, and some of everything; the last
  // change is not durable. Every row below succeeds in it.
  void Prepare() {
    Kill();
    sim_disk_free(disk_);
    disk_ = sim_disk_new();
    options_.disk = sim_disk_base(disk_);
    ASSERT_EQ(CX_OK, Open());
    app_.engine = engine_;
    session_ = Start("create_if_missing {}");
    Activate(session_, "a");
    Ask("AcquireResource", On(session_, "a", "name: 'held'"));
    Record("a", "activities { file { path: 'f' } } activities { model { model: 'm' } }");
    Begin("AcquireResource", On(session_, "a", "name: 'last'"));
  }

  std::vector<Row> Rows() const {
    return {
        {"StartSession", "metadata { key: 'k' value: 'v' } default_context_id: 'a'"},
        {"RenewSession", "session_id: '" + session_ + "'"},
        {"EndSession", "session_id: '" + session_ + "'"},
        {"GetSession", "session_id: '" + session_ + "'"},
        {"ListSessions", ""},
        {"ActivateContext", On(session_, "a", "exclusive: true")},
        {"SwitchContext", On(session_, "b")},
        {"DeactivateContext", On(session_, "a")},
        {"GetContextStatus", "context_id: 'a'"},
        {"RecordActivities", "context_id: 'a' activities { type: 't' data: 'd' }"},
        {"ListActivities", "context_id: 'a' types: 'resource'"},
        {"OptimizeHistory", "context_id: 'a' max_count: 1"},
        {"TruncateHistory", "context_id: 'a' from_sequence: 3"},
        {"ListFiles", "context_id: 'a'"},
        {"SummarizeUsage", ""},
        {"AcquireResource", On(session_, "a", "name: 'r' metadata { key: 'k' value: 'v' }")},
        {"ReleaseResource", On(session_, "a", "name: 'held'")},
        {"ListResources", "context_id: 'a'"},
    };
  }

  std::string session_ = "s";
};

TEST_F(TrackerTest, HasARowForEachMethodOfTheApi) {
  const ProtobufCServiceDescriptor *declared = &contextd__v1__tracker__descriptor;
  ASSERT_EQ(declared->n_methods, service_->method_count);
  for (unsigned i = 0; i < declared->n_methods; i++) {
    EXPECT_STREQ(declared->methods[i].name, service_->methods[i].name);
  }
  EXPECT_EQ(declared->n_methods, Rows().size() + 1) << "all but Subscribe";
}

TEST_F(TrackerTest, AnswersNothingBeforeItIsDurable) {
  for (size_t i = 0; i < Rows().size(); i++) {
    Prepare();
    Row row = Rows()[i];
    SCOPED_TRACE(row.method);
    Call call = Begin(row.method, row.request);
    EXPECT_FALSE(call->ended());
    Settle();
    EXPECT_TRUE(call->ok()) << Outcome(*call);
  }
}

TEST_F(TrackerTest, TellsNoAbsenceBeforeItIsDurable) {
  for (const Row &row : std::vector<Row>{{"GetSession", "session_id: 's'"},
                                         {"RenewSession", "session_id: 's'"},
                                         {"GetContextStatus", "context_id: 'none'"},
                                         {"ListActivities", "context_id: 'none'"},
                                         {"SummarizeUsage", "context_id: 'none'"},
                                         {"ActivateContext", On("s", "none")}}) {
    Prepare();
    SCOPED_TRACE(row.method);
    std::string absent = row.request;
    if (absent.find("session_id") != absent.npos) {
      Begin("EndSession", "session_id: '" + session_ + "'");
      absent = ReplaceAll(absent, "'s'", "'" + session_ + "'");
    } else {
      ASSERT_EQ(CX_OK, Upsert("none", Mutations().Put("k", "v")).status);
      ASSERT_EQ(CX_OK, Delete("none").status);
    }
    Call call = Begin(row.method, absent);
    EXPECT_FALSE(call->ended());
    Settle();
    EXPECT_TRUE(call->ended());
  }
}

TEST_F(TrackerTest, SaysInsteadThatTheDiskFailed) {
  for (size_t i = 0; i < Rows().size(); i++) {
    Prepare();
    Row row = Rows()[i];
    SCOPED_TRACE(row.method);
    Call call = Begin(row.method, row.request);
    sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
    Settle();
    EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
    EXPECT_TRUE(call->messages.empty());
  }
}

TEST_F(TrackerTest, SaysThatThereIsNoMemoryWhicheverAllocationFails) {
  for (size_t i = 0; i < Rows().size(); i++) {
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
      ASSERT_LT(nth, 1000u);
      Prepare();
      Step();
      Row row = Rows()[i];
      SCOPED_TRACE(row.method);
      fail_nth fail;
      cx_call call(*service_, row.method, &app_);
      call.before_handler = [&] { fail_nth_begin(&fail, nth); };
      call.Begin(TextEncode(call.input->short_name, row.request));
      failed = fail_nth_end(&fail);
      Settle();
      EXPECT_TRUE(call.ended());
      if (failed && !call.ok()) {
        EXPECT_EQ("LIMIT_REACHED limit=memory", Outcome(call).substr(0, 26));
      }
    }
  }
}

TEST_F(TrackerTest, KeepsEverythingOverARestart) {
  Prepare();
  Activate(session_, "b", "exclusive: true");
  const std::vector<Row> reads = {
      {"GetSession", "session_id: '" + session_ + "'"},
      {"ListSessions", ""},
      {"GetContextStatus", "context_id: 'b'"},
      {"ListActivities", "context_id: 'a'"},
      {"ListFiles", "context_id: 'a'"},
      {"ListResources", "context_id: 'a'"},
      {"SummarizeUsage", "context_id: 'a'"},
      {"SummarizeUsage", ""},
  };
  Strings before;
  for (const Row &row : reads) before.push_back(Ask(row.method, row.request));
  Reopen();
  app_.engine = engine_;
  for (size_t i = 0; i < reads.size(); i++) {
    EXPECT_EQ(before[i], Ask(reads[i].method, reads[i].request)) << reads[i].method;
  }
}

TEST_F(TrackerTest, GivesEveryLiveSessionAFullTermAfterARestart) {
  std::string id = Start("ttl { seconds: 10 }");
  clock_.now_us += 9 * CX_SECOND_US;
  Reopen();
  app_.engine = engine_;
  clock_.now_us += 9 * CX_SECOND_US;
  Has(Ask("GetSession", "session_id: '" + id + "'"), "expire_time { seconds: 1700000019 }");
  clock_.now_us += CX_SECOND_US;
  Has(Ask("GetSession", "session_id: '" + id + "'"), "SESSION_NOT_FOUND");
}

}  // namespace
