// What entry.h promises: small values lie in the entry, larger ones in chunks, and nobody
// sees which.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/entry.h"
#include "tests/support/fail_nth.h"
}

#include "tests/support/requests.h"

namespace {

class EntryTest : public testing::Test {
 protected:
  EntryTest() : before_(cx_memory_used()) { EXPECT_EQ(CX_OK, cx_chunk_table_new(&table_)); }
  ~EntryTest() override {
    cx_chunk_table_free(table_);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  cx_entry *New(const std::string &added, const cx_entry *old = nullptr, uint64_t kept = 0) {
    cx_entry_parts parts = {cx_bytes_of("key"), cx_bytes_of("type"), 7, old, kept, Bytes(added)};
    cx_entry *entry = nullptr;
    status_ = cx_entry_new(table_, &parts, &entry);
    return entry;
  }

  static std::string Value(const cx_entry *entry) {
    std::string value(cx_entry_value_size(entry), '\0');
    cx_entry_read(entry, reinterpret_cast<uint8_t *>(&value[0]), value.size());
    return value;
  }

  // Bytes without a pattern.
  static std::string Noise(size_t size) {
    std::string text(size, '\0');
    uint64_t state = 1;
    for (char &c : text) c = static_cast<char>((state = state * 6364136223846793005u + 1) >> 56);
    return text;
  }

  int64_t before_;
  cx_chunk_table *table_;
  cx_status status_ = CX_OK;
};

TEST_F(EntryTest, KeepsSmallValuesInline) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{CX_VALUE_INLINE_MAX},
                      size_t{CX_VALUE_INLINE_MAX} + 1, size_t{30000}}) {
    std::string value = Noise(size);
    cx_entry *entry = New(value);
    ASSERT_EQ(CX_OK, status_);
    bool inlined = size <= CX_VALUE_INLINE_MAX;
    EXPECT_EQ(inlined ? value : "", Text(cx_entry_inline_value(entry)));
    EXPECT_EQ(value, Value(entry));
    EXPECT_EQ("key", Text(cx_entry_key(entry)));
    EXPECT_EQ("type", Text(cx_entry_content_type(entry)));
    EXPECT_EQ(7u, entry->version);
    EXPECT_EQ(size + 3, cx_entry_weight(entry));
    cx_entry_unref(entry);
  }
  EXPECT_EQ(0u, cx_entry_weight(nullptr));
  cx_entry_unref(nullptr);
}

TEST_F(EntryTest, BuildsOnTheValueBeforeIt) {
  for (size_t old_size : {10, 1024, 5000}) {
    for (size_t kept : {size_t{0}, size_t{5}, old_size}) {
      for (size_t added : {0, 3, 1020, 4000}) {
        std::string before = Noise(old_size), more = Noise(added);
        cx_entry *old = New(before);
        cx_entry *entry = New(more, old, kept);
        ASSERT_EQ(CX_OK, status_);
        EXPECT_EQ(before.substr(0, kept) + more, Value(entry));
        cx_entry_unref(old);
        EXPECT_EQ(before.substr(0, kept) + more, Value(entry)) << "outlives it";
        cx_entry_unref(entry);
      }
    }
  }
}

TEST_F(EntryTest, FindsWhatValuesHaveInCommon) {
  for (size_t size : {500, 9000}) {
    std::string value = Noise(size), other = value;
    cx_entry *entry = New(value);
    other[300] ^= 1;
    EXPECT_EQ(300u, cx_entry_common_prefix(entry, Bytes(other)));
    EXPECT_EQ(size, cx_entry_common_prefix(entry, Bytes(value)));
    EXPECT_EQ(size, cx_entry_common_prefix(entry, Bytes(value + "x")));
    EXPECT_EQ(200u, cx_entry_common_prefix(entry, {Bytes(value).data, 200}));
    EXPECT_EQ(0u, cx_entry_common_prefix(entry, {}));
    cx_entry_unref(entry);
  }
}

TEST_F(EntryTest, TellsWhetherValuesAreEqualHoweverTheyWereMade) {
  for (size_t size : {size_t{1}, size_t{500}, size_t{CX_VALUE_INLINE_MAX},
                      size_t{CX_VALUE_INLINE_MAX} + 1, size_t{90000}}) {
    std::string value = Noise(size), other = value;
    other[size / 2] ^= 1;
    cx_entry *begin = New(value.substr(0, size / 3));
    cx_entry *entries[] = {New(value), New(value.substr(size / 3), begin, size / 3), New(other),
                           New(value + "x"), New(value.substr(1))};
    for (int i = 0; i < 5; i++) {
      EXPECT_EQ(i < 2, cx_entry_values_equal(entries[0], entries[i])) << size << " " << i;
      EXPECT_EQ(i < 2, cx_entry_values_equal(entries[i], entries[1])) << size << " " << i;
    }
    for (cx_entry *entry : entries) cx_entry_unref(entry);
    cx_entry_unref(begin);
  }
  cx_entry *entries[] = {New(""), New(""), New(Noise(5000))};
  EXPECT_TRUE(cx_entry_values_equal(entries[0], entries[1]));
  EXPECT_FALSE(cx_entry_values_equal(entries[1], entries[2]));
  EXPECT_FALSE(cx_entry_values_equal(entries[2], entries[1]));
  for (cx_entry *entry : entries) cx_entry_unref(entry);
}

TEST_F(EntryTest, GivesEverythingBackWhenThereIsNoMemory) {
  cx_entry *old = New(Noise(1000));
  std::string more = Noise(9000);
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_entry *entry = New(more, old, 900);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status_);
      cx_entry_unref(entry);
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status_);
  }
  cx_entry_unref(old);
}

}  // namespace
