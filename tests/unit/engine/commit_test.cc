// What commit.h promises, over a log that does as the test says.

#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "core/base/limits.h"
#include "core/engine/commit.h"
}

namespace {

// A log that only notes what it gets.
struct FakeLog {
  cx_log base = {&kOps};  // First, so that the casts below hold.
  cx_reason admitted = CX_REASON_NONE;
  cx_status appended = CX_OK;
  cx_log_position tail_position = {7, 0};
  std::vector<std::pair<uint64_t, size_t>> batches;  // First revision, count.
  std::vector<int64_t> times_us;

  static FakeLog *Of(cx_log *log) { return reinterpret_cast<FakeLog *>(log); }
  static cx_reason Admit(cx_log *log, size_t) { return Of(log)->admitted; }
  static cx_log_position Tail(cx_log *log) { return Of(log)->tail_position; }

  static cx_status Append(cx_log *log, cx_log_position prev, cx_log_batch *batch,
                          cx_log_position *ret_tail) {
    FakeLog *self = Of(log);
    EXPECT_EQ(self->tail_position.revision, prev.revision);
    EXPECT_EQ(prev.revision + 1, batch->first) << "no gaps";
    if (self->appended != CX_OK) return self->appended;
    self->batches.push_back({batch->first, batch->count});
    self->tail_position.revision = batch->first + batch->count - 1;
    *ret_tail = self->tail_position;
    return CX_OK;
  }

  static const cx_log_ops kOps;
};

const cx_log_ops FakeLog::kOps = {Admit, Append, nullptr, nullptr, nullptr, Tail, nullptr};

class CommitTest : public testing::Test {
 protected:
  CommitTest() { cx_commit_init(&commit_, &log_.base, 1000); }
  ~CommitTest() override { cx_commit_done(&commit_); }

  cx_reason Append(const std::string &payload = "x", int64_t now_us = 2000) {
    return cx_commit_append(&commit_,
                            {reinterpret_cast<const uint8_t *>(payload.data()), payload.size()},
                            now_us, &revision_, &time_us_);
  }

  bool Wait(uint64_t revision, cx_waiter *waiter) {
    return cx_commit_wait(&commit_, revision, waiter, &failed_);
  }

  // The waiters that one step completes.
  std::vector<cx_work *> Step(cx_status expected = CX_OK) {
    cx_work *done = nullptr;
    EXPECT_EQ(expected, cx_commit_step(&commit_, &done));
    return List(done);
  }

  static std::vector<cx_work *> List(cx_work *work) {
    std::vector<cx_work *> list;
    for (; work != nullptr; work = work->next) list.push_back(work);
    return list;
  }

