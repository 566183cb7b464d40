// An engine and a model (context_model.h) that are asked the same, and compared.

#ifndef CX_TESTS_UNIT_ENGINE_MODEL_FIXTURE_H
#define CX_TESTS_UNIT_ENGINE_MODEL_FIXTURE_H

#include "tests/support/engine_fixture.h"
#include "tests/unit/engine/context_model.h"

#include <algorithm>
#include <random>

namespace model {

// An operation as the engine takes it. Borrows the operation.
class Request {
 public:
  Request(const std::string &namespace_id, const Operation &operation) : operation_(operation) {
    for (const Part &part : operation.parts) {
      cx_update_request request = {};
      auto parameters = std::make_unique<Parameters>(part);
      request.name = {Bytes(namespace_id), Bytes(part.id)};
      request.mutations = parameters->mutations.data();
      request.mutation_count = parameters->mutations.size();
      request.preconditions = parameters->preconditions.data();
      request.precondition_count = parameters->preconditions.size();
      request.create_if_missing = part.create.set ? &parameters->properties : nullptr;
      request.request_id = Bytes(operation.request_id);
      requests_.push_back(request);
      parameters_.push_back(std::move(parameters));
    }
  }

  Answer Run(cx_engine *engine, uint64_t *ret_wait_for) const {
    std::vector<cx_write_outcome> outcomes(requests_.size());
    cx_error error = {};
    cx_status status = CX_OK;
    Answer answer;
    size_t index;
    switch (operation_.kind) {
      case Kind::kCreate: status = RunCreate(engine, &outcomes[0], &error); break;
      case Kind::kDelete: status = RunDelete(engine, &outcomes[0], &error); break;
      case Kind::kUpdate:
        status = cx_engine_update(engine, &requests_[0], &outcomes[0], &error);
        break;
      case Kind::kAtomic:
        status = cx_engine_update_atomic(engine, requests_.data(), requests_.size(),
                                         Bytes(operation_.request_id), outcomes.data(), &index,
                                         &error);
        break;
    }
    *ret_wait_for = outcomes[0].wait_for;
    if (status != CX_OK) {
      EXPECT_EQ(status, cx_reason_status(error.reason));
      answer.failure = ErrorText(error);
      return answer;
    }
    answer.revision = outcomes[0].revision;
    answer.replayed = outcomes[0].replayed;
    answer.count = outcomes[0].count;
    for (const cx_write_outcome &outcome : outcomes) {
      if (outcome.revision != 0) answer.versions.push_back(outcome.version);
      EXPECT_EQ(answer.revision, outcome.revision);
      EXPECT_EQ(*ret_wait_for, outcome.wait_for);
    }
    return answer;
  }

  static std::string ErrorText(const cx_error &error) {
    std::string text = cx_reason_name(error.reason);
    for (size_t i = 0; i < error.detail_count; i++) {
      text += std::string(" ") + error.details[i].key + "=" +
              Text(cx_error_detail_get(&error, error.details[i].key));
    }
    return text;
  }

 private:
  struct Parameters {
    explicit Parameters(const Part &part) {
      for (const Mutation &each : part.mutations) {
        cx_mutation mutation = {};
        mutation.kind = each.kind;
        mutation.has_expected_size = each.has_expected_size;
        mutation.sliding = each.sliding;
        mutation.key = Bytes(each.key);
        mutation.value = Bytes(each.value);
        mutation.content_type = Bytes(each.type);
        mutation.expected_size = each.expected_size;
        mutation.ttl_us = each.ttl_us;
        mutations.push_back(mutation);
      }
      for (const Precondition &each : part.preconditions) {
        preconditions.push_back({each.of_entry ? CX_PRECONDITION_ENTRY_VERSION
                                               : CX_PRECONDITION_CONTEXT_VERSION,
                                 Bytes(each.key), each.version});
      }
      for (const auto &[key, value] : part.create.labels) {
        labels.push_back({Bytes(key), Bytes(value)});
      }
      properties.type = Bytes(part.create.type);
      properties.parent_id = Bytes(part.create.parent_id);
      properties.create_parent = part.create.create_parent;
      properties.labels = labels.data();
      properties.label_count = labels.size();
      properties.ttl_us = part.create.ttl_us;
      properties.sliding = part.create.sliding;
    }

