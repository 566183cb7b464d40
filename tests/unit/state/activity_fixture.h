// Activities, and trees of them, without a state.

#ifndef CX_TESTS_UNIT_STATE_ACTIVITY_FIXTURE_H
#define CX_TESTS_UNIT_STATE_ACTIVITY_FIXTURE_H

extern "C" {
#include "core/base/memory.h"
#include "core/state/activity.h"
}

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/requests.h"

// What an activity consists of. What its detail points at is the test's.
struct ActivityParts {
  std::string type = "type";
  std::string data;
  std::string session_id;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> labels;
  cx_detail detail = {};
  int64_t time_us = 0;
};

inline cx_detail FileDetail(const char *path, const char *operation = "", const char *source = "") {
  cx_detail detail = {};
  detail.kind = CX_DETAIL_FILE;
  detail.file = {cx_bytes_of(path), cx_bytes_of(operation), cx_bytes_of(source)};
  return detail;
}

inline cx_detail ModelDetail(const char *provider, const char *model, const char *mode,
                             const char *currency, uint64_t number = 0) {
  cx_detail detail = {};
  detail.kind = CX_DETAIL_MODEL;
  detail.model = {cx_bytes_of(provider),
                  cx_bytes_of(model),
                  cx_bytes_of(mode),
                  cx_bytes_of(currency),
                  number,
                  number + 1,
                  number + 2,
                  number + 3,
                  static_cast<int64_t>(number) + 4};
  return detail;
}

inline cx_detail ResourceDetail(const char *name, const char *type, cx_resource_step step) {
  cx_detail detail = {};
  detail.kind = CX_DETAIL_RESOURCE;
  detail.resource = {cx_bytes_of(name), cx_bytes_of(type), step};
  return detail;
}

// Bytes without a pattern.
inline std::string Noise(size_t size, uint64_t seed = 1) {
  std::string text(size, '\0');
  for (char &c : text) c = static_cast<char>((seed = seed * 6364136223846793005u + 1) >> 56);
  return text;
}

class ActivityFixture : public testing::Test {
 protected:
  ActivityFixture() : before_(cx_memory_used()) { EXPECT_EQ(CX_OK, cx_chunk_table_new(&table_)); }
  ~ActivityFixture() override {
    Clear();
    cx_chunk_table_free(table_);
    EXPECT_EQ(before_, cx_memory_used()) << "everything is given back";
  }

  // The caller owns it. NULL: out of memory.
  cx_activity *New(uint64_t sequence, const ActivityParts &parts) {
    std::vector<cx_label> labels;
    for (const auto &label : parts.labels) {
      labels.push_back({Bytes(label.first), Bytes(label.second)});
    }
    cx_activity_content content = {};
    content.type = Bytes(parts.type);
    content.content_type = Bytes(parts.content_type);
    content.data = Bytes(parts.data);
    content.labels = labels.data();
    content.label_count = labels.size();
    content.detail = parts.detail;
    cx_activity *activity = nullptr;
    status_ = cx_activity_new(table_, sequence, Bytes(parts.session_id), &content, &activity);
    if (activity != nullptr) {
      activity->time_us = parts.time_us;
      EXPECT_EQ(cx_activity_weight(activity), cx_activity_content_weight(&content));
    }
    return activity;
  }

  // Adds one to the history.
  void Add(uint64_t sequence, const ActivityParts &parts) {
    cx_activity *activity = New(sequence, parts);
    cx_tree_item *old;
    ASSERT_NE(nullptr, activity);
    ASSERT_EQ(CX_OK, cx_tree_put(&cx_activity_class, &history_, nullptr, &activity->item, &old));
    ASSERT_EQ(nullptr, old);
  }

  void Clear() { cx_tree_done(&cx_activity_class, &history_); }

  int64_t before_;
  cx_chunk_table *table_;
  cx_tree history_ = {};
  cx_status status_ = CX_OK;
};

#endif  // CX_TESTS_UNIT_STATE_ACTIVITY_FIXTURE_H
