// What filter.h promises: every condition alone and with the others, on every event of a change.

#include "tests/unit/feed/feed_model.h"

extern "C" {
#include "tests/support/fail_nth.h"
}

namespace {

class FilterTest : public testing::Test {
 protected:
  // The names of the selected events of a change, with their contexts or sessions.
  static Strings Selected(const Filter &filter, const Change &change) {
    Strings lines;
    RawFilter raw(filter);
    ForEachEvent(change, 1, [&](const cx_event &event) {
      if (!cx_event_filter_match(raw.get(), &event)) return;
      cx_bytes name = event.item != nullptr ? event.item->id : event.session->start.name.id;
      lines.push_back(std::string(EventName(event.type)) + " " + Text(name));
    });
    return lines;
  }

  // Whether the update of a context with these mutations is selected.
  static bool SelectsUpdate(const Filter &filter, const std::vector<Op> &ops) {
    return !Selected(filter, {{{CX_ITEM_UPDATE, "a", ops}}}).empty();
  }

  static Filter Keys(const std::string &prefix) {
    Filter filter;
    filter.key_prefix = prefix;
    return filter;
  }

  // A session that ends, and has two contexts.
  static Change Ending() {
    Item first = {CX_ITEM_TOUCH, "ab"}, second = {CX_ITEM_UPDATE, "b", {Put("k")}};
    first.type = "chat";
    first.labels = {{"x", "1"}, {"y", "2"}};
    first.steps = {{"s", false}};
    second.steps = {{"s", false}};
    return {{first, second}, CX_SESSION_END, "s"};
  }
};

TEST_F(FilterTest, SelectsEverythingOfItsNamespace) {
  Filter filter;
  EXPECT_EQ(Strings({"DEACTIVATED ab", "UPDATED b", "DEACTIVATED b", "SESSION_ENDED s"}),
            Selected(filter, Ending()));
  filter.namespace_id = "other";
  EXPECT_EQ(Strings(), Selected(filter, Ending()));
  filter.namespace_id = "nn";
  EXPECT_EQ(Strings(), Selected(filter, Ending()));
}

TEST_F(FilterTest, SelectsContextsByEachOfItsConditionsAndThenNoSessions) {
  const Strings first = {"DEACTIVATED ab"}, second = {"UPDATED b", "DEACTIVATED b"};
  const std::vector<std::pair<void (*)(Filter *), Strings>> cases = {
      {[](Filter *filter) { filter->ids = {"ab"}; }, first},
      {[](Filter *filter) {
         filter->ids = {"b", "missing"};
       },
       second},
      {[](Filter *filter) {
         filter->ids = {"a", "abc"};
       },
       {}},
      {[](Filter *filter) { filter->id_prefix = "a"; }, first},
      {[](Filter *filter) { filter->id_prefix = "ab"; }, first},
      {[](Filter *filter) { filter->id_prefix = "abc"; }, {}},
      {[](Filter *filter) { filter->type = "chat"; }, first},
      {[](Filter *filter) { filter->type = "cha"; }, {}},
      {[](Filter *filter) {
         filter->labels = {{"x", "1"}};
       },
       first},
      {[](Filter *filter) {
         filter->labels = {{"x", "1"}, {"y", "2"}};
       },
       first},
      {[](Filter *filter) {
         filter->labels = {{"x", "1"}, {"y", "3"}};
       },
       {}},
      {[](Filter *filter) {
         filter->labels = {{"x", "1"}, {"z", ""}};
       },
       {}},
  };
  for (size_t i = 0; i < cases.size(); i++) {
    Filter filter;
    cases[i].first(&filter);
    EXPECT_EQ(cases[i].second, Selected(filter, Ending())) << "case " << i;
  }
}

TEST_F(FilterTest, SelectsTypesOfEvents) {
  Filter filter;
  filter.event_types = {CX_EVENT_DEACTIVATED, CX_EVENT_SESSION_ENDED};
  EXPECT_EQ(Strings({"DEACTIVATED ab", "DEACTIVATED b", "SESSION_ENDED s"}),
            Selected(filter, Ending()));
  filter.ids = {"b"};
  EXPECT_EQ(Strings({"DEACTIVATED b"}), Selected(filter, Ending()));
}

TEST_F(FilterTest, SelectsByTheLabelsBeforeTheChangeAndAfterIt) {
  Item item = {CX_ITEM_UPDATE, "a"};
  item.labels_changed = true;
  item.before = {{"x", "1"}, {"y", "1"}};
  item.labels = {{"x", "2"}, {"z", "1"}};
  auto selects = [&](const Labels &labels) {
    Filter filter;
    filter.labels = labels;
    return Selected(filter, {{item}}).size() == 1;
  };
  EXPECT_TRUE(selects({{"x", "1"}})) << "it is taken out of the selection";
  EXPECT_TRUE(selects({{"x", "2"}})) << "it comes into the selection";
  EXPECT_TRUE(selects({{"x", "1"}, {"y", "1"}}));
  EXPECT_FALSE(selects({{"y", "1"}, {"z", "1"}})) << "it never had both";
  EXPECT_FALSE(selects({{"x", "3"}}));
}

TEST_F(FilterTest, SelectsAnUndeletedContextByItsLabelsAfterwardsAlone) {
  Item item = {CX_ITEM_UNDELETE, "a"};
  item.labels = {{"x", "1"}};
  item.untold = true;
  Filter filter;
  filter.labels = {{"x", "1"}};
  EXPECT_EQ(Strings({"RESTORED a"}), Selected(filter, {{item}}));
  filter.labels = {{"x", "2"}};
  EXPECT_EQ(Strings(), Selected(filter, {{item}})) << "before it there was no context";
}

TEST_F(FilterTest, SelectsEachTypeOfEarlierStatesAndPointsAlone) {
  Item restored = {CX_ITEM_UPDATE, "a"}, forked = {CX_ITEM_CREATE, "b"};
  Item merged = {CX_ITEM_UPDATE, "c"};
  restored.set_back = true;
  restored.points = {{CX_POINT_MAKE, "p"}, {CX_POINT_CHANGE, "q"}, {CX_POINT_DROP, "r"}};
  forked.source = "a";
  merged.merged = "a";
  const std::pair<int, Strings> cases[] = {
      {CX_EVENT_RESTORED, {"RESTORED a"}},
      {CX_EVENT_FORKED, {"FORKED b"}},
      {CX_EVENT_MERGED, {"MERGED c"}},
      {CX_EVENT_POINT_CREATED, {"POINT_CREATED a"}},
      {CX_EVENT_POINT_UPDATED, {"POINT_UPDATED a"}},
      {CX_EVENT_POINT_DELETED, {"POINT_DELETED a"}},
      {CX_EVENT_UPDATED, {}},
      {CX_EVENT_CREATED, {}},
  };
  for (const auto &[type, expected] : cases) {
    Filter filter;
    filter.event_types = {type};
    EXPECT_EQ(expected, Selected(filter, {{restored, forked, merged}})) << EventName(type);
  }
}

// ---- Keys. ----------------------------------------------------------------------

TEST_F(FilterTest, SelectsWhatTouchesAKeyThatBeginsSo) {
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {Put("ka")}));
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {Put("l"), Put("kab")}));
  EXPECT_FALSE(SelectsUpdate(Keys("ka"), {Put("k"), Put("lka")}));
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {{CX_MUTATION_DELETE, "kab", "", "", {}}}));
  EXPECT_FALSE(SelectsUpdate(Keys("ka"), {{CX_MUTATION_DELETE, "k", "", "", {}}}));
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {{CX_MUTATION_APPEND, "ka", "", "", {}}}));
  EXPECT_TRUE(SelectsUpdate({}, {Put("l")}));
}