    std::vector<cx_mutation> mutations;
    std::vector<cx_precondition> preconditions;
    std::vector<cx_label> labels;
    cx_new_context properties = {};
  };

  cx_status RunCreate(cx_engine *engine, cx_write_outcome *outcome, cx_error *error) const {
    cx_create_request request = {};
    cx_snapshot snapshot = {};
    request.name = requests_[0].name;
    request.properties = parameters_[0]->properties;
    request.mutations = requests_[0].mutations;
    request.mutation_count = requests_[0].mutation_count;
    request.request_id = requests_[0].request_id;
    cx_status status = cx_engine_create(engine, &request, outcome, &snapshot, error);
    if (status == CX_OK) cx_snapshot_done(&snapshot);
    return status;
  }

  cx_status RunDelete(cx_engine *engine, cx_write_outcome *outcome, cx_error *error) const {
    cx_delete_request request = {};
    request.name = requests_[0].name;
    request.preconditions = requests_[0].preconditions;
    request.precondition_count = requests_[0].precondition_count;
    request.allow_missing = operation_.allow_missing;
    request.recursive = operation_.recursive;
    request.purge = operation_.purge;
    request.request_id = requests_[0].request_id;
    return cx_engine_delete(engine, &request, outcome, error);
  }

  const Operation &operation_;
  std::vector<cx_update_request> requests_;
  std::vector<std::unique_ptr<Parameters>> parameters_;
};

// Operations on few contexts, so that they meet.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  std::string Id() { return "c" + std::to_string(Below(10)); }
  std::string Key() { return std::string(OneIn(2) ? "a/" : "b/") + std::to_string(Below(4)); }

  Operation Next(const Model &model) {
    Operation operation;
    uint64_t kind = Below(20);
    operation.kind = kind < 3    ? Kind::kCreate
                     : kind < 14 ? Kind::kUpdate
                     : kind < 17 ? Kind::kAtomic
                                 : Kind::kDelete;
    if (OneIn(2)) operation.request_id = "r" + std::to_string(next_request_id_++);
    size_t count = operation.kind == Kind::kAtomic ? 1 + Below(4) : 1;
    while (operation.parts.size() < count) {
      std::string id = Id();
      bool named = std::any_of(operation.parts.begin(), operation.parts.end(),
                               [&](const Part &part) { return part.id == id; });
      if (!named) operation.parts.push_back(NextPart(model, operation.kind, id));
    }
    operation.recursive = OneIn(2);
    operation.purge = OneIn(4);
    operation.allow_missing = OneIn(3);
    return operation;
  }

 private:
  Part NextPart(const Model &model, Kind kind, const std::string &id) {
    Part part;
    part.id = id;
    if (kind != Kind::kCreate) part.preconditions = NextPreconditions(model, id);
    if (kind == Kind::kDelete) return part;
    part.create.set = kind == Kind::kCreate || !OneIn(3);
    if (part.create.set) part.create = NextProperties();
    for (size_t i = OneIn(2) ? 1 : Below(5); i > 0; i--) part.mutations.push_back(NextMutation());
    if (kind != Kind::kCreate && part.mutations.empty()) part.mutations.push_back(NextMutation());
    return part;
  }

  Properties NextProperties() {
    Properties properties;
    properties.set = true;
    if (OneIn(2)) properties.type = OneIn(2) ? "chat" : "task";
    if (OneIn(2)) properties.parent_id = Id();
    properties.create_parent = OneIn(2);
    for (size_t i = Below(3); i > 0; i--) properties.labels[Label()] = LabelValue();
    if (OneIn(3)) properties.ttl_us = Ttl();
    properties.sliding = OneIn(2);
    return properties;
  }

