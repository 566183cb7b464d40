// What streams of differences have in common: what server/services/diff_stream.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/limits.h"
#include "server/services/diff_stream.h"
}

namespace {

class DiffStreamTest : public ServiceFixture {
 protected:
  void SetUp() override {
    ServiceFixture::SetUp();
    Put("a", "k", "v");
    Put("b", "k", "w");
    stream_.send_next = CountMessage;
    call_.reset(new cx_call(cx_recovery_service, "SyncContext", &app_));
    cx_call_set_state(call_.get(), &stream_);
    Take("a", &stream_.before);
    Take("b", &stream_.after);
  }

  void Take(const char *id, cx_snapshot *snapshot) {
    cx_context_name name = {cx_bytes_of("default"), cx_bytes_of(id)};
    cx_state_at at = {};
    uint64_t wait_for;
    cx_error error;
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, snapshot, &wait_for, &error));
  }

  void TearDown() override {
    if (!call_->ended()) cx_diff_stream_end(call_.get());
    ServiceFixture::TearDown();
  }

  static void CountMessage(cx_call *call) {
    call->progress_name += "m";  // Nobody else sets it.
  }

  size_t made() const { return call_->progress_name.size(); }

  void ExpectReleased() {
    EXPECT_TRUE(call_->ended());
    EXPECT_EQ(nullptr, stream_.before.context);
    EXPECT_EQ(nullptr, stream_.after.context);
    EXPECT_EQ(nullptr, stream_.before.entries.root);
    EXPECT_EQ(nullptr, stream_.after.entries.root);
  }

  cx_diff_view view_ = {};
  cx_diff_stream stream_ = {};
  std::unique_ptr<cx_call> call_;
};

TEST_F(DiffStreamTest, BeginsWithTheFirstMessage) {
  cx_diff_stream_begin(call_.get(), &view_, CX_MIB);
  EXPECT_EQ(1u, made());
  EXPECT_EQ(0, call_->offloads);
}

TEST_F(DiffStreamTest, LimitsHowLongItsReaderMayDoNothing) {
  cx_diff_stream_begin(call_.get(), &view_, CX_MIB);
  EXPECT_EQ(app_.stream_stall_max_us, call_->stall_us);
}

TEST_F(DiffStreamTest, MakesMessagesOfLargeStatesOnAWorker) {
  stream_.after.size_bytes = CX_OFFLOAD_BYTES + 1;
  cx_diff_stream_go_on(call_.get());
  EXPECT_EQ(0u, made());
  EXPECT_EQ(1, call_->offloads);
  call_->run(call_.get());
  EXPECT_EQ(1u, made());
}

TEST_F(DiffStreamTest, HasTheMemoryOfAMessageAgainWhenItIsSent) {
  SyncContextResponse response = CONTEXTD__V1__SYNC_CONTEXT_RESPONSE__INIT;
  void *memory = cx_arena_alloc(&stream_.arena, 100);
  ASSERT_NE(nullptr, memory);
  cx_diff_stream_send(call_.get(), &response.base);
  EXPECT_TRUE(call_->sending);
  EXPECT_EQ(memory, cx_arena_alloc(&stream_.arena, 100));
}

TEST_F(DiffStreamTest, ReleasesWhatItHoldsAtItsEnd) {
  cx_diff_stream_end(call_.get());
  EXPECT_TRUE(call_->ok());
  ExpectReleased();
}

TEST_F(DiffStreamTest, ReleasesWhatItHoldsWhenMemoryRunsOut) {
  cx_diff_stream_out_of_memory(call_.get());
  EXPECT_EQ("LIMIT_REACHED limit=memory", Outcome(*call_));
  ExpectReleased();
}

TEST_F(DiffStreamTest, LeavesTheCallOfWhatWasReleasedToBeFailed) {
  cx_diff_stream_release(call_.get());
  EXPECT_FALSE(call_->ended());
  cx_call_finish(call_.get());
  ExpectReleased();
}

}  // namespace
