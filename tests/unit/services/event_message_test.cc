// Events as messages of the API: what is said of each kind, and what is left out.

#include "tests/unit/services/service_fixture.h"

extern "C" {
#include "server/services/event_message.h"
#include "tests/support/fail_nth.h"
}

namespace {

class EventMessageTest : public ServiceFixture {
 protected:
  ~EventMessageTest() override { cx_buffer_done(&buffer_); }

  void SetUp() override {
    ServiceFixture::SetUp();
    item_.id = Bytes(id_);
    item_.type = Bytes(type_);
    item_.version = 3;
    item_.head.told = true;
    item_.head.create_time_us = 1000000;
    item_.head.entry_count = 4;
    item_.head.size_bytes = 44;
    item_.head.fence = 5;
    event_.revision = 9;
    event_.time_us = 7000000;
    event_.namespace_id = Bytes(namespace_);
    event_.item = &item_;
    event_.last = true;
    event_.type = CX_EVENT_UPDATED;
  }

  // The event as a text; its cursor is checked to be one and left out.
  std::string Encode(bool without_values = false) {
    cx_event_encoder encoder = cx_event_encoder_of(&coding_);
    buffer_.size = 0;
    EXPECT_EQ(CX_OK, encoder.encode(encoder.arg, &event_, without_values, &buffer_));
    std::string text =
        TextDecode("Event", std::string(reinterpret_cast<char *>(buffer_.data), buffer_.size));
    size_t at = text.find(" cursor: \"");
    EXPECT_NE(std::string::npos, at) << text;
    return text.erase(at, text.find('"', at + 10) + 1 - at);
  }

  static cx_op Op(cx_mutation_kind kind, const char *key, const char *value = "") {
    cx_op op = {};
    op.kind = kind;
    op.key = cx_bytes_of(key);
    op.value = cx_bytes_of(value);
    return op;
  }

  // What the mutations are told as.
  std::string Mutated(const std::vector<cx_op> &ops, bool without_values = false) {
    event_.ops = ops.data();
    event_.op_count = ops.size();
    std::string text = Encode(without_values);
    size_t at = text.find(" mutations");
    return at != std::string::npos ? text.substr(at + 1) : "";
  }

