// What change.h promises: what was encoded is decoded again, and any other bytes are refused.

#include "tests/unit/state/activity_fixture.h"
#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

#include <random>

namespace {

class ChangeTest : public testing::Test {
 protected:
  ChangeTest() {
    ops_[0].kind = CX_MUTATION_PUT;
    ops_[0].key = cx_bytes_of("k");
    ops_[0].content_type = cx_bytes_of("text/plain");
    ops_[0].kept = 5000;
    ops_[0].value = cx_bytes_of("value");
    ops_[1].kind = CX_MUTATION_SET_EXPIRY;
    ops_[1].ttl_us = 17;
    ops_[1].sliding = true;
    items_[0].kind = CX_ITEM_CREATE;
    items_[0].labels_changed = true;
    items_[0].id = cx_bytes_of("a");
    items_[0].version = 1;
    items_[0].type = cx_bytes_of("chat");
    items_[0].head.told = true;
    items_[0].head.parent_id = cx_bytes_of("p");
    items_[0].labels = {labels_, 2};
    items_[0].ttl_us = 1000;
    items_[0].sliding = true;
    items_[1].kind = CX_ITEM_UPDATE;
    items_[1].id = cx_bytes_of("b");
    items_[1].version = 300;
    items_[1].head.told = true;
    items_[1].ops = ops_;
    items_[1].op_count = 2;
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = cx_bytes_of("default");
    change_.request = {{1, 2}, 3, 1, true, false, false, 0};
    change_.items = items_;
    change_.item_count = 2;
  }
  ~ChangeTest() override { cx_arena_done(&arena_); }

  static std::string Encode(const cx_change &change) {
    cx_buffer buffer = {};
    EXPECT_EQ(CX_OK, cx_change_encode(&change, &buffer));
    std::string text = Text(cx_buffer_bytes(&buffer));
    cx_buffer_done(&buffer);
    return text;
  }

  cx_status Decode(const std::string &text, cx_change *ret_change) {
    return cx_change_decode(Bytes(text), &arena_, ret_change);
  }

