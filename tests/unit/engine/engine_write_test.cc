// What engine.h promises of writes to contexts: versions, conditions, entries, labels, batches,
// trees of contexts, their ends, and who may write.

#include "tests/support/engine_fixture.h"

namespace {

constexpr int64_t kSecond = CX_SECOND_US;

class EngineWriteTest : public EngineFixture {
 protected:
  void SetUp() override { ASSERT_EQ(CX_OK, Open()) << open_error_.message; }

  static cx_precondition AtVersion(uint64_t version) {
    return {CX_PRECONDITION_CONTEXT_VERSION, {}, version};
  }
  static cx_precondition EntryAt(const char *key, uint64_t version) {
    return {CX_PRECONDITION_ENTRY_VERSION, cx_bytes_of(key), version};
  }

  // One part of an atomic batch.
  struct Part {
    std::string id;
    Mutations mutations;
    const cx_new_context *create = nullptr;
    std::vector<cx_precondition> preconditions = {};
  };

  struct BatchOutcome {
    cx_status status;
    std::vector<cx_write_outcome> parts;
    size_t index;
    cx_error error;
    std::string reason() const { return status == CX_OK ? "" : cx_reason_name(error.reason); }
  };

  BatchOutcome UpdateAtomic(const std::vector<Part> &parts, const std::string &request_id = "") {
    BatchOutcome outcome = {};
    std::vector<cx_update_request> requests;
    for (const Part &part : parts) {
      cx_update_request request = {};
      request.name = {Bytes(namespace_), Bytes(part.id)};
      request.mutations = part.mutations.list().data();
      request.mutation_count = part.mutations.list().size();
      request.preconditions = part.preconditions.data();
      request.precondition_count = part.preconditions.size();
      request.create_if_missing = part.create;
      requests.push_back(request);
    }
    outcome.parts.resize(parts.size());
    outcome.status =
        cx_engine_update_atomic(engine_, requests.data(), requests.size(), Bytes(request_id),
                                outcome.parts.data(), &outcome.index, &outcome.error);
    return outcome;
  }

  static cx_new_context Below(const char *parent_id, bool create_parent = false) {
    cx_new_context properties = {};
    properties.parent_id = cx_bytes_of(parent_id);
    properties.create_parent = create_parent;
    return properties;
  }

  // The bytes that a record of the log takes, of what `write` writes.
  template <typename Write>
  uint64_t LoggedBytes(Write write) {
    Step();
    uint64_t before = Statistics().log_pending_bytes;
    write();
    return Statistics().log_pending_bytes - before;
  }