  std::string id_ = "a";
  std::string type_ = "chat";
  cx_change_item item_ = {};
  cx_event event_ = {};
  cx_buffer buffer_ = {};
};

TEST_F(EventMessageTest, TellsAllOfAContextButItsEntries) {
  cx_label labels[] = {{cx_bytes_of("k"), cx_bytes_of("v")}};
  std::string parent = "p";
  std::string session = "s";
  item_.labels = {labels, 1};
  item_.head.parent_id = Bytes(parent);
  item_.head.expire_us = 9000000;
  item_.session_id = Bytes(session);
  EXPECT_EQ(
      "type: EVENT_TYPE_UPDATED namespace: \"default\" revision: 9 time { seconds: 7 } "
      "context { namespace: \"default\" id: \"a\" type: \"chat\" parent_id: \"p\" "
      "metadata { key: \"k\" value: \"v\" } version: 3 revision: 9 create_time { seconds: 1 } "
      "update_time { seconds: 7 } expire_time { seconds: 9 } entry_count: 4 size_bytes: 44 "
      "fence: 5 } session_id: \"s\"",
      Encode());
}

TEST_F(EventMessageTest, CountsWhatBeginsWithTheChangeFromItsTime) {
  item_.head.create_time_us = 0;
  item_.head.update_time_us = 2000000;
  item_.head.expires_from_now = true;
  item_.head.expire_us = 3000000;
  std::string text = Encode();
  EXPECT_NE(std::string::npos, text.find("create_time { seconds: 7 }")) << text;
  EXPECT_NE(std::string::npos, text.find("update_time { seconds: 2 }")) << text;
  EXPECT_NE(std::string::npos, text.find("expire_time { seconds: 10 }")) << text;
}

TEST_F(EventMessageTest, TellsEveryMutation) {
  std::string content_type = "text/plain";
  cx_op put = Op(CX_MUTATION_PUT, "k", "v");
  put.content_type = Bytes(content_type);
  cx_op splice = put;
  splice.kept = 5000;
  cx_op expiry = {};
  expiry.kind = CX_MUTATION_SET_EXPIRY;
  expiry.ttl_us = 2000000;
  expiry.sliding = true;
  cx_recovery_policy given = {true, {5, 0, 0}, 6, 7000000};
  cx_recovery_policy servers = {};
  cx_op policy = {};
  policy.kind = CX_MUTATION_SET_POLICY;
  policy.policy = &given;
  cx_op no_policy = policy;
  no_policy.policy = &servers;
  EXPECT_EQ(
      "mutations { put_entry { key: \"k\" value: \"v\" content_type: \"text/plain\" } } "
      "mutations { splice_entry { key: \"k\" kept_size: 5000 value: \"v\" content_type: "
      "\"text/plain\" } } "
      "mutations { append_entry { key: \"k\" value: \"w\" } } "
      "mutations { delete_entry { key: \"k\" } } "
      "mutations { delete_entries { prefix: \"p\" } } "
      "mutations { set_metadata { key: \"l\" value: \"m\" } } "
      "mutations { delete_metadata { key: \"l\" } } "
      "mutations { set_expiry { ttl { seconds: 2 } sliding: true } } "
      "mutations { set_recovery_policy { policy { retention { keep_last: 5 } point_every_changes: "
      "6 point_every { seconds: 7 } } } } "
      "mutations { set_recovery_policy { } }",
      Mutated({put, splice, Op(CX_MUTATION_APPEND, "k", "w"), Op(CX_MUTATION_DELETE, "k"),
               Op(CX_MUTATION_DELETE_PREFIX, "p"), Op(CX_MUTATION_SET_LABEL, "l", "m"),
               Op(CX_MUTATION_DELETE_LABEL, "l"), expiry, policy, no_policy}));
}

TEST_F(EventMessageTest, NumbersTheActivitiesOfItsPart) {
  std::string type = "t";
  std::string data = "d";
  cx_activity_content content = {};
  content.type = Bytes(type);
  content.data = Bytes(data);
  cx_op record = {};
  record.kind = CX_MUTATION_RECORD;
  record.activity = &content;
  event_.first_sequence = 41;
  EXPECT_EQ(
      "mutations { record_activity { sequence: 41 time { seconds: 7 } type: \"t\" data: \"d\" } } "
      "mutations { delete_entry { key: \"k\" } } "
      "mutations { record_activity { sequence: 42 time { seconds: 7 } type: \"t\" data: \"d\" } }",
      Mutated({record, Op(CX_MUTATION_DELETE, "k"), record}));
}

TEST_F(EventMessageTest, LeavesValuesAndDataOut) {
  std::string type = "t";
  std::string data = "d";
  cx_activity_content content = {};
  content.type = Bytes(type);
  content.data = Bytes(data);
  cx_op record = {};
  record.kind = CX_MUTATION_RECORD;
  record.activity = &content;
  event_.first_sequence = 1;
  EXPECT_EQ(
      "mutations { put_entry { key: \"k\" } } mutations { append_entry { key: \"k\" } } "
      "mutations { record_activity { sequence: 1 time { seconds: 7 } type: \"t\" } }",
      Mutated({Op(CX_MUTATION_PUT, "k", "v"), Op(CX_MUTATION_APPEND, "k", "w"), record}, true));
}

TEST_F(EventMessageTest, TellsWhoseActivationItIs) {
  cx_activation_step step = {};
  std::string session = "s";
  step.session_id = Bytes(session);
  step.active = true;
  step.fence = 5;
  event_.type = CX_EVENT_ACTIVATED;
  event_.activation = &step;
  std::string text = Encode();
  EXPECT_NE(std::string::npos,
            text.find("session_id: \"s\" activation { context_id: \"a\" fence: 5 exclusive: true "
                      "time { seconds: 7 } }"))
      << text;
  step = {};
  step.session_id = Bytes(session);
  event_.type = CX_EVENT_DEACTIVATED;
  text = Encode();
  EXPECT_NE(std::string::npos, text.find("session_id: \"s\" activation { context_id: \"a\" }"))
      << text;
}

TEST_F(EventMessageTest, TellsWhichActivitiesAreGone) {
  cx_run runs[] = {{1, 4}, {7, 7}};
  item_.trimmed = {runs, 2};
  event_.type = CX_EVENT_HISTORY_TRIMMED;
  std::string text = Encode();
  EXPECT_NE(std::string::npos,
            text.find("trimmed { first: 1 last: 4 } trimmed { first: 7 last: 7 }"))
      << text;
}

TEST_F(EventMessageTest, TellsWhichPointARestoreCameFrom) {
  std::string point = "p";
  item_.kind = CX_ITEM_UPDATE;
  item_.base = {CX_BASE_POINT, 1};
  item_.base_id = Bytes(point);
  event_.type = CX_EVENT_RESTORED;
  std::string text = Encode();
  EXPECT_NE(std::string::npos, text.find("type: EVENT_TYPE_RESTORED")) << text;
  EXPECT_NE(std::string::npos, text.find("recovery_point_id: \"p\"")) << text;
  event_.type = CX_EVENT_HISTORY_TRIMMED;
  text = Encode();
  EXPECT_EQ(std::string::npos, text.find("recovery_point_id")) << "what comes behind it: " << text;
}

TEST_F(EventMessageTest, TellsAPointWithTheContextAsItIsAfterwards) {
  std::string id = "p", session = "s";
  const std::pair<cx_event_type, std::string> cases[] = {
      {CX_EVENT_POINT_CREATED, "RECOVERY_POINT_CREATED"},
      {CX_EVENT_POINT_UPDATED, "RECOVERY_POINT_UPDATED"},
      {CX_EVENT_POINT_DELETED, "RECOVERY_POINT_DELETED"},
  };
  cx_point_step step = {};
  step.id = Bytes(id);
  item_.session_id = Bytes(session);
  event_.point = &step;
  for (const auto &[type, name] : cases) {
    event_.type = type;
    EXPECT_EQ(
        "type: EVENT_TYPE_" + name +
            " namespace: \"default\" revision: 9 time { seconds: 7 } context { namespace: "
            "\"default\" id: \"a\" type: \"chat\" version: 3 revision: 9 create_time { "
            "seconds: 1 } update_time { seconds: 7 } entry_count: 4 size_bytes: 44 fence: 5 } "
            "session_id: \"s\" recovery_point_id: \"p\"",
        Encode());
  }
}

TEST_F(EventMessageTest, TellsWhereAForkCameFrom) {
  std::string source = "other";
  item_.head.forked_from_id = Bytes(source);
  item_.head.forked_from_version = 8;
  event_.type = CX_EVENT_FORKED;
  event_.reset = true;
  std::string text = Encode();
  EXPECT_NE(std::string::npos, text.find("type: EVENT_TYPE_FORKED")) << text;
  EXPECT_NE(std::string::npos, text.find("reset: true")) << text;
  EXPECT_NE(std::string::npos, text.find("forked_from { namespace: \"default\" context_id: "
                                         "\"other\" version: 8 }"))
      << text;
}

TEST_F(EventMessageTest, TellsOfASessionWhatThereIsToTell) {
  std::string id = "s", owner = "ada", current = "a";
  cx_session_change change = {};
  change.start.name = {Bytes(namespace_), Bytes(id)};
  change.start.owner = Bytes(owner);
  change.start.ttl_us = 60000000;
  change.start.default_context_id = Bytes(current);
  change.step = CX_SESSION_START;
  event_.item = nullptr;
  event_.session = &change;
  event_.type = CX_EVENT_SESSION_STARTED;
  EXPECT_EQ(
      "type: EVENT_TYPE_SESSION_STARTED namespace: \"default\" revision: 9 time { seconds: 7 } "
      "session_id: \"s\" session { namespace: \"default\" id: \"s\" owner: \"ada\" "
      "create_time { seconds: 7 } expire_time { seconds: 67 } current_context_id: \"a\" }",
      Encode());
  change.step = CX_SESSION_LOSE;
  change.create_time_us = 1000000;
  event_.type = CX_EVENT_SESSION_LOST;
  EXPECT_EQ(
      "type: EVENT_TYPE_SESSION_LOST namespace: \"default\" revision: 9 time { seconds: 7 } "
      "session_id: \"s\" session { namespace: \"default\" id: \"s\" owner: \"ada\" "
      "create_time { seconds: 1 } }",
      Encode());
}

TEST_F(EventMessageTest, TellsAResetInPlaceOfWhatFitsIntoNoMessage) {
  coding_.message_size_max = 2000;
  std::string large(1000, 'v');
  std::vector<cx_op> ops = {Op(CX_MUTATION_PUT, "k", large.c_str())};
  EXPECT_EQ("", Mutated(ops));
  EXPECT_NE(std::string::npos, Encode().find("reset: true"));
  EXPECT_EQ("mutations { put_entry { key: \"k\" } }", Mutated(ops, true));
}

TEST_F(EventMessageTest, FailsWithoutMemoryAndSaysSo) {
  std::vector<cx_op> ops = {Op(CX_MUTATION_PUT, "k", "v")};
  event_.ops = ops.data();
  event_.op_count = ops.size();
  cx_event_encoder encoder = cx_event_encoder_of(&coding_);
  fail_nth fail;
  for (size_t nth = 1;; nth++) {
    cx_buffer buffer = {};
    fail_nth_begin(&fail, nth);
    cx_status status = encoder.encode(encoder.arg, &event_, false, &buffer);
    bool failed = fail_nth_end(&fail);
    cx_buffer_done(&buffer);
    EXPECT_EQ(failed ? CX_RESOURCE_EXHAUSTED : CX_OK, status) << nth;
    if (!failed) break;
  }
}

}  // namespace
