// Requests about recovery points: the rules of recovery.proto and resources.proto, and what
// requests come to.

#include "tests/unit/services/convert_fixture.h"

#include "tests/support/requests.h"

extern "C" {
#include "server/services/convert_point.h"
}

namespace {

const char kControl[] = "must not contain control characters";

class ConvertPointTest : public ConvertFixture {
 protected:
  std::string Create(const std::string &text) {
    return Came(cx_convert_point_create(
        &conversion_, nullptr,
        Make<CreateRecoveryPointRequest>(contextd__v1__create_recovery_point_request__descriptor,
                                         On("context_id", "a", text)),
        &create_));
  }

  std::string Get(const std::string &text) {
    return Came(cx_convert_point_get(
        &conversion_, nullptr,
        Make<GetRecoveryPointRequest>(contextd__v1__get_recovery_point_request__descriptor,
                                      On("context_id", "a", text)),
        &get_));
  }

  std::string Update(const std::string &text) {
    return Came(cx_convert_point_update(
        &conversion_, nullptr,
        Make<UpdateRecoveryPointRequest>(contextd__v1__update_recovery_point_request__descriptor,
                                         On("recovery_point_id", "p", On("context_id", "a", text))),
        &update_));
  }

  std::string Delete(const std::string &text) {
    return Came(cx_convert_point_delete(
        &conversion_, nullptr,
        Make<DeleteRecoveryPointRequest>(contextd__v1__delete_recovery_point_request__descriptor,
                                         On("context_id", "a", text)),
        &delete_));
  }

  std::string List(const std::string &text) {
    return Came(
        cx_convert_point_list(&conversion_,
                              Make<ListRecoveryPointsRequest>(
                                  contextd__v1__list_recovery_points_request__descriptor, text),
                              &list_, &view_));
  }

  std::string Prune(const std::string &text) {
    return Came(
        cx_convert_point_prune(&conversion_,
                               Make<PruneRecoveryPointsRequest>(
                                   contextd__v1__prune_recovery_points_request__descriptor, text),
                               &prune_));
  }

  // A request with this field, unless it is empty there.
  static std::string On(const std::string &field, const std::string &value,
                        const std::string &text) {
    bool is_empty = text.find(field + ": ''") != text.npos;
    return is_empty ? text : field + ": '" + value + "' " + text;
  }

  static std::string Many(const std::string &text, int count) {
    std::string all;
    for (int i = 0; i < count; i++) {
      std::string each = text;
      size_t at = each.find('#');
      if (at != each.npos) each.replace(at, 1, std::to_string(i));
      all += each + " ";
    }
    return all;
  }