TEST_F(FilterTest, SelectsADeletionByPrefixThatCanMeetSuchAKey) {
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {DeletePrefix("ka")}));
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {DeletePrefix("kab")})) << "narrower";
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {DeletePrefix("k")})) << "wider";
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {DeletePrefix("")})) << "all";
  EXPECT_FALSE(SelectsUpdate(Keys("ka"), {DeletePrefix("kb")}));
  EXPECT_FALSE(SelectsUpdate(Keys("ka"), {DeletePrefix("l")}));
}

TEST_F(FilterTest, SelectsWhatTouchesNoEntryWhateverTheKeys) {
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {}));
  EXPECT_TRUE(SelectsUpdate(Keys("ka"), {{CX_MUTATION_SET_LABEL, "x", "1", "", {}}, Says()}));
  EXPECT_FALSE(SelectsUpdate(Keys("ka"), {{CX_MUTATION_SET_LABEL, "ka", "1", "", {}}, Put("l")}))
      << "a label is no entry";
  EXPECT_EQ(Strings({"DEACTIVATED ab", "DEACTIVATED b", "SESSION_ENDED s"}),
            Selected(Keys("other"), Ending()));
}

TEST_F(FilterTest, SelectsAllPartsOfAnEventOrNone) {
  std::string large(CX_EVENT_PART_SIZE, 'x');
  Change parts = {{{CX_ITEM_UPDATE, "a", {Put("k", large), Put("l", large), Put("m", large)}}}};
  EXPECT_EQ(3u, Selected(Keys("l"), parts).size());
  EXPECT_EQ(0u, Selected(Keys("x"), parts).size());
  std::string huge(CX_EVENT_SIZE_MAX, 'x');
  EXPECT_EQ(1u, Selected(Keys("l"), {{{CX_ITEM_UPDATE, "a", {Put("k", huge), Put("l")}}}}).size())
      << "the mutations that are not told count all the same";
}

