// What stage_lists.h promises: edits that are made when the change is applied, and given back
// when it is not.

#include "tests/unit/state/tracker_fixture.h"

extern "C" {
#include "core/state/stage_lists.h"
}

namespace {

class StageListsTest : public TrackerFixture {
 protected:
  StageListsTest() {
    EXPECT_EQ(CX_OK, cx_stage_begin(&stage_, &state_, &arena_, nullptr, 1));
    key_ = NameKey("a");
    shard_ = cx_stage_shard(&stage_, &key_);
  }
  ~StageListsTest() override { cx_stage_done(&stage_); }

  cx_staged_item Staged(const std::string &id) {
    cx_staged_item staged = {};
    staged.key = &key_;
    staged.context = const_cast<cx_context *>(Find(id));
    return staged;
  }

  // What is to be added, +, and to be removed, -; NULs as slashes.
  List Edits() {
    List list;
    for (const cx_list_edit *edit = stage_.edits; edit != nullptr; edit = edit->next) {
      std::string key = edit->added != nullptr
                            ? "+" + Text(cx_tree_item_key(edit->kind, edit->added))
                            : "-" + Text(edit->removed);
      for (char &c : key) c = c == '\0' ? '/' : c;
      list.push_back(key);
    }
    return list;
  }

  cx_stage stage_;
  cx_name_key key_;
  cx_shard *shard_;
};

TEST_F(StageListsTest, KeepsEditsInTheirOrderAndMakesNoneOfThem) {
  const cx_row_names names = {{cx_bytes_of("n"), cx_bytes_of("type")}, 2, cx_bytes_of("id")};
  EXPECT_EQ(CX_OK, cx_stage_row(&stage_, &shard_->by_type, &names, true));
  EXPECT_EQ(CX_OK, cx_stage_row(&stage_, &shard_->by_type, &names, false));
  EXPECT_EQ((List{"+n/type/id", "-n/type/id"}), Edits());
  EXPECT_EQ(nullptr, shard_->by_type.root);
}

TEST_F(StageListsTest, EditsTheRowsOfLabelsThatTheOtherListDoesNotHave) {
  Create("a");
  const cx_label before[] = {{cx_bytes_of("k"), cx_bytes_of("1")},
                             {cx_bytes_of("l"), cx_bytes_of("2")},
                             {cx_bytes_of("m"), cx_bytes_of("3")}};
  const cx_label after[] = {{cx_bytes_of("l"), cx_bytes_of("2")},
                            {cx_bytes_of("m"), cx_bytes_of("4")}};
  cx_staged_item staged = Staged("a");
  EXPECT_EQ(CX_OK, cx_stage_label_rows(&stage_, &staged, {before, 3}, {after, 2}, false));
  EXPECT_EQ(CX_OK, cx_stage_label_rows(&stage_, &staged, {after, 2}, {before, 3}, true));
  EXPECT_EQ((List{"-default/k/1/a", "-default/m/3/a", "+default/m/4/a"}), Edits());
}

TEST_F(StageListsTest, HasNoRowForATypeThatThereIsNot) {
  cx_new_context properties = {};
  properties.type = cx_bytes_of("chat");
  Create("a");
  Create("typed", properties);
  cx_staged_item staged = Staged("a");
  EXPECT_EQ(CX_OK, cx_stage_type_row(&stage_, &staged, true));
  EXPECT_EQ(List{}, Edits());
  staged = Staged("typed");
  EXPECT_EQ(CX_OK, cx_stage_type_row(&stage_, &staged, false));
  EXPECT_EQ((List{"-default/chat/typed"}), Edits());
}

TEST_F(StageListsTest, FindsTheParentInWhoseShardItListsTheChild) {
  Create("p");
  CreateBelow("a", "p");
  cx_staged_item staged = Staged("p");
  EXPECT_EQ(CX_OK, cx_stage_parent_row(&stage_, &staged, false)) << "which has none";
  EXPECT_EQ(List{}, Edits());
  staged = Staged("a");
  EXPECT_EQ(CX_OK, cx_stage_parent_row(&stage_, &staged, false));
  EXPECT_EQ(Find("p"), staged.parent);
  ASSERT_EQ((List{"-default/p/a"}), Edits());
  EXPECT_EQ(&state_.shards[NameKey("p").shard].children, stage_.edits->tree);
}

TEST_F(StageListsTest, RefusesAParentThatIsNotThere) {
  Create("p");
  CreateBelow("a", "p");
  Delete("p", /*recursive=*/true);
  cx_staged_item staged = Staged("a");
  EXPECT_EQ(CX_DATA_LOSS, cx_stage_parent_row(&stage_, &staged, true));
}

TEST_F(StageListsTest, TakesOverAnItemAlsoWithoutMemory) {
  const cx_row_names names = {{cx_bytes_of("n")}, 1, cx_bytes_of("id")};
  for (size_t nth = 1;; nth++) {
    struct fail_nth fail;
    cx_row *row;
    ASSERT_EQ(CX_OK, cx_row_new(&names, &row));
    cx_stage_done(&stage_);
    cx_arena_done(&arena_);
    ASSERT_EQ(CX_OK, cx_stage_begin(&stage_, &state_, &arena_, nullptr, 1));
    fail_nth_begin(&fail, nth);
    cx_status status = cx_stage_list_add(&stage_, &shard_->by_type, &cx_row_class, &row->item);
    if (status == CX_OK) {
      status = cx_stage_list_remove(&stage_, &shard_->by_type, &cx_row_class, cx_bytes_of("x"));
    }
    bool failed = fail_nth_end(&fail);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status) << nth;
    if (!failed) break;  // What was made is given back: the fixture looks.
  }
}

}  // namespace