  std::vector<Precondition> NextPreconditions(const Model &model, const std::string &id) {
    std::vector<Precondition> list;
    const Context *context = model.Find(id);
    for (size_t i = OneIn(3) ? 1 + Below(2) : 0; i > 0; i--) {
      Precondition each = {OneIn(2), Key(), Below(3)};
      if (context != nullptr && !OneIn(3)) {
        auto entry = context->head.entries.find(each.key);
        each.version = !each.of_entry                          ? context->head.version
                       : entry != context->head.entries.end() ? entry->second.version
                                                               : 0;
      }
      if (!each.of_entry) each.key.clear();
      list.push_back(each);
    }
    return list;
  }

  Mutation NextMutation() {
    Mutation mutation = {};
    static const cx_mutation_kind kinds[] = {
        CX_MUTATION_PUT,    CX_MUTATION_PUT,           CX_MUTATION_PUT,
        CX_MUTATION_APPEND, CX_MUTATION_APPEND,        CX_MUTATION_DELETE,
        CX_MUTATION_DELETE, CX_MUTATION_DELETE_PREFIX, CX_MUTATION_SET_LABEL,
        CX_MUTATION_DELETE_LABEL, CX_MUTATION_SET_EXPIRY};
    mutation.kind = kinds[Below(sizeof kinds / sizeof *kinds)];
    mutation.key = Key();
    switch (mutation.kind) {
      case CX_MUTATION_PUT:
        mutation.value = Value();
        mutation.type = OneIn(2) ? "text/plain" : "";
        break;
      case CX_MUTATION_APPEND:
        mutation.value = Value().substr(0, Below(3000));
        mutation.type = OneIn(2) ? "text/plain" : "";
        mutation.has_expected_size = OneIn(8);
        break;
      case CX_MUTATION_DELETE_PREFIX: mutation.key = OneIn(3) ? "" : mutation.key.substr(0, 2); break;
      case CX_MUTATION_SET_LABEL: mutation.key = Label(), mutation.value = LabelValue(); break;
      case CX_MUTATION_DELETE_LABEL: mutation.key = Label(); break;
      case CX_MUTATION_SET_EXPIRY:
        mutation.key.clear();
        mutation.ttl_us = OneIn(3) ? 0 : Ttl();
        mutation.sliding = OneIn(2);
        break;
      default: break;
    }
    return mutation;
  }

  // Small, or the beginning of one long text with something else behind it, so that values
  // repeat what was there.
  std::string Value() {
    if (OneIn(2)) return std::string(Below(40), static_cast<char>('a' + Below(26)));
    if (text_.empty()) {
      std::mt19937_64 other(7);
      while (text_.size() < 14000) text_ += static_cast<char>('a' + other() % 26);
    }
    return text_.substr(0, Below(text_.size())) + std::string(Below(3), 'z');
  }
  std::string Label() { return "l" + std::to_string(Below(3)); }
  std::string LabelValue() { return "v" + std::to_string(Below(2)); }
  int64_t Ttl() { return static_cast<int64_t>(1 + Below(30)) * CX_SECOND_US; }

  std::mt19937_64 random_;
  std::string text_;
  int next_request_id_ = 0;
};

}  // namespace model

class ModelFixture : public EngineFixture {
 protected:
  ModelFixture() {
    options_.settings.undelete_window_us = 50 * CX_SECOND_US;
    options_.settings.tombstone_window_us = 120 * CX_SECOND_US;
    options_.settings.request_id_window_us = CX_TTL_US_MAX;
    options_.value_size_max = 20000;
    options_.message_size_max = 160 * CX_KIB;
    model_.set_rules(Rules());
  }

  // Opens the engine and finds it as the model was at the revision that it says.
  void OpenAndCompare(uint64_t revision_min) {
    uint64_t before = model_.revision();
    ASSERT_EQ(CX_OK, Open()) << open_error_.message;
    ASSERT_GE(report_.revision, revision_min) << "something that was told is gone";
    ASSERT_LE(report_.revision, before);
    if (history_.count(report_.revision) > 0) model_ = history_.at(report_.revision);
    Forget(report_.revision);
    if (Statistics().revision > report_.revision) {
      model_.set_revision(Statistics().revision);
      model_.set_rules(Rules());
    } else if (digests_.count(report_.revision) > 0) {
      EXPECT_EQ(digests_.at(report_.revision), Digest());
    }
    Remember();
    CompareAll();
  }

