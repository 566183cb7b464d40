// What import_job.h promises of the chain of updates of a line, and import_reader.h of
// the lines. What an import does with a server is in tests/integration/ctxctl_test.py.

extern "C" {
#include "clients/ctxctl/import_job.h"
#include "clients/ctxctl/import_reader.h"
}

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

struct FreeJob {
  void operator()(ctl_job *job) const { ctl_job_free(job); }
};
using Job = std::unique_ptr<ctl_job, FreeJob>;

const int64_t kNowMs = 1763722398000;

class ImportJobTest : public testing::Test {
 protected:
  ImportJobTest() { ctl_.namespace_ = "space"; }
  ~ImportJobTest() override { ctl_pool_done(&ctl_.pool); }

  static Job NewJob(const std::string &text) {
    ctl_line line;
    char problem[CTL_PROBLEM_SIZE];
    EXPECT_TRUE(ctl_line_parse(text.data(), text.size(), &line, problem)) << problem;
    return Job(ctl_job_new(&line, kNowMs));
  }

  const UpdateContextRequest &Request(const Job &job, size_t step) {
    return *ctl_job_request(&ctl_, job.get(), step, &ctl_.pool);
  }

  std::string Id(const Job &job, size_t step) { return Request(job, step).write->request_id; }

  // A context with these entries, of the job's type, parent and labels.
  ctl_read_back Compare(const Job &job, uint64_t version,
                        std::vector<std::pair<std::string, std::string>> entries,
                        const char *content_type = "application/json", const char *type = "",
                        const char *label = "ada") {
    Contextd__V1__Context context = CONTEXTD__V1__CONTEXT__INIT;
    Contextd__V1__Context__MetadataEntry entry = CONTEXTD__V1__CONTEXT__METADATA_ENTRY__INIT;
    Contextd__V1__Context__MetadataEntry *labels[] = {&entry};
    std::vector<Contextd__V1__Entry> messages(entries.size());
    std::vector<Contextd__V1__Entry *> pointers;
    for (size_t i = 0; i < entries.size(); i++) {
      contextd__v1__entry__init(&messages[i]);
      messages[i].key = &entries[i].first[0];
      messages[i].value.len = entries[i].second.size();
      messages[i].value.data = reinterpret_cast<uint8_t *>(&entries[i].second[0]);
      messages[i].content_type = const_cast<char *>(content_type);
      pointers.push_back(&messages[i]);
    }
    entry.key = const_cast<char *>("user");
    entry.value = const_cast<char *>(label);
    context.version = version;
    context.type = const_cast<char *>(type);
    context.n_metadata = 1;
    context.metadata = labels;
    context.n_entries = pointers.size();
    context.entries = pointers.data();
    return ctl_job_compare(job.get(), &context, problem_);
  }

  ctl ctl_ = {};
  char problem_[CTL_PROBLEM_SIZE] = "";
};

const char kConversation[] = "{\"id\":\"a\",\"user\":\"ada\",\"messages\":[1,2,3]}";

TEST_F(ImportJobTest, MakesAStepOfEachMessage) {
  Job job = NewJob(kConversation);
  ASSERT_EQ(3u, job->step_count);
  for (size_t i = 0; i < 3; i++) {
    const UpdateContextRequest &request = Request(job, i);
    EXPECT_STREQ("space", request.namespace_);
    EXPECT_STREQ("a", request.context_id);
    ASSERT_EQ(1u, request.n_mutations);
    EXPECT_EQ('1' + static_cast<char>(i), request.mutations[0]->put_entry->value.data[0]);
  }
}

TEST_F(ImportJobTest, ChainsTheStepsByTheirVersions) {
  Job job = NewJob(kConversation);
  for (size_t i = 0; i < 3; i++) {
    ASSERT_EQ(i == 0 ? 1u : 2u, Request(job, i).n_preconditions);
    EXPECT_EQ(i, Request(job, i).preconditions[0]->context_version);
  }
  EXPECT_STREQ("messages/00000002", Request(job, 2).preconditions[1]->entry->key);
  EXPECT_EQ(2u, Request(job, 2).preconditions[1]->entry->version);
}

TEST_F(ImportJobTest, SendsOnlyTheFirstStepBeforeThereIsAnAnchor) {
  Job job = NewJob(kConversation);
  EXPECT_TRUE(ctl_job_may_send(job.get()));
  job->sent = 1;
  EXPECT_FALSE(ctl_job_may_send(job.get()));
  job->anchored = true;
  EXPECT_TRUE(ctl_job_may_send(job.get()));
  job->sent = 3;
  EXPECT_FALSE(ctl_job_may_send(job.get()));
}

