// Contexts of a snapshot as events, in as many parts as it takes.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/snapshot_message.h"
}

namespace {

class SnapshotMessageTest : public ServiceFixture {
 protected:
  ~SnapshotMessageTest() override {
    cx_snapshot_done(&snapshot_);
    cx_arena_done(&arena_);
  }

  void Take(const std::string &id) {
    cx_context_name name = {Bytes(namespace_), Bytes(id)};
    cx_state_at at = {};
    cx_error error;
    uint64_t wait_for;
    ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &snapshot_, &wait_for, &error));
  }

  // All parts, as texts.
  std::vector<std::string> Parts(uint64_t room, const std::string &prefix = "",
                                 bool without_values = false) {
    std::vector<std::string> parts;
    cx_snapshot_part_begin(&part_, &snapshot_, Bytes(prefix), "START", "END");
    do {
      cx_draft draft = {cx_allocator_of_arena(&arena_), false};
      EventMessage *message =
          cx_snapshot_part_message(&draft, &part_, without_values, Bytes(prefix), room);
      if (message == nullptr) return {};
      std::string bytes(protobuf_c_message_get_packed_size(&message->base), '\0');
      protobuf_c_message_pack(&message->base, reinterpret_cast<uint8_t *>(&bytes[0]));
      parts.push_back(TextDecode("Event", bytes));
    } while (cx_snapshot_part_is_open(&part_));
    return parts;
  }

  static size_t Count(const std::string &text, const std::string &part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) count++;
    return count;
  }

  cx_arena arena_ = {};
  cx_snapshot snapshot_ = {};
  cx_snapshot_part part_ = {};
};

TEST_F(SnapshotMessageTest, TellsASmallContextWhole) {
  Put("a", "k", "v");
  Take("a");
  auto parts = Parts(1000);
  ASSERT_EQ(1u, parts.size());
  EXPECT_EQ(0u, parts[0].find("type: EVENT_TYPE_SNAPSHOT namespace: \"default\" cursor: \"END\" "));
  EXPECT_NE(std::string::npos, parts[0].find("entries { key: \"k\" value: \"v\" version: 1 }"));
  EXPECT_EQ(std::string::npos, parts[0].find("more"));
}

TEST_F(SnapshotMessageTest, TellsAContextWithoutEntries) {
  Create("a");
  Take("a");
  auto parts = Parts(1000);
  ASSERT_EQ(1u, parts.size());
  EXPECT_EQ(0u, Count(parts[0], "entries {"));
}

TEST_F(SnapshotMessageTest, TellsALargeOneInPartsThatLeadToItsBeginning) {
  for (char c = 'a'; c < 'k'; c++) Put("a", std::string(1, c), std::string(100, 'v'));
  Take("a");
  auto parts = Parts(250);
  ASSERT_EQ(5u, parts.size());
  for (size_t i = 0; i < parts.size(); i++) {
    bool last = i + 1 == parts.size();
    EXPECT_EQ(2u, Count(parts[i], "entries {"));
    EXPECT_EQ(last ? 1u : 0u, Count(parts[i], "cursor: \"END\""));
    EXPECT_EQ(last ? 0u : 1u, Count(parts[i], "cursor: \"START\""));
    EXPECT_EQ(last ? 0u : 1u, Count(parts[i], "more: true"));
  }
}

TEST_F(SnapshotMessageTest, TellsAtLeastOneEntryHoweverLarge) {
  Put("a", "k", std::string(5000, 'v'));
  Put("a", "l", std::string(5000, 'v'));
  Take("a");
  EXPECT_EQ(2u, Parts(1).size());
}

TEST_F(SnapshotMessageTest, TellsJustTheEntriesOfAPrefixAndTheirValuesIfWanted) {
  for (const char *key : {"a", "b1", "b2", "c"}) Put("x", key, "secret");
  Take("x");
  auto parts = Parts(1000, "b", true);
  ASSERT_EQ(1u, parts.size());
  EXPECT_EQ(2u, Count(parts[0], "entries { key: \"b"));
  EXPECT_EQ(2u, Count(parts[0], "entries {"));
  EXPECT_EQ(0u, Count(parts[0], "secret"));
}

}  // namespace
