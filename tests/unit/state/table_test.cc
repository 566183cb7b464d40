// What table.h promises: a context is found by its name and no other, through growth and
// removals.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

#include <map>
#include <random>

namespace {

class TableTest : public StateFixture {
 protected:
  TableTest() { EXPECT_EQ(CX_OK, cx_namespaces_get(&state_.namespaces, Bytes("n"), &totals_)); }
  ~TableTest() override {
    for (auto &[id, context] : contexts_) cx_context_unref(context);
    cx_table_done(&table_);
    cx_namespace_unref(totals_);
  }

  static cx_name_key Key(const std::string &id) { return NameKey(id, "n"); }

  void Add(const std::string &id) {
    cx_context *context;
    ASSERT_EQ(CX_OK, cx_context_new(totals_, cx_bytes_of("n"), Bytes(id), {}, {}, &context));
    ASSERT_EQ(CX_OK, cx_table_reserve(&table_, 1));
    cx_table_add(&table_, context, Hash(id));
    contexts_[id] = context;
  }

  void Remove(const std::string &id) {
    cx_table_remove(&table_, contexts_.at(id), Hash(id));
    cx_context_unref(contexts_.at(id));
    contexts_.erase(id);
  }

  // Few places, so that names collide.
  static uint64_t Hash(const std::string &id) { return Key(id).hash & ~hash_mask_; }

  const cx_context *FindById(const std::string &id) {
    cx_name_key key = Key(id);
    key.hash = Hash(id);
    return cx_table_find(&table_, &key);
  }

  void ExpectAll(int id_count) {
    size_t visited = 0;
    for (int i = 0; i < id_count; i++) {
      std::string id = std::to_string(i);
      auto expected = contexts_.find(id);
      EXPECT_EQ(expected != contexts_.end() ? expected->second : nullptr, FindById(id)) << id;
    }
    for (size_t place = 0; place < table_.capacity; place++) {
      visited += cx_table_at(&table_, place) != nullptr;
    }
    EXPECT_EQ(contexts_.size(), visited);
    EXPECT_EQ(contexts_.size(), table_.count);
  }

  static uint64_t hash_mask_;
  cx_namespace *totals_;
  cx_table table_ = {};
  std::map<std::string, cx_context *> contexts_;
};

uint64_t TableTest::hash_mask_ = 0;

TEST_F(TableTest, FindsWhatIsThereThroughGrowthAndRemovals) {
  const unsigned seed = 3;
  for (uint64_t mask : {uint64_t{0}, UINT64_MAX << 3}) {  // The second: eight places for all.
    std::mt19937 random(seed);
    hash_mask_ = mask;
    for (int round = 0; round < 2000; round++) {
      std::string id = std::to_string(random() % 100);
      if (contexts_.count(id) == 0) {
        Add(id);
      } else {
        Remove(id);
      }
      if (round % 50 == 0) ExpectAll(100);
    }
    ExpectAll(100);
    while (!contexts_.empty()) Remove(contexts_.begin()->first);
  }
  hash_mask_ = 0;
}

TEST_F(TableTest, FindsNothingInAnEmptyTable) {
  EXPECT_EQ(nullptr, FindById("1"));
  cx_table_done(&table_);
}

TEST_F(TableTest, AddsWithoutMemoryOnceItIsReserved) {
  struct fail_nth fail;
  cx_context *context;
  ASSERT_EQ(CX_OK, cx_table_reserve(&table_, 100));
  for (int i = 0; i < 100; i++) {
    std::string id = std::to_string(i);
    ASSERT_EQ(CX_OK, cx_context_new(totals_, cx_bytes_of("n"), Bytes(id), {}, {}, &context));
    contexts_[id] = context;
    fail_nth_begin(&fail, 1);
    cx_table_add(&table_, context, Hash(id));
    EXPECT_FALSE(fail_nth_end(&fail));
  }
  ExpectAll(100);
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_table_reserve(&table_, 1000));
  fail_nth_end(&fail);
  ExpectAll(100);
}

TEST_F(TableTest, KeepsNamesOfDifferentNamespacesApart) {
  cx_name_key a = NameKey("bc", "a"), ab = NameKey("c", "ab");
  EXPECT_NE(a.hash, ab.hash);
  EXPECT_EQ("a" + std::string(1, '\0') + "bc", Text({a.bytes, a.size}));
  EXPECT_LT(a.shard, CX_SHARDS);
}

}  // namespace
