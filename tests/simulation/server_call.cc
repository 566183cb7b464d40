// Writes, and reads of contexts.

#include <cstdlib>

#include "tests/simulation/scope.h"
#include "tests/simulation/server.h"
#include "tests/simulation/view.h"

namespace simulation {

// ---- Writing. -----------------------------------------------------------------

namespace {

// Whether an answer has a version of each of its parts.
bool HasVersions(const Operation &operation) {
  bool of_point = operation.IsOfPoint() && operation.kind != Kind::kChangePoint &&
                  operation.kind != Kind::kDropPoint && operation.kind != Kind::kPrune;
  return of_point || (operation.kind <= Kind::kDelete && !operation.wants_sequence);
}

void SetAnswer(const Operation &operation, const std::vector<cx_write_outcome> &outcomes,
               Answer *answer) {
  answer->revision = outcomes[0].revision;
  answer->replayed = outcomes[0].replayed;
  if (operation.kind == Kind::kDelete || operation.kind == Kind::kTruncate) {
    answer->count = outcomes[0].count;
  }
  if (operation.wants_sequence) answer->sequence = outcomes[0].sequence;
  if (!HasVersions(operation)) return;
  for (const cx_write_outcome &outcome : outcomes) {
    if (outcome.revision != 0) answer->versions.push_back(outcome.version);
  }
}

}  // namespace

void Server::Write(Call *call, uint64_t no_memory_at, Returned *ret_returned) {
  Operation operation = call->operation;  // The call's may learn the id that was made up.
  std::vector<cx_write_outcome> outcomes(operation.parts.size());
  cx_error error = {};
  cx_status status;
  {
    Scope scope(call, no_memory_at);
    status = operation.IsOfSession() ? WriteSession(operation, &outcomes[0], ret_returned, &error)
             : operation.IsOfPoint()
                 ? WritePoint(operation, &outcomes[0], call, ret_returned, &error)
                 : WriteContext(operation, &outcomes, call, ret_returned, &error);
  }
  call->wait_for = outcomes[0].wait_for;
  if (status == CX_OK) return SetAnswer(operation, outcomes, &call->answer);
  call->answer.failure = ErrorText(error);
  if (status != cx_reason_status(error.reason)) call->answer.failure += " with another status";
}

cx_status Server::WriteContext(const Operation &operation, std::vector<cx_write_outcome> *outcomes,
                               Call *call, Returned *ret_returned, cx_error *error) {
  Request request(operation);
  cx_write_outcome *outcome = outcomes->data();
  cx_snapshot snapshot = {};
  cx_optimize_result result = {};
  cx_status status;
  size_t index;
  switch (operation.kind) {
    case Kind::kCreate: {
      cx_create_request create = request.create();
      status = cx_engine_create(engine_, &create, outcome, &snapshot, error);
      if (status == CX_OK) ret_returned->context = Show(snapshot, true);
      cx_snapshot_done(&snapshot);
      return status;
    }
    case Kind::kUpdate:
      return cx_engine_update(engine_, &request.updates()[0], outcome, error);
    case Kind::kAtomic:
      return cx_engine_update_atomic(engine_, request.updates().data(), outcomes->size(),
                                     Bytes(operation.request_id), outcome, &index, error);
    case Kind::kDelete: {
      cx_delete_request end = request.end();
      return cx_engine_delete(engine_, &end, outcome, error);
    }
    case Kind::kTruncate: {
      cx_truncate_request truncate = request.truncation();
      return cx_engine_truncate_history(engine_, &truncate, outcome, error);
    }
    default: {
      cx_optimize_request optimize = request.optimization();
      status = cx_engine_optimize_history(engine_, &optimize, outcome, &result, error);
      call->answer.kept = {result.removed_count, result.removed_bytes, result.kept_count,
                           result.kept_bytes};
      return status;
    }
  }
}

cx_status Server::WriteSession(const Operation &operation, cx_write_outcome *outcome,
                               Returned *ret_returned, cx_error *error) {
  Request request(operation);
  cx_activation_request activation = request.activation();
  cx_resource_request resource = request.resource();
  cx_activation_view activated = {};
  cx_session_view *session = nullptr;
  cx_resource_page page = {};
  cx_snapshot snapshot = {};
  cx_status status;
  switch (operation.kind) {
    case Kind::kStart: {
      cx_session_start_request start = request.start();
      status = cx_engine_start_session(engine_, &start, outcome, &session, error);
      break;
    }
    case Kind::kEnd: {
      cx_session_end_request end = {request.session(), Bytes(operation.request_id)};
      status = cx_engine_end_session(engine_, &end, outcome, error);
      break;
    }
    case Kind::kActivate:
      status =
          cx_engine_activate(engine_, &activation, outcome, &activated, &session, &snapshot, error);
      break;
    case Kind::kSwitch:
      status = cx_engine_switch(engine_, &activation, outcome, &session, error);
      break;
    case Kind::kDeactivate:
      status = cx_engine_deactivate(engine_, &activation, outcome, &session, error);
      break;
    case Kind::kAcquire:
      status = cx_engine_acquire_resource(engine_, &resource, outcome, &page, error);
      break;
    default:
      status = cx_engine_release_resource(engine_, &resource, outcome, error);
      break;
  }
  if (status != CX_OK) return status;
  ret_returned->session = ShowSession(session);
  ret_returned->activation = ShowActivation(activated);
  ret_returned->context = Show(snapshot, true);
  ret_returned->resource = ShowResources(page);
  cx_session_view_free(session);
  cx_resource_page_done(&page);
  cx_snapshot_done(&snapshot);
  return status;
}

// ---- Reading. -----------------------------------------------------------------

Shown Server::Show(const cx_snapshot &snapshot, bool with_entries) {
  Shown shown;
  shown.name = {Text(snapshot.namespace_id), Text(snapshot.id)};
  shown.revision = snapshot.revision;
  shown.fence = snapshot.fence;
  shown.entry_count = snapshot.entry_count;
  shown.size_bytes = snapshot.size_bytes;
  shown.state.version = snapshot.version;
  shown.state.create_time_us = snapshot.create_time_us;
  shown.state.update_time_us = snapshot.update_time_us;
  shown.state.expire_time_us = snapshot.expire_time_us;
  shown.state.type = Text(snapshot.type);
  shown.state.parent_id = Text(snapshot.parent_id);
  for (size_t i = 0; i < snapshot.label_count; i++) {
    shown.state.labels[Text(snapshot.labels[i].key)] = Text(snapshot.labels[i].value);
  }
  if (!with_entries || snapshot.entry_count == 0) return shown;
  cx_entry_walk walk;
  cx_entry_view entry;
  cx_snapshot_walk(&snapshot, {}, &walk);
  while (cx_entry_walk_next(&walk, &entry)) {
    auto value = std::make_shared<std::string>(entry.value_size, '\0');
    cx_entry_value_copy(&entry, reinterpret_cast<uint8_t *>(&(*value)[0]));
    shown.state.entries[Text(entry.key)] = {value, Text(entry.content_type), entry.version};
  }
  return shown;
}

std::unique_ptr<cx_snapshot, void (*)(cx_snapshot *)> Server::Get(Call *call, uint64_t version,
                                                                  int64_t time_us,
                                                                  uint64_t no_memory_at,
                                                                  std::string *ret_failure) {
  auto release = [](cx_snapshot *snapshot) {
    cx_snapshot_done(snapshot);
    delete snapshot;
  };
  Name name = call->operation.name();
  cx_context_name asked = {Bytes(name.namespace_id), Bytes(name.id)};
  cx_state_at at = {};
  at.version = version;
  at.time_us = time_us;
  cx_error error = {};
  std::unique_ptr<cx_snapshot, void (*)(cx_snapshot *)> snapshot(new cx_snapshot(), release);
  Scope scope(call, no_memory_at);
  cx_status status = cx_engine_get(engine_, &asked, &at, snapshot.get(), &call->wait_for, &error);
  if (status == CX_OK) return snapshot;
  *ret_failure = ErrorText(error);
  delete snapshot.release();
  return snapshot;
}

ShownPage Server::List(Call *call, const ListQuery &query, const std::string &after_id,
                       size_t count_max, uint64_t no_memory_at) {
  ShownPage shown;
  cx_list_page page;
  cx_error error = {};
  cx_list_query asked = {};
  std::vector<cx_label> labels;
  for (const auto &[key, value] : query.labels) labels.push_back({Bytes(key), Bytes(value)});
  asked.namespace_id = Bytes(query.namespace_id);
  asked.id_prefix = Bytes(query.id_prefix);
  asked.type = Bytes(query.type);
  asked.parent_id = Bytes(query.parent_id);
  asked.labels = labels.data();
  asked.label_count = labels.size();
  asked.deleted = query.deleted;
  asked.after_id = Bytes(after_id);
  asked.count_max = count_max;
  Scope scope(call, no_memory_at);
  if (cx_engine_list(engine_, &asked, &page, &call->wait_for, &error) != CX_OK) {
    call->answer.failure = ErrorText(error);
    return shown;
  }
  for (size_t i = 0; i < page.count; i++) shown.rows.push_back(Show(page.rows[i], false));
  shown.more = page.more;
  shown.last_id = Text(page.last_id);
  shown.position = page.position;
  cx_list_page_done(&page);
  return shown;
}

std::map<std::string, Checker::Totals> Server::ListNamespaces() {
  std::map<std::string, Checker::Totals> found;
  std::string after;
  for (bool more = true; more;) {
    cx_namespace_row rows[2];
    size_t count = 0;
    uint64_t wait_for;
    if (cx_engine_list_namespaces(engine_, Bytes(after), 2, rows, &count, &more, &wait_for) !=
        CX_OK) {
      abort();  // It has no reason to fail.
    }
    for (size_t i = 0; i < count; i++) {
      after = rows[i].name;
      found[after] = {rows[i].context_count, rows[i].size_bytes};
    }
  }
  return found;
}

}  // namespace simulation
