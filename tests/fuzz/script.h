// What the target `requests` does with its input: a script of steps, each of them a byte
// that names it and the bytes that it needs. In the requests, the session `s1` is the first
// that the script has started, `s2` the second. Shared with its mutator, which writes such
// scripts.

#ifndef CX_TESTS_FUZZ_SCRIPT_H
#define CX_TESTS_FUZZ_SCRIPT_H

#include <string>
#include <vector>

#include "tests/fuzz/input.h"

extern "C" {
#include "server/rpc/service.h"
#include "server/services/services.h"
}

enum class ScriptKind {
  kCall,       // A method, with a packed request. An update of the open stream.
  kAdvance,    // Time goes on by so many milliseconds.
  kHalfClose,  // The open stream gets no more requests.
  kLeave,      // Its client is gone; without one, that of the next stream of answers.
  kRestart,    // The server stops and starts.
  kNextPage,   // ListContexts with this request, behind the last page.
  kNextNames,  // ListNamespaces likewise.
  kSplit,      // The next request comes in two slices.
  kSmall,      // The next answer may have so many bytes.
  kNextSessions,
  kNextActivities,
  kNextFiles,
  kNextResources,
  kNextPoints,
  kEnd,
};

struct ScriptStep {
  uint8_t name;
  std::string bytes;
};

struct ScriptMethod {
  const cx_service *service;
  const cx_method *method;
  const ProtobufCMethodDescriptor *declared;
};

// What the name of a step stands for: the methods that do something have most names.
struct ScriptMeaning {
  ScriptKind kind;
  ScriptMethod method;
};

inline ScriptMethod ScriptMethodAt(const cx_service &service, size_t index) {
  const cx_method *method = &service.methods[index % service.method_count];
  return {&service, method,
          protobuf_c_service_descriptor_get_method_by_name(service.descriptor, method->name)};
}

// The list that a step goes on with, behind its last page. Without a name: it is no such
// step.
struct ScriptList {
  const cx_service *service;
  const char *name;
  uint8_t token_field;
};

inline ScriptList ScriptListOf(ScriptKind kind) {
  switch (kind) {
    case ScriptKind::kNextPage:
      return {&cx_context_manager_service, "ListContexts", 3};
    case ScriptKind::kNextNames:
      return {&cx_context_manager_service, "ListNamespaces", 2};
    case ScriptKind::kNextSessions:
      return {&cx_tracker_service, "ListSessions", 3};
    case ScriptKind::kNextActivities:
      return {&cx_tracker_service, "ListActivities", 4};
    case ScriptKind::kNextFiles:
      return {&cx_tracker_service, "ListFiles", 4};
    case ScriptKind::kNextResources:
      return {&cx_tracker_service, "ListResources", 4};
    case ScriptKind::kNextPoints:
      return {&cx_recovery_service, "ListRecoveryPoints", 5};
    default:
      return {};
  }
}

inline ScriptMeaning ScriptMeaningOf(uint8_t name) {
  constexpr uint8_t kTracker = 0xa0, kRecovery = 0xc0, kOther = 0xe0;
  if (name < kTracker) return {ScriptKind::kCall, ScriptMethodAt(cx_context_manager_service, name)};
  if (name < kRecovery) {
    return {ScriptKind::kCall, ScriptMethodAt(cx_tracker_service, name - kTracker)};
  }
  if (name < kOther) {
    return {ScriptKind::kCall, ScriptMethodAt(cx_recovery_service, name - kRecovery)};
  }
  return {static_cast<ScriptKind>(1 + (name - kOther) % (static_cast<int>(ScriptKind::kEnd) - 1)),
          {}};
}

inline std::vector<ScriptStep> ScriptRead(const uint8_t *data, size_t size) {
  std::vector<ScriptStep> steps;
  Input input(data, size);
  while (!input.empty()) {
    ScriptStep step;
    step.name = input.Byte();
    step.bytes = input.Take(input.Number(2));
    steps.push_back(step);
  }
  return steps;
}

inline std::string ScriptWrite(const std::vector<ScriptStep> &steps) {
  std::string text;
  for (const ScriptStep &step : steps) {
    text += static_cast<char>(step.name);
    text += static_cast<char>(step.bytes.size());
    text += static_cast<char>(step.bytes.size() >> 8);
    text += step.bytes;
  }
  return text;
}

#endif  // CX_TESTS_FUZZ_SCRIPT_H
