// The comparing part of the subscribe loop finds each kind of lie: a small log, and records of
// it that are right, or wrong in one way.

#include "tests/integration/feed_check.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace {

using google::protobuf::TextFormat;

api::Event Event(const std::string &text) {
  api::Event event;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

std::string Head(const std::string &id, int version, int revision, int entry_count, int size) {
  return "namespace: 'n' revision: " + std::to_string(revision) +
         " context { namespace: 'n' id: '" + id + "' version: " + std::to_string(version) +
         " revision: " + std::to_string(revision) + " entry_count: " + std::to_string(entry_count) +
         " size_bytes: " + std::to_string(size) + " } ";
}

std::string Put(const std::string &key, const std::string &value) {
  return "mutations { put_entry { key: '" + key + "' value: '" + value + "' } } ";
}

// a: created, appended to, recorded on; b: created, deleted; a again.
std::vector<api::Event> Log() {
  return {
      Event("type: EVENT_TYPE_CREATED " + Head("a", 1, 1, 1, 3) + Put("k", "vv")),
      Event("type: EVENT_TYPE_CREATED " + Head("b", 1, 2, 1, 2) + Put("l", "w")),
      Event("type: EVENT_TYPE_UPDATED " + Head("a", 2, 3, 2, 7) +
            "mutations { append_entry { key: 'k' value: 'x' } } " + Put("m", "yy")),
      Event("type: EVENT_TYPE_SESSION_STARTED namespace: 'n' revision: 4 session { id: 's' }"),
      Event("type: EVENT_TYPE_DELETED " + Head("b", 1, 5, 1, 2)),
      Event("type: EVENT_TYPE_UPDATED " + Head("a", 3, 6, 1, 3) +
            "mutations { delete_entry { key: 'k' } }"),
  };
}

class FeedCheckTest : public testing::Test {
 protected:
  const std::string *Keep(const api::Event &event) { return texts_.Keep(FeedCondense(event)); }

  // A record of these events.
  FeedRecord Record(const std::vector<api::Event> &events) {
    FeedRecord record;
    record.name = "test";
    record.request.set_namespace_("n");
    for (const api::Event &event : events) record.told.push_back({Keep(event), event.revision()});
    return record;
  }

  // The same of a subscription with a snapshot, in which `a` was shown after `before` events.
  FeedRecord Shown(const std::vector<api::Event> &events, size_t before, const std::string &text) {
    FeedRecord record = Record(events);
    api::Event shown = Event("type: EVENT_TYPE_SNAPSHOT " + text);
    record.request.set_with_snapshot(true);
    record.all_behind = UINT64_MAX;
    record.shown.push_back({before, "a", shown.revision(), Keep(shown)});
    return record;
  }

  // What is found in a record of the log.
  static std::string Check(const FeedRecord &record) {
    StreamCheck check(record);
    FeedView view;
    for (const api::Event &event : Log()) {
      LoggedEvent logged;
      logged.event = event;
      EXPECT_EQ("", view.Apply(event));
      check.Expect(logged);
      check.ExpectStates(event.revision(), "n", view);
    }
    check.End();
    return check.difference();
  }

  static std::string ShownAt3() {
    return Head("a", 2, 3, 2, 7) +
           "entries { key: 'k' value: 'vvx' version: 2 } "
           "entries { key: 'm' value: 'yy' version: 2 }";
  }

  void ExpectFound(const FeedRecord &record, const std::string &part) {
    std::string found = Check(record);
    EXPECT_NE(std::string::npos, found.find(part)) << "found: " << found;
  }

  FeedTexts texts_;
};

// ---- Streams. -----------------------------------------------------------------------------

TEST_F(FeedCheckTest, FindsNothingInTheTruth) { EXPECT_EQ("", Check(Record(Log()))); }

TEST_F(FeedCheckTest, FindsEachGap) {
  for (size_t i = 0; i < Log().size(); i++) {
    std::vector<api::Event> told = Log();
    told.erase(told.begin() + static_cast<long>(i));
    ExpectFound(Record(told), "is not told");
  }
}

TEST_F(FeedCheckTest, FindsEachRepeat) {
  for (size_t i = 0; i < Log().size(); i++) {
    std::vector<api::Event> told = Log();
    told.insert(told.begin() + static_cast<long>(i), told[i]);
    EXPECT_NE("", Check(Record(told))) << i;
  }
}

TEST_F(FeedCheckTest, FindsTheWrongOrder) {
  for (size_t i = 1; i < Log().size(); i++) {
    std::vector<api::Event> told = Log();
    std::swap(told[i - 1], told[i]);
    ExpectFound(Record(told), "is not told");
  }
}

TEST_F(FeedCheckTest, FindsALostMutation) {
  std::vector<api::Event> told = Log();
  told[2].mutable_mutations()->RemoveLast();
  ExpectFound(Record(told), "is not told");
}

TEST_F(FeedCheckTest, FindsAChangedField) {
  const std::function<void(api::Event *)> kChanges[] = {
      [](api::Event *event) { event->set_session_id("s"); },
      [](api::Event *event) { event->mutable_time()->set_seconds(1); },
      [](api::Event *event) { event->mutable_context()->set_fence(1); },
      [](api::Event *event) { event->mutable_context()->set_size_bytes(8); },
      [](api::Event *event) { event->set_reset(true); },
      [](api::Event *event) { event->mutable_mutations(1)->mutable_put_entry()->set_value("yz"); },
  };
  for (const auto &change : kChanges) {
    std::vector<api::Event> told = Log();
    change(&told[2]);
    ExpectFound(Record(told), "is not told");
  }
}

TEST_F(FeedCheckTest, FindsAnEventThatNobodyMade) {
  std::vector<api::Event> told = Log();
  told.push_back(Event("type: EVENT_TYPE_DELETED " + Head("a", 3, 7, 1, 3)));
  ExpectFound(Record(told), "is told what the log does not have");
}

TEST_F(FeedCheckTest, FindsWhatAFilterShouldHaveLeftOut) {
  FeedRecord record = Record(Log());
  record.request.add_context_ids("a");
  EXPECT_NE("", Check(record));
  std::vector<api::Event> told = Log();
  told = {told[0], told[2], told[5]};
  record = Record(told);
  record.request.add_context_ids("a");
  EXPECT_EQ("", Check(record));
}

TEST_F(FeedCheckTest, LetsAStreamBeginLateOnlyWhereItMay) {
  std::vector<api::Event> told = Log();
  told.erase(told.begin(), told.begin() + 2);
  FeedRecord record = Record(told);
  record.all_behind = 2;
  record.not_before = 2;
  EXPECT_EQ("", Check(record));
  record.all_behind = 1;
  ExpectFound(record, "is not told");
  record.all_behind = 5;
  record.not_before = 3;
  ExpectFound(record, "was there before it began");
}

TEST_F(FeedCheckTest, LetsAStreamEndEarlyOnlyWhereItDid) {
  std::vector<api::Event> told = Log();
  told.pop_back();
  FeedRecord record = Record(told);
  ExpectFound(record, "nothing more");
  record.complete = false;
  EXPECT_EQ("", Check(record));
}

// ---- Snapshots. ---------------------------------------------------------------------------

TEST_F(FeedCheckTest, FindsNothingInATrueSnapshot) {
  std::vector<api::Event> told = Log();
  EXPECT_EQ("", Check(Shown({told[3], told[5]}, 1, ShownAt3())));
  EXPECT_EQ("", Check(Shown({told[5]}, 0, ShownAt3()))) << "b was gone by then";
}

TEST_F(FeedCheckTest, FindsWhatASnapshotHoldsAlready) {
  std::vector<api::Event> told = Log();
  ExpectFound(Shown({told[2], told[3], told[5]}, 0, ShownAt3()), "holds");
}

TEST_F(FeedCheckTest, FindsAGapBehindASnapshot) {
  std::vector<api::Event> told = Log();
  ExpectFound(Shown({told[3]}, 0, ShownAt3()), "is not told");
  ExpectFound(Shown({told[3]}, 1, ShownAt3()), "is not told");
}

TEST_F(FeedCheckTest, FindsASnapshotThatIsNotTrue) {
  std::vector<api::Event> told = Log();
  std::string stale = Head("a", 2, 3, 1, 3) + "entries { key: 'k' value: 'vv' version: 1 }";
  ExpectFound(Shown({told[3], told[5]}, 0, stale), "but the log makes");
  std::string never = Head("a", 2, 4, 1, 3) + "entries { key: 'k' value: 'vv' version: 1 }";
  EXPECT_NE("", Check(Shown({told[5]}, 0, never)));
}

TEST_F(FeedCheckTest, FindsAContextThatWasNotShown) {
  std::vector<api::Event> told = Log();
  ExpectFound(Shown({told[3], told[4], told[5]}, 0, ShownAt3()), "and was not shown");
  FeedRecord record = Shown({told[3], told[5]}, 0, ShownAt3());
  record.shown.clear();
  ExpectFound(record, "and was not shown");
  record = Record({told[3]});
  record.request.set_with_snapshot(true);
  record.all_behind = UINT64_MAX;
  ExpectFound(record, "is not shown a");
}

TEST_F(FeedCheckTest, FindsAContextThatIsShownTwice) {
  std::vector<api::Event> told = Log();
  FeedRecord record = Shown({told[3], told[5]}, 0, ShownAt3());
  record.shown.push_back(record.shown[0]);
  ExpectFound(record, "twice");
}

// ---- Views. -------------------------------------------------------------------------------

TEST_F(FeedCheckTest, FindsCountsThatAreWrong) {
  FeedView view;
  api::Event event = Log()[0];
  event.mutable_context()->set_entry_count(2);
  EXPECT_EQ("entry_count is 2, but there are 1", view.Apply(event));
  event = Log()[0];
  event.mutable_context()->set_size_bytes(9);
  EXPECT_EQ("size_bytes is 9, but it is 3", FeedView().Apply(event));
}

TEST_F(FeedCheckTest, FindsAVersionThatIsLeftOut) {
  FeedView view;
  api::Event event = Log()[2];
  EXPECT_EQ("", view.Apply(Log()[0]));
  event.mutable_context()->set_version(3);
  EXPECT_EQ("has version 3, not 2", view.Apply(event));
}

TEST_F(FeedCheckTest, FindsMetadataAndExpiryThatDoNotFollow) {
  FeedView view;
  api::Event event = Event("type: EVENT_TYPE_UPDATED " + Head("a", 2, 3, 1, 3) +
                           "mutations { set_metadata { key: 'x' value: 'y' } }");
  EXPECT_EQ("", view.Apply(Log()[0]));
  EXPECT_EQ("the metadata is not what the steps make", view.Apply(event));
  event = Event("type: EVENT_TYPE_UPDATED " + Head("a", 2, 3, 1, 3) +
                "mutations { set_expiry { ttl { seconds: 1 } } }");
  EXPECT_EQ("the expiry is not what the steps make", view.Apply(event));
}

TEST_F(FeedCheckTest, KeepsTheBeginningOfASplicedValue) {
  FeedView view;
  EXPECT_EQ("", view.Apply(Log()[0]));
  EXPECT_EQ("", view.Apply(Event("type: EVENT_TYPE_UPDATED " + Head("a", 2, 3, 1, 4) +
                                 "mutations { splice_entry { key: 'k' kept_size: 1 value: 'zz' "
                                 "content_type: 't' } }")));
  EXPECT_EQ("key: \"k\" value: \"vzz\" content_type: \"t\" version: 2",
            view.Find("a")->entries.at("k").ShortDebugString());
  EXPECT_EQ("keeps more than there is",
            view.Apply(Event("type: EVENT_TYPE_UPDATED " + Head("a", 3, 4, 1, 4) +
                             "mutations { splice_entry { key: 'k' kept_size: 4 } }")));
}

TEST_F(FeedCheckTest, KnowsNotWhichVersionsARestoreBringsBack) {
  FeedView view;
  EXPECT_EQ("", view.Apply(Log()[0]));
  EXPECT_EQ("", view.Apply(Log()[2]));
  EXPECT_EQ(
      "", view.Apply(Event("type: EVENT_TYPE_RESTORED " + Head("a", 3, 4, 2, 6) + Put("k", "vv"))));
  EXPECT_EQ(0u, view.Find("a")->entries.at("k").version());
  EXPECT_EQ(2u, view.Find("a")->entries.at("m").version()) << "it stays as it is";
  api::Event built = FeedSnapshotOf("n", *view.Find("a")), shown = built;
  shown.mutable_entries(0)->set_version(1);
  shown.mutable_entries(1)->set_version(7);
  FeedFillVersions(shown, &built);
  EXPECT_EQ(1u, built.entries(0).version());
  EXPECT_EQ(2u, built.entries(1).version()) << "what is known stays";
}

TEST_F(FeedCheckTest, SetsWhatAMergeSetsLikeAnUpdate) {
  FeedView view;
  EXPECT_EQ("", view.Apply(Log()[0]));
  EXPECT_EQ("",
            view.Apply(Event("type: EVENT_TYPE_MERGED " + Head("a", 2, 3, 2, 5) + Put("l", "w"))));
  EXPECT_EQ(2u, view.Find("a")->entries.at("l").version());
  EXPECT_EQ("has version 4, not 3",
            view.Apply(Event("type: EVENT_TYPE_MERGED " + Head("a", 4, 4, 2, 5))));
}

TEST_F(FeedCheckTest, DoesNotKnowWhatBeginsWithAReset) {
  FeedView view;
  EXPECT_EQ("",
            view.Apply(Event("type: EVENT_TYPE_FORKED " + Head("a", 1, 1, 1, 3) + "reset: true")));
  EXPECT_EQ(nullptr, view.Find("a"));
  EXPECT_TRUE(view.IsUnknown("a"));
  view.Replace(Log()[0].context());
  EXPECT_FALSE(view.IsUnknown("a"));
  EXPECT_EQ("is there already",
            view.Apply(Event("type: EVENT_TYPE_FORKED " + Head("a", 2, 2, 1, 3))));
}

// Its first event of a key need not be its first one; but where it is known that there was
// something, it does not begin empty.
TEST_F(FeedCheckTest, DoesNotTakeAContextThatIsNotKnownForAnEmptyOne) {
  FeedView view(FeedScope::kSomeKeys, "k");
  api::Event update = Event("type: EVENT_TYPE_UPDATED " + Head("a", 2, 2, 1, 3) +
                            "mutations { splice_entry { key: 'k' kept_size: 1 value: 'v' } }");
  EXPECT_EQ("splices no entry: k", view.Apply(update));
  view.Forget("a");
  EXPECT_EQ("", view.Apply(update));
  EXPECT_EQ(nullptr, view.Find("a"));
  EXPECT_EQ("", view.Apply(Event("type: EVENT_TYPE_DELETED " + Head("a", 2, 3, 1, 3))));
  EXPECT_FALSE(view.IsUnknown("a"));
  EXPECT_EQ("",
            view.Apply(Event("type: EVENT_TYPE_UPDATED " + Head("a", 3, 4, 1, 3) + Put("k", "v"))));
  EXPECT_NE(nullptr, view.Find("a"));
}

TEST_F(FeedCheckTest, LetsAPointTakeAVersionForItself) {
  FeedView view;
  api::Event update = Log()[2];
  EXPECT_EQ("", view.Apply(Log()[0]));
  EXPECT_EQ("", view.Apply(Event("type: EVENT_TYPE_RECOVERY_POINT_CREATED " +
                                 Head("a", 1, 2, 1, 3) + "recovery_point_id: 'p'")));
  update.mutable_context()->set_version(3);
  EXPECT_EQ("", view.Apply(update));
  EXPECT_EQ("has version 5, not 4",
            view.Apply(Event("type: EVENT_TYPE_UPDATED " + Head("a", 5, 6, 2, 7))));
  EXPECT_EQ("has version 4, not 3",
            view.Apply(Event("type: EVENT_TYPE_RECOVERY_POINT_DELETED " + Head("a", 4, 6, 2, 7))));
}

// ---- Parts. -------------------------------------------------------------------------------

TEST_F(FeedCheckTest, PutsPartsTogether) {
  FeedJoiner joiner;
  api::Event first = Log()[2], second = Log()[2], whole;
  first.mutable_mutations()->RemoveLast();
  first.set_more(true);
  first.set_cursor("c1");
  second.mutable_mutations()->DeleteSubrange(0, 1);
  EXPECT_FALSE(joiner.Add(first, &whole));
  EXPECT_TRUE(joiner.Add(second, &whole));
  EXPECT_EQ("", joiner.wrong());
  EXPECT_EQ(Log()[2].ShortDebugString(), whole.ShortDebugString());
}

TEST_F(FeedCheckTest, FindsAPartThatDoesNotGoOn) {
  FeedJoiner joiner;
  api::Event first = Log()[2], whole;
  first.set_more(true);
  joiner.Add(first, &whole);
  joiner.Add(Log()[3], &whole);
  EXPECT_EQ(0u, joiner.wrong().find("after a part of ")) << joiner.wrong();
}

}  // namespace
