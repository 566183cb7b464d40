// What tests ask the core for, in C++ strings.

#ifndef CX_TESTS_SUPPORT_REQUESTS_H
#define CX_TESTS_SUPPORT_REQUESTS_H

extern "C" {
#include "core/state/request.h"
}

#include <memory>
#include <string>
#include <vector>

inline cx_bytes Bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

inline std::string Text(cx_bytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

// What an activity says; its bytes live as long as any copy of it.
class Activity {
 public:
  explicit Activity(const std::string &type = "message", const std::string &data = "") {
    parts_->content.type = Keep(type);
    parts_->content.data = Keep(data);
  }
  // Labels come in the order of their keys.
  Activity &Label(const std::string &key, const std::string &value) {
    parts_->labels.push_back({Keep(key), Keep(value)});
    parts_->content.labels = parts_->labels.data();
    parts_->content.label_count = parts_->labels.size();
    return *this;
  }
  Activity &File(const std::string &path, const std::string &operation) {
    parts_->content.detail.kind = CX_DETAIL_FILE;
    parts_->content.detail.file = {Keep(path), Keep(operation), {}};
    return *this;
  }
  Activity &Model(const std::string &model, uint64_t tokens, uint64_t cost_micros) {
    cx_model_usage &usage = parts_->content.detail.model;
    parts_->content.detail.kind = CX_DETAIL_MODEL;
    usage = {};
    usage.model = Keep(model);
    usage.currency = Keep("USD");
    usage.input_tokens = tokens;
    usage.cost_micros = cost_micros;
    return *this;
  }
  // Only the server's own have this.
  Activity &Resource(const std::string &name, cx_resource_step step) {
    parts_->content.detail.kind = CX_DETAIL_RESOURCE;
    parts_->content.detail.resource = {Keep(name), {}, step};
    return *this;
  }
  const cx_activity_content &content() const { return parts_->content; }

 private:
  struct Parts {
    std::vector<std::unique_ptr<std::string>> kept;
    std::vector<cx_label> labels;
    cx_activity_content content = {};
  };

  cx_bytes Keep(const std::string &text) {
    parts_->kept.push_back(std::make_unique<std::string>(text));
    return Bytes(*parts_->kept.back());
  }

  std::shared_ptr<Parts> parts_ = std::make_shared<Parts>();
};

// Mutations whose bytes live as long as the list.
class Mutations {
 public:
  Mutations &Put(const std::string &key, const std::string &value, const std::string &type = "") {
    return Add(CX_MUTATION_PUT, key, value, type);
  }
  Mutations &Append(const std::string &key, const std::string &value) {
    return Add(CX_MUTATION_APPEND, key, value, "");
  }
  Mutations &AppendAt(const std::string &key, const std::string &value, uint64_t size) {
    Add(CX_MUTATION_APPEND, key, value, "");
    list_.back().has_expected_size = true;
    list_.back().expected_size = size;
    return *this;
  }
  Mutations &Delete(const std::string &key) { return Add(CX_MUTATION_DELETE, key, "", ""); }
  Mutations &DeletePrefix(const std::string &key) {
    return Add(CX_MUTATION_DELETE_PREFIX, key, "", "");
  }
  Mutations &SetLabel(const std::string &key, const std::string &value) {
    return Add(CX_MUTATION_SET_LABEL, key, value, "");
  }
  Mutations &DeleteLabel(const std::string &key) {
    return Add(CX_MUTATION_DELETE_LABEL, key, "", "");
  }
  Mutations &SetExpiry(int64_t ttl_us, bool sliding = false) {
    Add(CX_MUTATION_SET_EXPIRY, "", "", "");
    list_.back().ttl_us = ttl_us;
    list_.back().sliding = sliding;
    return *this;
  }
  Mutations &Record(const Activity &activity) {
    Add(CX_MUTATION_RECORD, "", "", "");
    activities_.push_back(activity);
    list_.back().activity = &activity.content();
    return *this;
  }
  Mutations &SetPolicy(const cx_recovery_policy &policy) {
    Add(CX_MUTATION_SET_POLICY, "", "", "");
    policies_.push_back(std::make_shared<cx_recovery_policy>(policy));
    list_.back().policy = policies_.back().get();
    return *this;
  }
  const std::vector<cx_mutation> &list() const { return list_; }

 private:
  Mutations &Add(cx_mutation_kind kind, const std::string &key, const std::string &value,
                 const std::string &type) {
    cx_mutation mutation = {};
    mutation.kind = kind;
    mutation.key = Keep(key);
    mutation.value = Keep(value);
    mutation.content_type = Keep(type);
    list_.push_back(mutation);
    return *this;
  }
  cx_bytes Keep(const std::string &text) {
    kept_.push_back(std::make_shared<std::string>(text));
    return Bytes(*kept_.back());
  }

  std::vector<std::shared_ptr<std::string>> kept_;
  std::vector<Activity> activities_;
  std::vector<std::shared_ptr<cx_recovery_policy>> policies_;
  std::vector<cx_mutation> list_;
};

#endif  // CX_TESTS_SUPPORT_REQUESTS_H
