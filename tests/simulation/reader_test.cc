// Readers refuse what is left out, told twice, told wrongly, or not theirs.

#include "tests/simulation/reader.h"

#include <gtest/gtest.h>

namespace simulation {
namespace {

class ReaderTest : public testing::Test {
 protected:
  // Changes 1 to 4, of two events each; "a" lies in shard 1, "b" in shard 2.
  ReaderTest() {
    for (uint64_t revision = 1; revision <= 4; revision++) {
      Model model;
      Happened happened;
      model.SetRules({}, revision);
      for (uint32_t i = 0; i < 2; i++) {
        auto subject = std::make_shared<Subject>();
        subject->shard = i + 1;
        subject->shown.name = {"n", i == 0 ? "a" : "b"};
        Event event = {{revision, i},     event_type::kUpdated, i == 1, "n", subject,
                       revision * 10 + i, revision * 10 + i + 5};
        happened.events.push_back(event);
      }
      EXPECT_EQ("", log_.Add(happened, model, model));
    }
    reader_.filter.namespace_id = "n";
    reader_.Begin({{1, 0}, false, {}}, {});
  }

  static Told::Heard Heard(uint64_t revision, uint32_t index) {
    Position behind = index == 1 ? Position{revision + 1, 0} : Position{revision, 1};
    return {{revision, index}, behind, revision * 10 + index};
  }

  static Told Tell(Position next, std::vector<Told::Heard> events) {
    Told told;
    told.kind = events.empty() ? Told::kProgress : Told::kEvents;
    told.next = next;
    told.events = std::move(events);
    return told;
  }

  EventLog log_;
  Reader reader_;
};

TEST_F(ReaderTest, TakesWhatIsRight) {
  EXPECT_EQ("", reader_.Hear(log_, Tell({1, 1}, {Heard(1, 0)})));
  EXPECT_EQ("", reader_.Hear(log_, Tell({3, 0}, {Heard(1, 1), Heard(2, 0), Heard(2, 1)})));
  reader_.filter.ids = {"b"};
  EXPECT_EQ("", reader_.Hear(log_, Tell({4, 0}, {Heard(3, 1)})));
  EXPECT_EQ("", reader_.Hear(log_, Tell({4, 1}, {})));
}

TEST_F(ReaderTest, RefusesAGap) {
  EXPECT_NE("", reader_.Hear(log_, Tell({2, 0}, {Heard(1, 1)})));
  EXPECT_NE("", reader_.Hear(log_, Tell({2, 0}, {})));
}

TEST_F(ReaderTest, RefusesARepeatAndAnotherOrder) {
  EXPECT_NE("", reader_.Hear(log_, Tell({2, 0}, {Heard(1, 1), Heard(1, 0)})));
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {Heard(1, 0), Heard(1, 0)})));
  EXPECT_EQ("", reader_.Hear(log_, Tell({2, 0}, {Heard(1, 0), Heard(1, 1)})));
  EXPECT_NE("", reader_.Hear(log_, Tell({3, 0}, {Heard(1, 1), Heard(2, 0), Heard(2, 1)})));
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {})));
}

TEST_F(ReaderTest, RefusesAnEventThatIsAnother) {
  Told::Heard heard = Heard(1, 0);
  heard.digest++;
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {heard})));
  heard = Heard(1, 0);
  heard.behind = {2, 0};
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {heard})));
  reader_.without_values = true;
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {Heard(1, 0)})));
}

TEST_F(ReaderTest, RefusesWhatItDidNotAskFor) {
  reader_.filter.ids = {"b"};
  EXPECT_NE("", reader_.Hear(log_, Tell({1, 1}, {Heard(1, 0)})));
}

TEST_F(ReaderTest, KnowsWhatItWasNotTold) {
  EXPECT_EQ((Position{1, 0}), reader_.FindUntold(log_, 4)->at);
  reader_.filter.ids = {"b"};
  EXPECT_EQ((Position{1, 1}), reader_.FindUntold(log_, 4)->at);
  EXPECT_EQ("", reader_.Hear(log_, Tell({2, 0}, {Heard(1, 1)})));
  EXPECT_EQ(nullptr, reader_.FindUntold(log_, 1));
}

TEST_F(ReaderTest, WantsInASnapshotJustTheEventsOfWhatWasShown) {
  reader_.Begin({{1, 0}, true, {1, "a"}}, {});
  Told told = Tell({2, 0}, {Heard(1, 0)});
  told.in_snapshot = true;
  told.place = {1, "a"};
  Told both = told;
  both.events.push_back(Heard(1, 1));
  EXPECT_NE("", reader_.Hear(log_, both));
  EXPECT_EQ("", reader_.Hear(log_, told));
}

}  // namespace
}  // namespace simulation
