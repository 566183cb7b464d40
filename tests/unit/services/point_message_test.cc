// Recovery points as messages: what server/services/point_message.h promises.

#include <regex>

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/arena.h"
#include "core/state/entry.h"
#include "server/services/point_message.h"
#include "tests/support/fail_nth.h"
}

namespace {

class PointMessageTest : public ServiceFixture {
 protected:
  PointMessageTest() { draft_.memory = cx_allocator_of_arena(&arena_); }

  ~PointMessageTest() override {
    cx_point_view_done(&view_);
    cx_arena_done(&arena_);
  }

  // A point of what the context has now.
  void Take(const Mutations &mutations) {
    cx_context_name name = {cx_bytes_of("default"), cx_bytes_of("a")};
    cx_state_at at = {};
    uint64_t wait_for;
    cx_error error;
    ASSERT_EQ(CX_OK, Upsert("a", mutations).status);
    Step();
    completed_.clear();
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &view_.state, &wait_for, &error));
    view_.id = cx_bytes_of("p");
    view_.sequence = 2;
  }

  void Attach(const std::string &key, const std::string &value) {
    cx_entry_parts parts = {};
    cx_entry *entry;
    cx_tree_item *old;
    parts.key = Bytes(key);
    parts.added = Bytes(value);
    ASSERT_EQ(CX_OK, cx_entry_new(nullptr, &parts, &entry));
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_entry_class, &view_.attachments, nullptr, &entry->item, &old));
    view_.attachment_count++;
  }

  static std::string Pack(const ProtobufCMessage &message) {
    std::string bytes(protobuf_c_message_get_packed_size(&message), '\0');
    protobuf_c_message_pack(&message, reinterpret_cast<uint8_t *>(&bytes[0]));
    return bytes;
  }

  std::string Full(const cx_point_view_query &query, uint64_t size_max = CX_MIB) {
    GetRecoveryPointResponse *message;
    cx_error error;
    if (cx_point_message_full(&draft_, &view_, &query, size_max, &message, &size_, &error) !=
        CX_OK) {
      return ErrorText(error);
    }
    EXPECT_EQ(Pack(message->base).size(), size_);
    return TextDecode("GetRecoveryPointResponse", Pack(message->base));
  }

  cx_arena arena_ = {};
  cx_draft draft_ = {};
  cx_point_view view_ = {};
  uint64_t size_ = 0;
};

TEST_F(PointMessageTest, TellsAllOfAPoint) {
  cx_label labels[] = {{cx_bytes_of("k"), cx_bytes_of("v")}};
  Take(Mutations().Put("key", "value"));
  view_.parent_id = cx_bytes_of("o");
  view_.revision = 7;
  view_.create_time_us = 1000001;
  view_.expire_time_us = 2000000;
  view_.pinned = true;
  view_.origin = CX_ORIGIN_SAFETY;
  view_.labels = labels;
  view_.label_count = 1;
  const RecoveryPoint *point = cx_point_message(&draft_, &view_);
  ASSERT_NE(nullptr, point);
  EXPECT_EQ(
      "namespace: \"default\" context_id: \"a\" id: \"p\" parent_id: \"o\" sequence: 2 version: 1 "
      "create_time { seconds: 1 nanos: 1000 } expire_time { seconds: 2 } pinned: true origin: "
      "ORIGIN_SAFETY metadata { key: \"k\" value: \"v\" } entry_count: 1 size_bytes: 8 revision: 7",
      TextDecode("RecoveryPoint", Pack(point->base)));
}

TEST_F(PointMessageTest, ShowsEntriesAndAttachmentsOnlyWhereTheyAreAskedFor) {
  Take(Mutations().Put("k", "v"));
  Attach("at", "tached");
  const std::string point =
      "recovery_point { namespace: \"default\" context_id: \"a\" id: \"p\" sequence: 2 version: 1 ";
  const std::string rest = "entry_count: 1 size_bytes: 2 }";
  const std::string attachments = "attachments { key: \"at\" value: \"tached\" } ";
  const std::string entries = " entries { key: \"k\" value: \"v\" version: 1 }";
  EXPECT_EQ(point + rest, Full({}));
  EXPECT_EQ(point + rest + entries, Full({true, false, nullptr, 0}));
  EXPECT_EQ(point + attachments + rest, Full({false, true, nullptr, 0}));
  EXPECT_EQ(point + attachments + rest + entries, Full({true, true, nullptr, 0}));
}

