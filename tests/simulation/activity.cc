#include "tests/simulation/activity.h"

namespace simulation {

namespace {

void AddTo(uint64_t *sum, uint64_t more) {
  *sum = more > UINT64_MAX - *sum ? UINT64_MAX : *sum + more;
}

// With its size in front, so that no two rows of texts look the same.
std::string Sized(const std::string &text) { return std::to_string(text.size()) + ":" + text; }

}  // namespace

void UsageSums::Add(const UsageSums &more) {
  AddTo(&call_count, more.call_count);
  AddTo(&input_tokens, more.input_tokens);
  AddTo(&output_tokens, more.output_tokens);
  AddTo(&cached_tokens, more.cached_tokens);
  AddTo(&cost_micros, more.cost_micros);
  AddTo(&latency_us, more.latency_us);
}

uint64_t Activity::weight() const {
  uint64_t sum = data.size();
  for (const auto &[key, value] : labels) sum += key.size() + value.size();
  return sum;
}

std::string Activity::DetailContent() const {
  switch (detail) {
    case DetailKind::kFile:
      return "file " + Sized(file.path) + Sized(file.operation) + Sized(file.source);
    case DetailKind::kModel:
      return "model " + Sized(model.provider) + Sized(model.model) + Sized(model.mode) +
             Sized(model.currency) + std::to_string(usage.input_tokens) + " " +
             std::to_string(usage.output_tokens) + " " + std::to_string(usage.cached_tokens) + " " +
             std::to_string(usage.cost_micros) + " " + std::to_string(usage.latency_us);
    case DetailKind::kResource:
      return "resource " + Sized(resource) + Sized(resource_type) +
             std::to_string(static_cast<int>(step));
    default:
      return "";
  }
}

std::string Activity::Essence() const { return Sized(type) + Sized(data) + DetailContent(); }

std::string Activity::Content() const {
  std::string text = Sized(type) + Sized(content_type) + Sized(data);
  for (const auto &[key, value] : labels) text += "," + Sized(key) + Sized(value);
  return text + DetailContent();
}

std::string Activity::Describe() const {
  std::string text = type + " (" + std::to_string(data.size()) + " bytes";
  if (detail == DetailKind::kFile) text += ", " + file.operation + " " + file.path;
  if (detail == DetailKind::kModel) text += ", model " + model.model;
  if (detail == DetailKind::kResource) text += ", resource " + resource;
  return text + ")";
}

}  // namespace simulation
