#include "tests/simulation/operation.h"

namespace simulation {

namespace {

std::string Number(uint64_t number) { return std::to_string(number); }

const char *NameOf(Step step) {
  switch (step) {
    case Step::kPut:
      return "put";
    case Step::kAppend:
      return "append";
    case Step::kDelete:
      return "delete";
    case Step::kDeletePrefix:
      return "delete prefix";
    case Step::kSetLabel:
      return "set label";
    case Step::kDeleteLabel:
      return "delete label";
    default:
      return "set expiry";
  }
}

const char *NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
      return "create";
    case Kind::kUpdate:
      return "update";
    case Kind::kAtomic:
      return "update together";
    default:
      return "delete";
  }
}

std::string ContentOf(const Part &part) {
  std::string text = "|" + part.id;
  for (const Mutation &each : part.mutations) {
    text += ";" + Number(static_cast<int>(each.step)) + each.key + "=" + each.value + ":" +
            each.content_type + Number(each.has_expected_size) + Number(each.expected_size) + " " +
            Number(each.ttl_us) + Number(each.sliding);
  }
  for (const Precondition &each : part.preconditions) {
    text += "?" + Number(each.of_entry) + each.key + "@" + Number(each.version);
  }
  if (!part.may_create) return text;
  const Properties &properties = part.properties;
  text += "&" + properties.type + "," + properties.parent_id + "," +
          Number(properties.create_parent) + Number(properties.ttl_us) + " " +
          Number(properties.sliding);
  for (const auto &[key, value] : properties.labels) text += key + ":" + value;
  return text;
}

std::string DescribeMutation(const Mutation &mutation) {
  std::string text = NameOf(mutation.step);
  if (!mutation.key.empty()) text += " " + mutation.key;
  if (mutation.step == Step::kPut || mutation.step == Step::kAppend) {
    text += " (" + Number(mutation.value.size()) + " bytes)";
    if (mutation.has_expected_size) text += " at " + Number(mutation.expected_size);
  } else if (mutation.step == Step::kSetLabel) {
    text += "=" + mutation.value;
  } else if (mutation.step == Step::kSetExpiry) {
    text += " " + Number(mutation.ttl_us) + " us" + (mutation.sliding ? " sliding" : "");
  }
  return text;
}

std::string DescribeProperties(const Properties &properties) {
  std::string text = "made";
  if (!properties.type.empty()) text += " as " + properties.type;
  if (!properties.parent_id.empty()) {
    text +=
        std::string(" below ") + (properties.create_parent ? "new " : "") + properties.parent_id;
  }
  if (properties.ttl_us != 0) {
    text += " for " + Number(properties.ttl_us) + " us" + (properties.sliding ? " sliding" : "");
  }
  for (const auto &[key, value] : properties.labels) text += " " + key + "=" + value;
  return text;
}

std::string DescribePart(const Part &part) {
  std::string text = part.id.empty() ? "(no id)" : part.id;
  if (part.may_create) text += ", " + DescribeProperties(part.properties);
  for (const Precondition &each : part.preconditions) {
    text += std::string(", if ") + (each.of_entry ? each.key : "it") + " has version " +
            Number(each.version);
  }
  for (const Mutation &each : part.mutations) text += ", " + DescribeMutation(each);
  return text;
}

}  // namespace

Operation Operation::Of(const Name &name) {
  Operation operation;
  operation.namespace_id = name.namespace_id;
  operation.parts.resize(1);
  operation.parts[0].id = name.id;
  return operation;
}

std::string Operation::Content() const {
  std::string text = Number(static_cast<int>(kind)) + namespace_id;
  if (kind == Kind::kDelete) {
    text += "," + Number(recursive) + Number(purge) + Number(allow_missing);
  }
  for (const Part &part : parts) text += ContentOf(part);
  return text;
}

std::string Operation::Describe() const {
  std::string text = std::string(NameOf(kind)) + " " + namespace_id + "/";
  for (size_t i = 0; i < parts.size(); i++) text += (i > 0 ? "; " : "") + DescribePart(parts[i]);
  if (recursive) text += ", with all below";
  if (purge) text += ", purged";
  if (allow_missing) text += ", if there";
  if (!request_id.empty()) text += ", request " + request_id;
  return text;
}

std::string Answer::Describe() const {
  if (!failure.empty()) return failure;
  std::string text = revision == 0 ? "nothing to do" : "revision " + Number(revision);
  for (size_t i = 0; i < versions.size(); i++) {
    text += (i == 0 ? ", version " : " and ") + Number(versions[i]);
  }
  if (count > 0) text += ", " + Number(count) + " deleted";
  return text + (replayed ? ", again" : "");
}

}  // namespace simulation
