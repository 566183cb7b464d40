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
    case Step::kSetExpiry:
      return "set expiry";
    case Step::kSetPolicy:
      return "set policy";
    default:
      return "record";
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
    case Kind::kDelete:
      return "delete";
    case Kind::kTruncate:
      return "truncate";
    case Kind::kOptimize:
      return "optimize";
    case Kind::kMakePoint:
      return "make a point of";
    case Kind::kChangePoint:
      return "change a point of";
    case Kind::kDropPoint:
      return "drop a point of";
    case Kind::kPrune:
      return "prune";
    case Kind::kRestore:
      return "restore";
    case Kind::kFork:
      return "fork";
    case Kind::kMerge:
      return "merge into";
    case Kind::kStart:
      return "start a session";
    case Kind::kEnd:
      return "end session";
    case Kind::kActivate:
      return "activate";
    case Kind::kSwitch:
      return "switch to";
    case Kind::kDeactivate:
      return "deactivate";
    case Kind::kAcquire:
      return "acquire";
    default:
      return "release";
  }
}

std::string TextOf(const Policy &policy) {
  const Retention &kept = policy.retention;
  return Number(policy.is_set) + "/" + Number(kept.keep_last) + "/" + Number(kept.keep_every) +
         "/" + Number(kept.keep_within_us) + "/" + Number(policy.every_changes) + "/" +
         Number(policy.every_us);
}

std::string TextOf(const At &at) {
  if (!at.point_id.empty()) return "point " + at.point_id;
  return "version " + Number(at.version) + ", time " + std::to_string(at.time_us);
}

std::string ContentOf(const Part &part) {
  std::string text = "|" + part.id;
  for (const Mutation &each : part.mutations) {
    text += ";" + Number(static_cast<int>(each.step)) + each.key + "=" + each.value + ":" +
            each.content_type + Number(each.has_expected_size) + Number(each.expected_size) + " " +
            Number(each.ttl_us) + Number(each.sliding);
    if (each.activity != nullptr) text += each.activity->Content();
    if (each.step == Step::kSetPolicy) text += TextOf(each.policy);
  }
  for (const Precondition &each : part.preconditions) {
    text += "?" + Number(each.of_entry) + each.key + "@" + Number(each.version);
  }
  if (!part.may_create) return text;
  const Properties &properties = part.properties;
  text += "&" + properties.type + "," + properties.parent_id + "," +
          Number(properties.create_parent) + Number(properties.ttl_us) + " " +
          Number(properties.sliding) + TextOf(properties.policy);
  for (const auto &[key, value] : properties.labels) text += key + ":" + value;
  return text;
}

std::string ContentOf(const std::map<std::string, std::string> &labels) {
  std::string text = "{";
  for (const auto &[key, value] : labels) text += key + ":" + value + ",";
  return text + "}";
}

// What is not about a context as such.
std::string ContentBeside(const Operation &operation) {
  const Terms &terms = operation.terms;
  const Cut &cut = operation.cut;
  const Claim &claim = operation.claim;
  switch (operation.kind) {
    case Kind::kDelete:
      return "," + Number(operation.recursive) + Number(operation.purge) +
             Number(operation.allow_missing);
    case Kind::kTruncate:
    case Kind::kOptimize:
      return Number(cut.from_sequence) + " " + std::to_string(cut.from_time_us) + " " +
             Number(cut.bytes_max) + " " + Number(cut.count_max) + " " + Number(cut.deduplicate) +
             Number(cut.dry_run);
    case Kind::kStart:
      return terms.owner + "," + ContentOf(terms.labels) + Number(terms.ttl_us) + " " +
             Number(terms.contexts_max) + (terms.point_on_loss ? "p" : "");
    case Kind::kMakePoint:
    case Kind::kChangePoint:
    case Kind::kDropPoint:
    case Kind::kPrune:
    case Kind::kRestore:
    case Kind::kFork:
    case Kind::kMerge:
      return operation.point.Content() + Number(operation.allow_missing);
    case Kind::kAcquire:
    case Kind::kRelease:
      return operation.session_id + claim.name + "," + claim.type + ContentOf(claim.labels);
    default:
      return operation.session_id + Number(operation.exclusive) + Number(operation.takeover) +
             Number(operation.guard);
  }
}

