// What selectors.h promises: whoever wants an event is visited, and few others are, while links
// come and go.

#include "tests/unit/feed/feed_model.h"

extern "C" {
#include "core/feed/selectors.h"
#include "tests/support/fail_nth.h"
}

namespace {

// Somebody with a filter, and the links to them. They stand for subscriptions.
struct Somebody {
  Somebody(cx_selectors *in, const Filter &wanted) : selectors(in), filter(wanted), raw(wanted) {
    links.resize(cx_selector_link_count(raw.get()));
    cx_selector_links_init(raw.get(), reinterpret_cast<cx_subscription *>(this), links.data());
    EXPECT_EQ(CX_OK, cx_selectors_reserve(selectors, links.size()));
  }
  ~Somebody() {
    if (in) Leave();
    cx_selectors_release(selectors, links.size());
  }
  void Enter() {
    for (cx_selector_link &link : links) cx_selectors_add(selectors, &link);
    in = true;
  }
  void Leave() {
    for (cx_selector_link &link : links) cx_selectors_remove(selectors, &link);
    in = false;
  }

  cx_selectors *selectors;
  const Filter filter;
  const RawFilter raw;
  std::vector<cx_selector_link> links;
  bool in = false;
};

class SelectorsTest : public testing::Test {
 protected:
  SelectorsTest() : before_(cx_memory_used()) {}
  ~SelectorsTest() override {
    everybody_.clear();
    cx_selectors_done(&selectors_);
    EXPECT_EQ(before_, cx_memory_used());
  }

  Somebody *Add(const Filter &filter) {
    everybody_.push_back(std::make_unique<Somebody>(&selectors_, filter));
    everybody_.back()->Enter();
    return everybody_.back().get();
  }

  std::set<const Somebody *> Visited(const cx_event &event) {
    std::set<const Somebody *> visited;
    cx_selectors_visit(
        &selectors_, &event,
        [](void *arg, cx_selector_link *link, const cx_event *) {
          static_cast<std::set<const Somebody *> *>(arg)->insert(
              reinterpret_cast<Somebody *>(link->subscription));
        },
        &visited);
    return visited;
  }

  std::set<const Somebody *> Visited(const Item &item) {
    std::set<const Somebody *> visited;
    ForEachEvent({{item}}, 1, [&](const cx_event &event) { visited = Visited(event); });
    return visited;
  }

