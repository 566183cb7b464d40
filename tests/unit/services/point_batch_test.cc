// BatchRecoveryPoints: what the comments of recovery.proto promise.

#include "tests/unit/services/recovery_fixture.h"

namespace {

class PointBatchTest : public RecoveryFixture {
 protected:
  std::string Batch(const std::string &operations) {
    return Ask("BatchRecoveryPoints", operations);
  }

  static std::string Operation(const std::string &kind, const std::string &id,
                               const std::string &more = "") {
    return "operations { " + kind + " { context_id: 'a' recovery_point_id: '" + id + "' " + more +
           " } } ";
  }

  static size_t Count(const std::string &text, const std::string &part) {
    size_t count = 0;
    for (size_t at = 0; (at = text.find(part, at)) != text.npos; at++) count++;
    return count;
  }
};

TEST_F(PointBatchTest, DoesEachInOrderAndOnItsOwn) {
  Change("a", Mutations().Put("k", "v"));
  std::string text = Batch(Operation("create", "p", "attachments { key: 'x' value: '1' }") +
                           Operation("create", "p") +
                           Operation("update", "p", "put_attachments { key: 'y' value: '2' }") +
                           Operation("get", "p", "with_attachments: true with_entries: true") +
                           Operation("delete", "p") + Operation("get", "p"));
  Strings kinds = FindAll(text, "results \\{ (\\w+) \\{");
  EXPECT_EQ((Strings{"create", "failure", "update", "get", "delete", "failure"}), kinds) << text;
  Has(text,
      "results { create { recovery_point { namespace: \"default\" context_id: \"a\" id: "
      "\"p\" sequence: 1");
  Has(text, "reason: \"RECOVERY_POINT_EXISTS\"");
  Has(text, "attachments { key: \"x\" value: \"1\" } attachments { key: \"y\" value: \"2\" }");
  Has(text, "entries { key: \"k\" value: \"v\" version: 1 }");
  Has(text, "results { delete { write { revision: 5 } } }");
  Has(text, "reason: \"RECOVERY_POINT_NOT_FOUND\"");
}

TEST_F(PointBatchTest, ReportsAMalformedOperationInItsPlace) {
  Change("a", Mutations().Put("k", "v"));
  std::string text =
      Batch(Operation("create", "p") + "operations {} " +
            Operation("update", "p", "pin: PIN_ON ttl {}") + Operation("create", "q"));
  EXPECT_EQ((Strings{"create", "failure", "failure", "create"}),
            FindAll(text, "results \\{ (\\w+) \\{"));
  Has(text,
      "value: \"operations[1]\" } metadata { key: \"rule\" value: \"must be set to a known "
      "kind\"");
  Has(text, "value: \"operations[2].update.ttl\"");
}

TEST_F(PointBatchTest, RefusesOperationsOfAnotherNamespaceThanTheFirst) {
  Change("a", Mutations().Put("k", "v"));
  std::string text = Batch(
      "operations {} " + Operation("create", "p") + Operation("create", "q", "namespace: 'n'") +
      Operation("get", "p", "namespace: 'n'") + Operation("update", "p", "namespace: 'n'") +
      Operation("delete", "p", "namespace: 'n'") +
      Operation("create", "r", "namespace: 'default'"));
  EXPECT_EQ((Strings{"failure", "create", "failure", "failure", "failure", "failure", "create"}),
            FindAll(text, "results \\{ (\\w+) \\{"));
  for (const char *field : {"operations[2].create.namespace", "operations[3].get.namespace",
                            "operations[4].update.namespace", "operations[5].delete.namespace"}) {
    Has(text, std::string("value: \"") + field + "\"");
  }
}

TEST_F(PointBatchTest, TakesOneToAThousandOperations) {
  std::string operations;
  EXPECT_EQ(Invalid("operations", "must not be empty"), Batch(""));
  for (int i = 0; i < 1001; i++) operations += "operations {} ";
  EXPECT_EQ(Invalid("operations", "must have at most 1000 elements"), Batch(operations));
}

TEST_F(PointBatchTest, RepeatsTheRequestIdsOfItsOperations) {
  Change("a", Mutations().Put("k", "v"));
  std::string request = Operation("create", "p", "write { request_id: 'r1' }") +
                        Operation("create", "q", "write { request_id: 'r2' }");
  Batch(request);
  EXPECT_EQ(2u, Count(Batch(request), "replayed: true"));
}

TEST_F(PointBatchTest, AnswersNothingBeforeAllIsDurable) {
  Change("a", Mutations().Put("k", "v"));
  Call call = Begin("BatchRecoveryPoints", Operation("create", "p") + Operation("get", "p"));
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(PointBatchTest, SaysThatTheDiskFailed) {
  Change("a", Mutations().Put("k", "v"));
  Call call = Begin("BatchRecoveryPoints", Operation("create", "p") + Operation("get", "p"));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
}

TEST_F(PointBatchTest, TellsWhatItDidHoweverManyFailures) {
  message_size_max_ = 67 * CX_KIB;  // The least that a configuration may have.
  Change("a", Mutations().Put("k", "v"));
  std::string operations = Operation("create", "p");
  for (int i = 1; i < 1000; i++) operations += "operations {} ";
  std::string text = Batch(operations);
  EXPECT_EQ(0u, text.find("results { create { ")) << text.substr(0, 200);
  EXPECT_EQ(999u, Count(text, "reason: \"INVALID_FIELD\""));
  Has(text, "message:");
}

TEST_F(PointBatchTest, LeavesOutPointsThatDoNotFitButNotThatTheyWereMade) {
  message_size_max_ = 67 * CX_KIB;
  Change("a", Mutations().Put("k", "v"));
  std::string operations;
  for (int i = 0; i < 20; i++) {
    operations += Operation("create", "p" + std::to_string(i),
                            "metadata { key: 'k' value: '" + std::string(1000, 'v') + "' } " +
                                "metadata { key: 'l' value: '" + std::string(1000, 'v') + "' } " +
                                "metadata { key: 'm' value: '" + std::string(1000, 'v') + "' } " +
                                "metadata { key: 'n' value: '" + std::string(1000, 'v') + "' }");
  }
  std::string text = Batch(operations);
  EXPECT_EQ(20u, Count(text, "results { create {"));
  EXPECT_EQ(20u, Count(text, "write { revision: "));
  size_t shown = Count(text, "recovery_point {");
  EXPECT_LT(10u, shown);
  EXPECT_GT(20u, shown);
  EXPECT_EQ(20u, Ids("context_id: 'a'").size());
}

TEST_F(PointBatchTest, FailsAGetThatDoesNotFit) {
  message_size_max_ = 150000;
  Change("a", Mutations().Put("k", std::string(60000, 'v')));
  Point("a", "p");
  std::string text = Batch(Operation("get", "p", "with_entries: true") +
                           Operation("get", "p", "with_entries: true") +
                           Operation("get", "p", "with_entries: true") + Operation("get", "p"));
  EXPECT_EQ((Strings{"get", "get", "failure", "get"}), FindAll(text, "results \\{ (\\w+) \\{"));
  Has(text, "reason: \"RESPONSE_TOO_LARGE\"");
}

TEST_F(PointBatchTest, GoesToAWorkerWhereItBringsMuch) {
  Change("a", Mutations().Put("k", "v"));
  std::string attachments;
  for (int i = 0; i < 600; i++) attachments += "attachments { key: 'k" + std::to_string(i) + "' } ";
  Call call = Begin("BatchRecoveryPoints",
                    Operation("create", "p", attachments) + Operation("create", "q", attachments));
  EXPECT_EQ(1, call->offloads);
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(PointBatchTest, GoesToAWorkerWhereItAsksForManyKeys) {
  Change("a", Mutations().Put("k", "v"));
  Point("a", "p");
  std::string keys = "with_entries: true ";
  for (int i = 0; i < 600; i++) keys += "keys: 'k" + std::to_string(i) + "' ";
  Call call =
      Begin("BatchRecoveryPoints", Operation("get", "p", keys) + Operation("get", "p", keys));
  EXPECT_LE(1, call->offloads);
  Settle();
  EXPECT_TRUE(call->ok());
}

TEST_F(PointBatchTest, GoesToAWorkerWhereItDoesMany) {
  std::string many;
  for (int i = 0; i < 300; i++) many += Operation("delete", "p");
  EXPECT_EQ(1, Begin("BatchRecoveryPoints", many)->offloads);
  Settle();
}

TEST_F(PointBatchTest, RefusesAllBehindAnOperationThatIsOverloadedReadsToo) {
  Change("a", Mutations().Put("k", "v"));
  FillLog();
  std::string text =
      Batch(Operation("create", "p") +
            Operation("create", "q", "attachments { key: 'x' value: '" + kLarge + "' }") +
            Operation("create", "r") + Operation("get", "p") +
            Operation("update", "p", "pin: PIN_ON") + Operation("delete", "p"));
  EXPECT_EQ((Strings{"create", "failure", "failure", "failure", "failure", "failure"}),
            FindAll(text, "results \\{ (\\w+) \\{"));
  EXPECT_EQ((Strings(5, "OVERLOADED")), Failures(text)) << text;
  EXPECT_EQ(5u, Count(text, "retry_delay { nanos: 100000000 }"));
  EXPECT_EQ((Strings{"p"}), Ids("context_id: 'a'"));
}

}  // namespace