  cx_arena arena_ = {};
  cx_label labels_[2] = {{cx_bytes_of("l"), cx_bytes_of("v")}, {cx_bytes_of("m"), {}}};
  cx_op ops_[2] = {};
  cx_change_item items_[2] = {};
  cx_change change_ = {};
};

TEST_F(ChangeTest, DecodesWhatWasEncoded) {
  std::string text = Encode(change_);
  cx_change decoded;
  ASSERT_EQ(CX_OK, Decode(text, &decoded));
  EXPECT_EQ(text, Encode(decoded));
  ASSERT_EQ(2u, decoded.item_count);
  EXPECT_EQ("default", Text(decoded.namespace_id));
  EXPECT_EQ(2u, decoded.request.id.high);
  EXPECT_EQ(3u, decoded.request.content_hash);
  EXPECT_EQ(1u, decoded.request.owner);
  EXPECT_TRUE(decoded.request.each);
  EXPECT_EQ("p", Text(decoded.items[0].head.parent_id));
  EXPECT_EQ(1000, decoded.items[0].ttl_us);
  EXPECT_TRUE(decoded.items[0].sliding);
  ASSERT_EQ(2u, decoded.items[0].labels.count);
  EXPECT_EQ("m", Text(decoded.items[0].labels.items[1].key));
  EXPECT_EQ(300u, decoded.items[1].version);
  EXPECT_EQ(5000u, decoded.items[1].ops[0].kept);
  EXPECT_EQ(17, decoded.items[1].ops[1].ttl_us);
}

TEST_F(ChangeTest, DecodesSettings) {
  const cx_settings settings = {16, 1, 2, 3, 4};
  cx_change change = {}, decoded;
  change.kind = CX_CHANGE_SETTINGS;
  change.settings = &settings;
  std::string text = Encode(change);
  ASSERT_EQ(CX_OK, Decode(text, &decoded));
  EXPECT_TRUE(cx_settings_equal(&settings, decoded.settings));
}

TEST_F(ChangeTest, DecodesAFloorThatIsOne) {
  cx_change change = {}, decoded;
  change.kind = CX_CHANGE_FLOOR;
  for (uint64_t floor : {uint64_t{1}, uint64_t{300}, UINT64_MAX}) {
    change.floor = floor;
    std::string text = Encode(change);
    ASSERT_EQ(CX_OK, Decode(text, &decoded));
    EXPECT_EQ(CX_CHANGE_FLOOR, decoded.kind);
    EXPECT_EQ(floor, decoded.floor);
    EXPECT_EQ(0u, decoded.item_count);
    EXPECT_EQ(CX_DATA_LOSS, Decode(text + "x", &decoded));
    EXPECT_EQ(CX_DATA_LOSS, Decode(text.substr(0, text.size() - 1), &decoded));
  }
  change.floor = 0;
  EXPECT_EQ(CX_DATA_LOSS, Decode(Encode(change), &decoded)) << "nothing is below it";
}

TEST_F(ChangeTest, RefusesWhatIsCutOffOrGoesOn) {
  std::string text = Encode(change_);
  cx_change decoded;
  for (size_t size = 0; size < text.size(); size++) {
    EXPECT_EQ(CX_DATA_LOSS, Decode(text.substr(0, size), &decoded)) << size;
  }
  EXPECT_EQ(CX_DATA_LOSS, Decode(text + "x", &decoded));
}

// `text`, with the number of one byte at `at` replaced.
std::string WithNumber(std::string text, size_t at, const std::string &number) {
  return text.replace(at, 1, number);
}

TEST_F(ChangeTest, RefusesNumbersThatNameNothing) {
  const std::string kAnd2To32 = std::string("\x81\x80\x80\x80\x10");  // 1 + 2^32.
  change_.request = {};
  change_.item_count = 1;
  items_[0] = items_[1];
  items_[0].op_count = 1;
  std::string put = Encode(change_);
  ops_[0] = ops_[1];
  std::string expiry = Encode(change_);
  cx_change decoded;
  ASSERT_EQ(CX_OK, Decode(put, &decoded));
  ASSERT_EQ(CX_OK, Decode(expiry, &decoded));

  EXPECT_EQ(CX_DATA_LOSS, Decode(WithNumber(put, 0, kAnd2To32), &decoded)) << "a change";
  size_t item = 1 + 1 + 8 + 1;  // Behind kind, flags, namespace and count.
  ASSERT_EQ(CX_ITEM_UPDATE, put[item]);
  EXPECT_EQ(CX_DATA_LOSS, Decode(WithNumber(put, item, kAnd2To32), &decoded)) << "an item";
  size_t op = put.find("\x01\x01\x01k");
  ASSERT_NE(std::string::npos, op);
  EXPECT_EQ(CX_DATA_LOSS, Decode(WithNumber(put, op + 1, kAnd2To32), &decoded)) << "a step";
  ASSERT_EQ(1, expiry.back());
  EXPECT_EQ(CX_DATA_LOSS, Decode(WithNumber(expiry, expiry.size() - 1, "\x02"), &decoded))
      << "neither sliding nor not";
}

TEST_F(ChangeTest, RefusesARequestWithoutAnId) {
  std::string text = Encode(change_);
  size_t id = 1 + 1 + 8;  // Behind kind, flags and namespace.
  cx_change decoded;
  ASSERT_EQ(1, text[id]);
  ASSERT_EQ(2, text[id + 8]);
  text.replace(id, 16, std::string(16, '\0'));
  EXPECT_EQ(CX_DATA_LOSS, Decode(text, &decoded));
}

TEST_F(ChangeTest, IsAChangeOrRefusedWhateverTheBytes) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  std::string text = Encode(change_);
  for (int i = 0; i < 20000; i++) {
    std::string changed = text;
    for (unsigned j = 1 + random() % 4; j > 0; j--) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    cx_change decoded;
    cx_status status = Decode(changed, &decoded);
    ASSERT_TRUE(status == CX_OK || status == CX_DATA_LOSS) << "seed " << seed;
    char description[40];
    cx_change_describe(Bytes(changed), description, sizeof description);
    EXPECT_LT(strlen(description), sizeof description);
    cx_arena_reset(&arena_);
  }
}

TEST_F(ChangeTest, SaysWhenThereIsNoMemory) {
  std::string text = Encode(change_);
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_buffer buffer = {};
    cx_change decoded;
    fail_nth_begin(&fail, nth);
    cx_status encoded = cx_change_encode(&change_, &buffer);
    cx_status status = Decode(text, &decoded);
    bool failed = fail_nth_end(&fail);
    cx_buffer_done(&buffer);
    cx_arena_done(&arena_);
    if (!failed) break;
    EXPECT_TRUE(encoded == CX_RESOURCE_EXHAUSTED || status == CX_RESOURCE_EXHAUSTED);
  }
}

