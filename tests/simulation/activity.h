// What clients and the server say of the work on a context, in words of the simulation's own.

#ifndef CX_TESTS_SIMULATION_ACTIVITY_H
#define CX_TESTS_SIMULATION_ACTIVITY_H

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

namespace simulation {

enum class DetailKind { kNone, kFile, kModel, kResource };

struct FileOperation {
  std::string path, operation, source;

  bool operator==(const FileOperation &other) const {
    return path == other.path && operation == other.operation && source == other.source;
  }
};

// Which calls of models are added up together, and what they add up to.
struct UsageKey {
  std::string provider, model, mode, currency;

  auto tie() const { return std::tie(provider, model, mode, currency); }
  bool operator<(const UsageKey &other) const { return tie() < other.tie(); }
  bool operator==(const UsageKey &other) const { return tie() == other.tie(); }
};

struct UsageSums {
  uint64_t call_count = 0, input_tokens = 0, output_tokens = 0, cached_tokens = 0;
  uint64_t cost_micros = 0, latency_us = 0;

  auto tie() const {
    return std::tie(call_count, input_tokens, output_tokens, cached_tokens, cost_micros,
                    latency_us);
  }
  bool operator==(const UsageSums &other) const { return tie() == other.tie(); }

  // Stops at the largest number there is.
  void Add(const UsageSums &more);
};

using Usage = std::map<UsageKey, UsageSums>;

enum class ResourceStep { kAcquired = 1, kReleased, kReclaimed };

struct Activity {
  std::string type, content_type, data;
  std::map<std::string, std::string> labels;
  DetailKind detail = DetailKind::kNone;
  FileOperation file;                   // Of kFile.
  UsageKey model;                       // Of kModel, as the next.
  UsageSums usage;                      // Of one call.
  std::string resource, resource_type;  // Of kResource, as the next.
  ResourceStep step = ResourceStep::kAcquired;

  // What the bounds of a history count.
  uint64_t weight() const;

  // Of those that say the same in this, only the newest is worth keeping.
  std::string Essence() const;

  // All of it as one text, which no other activity has.
  std::string Content() const;
  std::string Describe() const;

 private:
  std::string DetailContent() const;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_ACTIVITY_H
