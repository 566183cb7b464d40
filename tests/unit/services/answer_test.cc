// What server/services/answer.h promises, for every method: whatever it says is durable
// by then, and what it holds is released on every path.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/answer.h"
#include "tests/support/fail_nth.h"
}

namespace {

class AnswerTest : public ServiceFixture {
 protected:
  struct Row {
    const char *method;
    const char *request;
  };

  // Each reads or writes `a`, whose last change is not durable.
  static std::vector<Row> Rows() {
    return {
        {"CreateContext",
         "context_id: 'new' mutations { put_entry { key: 'k' value: 'v' } } "
         "properties { metadata { key: 'k' } }"},
        {"CreateContext", "context_id: 'a'"},
        {"GetContext", "state { context_id: 'a' } keys: 'k' keys: 'l'"},
        {"GetContext", "state { context_id: 'a' version: 99 }"},
        {"ReadEntries", "state { context_id: 'a' }"},
        {"ListContexts", "page_size: 1"},
        {"ListContexts", "metadata { key: 'k' value: 'v' } view: CONTEXT_VIEW_FULL"},
        {"UpdateContext",
         "context_id: 'a' mutations { put_entry { key: 'k' value: 'w' } } "
         "create_if_missing { metadata { key: 'k' } } "
         "preconditions { context_version: 1 }"},
        {"UpdateContext",
         "context_id: 'a' mutations { put_entry { key: 'k' value: 'w' } } "
         "preconditions { context_version: 99 }"},
        {"DeleteContext", "context_id: 'a' preconditions { context_version: 1 }"},
        {"DeleteContext", "context_id: 'a' preconditions { context_version: 99 }"},
        {"BatchGetContexts",
         "requests { state { context_id: 'a' } } "
         "requests { state { context_id: 'missing' } }"},
        {"BatchUpdateContexts",
         "requests { context_id: 'a' mutations { put_entry { key: 'k' } } } requests {}"},
        {"BatchUpdateContexts",
         "atomic: true requests { context_id: 'a' mutations { put_entry { "
         "key: 'k' } } }"},
        {"ListNamespaces", ""},
    };
  }

  void PutUndurable() { ASSERT_EQ(CX_OK, Upsert("a", Mutations().Put("k", "v")).status); }
};

TEST_F(AnswerTest, WaitsUntilWhatItSaysIsDurable) {
  for (const Row &row : Rows()) {
    SCOPED_TRACE(std::string(row.method) + " " + row.request);
    Ask("DeleteContext", "context_id: 'a' allow_missing: true purge: true");
    PutUndurable();
    Call call = Begin(row.method, row.request);
    EXPECT_FALSE(call->ended());
    EXPECT_TRUE(call->messages.empty());
    Settle();
    EXPECT_TRUE(call->ended() || !call->messages.empty());
  }
}

TEST_F(AnswerTest, SaysInsteadThatTheDiskFailed) {
  for (const Row &row : Rows()) {
    SCOPED_TRACE(std::string(row.method) + " " + row.request);
    Kill();
    sim_disk_free(disk_);
    disk_ = sim_disk_new();
    options_.disk = sim_disk_base(disk_);
    ASSERT_EQ(CX_OK, Open());
    app_.engine = engine_;
    PutUndurable();
    Call call = Begin(row.method, row.request);
    sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
    Settle();
    EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
    EXPECT_TRUE(call->messages.empty());
  }
}

TEST_F(AnswerTest, SaysThatThereIsNoMemoryWhicheverAllocationFails) {
  for (const Row &row : Rows()) {
    SCOPED_TRACE(std::string(row.method) + " " + row.request);
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
      ASSERT_LT(nth, 1000u);
      Ask("DeleteContext", "context_id: 'a' allow_missing: true purge: true");
      Ask("DeleteContext", "context_id: 'new' allow_missing: true purge: true");
      PutUndurable();
      Step();
      fail_nth fail;
      cx_call call(*service_, row.method, &app_);
      call.before_handler = [&] { fail_nth_begin(&fail, nth); };
      call.Begin(TextEncode(call.input->short_name, row.request));
      failed = fail_nth_end(&fail);
      Settle();
      while (call.sending) call.Sent();
      EXPECT_TRUE(call.ended());
      if (failed && !call.ok() && call.error.reason == CX_REASON_LIMIT_REACHED) {
        EXPECT_EQ(0u, Outcome(call).find("LIMIT_REACHED limit=memory"));
      }
    }
  }
}

TEST_F(AnswerTest, EndsAStreamOfUpdatesWhicheverAllocationFails) {
  bool failed = true;
  for (size_t nth = 1; failed; nth++) {
    ASSERT_LT(nth, 1000u);
    fail_nth fail;
    cx_call call(*service_, "StreamUpdates", &app_);
    call.Begin("");
    call.before_handler = [&] { fail_nth_begin(&fail, nth); };
    call.Receive(TextEncode("StreamUpdatesRequest",
                            "updates { context_id: 'a' mutations { put_entry { key: 'k' } } "
                            "create_if_missing {} } updates {}"));
    failed = fail_nth_end(&fail);
    Settle();
    while (call.sending) call.Sent();
    if (!call.ended()) call.ReceiveEnd();
    EXPECT_TRUE(call.ended());
    if (failed && !call.ok()) {
      EXPECT_EQ("LIMIT_REACHED limit=memory", Outcome(call));
    }
  }
}

}  // namespace
