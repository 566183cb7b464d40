// An operation as the engine takes it.

#ifndef CX_TESTS_SIMULATION_REQUEST_H
#define CX_TESTS_SIMULATION_REQUEST_H

extern "C" {
#include "core/state/request.h"
}

#include "tests/simulation/operation.h"

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
    default:
      return CX_MUTATION_SET_EXPIRY;
  }
}

// Borrows the operation.
class Request {
 public:
  explicit Request(const Operation &operation) : operation_(operation) {
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
    request.request_id = requests_[0].request_id;
    return request;
  }

  const std::vector<cx_update_request> &updates() const { return requests_; }

 private:
  struct Parameters {
    explicit Parameters(const Part &part) {
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
        mutations.push_back(mutation);
      }
      for (const Precondition &each : part.preconditions) {
        preconditions.push_back(
            {each.of_entry ? CX_PRECONDITION_ENTRY_VERSION : CX_PRECONDITION_CONTEXT_VERSION,
             Bytes(each.key), each.version});
      }
      for (const auto &[key, value] : part.properties.labels) {
        labels.push_back({Bytes(key), Bytes(value)});
      }
      properties.type = Bytes(part.properties.type);
      properties.parent_id = Bytes(part.properties.parent_id);
      properties.create_parent = part.properties.create_parent;
      properties.labels = labels.data();
      properties.label_count = labels.size();
      properties.ttl_us = part.properties.ttl_us;
      properties.sliding = part.properties.sliding;
    }

    std::vector<cx_mutation> mutations;
    std::vector<cx_precondition> preconditions;
    std::vector<cx_label> labels;
    cx_new_context properties = {};
  };

  const Operation &operation_;
  std::vector<cx_update_request> requests_;
  std::vector<std::unique_ptr<Parameters>> parameters_;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_REQUEST_H
