// What tracking.h promises: what was told stays as it was, whatever happens to what it was
// taken from, until it is released.

extern "C" {
#include "core/state/file.h"
#include "core/state/history.h"
#include "core/state/usage.h"
}

#include "tests/unit/state/activity_fixture.h"

namespace {

class TrackingTest : public ActivityFixture {};

// What a page of nothing in particular is made of.
template <typename T>
T *Calloc(size_t count = 1) {
  return static_cast<T *>(cx_calloc(count * sizeof(T)));
}

TEST_F(TrackingTest, ReleasesSessionsAndTheirPages) {
  cx_session_view_free(nullptr);
  cx_session_view_free(Calloc<cx_session_view>());
  cx_session_page page = {};
  cx_session_page_done(&page);
  page.rows = Calloc<cx_session_view *>(3);
  for (; page.count < 2; page.count++) page.rows[page.count] = Calloc<cx_session_view>();
  cx_session_page_done(&page);
  EXPECT_EQ(nullptr, page.rows);
  EXPECT_EQ(0u, page.count);
}

TEST_F(TrackingTest, ReleasesTheStatusOfAContext) {
  cx_context_status status = {};
  cx_context_status_done(&status);
  status.memory = cx_alloc(10);
  status.session_ids = static_cast<cx_bytes *>(status.memory);
  status.session_count = 1;
  cx_context_status_done(&status);
  EXPECT_EQ(nullptr, status.session_ids);
  EXPECT_EQ(0u, status.session_count);
}

TEST_F(TrackingTest, KeepsThePageOfAHistoryThatIsGone) {
  cx_activity_page page = {};
  cx_activity_page_done(&page);
  ActivityParts parts;
  std::string data[] = {"", Noise(100), Noise(5000)};
  for (const std::string &one : data) {
    parts.data = one;
    Add(static_cast<uint64_t>(&one - data) + 1, parts);
  }
  cx_activity_query query = {};
  query.count_max = 10;
  page.history = cx_tree_copy(&history_);
  ASSERT_EQ(CX_OK, cx_history_list(&query, &page));
  Clear();
  ASSERT_EQ(3u, page.count);
  for (size_t i = 0; i < page.count; i++) {
    std::string copy(page.rows[i].data_size, '\0');
    cx_activity_data_copy(&page.rows[i], reinterpret_cast<uint8_t *>(&copy[0]));
    EXPECT_EQ(data[i], copy);
  }
  cx_activity_page_done(&page);
  EXPECT_EQ(nullptr, page.rows);
  EXPECT_EQ(nullptr, page.history.root);
}

TEST_F(TrackingTest, KeepsThePageOfFilesThatAreGone) {
  cx_file_page page = {};
  cx_file_page_done(&page);
  cx_file_operation operation = {cx_bytes_of("path"), cx_bytes_of("read"), cx_bytes_of("tool")};
  cx_file_row *file;
  cx_tree files = {};
  cx_tree_item *old;
  ASSERT_EQ(CX_OK, cx_file_new(&operation, nullptr, &file));
  ASSERT_EQ(CX_OK, cx_tree_put(&cx_file_class, &files, nullptr, &file->item, &old));
  cx_tracked_query query = {};
  query.count_max = 10;
  page.files = cx_tree_copy(&files);
  ASSERT_EQ(CX_OK, cx_file_list(&query, &page));
  cx_tree_done(&cx_file_class, &files);
  ASSERT_EQ(1u, page.count);
  EXPECT_EQ("path", Text(page.rows[0].last.path));
  cx_file_page_done(&page);
  EXPECT_EQ(nullptr, page.rows);
  EXPECT_EQ(nullptr, page.files.root);
}

TEST_F(TrackingTest, ReleasesASummaryOfUsage) {
  cx_usage_summary summary = {};
  cx_usage_summary_done(&summary);
  summary.totals = Calloc<cx_usage_total>();
  summary.count = 1;
  cx_usage_summary_done(&summary);
  EXPECT_EQ(nullptr, summary.totals);
  EXPECT_EQ(0u, summary.count);
}

}  // namespace
