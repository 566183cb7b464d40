// Cursors: what they name comes back, and nothing else is taken for one.

#include "tests/unit/services/service_fixture.h"

#include <list>

extern "C" {
#include "server/services/cursor.h"
}

namespace {

constexpr uint64_t kDigest = 77;

class CursorTest : public ServiceFixture {
 protected:
  ~CursorTest() override { cx_arena_done(&arena_); }

  void SetUp() override {
    ServiceFixture::SetUp();
    scope_ = cx_cursor_scope(engine_);
  }

  std::string Encode(const cx_cursor &cursor, uint64_t digest = kDigest) {
    cx_allocator allocator = cx_allocator_of_arena(&arena_);
    const char *text = cx_cursor_encode(&allocator, &scope_, digest, &cursor);
    return text != nullptr ? text : "(none)";
  }

  // The error's text; empty: it was taken, and is in cursor_.
  std::string Decode(const std::string &text, uint64_t digest = kDigest) {
    cx_error error = {};
    cx_conversion conversion = {cx_allocator_of_arena(&arena_), &error, 0};
    texts_.push_back(text);
    return cx_cursor_decode(&conversion, &scope_, digest, texts_.back().c_str(), &cursor_) == CX_OK
               ? ""
               : ErrorText(error);
  }

  static cx_cursor Position(uint64_t revision, uint32_t index) {
    cx_cursor cursor = {};
    cursor.position = {revision, index};
    return cursor;
  }

  static cx_cursor Place(uint64_t revision, uint32_t shard, const std::string &id) {
    cx_cursor cursor = Position(revision, 3);
    cursor.in_snapshot = true;
    cursor.place = {shard, Bytes(id)};
    return cursor;
  }

  cx_arena arena_ = {};
  cx_token_scope scope_;
  cx_cursor cursor_;
  std::list<std::string> texts_;
};

constexpr const char *kRefused =
    "INVALID_FIELD field=cursor rule=must be a cursor of this server's log, and one of a snapshot "
    "comes with the filter that it was made with";

TEST_F(CursorTest, NamesAPositionAndGivesItBack) {
  for (cx_feed_position position :
       {cx_feed_position{1, 0}, {7, 1}, {UINT64_MAX, UINT32_MAX}, {1ULL << 40, 255}}) {
    EXPECT_EQ("", Decode(Encode(Position(position.revision, position.index))));
    EXPECT_EQ(position.revision, cursor_.position.revision);
    EXPECT_EQ(position.index, cursor_.position.index);
    EXPECT_FALSE(cursor_.in_snapshot);
  }
}

TEST_F(CursorTest, OfAPositionDependsOnNoFilter) {
  EXPECT_EQ(Encode(Position(7, 1), 1), Encode(Position(7, 1), 2));
  EXPECT_EQ("", Decode(Encode(Position(7, 1), 1), 2));
}

TEST_F(CursorTest, NamesAPlaceInASnapshotAndGivesItBack) {
  for (const std::string &id : {std::string(), std::string("a"), std::string(256, 'x')}) {
    for (uint32_t shard : {0u, 63u}) {
      EXPECT_EQ("", Decode(Encode(Place(9, shard, id))));
      EXPECT_TRUE(cursor_.in_snapshot);
      EXPECT_EQ(9u, cursor_.position.revision);
      EXPECT_EQ(3u, cursor_.position.index);
      EXPECT_EQ(shard, cursor_.place.shard);
      EXPECT_EQ(id, Text(cursor_.place.id));
    }
  }
}

TEST_F(CursorTest, OfASnapshotBelongsToItsFilter) {
  EXPECT_EQ(kRefused, Decode(Encode(Place(9, 1, "a"), 1), 2));
}

TEST_F(CursorTest, IsNotTakenWhenItIsEmptyOrMadeUp) {
  EXPECT_EQ(
      "INVALID_FIELD field=cursor rule=must not be empty; leave `start` out to begin with what "
      "happens from now on",
      Decode(""));
  EXPECT_EQ(kRefused, Decode("made-up"));
  EXPECT_EQ(kRefused, Decode("!"));
  std::string good = Encode(Position(7, 1));
  for (size_t i = 0; i < good.size(); i++) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    if (bad != good) {
      EXPECT_EQ(kRefused, Decode(bad)) << i;
    }
  }
}

TEST_F(CursorTest, OfAnotherLogOrAPageTokenIsNotTaken) {
  std::string page = [&] {
    cx_allocator allocator = cx_allocator_of_arena(&arena_);
    cx_token_scope scope = cx_token_scope_of(engine_, CX_TOKEN_CONTEXTS, 0);
    cx_token token = {scope.epoch, 7, {}};
    return std::string(cx_token_encode(&allocator, &scope, &token));
  }();
  EXPECT_EQ(kRefused, Decode(page));
  std::string own = Encode(Position(7, 1));
  scope_.log++;
  EXPECT_EQ(kRefused, Decode(own));
}

TEST_F(CursorTest, OfAnEarlierEpochNamesNothingAnyMore) {
  std::string old = Encode(Position(7, 1));
  scope_.epoch++;
  EXPECT_EQ("", Decode(old));
  EXPECT_EQ(0u, cursor_.position.revision);
}

}  // namespace