TEST_F(ChangeTest, NamesTheContextsThatItConcernsAsFarAsTheTextGoes) {
  char text[64];
  cx_change_describe(Bytes(Encode(change_)), text, sizeof text);
  EXPECT_STREQ("default/a, default/b", text);
  std::string cut = Encode(change_);
  cx_change_describe(Bytes(cut.substr(0, cut.size() - 3)), text, sizeof text);
  EXPECT_STREQ("default/a, default/b", text);
  cx_change_describe(Bytes(cut), text, 8);
  EXPECT_LT(strlen(text), 8u);
  cx_change_describe({}, text, sizeof text);
  EXPECT_STREQ("", text);
}

TEST_F(ChangeTest, GivesThePartsOfABatchMarksOfTheirOwn) {
  struct cx_hash128 a = cx_request_mark_id_of(&change_.request, cx_bytes_of("a"));
  struct cx_hash128 b = cx_request_mark_id_of(&change_.request, cx_bytes_of("b"));
  EXPECT_FALSE(a.low == b.low && a.high == b.high);
  EXPECT_TRUE(cx_request_mark_is_set(&change_.request));
  change_.request.id = {0, 0};
  EXPECT_FALSE(cx_request_mark_is_set(&change_.request));
}

TEST_F(ChangeTest, KnowsTheLastSequenceOfAnItem) {
  cx_activity_content content = {};
  content.type = cx_bytes_of("t");
  EXPECT_EQ(0u, cx_change_item_last_sequence(&items_[1]));
  ops_[1].kind = CX_MUTATION_RECORD;
  ops_[1].activity = &content;
  items_[1].first_sequence = 7;
  EXPECT_EQ(7u, cx_change_item_last_sequence(&items_[1]));
  ops_[0] = ops_[1];
  EXPECT_EQ(8u, cx_change_item_last_sequence(&items_[1]));
}

// A touch with all that the tracker is told, and a session that starts.
class ChangeTrackedTest : public ChangeTest {
 protected:
  ChangeTrackedTest() {
    content_.type = cx_bytes_of("t");
    content_.labels = labels_;
    content_.label_count = 2;
    content_.detail = FileDetail("p", "r");
    ops_[0] = {};
    ops_[0].kind = CX_MUTATION_RECORD;
    ops_[0].activity = &content_;
    items_[0] = {};
    items_[0].kind = CX_ITEM_TOUCH;
    items_[0].id = cx_bytes_of("a");
    items_[0].head.told = true;
    items_[0].ops = ops_;
    items_[0].op_count = 1;
    items_[0].first_sequence = 5;
    items_[0].session_id = cx_bytes_of("s");
    items_[0].trimmed = {&run_, 1};
    items_[0].activations = &step_;
    items_[0].activation_count = 1;
    change_.request = {{1, 2}, 3, 0, false, true, true, 9};
    change_.item_count = 1;
    change_.session.step = CX_SESSION_START;
    change_.session.start.name.id = cx_bytes_of("s");
    change_.session.start.ttl_us = CX_SECOND_US;
    change_.session.start.labels = labels_;
    change_.session.start.label_count = 2;
    change_.session.start.create_if_missing = &create_;
  }

  // The change alone with the item, whose bytes end with what the tracker is told.
  std::string ItemAlone() {
    change_.request = {};
    change_.session = {};
    return Encode(change_);
  }

  cx_run run_ = {2, 3};
  cx_activation_step step_ = {cx_bytes_of("s"), true, true, 4};
  cx_activity_content content_ = {};
  cx_new_context create_ = {};
};

TEST_F(ChangeTrackedTest, RefusesWhatIsCutOffOrGoesOn) {
  std::string text = Encode(change_);
  cx_change decoded;
  ASSERT_EQ(CX_OK, Decode(text, &decoded));
  for (size_t size = 0; size < text.size(); size++) {
    EXPECT_EQ(CX_DATA_LOSS, Decode(text.substr(0, size), &decoded)) << size;
  }
  EXPECT_EQ(CX_DATA_LOSS, Decode(text + "x", &decoded));
}

TEST_F(ChangeTrackedTest, SaysWhenThereIsNoMemory) {
  std::string text = Encode(change_);
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_change decoded;
    cx_arena_done(&arena_);
    fail_nth_begin(&fail, nth);
    cx_status status = Decode(text, &decoded);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status);
  }
}