  const Mutations put_ = Mutations().Put("k", "v");
};

// ---- Versions. ---------------------------------------------------------------

TEST_F(EngineWriteTest, CountsOnFromAVersionThatWasDeletedPurgedOrExpired) {
  cx_new_context brief = {};
  brief.ttl_us = kSecond;
  EXPECT_EQ(1u, Create("c").write.version);
  EXPECT_EQ(2u, Update("c", put_).write.version);
  ASSERT_EQ(CX_OK, Delete("c").status);
  EXPECT_EQ(3u, Create("c").write.version);
  ASSERT_EQ(CX_OK, Delete("c", false, true).status);
  EXPECT_EQ(4u, Create("c", brief).write.version);
  clock_.now_us += kSecond;
  EXPECT_EQ(5u, Create("c").write.version);
  Reopen();
  EXPECT_EQ(6u, Update("c", put_).write.version);
}

TEST_F(EngineWriteTest, BeginsAnewOnceTheTombstoneIsForgotten) {
  ASSERT_EQ(CX_OK, Create("c").status);
  ASSERT_EQ(CX_OK, Delete("c").status);
  clock_.now_us += options_.settings.tombstone_window_us;
  Step();
  Step();
  EXPECT_EQ("", Update("c", put_).detail("deleted_version"));
  EXPECT_EQ(1u, Create("c").write.version);
}

TEST_F(EngineWriteTest, MakesAVersionOfADeleteThatFindsNothing) {
  Create("c");
  EXPECT_EQ(2u, Update("c", Mutations().Delete("nothing")).write.version);
}

// ---- Failures. ---------------------------------------------------------------

TEST_F(EngineWriteTest, SaysWhatIsThereOrWasThere) {
  ASSERT_EQ(CX_OK, Create("c").status);
  Outcome exists = Create("c");
  EXPECT_EQ("CONTEXT_EXISTS", exists.reason());
  EXPECT_EQ("1", exists.detail("version"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Update("other", put_).reason());
  EXPECT_EQ("", Update("other", put_).detail("deleted_version"));
  Delete("c");
  EXPECT_EQ("1", Update("c", put_).detail("deleted_version"));
  EXPECT_EQ("CONTEXT_NOT_FOUND", Delete("c").reason());
  EXPECT_EQ(CX_OK, Delete("c", false, false, "", true).status);
  EXPECT_EQ(0u, Delete("c", false, false, "", true).write.revision);
}

TEST_F(EngineWriteTest, ChecksWhatMustHoldBeforeItChanges) {
  Upsert("c", Mutations().Put("k", "v"));
  Outcome version = Update("c", put_, {AtVersion(7)});
  EXPECT_EQ("VERSION_CONFLICT", version.reason());
  EXPECT_EQ("1", version.detail("current_version"));
  Outcome entry = Update("c", put_, {AtVersion(1), EntryAt("k", 5)});
  EXPECT_EQ("ENTRY_CONFLICT", entry.reason());
  EXPECT_EQ("k", entry.detail("key"));
  EXPECT_EQ("1", entry.detail("current_version"));
  EXPECT_EQ("0", Update("c", put_, {EntryAt("other", 1)}).detail("current_version"));
  EXPECT_EQ("VERSION_CONFLICT", Update("c", put_, {AtVersion(0)}).reason());
  EXPECT_EQ(CX_OK, Update("c", put_, {AtVersion(1), EntryAt("k", 1), EntryAt("x", 0)}).status);
}

TEST_F(EngineWriteTest, TakesAMissingContextForVersionZero) {
  cx_new_context create = {};
  Outcome conflict = Update("c", put_, {AtVersion(3)}, &create);
  EXPECT_EQ("VERSION_CONFLICT", conflict.reason());
  EXPECT_EQ("0", conflict.detail("current_version"));
  EXPECT_EQ(CX_OK, Update("c", put_, {AtVersion(0), EntryAt("k", 0)}, &create).status);
}

TEST_F(EngineWriteTest, TellsExistenceBeforePreconditionsAndThoseBeforeLimits) {
  std::string large(options_.value_size_max + 1, 'x');
  EXPECT_EQ("CONTEXT_NOT_FOUND", Update("c", Mutations().Put("k", large), {AtVersion(3)}).reason());
  Create("c");
  EXPECT_EQ("VERSION_CONFLICT", Update("c", Mutations().Put("k", large), {AtVersion(3)}).reason());
  EXPECT_EQ("LIMIT_REACHED", Update("c", Mutations().Put("k", large)).reason());
}

TEST_F(EngineWriteTest, TellsAPreconditionBeforeTheDepthLimit) {
  std::string parent;
  for (unsigned i = 1; i <= CX_CONTEXT_DEPTH_MAX; i++) {
    std::string id = "d" + std::to_string(i);
    ASSERT_EQ(CX_OK, CreateBelow(id, parent).status);
    parent = id;
  }
  cx_new_context create = {};
  create.parent_id = Bytes(parent);
  EXPECT_EQ("VERSION_CONFLICT", Update("x", put_, {AtVersion(3)}, &create).reason());
  Outcome deep = Update("x", put_, {}, &create);
  EXPECT_EQ("LIMIT_REACHED", deep.reason());
  EXPECT_EQ("context_depth_max", deep.detail("limit"));
  EXPECT_EQ(std::to_string(CX_CONTEXT_DEPTH_MAX), deep.detail("value"));
}

// ---- Entries. ----------------------------------------------------------------

TEST_F(EngineWriteTest, AppliesTheStepsInOrder) {
  Upsert("c", Mutations().Put("a/1", "x").Put("a/2", "y").Put("b", "z"));
  ASSERT_EQ(CX_OK, Update("c", Mutations()
                                   .DeletePrefix("a/")
                                   .Put("a/3", "1")
                                   .Append("a/3", "2")
                                   .Delete("b")
                                   .Append("new", "n"))
                       .status);
  EXPECT_EQ((std::map<std::string, std::string>{{"a/3", "12"}, {"new", "n"}}), Get("c").entries);
  ASSERT_EQ(CX_OK, Update("c", Mutations().DeletePrefix("")).status);
  EXPECT_EQ(0u, Get("c").size_bytes);
}

TEST_F(EngineWriteTest, AppendsOnlyToTheSizeThatIsExpected) {
  Upsert("c", Mutations().Put("k", "abc"));
  Outcome mismatch = Update("c", Mutations().AppendAt("k", "d", 2));
  EXPECT_EQ("SIZE_MISMATCH", mismatch.reason());
  EXPECT_EQ("k", mismatch.detail("key"));
  EXPECT_EQ("3", mismatch.detail("current_size"));
  EXPECT_EQ(CX_OK, Update("c", Mutations().AppendAt("k", "d", 3)).status);
  EXPECT_EQ(CX_OK, Update("c", Mutations().AppendAt("new", "d", 0)).status);
  EXPECT_EQ("abcd", Get("c").entries["k"]);
}

TEST_F(EngineWriteTest, BoundsAValueHoweverItGrew) {
  std::string whole(options_.value_size_max, 'x');
  ASSERT_EQ(CX_OK, Upsert("c", Mutations().Put("k", whole)).status);
  Outcome append = Update("c", Mutations().Append("k", "y"));
  EXPECT_EQ("LIMIT_REACHED", append.reason());
  EXPECT_EQ("value_size_max", append.detail("limit"));
  EXPECT_EQ(std::to_string(options_.value_size_max), append.detail("value"));
  EXPECT_EQ("LIMIT_REACHED", Update("c", Mutations().Put("k", whole + "y")).reason());
}

TEST_F(EngineWriteTest, LogsWhatFollowsAPrefixThatIsThereAlready) {
  std::string value(40000, 'x');
  for (size_t i = 0; i < value.size(); i++) value[i] = static_cast<char>('a' + i * 7919 % 23);
  Upsert("c", Mutations().Put("k", value));
  EXPECT_LT(LoggedBytes([&] { Update("c", Mutations().Put("k", value + "more")); }), 200u);
  EXPECT_LT(LoggedBytes([&] { Update("c", Mutations().Put("k", value)); }), 200u);
  EXPECT_GT(LoggedBytes([&] { Update("c", Mutations().Put("k", "!" + value)); }), value.size());
  EXPECT_GT(LoggedBytes([&] { Update("c", Mutations().Put("k", value)); }), value.size());
  EXPECT_LT(LoggedBytes([&] { Update("c", Mutations().Append("k", "!")); }), 200u);
  EXPECT_EQ(value + "!", Get("c").entries["k"]);
  Reopen();
  EXPECT_EQ(value + "!", Get("c").entries["k"]);
}

TEST_F(EngineWriteTest, KeepsTheContentTypeOfAnEntryThatIsAppendedTo) {
  Upsert("c", Mutations().Put("k", "a", "text/plain"));
  Update("c", Mutations().Append("k", "b"));
  cx_context_name name = {Bytes(namespace_), cx_bytes_of("c")};
  cx_state_at at = {};
  cx_snapshot snapshot;
  cx_entry_view entry;
  cx_error error;
  uint64_t wait_for;
  ASSERT_EQ(CX_OK, cx_engine_get(engine_, &name, &at, &snapshot, &wait_for, &error));
  ASSERT_TRUE(cx_snapshot_find(&snapshot, cx_bytes_of("k"), &entry));
  EXPECT_EQ("text/plain", Text(entry.content_type));
  EXPECT_EQ(2u, entry.version);
  cx_snapshot_done(&snapshot);
}

// ---- Labels. -----------------------------------------------------------------

TEST_F(EngineWriteTest, BoundsLabelsByWhatResults) {
  Mutations labels;
  for (unsigned i = 0; i < CX_LABELS_MAX; i++) labels.SetLabel("l" + std::to_string(i), "v");
  ASSERT_EQ(CX_OK, Upsert("c", labels).status);
  Outcome more = Update("c", Mutations().SetLabel("more", "v"));
  EXPECT_EQ("LIMIT_REACHED", more.reason());
  EXPECT_EQ("labels_max", more.detail("limit"));
  EXPECT_EQ(CX_OK, Update("c", Mutations().SetLabel("l0", "w")).status);
  EXPECT_EQ(CX_OK, Update("c", Mutations().DeleteLabel("l0").SetLabel("more", "v")).status);
  EXPECT_EQ(CX_LABELS_MAX, Get("c").labels.size());
}

// ---- Batches. ----------------------------------------------------------------

TEST_F(EngineWriteTest, ChangesAllOrNone) {
  cx_new_context create = {};
  Upsert("b", put_);
  BatchOutcome batch = UpdateAtomic({{"a", put_, &create}, {"b", put_}, {"c", put_, &create}});
  ASSERT_EQ(CX_OK, batch.status);
  EXPECT_EQ(1u, batch.parts[0].version);
  EXPECT_EQ(2u, batch.parts[1].version);
  EXPECT_EQ(1u, batch.parts[2].version);
  EXPECT_EQ(batch.parts[0].revision, batch.parts[2].revision);

  uint64_t digest = Digest();
  BatchOutcome failed = UpdateAtomic({{"a", put_}, {"b", put_, nullptr, {AtVersion(9)}}});
  EXPECT_EQ("VERSION_CONFLICT", failed.reason());
  EXPECT_EQ(1u, failed.index);
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineWriteTest, AnswersARepeatedBatchWithTheVersionOfEachPart) {
  cx_new_context create = {};
  const std::vector<Part> parts = {
      {"a", put_, &create}, {"b", put_, &create}, {"c", put_, &create}};
  Upsert("b", put_);
  BatchOutcome first = UpdateAtomic(parts, "r");
  ASSERT_EQ(CX_OK, first.status);
  Update("a", put_);
  Delete("c");
  Reopen();
  BatchOutcome again = UpdateAtomic(parts, "r");
  ASSERT_EQ(CX_OK, again.status);
  for (size_t i = 0; i < parts.size(); i++) {
    EXPECT_TRUE(again.parts[i].replayed);
    EXPECT_EQ(first.parts[i].version, again.parts[i].version) << i;
    EXPECT_EQ(first.parts[i].revision, again.parts[i].revision);
  }
}

TEST_F(EngineWriteTest, RepeatsABatchOfWhichAPartIsForgotten) {
  cx_new_context create = {};
  const std::vector<Part> parts = {{"a", put_, &create}, {"b", put_, &create}};
  ASSERT_EQ(CX_OK, UpdateAtomic(parts, "r").status);
  clock_.now_us += options_.settings.request_id_window_us + 1;
  Upsert("a", put_, "s");  // The shard of `a` forgets, that of `b` does not.
  BatchOutcome again = UpdateAtomic(parts, "r");
  ASSERT_EQ(CX_OK, again.status);
  EXPECT_FALSE(again.parts[0].replayed);
  BatchOutcome third = UpdateAtomic(parts, "r");
  EXPECT_TRUE(third.parts[0].replayed);
  EXPECT_EQ(3u, third.parts[0].version);
  EXPECT_EQ(2u, third.parts[1].version);
  uint64_t digest = Digest();
  Reopen();
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineWriteTest, AnswersAForgottenPartFromTheStatesThatAreKept) {
  Close();
  options_.settings.request_ids_max = 64 * 3;
  ASSERT_EQ(CX_OK, Open());
  cx_new_context create = {};
  const std::vector<Part> parts = {{"a", put_, &create}, {"b", put_, &create}};
  ASSERT_EQ(CX_OK, UpdateAtomic(parts, "r").status);
  for (uint64_t made = 1; made <= 6; made++) {  // The shard of `b` keeps three records.
    BatchOutcome again = UpdateAtomic(parts, "r");
    ASSERT_EQ(CX_OK, again.status);
    EXPECT_TRUE(again.parts[1].replayed);
    EXPECT_EQ(1u, again.parts[0].version);
    EXPECT_EQ(made <= options_.settings.version_retention ? 1u : 0u, again.parts[1].version)
        << "b has version " << made;
    ASSERT_EQ(CX_OK, Update("b", put_, {}, nullptr, "s" + std::to_string(made)).status);
  }
}

TEST_F(EngineWriteTest, CreatesParentAndChildInOneBatchInAnyOrder) {
  cx_new_context top = {}, below = Below("p"), deeper = Below("c");
  ASSERT_EQ(CX_OK, UpdateAtomic({{"p", put_, &top}, {"c", put_, &below}}).status);
  EXPECT_EQ("p", Get("c").parent_id);
  ASSERT_EQ(CX_OK, Delete("p", true).status);
  ASSERT_EQ(CX_OK,
            UpdateAtomic({{"d", put_, &deeper}, {"c", put_, &below}, {"p", put_, &top}}).status);
  EXPECT_EQ("c", Get("d").parent_id);
  EXPECT_EQ(3u, Delete("p", true).write.count);
}

TEST_F(EngineWriteTest, LetsThePartThatNamesAParentSayHowItBegins) {
  cx_new_context top = {}, below = Below("p", true);
  top.type = cx_bytes_of("chat");
  BatchOutcome batch = UpdateAtomic({{"c", put_, &below}, {"p", put_, &top}}, "r");
  ASSERT_EQ(CX_OK, batch.status);
  EXPECT_EQ(1u, batch.parts[0].version);
  EXPECT_EQ(1u, batch.parts[1].version);
  EXPECT_EQ("chat", Get("p").type);
  EXPECT_EQ(1u, Get("p").entries.size());
  EXPECT_TRUE(UpdateAtomic({{"c", put_, &below}, {"p", put_, &top}}, "r").parts[1].replayed);
}

TEST_F(EngineWriteTest, RefusesPartsThatAreEachOthersParents) {
  cx_new_context a = Below("b", true), b = Below("a", true);
  uint64_t digest = Digest();
  BatchOutcome batch = UpdateAtomic({{"a", put_, &a}, {"b", put_, &b}});
  EXPECT_EQ("PARENT_NOT_FOUND", batch.reason());
  EXPECT_EQ(digest, Digest());
}

// ---- Parents and children. ---------------------------------------------------

TEST_F(EngineWriteTest, WantsAParentOrCreatesIt) {
  Outcome missing = CreateBelow("c", "p");
  EXPECT_EQ("PARENT_NOT_FOUND", missing.reason());
  EXPECT_EQ("p", missing.detail("parent_id"));
  EXPECT_EQ("PARENT_NOT_FOUND", CreateBelow("p", "p", true).reason());
  Outcome created = CreateBelow("c", "p", true);
  ASSERT_EQ(CX_OK, created.status);
  EXPECT_EQ(Get("p").revision, Get("c").revision) << "in the same change";
  EXPECT_EQ("", Get("p").type);
}

TEST_F(EngineWriteTest, DoesNotDeleteAParentUnlessAsked) {
  CreateBelow("a", "p", true);
  CreateBelow("b", "p");
  CreateBelow("c", "a");
  Outcome refused = Delete("p");
  EXPECT_EQ("HAS_CHILDREN", refused.reason());
  EXPECT_EQ("2", refused.detail("child_count"));
  EXPECT_EQ(4u, Delete("p", true).write.count);
  EXPECT_EQ(0u, Statistics().context_count);
}

TEST_F(EngineWriteTest, TellsOfChildrenOnlyOnceTheyAreDurable) {
  Create("p");
  Step();
  uint64_t child = CreateBelow("c", "p").write.revision;
  EXPECT_GE(Delete("p").write.wait_for, child);
}

TEST_F(EngineWriteTest, DeletesALargeTreeInSeveralChangesDeepestFirst) {
  const unsigned count = CX_CHANGE_ITEMS_MAX + 500;
  Create("p");
  for (unsigned i = 0; i < count; i++) {
    char id[16];
    snprintf(id, sizeof id, "c%05u", i);
    ASSERT_EQ(CX_OK, CreateBelow(id, "p").status);
    if (i % 500 == 0) Step();
  }
  Step();
  uint64_t before = Statistics().revision;
  Outcome deleted = Delete("p", true, false, "r");
  EXPECT_EQ(count + 1u, deleted.write.count);
  EXPECT_GE(deleted.write.revision, before + 2);
  EXPECT_EQ(0u, Statistics().context_count);
  EXPECT_TRUE(Delete("p", true, false, "r").write.replayed);
  uint64_t digest = Digest();
  Reopen();
  EXPECT_EQ(digest, Digest());
}

TEST_F(EngineWriteTest, PurgesWithoutAWayBack) {
  Upsert("c", put_);
  CreateBelow("d", "c");
  EXPECT_EQ(2u, Delete("c", true, true).write.count);
  cx_list_query deleted = {};
  deleted.deleted = true;
  EXPECT_TRUE(List(deleted).empty());
  EXPECT_EQ("1", Get("c").detail("deleted_version"));
  Upsert("e", put_);
  Delete("e");
  EXPECT_EQ(1u, List(deleted).size());
  EXPECT_EQ(CX_OK, Delete("e", false, true).status) << "a deleted one, too";
  EXPECT_TRUE(List(deleted).empty());
}

// ---- Expiry. -----------------------------------------------------------------

TEST_F(EngineWriteTest, HidesAnExpiredContextAtOnceAndDeletesItWithItsChildren) {
  cx_new_context brief = {};
  brief.ttl_us = 10 * kSecond;
  Create("p", brief);
  CreateBelow("c", "p");
  EXPECT_EQ(clock_.now_us + 10 * kSecond, Get("p").expire_time_us);
  clock_.now_us += 10 * kSecond;
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("p").reason());
  EXPECT_EQ(CX_OK, Get("c").status) << "those below stay until the change";
  Step();
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("c").reason());
  EXPECT_EQ("1", Get("c").detail("deleted_version"));
  cx_list_query deleted = {};
  deleted.deleted = true;
  EXPECT_EQ((std::vector<std::string>{"c", "p"}), List(deleted));
}