TEST_F(PointMessageTest, ShowsTheKeysThatAreAskedForOfBoth) {
  cx_bytes keys[] = {cx_bytes_of("b"), cx_bytes_of("c"), cx_bytes_of("none")};
  Take(Mutations().Put("a", "1").Put("b", "2").Put("c", "3"));
  Attach("a", "4");
  Attach("b", "5");
  std::string text = Full({true, true, keys, 3});
  EXPECT_NE(std::string::npos, text.find("attachments { key: \"b\" value: \"5\" } entry_count"));
  EXPECT_EQ(std::string::npos, text.find("value: \"4\""));
  EXPECT_NE(std::string::npos, text.find("} entries { key: \"b\" value: \"2\" version: 1 } "
                                         "entries { key: \"c\" value: \"3\" version: 1 }"));
}

TEST_F(PointMessageTest, MeasuresNoFurtherThanWhatDoesNotFit) {
  Mutations many;
  for (int i = 10; i < 30; i++) many.Put("k" + std::to_string(i), std::string(1000, 'v'));
  Take(many);
  std::string error = Full({true, false, nullptr, 0}, 1500);
  std::smatch size;
  ASSERT_TRUE(std::regex_search(error, size, std::regex("size=([0-9]+)"))) << error;
  EXPECT_LT(std::stoul(size[1]), 2500u);
}

TEST_F(PointMessageTest, RefusesOneByteTooMuchBeforeItAllocatesIt) {
  Take(Mutations().Put("k", std::string(60000, 'v')));
  Attach("at", std::string(1000, 'w'));
  ASSERT_EQ(0u, Full({true, true, nullptr, 0}).find("recovery_point {"));
  uint64_t size = size_;
  EXPECT_EQ(0u, Full({true, true, nullptr, 0}, size).find("recovery_point {"));
  EXPECT_EQ(
      "RESPONSE_TOO_LARGE size=" + std::to_string(size) + " limit=" + std::to_string(size - 1),
      Full({true, true, nullptr, 0}, size - 1));
}

TEST_F(PointMessageTest, SaysThatThereWasNoMemory) {
  cx_label labels[] = {{cx_bytes_of("k"), cx_bytes_of("v")}};
  Take(Mutations().Put("k", "v"));
  Attach("at", "tached");
  view_.labels = labels;
  view_.label_count = 1;
  for (size_t nth = 1;; nth++) {
    fail_nth fail;
    GetRecoveryPointResponse *message;
    cx_point_view_query query = {true, true, nullptr, 0};
    cx_error error;
    cx_arena_done(&arena_);
    draft_.failed = false;
    fail_nth_begin(&fail, nth);
    cx_status status =
        cx_point_message_full(&draft_, &view_, &query, CX_MIB, &message, &size_, &error);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
    EXPECT_EQ(CX_REASON_LIMIT_REACHED, error.reason);
  }
}

TEST_F(PointMessageTest, CostsWhatItLooksAt) {
  cx_bytes keys[] = {cx_bytes_of("b"), cx_bytes_of("c")};
  Take(Mutations().Put("a", "1").Put("b", "2").Put("c", "3"));
  Attach("a", "4");
  auto cost = [&](const cx_point_view_query &query) { return cx_point_cost(&view_, &query); };
  EXPECT_EQ(1u, cost({}));
  EXPECT_EQ(4u, cost({true, false, nullptr, 0}));
  EXPECT_EQ(2u, cost({false, true, nullptr, 0}));
  EXPECT_EQ(5u, cost({true, true, keys, 2}));
  view_.attachment_count = CX_OFFLOAD_ITEMS;
  EXPECT_LT(CX_OFFLOAD_ITEMS, cost({false, true, nullptr, 0}));
  view_.attachment_count = 1;
  view_.state.size_bytes = CX_OFFLOAD_BYTES + 1;
  EXPECT_EQ(2u, cost({false, true, nullptr, 0}));
  EXPECT_LT(CX_OFFLOAD_ITEMS, cost({true, false, nullptr, 0}));
}

TEST_F(PointMessageTest, CostsMuchWhereAttachmentsAreLarge) {
  Take(Mutations().Put("a", "1"));
  for (int i = 0; i < 300; i++) Attach("k" + std::to_string(i), std::string(1000, 'v'));
  cx_point_view_query query = {false, true, nullptr, 0};
  EXPECT_LT(CX_OFFLOAD_ITEMS, cx_point_cost(&view_, &query));
}

}  // namespace