TEST_F(ImportJobTest, LooksWhatIsThereWhenAStepWasAnsweredFromMemory) {
  Job job = NewJob(kConversation);
  job->sent = job->acked = 1;
  EXPECT_FALSE(ctl_job_needs_reading(job.get()));
  job->replayed = true;
  EXPECT_TRUE(ctl_job_needs_reading(job.get()));  // Before the others are sent.
  job->anchored = true;
  EXPECT_FALSE(ctl_job_needs_reading(job.get()));
  job->acked = 3;
  EXPECT_TRUE(ctl_job_needs_reading(job.get()));  // Before it is done.
}

TEST_F(ImportJobTest, CreatesTheContextWithTheFirstStepOnly) {
  Job job = NewJob(
      "{\"id\":\"a\",\"user\":\"ada\",\"type\":\"t\",\"messages\":[1,2],"
      "\"expire_time\":\"2025-11-21T10:54:18Z\"}");
  const NewContext *properties = Request(job, 0).create_if_missing;
  ASSERT_NE(nullptr, properties);
  EXPECT_STREQ("t", properties->type);
  ASSERT_EQ(1u, properties->n_metadata);
  EXPECT_STREQ("ada", properties->metadata[0]->value);
  EXPECT_EQ(60, properties->expiry->ttl->seconds);
  EXPECT_EQ(nullptr, Request(job, 1).create_if_missing);
}

TEST_F(ImportJobTest, MakesTheSameRequestIdOfTheSameStep) {
  Job job = NewJob(kConversation);
  Job again = NewJob(kConversation);
  std::set<std::string> ids;
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(Id(job, i), Id(again, i));
    ids.insert(Id(job, i));
  }
  EXPECT_EQ(3u, ids.size());
  ctl_.namespace_ = "other";
  EXPECT_EQ(0u, ids.count(Id(job, 0)));
  ctl_.namespace_ = "space";
  EXPECT_EQ(0u, ids.count(Id(NewJob("{\"id\":\"b\",\"user\":\"ada\",\"messages\":[1,2,3]}"), 0)));
  EXPECT_EQ(0u, ids.count(Id(NewJob("{\"id\":\"a\",\"user\":\"ada\",\"messages\":[7,2,3]}"), 0)));
}

TEST_F(ImportJobTest, TakesNothingForARepeatOfWhatWasDeleted) {
  Job job = NewJob(kConversation);
  std::string before = Id(job, 0);
  job->salt = 7;
  EXPECT_NE(before, Id(job, 0));
}

TEST_F(ImportJobTest, PutsEntriesTogetherWithinBounds) {
  std::string many;
  for (int i = 0; i < 2500; i++) {
    many += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":\"v\"";
  }
  EXPECT_EQ(3u, NewJob("{\"id\":\"a\",\"entries\":{" + many + "}}")->step_count);
  std::string large = "\"" + std::string(600 * 1024, 'x') + "\"";
  EXPECT_EQ(
      2u,
      NewJob("{\"id\":\"a\",\"entries\":{\"a\":" + large + ",\"b\":" + large + "}}")->step_count);
  EXPECT_EQ(0u, NewJob("{\"id\":\"a\"}")->step_count);
}

TEST_F(ImportJobTest, IsDoneWhenEveryStepIsAnswered) {
  Job job = NewJob(kConversation);
  EXPECT_FALSE(ctl_job_is_done(job.get()));
  job->acked = 3;
  EXPECT_TRUE(ctl_job_is_done(job.get()));
  job->failed = true;
  EXPECT_FALSE(ctl_job_is_done(job.get()));
}

TEST_F(ImportJobTest, IsNotDoneBeforeAContextWithoutEntriesIsThere) {
  Job job = NewJob("{\"id\":\"a\"}");
  EXPECT_FALSE(ctl_job_is_done(job.get()));
  job->created = true;
  EXPECT_TRUE(ctl_job_is_done(job.get()));
}

// ---- Reading back. -----------------------------------------------------------

TEST_F(ImportJobTest, GoesOnBehindWhatIsThere) {
  Job job = NewJob(kConversation);
  ASSERT_EQ(CTL_READ_BACK, Compare(job, 9, {{"messages/00000001", "1"}}));
  ASSERT_EQ(2u, job->step_count);
  EXPECT_STREQ("messages/00000002", Request(job, 0).mutations[0]->put_entry->key);
  EXPECT_EQ(9u, Request(job, 0).preconditions[0]->context_version);
  EXPECT_EQ(10u, Request(job, 1).preconditions[0]->context_version);
  EXPECT_EQ(nullptr, Request(job, 0).create_if_missing);
  EXPECT_TRUE(job->anchored);
}