TEST_F(EngineWriteTest, BeginsASlidingTimeAgainWithEachChange) {
  Upsert("c", Mutations().SetExpiry(10 * kSecond, true));
  clock_.now_us += 9 * kSecond;
  Update("c", put_);
  clock_.now_us += 9 * kSecond;
  EXPECT_EQ(CX_OK, Get("c").status);
  Update("c", Mutations().SetExpiry(10 * kSecond));
  clock_.now_us += 9 * kSecond;
  Update("c", put_);
  clock_.now_us += 1 * kSecond;
  EXPECT_EQ("CONTEXT_NOT_FOUND", Get("c").reason());
  Upsert("d", Mutations().SetExpiry(kSecond));
  Update("d", Mutations().SetExpiry(0));
  clock_.now_us += 5 * kSecond;
  EXPECT_EQ(CX_OK, Get("d").status);
}

TEST_F(EngineWriteTest, DeletesWhatHasExpiredBeforeItWritesThere) {
  Upsert("c", Mutations().Put("old", "x").SetExpiry(kSecond));
  clock_.now_us += kSecond;
  EXPECT_EQ("CONTEXT_NOT_FOUND", Update("c", put_).reason());
  Outcome created = Upsert("c", put_);
  EXPECT_EQ(2u, created.write.version);
  EXPECT_EQ(1u, Get("c").entries.count("k"));
  EXPECT_EQ(0u, Get("c").entries.count("old"));

  Upsert("p", Mutations().SetExpiry(kSecond));
  clock_.now_us += kSecond;
  EXPECT_EQ("PARENT_NOT_FOUND", CreateBelow("d", "p").reason());
  EXPECT_EQ(CX_OK, CreateBelow("d", "p", true).status);
}

TEST_F(EngineWriteTest, DropsTheStatesAndThenTheTombstoneInTheirTime) {
  Upsert("c", put_);
  Delete("c");
  clock_.now_us += options_.settings.undelete_window_us - 1;
  Step();
  cx_list_query deleted = {};
  deleted.deleted = true;
  EXPECT_EQ(1u, List(deleted).size());
  clock_.now_us += 1;
  Step();
  EXPECT_TRUE(List(deleted).empty());
  EXPECT_EQ("1", Get("c").detail("deleted_version"));
  clock_.now_us += options_.settings.tombstone_window_us - options_.settings.undelete_window_us;
  Step();
  Found found = Get("c");
  EXPECT_EQ("", found.detail("deleted_version"));
  EXPECT_EQ(Statistics().revision, found.wait_for) << "derived from the change that forgot it";
}

}  // namespace
