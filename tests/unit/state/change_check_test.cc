// What change_check.h promises: each bound, from both sides.

#include "tests/unit/state/state_fixture.h"

extern "C" {
#include "core/state/change_check.h"
}

namespace {

class ChangeCheckTest : public testing::Test {
 protected:
  ChangeCheckTest() {
    op_.kind = CX_MUTATION_PUT;
    op_.key = cx_bytes_of("k");
    item_.kind = CX_ITEM_UPDATE;
    item_.id = cx_bytes_of("a");
    item_.ops = &op_;
    item_.op_count = 1;
    change_.kind = CX_CHANGE_CONTEXTS;
    change_.namespace_id = cx_bytes_of("n");
    change_.items = &item_;
    change_.item_count = 1;
  }

  bool Ok() const { return cx_change_is_well_formed(&change_); }

  // Whether a field may have up to so many bytes, and no NUL.
  void ExpectBound(cx_bytes *field, size_t size_max, bool nul_is_fine = false) {
    cx_bytes before = *field;
    std::string most(size_max, 'x'), more(size_max + 1, 'x'), nul("x\0y", 3);
    *field = Bytes(most);
    EXPECT_TRUE(Ok());
    *field = Bytes(more);
    EXPECT_FALSE(Ok());
    *field = Bytes(nul);
    EXPECT_EQ(nul_is_fine, Ok());
    *field = before;
    EXPECT_TRUE(Ok());
  }

  cx_op op_ = {};
  cx_change_item item_ = {};
  cx_change change_ = {};
};

TEST_F(ChangeCheckTest, BoundsNames) {
  ExpectBound(&change_.namespace_id, CX_NAMESPACE_SIZE_MAX);
  ExpectBound(&item_.id, CX_CONTEXT_ID_SIZE_MAX);
  ExpectBound(&item_.type, CX_CONTEXT_TYPE_SIZE_MAX);
  ExpectBound(&item_.parent_id, CX_CONTEXT_ID_SIZE_MAX);
  ExpectBound(&op_.key, CX_ENTRY_KEY_SIZE_MAX, true);
  ExpectBound(&op_.content_type, CX_CONTENT_TYPE_SIZE_MAX, true);
  op_.key = {};
  EXPECT_FALSE(Ok());
  op_.kind = CX_MUTATION_DELETE_PREFIX;
  EXPECT_TRUE(Ok()) << "the empty prefix is one";
  item_.id = {};
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTest, WantsLabelsInTheirOrder) {
  cx_label labels[CX_LABELS_MAX + 1];
  std::string keys[CX_LABELS_MAX + 1];
  for (size_t i = 0; i <= CX_LABELS_MAX; i++) {
    keys[i] = std::string(1, static_cast<char>('A' + i));
    labels[i] = {Bytes(keys[i]), cx_bytes_of("v")};
  }
  item_.labels = {labels, CX_LABELS_MAX};
  EXPECT_TRUE(Ok());
  ExpectBound(&labels[63].value, CX_LABEL_VALUE_SIZE_MAX);
  item_.labels.count = 1;
  ExpectBound(&labels[0].key, CX_LABEL_KEY_SIZE_MAX);
  item_.labels.count = CX_LABELS_MAX;
  item_.labels.count++;
  EXPECT_FALSE(Ok());
  item_.labels.count = 2;
  labels[1].key = labels[0].key;
  EXPECT_FALSE(Ok());
}

TEST_F(ChangeCheckTest, BoundsTimes) {
  op_.kind = CX_MUTATION_SET_EXPIRY;
  for (int64_t *field : {&op_.ttl_us, &item_.ttl_us}) {
    *field = CX_TTL_US_MAX;
    EXPECT_TRUE(Ok());
    *field = CX_TTL_US_MAX + 1;
    EXPECT_FALSE(Ok());
    *field = -1;
    EXPECT_FALSE(Ok());
    *field = 0;
  }
}

TEST_F(ChangeCheckTest, BoundsTheItems) {
  std::vector<cx_change_item> items(CX_CHANGE_ITEMS_MAX + 1, item_);
  change_.items = items.data();
  change_.item_count = CX_CHANGE_ITEMS_MAX;
  EXPECT_TRUE(Ok());
  change_.request.owner = CX_CHANGE_ITEMS_MAX;
  EXPECT_FALSE(Ok());
  change_.request.owner = 0;
  change_.item_count++;
  EXPECT_FALSE(Ok());
  change_.item_count = 0;
  EXPECT_FALSE(Ok());
  change_.item_count = 1;
  items[0].kind = CX_ITEM_CREATE;
  EXPECT_FALSE(Ok()) << "a create says its labels";
}

TEST_F(ChangeCheckTest, WantsSettingsThatMakeSense) {
  cx_settings settings = {1, 5, 5, 0, 1};
  cx_change change = {};
  change.kind = CX_CHANGE_SETTINGS;
  change.settings = &settings;
  EXPECT_TRUE(cx_change_is_well_formed(&change));
  settings.version_retention = 0;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
  settings.version_retention = 1;
  settings.tombstone_window_us = 4;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
  settings.tombstone_window_us = CX_TTL_US_MAX + 1;
  EXPECT_FALSE(cx_change_is_well_formed(&change));
}

}  // namespace
