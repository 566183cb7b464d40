// Reads of sessions and of the work on contexts.

#include "tests/simulation/scope.h"
#include "tests/simulation/server.h"
#include "tests/simulation/view.h"

namespace simulation {

namespace {

cx_context_name ContextOf(const Call *call) {
  return {Bytes(call->operation.namespace_id), Bytes(call->operation.parts[0].id)};
}

cx_session_name SessionOf(const Call *call) {
  return {Bytes(call->operation.namespace_id), Bytes(call->operation.session_id)};
}

cx_tracked_query QueryOf(const Call *call, const RowQuery &query) {
  return {ContextOf(call), Bytes(query.prefix), Bytes(query.after), query.count_max};
}

// Notes why a read has failed.
bool Succeeds(cx_status status, const cx_error &error, Call *call) {
  if (status != CX_OK) call->answer.failure = ErrorText(error);
  return status == CX_OK;
}

}  // namespace

int64_t Server::Renew(Call *call, uint64_t no_memory_at) {
  cx_session_name name = SessionOf(call);
  cx_error error = {};
  int64_t expire_time_us = 0;
  Scope scope(call, no_memory_at);
  (void)Succeeds(cx_engine_renew_session(engine_, &name, &expire_time_us, &call->wait_for, &error),
                 error, call);
  return expire_time_us;
}

ShownSession Server::GetSession(Call *call, uint64_t no_memory_at) {
  cx_session_name name = SessionOf(call);
  cx_session_view *view = nullptr;
  cx_error error = {};
  Scope scope(call, no_memory_at);
  (void)Succeeds(cx_engine_get_session(engine_, &name, &view, &call->wait_for, &error), error,
                 call);
  ShownSession shown = ShowSession(view);
  shown.name = call->operation.session();
  cx_session_view_free(view);
  return shown;
}

ShownSessions Server::ListSessions(Call *call, const std::string &owner,
                                   uint64_t after_start_revision, size_t count_max,
                                   uint64_t no_memory_at) {
  cx_session_query query = {Bytes(call->operation.namespace_id), Bytes(owner), after_start_revision,
                            count_max};
  cx_session_page page = {};
  cx_error error = {};
  ShownSessions shown;
  Scope scope(call, no_memory_at);
  if (!Succeeds(cx_engine_list_sessions(engine_, &query, &page, &call->wait_for, &error), error,
                call)) {
    return shown;
  }
  for (size_t i = 0; i < page.count; i++) shown.rows.push_back(ShowSession(page.rows[i]));
  shown.more = page.more;
  shown.last_start_revision = page.last_start_revision;
  cx_session_page_done(&page);
  return shown;
}

ShownStatus Server::GetStatus(Call *call, uint64_t no_memory_at) {
  cx_context_name name = ContextOf(call);
  cx_context_status status = {};
  cx_error error = {};
  ShownStatus shown;
  Scope scope(call, no_memory_at);
  if (Succeeds(cx_engine_status(engine_, &name, &status, &call->wait_for, &error), error, call)) {
    shown = ShowStatus(status);
    cx_context_status_done(&status);
  }
  return shown;
}

ShownHistory Server::ListActivities(Call *call, const ActivityQuery &query, uint64_t no_memory_at) {
  std::vector<cx_bytes> types;
  for (const std::string &type : query.types) types.push_back(Bytes(type));
  cx_activity_query asked = {ContextOf(call),     types.data(),      types.size(),
                             query.start_time_us, query.end_time_us, query.newest_first,
                             query.from_sequence, query.count_max};
  cx_activity_page page = {};
  cx_error error = {};
  ShownHistory shown;
  Scope scope(call, no_memory_at);
  if (Succeeds(cx_engine_list_activities(engine_, &asked, &page, &call->wait_for, &error), error,
               call)) {
    shown = ShowActivities(page);
    cx_activity_page_done(&page);
  }
  return shown;
}

ShownFiles Server::ListFiles(Call *call, const RowQuery &query, uint64_t no_memory_at) {
  cx_tracked_query asked = QueryOf(call, query);
  cx_file_page page = {};
  cx_error error = {};
  ShownFiles shown;
  Scope scope(call, no_memory_at);
  if (Succeeds(cx_engine_list_files(engine_, &asked, &page, &call->wait_for, &error), error,
               call)) {
    shown = ShowFiles(page);
    cx_file_page_done(&page);
  }
  return shown;
}

ShownResources Server::ListResources(Call *call, const RowQuery &query, uint64_t no_memory_at) {
  cx_tracked_query asked = QueryOf(call, query);
  cx_resource_page page = {};
  cx_error error = {};
  ShownResources shown;
  Scope scope(call, no_memory_at);
  if (Succeeds(cx_engine_list_resources(engine_, &asked, &page, &call->wait_for, &error), error,
               call)) {
    shown = ShowResources(page);
    cx_resource_page_done(&page);
  }
  return shown;
}

Usage Server::SummarizeUsage(Call *call, uint64_t no_memory_at) {
  cx_context_name name = ContextOf(call);
  cx_usage_summary summary = {};
  cx_error error = {};
  Usage usage;
  Scope scope(call, no_memory_at);
  if (Succeeds(cx_engine_summarize_usage(engine_, &name, &summary, &call->wait_for, &error), error,
               call)) {
    usage = ShowUsage(summary);
    cx_usage_summary_done(&summary);
  }
  return usage;
}

}  // namespace simulation
