// What values promise in value.h: they are their bytes, however they were made; what
// they share shows in the memory alone.

extern "C" {
#include "core/tree/value.h"
#include "core/base/memory.h"
#include "tests/support/fail_nth.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/seed.h"

namespace {

cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

class ValueTest : public testing::Test {
 protected:
  ValueTest() : memory_before_(cx_memory_used()), seed_(TestSeed()), random_(seed_) {
    if (cx_chunk_table_new(&table_) != CX_OK) abort();
  }

  ~ValueTest() override {
    for (cx_value *value : values_) cx_value_unref(value);
    cx_chunk_table_free(table_);
    EXPECT_EQ(memory_before_, cx_memory_used());
    if (HasFailure()) printf("CONTEXTD_SEED=%" PRIu64 "\n", seed_);
  }

  // Words, so that it has some of the structure of text.
  std::string Text(size_t size) {
    std::string text;
    while (text.size() < size) {
      text += std::to_string(random_() % 5000) + (random_() % 9 != 0 ? " " : "\n");
    }
    return text.substr(0, size);
  }

  // The values live until the test ends.
  cx_value *New(const std::string &text) {
    cx_value *value = nullptr;
    EXPECT_EQ(CX_OK, cx_value_new(table_, Bytes(text), &value));
    values_.push_back(value);
    return value;
  }

  cx_value *Splice(const cx_value *old, uint64_t kept, const std::string &text) {
    cx_value *value = nullptr;
    EXPECT_EQ(CX_OK, cx_value_splice(table_, old, kept, Bytes(text), &value));
    values_.push_back(value);
    return value;
  }

  static std::string Content(const cx_value *value) {
    std::string content;
    while (content.size() < cx_value_size(value)) {
      cx_bytes run = cx_value_run(value, content.size());
      content.append(reinterpret_cast<const char *>(run.data), run.size);
    }
    return content;
  }

  int64_t Memory() { return cx_memory_used() - memory_before_; }

  cx_chunk_table *table_ = nullptr;
  std::vector<cx_value *> values_;
  int64_t memory_before_;
  uint64_t seed_;
  std::mt19937 random_;
};

TEST_F(ValueTest, IsItsBytes) {
  for (size_t size : {0, 1, 255, 256, 257, 4095, 4096, 4097, 100000, 3000000}) {
    for (bool same : {false, true}) {
      std::string text = same ? std::string(size, 'x') : Text(size);
      cx_value *value = New(text);
      EXPECT_EQ(size, cx_value_size(value));
      EXPECT_TRUE(text == Content(value)) << size;
    }
  }
}

TEST_F(ValueTest, RunsBeginAtEveryByte) {
  std::string text = Text(20000);
  cx_value *value = New(text);

  for (size_t offset = 0; offset < text.size(); offset++) {
    cx_bytes run = cx_value_run(value, offset);
    ASSERT_GE(run.size, 1u);
    ASSERT_LE(run.size, text.size() - offset);
    ASSERT_EQ(0, memcmp(run.data, text.data() + offset, run.size));
  }
}

TEST_F(ValueTest, ReadsAsManyBytesAsAreAskedFor) {
  std::string text = Text(20000);
  cx_value *value = New(text);

  for (size_t size : {size_t{0}, size_t{1}, size_t{5000}, text.size() - 1, text.size()}) {
    std::string copy(size, '\0');
    cx_value_read(value, reinterpret_cast<uint8_t *>(&copy[0]), size);
    EXPECT_TRUE(text.substr(0, size) == copy) << size;
  }
}

TEST_F(ValueTest, MixesItsBytesIntoADigest) {
  std::string text = Text(20000), other = text;
  other[19000] ^= 1;
  uint64_t digest = cx_value_mix(7, New(text));
  cx_value *spliced = Splice(New(text.substr(0, 9000)), 5000, text.substr(5000));
  EXPECT_EQ(digest, cx_value_mix(7, spliced)) << "however it was made";
  EXPECT_NE(digest, cx_value_mix(8, New(text)));
  EXPECT_NE(digest, cx_value_mix(7, New(other)));
}

TEST_F(ValueTest, EqualValuesCostOnce) {
  std::string text = Text(200000);
  New(text);
  int64_t one = Memory();

  for (int i = 0; i < 10; i++) EXPECT_EQ(values_[0], New(text));
  EXPECT_EQ(one, Memory());
}

TEST_F(ValueTest, SplicedIsTheSameAsSetAnewAsAWhole) {
  // Equal values are the same one, and so have the same chunks.
  std::string text = Text(60000);
  cx_value *value = New(text);

  for (int i = 0; i < 400; i++) {
    uint64_t kept = random_() % 4 == 0 ? text.size() : random_() % (text.size() + 1);
    std::string added = Text(random_() % 3 == 0 ? random_() % 30000 : random_() % 600);
    text = text.substr(0, kept) + added;
    value = Splice(value, kept, added);
    ASSERT_TRUE(text == Content(value)) << i;
    ASSERT_EQ(New(text), value) << "kept " << kept << " added " << added.size();
  }
}

TEST_F(ValueTest, SplicesWhereverItIsCut) {
  std::string text = Text(5000);
  cx_value *value = New(text);

  for (size_t kept = 0; kept <= text.size(); kept += kept < 1500 ? 1 : 7) {
    for (size_t added : {0, 1, 5000}) {
      std::string more(added, 'y');
      cx_value *spliced = Splice(value, kept, more);
      ASSERT_EQ(New(text.substr(0, kept) + more), spliced) << kept << " " << added;
    }
  }
}

TEST_F(ValueTest, OfNothingCanBeSpliced) {
  cx_value *empty = New("");
  EXPECT_EQ("more", Content(Splice(empty, 0, "more")));
  EXPECT_EQ(empty, Splice(New(Text(5000)), 0, ""));
}

TEST_F(ValueTest, GrowingCostsWhatIsAddedWhetherAppendedOrSetAnew) {
  for (bool append : {true, false}) {
    std::string text;
    cx_value *value = New(text);
    int64_t before = Memory();
    for (int turn = 0; turn < 500; turn++) {
      std::string added = Text(500);
      text += added;
      value = append ? Splice(value, cx_value_size(value), added) : New(text);
    }
    EXPECT_LT(Memory() - before, 4 * static_cast<int64_t>(text.size()));
  }
}

TEST_F(ValueTest, WhatIsTrimmedAtItsFrontSharesTheRest) {
  std::string text = Text(500000);
  New(text);
  int64_t one = Memory();

  New(text.substr(12345));
  EXPECT_LT(Memory() - one, 20000);
  New("an insertion" + text);
  EXPECT_LT(Memory() - one, 40000);
}

TEST_F(ValueTest, TellsHowMuchIsTheSameAtTheBeginning) {
  std::string text = Text(50000);
  cx_value *value = New(text);

  EXPECT_EQ(text.size(), cx_value_common_prefix(value, Bytes(text)));
  EXPECT_EQ(text.size(), cx_value_common_prefix(value, Bytes(text + "more")));
  EXPECT_EQ(0u, cx_value_common_prefix(value, {nullptr, 0}));
  for (size_t at = 0; at < text.size(); at += 97) {
    std::string other = text;
    other[at] ^= 1;
    ASSERT_EQ(at, cx_value_common_prefix(value, Bytes(other)));
    ASSERT_EQ(at, cx_value_common_prefix(value, Bytes(text.substr(0, at))));
  }
}

TEST_F(ValueTest, LeavesNothingBehindWhenMemoryRunsOut) {
  std::string text = Text(30000);
  cx_value *old = New(text);

  for (int step = 0; step < 2; step++) {
    std::string added = Text(20000);
    for (size_t nth = 1;; nth++) {
      cx_value *value = nullptr;
      fail_nth fail;
      fail_nth_begin(&fail, nth);
      cx_status status = step == 0 ? cx_value_splice(table_, old, 29000, Bytes(added), &value)
                                   : cx_value_new(table_, Bytes(added), &value);
      if (!fail_nth_end(&fail)) {
        ASSERT_EQ(CX_OK, status);
        values_.push_back(value);
        break;
      }
      ASSERT_EQ(CX_RESOURCE_EXHAUSTED, status);
      ASSERT_EQ(nullptr, value);
      ASSERT_TRUE(text == Content(old));
    }
  }
}

TEST_F(ValueTest, MayBeMadeAndDroppedOnManyThreads) {
  // Few texts, so that pieces vanish and come back all the time.
  std::vector<std::string> texts;
  for (size_t i = 0; i < 4; i++) texts.push_back(Text(3000 * i + 10));
  std::vector<std::thread> threads;

  for (unsigned id = 0; id < 4; id++) {
    threads.emplace_back([&, id] {
      for (unsigned i = 0; i < 500; i++) {
        const std::string &text = texts[(i + id) % texts.size()];
        cx_value *value = nullptr;
        ASSERT_EQ(CX_OK, cx_value_new(table_, Bytes(text), &value));
        ASSERT_TRUE(text == Content(value));
        cx_value_unref(cx_value_ref(value));
        cx_value_unref(value);
      }
    });
  }
  for (std::thread &thread : threads) thread.join();
}

}  // namespace
