// An operation as the engine takes it.

#ifndef CX_TESTS_SIMULATION_REQUEST_H
#define CX_TESTS_SIMULATION_REQUEST_H

extern "C" {
#include "core/state/request.h"
}

#include "tests/simulation/operation.h"

#include <list>
#include <memory>

namespace simulation {

// The first borrows.
inline cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

inline std::string Text(cx_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

inline cx_mutation_kind KindOf(Step step) {
  switch (step) {
    case Step::kPut:
      return CX_MUTATION_PUT;
    case Step::kAppend:
      return CX_MUTATION_APPEND;
    case Step::kDelete:
      return CX_MUTATION_DELETE;
    case Step::kDeletePrefix:
      return CX_MUTATION_DELETE_PREFIX;
    case Step::kSetLabel:
      return CX_MUTATION_SET_LABEL;
    case Step::kDeleteLabel:
      return CX_MUTATION_DELETE_LABEL;
    case Step::kSetExpiry:
      return CX_MUTATION_SET_EXPIRY;
    case Step::kSetPolicy:
      return CX_MUTATION_SET_POLICY;
    default:
      return CX_MUTATION_RECORD;
  }
}

inline std::vector<cx_label> LabelsOf(const std::map<std::string, std::string> &labels) {
  std::vector<cx_label> list;
  for (const auto &[key, value] : labels) list.push_back({Bytes(key), Bytes(value)});
  return list;
}

inline cx_retention RetentionOf(const Retention &retention) {
  return {retention.keep_last, retention.keep_every, retention.keep_within_us};
}

inline cx_recovery_policy PolicyOf(const Policy &policy) {
  return {policy.is_set, RetentionOf(policy.retention), policy.every_changes, policy.every_us};
}

inline cx_detail DetailOf(const Activity &activity) {
  cx_detail detail = {};
  const UsageKey &model = activity.model;
  const UsageSums &usage = activity.usage;
  if (activity.detail == DetailKind::kFile) {
    detail.kind = CX_DETAIL_FILE;
    detail.file = {Bytes(activity.file.path), Bytes(activity.file.operation),
                   Bytes(activity.file.source)};
  } else if (activity.detail == DetailKind::kModel) {
    detail.kind = CX_DETAIL_MODEL;
    detail.model = {
        Bytes(model.provider), Bytes(model.model), Bytes(model.mode),
        Bytes(model.currency), usage.input_tokens, usage.output_tokens,
        usage.cached_tokens,   usage.cost_micros,  static_cast<int64_t>(usage.latency_us)};
  }
  return detail;
}

// Borrows the operation.
class Request {
 public:
  explicit Request(const Operation &operation)
      : operation_(operation),
        labels_(LabelsOf(operation.kind == Kind::kStart ? operation.terms.labels
                                                        : operation.claim.labels)) {
    for (const Part &part : operation.parts) {
      parameters_.push_back(std::make_unique<Parameters>(part));
      const Parameters &parameters = *parameters_.back();
      cx_update_request request = {};
      request.name = {Bytes(operation.namespace_id), Bytes(part.id)};
      request.mutations = parameters.mutations.data();
      request.mutation_count = parameters.mutations.size();
      request.preconditions = parameters.preconditions.data();
      request.precondition_count = parameters.preconditions.size();
      request.create_if_missing = part.may_create ? &parameters.properties : nullptr;
      request.wants_sequence = operation.wants_sequence;
      request.author = {Bytes(part.session_id), part.fence};
      request.request_id = Bytes(operation.request_id);
      requests_.push_back(request);
    }
  }

  cx_create_request create() const {
    cx_create_request request = {};
    request.name = requests_[0].name;
    request.properties = parameters_[0]->properties;
    request.mutations = requests_[0].mutations;
    request.mutation_count = requests_[0].mutation_count;
    request.author = requests_[0].author;
    request.request_id = requests_[0].request_id;
    return request;
  }

  cx_delete_request end() const {
    cx_delete_request request = {};
    request.name = requests_[0].name;
    request.preconditions = requests_[0].preconditions;
    request.precondition_count = requests_[0].precondition_count;
    request.allow_missing = operation_.allow_missing;
    request.recursive = operation_.recursive;
    request.purge = operation_.purge;
    request.author = requests_[0].author;
    request.request_id = requests_[0].request_id;
    return request;
  }

  const std::vector<cx_update_request> &updates() const { return requests_; }
  const cx_new_context *properties() const { return requests_[0].create_if_missing; }

  cx_truncate_request truncation() const {
    return {requests_[0].name, operation_.cut.from_sequence, operation_.cut.from_time_us,
            requests_[0].author, requests_[0].request_id};
  }

  cx_optimize_request optimization() const {
    const Cut &cut = operation_.cut;
    return {requests_[0].name, cut.bytes_max,       cut.count_max,          cut.deduplicate,
            cut.dry_run,       requests_[0].author, requests_[0].request_id};
  }

  cx_session_name session() const {
    return {requests_[0].name.namespace_id, Bytes(operation_.session_id)};
  }

  cx_session_start_request start() const {
    cx_session_start_request request = {};
    request.name = session();
    request.owner = Bytes(operation_.terms.owner);
    request.labels = labels_.data();
    request.label_count = labels_.size();
    request.ttl_us = operation_.terms.ttl_us;
    request.default_context_id = requests_[0].name.id;
    request.create_if_missing = requests_[0].create_if_missing;
    request.max_active_contexts = operation_.terms.contexts_max;
    request.point_on_loss = operation_.terms.point_on_loss;
    request.request_id = requests_[0].request_id;
    return request;
  }

  cx_activation_request activation() const {
    return {requests_[0].name,      Bytes(operation_.session_id),
            operation_.exclusive,   operation_.takeover,
            operation_.guard,       requests_[0].author.fence,
            requests_[0].request_id};
  }

  cx_resource_request resource() const {
    cx_resource_request request = {};
    request.name = requests_[0].name;
    request.session_id = Bytes(operation_.session_id);
    request.resource = Bytes(operation_.claim.name);
    request.type = Bytes(operation_.claim.type);
    request.labels = labels_.data();
    request.label_count = labels_.size();
    request.fence = requests_[0].author.fence;
    request.request_id = requests_[0].request_id;
    return request;
  }

 private:
  struct Parameters {
    explicit Parameters(const Part &part) {
      activities.reserve(part.mutations.size());  // What points at them stays true.
      for (const Mutation &each : part.mutations) {
        cx_mutation mutation = {};
        mutation.kind = KindOf(each.step);
        mutation.has_expected_size = each.has_expected_size;
        mutation.sliding = each.sliding;
        mutation.key = Bytes(each.key);
        mutation.value = Bytes(each.value);
        mutation.content_type = Bytes(each.content_type);
        mutation.expected_size = each.expected_size;
        mutation.ttl_us = each.ttl_us;
        if (each.step == Step::kSetPolicy) {
          policies.push_back(PolicyOf(each.policy));
          mutation.policy = &policies.back();
        }
        if (each.activity != nullptr) mutation.activity = Add(*each.activity);
        mutations.push_back(mutation);
      }
      for (const Precondition &each : part.preconditions) {
        preconditions.push_back(
            {each.of_entry ? CX_PRECONDITION_ENTRY_VERSION : CX_PRECONDITION_CONTEXT_VERSION,
             Bytes(each.key), each.version});
      }
      labels = LabelsOf(part.properties.labels);
      properties.type = Bytes(part.properties.type);
      properties.parent_id = Bytes(part.properties.parent_id);
      properties.create_parent = part.properties.create_parent;
      properties.labels = labels.data();
      properties.label_count = labels.size();
      properties.ttl_us = part.properties.ttl_us;
      properties.sliding = part.properties.sliding;
      properties.policy = PolicyOf(part.properties.policy);
    }

    const cx_activity_content *Add(const Activity &activity) {
      activity_labels.push_back(LabelsOf(activity.labels));
      activities.push_back({Bytes(activity.type), Bytes(activity.content_type),
                            Bytes(activity.data), activity_labels.back().data(),
                            activity_labels.back().size(), DetailOf(activity)});
      return &activities.back();
    }

    std::vector<cx_activity_content> activities;
    std::list<std::vector<cx_label>> activity_labels;
    std::list<cx_recovery_policy> policies;
    std::vector<cx_mutation> mutations;
    std::vector<cx_precondition> preconditions;
    std::vector<cx_label> labels;
    cx_new_context properties = {};
  };

  const Operation &operation_;
  std::vector<cx_label> labels_;  // Of the session, or the resource.
  std::vector<cx_update_request> requests_;
  std::vector<std::unique_ptr<Parameters>> parameters_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_REQUEST_H