  // Runs an operation on both sides.
  void Run(const model::Operation &operation) {
    SCOPED_TRACE(Content(operation).substr(0, 2000) + " request " + operation.request_id);
    model::Request request(namespace_, operation);
    uint64_t wait_for = 0;
    model::Answer found = request.Run(engine_, &wait_for);
    if (found.failure.compare(0, 14, "STORAGE_FAILED") == 0) return;
    model::Answer expected = Predict(operation);
    EXPECT_EQ(expected.failure, found.failure);
    EXPECT_EQ(expected.revision, found.revision);
    EXPECT_EQ(expected.versions, found.versions);
    EXPECT_EQ(expected.replayed, found.replayed);
    if (operation.kind == model::Kind::kDelete && !found.replayed) {
      EXPECT_EQ(expected.count, found.count);
    }
    EXPECT_LE(wait_for, model_.revision());
    EXPECT_GE(wait_for, found.revision);
    if (found.revision == 0) CheckDerived(operation, wait_for, expected);
    Remember();
    last_wait_for_ = wait_for;
  }

  // Runs everything that is due, in the model's order.
  void RunDue() {
    for (std::string id = model_.FirstDue(clock_.now_us); !id.empty();
         id = model_.FirstDue(clock_.now_us)) {
      cx_name_key key;
      cx_error error;
      cx_name_key_init(&key, Bytes(namespace_), Bytes(id));
      if (cx_engine_run_due(engine_, &key, clock_.now_us, &error) != CX_OK) return;
      model_.RunDue(id, clock_.now_us);
      Remember();
    }
  }

  void CompareAll() {
    for (int i = 0; i < 10; i++) CompareState("c" + std::to_string(i), 0, 0);
    EXPECT_EQ(model_.revision(), Statistics().revision);
    CompareLives();
  }

  // Those that nobody sees any more, too.
  void CompareLives() {
    for (int i = 0; i < 10; i++) {
      std::string id = "c" + std::to_string(i);
      const model::Context *expected = model_.Find(id);
      cx_name_key key;
      cx_name_key_init(&key, Bytes(namespace_), Bytes(id));
      const cx_context *found = cx_state_find(&engine_->state, &key);
      ASSERT_EQ(expected != nullptr, found != nullptr) << id;
      if (found != nullptr) {
        EXPECT_EQ(static_cast<int>(expected->life), found->life) << id;
        EXPECT_EQ(expected->revision, found->revision) << id;
        EXPECT_EQ(expected->life == model::Life::kLive ? expected->head.expire_time_us
                                                       : expected->delete_time_us,
                  found->end_time_us)
            << id;
      }
    }
  }

  void CompareState(const std::string &id, uint64_t version, int64_t time_us) {
    cx_state_at at = {version, time_us};
    Found found = Get(id, at);
    std::string failure = found.status == CX_OK ? "" : model::Request::ErrorText(found.error);
    try {
      const model::State &state = model_.Get(id, version, time_us, clock_.now_us);
      ASSERT_EQ("", failure) << id;
      CompareFound(*model_.Find(id), state, found);
    } catch (const model::Failure &expected) {
      EXPECT_EQ(expected.text, failure) << id << " version " << version;
    }
    EXPECT_LE(found.wait_for, model_.revision());
  }

  void CompareList(const cx_list_query &query) {
    std::map<std::string, std::string> labels;
    for (size_t i = 0; i < query.label_count; i++) {
      labels[Text(query.labels[i].key)] = Text(query.labels[i].value);
    }
    EXPECT_EQ(model_.List(Text(query.id_prefix), Text(query.type), Text(query.parent_id), labels,
                          query.deleted, clock_.now_us),
              List(query));
  }

  model::Rules Rules() const {
    return {options_.settings.version_retention, options_.settings.undelete_window_us,
            options_.settings.tombstone_window_us, options_.value_size_max};
  }

  void Remember() {
    history_.insert_or_assign(model_.revision(), model_);
    digests_[model_.revision()] = Digest();
  }

  model::Model model_{Rules()};
  std::map<uint64_t, model::Model> history_;  // By revision.
  std::map<uint64_t, uint64_t> digests_;
  uint64_t last_wait_for_ = 0;