  cx_create_point_request create_ = {};
  cx_point_get_query get_ = {};
  cx_update_point_request update_ = {};
  cx_delete_point_request delete_ = {};
  cx_point_query list_ = {};
  cx_point_view_query view_ = {};
  cx_prune_request prune_ = {};
};

// ---- Create.

TEST_F(ConvertPointTest, TakesAllOfACreate) {
  ASSERT_EQ("", Create("namespace: 'n' recovery_point_id: 'p' from_recovery_point_id: 'o' "
                       "mutations { put_entry { key: 'k' value: 'v' } } move_head: true "
                       "metadata { key: 'b' value: '2' } metadata { key: 'a' value: '1' } "
                       "attachments { key: 'y' value: '\\000\\377' content_type: 't' version: 9 } "
                       "attachments { key: 'x' } ttl { seconds: 2 } pinned: true "
                       "create_if_missing { type: 'chat' } replace: true "
                       "preconditions { context_version: 3 } "
                       "write { request_id: 'r' session_id: 's' fence: 4 }"));
  EXPECT_EQ("n/a", Text(create_.name.namespace_id) + "/" + Text(create_.name.id));
  EXPECT_EQ("p", Text(create_.point_id));
  EXPECT_EQ("o", Text(create_.from_point_id));
  ASSERT_EQ(1u, create_.mutation_count);
  EXPECT_EQ("v", Text(create_.mutations[0].value));
  EXPECT_TRUE(create_.move_head);
  ASSERT_EQ(2u, create_.label_count);
  EXPECT_EQ("a", Text(create_.labels[0].key));
  EXPECT_EQ("2", Text(create_.labels[1].value));
  ASSERT_EQ(2u, create_.attachment_count);
  EXPECT_EQ("y", Text(create_.attachments[0].key));
  EXPECT_EQ(std::string("\0\377", 2), Text(create_.attachments[0].value));
  EXPECT_EQ("t", Text(create_.attachments[0].content_type));
  EXPECT_EQ("", Text(create_.attachments[1].value));
  EXPECT_EQ(2000000, create_.ttl_us);
  EXPECT_TRUE(create_.pinned);
  EXPECT_TRUE(create_.replace);
  ASSERT_NE(nullptr, create_.create_if_missing);
  EXPECT_EQ("chat", Text(create_.create_if_missing->type));
  ASSERT_EQ(1u, create_.precondition_count);
  EXPECT_EQ(3u, create_.preconditions[0].version);
  EXPECT_EQ("r", Text(create_.request_id));
  EXPECT_EQ("s", Text(create_.author.session_id));
  EXPECT_EQ(4u, create_.author.fence);
}

TEST_F(ConvertPointTest, TakesACreateOfNothingButAName) {
  ASSERT_EQ("", Create(""));
  EXPECT_EQ("default", Text(create_.name.namespace_id));
  EXPECT_EQ(0u, create_.point_id.size + create_.from_point_id.size + create_.request_id.size);
  EXPECT_EQ(0u, create_.mutation_count + create_.label_count + create_.attachment_count);
  EXPECT_EQ(nullptr, create_.create_if_missing);
  EXPECT_EQ(0, create_.ttl_us);
}

TEST_F(ConvertPointTest, TakesPointIdsOfUpTo128Bytes) {
  std::string longest(128, 'p');
  EXPECT_EQ("", Create("recovery_point_id: '" + longest + "'"));
  EXPECT_EQ("", Create("from_recovery_point_id: '" + longest + "'"));
  EXPECT_EQ(Invalid("recovery_point_id", "must have at most 128 bytes"),
            Create("recovery_point_id: 'p" + longest + "'"));
  EXPECT_EQ(Invalid("from_recovery_point_id", "must have at most 128 bytes"),
            Create("from_recovery_point_id: 'p" + longest + "'"));
  EXPECT_EQ(Invalid("recovery_point_id", kControl), Create("recovery_point_id: 'a\\nb'"));
  EXPECT_EQ(Invalid("from_recovery_point_id", kControl), Create("from_recovery_point_id: '\\t'"));
}

TEST_F(ConvertPointTest, TellsAStringThatIsNoUtf8) {
  std::string id("\x1a\x01\xff", 3);  // recovery_point_id
  const auto *message = MakeOf<CreateRecoveryPointRequest>(
      contextd__v1__create_recovery_point_request__descriptor,
      TextEncode("CreateRecoveryPointRequest", "context_id: 'a'") + id);
  EXPECT_EQ(Invalid("recovery_point_id", "must be UTF-8 without NUL"),
            Came(cx_convert_point_create(&conversion_, nullptr, message, &create_)));
}

TEST_F(ConvertPointTest, ChecksWhichContextIsMeant) {
  EXPECT_EQ(Invalid("namespace", "must begin with one of a-z 0-9"), Create("namespace: '*'"));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), Create("context_id: ''"));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), Get("context_id: ''"));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), Update("context_id: ''"));
  EXPECT_EQ(Invalid("context_id", "must not be empty"), Delete("context_id: ''"));
}

TEST_F(ConvertPointTest, TakesEntriesAndMetadataAloneForAPointBesideTheHead) {
  const std::string fine =
      "mutations { put_entry { key: 'k' } } mutations { append_entry { key: 'k' } } "
      "mutations { delete_entry { key: 'k' } } mutations { delete_entries {} } "
      "mutations { set_metadata { key: 'k' } } mutations { delete_metadata { key: 'k' } } ";
  EXPECT_EQ("", Create(fine));
  for (const char *other : {"set_expiry {}", "record_activity { type: 't' }",
                            "set_recovery_policy { policy { point_every_changes: 1 } }"}) {
    std::string mutations = fine + "mutations { " + other + " }";
    EXPECT_EQ(Invalid("mutations[6]", "must be about entries or metadata, without `move_head`"),
              Create(mutations))
        << other;
    EXPECT_EQ("", Create(mutations + " move_head: true")) << other;
  }
}

