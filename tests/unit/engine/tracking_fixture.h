// Sessions, activations, histories and resources of an engine, in C++ words, over what
// engine_fixture.h has.

#ifndef CX_TESTS_UNIT_ENGINE_TRACKING_FIXTURE_H
#define CX_TESTS_UNIT_ENGINE_TRACKING_FIXTURE_H

#include "tests/support/engine_fixture.h"

#include <functional>
#include <set>

// A session as it was told. Activations read "c" where they are shared, "c#3" where they are
// exclusive with that fence.
struct Presence {
  bool there = false;
  std::string id, owner, current;
  std::map<std::string, std::string> labels;
  std::vector<std::string> active;
  std::vector<int64_t> active_since_us;
  int64_t create_time_us = 0, expire_time_us = 0;
  uint64_t start_revision = 0;
};

// What came of a write that shows a session.
struct Shown : Outcome {
  Presence session;
};

// What came of an activation.
struct Activated : Shown {
  cx_activation_view activation;  // But for its context.
  bool context_there = false;
  uint64_t context_version = 0;
};

// Who has a context active.
struct Status : Outcome {
  bool exists = false, guarded = false;
  uint64_t version = 0, fence = 0;
  std::vector<std::string> sessions;
  std::string exclusive;
};

struct Holding {
  std::string name, type, session;
  std::map<std::string, std::string> labels;
  int64_t time_us = 0;
};

// What came of taking a resource, or what a list of them shows.
struct Holdings : Outcome {
  std::vector<Holding> rows;
  bool more = false;
};

struct Recorded {
  uint64_t sequence;
  int64_t time_us;
  std::string session, type, data;
  std::map<std::string, std::string> labels;
  cx_detail_kind detail;
  std::string resource;  // "name/type/step" of a resource's activity.
};

struct History : Outcome {
  std::vector<Recorded> rows;
  bool more = false;
  uint64_t next = 0;

  std::vector<uint64_t> sequences() const {
    std::vector<uint64_t> list;
    for (const Recorded &row : rows) list.push_back(row.sequence);
    return list;
  }
};

struct Optimized : Outcome {
  cx_optimize_result result;
};

class TrackingFixture : public EngineFixture {
 protected:
  using Strings = std::vector<std::string>;
  using Sequences = std::vector<uint64_t>;

  static constexpr int64_t kSecond = CX_SECOND_US;
  static constexpr int64_t kTtl = 30 * CX_SECOND_US;

  static cx_author By(const std::string &session, uint64_t fence = 0) {
    return {Bytes(session), fence};
  }
  static cx_author Fenced(uint64_t fence) { return {{}, fence}; }

  // ---- Sessions. -------------------------------------------------------------

  static cx_session_start_request Term(int64_t ttl_us = kTtl) {
    cx_session_start_request start = {};
    start.ttl_us = ttl_us;
    start.max_active_contexts = 5;
    return start;
  }

  Shown Start(cx_session_start_request start, const std::string &request_id = "") {
    Shown shown = {};
    cx_session_view *view = nullptr;
    start.name.namespace_id = Bytes(namespace_);
    start.request_id = Bytes(request_id);
    shown.status = cx_engine_start_session(engine_, &start, &shown.write, &view, &shown.error);
    shown.session = Take(view);
    return shown;
  }

  // Starts a session and returns its id.
  std::string Session(int64_t ttl_us = kTtl) { return Session(Term(ttl_us)); }
  std::string Session(const cx_session_start_request &start) {
    Shown shown = Start(start);
    EXPECT_EQ(CX_OK, shown.status) << shown.error.message;
    return shown.session.id;
  }

