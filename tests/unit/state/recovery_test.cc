// What is shown of recovery points: a view stays as it was taken, whatever becomes of the point.

#include "tests/unit/state/recovery_fixture.h"

namespace {

class RecoveryViewTest : public RecoveryFixture {
 protected:
  RecoveryViewTest() { Create("a", {}, Mutations().Put("k", "1").SetLabel("l", "1")); }

  cx_point_view View(const std::string &id) {
    cx_name_key key = NameKey("a");
    cx_context *context = cx_state_find(&state_, &key);
    cx_point *point = cx_recovery_find_id(context->recovery, Bytes(id));
    cx_point_view view = {};
    cx_point_view_init(&view, context, point,
                       cx_recovery_find(context->recovery, point->parent_sequence));
    return view;
  }

  static std::string Attachments(const cx_point_view &view, const char *from) {
    std::string text;
    cx_entry_walk walk;
    cx_entry_view entry;
    cx_point_walk_attachments(&view, cx_bytes_of(from), &walk);
    while (cx_entry_walk_next(&walk, &entry)) {
      std::string value(entry.value_size, '\0');
      cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&value[0]));
      text += (text.empty() ? "" : " ") + Text(entry.key) + "=" + value;
    }
    return text;
  }

  void MakeAttached(const std::string &id) {
    const cx_attachment attached[] = {{cx_bytes_of("x"), {}, cx_bytes_of("1")},
                                      {cx_bytes_of("y"), {}, cx_bytes_of("2")}};
    MakePoint("a", id, [&](Make *request) {
      request->pinned = true;
      request->ttl_us = 50;
      request->attachments = attached;
      request->attachment_count = 2;
    });
  }
};

TEST_F(RecoveryViewTest, ShowsAllThatAPointIs) {
  MakePoint("a", "first");
  MakeAttached("p");
  const cx_point *point = cx_recovery_newest(&Recovery("a"));
  cx_point_view view = View("p");
  EXPECT_EQ("p", Text(view.id));
  EXPECT_EQ("first", Text(view.parent_id));
  EXPECT_EQ(2u, view.sequence);
  EXPECT_EQ(point->revision, view.revision);
  EXPECT_EQ(plan_.now_us, view.create_time_us);
  EXPECT_EQ(plan_.now_us + 50, view.expire_time_us);
  EXPECT_TRUE(view.pinned);
  EXPECT_EQ(CX_ORIGIN_CLIENT, view.origin);
  EXPECT_EQ(2u, view.attachment_count);
  EXPECT_EQ("x=1 y=2", Attachments(view, ""));
  EXPECT_EQ("y=2", Attachments(view, "y"));
  EXPECT_EQ(1u, view.state.version);
  EXPECT_EQ("a", Text(view.state.id));
  cx_point_view_done(&view);
  view = View("first");
  EXPECT_EQ("", Text(view.parent_id));
  cx_point_view_done(&view);
}

TEST_F(RecoveryViewTest, OutlivesThePointItsParentAndItsContext) {
  MakePoint("a", "first");
  MakeAttached("p");
  cx_point_view view = View("p");
  DropPoint("a", "first");
  Delete("a", false, true);
  EXPECT_EQ("p", Text(view.id));
  EXPECT_EQ("first", Text(view.parent_id));
  EXPECT_EQ("x=1 y=2", Attachments(view, ""));
  EXPECT_EQ(1u, view.state.entry_count);
  cx_point_view_done(&view);
  cx_point_view_done(&view);
}

}  // namespace