TEST_F(ConvertPointTest, ChecksMutationsWhereverTheyGo) {
  EXPECT_EQ(Invalid("mutations[0].put_entry.key", "must not be empty"),
            Create("mutations { put_entry {} }"));
  EXPECT_EQ(Invalid("mutations[0]", "must be set to a known kind"), Create("mutations {}"));
  EXPECT_EQ(Invalid("mutations", "must have at most 10000 elements"),
            Create(Many("mutations { delete_entries {} }", 10001)));
}

TEST_F(ConvertPointTest, TakesUpTo10000AttachmentsOfDifferentKeys) {
  EXPECT_EQ("", Create(Many("attachments { key: 'k#' }", 10000)));
  EXPECT_EQ(Invalid("attachments", "must have at most 10000 elements"),
            Create(Many("attachments { key: 'k#' }", 10001)));
  EXPECT_EQ(Invalid("attachments[2].key", "must not be named twice"),
            Create("attachments { key: 'b' } attachments { key: 'a' } attachments { key: 'b' } "
                   "attachments { key: 'a' }"));
}

TEST_F(ConvertPointTest, ChecksAttachmentsLikeEntries) {
  EXPECT_EQ("", Create("attachments { key: '" + std::string(512, 'k') + "' }"));
  EXPECT_EQ(Invalid("attachments[0].key", "must have at most 512 bytes"),
            Create("attachments { key: '" + std::string(513, 'k') + "' }"));
  EXPECT_EQ(Invalid("attachments[1].key", "must not be empty"),
            Create("attachments { key: 'k' } attachments {}"));
  EXPECT_EQ(Invalid("attachments[0].key", kControl), Create("attachments { key: '\\177' }"));
  EXPECT_EQ(Invalid("attachments[0].content_type", "must have at most 128 bytes"),
            Create("attachments { key: 'k' content_type: '" + std::string(129, 't') + "' }"));
}

TEST_F(ConvertPointTest, TakesPositiveTimesOfUpTo100Years) {
  EXPECT_EQ("", Create("ttl { nanos: 1 }"));
  EXPECT_EQ(1, create_.ttl_us);
  EXPECT_EQ("", Update("ttl { seconds: 3153600000 }"));
  EXPECT_EQ(CX_TTL_US_MAX, update_.ttl_us);
  for (const char *ttl : {"ttl {}", "ttl { seconds: -1 }"}) {
    EXPECT_EQ(Invalid("ttl", "must be positive"), Create(ttl));
    EXPECT_EQ(Invalid("ttl", "must be positive"), Update(ttl));
  }
  const std::string rule = "must be at most 3153600000 seconds";
  EXPECT_EQ(Invalid("ttl", rule), Create("ttl { seconds: 3153600001 }"));
  EXPECT_EQ(Invalid("ttl", rule), Update("ttl { seconds: 3153600001 }"));
}

TEST_F(ConvertPointTest, ChecksTheRestOfACreate) {
  EXPECT_EQ(Invalid("metadata.key", "must not be empty"), Create("metadata { value: 'v' }"));
  EXPECT_EQ(Invalid("create_if_missing.parent_id", "must not be the context itself"),
            Create("create_if_missing { parent_id: 'a' }"));
  EXPECT_EQ(Invalid("preconditions[0]", "must be set to a known kind"), Create("preconditions {}"));
  EXPECT_EQ(Invalid("write.request_id", "must have at most 128 bytes"),
            Create("write { request_id: '" + std::string(129, 'r') + "' }"));
}

TEST_F(ConvertPointTest, TellsFieldsFromWhereTheMessageStands) {
  const cx_field operation = cx_field_at(nullptr, "operations", 3);
  const cx_field at = cx_field_of(&operation, "create");
  const auto *message = Make<CreateRecoveryPointRequest>(
      contextd__v1__create_recovery_point_request__descriptor,
      "context_id: 'a' attachments { key: 'k' } attachments { key: 'k' }");
  EXPECT_EQ(Invalid("operations[3].create.attachments[1].key", "must not be named twice"),
            Came(cx_convert_point_create(&conversion_, &at, message, &create_)));
}

TEST_F(ConvertPointTest, CountsMutationsAndAttachments) {
  EXPECT_EQ(3u, cx_point_create_cost(Make<CreateRecoveryPointRequest>(
                    contextd__v1__create_recovery_point_request__descriptor,
                    "mutations {} mutations {} attachments {} preconditions {}")));
  EXPECT_EQ(4u, cx_point_update_cost(Make<UpdateRecoveryPointRequest>(
                    contextd__v1__update_recovery_point_request__descriptor,
                    "put_attachments {} add_attachments {} delete_attachments: 'a' "
                    "delete_attachments: 'b'")));
}

