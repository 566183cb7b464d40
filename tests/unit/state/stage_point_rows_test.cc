// What stage_point_rows.h promises: the rows of a point that come and go with it, of which none
// is left over. That the trees fit their points after whole changes is looked at by the fixture.

#include "tests/unit/state/recovery_fixture.h"

extern "C" {
#include "core/state/stage_lists.h"
#include "core/state/stage_point_rows.h"
}

namespace {

class StagePointRowsTest : public RecoveryFixture {
 protected:
  StagePointRowsTest() {
    Create("a");
    MakePoint("a", "p1");
    MakePoint("a", "p2");
    key_ = NameKey("a");
    staged_.key = &key_;
    staged_.context = const_cast<cx_context *>(Find("a"));
    recovery_ = staged_.context->recovery;
    EXPECT_EQ(CX_OK, cx_stage_begin(&stage_, &state_, &arena_, nullptr, 1));
  }
  ~StagePointRowsTest() override { cx_stage_done(&stage_); }

  // What is to be added, +, and to be removed, -: the tree of each, and its numbers.
  List Edits() {
    List list;
    for (const cx_list_edit *edit = stage_.edits; edit != nullptr; edit = edit->next) {
      bool added = edit->added != nullptr;
      cx_bytes key = added ? cx_tree_item_key(edit->kind, edit->added) : edit->removed;
      list.push_back((added ? "+" : "-") + Name(edit->tree) + " " + Row(edit->tree, key));
    }
    return list;
  }

  cx_stage stage_;
  cx_name_key key_;
  cx_staged_item staged_ = {};
  cx_recovery *recovery_;

 private:
  std::string Name(const cx_tree *tree) const {
    return tree == &recovery_->ids        ? "id"
           : tree == &recovery_->children ? "child"
           : tree == &recovery_->expiring ? "expiring"
                                          : "listed";
  }

  std::string Row(const cx_tree *tree, cx_bytes key) const {
    if (tree == &recovery_->ids) return Text(key);
    if (tree == &recovery_->children || tree == &recovery_->expiring) {
      return std::to_string(Number(key.data)) + "/" + std::to_string(Number(key.data + 8));
    }
    uint64_t revision, sequence;
    cx_bytes id;
    size_t space = strlen("default") + 1;
    cx_point_list_id_read({key.data + space, key.size - space}, &revision, &id, &sequence);
    return (revision == UINT64_MAX ? "?" : "@" + std::to_string(revision)) + " " + Text(id) + "/" +
           std::to_string(sequence);
  }

  static uint64_t Number(const uint8_t *bytes) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | bytes[i];
    return number;
  }
};

TEST_F(StagePointRowsTest, ListsOneThatIsNewByItsIdItsParentAndARevisionToCome) {
  cx_staged_point made = {};
  ASSERT_EQ(CX_OK, cx_point_new(3, cx_bytes_of("new"), &made.point));
  EXPECT_EQ(CX_OK, cx_stage_point_new_rows(&stage_, &staged_, recovery_, &made));
  EXPECT_EQ((List{"+id new", "+listed ? a/3"}), Edits()) << "it has no parent";
  EXPECT_NE(nullptr, made.row);
  made.point->parent_sequence = 2;
  EXPECT_EQ(CX_OK, cx_stage_point_new_rows(&stage_, &staged_, recovery_, &made));
  EXPECT_EQ((List{"+id new", "+listed ? a/3", "+id new", "+child 2/3", "+listed ? a/3"}), Edits());
  cx_point_unref(made.point);
}

TEST_F(StagePointRowsTest, ListsAllPointsByTheirRevisions) {
  std::string first = " @" + std::to_string(Point("a", "p1")->revision) + " a/1";
  std::string second = " @" + std::to_string(Point("a", "p2")->revision) + " a/2";
  EXPECT_EQ(CX_OK, cx_stage_point_rows(&stage_, &staged_, recovery_, true));
  EXPECT_EQ(CX_OK, cx_stage_point_list_row(&stage_, &staged_, Point("a", "p2"), false));
  EXPECT_EQ((List{"+listed" + first, "+listed" + second, "-listed" + second}), Edits());
}

TEST_F(StagePointRowsTest, MovesTheRowOfAnExpiryThatChanges) {
  cx_point *before, *point;
  ASSERT_EQ(CX_OK, cx_point_new(2, cx_bytes_of("p2"), &before));
  ASSERT_EQ(CX_OK, cx_point_new(2, cx_bytes_of("p2"), &point));
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, nullptr, point));
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, before, point));
  EXPECT_EQ((List{}), Edits()) << "it never expires";
  before->expire_time_us = 5;
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, nullptr, before));
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, before, before));
  point->expire_time_us = 6;
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, before, point));
  point->expire_time_us = 0;
  EXPECT_EQ(CX_OK, cx_stage_point_expiry_row(&stage_, recovery_, before, point));
  EXPECT_EQ((List{"+expiring 5/2", "-expiring 5/2", "+expiring 6/2", "-expiring 5/2"}), Edits());
  cx_point_unref(before);
  cx_point_unref(point);
}

}  // namespace
