// What server/services/draft.h promises.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/draft.h"
#include "tests/support/fail_nth.h"
}

namespace {

class DraftTest : public testing::Test {
 protected:
  ~DraftTest() override { cx_arena_done(&arena_); }

  cx_arena arena_ = {};
  cx_draft draft_ = {cx_allocator_of_arena(&arena_), false};
};

TEST_F(DraftTest, CopiesWhatItIsGiven) {
  std::string text = "text";
  char *copy = cx_draft_text(&draft_, Bytes(text));
  text = "gone";
  EXPECT_STREQ("text", copy);
  EXPECT_STREQ("", cx_draft_text(&draft_, {}));
  EXPECT_EQ(1, cx_draft_time(&draft_, 1000000)->seconds);
  EXPECT_EQ(nullptr, cx_draft_time(&draft_, 0));
  EXPECT_FALSE(draft_.failed);
}

TEST_F(DraftTest, MakesEntriesOfTheTypeOfTheMap) {
  cx_label labels[] = {{cx_bytes_of("a"), cx_bytes_of("1")}, {cx_bytes_of("b"), cx_bytes_of("")}};
  const auto *type = &contextd__v1__session__metadata_entry__descriptor;
  size_t count;
  auto **entries = static_cast<Label **>(cx_draft_labels(&draft_, type, labels, 2, &count));
  ASSERT_EQ(2u, count);
  EXPECT_EQ(type, entries[1]->base.descriptor);
  EXPECT_STREQ("b", entries[1]->key);
  EXPECT_STREQ("", entries[1]->value);
  EXPECT_EQ(nullptr, cx_draft_labels(&draft_, type, nullptr, 0, &count));
  EXPECT_EQ(0u, count);
}

TEST_F(DraftTest, SaysAtItsEndThatThereWasNoMemory) {
  cx_label label = {cx_bytes_of("k"), cx_bytes_of("v")};
  fail_nth fail;
  size_t count = 9;
  fail_nth_begin(&fail, 1);
  const char *text = cx_draft_text(&draft_, cx_bytes_of("text"));
  const Timestamp *time = cx_draft_time(&draft_, 1);
  const void *labels = cx_draft_labels(&draft_, &contextd__v1__session__metadata_entry__descriptor,
                                       &label, 1, &count);
  fail_nth_end(&fail);
  EXPECT_STREQ("", text);
  EXPECT_EQ(nullptr, time);
  EXPECT_EQ(nullptr, labels);
  EXPECT_EQ(0u, count);
  EXPECT_TRUE(draft_.failed);
  cx_draft_text(&draft_, cx_bytes_of("text"));
  EXPECT_TRUE(draft_.failed);
}

}  // namespace