// ---- Get.

TEST_F(ConvertPointTest, TakesAllOfAGet) {
  ASSERT_EQ("", Get("recovery_point_id: 'p' with_entries: true with_attachments: true keys: 'l' "
                    "keys: 'k' keys: 'l'"));
  EXPECT_EQ("p", Text(get_.point_id));
  EXPECT_TRUE(get_.view.entries);
  EXPECT_TRUE(get_.view.attachments);
  ASSERT_EQ(2u, get_.view.key_count);
  EXPECT_EQ("k", Text(get_.view.keys[0]));
  ASSERT_EQ("", Get(""));
  EXPECT_EQ(0u, get_.point_id.size + get_.view.key_count);
  EXPECT_FALSE(get_.view.entries || get_.view.attachments);
}

TEST_F(ConvertPointTest, ChecksTheRestOfAGet) {
  EXPECT_EQ(Invalid("recovery_point_id", "must have at most 128 bytes"),
            Get("recovery_point_id: '" + std::string(129, 'p') + "'"));
  EXPECT_EQ(Invalid("keys[1]", "must not be empty"), Get("keys: 'k' keys: ''"));
  EXPECT_EQ(Invalid("keys", "must have at most 10000 elements"), Get(Many("keys: 'k'", 10001)));
}

// ---- Update.

TEST_F(ConvertPointTest, TakesAllOfAnUpdate) {
  ASSERT_EQ("", Update("set_metadata { key: 'm' value: '1' } delete_metadata: 'o' "
                       "delete_metadata: 'n' put_attachments { key: 'a' value: 'x' } "
                       "add_attachments { key: 'b' } delete_attachments: 'c' "
                       "ttl { seconds: 1 } pin: PIN_ON allow_missing: true "
                       "write { request_id: 'r' fence: 2 }"));
  EXPECT_EQ("p", Text(update_.point_id));
  ASSERT_EQ(1u, update_.set_label_count);
  EXPECT_EQ("m", Text(update_.set_labels[0].key));
  ASSERT_EQ(2u, update_.delete_label_count);
  EXPECT_EQ("o", Text(update_.delete_labels[0]));
  ASSERT_EQ(1u, update_.put_attachment_count);
  EXPECT_EQ("x", Text(update_.put_attachments[0].value));
  ASSERT_EQ(1u, update_.add_attachment_count);
  EXPECT_EQ("b", Text(update_.add_attachments[0].key));
  ASSERT_EQ(1u, update_.delete_attachment_count);
  EXPECT_EQ("c", Text(update_.delete_attachments[0]));
  EXPECT_EQ(1000000, update_.ttl_us);
  EXPECT_EQ(CX_PIN_ON, update_.pin);
  EXPECT_TRUE(update_.allow_missing);
  EXPECT_EQ("r", Text(update_.request_id));
  EXPECT_EQ(2u, update_.author.fence);
}

TEST_F(ConvertPointTest, TakesEachPin) {
  ASSERT_EQ("", Update(""));
  EXPECT_EQ(CX_PIN_AS_IT_IS, update_.pin);
  ASSERT_EQ("", Update("pin: PIN_OFF"));
  EXPECT_EQ(CX_PIN_OFF, update_.pin);
  std::string pin("\x58\x63", 2);  // pin: 99
  const auto *message = MakeOf<UpdateRecoveryPointRequest>(
      contextd__v1__update_recovery_point_request__descriptor,
      TextEncode("UpdateRecoveryPointRequest", "context_id: 'a' recovery_point_id: 'p'") + pin);
  EXPECT_EQ(Invalid("pin", "must be a known value"),
            Came(cx_convert_point_update(&conversion_, nullptr, message, &update_)));
}

TEST_F(ConvertPointTest, RefusesAnExpiryThatIsSetAndCleared) {
  EXPECT_EQ("", Update("clear_expiry: true"));
  EXPECT_TRUE(update_.clear_expiry);
  EXPECT_EQ(Invalid("clear_expiry", "must not be set together with `ttl`"),
            Update("clear_expiry: true ttl { seconds: 1 }"));
}

