// What labels.h promises.

#include <gtest/gtest.h>

extern "C" {
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/labels.h"
#include "tests/support/fail_nth.h"
}

#include "tests/support/requests.h"

namespace {

cx_label Label(const char *key, const char *value) {
  return {cx_bytes_of(key), cx_bytes_of(value)};
}

TEST(LabelsTest, AreACopyThatLivesAsLongAsAReference) {
  int64_t before = cx_memory_used();
  cx_labels *labels;
  {
    std::string key = "key", value = "value";
    cx_label items[] = {{Bytes(key), Bytes(value)}, Label("l", "")};
    ASSERT_EQ(CX_OK, cx_labels_new({items, 2}, &labels));
    key = value = "other";
  }
  cx_labels_ref(labels);
  cx_labels_unref(labels);
  cx_label_list list = cx_labels_list(labels);
  ASSERT_EQ(2u, list.count);
  EXPECT_EQ("key", Text(list.items[0].key));
  EXPECT_EQ("value", Text(list.items[0].value));
  EXPECT_EQ("", Text(list.items[1].value));
  cx_labels_unref(labels);
  EXPECT_EQ(before, cx_memory_used());
}

TEST(LabelsTest, NoLabelsAreNull) {
  cx_labels *labels;
  ASSERT_EQ(CX_OK, cx_labels_new({nullptr, 0}, &labels));
  EXPECT_EQ(nullptr, labels);
  EXPECT_EQ(nullptr, cx_labels_ref(nullptr));
  cx_labels_unref(nullptr);
  EXPECT_EQ(0u, cx_labels_list(nullptr).count);
  EXPECT_EQ(nullptr, cx_label_find(cx_labels_list(nullptr), cx_bytes_of("k")));
}

TEST(LabelsTest, FindsAndIncludesByKeyAndValue) {
  cx_label items[] = {Label("a", "1"), Label("b", "2"), Label("bb", "3"), Label("c", "4")};
  cx_label_list list = {items, 4};
  for (const cx_label &each : items) EXPECT_EQ(&each, cx_label_find(list, each.key));
  for (const char *key : {"", "aa", "d"}) EXPECT_EQ(nullptr, cx_label_find(list, cx_bytes_of(key)));
  cx_label wanted[] = {Label("c", "4"), Label("a", "1")};
  EXPECT_TRUE(cx_labels_include(list, {wanted, 2}));
  EXPECT_TRUE(cx_labels_include(list, {nullptr, 0}));
  wanted[1].value = cx_bytes_of("2");
  EXPECT_FALSE(cx_labels_include(list, {wanted, 2}));
  EXPECT_FALSE(cx_labels_include({nullptr, 0}, {wanted, 1}));
}

TEST(LabelsTest, KeepTheOrderWhenTheyAreSetAndRemoved) {
  cx_label items[CX_LABELS_MAX + 1];
  size_t count = 0;
  for (const char *key : {"m", "a", "z", "b", "m"}) cx_label_set(items, &count, Label(key, key));
  cx_label_set(items, &count, Label("a", "new"));
  ASSERT_EQ(4u, count);
  EXPECT_EQ("a", Text(items[0].key));
  EXPECT_EQ("new", Text(items[0].value));
  EXPECT_EQ("b", Text(items[1].key));
  EXPECT_EQ("z", Text(items[3].key));
  cx_label_remove(items, &count, cx_bytes_of("b"));
  cx_label_remove(items, &count, cx_bytes_of("none"));
  ASSERT_EQ(3u, count);
  EXPECT_EQ("m", Text(items[1].key));
}

TEST(LabelsTest, MixIntoADigestByKeyAndValue) {
  cx_label items[] = {Label("a", "1"), Label("b", "2"), Label("b", "3"), Label("c", "2")};
  const cx_label_list lists[] = {{nullptr, 0},   {items, 1},     {items, 2},
                                 {items + 1, 1}, {items + 2, 1}, {items + 3, 1}};
  std::vector<uint64_t> digests;
  for (const cx_label_list &list : lists) {
    digests.push_back(cx_labels_mix(7, list));
    EXPECT_EQ(digests.back(), cx_labels_mix(7, list));
    if (list.count > 0) {
      EXPECT_NE(digests.back(), cx_labels_mix(8, list)) << "it goes on from what was before";
    }
  }
  for (size_t i = 0; i < digests.size(); i++) {
    for (size_t j = 0; j < i; j++) EXPECT_NE(digests[i], digests[j]) << i << " and " << j;
  }
}

TEST(LabelsTest, SayWhenThereIsNoMemory) {
  struct fail_nth fail;
  cx_label item = Label("a", "1");
  cx_labels *labels;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_labels_new({&item, 1}, &labels));
  fail_nth_end(&fail);
}

}  // namespace
