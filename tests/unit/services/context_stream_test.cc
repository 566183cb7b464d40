// StreamUpdates: what the comments of context_manager.proto and the head of
// context_stream.c promise. The first revision of a log is that of its settings, so
// that changes begin at 2.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "core/base/memory.h"
}

namespace {

using Strings = std::vector<std::string>;

class ContextStreamTest : public ServiceFixture {
 protected:
  static std::string Update(const std::string &id, const std::string &more = "") {
    return " updates { context_id: '" + id +
           "' mutations { append_entry { key: 'k' value: '1' } } create_if_missing {} " + more +
           " }";
  }

  static std::string Result(int version, int revision) {
    return "results { response { version: " + std::to_string(version) +
           " write { revision: " + std::to_string(revision) + " } } }";
  }

  Call Open() { return Begin("StreamUpdates"); }

  static void Send(Call call, const std::string &request) {
    call->Receive(TextEncode("StreamUpdatesRequest", request));
  }

  // Lets everything go out.
  void Flush(Call call) {
    Settle();
    while (!call->ended() && call->sending) {
      call->Sent();
      Settle();
    }
  }
};

TEST_F(ContextStreamTest, AnswersInTheOrderOfTheUpdates) {
  Call call = Open();
  Send(call, Update("a") + Update("b") + Update("a"));
  Flush(call);
  EXPECT_EQ((Strings{Result(1, 2) + " " + Result(1, 3) + " " + Result(2, 4)}), Texts(*call));
}

TEST_F(ContextStreamTest, ReceivesOnWhileResultsWaitToBeDurable) {
  Call call = Open();
  Send(call, Update("a"));
  EXPECT_TRUE(call->receiving);
  EXPECT_TRUE(call->waiting);
  Send(call, Update("b"));
  Send(call, Update("c"));
  EXPECT_TRUE(call->messages.empty());
}

TEST_F(ContextStreamTest, AnswersInOneMessageWhatBecameDurableTogether) {
  Call call = Open();
  for (const char *id : {"a", "b", "c"}) Send(call, Update(id));
  Flush(call);
  EXPECT_EQ((Strings{Result(1, 2) + " " + Result(1, 3) + " " + Result(1, 4)}), Texts(*call));
}

TEST_F(ContextStreamTest, CollectsWhatBecomesDurableWhileAMessageIsOnItsWay) {
  Call call = Open();
  Send(call, Update("a"));
  Settle();
  ASSERT_TRUE(call->sending);
  Send(call, Update("b"));
  Settle();
  Send(call, Update("c"));
  Settle();
  EXPECT_EQ(1u, call->messages.size());
  call->Sent();
  EXPECT_EQ((Strings{Result(1, 2), Result(1, 3) + " " + Result(1, 4)}), Texts(*call));
}

TEST_F(ContextStreamTest, SaysNothingBeforeItIsDurable) {
  Call call = Open();
  Send(call, Update("a"));
  EXPECT_TRUE(call->messages.empty());
  Settle();
  Send(call, Update("b"));
  call->Sent();
  EXPECT_EQ(1u, call->messages.size());  // The second one waits.
  Settle();
  EXPECT_EQ(2u, call->messages.size());
}

TEST_F(ContextStreamTest, KeepsErrorsInTheOrderToo) {
  Call call = Open();
  Send(call, Update("a") + Update("") + Update("a", "preconditions { context_version: 9 }"));
  EXPECT_TRUE(call->messages.empty());
  Flush(call);
  std::string text = Texts(*call)[0];
  size_t first = text.find(Result(1, 2));
  size_t second = text.find("reason: \"INVALID_FIELD\"");
  size_t third = text.find("reason: \"VERSION_CONFLICT\"");
  EXPECT_TRUE(first < second && second < third && third != std::string::npos) << text;
  EXPECT_NE(std::string::npos, text.find("value: \"updates[1].context_id\"")) << text;
}

TEST_F(ContextStreamTest, TellsErrorsOfTheFormAtOnceWhenNothingIsAhead) {
  Call call = Open();
  Send(call, Update(""));
  EXPECT_EQ(1u, call->messages.size());
}

TEST_F(ContextStreamTest, EndsWellAfterTheLastResultOfAHalfClosedStream) {
  Call call = Open();
  Send(call, Update("a"));
  call->ReceiveEnd();
  EXPECT_FALSE(call->ended());
  Settle();
  EXPECT_FALSE(call->ended());
  call->Sent();
  EXPECT_TRUE(call->ended());
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextStreamTest, EndsAtOnceWhenNothingWasSent) {
  Call call = Open();
  call->ReceiveEnd();
  EXPECT_TRUE(call->ended());
  EXPECT_TRUE(call->ok());
}

TEST_F(ContextStreamTest, EndsOverAMessageWithoutUpdatesAfterTheResultsBeforeIt) {
  Call call = Open();
  Send(call, Update("a"));
  Send(call, "");
  EXPECT_FALSE(call->receiving);
  EXPECT_FALSE(call->ended());
  Flush(call);
  EXPECT_EQ((Strings{Result(1, 2)}), Texts(*call));
  EXPECT_EQ("INVALID_FIELD field=updates rule=must not be empty", Outcome(*call));
}

TEST_F(ContextStreamTest, EndsOverAMessageOfMoreThanAThousandUpdates) {
  std::string request;
  for (int i = 0; i < 1000; i++) request += Update("a");
  Call call = Open();
  Send(call, request);
  Flush(call);
  EXPECT_FALSE(call->ended());
  Send(call, request + Update("a"));
  EXPECT_EQ("INVALID_FIELD field=updates rule=must have at most 1000 elements", Outcome(*call));
  EXPECT_EQ(1000u, Get("a").version);
}

TEST_F(ContextStreamTest, RefusesUpdatesOfAnotherNamespaceThanTheFirstOfTheirMessage) {
  Call call = Open();
  Send(call, Update("a") + Update("a", "namespace: 'other'"));
  Flush(call);
  EXPECT_NE(std::string::npos, Texts(*call)[0].find("value: \"updates[1].namespace\""));
  Send(call, Update("a", "namespace: 'other'"));
  Flush(call);
  EXPECT_EQ(Result(1, 3), Texts(*call)[1]);
}

TEST_F(ContextStreamTest, StopsReceivingWhenTooManyUpdatesAreUnanswered) {
  std::string request;
  for (int i = 0; i < 1000; i++) request += Update("a");
  Call call = Open();
  int sent = 0;
  for (; call->receiving; sent++) {
    ASSERT_LT(sent, 100);
    Send(call, request);
  }
  EXPECT_EQ(5, sent);  // 4,096 are allowed, and one message on top of 4,000.
  Flush(call);
  EXPECT_TRUE(call->receiving);
  size_t results = 0;
  for (const std::string &text : Texts(*call)) {
    for (size_t at = 0; (at = text.find("results", at)) != std::string::npos; at++) results++;
  }
  EXPECT_EQ(5000u, results);
}

TEST_F(ContextStreamTest, StopsReceivingWhenUnansweredFailuresWeighTooMuch) {
  std::string bad = " updates { context_id: 'a' mutations { put_entry { key: '" +
                    std::string(512, 'k') + "' } } preconditions { entry { key: '" +
                    std::string(512, 'k') + "' version: 1 } } create_if_missing {} }";
  std::string request;
  for (int i = 0; i < 1000; i++) request += bad;
  Put("a", "k", "1");
  Call call = Open();
  Send(call, Update("a"));  // Not durable yet, so that all behind it wait.
  int sent = 0;
  for (; call->receiving; sent++) {
    ASSERT_LT(sent, 100);
    Send(call, request);
  }
  EXPECT_LE(sent, 3);
  Flush(call);
  EXPECT_TRUE(call->receiving);
}

TEST_F(ContextStreamTest, SendsNoMessageAboveTheLimit) {
  message_size_max_ = 70000;  // The fake call is strict about it.
  std::string request;
  for (int i = 0; i < 1000; i++) request += Update("");
  Call call = Open();
  Send(call, request);
  Flush(call);
  EXPECT_GT(call->messages.size(), 1u);
}

TEST_F(ContextStreamTest, LetsGoOfEverythingWhenTheClientLeaves) {
  Call waiting = Open();
  Send(waiting, Update("a") + Update(""));
  waiting->Leave();
  EXPECT_FALSE(waiting->ended());  // The engine still has its waiter.
  Settle();
  EXPECT_TRUE(waiting->ended());

  Call sending = Open();
  Send(sending, Update("a"));
  Settle();
  Send(sending, Update("") + Update("a"));
  sending->Leave();
  EXPECT_TRUE(sending->ended());

  Call idle = Open();
  idle->Leave();
  EXPECT_TRUE(idle->ended());
  EXPECT_EQ("111", Get("a").entries["k"]);
}

TEST_F(ContextStreamTest, EndsWhenTheDiskFails) {
  Call call = Open();
  Send(call, Update("a") + Update("b"));
  sim_disk_fail(disk_, 1, CX_UNAVAILABLE);
  Settle();
  EXPECT_EQ("STORAGE_FAILED", Outcome(*call));
  EXPECT_TRUE(call->messages.empty());
}

TEST_F(ContextStreamTest, LimitsHowLongItsReaderMayDoNothing) {
  Call call = Open();
  EXPECT_EQ(app_.stream_stall_max_us, call->stall_us);
}

TEST_F(ContextStreamTest, RepeatsRequestIdsOnce) {
  Call call = Open();
  Send(call, Update("a", "write { request_id: 'r' }") + Update("a", "write { request_id: 'r' }"));
  Flush(call);
  EXPECT_EQ((Strings{Result(1, 2) +
                     " results { response { version: 1 write { revision: 2 replayed: true } } }"}),
            Texts(*call));
}

TEST_F(ContextStreamTest, KeepsNoMemoryOfWhatItHasAnswered) {
  Call call = Open();
  int64_t used = 0;
  for (int i = 0; i < 2000; i++) {
    Send(call,
         " updates { context_id: 'a' mutations { put_entry { key: 'k' value: '1' } } "
         "create_if_missing {} }" +
             Update(""));
    Flush(call);
    if (i == 1000) used = cx_memory_used();
  }
  EXPECT_LT(cx_memory_used() - used, 64 * 1024);
}

TEST_F(ContextStreamTest, ChecksSessionAndFenceOfEachUpdate) {
  Put("a", "k", "1");
  const std::string update =
      "updates { context_id: 'a' mutations { append_entry { key: 'k' value: '2' } } ";
  Call call = Begin("StreamUpdates");
  call->Receive(TextEncode(
      "StreamUpdatesRequest",
      update + "} " + update + "write { fence: 1 } } " + update + "write { session_id: 's' } }"));
  Settle();
  std::string text = Texts(*call).at(0);
  EXPECT_NE(std::string::npos, text.find("reason: \"STALE_FENCE\"")) << text;
  EXPECT_NE(std::string::npos, text.find("reason: \"SESSION_NOT_FOUND\"")) << text;
  EXPECT_EQ("12", Get("a").entries["k"]);
}

TEST_F(ContextStreamTest, RefusesAllBehindOneThatIsOverloadedInTheSameMessage) {
  FillLog();
  Call call = Open();
  Send(call, Update("a") +
                 Update("a", "mutations { put_entry { key: 'l' value: '" + kLarge + "' } }") +
                 Update("a") + Update("b"));
  Flush(call);
  ASSERT_EQ(1u, call->messages.size());
  EXPECT_EQ((Strings{"OVERLOADED", "OVERLOADED", "OVERLOADED"}), Failures(Texts(*call)[0]));
  EXPECT_EQ("1", Get("a").entries["k"]);
  Send(call, Update("a"));
  Flush(call);
  EXPECT_EQ("11", Get("a").entries["k"]) << "the next message begins anew";
}

}  // namespace