TEST_F(ConvertPointTest, RefusesAKeyThatIsNamedTwiceInAnUpdate) {
  const std::string twice = "must not be named twice";
  EXPECT_EQ(Invalid("delete_metadata[1]", twice),
            Update("delete_metadata: 'k' delete_metadata: 'k'"));
  EXPECT_EQ(Invalid("delete_metadata[0]", twice),
            Update("set_metadata { key: 'k' value: '1' } delete_metadata: 'k'"));
  EXPECT_EQ(Invalid("add_attachments[1].key", twice),
            Update("put_attachments { key: 'k' } add_attachments { key: 'j' } "
                   "add_attachments { key: 'k' }"));
  EXPECT_EQ(Invalid("delete_attachments[0]", twice),
            Update("put_attachments { key: 'k' } delete_attachments: 'k'"));
  EXPECT_EQ(Invalid("delete_attachments[0]", twice),
            Update("add_attachments { key: 'k' } delete_attachments: 'k'"));
  EXPECT_EQ("", Update("set_metadata { key: 'k' value: '1' } put_attachments { key: 'k' }"));
}

TEST_F(ConvertPointTest, ChecksTheRestOfAnUpdate) {
  EXPECT_EQ(Invalid("recovery_point_id", "must not be empty"), Update("recovery_point_id: ''"));
  EXPECT_EQ(Invalid("set_metadata.key", "must have at most 63 bytes"),
            Update("set_metadata { key: '" + std::string(64, 'k') + "' value: '' }"));
  EXPECT_EQ(Invalid("set_metadata", "must have at most 64 elements"),
            Update(Many("set_metadata { key: 'k#' value: '' }", 65)));
  EXPECT_EQ(Invalid("delete_metadata", "must have at most 64 elements"),
            Update(Many("delete_metadata: 'k#'", 65)));
  EXPECT_EQ(Invalid("delete_metadata[0]", "must have at most 63 bytes"),
            Update("delete_metadata: '" + std::string(64, 'k') + "'"));
  EXPECT_EQ(Invalid("put_attachments", "must have at most 10000 elements"),
            Update(Many("put_attachments { key: 'k#' }", 10001)));
  EXPECT_EQ(Invalid("add_attachments[0].content_type", "must have at most 128 bytes"),
            Update("add_attachments { key: 'k' content_type: '" + std::string(129, 't') + "' }"));
  EXPECT_EQ(Invalid("delete_attachments[0]", "must not be empty"),
            Update("delete_attachments: ''"));
  EXPECT_EQ(Invalid("delete_attachments", "must have at most 10000 elements"),
            Update(Many("delete_attachments: 'k#'", 10001)));
  EXPECT_EQ(Invalid("write.session_id", kControl), Update("write { session_id: '\\001' }"));
}

// ---- Delete.

TEST_F(ConvertPointTest, TakesADeleteOfOnePoint) {
  ASSERT_EQ("", Delete("recovery_point_id: 'p' write { request_id: 'r' }"));
  EXPECT_EQ("p", Text(delete_.point_id));
  EXPECT_EQ("r", Text(delete_.request_id));
  EXPECT_EQ(Invalid("recovery_point_id", "must not be empty"), Delete(""));
  EXPECT_EQ(Invalid("recovery_point_id", "must have at most 128 bytes"),
            Delete("recovery_point_id: '" + std::string(129, 'p') + "'"));
}

// ---- List.

TEST_F(ConvertPointTest, TakesAllOfAList) {
  ASSERT_EQ("", List("namespace: 'n' context_id: 'a' page_size: 7 metadata { key: 'k' value: 'v' } "
                     "ancestors_of: 'p' with_entries: true with_attachments: true keys: 'k'"));
  EXPECT_EQ("n/a", Text(list_.namespace_id) + "/" + Text(list_.context_id));
  EXPECT_EQ(7u, list_.count_max);
  ASSERT_EQ(1u, list_.label_count);
  EXPECT_EQ("v", Text(list_.labels[0].value));
  EXPECT_EQ("p", Text(list_.ancestors_of));
  EXPECT_TRUE(view_.entries && view_.attachments);
  EXPECT_EQ(1u, view_.key_count);
  ASSERT_EQ("", List("id_prefix: 'a'"));
  EXPECT_EQ("a", Text(list_.id_prefix));
  EXPECT_EQ(100u, list_.count_max);
  ASSERT_EQ("", List("context_id: 'a' before_recovery_point_id: 'p'"));
  EXPECT_EQ("p", Text(list_.before_id));
  EXPECT_EQ("", List(""));
}