std::string DescribeMutation(const Mutation &mutation) {
  std::string text = NameOf(mutation.step);
  if (mutation.step == Step::kRecord) return text + " " + mutation.activity->Describe();
  if (!mutation.key.empty()) text += " " + mutation.key;
  if (mutation.step == Step::kPut || mutation.step == Step::kAppend) {
    text += " (" + Number(mutation.value.size()) + " bytes)";
    if (mutation.has_expected_size) text += " at " + Number(mutation.expected_size);
  } else if (mutation.step == Step::kSetLabel) {
    text += "=" + mutation.value;
  } else if (mutation.step == Step::kSetExpiry) {
    text += " " + Number(mutation.ttl_us) + " us" + (mutation.sliding ? " sliding" : "");
  } else if (mutation.step == Step::kSetPolicy) {
    text += " " + TextOf(mutation.policy);
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
  if (properties.policy.is_set) text += " policy " + TextOf(properties.policy);
  return text;
}

std::string DescribePart(const Part &part) {
  std::string text = part.id.empty() ? "(no id)" : part.id;
  if (part.may_create) text += ", " + DescribeProperties(part.properties);
  for (const Precondition &each : part.preconditions) {
    text += std::string(", if ") + (each.of_entry ? each.key : "it") + " has version " +
            Number(each.version);
  }
  if (!part.session_id.empty()) text += ", by " + part.session_id;
  if (part.fence != 0) text += ", fence " + Number(part.fence);
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

std::string PointTask::Content() const {
  std::string text = "point '" + id + "'";
  if (!from_id.empty()) text += " from " + from_id;
  if (move_head) text += " moves head";
  if (pinned) text += " pinned";
  if (replace) text += " replaces";
  if (!labels.empty()) text += " " + ContentOf(labels);
  if (!attachments.empty()) text += " with " + ContentOf(attachments);
  if (!add_attachments.empty()) text += " adds " + ContentOf(add_attachments);
  for (const std::string &key : delete_labels) text += " without label " + key;
  for (const std::string &key : delete_attachments) text += " without " + key;
  if (ttl_us != 0) text += " for " + Number(ttl_us) + " us";
  if (clear_expiry) text += " for ever";
  if (pin != Pin::kAsItIs) text += pin == Pin::kOn ? " pin on" : " pin off";
  if (retention.IsSet()) text += " keeping " + TextOf(Policy{false, retention, 0, 0});
  if (!at.IsNewest()) text += " at " + TextOf(at);
  if (safety) text += " safely";
  if (undelete) text += " undeleted";
  if (!source_id.empty()) text += " of source " + source_id;
  if (with_history) text += " with history";
  if (with_points) text += " with points";
  if (!ancestor_id.empty()) text += " since " + ancestor_id + " at " + TextOf(ancestor_at);
  if (on_conflict != OnConflict::kReport) {
    text += on_conflict == OnConflict::kTarget ? " else target" : " else source";
  }
  for (const auto &[key, rule] : rules) text += " " + key + Number(static_cast<int>(rule));
  return text + (dry_run ? " only to see" : "");
}

std::string Operation::Content() const {
  std::string text = Number(static_cast<int>(kind)) + namespace_id + ContentBeside(*this);
  for (const Part &part : parts) text += ContentOf(part);
  return text;
}

std::string Operation::DescribeBeside() const {
  std::string text;
  if (recursive) text += ", with all below";
  if (purge) text += ", purged";
  if (allow_missing) text += ", if there";
  if (!session_id.empty()) text += ", in session " + session_id;
  if (kind == Kind::kStart) {
    text += ", of " + terms.owner + " for " + Number(terms.ttl_us) + " us, at most " +
            Number(terms.contexts_max);
  }
  if (exclusive) text += ", exclusive";
  if (takeover) text += ", taken over";
  if (guard) text += ", guarded";
  if (kind == Kind::kTruncate) {
    text += ", from " + Number(cut.from_sequence) + ", time " + std::to_string(cut.from_time_us);
  }
  if (kind == Kind::kOptimize) {
    text += ", to " + Number(cut.bytes_max) + " bytes, " + Number(cut.count_max) + " of them" +
            (cut.deduplicate ? ", no repeats" : "") + (cut.dry_run ? ", only to see" : "");
  }
  if (IsOfPoint()) text += ", " + point.Content();
  if (terms.point_on_loss) text += ", a point when lost";
  return claim.name.empty() ? text : text + ", resource " + claim.name;
}

std::string Operation::Describe() const {
  std::string text = std::string(NameOf(kind)) + " " + namespace_id + "/";
  for (size_t i = 0; i < parts.size(); i++) text += (i > 0 ? "; " : "") + DescribePart(parts[i]);
  text += DescribeBeside();
  if (!request_id.empty()) text += ", request " + request_id;
  return text;
}

std::string Answer::Describe() const {
  if (!failure.empty()) return failure;
  std::string text = revision == 0 ? "nothing to do" : "revision " + Number(revision);
  for (size_t i = 0; i < versions.size(); i++) {
    text += (i == 0 ? ", version " : " and ") + Number(versions[i]);
  }
  if (sequence != 0) text += ", sequence " + Number(sequence);
  if (count > 0) text += ", " + Number(count) + " deleted";
  if (!(kept == Kept())) {
    text += ", " + Number(kept.removed_count) + " dropped (" + Number(kept.removed_bytes) +
            " bytes), " + Number(kept.kept_count) + " kept (" + Number(kept.kept_bytes) + ")";
  }
  if (joined.applied) text += ", applied";
  if (joined.changed_count > 0) text += ", " + Number(joined.changed_count) + " changed";
  for (const std::string &conflict : joined.conflicts) text += ", conflict " + conflict;
  if (!joined.safety_id.empty()) text += ", safety point " + joined.safety_id;
  return text + (replayed ? ", again" : "");
}

}  // namespace simulation