TEST_F(ChangeTrackedTest, IsAChangeOrRefusedWhateverTheBytes) {
  const unsigned seed = 9;
  std::mt19937 random(seed);
  std::string text = Encode(change_);
  int decoded_count = 0;
  for (int i = 0; i < 20000; i++) {
    std::string changed = text;
    for (unsigned j = 1 + random() % 3; j > 0; j--) {
      changed[random() % changed.size()] = static_cast<char>(random() % 64);
    }
    cx_change decoded;
    cx_status status = Decode(changed, &decoded);
    ASSERT_TRUE(status == CX_OK || status == CX_DATA_LOSS) << "seed " << seed;
    if (status == CX_OK) {
      decoded_count++;
      EXPECT_EQ(changed, Encode(decoded)) << "what is decoded has one form";
    }
    cx_arena_reset(&arena_);
  }
  EXPECT_GT(decoded_count, 1000);
}

TEST_F(ChangeTrackedTest, RefusesFlagsWithoutWhatTheyAnnounce) {
  std::string text = ItemAlone();
  cx_change decoded;
  ASSERT_EQ(CX_OK, Decode(text, &decoded));
  ASSERT_EQ(std::string("\x01s\x05\x01\x02\x01\x01\x07\x01s\x04", 11),
            text.substr(text.size() - 11));
  size_t at = text.size() - 11;
  struct {
    size_t at, size;
    const char *with;
    const char *what;
  } const cases[] = {
      {at, 2, "", "an author without a name"},
      {at + 2, 1, "", "a sequence of 0"},
      {at + 3, 3, "", "no runs"},
      {at + 6, 5, "", "no activations"},
  };
  for (const auto &each : cases) {
    std::string changed = text;
    changed.replace(each.at, each.size, std::string(1, '\0'));
    EXPECT_EQ(CX_DATA_LOSS, Decode(changed, &decoded)) << each.what;
  }
}

TEST_F(ChangeTrackedTest, RefusesRunsThatOverlapOrEndBehindTheLastNumber) {
  cx_change decoded;
  const cx_run runs[] = {{5, UINT64_MAX - 1}, {UINT64_MAX, UINT64_MAX}};
  items_[0].trimmed = {runs, 2};
  EXPECT_EQ(CX_OK, Decode(ItemAlone(), &decoded));
  const cx_run overlapping[] = {{5, 8}, {8, 9}};
  items_[0].trimmed = {overlapping, 2};
  EXPECT_EQ(CX_DATA_LOSS, Decode(ItemAlone(), &decoded));
  const cx_run behind[] = {{5, UINT64_MAX}, {3, 4}};  // The gap goes around.
  items_[0].trimmed = {behind, 2};
  EXPECT_EQ(CX_DATA_LOSS, Decode(ItemAlone(), &decoded));
  const cx_run backwards[] = {{5, 3}};
  items_[0].trimmed = {backwards, 1};
  EXPECT_EQ(CX_DATA_LOSS, Decode(ItemAlone(), &decoded));
  const cx_run zero[] = {{0, 3}};
  items_[0].trimmed = {zero, 1};
  EXPECT_EQ(CX_DATA_LOSS, Decode(ItemAlone(), &decoded));
}

TEST_F(ChangeTrackedTest, RefusesAnExclusiveActivationWithoutAFence) {
  std::string text = ItemAlone();
  cx_change decoded;
  ASSERT_EQ(4, text.back());
  text.back() = 0;
  EXPECT_EQ(CX_DATA_LOSS, Decode(text, &decoded));
}

TEST_F(ChangeTrackedTest, RefusesFlagsOfARequestThatThereIsNot) {
  std::string text = ItemAlone();
  cx_change decoded;
  ASSERT_EQ(0, text[1]);
  for (char flags : {2, 8, 16, 32}) {
    text[1] = flags;
    EXPECT_EQ(CX_DATA_LOSS, Decode(text, &decoded)) << static_cast<int>(flags);
  }
}

TEST_F(ChangeTrackedTest, RefusesFlagsOfCreationByASessionThatMayNot) {
  change_.session.start.create_if_missing = nullptr;
  change_.request = {};
  change_.item_count = 0;
  std::string text = Encode(change_);
  cx_change decoded;
  ASSERT_EQ(std::string(2, '\0'), text.substr(text.size() - 2)) << "no flags, no items";
  ASSERT_EQ(CX_OK, Decode(text, &decoded));
  for (char flags : {2, 4, 6, 8}) {
    text[text.size() - 2] = flags;
    EXPECT_EQ(CX_DATA_LOSS, Decode(text, &decoded)) << static_cast<int>(flags);
  }
}

TEST_F(ChangeTrackedTest, NamesNoContextOfAChangeOfASessionAlone) {
  char text[64];
  change_.item_count = 0;
  cx_change_describe(Bytes(Encode(change_)), text, sizeof text);
  EXPECT_STREQ("", text);
}

}  // namespace