TEST_F(ConvertPointTest, ListsOneContextOrThoseWithAPrefix) {
  const std::string rule = "must be empty where `context_id` names a context";
  EXPECT_EQ(Invalid("id_prefix", rule), List("context_id: 'a' id_prefix: 'a'"));
  EXPECT_EQ(Invalid("id_prefix", rule), Prune("context_id: 'a' id_prefix: 'a' policy {}"));
}

TEST_F(ConvertPointTest, TakesOtherPointsOnlyOfOneContextAndOneOfThem) {
  const std::string rule = "must be empty unless `context_id` names the context";
  EXPECT_EQ(Invalid("before_recovery_point_id", rule), List("before_recovery_point_id: 'p'"));
  EXPECT_EQ(Invalid("ancestors_of", rule), List("id_prefix: 'a' ancestors_of: 'p'"));
  EXPECT_EQ(Invalid("ancestors_of", "must be empty where `before_recovery_point_id` is set"),
            List("context_id: 'a' before_recovery_point_id: 'p' ancestors_of: 'p'"));
}

TEST_F(ConvertPointTest, ChecksTheRestOfAList) {
  EXPECT_EQ(Invalid("namespace", "must begin with one of a-z 0-9"), List("namespace: '*'"));
  EXPECT_EQ(Invalid("context_id", "must have at most 256 bytes"),
            List("context_id: '" + std::string(257, 'a') + "'"));
  EXPECT_EQ(Invalid("id_prefix", "must have at most 256 bytes"),
            List("id_prefix: '" + std::string(257, 'a') + "'"));
  EXPECT_EQ(Invalid("page_size", "must be 1 to 1000, or 0 for 100"), List("page_size: 1001"));
  EXPECT_EQ(Invalid("metadata.key", "must not be empty"), List("metadata { value: 'v' }"));
  EXPECT_EQ(Invalid("before_recovery_point_id", "must have at most 128 bytes"),
            List("context_id: 'a' before_recovery_point_id: '" + std::string(129, 'p') + "'"));
  EXPECT_EQ(Invalid("ancestors_of", kControl), List("context_id: 'a' ancestors_of: '\\n'"));
  EXPECT_EQ(Invalid("keys[0]", "must have at most 512 bytes"),
            List("keys: '" + std::string(513, 'k') + "'"));
}

// ---- Prune.

TEST_F(ConvertPointTest, TakesAllOfAPrune) {
  ASSERT_EQ("", Prune("namespace: 'n' context_id: 'a' metadata { key: 'k' value: 'v' } "
                      "policy { keep_last: 1 keep_every: 2 keep_within { seconds: 3 } } "
                      "dry_run: true write { request_id: 'r' fence: 4 }"));
  EXPECT_EQ("n/a", Text(prune_.namespace_id) + "/" + Text(prune_.context_id));
  ASSERT_EQ(1u, prune_.label_count);
  EXPECT_EQ("k", Text(prune_.labels[0].key));
  EXPECT_EQ(1u, prune_.policy.keep_last);
  EXPECT_EQ(2u, prune_.policy.keep_every);
  EXPECT_EQ(3000000, prune_.policy.keep_within_us);
  EXPECT_TRUE(prune_.dry_run);
  EXPECT_EQ(4u, prune_.author.fence);
  ASSERT_EQ("", Prune("id_prefix: 'a' policy { keep_last: 1 }"));
  EXPECT_EQ("a", Text(prune_.id_prefix));
  EXPECT_EQ("", Prune("metadata { key: 'k' value: 'v' }"));
}

TEST_F(ConvertPointTest, PrunesOnlyWhereItIsSaidWhatToDrop) {
  EXPECT_EQ(Invalid("policy", "must be set unless `metadata` says what to drop"), Prune(""));
  EXPECT_EQ(Invalid("policy", "must have at least one rule"), Prune("policy {}"));
  EXPECT_EQ(Invalid("policy", "must have at least one rule"),
            Prune("metadata { key: 'k' value: 'v' } policy {}"));
  EXPECT_EQ(Invalid("policy.keep_within", "must be positive"),
            Prune("policy { keep_last: 1 keep_within {} }"));
}

TEST_F(ConvertPointTest, TakesAFenceOnlyForOneContext) {
  EXPECT_EQ(Invalid("write.fence", "must be 0 unless `context_id` names the context"),
            Prune("policy { keep_last: 1 } write { fence: 1 }"));
}

}  // namespace