 private:
  struct Issued {
    std::string content;
    model::Answer answer;
  };

  static std::string Content(const model::Operation &operation) {
    std::string text = std::to_string(static_cast<int>(operation.kind)) + "," +
                       std::to_string(operation.recursive) + std::to_string(operation.purge) +
                       std::to_string(operation.allow_missing);
    if (operation.kind != model::Kind::kDelete) text.resize(1);
    for (const model::Part &part : operation.parts) {
      text += "|" + part.id;
      for (const model::Mutation &each : part.mutations) {
        text += ";" + std::to_string(each.kind) + each.key + "=" + each.value + ":" + each.type +
                std::to_string(each.has_expected_size) + std::to_string(each.expected_size) + " " +
                std::to_string(each.ttl_us) + std::to_string(each.sliding);
      }
      for (const model::Precondition &each : part.preconditions) {
        text += "?" + std::to_string(each.of_entry) + each.key + std::to_string(each.version);
      }
      text += "&" + std::to_string(part.create.set) + part.create.type + "," +
              part.create.parent_id + "," + std::to_string(part.create.create_parent) +
              std::to_string(part.create.ttl_us) + " " + std::to_string(part.create.sliding);
      for (const auto &[key, value] : part.create.labels) text += key + ":" + value;
    }
    return text;
  }

  model::Answer Predict(const model::Operation &operation) {
    std::string key = operation.parts[0].id + "/" + operation.request_id;
    auto known = issued_.find(key);
    if (!operation.request_id.empty() && known != issued_.end()) {
      model::Answer answer = known->second.answer;
      if (known->second.content != Content(operation)) return {"REQUEST_ID_REUSED", 0, {}, false, 0};
      answer.replayed = true;
      return answer;
    }
    model::Answer answer =
        model_.Run(operation, clock_.now_us, [this](const model::Model &between) {
          history_.insert_or_assign(between.revision(), between);
        });
    if (!operation.request_id.empty() && answer.revision != 0) {
      issued_[key] = {Content(operation), answer};
    }
    return answer;
  }

  // What was told without a change must be true of the state that is waited for: R1.
  void CheckDerived(const model::Operation &operation, uint64_t wait_for,
                    const model::Answer &told) {
    auto then = history_.find(wait_for);
    if (then == history_.end() || told.failure == "REQUEST_ID_REUSED") return;
    model::Model copy = then->second;
    EXPECT_EQ(told.failure, copy.Run(operation, clock_.now_us).failure)
        << "told before it is durable: waits for " << wait_for << " of " << model_.revision();
  }

  void CompareFound(const model::Context &context, const model::State &state,
                    const Found &found) {
    EXPECT_EQ(state.version, found.version);
    EXPECT_EQ(state.labels, found.labels);
    EXPECT_EQ(state.create_time_us, found.create_time_us);
    EXPECT_EQ(state.expire_time_us, found.expire_time_us);
    EXPECT_EQ(state.type, found.type);
    EXPECT_EQ(state.parent_id, found.parent_id);
    EXPECT_EQ(state.entries.size(), found.entry_count);
    EXPECT_EQ(state.size_bytes(), found.size_bytes);
    if (&state == &context.head) {
      EXPECT_EQ(context.revision, found.revision);
    }
    ASSERT_EQ(state.entries.size(), found.entries.size());
    for (const auto &[key, entry] : state.entries) {
      ASSERT_EQ(1u, found.entries.count(key));
      EXPECT_TRUE(*entry.value == found.entries.at(key)) << "another value";
      EXPECT_EQ(entry.version, found.entry_versions.at(key));
    }
  }

  // What was not durable has never been.
  void Forget(uint64_t revision) {
    history_.erase(history_.upper_bound(revision), history_.end());
    digests_.erase(digests_.upper_bound(revision), digests_.end());
    for (auto at = issued_.begin(); at != issued_.end();) {
      at = at->second.answer.revision > revision ? issued_.erase(at) : std::next(at);
    }
  }

  std::map<std::string, Issued> issued_;
};

#endif  // CX_TESTS_UNIT_ENGINE_MODEL_FIXTURE_H
