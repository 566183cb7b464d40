// What due.h promises: the first is always the one that is due first.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

#include <random>

namespace {

class DueTest : public StateFixture {
 protected:
  DueTest() {
    cx_namespace *totals;
    EXPECT_EQ(CX_OK, cx_namespaces_get(&state_.namespaces, cx_bytes_of("n"), &totals));
    for (int i = 0; i < 50; i++) {
      std::string id = std::to_string(i);
      cx_context *context;
      EXPECT_EQ(CX_OK, cx_context_new(totals, cx_bytes_of("n"), Bytes(id), {}, {}, &context));
      contexts_.push_back(context);
    }
    cx_namespace_unref(totals);
    times_us_.resize(contexts_.size());
  }
  ~DueTest() override {
    for (cx_context *context : contexts_) cx_context_unref(context);
    cx_due_done(&due_);
  }

  void Set(size_t index, int64_t time_us) {
    ASSERT_EQ(CX_OK, cx_due_reserve(&due_, 1));
    cx_due_set(&due_, &contexts_[index]->due, time_us);
    times_us_[index] = time_us;
  }

  // What is due first is what a look at all of them says.
  void ExpectFirst() {
    int64_t first_us = 0, found_us = 0;
    size_t count = 0;
    for (int64_t time_us : times_us_) {
      if (time_us == 0) continue;
      count++;
      first_us = first_us == 0 || time_us < first_us ? time_us : first_us;
    }
    cx_due_mark *found = cx_due_first(&due_, &found_us);
    ASSERT_EQ(count > 0, found != nullptr);
    EXPECT_EQ(count, due_.count);
    EXPECT_EQ(first_us, found_us);
    for (size_t i = 0; i < contexts_.size(); i++) {
      EXPECT_EQ(times_us_[i] != 0, contexts_[i]->due.place != 0);
      if (&contexts_[i]->due == found) {
        EXPECT_EQ(first_us, times_us_[i]);
      }
    }
  }

  cx_due due_ = {};
  std::vector<cx_context *> contexts_;
  std::vector<int64_t> times_us_;
};

TEST_F(DueTest, TellsTheFirstThroughAnyChanges) {
  const unsigned seed = 11;
  std::mt19937 random(seed);
  for (int round = 0; round < 5000; round++) {
    Set(random() % contexts_.size(), random() % 4 == 0 ? 0 : 1 + random() % 1000);
    ExpectFirst();
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST_F(DueTest, IsEmptyOnceAllAreTakenOutInOrder) {
  int64_t last_us = 0, time_us;
  for (size_t i = 0; i < contexts_.size(); i++) Set(i, static_cast<int64_t>(1 + i * 37 % 50));
  while (cx_due_mark *first = cx_due_first(&due_, &time_us)) {
    EXPECT_LE(last_us, time_us);
    last_us = time_us;
    cx_due_set(&due_, first, 0);
  }
  EXPECT_EQ(0u, due_.count);
  cx_due_set(&due_, &contexts_[0]->due, 0);  // Never, as before.
  EXPECT_EQ(0u, due_.count);
}

TEST_F(DueTest, SetsWithoutMemoryOnceItIsReserved) {
  struct fail_nth fail;
  ASSERT_EQ(CX_OK, cx_due_reserve(&due_, contexts_.size()));
  fail_nth_begin(&fail, 1);
  for (cx_context *context : contexts_) cx_due_set(&due_, &context->due, 5);
  EXPECT_FALSE(fail_nth_end(&fail));
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_due_reserve(&due_, 1000));
  fail_nth_end(&fail);
  EXPECT_EQ(contexts_.size(), due_.count);
}

}  // namespace
