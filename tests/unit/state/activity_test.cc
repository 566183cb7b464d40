// What activity.h promises: an activity says what it was made of, and tells which others
// repeat it.

extern "C" {
#include "core/base/limits.h"
#include "core/state/detail.h"
#include "tests/support/fail_nth.h"
}

#include "tests/unit/state/activity_fixture.h"

namespace {

class ActivityTest : public ActivityFixture {
 protected:
  static std::string Data(const cx_activity *activity, size_t size) {
    std::string data(size, '\0');
    cx_activity_read(activity, reinterpret_cast<uint8_t *>(&data[0]));
    return data;
  }

  // An activity with something of everything, and each of its parts changed once.
  static std::vector<ActivityParts> Variants(const ActivityParts &first) {
    std::vector<ActivityParts> variants(8, first);
    variants[1].type += "x";
    variants[2].data[0] ^= 1;
    variants[3].detail = FileDetail("other");
    variants[4].session_id = std::string(CX_SESSION_ID_SIZE, 'b');
    variants[5].content_type = "y";
    variants[6].labels[0].second = "w";
    variants[7].time_us++;
    return variants;
  }

  static ActivityParts Full(size_t data_size) {
    ActivityParts parts;
    parts.data = Noise(data_size);
    parts.session_id = std::string(CX_SESSION_ID_SIZE, 'a');
    parts.content_type = "text/plain";
    parts.labels = {{"key", "value"}, {"l", ""}};
    parts.detail = FileDetail("path", "write", "tool");
    parts.time_us = 77;
    return parts;
  }
};

TEST_F(ActivityTest, SaysWhatItWasMadeOfWhereverItsDataLie) {
  for (size_t size : {size_t{0}, size_t{1}, size_t{CX_VALUE_INLINE_MAX},
                      size_t{CX_VALUE_INLINE_MAX} + 1, size_t{50000}}) {
    ActivityParts parts = Full(size);
    cx_activity *activity = New(5, parts);
    ASSERT_NE(nullptr, activity);
    EXPECT_EQ(size > CX_VALUE_INLINE_MAX, activity->value != nullptr);
    struct cx_activity_view view;
    cx_activity_view(activity, &view);
    EXPECT_EQ(5u, view.sequence);
    EXPECT_EQ(5u, cx_activity_sequence(activity));
    EXPECT_EQ(77, view.time_us);
    EXPECT_EQ(parts.session_id, Text(view.session_id));
    EXPECT_EQ("type", Text(view.type));
    EXPECT_EQ("type", Text(cx_activity_type(activity)));
    EXPECT_EQ("text/plain", Text(view.content_type));
    ASSERT_EQ(2u, view.label_count);
    EXPECT_EQ("key", Text(view.labels[0].key));
    EXPECT_EQ("value", Text(view.labels[0].value));
    EXPECT_EQ("l", Text(view.labels[1].key));
    EXPECT_TRUE(cx_detail_equal(&parts.detail, &view.detail));
    ASSERT_EQ(size, view.data_size);
    EXPECT_EQ(activity, view.activity);
    EXPECT_EQ(parts.data, Data(activity, size));
    EXPECT_EQ(size + 9, cx_activity_weight(activity)) << "data, and labels' keys and values";
    cx_activity_unref(activity);
  }
  cx_activity_unref(nullptr);
}

TEST_F(ActivityTest, NeedsNoMoreThanAType) {
  cx_activity *activity = New(1, {});
  struct cx_activity_view view;
  cx_activity_view(activity, &view);
  EXPECT_EQ(0, view.time_us) << "that of its change is set later";
  EXPECT_EQ(0u, view.session_id.size + view.content_type.size + view.label_count + view.data_size);
  EXPECT_EQ(CX_DETAIL_NONE, view.detail.kind);
  EXPECT_EQ(0u, cx_activity_weight(activity));
  cx_activity_unref(activity);
}

TEST_F(ActivityTest, HoldsTheLargestOfEverything) {
  std::string path(CX_FILE_PATH_SIZE_MAX, 'p'), source(CX_FILE_SOURCE_SIZE_MAX, 's');
  ActivityParts parts = Full(10);
  parts.type.assign(CX_ACTIVITY_TYPE_SIZE_MAX, 't');
  parts.content_type.assign(CX_CONTENT_TYPE_SIZE_MAX, 'c');
  parts.detail = FileDetail(path.c_str(), parts.type.c_str(), source.c_str());
  cx_activity *activity = New(UINT64_MAX, parts);
  struct cx_activity_view view;
  cx_activity_view(activity, &view);
  EXPECT_EQ(UINT64_MAX, view.sequence);
  EXPECT_EQ(parts.type, Text(view.type));
  EXPECT_EQ(parts.content_type, Text(view.content_type));
  EXPECT_TRUE(cx_detail_equal(&parts.detail, &view.detail));
  EXPECT_EQ(parts.data, Data(activity, 10));
  cx_activity_unref(activity);
}

TEST_F(ActivityTest, OrdersBySequence) {
  std::vector<uint64_t> sequences = {0, 1, 255, 256, 65536, uint64_t{1} << 40, UINT64_MAX};
  for (size_t i = 1; i < sequences.size(); i++) {
    cx_sequence_key a, b;
    cx_sequence_key_init(&a, sequences[i - 1]);
    cx_sequence_key_init(&b, sequences[i]);
    EXPECT_GT(0, cx_bytes_compare(cx_sequence_key_bytes(&a), cx_sequence_key_bytes(&b)));
    cx_activity *activity = New(sequences[i], {});
    EXPECT_TRUE(cx_bytes_equal(cx_sequence_key_bytes(&b),
                               cx_tree_item_key(&cx_activity_class, &activity->item)));
    cx_activity_unref(activity);
  }
}

TEST_F(ActivityTest, RepeatsWhatHasTheSameTypeDataAndDetail) {
  for (size_t size : {10, 5000}) {
    std::vector<ActivityParts> variants = Variants(Full(size));
    cx_activity *first = New(1, variants[0]);
    for (size_t i = 0; i < variants.size(); i++) {
      cx_activity *other = New(2, variants[i]);
      bool same = i == 0 || i > 3;
      EXPECT_EQ(same, cx_activity_repeats(first, other)) << i;
      EXPECT_EQ(same, cx_activity_hash(first) == cx_activity_hash(other)) << i;
      cx_activity_unref(other);
    }
    cx_activity_unref(first);
  }
}

TEST_F(ActivityTest, TellsPartsApartThatLieSideBySide) {
  ActivityParts one, other;
  one.detail = FileDetail("p", "", "s");
  one.data = "data";
  other.detail = FileDetail("p", "", "sd");
  other.data = "ata";
  cx_activity *a = New(1, one), *b = New(2, other);
  EXPECT_FALSE(cx_activity_repeats(a, b));
  cx_activity_unref(a);
  cx_activity_unref(b);
  one = other = {};
  one.type = "ab";
  other.type = "a";
  other.content_type = "b";
  a = New(1, one), b = New(2, other);
  EXPECT_FALSE(cx_activity_repeats(a, b));
  cx_activity_unref(a);
  cx_activity_unref(b);
}

TEST_F(ActivityTest, MixesAllOfItIntoADigest) {
  for (size_t size : {10, 5000}) {
    std::vector<ActivityParts> variants = Variants(Full(size));
    cx_activity *first = New(1, variants[0]);
    uint64_t digest = cx_activity_mix(9, first);
    for (size_t i = 0; i < variants.size(); i++) {
      cx_activity *other = New(1, variants[i]);
      EXPECT_EQ(i == 0, digest == cx_activity_mix(9, other)) << i;
      cx_activity_unref(other);
    }
    cx_activity *later = New(2, variants[0]);
    EXPECT_NE(digest, cx_activity_mix(9, later));
    EXPECT_NE(digest, cx_activity_mix(8, first));
    cx_activity_unref(later);
    cx_activity_unref(first);
  }
}

TEST_F(ActivityTest, GivesEverythingBackWhenThereIsNoMemory) {
  ActivityParts parts = Full(9000);
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    fail_nth_begin(&fail, nth);
    cx_activity *activity = New(1, parts);
    if (!fail_nth_end(&fail)) {
      EXPECT_EQ(CX_OK, status_);
      cx_activity_unref(activity);
      EXPECT_LT(3u, nth) << "the activity, its labels and its value";
      break;
    }
    EXPECT_EQ(CX_RESOURCE_EXHAUSTED, status_);
    EXPECT_EQ(nullptr, activity);
  }
}

}  // namespace