  Outcome End(const std::string &id, const std::string &request_id = "") {
    Outcome outcome = {};
    cx_session_end_request request = {{Bytes(namespace_), Bytes(id)}, Bytes(request_id)};
    outcome.status = cx_engine_end_session(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  Outcome Renew(const std::string &id, int64_t *ret_expire_us = nullptr) {
    Outcome outcome = {};
    cx_session_name name = {Bytes(namespace_), Bytes(id)};
    int64_t expire_us = 0;
    outcome.status = cx_engine_renew_session(engine_, &name, &expire_us, &outcome.write.wait_for,
                                             &outcome.error);
    if (ret_expire_us != nullptr) *ret_expire_us = expire_us;
    return outcome;
  }

  Shown GetSession(const std::string &id) {
    Shown shown = {};
    cx_session_view *view = nullptr;
    cx_session_name name = {Bytes(namespace_), Bytes(id)};
    shown.status =
        cx_engine_get_session(engine_, &name, &view, &shown.write.wait_for, &shown.error);
    shown.session = Take(view);
    return shown;
  }

  // ---- Activation. -----------------------------------------------------------

  enum How { kShared = 0, kExclusive = 1, kTakeover = 3, kGuard = 5, kTakeoverGuard = 7 };

  cx_activation_request Naming(const std::string &session, const std::string &context,
                               const std::string &request_id, uint64_t fence) const {
    cx_activation_request request = {};
    request.name = {Bytes(namespace_), Bytes(context)};
    request.session_id = Bytes(session);
    request.request_id = Bytes(request_id);
    request.fence = fence;
    return request;
  }

  Activated Activate(const std::string &session, const std::string &context, How how = kShared,
                     const std::string &request_id = "", uint64_t fence = 0) {
    Activated activated = {};
    cx_session_view *view = nullptr;
    cx_snapshot snapshot;
    cx_activation_request request = Naming(session, context, request_id, fence);
    request.exclusive = (how & kExclusive) != 0;
    request.takeover = (how & 2) != 0;
    request.guard = (how & 4) != 0;
    activated.status =
        cx_engine_activate(engine_, &request, &activated.write, &activated.activation, &view,
                           &snapshot, &activated.error);
    activated.context_there = snapshot.context != nullptr;
    activated.context_version = snapshot.version;
    activated.session = Take(view);
    cx_snapshot_done(&snapshot);
    return activated;
  }

  Shown Switch(const std::string &session, const std::string &context,
               const std::string &request_id = "", uint64_t fence = 0) {
    Shown shown = {};
    cx_session_view *view = nullptr;
    cx_activation_request request = Naming(session, context, request_id, fence);
    shown.status = cx_engine_switch(engine_, &request, &shown.write, &view, &shown.error);
    shown.session = Take(view);
    return shown;
  }

  Shown Deactivate(const std::string &session, const std::string &context,
                   const std::string &request_id = "", uint64_t fence = 0) {
    Shown shown = {};
    cx_session_view *view = nullptr;
    cx_activation_request request = Naming(session, context, request_id, fence);
    shown.status = cx_engine_deactivate(engine_, &request, &shown.write, &view, &shown.error);
    shown.session = Take(view);
    return shown;
  }

  Status GetStatus(const std::string &context) {
    Status status = {};
    cx_context_status found;
    cx_context_name name = {Bytes(namespace_), Bytes(context)};
    status.status = cx_engine_status(engine_, &name, &found, &status.write.wait_for, &status.error);
    status.exists = found.exists;
    status.guarded = found.guarded;
    status.version = found.version;
    status.fence = found.fence;
    status.exclusive = Text(found.exclusive_session_id);
    for (size_t i = 0; i < found.session_count; i++) {
      status.sessions.push_back(Text(found.session_ids[i]));
    }
    cx_context_status_done(&found);
    return status;
  }

  // ---- Resources. ------------------------------------------------------------

  cx_resource_request Holds(const std::string &session, const std::string &context,
                            const std::string &resource, const std::string &request_id,
                            uint64_t fence) const {
    cx_resource_request request = {};
    request.name = {Bytes(namespace_), Bytes(context)};
    request.session_id = Bytes(session);
    request.resource = Bytes(resource);
    request.request_id = Bytes(request_id);
    request.fence = fence;
    return request;
  }

  Holdings Acquire(const std::string &session, const std::string &context,
                   const std::string &resource, const std::string &request_id = "",
                   uint64_t fence = 0) {
    Holdings holdings = {};
    cx_resource_page page;
    cx_label label = {cx_bytes_of("why"), cx_bytes_of("test")};
    cx_resource_request request = Holds(session, context, resource, request_id, fence);
    request.type = cx_bytes_of("lock");
    request.labels = &label;
    request.label_count = 1;
    holdings.status =
        cx_engine_acquire_resource(engine_, &request, &holdings.write, &page, &holdings.error);
    Take(&page, &holdings);
    return holdings;
  }

  Outcome Release(const std::string &session, const std::string &context,
                  const std::string &resource, const std::string &request_id = "",
                  uint64_t fence = 0) {
    Outcome outcome = {};
    cx_resource_request request = Holds(session, context, resource, request_id, fence);
    outcome.status = cx_engine_release_resource(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  // The texts outlive the query.
  cx_tracked_query Tracked(const char *context, const char *after = "", size_t count_max = 1000,
                           const char *prefix = "") const {
    return {{Bytes(namespace_), cx_bytes_of(context)},
            cx_bytes_of(prefix),
            cx_bytes_of(after),
            count_max};
  }

  Holdings Resources(const std::string &context, const std::string &after = "",
                     size_t count_max = 1000) {
    Holdings holdings = {};
    cx_resource_page page;
    cx_tracked_query query = Tracked(context.c_str(), after.c_str(), count_max);
    holdings.status =
        cx_engine_list_resources(engine_, &query, &page, &holdings.write.wait_for, &holdings.error);
    Take(&page, &holdings);
    return holdings;
  }

  // ---- Histories. ------------------------------------------------------------

  // Records activities, creating the context on the way.
  Outcome Record(const std::string &context, const std::vector<Activity> &activities,
                 const cx_author &author = {}, const std::string &request_id = "") {
    Outcome outcome = {};
    cx_new_context create = {};
    cx_update_request request = {};
    Mutations mutations;
    for (const Activity &activity : activities) mutations.Record(activity);
    request.name = {Bytes(namespace_), Bytes(context)};
    request.mutations = mutations.list().data();
    request.mutation_count = mutations.list().size();
    request.create_if_missing = &create;
    request.wants_sequence = true;
    request.author = author;
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_update(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  // Records `count` messages, whose data are their numbers, in changes of up to 1,000.
  void RecordMany(const std::string &context, uint64_t count) {
    for (uint64_t done = 0; done < count;) {
      std::vector<Activity> activities;
      for (; done < count && activities.size() < CX_ACTIVITIES_MAX; done++) {
        activities.emplace_back("message", std::to_string(done));
      }
      ASSERT_EQ(CX_OK, Record(context, activities).status);
      Step();
    }
  }

  History Activities(const std::string &context, cx_activity_query query = {}) {
    History history = {};
    cx_activity_page page;
    query.name = {Bytes(namespace_), Bytes(context)};
    if (query.count_max == 0) query.count_max = 1000;
    history.status =
        cx_engine_list_activities(engine_, &query, &page, &history.write.wait_for, &history.error);
    for (size_t i = 0; i < page.count; i++) history.rows.push_back(ReadRow(page.rows[i]));
    history.more = page.more;
    history.next = page.next_sequence;
    cx_activity_page_done(&page);
    return history;
  }

  // Every sequence of a history, page by page.
  Sequences AllSequences(const std::string &context) {
    Sequences all;
    History page;
    cx_activity_query query = {};
    do {
      page = Activities(context, query);
      for (uint64_t sequence : page.sequences()) all.push_back(sequence);
      query.from_sequence = page.next;
    } while (page.more);
    return all;
  }

  Outcome Truncate(const std::string &context, uint64_t from_sequence, int64_t from_time_us = 0,
                   const cx_author &author = {}, const std::string &request_id = "") {
    Outcome outcome = {};
    cx_truncate_request request = {};
    request.name = {Bytes(namespace_), Bytes(context)};
    request.from_sequence = from_sequence;
    request.from_time_us = from_time_us;
    request.author = author;
    request.request_id = Bytes(request_id);
    outcome.status = cx_engine_truncate_history(engine_, &request, &outcome.write, &outcome.error);
    return outcome;
  }

  Optimized Optimize(const std::string &context, cx_optimize_request request,
                     const std::string &request_id = "") {
    Optimized optimized = {};
    request.name = {Bytes(namespace_), Bytes(context)};
    request.request_id = Bytes(request_id);
    optimized.status = cx_engine_optimize_history(engine_, &request, &optimized.write,
                                                  &optimized.result, &optimized.error);
    return optimized;
  }

  static cx_optimize_request Keep(uint64_t max_count) {
    cx_optimize_request request = {};
    request.max_count = max_count;
    return request;
  }

  static cx_optimize_request NoRepeats() {
    cx_optimize_request request = {};
    request.deduplicate = true;
    return request;
  }

  // ---- The disk. -------------------------------------------------------------

  // Writes until the disk has no room.
  void FillDisk() {
    std::string value(60000, 'x');
    sim_disk_set_capacity(disk_, 1);
    for (int i = 0; i < 1000; i++) {
      value[0] = static_cast<char>('a' + i % 26);
      if (Upsert("filling", Mutations().Put("k", value)).reason() == "STORAGE_FULL") break;
      Step();
    }
    while (Upsert("filling", Mutations().Put("s", std::to_string(clock_.now_us))).status == CX_OK) {
    }
  }

  void EmptyDisk() {
    sim_disk_set_capacity(disk_, UINT64_MAX);
    Step();
  }

  void ReopenTheSame() {
    uint64_t digest = Digest();
    Reopen();
    EXPECT_EQ(digest, Digest()) << "a restart finds what was left";
  }

 private:
  static std::map<std::string, std::string> Labels(const cx_label *labels, size_t count) {
    std::map<std::string, std::string> all;
    for (size_t i = 0; i < count; i++) all[Text(labels[i].key)] = Text(labels[i].value);
    return all;
  }

  static Presence Take(cx_session_view *view) {
    Presence session;
    if (view == nullptr) return session;
    session.there = true;
    session.id = Text(view->id);
    session.owner = Text(view->owner);
    session.current = Text(view->current_context_id);
    session.labels = Labels(view->labels, view->label_count);
    for (size_t i = 0; i < view->activation_count; i++) {
      const cx_activation_view &each = view->activations[i];
      EXPECT_EQ(each.exclusive, each.fence != 0);
      session.active.push_back(Text(each.context_id) +
                               (each.exclusive ? "#" + std::to_string(each.fence) : ""));
      session.active_since_us.push_back(each.time_us);
    }
    session.create_time_us = view->create_time_us;
    session.expire_time_us = view->expire_time_us;
    session.start_revision = view->start_revision;
    cx_session_view_free(view);
    return session;
  }

  static void Take(cx_resource_page *page, Holdings *holdings) {
    for (size_t i = 0; i < page->count; i++) {
      const struct cx_resource_view &row = page->rows[i];
      holdings->rows.push_back({Text(row.name), Text(row.type), Text(row.session_id),
                                Labels(row.labels, row.label_count), row.time_us});
    }
    holdings->more = page->more;
    cx_resource_page_done(page);
  }

  static Recorded ReadRow(const struct cx_activity_view &view) {
    Recorded row = {view.sequence,
                    view.time_us,
                    Text(view.session_id),
                    Text(view.type),
                    "",
                    Labels(view.labels, view.label_count),
                    view.detail.kind,
                    ""};
    row.data.resize(view.data_size);
    cx_activity_data_copy(&view, reinterpret_cast<uint8_t *>(&row.data[0]));
    if (view.detail.kind == CX_DETAIL_RESOURCE) {
      const cx_resource_event &event = view.detail.resource;
      row.resource = Text(event.name) + "/" + Text(event.type) + "/" + std::to_string(event.step);
    }
    return row;
  }
};

#endif  // CX_TESTS_UNIT_ENGINE_TRACKING_FIXTURE_H
