// Requests about recovery points and earlier states.

#include "tests/simulation/scope.h"
#include "tests/simulation/server.h"
#include "tests/simulation/view.h"

extern "C" {
#include "core/engine/recovery.h"
}

namespace simulation {

namespace {

cx_state_at AtOf(const At &at) { return {at.version, at.time_us, Bytes(at.point_id)}; }

cx_on_conflict RuleOf(OnConflict rule) { return static_cast<cx_on_conflict>(rule); }

// What a task says, as the engine takes it. Borrows.
class TaskRequest {
 public:
  TaskRequest(const Operation &operation, const Request &request)
      : operation_(operation),
        task_(operation.point),
        base_(request.updates()[0]),
        labels_(LabelsOf(task_.labels)),
        attachments_(AttachmentsOf(task_.attachments)),
        added_(AttachmentsOf(task_.add_attachments)) {
    for (const std::string &key : task_.delete_labels) gone_labels_.push_back(Bytes(key));
    for (const std::string &key : task_.delete_attachments) gone_.push_back(Bytes(key));
    for (const auto &[key, rule] : task_.rules) rules_.push_back({Bytes(key), RuleOf(rule)});
  }

  cx_create_point_request create() const {
    cx_create_point_request request = {};
    request.name = base_.name;
    request.point_id = Bytes(task_.id);
    request.from_point_id = Bytes(task_.from_id);
    request.mutations = base_.mutations;
    request.mutation_count = base_.mutation_count;
    request.move_head = task_.move_head;
    request.pinned = task_.pinned;
    request.replace = task_.replace;
    request.labels = labels_.data();
    request.label_count = labels_.size();
    request.attachments = attachments_.data();
    request.attachment_count = attachments_.size();
    request.ttl_us = task_.ttl_us;
    request.create_if_missing = base_.create_if_missing;
    request.preconditions = base_.preconditions;
    request.precondition_count = base_.precondition_count;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

  cx_update_point_request update() const {
    cx_update_point_request request = {};
    request.name = base_.name;
    request.point_id = Bytes(task_.id);
    request.set_labels = labels_.data();
    request.set_label_count = labels_.size();
    request.delete_labels = gone_labels_.data();
    request.delete_label_count = gone_labels_.size();
    request.put_attachments = attachments_.data();
    request.put_attachment_count = attachments_.size();
    request.add_attachments = added_.data();
    request.add_attachment_count = added_.size();
    request.delete_attachments = gone_.data();
    request.delete_attachment_count = gone_.size();
    request.ttl_us = task_.ttl_us;
    request.clear_expiry = task_.clear_expiry;
    request.pin = static_cast<cx_pin>(task_.pin);
    request.allow_missing = operation_.allow_missing;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

  cx_delete_point_request drop() const {
    return {base_.name, Bytes(task_.id), base_.author, base_.request_id};
  }

  cx_prune_request prune() const {
    cx_prune_request request = {};
    request.namespace_id = base_.name.namespace_id;
    request.context_id = base_.name.id;
    request.labels = labels_.data();
    request.label_count = labels_.size();
    request.policy = RetentionOf(task_.retention);
    request.dry_run = task_.dry_run;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

  cx_restore_request restore() const {
    cx_restore_request request = {};
    request.name = base_.name;
    request.at = AtOf(task_.at);
    request.safety_point = task_.safety;
    request.undelete = task_.undelete;
    request.preconditions = base_.preconditions;
    request.precondition_count = base_.precondition_count;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

  cx_fork_request fork() const {
    cx_fork_request request = {};
    request.source = {base_.name.namespace_id, Bytes(task_.source_id)};
    request.at = AtOf(task_.at);
    request.id = base_.name.id;
    request.with_history = task_.with_history;
    request.with_points = task_.with_points;
    request.properties = base_.create_if_missing;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

  cx_merge_request merge() const {
    cx_merge_request request = {};
    request.source = {base_.name.namespace_id, Bytes(task_.source_id)};
    request.source_at = AtOf(task_.at);
    request.target = base_.name;
    request.ancestor = {base_.name.namespace_id, Bytes(task_.ancestor_id)};
    request.ancestor_at = AtOf(task_.ancestor_at);
    request.on_conflict = RuleOf(task_.on_conflict);
    request.rules = rules_.data();
    request.rule_count = rules_.size();
    request.dry_run = task_.dry_run;
    request.safety_point = task_.safety;
    request.preconditions = base_.preconditions;
    request.precondition_count = base_.precondition_count;
    request.author = base_.author;
    request.request_id = base_.request_id;
    return request;
  }

 private:
  static std::vector<cx_attachment> AttachmentsOf(const std::map<std::string, std::string> &from) {
    std::vector<cx_attachment> list;
    for (const auto &[key, value] : from) list.push_back({Bytes(key), Bytes(""), Bytes(value)});
    return list;
  }

  const Operation &operation_;
  const PointTask &task_;
  const cx_update_request &base_;
  std::vector<cx_label> labels_;
  std::vector<cx_attachment> attachments_, added_;
  std::vector<cx_bytes> gone_labels_, gone_;
  std::vector<cx_conflict_rule> rules_;
};

std::string ShowSide(bool is_there, const cx_entry_view &entry) {
  if (!is_there) return "|-";
  std::string text(entry.value_size, '\0');
  cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&text[0]));
  return "|" + text;
}

std::string ShowSide(bool is_there, cx_bytes label) { return is_there ? "|" + Text(label) : "|-"; }

std::string ShowConflict(const cx_merge_conflict &conflict) {
  std::string text = (conflict.in_labels ? "label " : "entry ") + Text(conflict.key);
  if (conflict.in_labels) {
    return text + ShowSide(conflict.has_ancestor, conflict.ancestor_label) +
           ShowSide(conflict.has_target, conflict.target_label) +
           ShowSide(conflict.has_source, conflict.source_label);
  }
  return text + ShowSide(conflict.has_ancestor, conflict.ancestor) +
         ShowSide(conflict.has_target, conflict.target) +
         ShowSide(conflict.has_source, conflict.source);
}

ShownPoint ShowPoint(const cx_point_view &view) {
  ShownPoint shown;
  Point &point = shown.point;
  shown.is_there = view.point != nullptr;
  if (!shown.is_there) return shown;
  point.id = Text(view.id);
  point.sequence = view.sequence;
  point.revision = view.revision;
  point.create_time_us = view.create_time_us;
  point.expire_time_us = view.expire_time_us;
  point.pinned = view.pinned;
  point.origin = static_cast<Origin>(view.origin);
  point.labels = ShowLabels(view.labels, view.label_count);
  shown.parent_id = Text(view.parent_id);
  shown.attachment_count = view.attachment_count;
  shown.state = Server::Show(view.state, true);
  cx_entry_walk walk;
  cx_entry_view entry;
  cx_point_walk_attachments(&view, {}, &walk);
  while (cx_entry_walk_next(&walk, &entry)) {
    auto value = std::make_shared<std::string>(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&(*value)[0]));
    point.attachments[Text(entry.key)] = {value, Text(entry.content_type), entry.version};
  }
  return shown;
}

}  // namespace

cx_status Server::WritePoint(const Operation &operation, cx_write_outcome *outcome, Call *call,
                             Returned *ret_returned, cx_error *error) {
  Request request(operation);
  TaskRequest task(operation, request);
  Answer &answer = call->answer;
  char safety_id[CX_POINT_ID_ROOM] = "";
  cx_snapshot snapshot = {};
  cx_point_view point = {};
  cx_merge_result merged = {};
  cx_status status;
  switch (operation.kind) {
    case Kind::kMakePoint: {
      cx_create_point_request create = task.create();
      status = cx_engine_create_point(engine_, &create, outcome, &point, error);
      break;
    }
    case Kind::kChangePoint: {
      cx_update_point_request update = task.update();
      status = cx_engine_update_point(engine_, &update, outcome, &point, error);
      break;
    }
    case Kind::kDropPoint: {
      cx_delete_point_request drop = task.drop();
      status = cx_engine_delete_point(engine_, &drop, outcome, error);
      break;
    }
    case Kind::kPrune: {
      cx_prune_request prune = task.prune();
      status = cx_engine_prune_points(engine_, &prune, outcome, &answer.kept.removed_count,
                                      &answer.kept.kept_count, error);
      break;
    }
    case Kind::kRestore: {
      cx_restore_request restore = task.restore();
      status = cx_engine_restore(engine_, &restore, outcome, &snapshot,
                                 &answer.joined.changed_count, safety_id, error);
      break;
    }
    case Kind::kFork: {
      cx_fork_request fork = task.fork();
      status = cx_engine_fork(engine_, &fork, outcome, &snapshot, error);
      break;
    }
    default: {
      cx_merge_request merge = task.merge();
      status = cx_engine_merge(engine_, &merge, outcome, &merged, safety_id, error);
      break;
    }
  }
  if (status != CX_OK) {
    answer.kept = Kept();
    answer.joined = Joined();
    return status;
  }
  if (operation.kind == Kind::kMerge) {
    answer.joined.applied = merged.applied;
    answer.joined.changed_count = merged.changed_count;
    for (size_t i = 0; i < merged.told_count; i++) {
      answer.joined.conflicts.push_back(ShowConflict(merged.conflicts[i]));
    }
  }
  answer.joined.safety_id = safety_id;
  ret_returned->point = ShowPoint(point);
  ret_returned->context = Show(snapshot, true);
  cx_point_view_done(&point);
  cx_snapshot_done(&snapshot);
  cx_merge_result_done(&merged);
  return status;
}

// ---- Reading. -----------------------------------------------------------------

ShownPoint Server::GetPoint(Call *call, const std::string &id, uint64_t no_memory_at) {
  ShownPoint shown;
  Name name = call->operation.name();
  cx_context_name asked = {Bytes(name.namespace_id), Bytes(name.id)};
  cx_point_view view = {};
  cx_error error = {};
  Scope scope(call, no_memory_at);
  if (cx_engine_get_point(engine_, &asked, Bytes(id), &view, &call->wait_for, &error) != CX_OK) {
    call->answer.failure = ErrorText(error);
    return shown;
  }
  shown = ShowPoint(view);
  cx_point_view_done(&view);
  return shown;
}

ShownPoints Server::ListPoints(Call *call, const PointQuery &query, uint64_t no_memory_at) {
  ShownPoints shown;
  Name name = call->operation.name();
  std::vector<cx_label> labels = LabelsOf(query.labels);
  cx_point_query asked = {};
  cx_point_page page = {};
  cx_error error = {};
  asked.namespace_id = Bytes(name.namespace_id);
  asked.context_id = Bytes(name.id);
  asked.labels = labels.data();
  asked.label_count = labels.size();
  asked.before_id = Bytes(query.before_id);
  asked.ancestors_of = Bytes(query.ancestors_of);
  asked.after_sequence = query.after_sequence;
  asked.count_max = query.count_max;
  Scope scope(call, no_memory_at);
  if (cx_engine_list_points(engine_, &asked, &page, &call->wait_for, &error) != CX_OK) {
    call->answer.failure = ErrorText(error);
    return shown;
  }
  for (size_t i = 0; i < page.count; i++) shown.rows.push_back(ShowPoint(page.rows[i]));
  shown.more = page.more;
  shown.last_sequence = page.last_sequence;
  cx_point_page_done(&page);
  return shown;
}

ShownPoints Server::ListAllPoints(Call *call, PointQuery query, const ShownPoints &before,
                                  uint64_t no_memory_at) {
  ShownPoints shown;
  const std::string &namespace_id = call->operation.namespace_id;
  std::vector<cx_label> labels = LabelsOf(query.labels);
  cx_point_query asked = {};
  cx_point_page page = {};
  cx_error error = {};
  asked.namespace_id = Bytes(namespace_id);
  asked.labels = labels.data();
  asked.label_count = labels.size();
  asked.after_sequence = before.last_sequence;
  asked.after_revision = before.last_revision;
  asked.after_context_id = Bytes(before.last_context_id);
  asked.count_max = query.count_max;
  Scope scope(call, no_memory_at);
  if (cx_engine_list_points(engine_, &asked, &page, &call->wait_for, &error) != CX_OK) {
    call->answer.failure = ErrorText(error);
    return shown;
  }
  for (size_t i = 0; i < page.count; i++) shown.rows.push_back(ShowPoint(page.rows[i]));
  shown.more = page.more;
  shown.last_sequence = page.last_sequence;
  shown.last_revision = page.last_revision;
  shown.last_context_id = Text(page.last_context_id);
  cx_point_page_done(&page);
  return shown;
}

}  // namespace simulation
