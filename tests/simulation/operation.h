// What clients ask for and are told, in words of the simulation's own: nothing here knows the
// core.

#ifndef CX_TESTS_SIMULATION_OPERATION_H
#define CX_TESTS_SIMULATION_OPERATION_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace simulation {

struct Name {
  std::string namespace_id, id;

  bool operator<(const Name &other) const {
    int order = namespace_id.compare(other.namespace_id);
    return order != 0 ? order < 0 : id < other.id;
  }
  bool operator==(const Name &other) const {
    return id == other.id && namespace_id == other.namespace_id;
  }
  std::string text() const { return namespace_id + "/" + id; }
};

enum class Step { kPut, kAppend, kDelete, kDeletePrefix, kSetLabel, kDeleteLabel, kSetExpiry };

struct Mutation {
  Step step = Step::kPut;
  std::string key, value, content_type;
  bool has_expected_size = false;
  uint64_t expected_size = 0;
  int64_t ttl_us = 0;
  bool sliding = false;
};

// An empty key: the version of the context.
struct Precondition {
  bool of_entry;
  std::string key;
  uint64_t version;
};

// How a context begins.
struct Properties {
  std::string type, parent_id;
  bool create_parent = false;
  std::map<std::string, std::string> labels;
  int64_t ttl_us = 0;
  bool sliding = false;
};

// What one request does to one context.
struct Part {
  std::string id;  // Empty: the server makes one up.
  std::vector<Mutation> mutations;
  std::vector<Precondition> preconditions;
  bool may_create = false;
  Properties properties;
};

enum class Kind { kCreate, kUpdate, kAtomic, kDelete };

struct Operation {
  Kind kind = Kind::kUpdate;
  std::string namespace_id;
  std::vector<Part> parts;  // One, but for kAtomic.
  bool recursive = false, purge = false, allow_missing = false;
  std::string request_id;

  // One that names a context, and nothing else yet.
  static Operation Of(const Name &name);

  Name name() const { return {namespace_id, parts[0].id}; }

  // Everything but the request id: what a repeat must say again.
  std::string Content() const;

  // For those who read a trace.
  std::string Describe() const;
};

// What a client is told.
struct Answer {
  std::string failure;  // The reason and its details, or empty.
  uint64_t revision = 0;
  std::vector<uint64_t> versions;  // Of the parts.
  bool replayed = false;
  uint64_t count = 0;  // Contexts that a delete removed.

  std::string Describe() const;
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_OPERATION_H