TEST_F(FilterTest, SelectsRestoresAndMergesByTheKeysThatTheyTouch) {
  Item restored = {CX_ITEM_UPDATE, "a", {Put("k")}}, merged = {CX_ITEM_UPDATE, "b", {Put("l")}};
  restored.set_back = true;
  merged.merged = "a";
  EXPECT_EQ(Strings({"RESTORED a"}), Selected(Keys("k"), {{restored, merged}}));
  EXPECT_EQ(Strings({"MERGED b"}), Selected(Keys("l"), {{restored, merged}}));
}

TEST_F(FilterTest, SelectsWhatMayHaveTouchedAnyKey) {
  Item restored = {CX_ITEM_UPDATE, "a", {Put("k")}}, forked = {CX_ITEM_CREATE, "b", {Put("k")}};
  restored.set_back = true;
  restored.untold = true;
  forked.source = "a";
  EXPECT_EQ(Strings({"RESTORED a", "FORKED b"}), Selected(Keys("x"), {{restored, forked}}));
}

TEST_F(FilterTest, SelectsPointsWhateverTheKeys) {
  Item item = {CX_ITEM_UPDATE, "a", {Put("l")}};
  item.points = {{CX_POINT_MAKE, "p"}, {CX_POINT_DROP, "q"}};
  EXPECT_EQ(Strings({"POINT_CREATED a", "POINT_DELETED a"}), Selected(Keys("k"), {{item}}));
}

// ---- Many ids. -------------------------------------------------------------------

class ManyIdsTest : public FilterTest {
 protected:
  ManyIdsTest() {
    for (unsigned i = 0; i < CX_FILTER_IDS_MAX; i++) {
      filter_.ids.insert("context-" + std::to_string(i * 7));
    }
    shuffled_.assign(filter_.ids.begin(), filter_.ids.end());
    std::shuffle(shuffled_.begin(), shuffled_.end(), std::mt19937(1));
  }
  Filter filter_;
  Strings shuffled_;
};

TEST_F(ManyIdsTest, AreFoundOneByOneAndNoOthers) {
  RawFilter raw(filter_, shuffled_);
  for (unsigned i = 0; i < 7 * CX_FILTER_IDS_MAX; i++) {
    std::string id = "context-" + std::to_string(i);
    ForEachEvent({{{CX_ITEM_DELETE, id}}}, 1, [&](const cx_event &event) {
      EXPECT_EQ(i % 7 == 0, cx_event_filter_match(raw.get(), &event)) << id;
    });
  }
}

