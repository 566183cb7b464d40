// The checker and its model refuse a wrong history, and no right one.

#include "tests/simulation/checker_fixture.h"

namespace simulation {
namespace {

TEST_F(CheckerTest, AcceptsWhatTheServicePromises) {
  PutAndAnswer("a", 2, 1);
  PutAndAnswer("b", 3, 2);
  Get("b", 2, 3, 3);
  Operation conflict = Put("c", "x");
  conflict.parts[0].preconditions = {{false, "", 1}};
  Fails(checker_.Begin(conflict), "VERSION_CONFLICT current_version=2", 3);
  checker_.Told(3);
  checker_.Ended();
  checker_.Recovered(3, 3, Settings(), false, 0);
}

TEST_F(CheckerTest, RefusesALostChange) {
  PutAndAnswer("a", 2, 1);
  PutAndAnswer("b", 3, 2);
  checker_.Told(3);
  checker_.Ended();
  ExpectRefused("acknowledged changes are lost",
                [&] { checker_.Recovered(2, 2, Settings(), false, 0); });
}

TEST_F(CheckerTest, RefusesAChangeThatNobodyMade) {
  PutAndAnswer("a", 2, 1);
  checker_.Ended();
  ExpectRefused("which nobody made", [&] { checker_.Recovered(3, 3, Settings(), false, 0); });
}

TEST_F(CheckerTest, RefusesARevisionThatIsUsedTwice) {
  PutAndAnswer("a", 2, 1);
  ExpectRefused("is used twice", [&] { Change1(Put("d", "b"), 2); });
}

TEST_F(CheckerTest, RefusesARevisionThatIsLeftOut) {
  Change1(Put("c", "a"), 3);
  ExpectRefused("was given out, and never made", [&] { checker_.Ended(); });
}

TEST_F(CheckerTest, RefusesAnotherVersion) {
  ExpectRefused("the model says revision 2, version 1", [&] { PutAndAnswer("a", 2, 2); });
}

TEST_F(CheckerTest, RefusesAnAnswerBeforeItsChangeIsDurable) {
  ExpectRefused("told before it is durable", [&] { Answer1(Change1(Put("c", "a"), 2), 2, 1, 1); });
}

TEST_F(CheckerTest, RefusesAReadOfAnOldState) {
  PutAndAnswer("a", 2, 1);
  PutAndAnswer("b", 3, 2);
  ExpectRefused("a read of version 0", [&] { Get("a", 1, 2, 3); });
}

TEST_F(CheckerTest, RefusesAReadThatDoesNotWaitForWhatItShows) {
  PutAndAnswer("a", 2, 1);
  checker_.Told(2);
  PutAndAnswer("b", 3, 2);
  ExpectRefused("told before it is durable", [&] { Get("b", 2, 3, 2); });
}

TEST_F(CheckerTest, RefusesAChangeThatMustFail) {
  PutAndAnswer("a", 2, 1);
  Operation conflict = Put("c", "b");
  conflict.parts[0].preconditions = {{false, "", 7}};
  ExpectRefused("changes what must be refused: VERSION_CONFLICT", [&] { Change1(conflict, 3); });
}

TEST_F(CheckerTest, RefusesAFailureThatHasNoReason) {
  PutAndAnswer("a", 2, 1);
  ExpectRefused("the model says it is a change",
                [&] { Fails(checker_.Begin(Put("c", "b")), "CONTEXT_NOT_FOUND", 2); });
}

TEST_F(CheckerTest, RefusesAFailureThatHasChangedSomething) {
  ExpectRefused("it has failed and changed something",
                [&] { Fails(Change1(Put("c", "b"), 2), "OVERLOADED", 2); });
}

TEST_F(CheckerTest, RefusesALimitThatIsOffByOne) {
  ExpectRefused("LIMIT_REACHED limit=value_size_max value=100",
                [&] { Change1(Put("c", std::string(101, 'x')), 2); });
}

TEST_F(CheckerTest, RefusesARequestThatIsCarriedOutTwice) {
  Operation operation = Put("c", "a");
  operation.request_id = "r";
  Answer1(Change1(operation, 2), 2, 1, 2);
  ExpectRefused("a known request is carried out again", [&] { Change1(operation, 3); });
}

TEST_F(CheckerTest, RefusesAnAnswerThatWaitsForWhatIsLongForgotten) {
  PutAndAnswer("a", 2, 1);
  checker_.Told(2);
  PutAndAnswer("b", 3, 2);
  ASSERT_GT(checker_.oldest(), 0u);
  ExpectRefused("told before it is durable", [&] { Get("b", 2, 3, 0); });
}

TEST_F(CheckerTest, RefusesADeleteThatWantsMemory) {
  PutAndAnswer("a", 2, 1);
  checker_.weather.memory_limit = 1;
  Operation end = Put("c", "");
  end.kind = Kind::kDelete;
  ExpectRefused("it is a change",
                [&] { Fails(checker_.Begin(end), "LIMIT_REACHED limit=memory_limit value=1", 2); });
}

TEST_F(CheckerTest, RefusesARepeatWithAnotherAnswer) {
  Operation operation = Put("c", "a");
  operation.request_id = "r";
  Answer1(Change1(operation, 2), 2, 1, 2);
  auto again = checker_.Begin(operation);
  again->answer.replayed = true;
  ExpectRefused("the request was answered with revision 2, version 1",
                [&] { Answer1(again, 2, 9, 2); });
}

TEST_F(CheckerTest, RefusesAContextThatEndsBeforeItsTime) {
  Operation operation = Put("c", "a");
  operation.parts[0].properties.ttl_us = 10;
  Answer1(Change1(operation, 2), 2, 1, 2);
  ExpectRefused("is ended before its time", [&] { Change1(operation, 3, Change::kDue); });
}

TEST_F(CheckerTest, RefusesAListThatLacksAContextOrShowsAnotherState) {
  PutAndAnswer("a", 2, 1);
  ListQuery query;
  query.namespace_id = "n";
  auto call = checker_.Begin(Put("c", ""));
  call->now_us = kNow;
  call->wait_for = 2;
  ShownPage page;
  page.position = 2;
  ExpectRefused("a list lacks n/c", [&] { checker_.EndList(call, query, "", 10, page); });

  page.rows.resize(1);
  page.rows[0].name = {"n", "c"};
  page.rows[0].state.version = 5;
  call = checker_.Begin(Put("c", ""));
  call->now_us = kNow;
  call->wait_for = 2;
  ExpectRefused("the row of n/c is wrong", [&] { checker_.EndList(call, query, "", 10, page); });
}

}  // namespace
}  // namespace simulation