  int64_t before_;
  cx_selectors selectors_ = {};
  std::vector<std::unique_ptr<Somebody>> everybody_;
};

TEST_F(SelectorsTest, VisitNobodyWhereThereIsNobody) {
  EXPECT_TRUE(Visited({CX_ITEM_UPDATE, "a"}).empty());
}

TEST_F(SelectorsTest, VisitBySelectingByTheNarrowestCondition) {
  using These = std::set<const Somebody *>;
  Filter filter;
  const Somebody *all = Add(filter);
  filter.type = "chat";
  const Somebody *by_type = Add(filter);
  filter.labels = {{"x", "1"}};
  const Somebody *by_label = Add(filter);
  filter.id_prefix = "ab";
  const Somebody *by_prefix = Add(filter);
  filter.ids = {"abc", "b"};
  const Somebody *by_id = Add(filter);

  EXPECT_EQ(These({all}), Visited({CX_ITEM_UPDATE, "a"}));
  EXPECT_EQ(These({all, by_id}), Visited({CX_ITEM_UPDATE, "b"}));
  EXPECT_EQ(These({all, by_prefix, by_id}), Visited({CX_ITEM_UPDATE, "abc"}));
  EXPECT_EQ(These({all, by_prefix}), Visited({CX_ITEM_UPDATE, "ab"}));
  EXPECT_EQ(These({all, by_type}), Visited({CX_ITEM_UPDATE, "c", {}, "chat"}));
  EXPECT_EQ(These({all, by_label}), Visited({CX_ITEM_UPDATE, "c", {}, "", {{"x", "1"}}}));
  EXPECT_EQ(These({all, by_label}), Visited({CX_ITEM_UPDATE, "c", {}, "", {}, true, {{"x", "1"}}}));
  EXPECT_EQ(These({all}), Visited({CX_ITEM_UPDATE, "c", {}, "", {{"x", "2"}, {"y", "1"}}}));
}

TEST_F(SelectorsTest, VisitThoseWhoWantPointsByTheTypeOfTheEvent) {
  Filter filter;
  filter.event_types = {CX_EVENT_POINT_CREATED, CX_EVENT_FORKED};
  const Somebody *wants = Add(filter);
  Item item = {CX_ITEM_TOUCH, "a"};
  item.points = {{CX_POINT_MAKE, "p"}};
  EXPECT_EQ(std::set<const Somebody *>({wants}), Visited(item));
  item.points = {{CX_POINT_DROP, "p"}};
  EXPECT_TRUE(Visited(item).empty());
  item = {CX_ITEM_CREATE, "a"};
  EXPECT_TRUE(Visited(item).empty());
  item.source = "b";
  EXPECT_EQ(std::set<const Somebody *>({wants}), Visited(item));
}

TEST_F(SelectorsTest, VisitByTheLabelsOfAnUndeletedContext) {
  Filter filter;
  filter.labels = {{"x", "1"}};
  const Somebody *wants = Add(filter);
  Item item = {CX_ITEM_UNDELETE, "a"};
  EXPECT_TRUE(Visited(item).empty());
  item.labels = {{"x", "1"}};
  EXPECT_EQ(std::set<const Somebody *>({wants}), Visited(item));
}

TEST_F(SelectorsTest, LetWhoIsVisitedLeave) {
  for (int i = 0; i < 100; i++) Add({});
  ForEachEvent({{{CX_ITEM_UPDATE, "a"}}}, 1, [&](const cx_event &event) {
    int visits = 0;
    cx_selectors_visit(
        &selectors_, &event,
        [](void *arg, cx_selector_link *link, const cx_event *) {
          ++*static_cast<int *>(arg);
          reinterpret_cast<Somebody *>(link->subscription)->Leave();
        },
        &visits);
    EXPECT_EQ(100, visits);
    EXPECT_TRUE(Visited(event).empty());
  });
}

TEST_F(SelectorsTest, GrowOnlyWhereThereIsMemory) {
  Filter filter;
  for (unsigned i = 0; i < 100; i++) filter.ids.insert("id-" + std::to_string(i));
  const Somebody *many = Add(filter);
  struct fail_nth fail;
  fail_nth_begin(&fail, 1);
  EXPECT_EQ(CX_RESOURCE_EXHAUSTED, cx_selectors_reserve(&selectors_, 1000));
  EXPECT_TRUE(fail_nth_end(&fail));
  EXPECT_EQ(1u, Visited({CX_ITEM_UPDATE, "id-17"}).count(many)) << "they are as they were";
  ASSERT_EQ(CX_OK, cx_selectors_reserve(&selectors_, 1000));
  cx_selectors_release(&selectors_, 1000);
  EXPECT_EQ(1u, Visited({CX_ITEM_UPDATE, "id-17"}).count(many));
}

TEST_F(SelectorsTest, VisitWhoeverWantsAnEventAndFewOthers) {
  size_t visits = 0, wanted = 0, possible = 0;
  for (unsigned seed = 1; seed <= 40; seed++) {
    Chance chance(seed);
    everybody_.clear();
    for (int i = 0; i < 60; i++) Add(chance.AFilter());
    for (int round = 0; round < 60; round++) {
      Somebody *each = everybody_[chance.random() % everybody_.size()].get();
      each->in ? each->Leave() : each->Enter();
      if (chance.OneIn(4)) {
        everybody_.erase(everybody_.begin() + chance.random() % everybody_.size());
        Add(chance.AFilter());
      }
      ForEachEvent(chance.AChange(), 1, [&](const cx_event &event) {
        std::set<const Somebody *> visited = Visited(event);
        visits += visited.size();
        possible += everybody_.size();
        for (const auto &somebody : everybody_) {
          bool wants = somebody->in && cx_event_filter_match(somebody->raw.get(), &event);
          wanted += wants;
          size_t count = visited.count(somebody.get());
          EXPECT_TRUE(wants ? count == 1 : somebody->in || count == 0) << "seed " << seed;
        }
      });
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(wanted, 1000u);
  EXPECT_LT(visits, possible / 2) << "an index, not a loop over all";
}

TEST_F(SelectorsTest, VisitOneOfAThousandWhoNameTheirContexts) {
  for (int i = 0; i < 1000; i++) {
    Filter filter;
    filter.ids = {"id-" + std::to_string(i)};
    Add(filter);
    filter.ids.clear();
    filter.id_prefix = "prefix-" + std::to_string(i) + "-";
    Add(filter);
    filter.id_prefix.clear();
    filter.labels = {{"who", std::to_string(i)}};
    Add(filter);
  }
  EXPECT_EQ(1u, Visited({CX_ITEM_UPDATE, "id-7"}).size());
  EXPECT_EQ(1u, Visited({CX_ITEM_UPDATE, "prefix-71-x"}).size());
  EXPECT_EQ(1u, Visited({CX_ITEM_UPDATE, "other", {}, "", {{"who", "77"}}}).size());
  EXPECT_EQ(0u, Visited({CX_ITEM_UPDATE, "other"}).size());
}

}  // namespace