  FakeLog log_;
  cx_commit commit_;
  uint64_t revision_ = 0;
  int64_t time_us_ = 0;
  bool failed_ = false;
};

TEST_F(CommitTest, GoesOnBehindTheLastRecordWithoutGaps) {
  for (uint64_t i = 8; i < 11; i++) {
    ASSERT_EQ(CX_REASON_NONE, Append());
    EXPECT_EQ(i, revision_);
  }
  EXPECT_EQ(10u, cx_commit_revision(&commit_));
  EXPECT_EQ(7u, cx_commit_durable(&commit_));
  Step();
  EXPECT_EQ(10u, cx_commit_durable(&commit_));
  EXPECT_EQ((std::vector<std::pair<uint64_t, size_t>>{{8, 3}}), log_.batches) << "one batch";
  Step();
  EXPECT_EQ(1u, log_.batches.size()) << "nothing to write";
}

TEST_F(CommitTest, NeverLetsTimeGoBack) {
  ASSERT_EQ(CX_REASON_NONE, Append("x", 500));
  EXPECT_EQ(1000, time_us_);
  ASSERT_EQ(CX_REASON_NONE, Append("x", 3000));
  ASSERT_EQ(CX_REASON_NONE, Append("x", 2000));
  EXPECT_EQ(3000, time_us_);
  Step();
}

TEST_F(CommitTest, CompletesWaitersInOrderAndThoseThatAreDueAlone) {
  cx_waiter first = {}, second = {}, third = {};
  Append();
  EXPECT_TRUE(Wait(7, &first));
  EXPECT_FALSE(Wait(8, &first));
  EXPECT_FALSE(Wait(8, &second));
  EXPECT_EQ((std::vector<cx_work *>{&first.work, &second.work}), Step());
  EXPECT_EQ(CX_OK, first.status);
  Append();
  EXPECT_FALSE(Wait(9, &third));
  EXPECT_EQ((std::vector<cx_work *>{&third.work}), Step());
}

TEST_F(CommitTest, RefusesWhatTheLogDoesNotAdmitAndNothingHasHappened) {
  for (cx_reason reason : {CX_REASON_STORAGE_FULL, CX_REASON_OVERLOADED}) {
    log_.admitted = reason;
    EXPECT_EQ(reason, Append());
    EXPECT_EQ(7u, cx_commit_revision(&commit_));
  }
  log_.admitted = CX_REASON_NONE;
  ASSERT_EQ(CX_REASON_NONE, Append());
  EXPECT_EQ(8u, revision_);
}

TEST_F(CommitTest, IsOverloadedWhileTooMuchWaitsForTheWriter) {
  std::string payload(8 * CX_MIB, 'x');
  cx_reason reason = CX_REASON_NONE;
  for (int i = 0; i < 100 && reason == CX_REASON_NONE; i++) reason = Append(payload);
  EXPECT_EQ(CX_REASON_OVERLOADED, reason);
  EXPECT_LE(commit_.pending_bytes, CX_LOG_PENDING_BYTES_MAX);
  Step();
  EXPECT_EQ(0u, commit_.pending_bytes);
  EXPECT_EQ(CX_REASON_NONE, Append(payload));
}

TEST_F(CommitTest, GivesTheMemoryOfALargeBufferBack) {
  ASSERT_EQ(CX_REASON_NONE, Append(std::string(20 * CX_MIB, 'x')));
  Step();
  EXPECT_GE(commit_.writing.frames.capacity, 20 * CX_MIB);
  Step();
  EXPECT_EQ(0u, commit_.writing.frames.capacity + commit_.filling.frames.capacity);
  ASSERT_EQ(CX_REASON_NONE, Append());
  Step();
  size_t kept = commit_.writing.frames.capacity;
  Step();
  EXPECT_EQ(kept, commit_.filling.frames.capacity) << "a small one stays";
}

TEST_F(CommitTest, FailsEverybodyAfterAFailureAndAcceptsNothingMore) {
  cx_waiter waiter = {}, late = {};
  Append();
  EXPECT_FALSE(Wait(8, &waiter));
  log_.appended = CX_UNAVAILABLE;
  EXPECT_EQ((std::vector<cx_work *>{&waiter.work}), Step(CX_UNAVAILABLE));
  EXPECT_EQ(CX_UNAVAILABLE, waiter.status);
  EXPECT_EQ(CX_REASON_STORAGE_FAILED, Append());
  EXPECT_FALSE(Wait(8, &late));
  EXPECT_TRUE(failed_);
  EXPECT_EQ(CX_UNAVAILABLE, late.status);
  EXPECT_TRUE(Wait(7, &late)) << "what was durable stays so";
  EXPECT_FALSE(cx_commit_await(&commit_));
}

TEST_F(CommitTest, FailsEverybodyAfterAFailureElsewhere) {
  cx_waiter waiter = {};
  cx_work *done;
  Append();
  EXPECT_FALSE(Wait(8, &waiter));
  cx_commit_fail(&commit_, &done);
  EXPECT_EQ((std::vector<cx_work *>{&waiter.work}), List(done));
  EXPECT_EQ(CX_UNAVAILABLE, waiter.status);
  EXPECT_EQ(CX_REASON_STORAGE_FAILED, Append());
}

TEST_F(CommitTest, EndsTheWriterOnceAllIsWritten) {
  Append();
  cx_commit_stop(&commit_);
  EXPECT_TRUE(cx_commit_await(&commit_)) << "there is something left";
  Step();
  EXPECT_FALSE(cx_commit_await(&commit_));
  EXPECT_NE(CX_REASON_NONE, Append());
}

}  // namespace
