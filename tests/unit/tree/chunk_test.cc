// What the pieces of values promise in chunk.h.

extern "C" {
#include "core/tree/chunk.h"
#include "core/base/memory.h"
}

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace {

class ChunkTest : public testing::Test {
 protected:
  ChunkTest() : memory_before_(cx_memory_used()) {
    if (cx_chunk_table_new(&table_) != CX_OK) abort();
    std::mt19937 random(1);
    for (int i = 0; i < 1000000; i++) bytes_.push_back(static_cast<uint8_t>(random()));
  }

  ~ChunkTest() override {
    cx_chunk_table_free(table_);
    EXPECT_EQ(memory_before_, cx_memory_used());
  }

  cx_bytes From(size_t offset) { return {bytes_.data() + offset, bytes_.size() - offset}; }

  cx_chunk_table *table_ = nullptr;
  std::vector<uint8_t> bytes_;
  int64_t memory_before_;
};

TEST_F(ChunkTest, ChunksKeepTheirBoundsAndAreSomewhatBelowHalfAKibibyteOnAverage) {
  size_t count = 0;

  for (size_t at = 0; at < bytes_.size(); count++) {
    size_t size = cx_chunk_cut(table_, From(at));
    ASSERT_LE(size, static_cast<size_t>(CX_CHUNK_SIZE_MAX));
    at += size;
    if (at < bytes_.size()) {
      ASSERT_GE(size, static_cast<size_t>(CX_CHUNK_SIZE_MIN));
    }
  }
  EXPECT_GT(bytes_.size() / count, 350u);
  EXPECT_LT(bytes_.size() / count, 500u);
}

TEST_F(ChunkTest, MoreBytesChangeTheCutOnlyWhereItIsAtTheEnd) {
  size_t size = cx_chunk_cut(table_, From(0));

  for (size_t available = 0; available < 2 * size; available++) {
    size_t expected = available < size ? available : size;
    EXPECT_EQ(expected, cx_chunk_cut(table_, {bytes_.data(), available}));
  }
}

TEST_F(ChunkTest, CutsFindTheirPlacesAgainBehindAnInsertion) {
  // From anywhere, the cuts soon meet those from the beginning.
  std::vector<bool> cuts(bytes_.size() + 1);
  for (size_t at = 0; at < bytes_.size();) cuts[at += cx_chunk_cut(table_, From(at))] = true;

  for (size_t start = 1; start < 100; start++) {
    size_t at = start;
    for (int i = 0; i < 40 && !cuts[at]; i++) at += cx_chunk_cut(table_, From(at));
    EXPECT_TRUE(cuts[at]) << start;
  }
}

TEST_F(ChunkTest, HoldsEqualPiecesOnceUntilTheLastReferenceIsGone) {
  cx_value *pieces[3];
  cx_value *lists[2];

  ASSERT_EQ(CX_OK, cx_chunk_intern(table_, {bytes_.data(), 300}, &pieces[0]));
  ASSERT_EQ(CX_OK, cx_chunk_intern(table_, {bytes_.data(), 301}, &pieces[1]));
  ASSERT_EQ(CX_OK, cx_chunk_intern(table_, {bytes_.data(), 300}, &pieces[2]));
  EXPECT_EQ(pieces[0], pieces[2]);
  EXPECT_NE(pieces[0], pieces[1]);

  ASSERT_EQ(CX_OK, cx_list_intern(table_, pieces, 3, &lists[0]));
  ASSERT_EQ(CX_OK, cx_list_intern(table_, pieces, 3, &lists[1]));
  EXPECT_EQ(lists[0], lists[1]);
  for (cx_value *piece : pieces) cx_value_unref(piece);

  EXPECT_EQ(901u, cx_value_size(lists[0]));
  for (cx_value *list : lists) cx_value_unref(list);
  int64_t empty = cx_memory_used();
  ASSERT_EQ(CX_OK, cx_chunk_intern(table_, {bytes_.data(), 300}, &pieces[0]));
  EXPECT_LT(empty, cx_memory_used());
  cx_value_unref(pieces[0]);
  EXPECT_EQ(empty, cx_memory_used());
}

TEST_F(ChunkTest, ListsKeepTheirBounds) {
  std::vector<cx_value> values(5000);
  std::vector<cx_value *> pieces;
  std::mt19937_64 random(1);
  for (cx_value &value : values) {
    value.hash = random();
    pieces.push_back(&value);
  }
  for (size_t at = 0; at < pieces.size();) {
    size_t count = cx_list_cut(&pieces[at], pieces.size() - at);
    ASSERT_LE(count, static_cast<size_t>(CX_LIST_COUNT_MAX));
    at += count;
    if (at < pieces.size()) {
      ASSERT_GE(count, static_cast<size_t>(CX_LIST_COUNT_MIN));
    }
  }
}

}  // namespace