TEST_F(ImportJobTest, FillsWhatIsMissingInTheMiddle) {
  Job job = NewJob(kConversation);
  ASSERT_EQ(CTL_READ_BACK,
            Compare(job, 4, {{"messages/00000001", "1"}, {"messages/00000003", "3"}}));
  ASSERT_EQ(1u, job->step_count);
  EXPECT_STREQ("messages/00000002", Request(job, 0).mutations[0]->put_entry->key);
}

TEST_F(ImportJobTest, HasNothingLeftWhenAllIsThere) {
  Job job = NewJob(kConversation);
  ASSERT_EQ(CTL_READ_BACK, Compare(job, 3,
                                   {{"a", "of somebody else"},
                                    {"messages/00000001", "1"},
                                    {"messages/00000002", "2"},
                                    {"messages/00000003", "3"}}));
  EXPECT_TRUE(ctl_job_is_done(job.get()));
}

TEST_F(ImportJobTest, RefusesOtherBytesAndNamesThem) {
  Job job = NewJob(kConversation);
  EXPECT_EQ(CTL_READ_BACK_DIFFERENT,
            Compare(job, 3, {{"messages/00000001", "1"}, {"messages/00000002", "7"}}));
  EXPECT_NE(nullptr, strstr(problem_,
                            "the context a exists with another value at "
                            "messages/00000002"));
  EXPECT_EQ(CTL_READ_BACK_DIFFERENT, Compare(job, 3, {{"messages/00000001", "1"}}, "text/plain"));
}

TEST_F(ImportJobTest, RefusesOtherProperties) {
  Job job = NewJob(kConversation);
  EXPECT_EQ(CTL_READ_BACK_DIFFERENT, Compare(job, 3, {}, "", "chat"));
  EXPECT_NE(nullptr, strstr(problem_, "another type"));
  EXPECT_EQ(CTL_READ_BACK_DIFFERENT, Compare(job, 3, {}, "", "", "bob"));
  EXPECT_NE(nullptr, strstr(problem_, "another label user"));
  EXPECT_EQ(CTL_READ_BACK_DIFFERENT, Compare(NewJob("{\"id\":\"a\"}"), 3, {}));
  EXPECT_NE(nullptr, strstr(problem_, "another set of labels"));
}

// ---- Lines. ------------------------------------------------------------------

class LinesTest : public testing::Test {
 protected:
  ~LinesTest() override {
    ctl_lines_done(&lines_);
    for (const std::string &path : paths_) remove(path.c_str());
  }

  void Write(const std::string &content) {
    paths_.push_back(testing::TempDir() + "lines_test_" + std::to_string(paths_.size()));
    FILE *file = fopen(paths_.back().c_str(), "wb");
    fwrite(content.data(), 1, content.size(), file);
    fclose(file);
  }

  void Begin() {
    for (std::string &path : paths_) pointers_.push_back(&path[0]);
    ctl_lines_init(&lines_, pointers_.data(), pointers_.size());
  }

  // "path:number:order:text", or "end" or "failed".
  std::string Next() {
    switch (ctl_lines_next(&lines_, problem_)) {
      case CTL_LINES_END:
        return "end";
      case CTL_LINES_FAILED:
        return "failed";
      default:
        return std::string(1, lines_.path[strlen(lines_.path) - 1]) + ":" +
               std::to_string(lines_.number) + ":" + std::to_string(lines_.order) + ":" +
               std::string(lines_.text, lines_.size);
    }
  }

  ctl_lines lines_ = {};
  char problem_[CTL_PROBLEM_SIZE] = "";
  std::vector<std::string> paths_;
  std::vector<char *> pointers_;
};

TEST_F(LinesTest, ComeOneFileAfterTheOtherWithTheirNumbers) {
  Write("one\n\n \t\r\ntwo\n");
  Write("");
  Write("three");
  Begin();
  EXPECT_EQ(18u, ctl_lines_total(&lines_));
  EXPECT_EQ("0:1:1:one\n", Next());
  EXPECT_EQ("0:4:4:two\n", Next());
  EXPECT_EQ("2:1:5:three", Next());
  EXPECT_EQ("end", Next());
  EXPECT_EQ(18u, lines_.bytes);
}

TEST_F(LinesTest, KeepTheBytesBehindANul) {
  Write(std::string("a\0b\n", 4));
  Begin();
  EXPECT_EQ(std::string("0:1:1:a\0b\n", 10), Next());
}

TEST_F(LinesTest, FailWithTheNameOfAFileThatIsNotThere) {
  Write("one\n");
  Begin();
  remove(paths_[0].c_str());
  EXPECT_EQ("failed", Next());
  EXPECT_NE(nullptr, strstr(problem_, ("cannot open " + paths_[0]).c_str()));
}

}  // namespace