TEST_F(ManyIdsTest, AreGoneThroughByShardInTheOrderOfBytes) {
  RawFilter raw(filter_, shuffled_);
  std::set<std::string> seen;
  for (unsigned shard = 0; shard < CX_SHARDS; shard++) {
    std::string after;
    const cx_bytes *id;
    while ((id = cx_event_filter_next_id(raw.get(), shard, Bytes(after))) != nullptr) {
      cx_name_key key;
      cx_name_key_init(&key, cx_bytes_of("n"), *id);
      EXPECT_EQ(shard, key.shard);
      EXPECT_LT(after, Text(*id));
      after = Text(*id);
      EXPECT_TRUE(seen.insert(after).second);
    }
  }
  EXPECT_EQ(filter_.ids, seen);
}

TEST_F(ManyIdsTest, MakeTheSameDigestInAnyOrder) {
  EXPECT_EQ(cx_event_filter_digest(RawFilter(filter_).raw()),
            cx_event_filter_digest(RawFilter(filter_, shuffled_).raw()));
}

// ---- Digests and copies. ---------------------------------------------------------

TEST_F(FilterTest, HasADigestOfWhatDecidesASnapshot) {
  std::set<uint64_t> digests;
  std::vector<Filter> filters(12);
  filters[1].namespace_id = "m";
  filters[2].ids = {"a"};
  filters[3].ids = {"a", "b"};
  filters[4].id_prefix = "a";
  filters[5].type = "a";
  filters[6].labels = {{"a", "b"}};
  filters[7].labels = {{"a", "b"}, {"c", "d"}};
  filters[8].key_prefix = "a";
  filters[9].labels = {{"ab", ""}};
  filters[10].ids = {"b"};
  filters[11].labels = {{"a", "c"}};
  for (const Filter &filter : filters) {
    RawFilter raw(filter);
    EXPECT_TRUE(digests.insert(cx_event_filter_digest(raw.raw())).second);
    EXPECT_EQ(cx_event_filter_digest(raw.raw()), cx_event_filter_digest(raw.get()));
  }
  filters[0].event_types = {CX_EVENT_CREATED};
  EXPECT_EQ(1u, digests.count(cx_event_filter_digest(RawFilter(filters[0]).raw())))
      << "a snapshot comes whatever the types";
}

TEST_F(FilterTest, MatchesAKindByTypeAndLabels) {
  Filter filter;
  cx_label label = {cx_bytes_of("x"), cx_bytes_of("1")};
  EXPECT_TRUE(cx_event_filter_match_kind(RawFilter(filter).get(), cx_bytes_of("t"), {}));
  filter.type = "t";
  EXPECT_TRUE(cx_event_filter_match_kind(RawFilter(filter).get(), cx_bytes_of("t"), {}));
  EXPECT_FALSE(cx_event_filter_match_kind(RawFilter(filter).get(), cx_bytes_of("u"), {}));
  filter.labels = {{"x", "1"}};
  EXPECT_FALSE(cx_event_filter_match_kind(RawFilter(filter).get(), cx_bytes_of("t"), {}));
  EXPECT_TRUE(cx_event_filter_match_kind(RawFilter(filter).get(), cx_bytes_of("t"), {&label, 1}));
}

TEST_F(FilterTest, IsNotCopiedWithoutMemory) {
  Filter filter;
  RawFilter raw(filter);
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(nullptr, cx_event_filter_copy(raw.raw()));
  fail_nth_end(&fail);
}

// ---- All together. ----------------------------------------------------------------

TEST_F(FilterTest, SelectsWhatTheSpecificationSaysOfRandomChanges) {
  size_t selected = 0, others = 0;
  for (unsigned seed = 1; seed <= 5000; seed++) {
    Chance chance(seed);
    Filter filter = chance.AFilter();
    Change change = chance.AChange();
    std::vector<ModelEvent> events = Events::Of(change, 1);
    RawFilter raw(filter);
    size_t next = 0;
    ForEachEvent(change, 1, [&](const cx_event &event) {
      bool expected = filter.Selects(events.at(next++));
      (expected ? selected : others)++;
      EXPECT_EQ(expected, cx_event_filter_match(raw.get(), &event))
          << "seed " << seed << ": " << Line(event);
    });
    if (HasFailure()) return;
  }
  EXPECT_GT(selected, 500u);
  EXPECT_GT(others, 500u);
}

}  // namespace
