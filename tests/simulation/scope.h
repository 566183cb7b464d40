// A call of the engine, while it runs.

#ifndef CX_TESTS_SIMULATION_SCOPE_H
#define CX_TESTS_SIMULATION_SCOPE_H

extern "C" {
#include "core/base/error.h"
#include "core/base/memory.h"
}

#include "tests/simulation/checker.h"
#include "tests/simulation/request.h"
#include "tests/simulation/scheduler.h"

namespace simulation {

inline std::string ErrorText(const cx_error &error) {
  std::string text = cx_reason_name(error.reason);
  for (size_t i = 0; i < error.detail_count; i++) {
    const char *key = error.details[i].key;
    text += std::string(" ") + key + "=" + Text(cx_error_detail_get(&error, key));
  }
  return text;
}

// Makes `call` that of the fiber while it lives, and an allocation of it fail.
class Scope {
 public:
  Scope(Call *call, uint64_t no_memory_at)
      : call_(call),
        before_(Scheduler::Running()->tag()),
        began_us_(Scheduler::Running()->now_us()),
        hooked_(no_memory_at != 0 && hooked == nullptr),
        left_(hooked_ ? no_memory_at : 0) {
    Scheduler::Running()->tag() = call;
    call->clock_us = began_us_;
    if (!hooked_) return;
    hooked = this;
    cx_memory_set_hook(Hook, this);
  }
  ~Scope() {
    if (!call_->starts_engine && Scheduler::Running()->now_us() != began_us_) {
      Scheduler::Running()->Stop("a request has waited for more than a lock");
    }
    Scheduler::Running()->tag() = before_;
    if (!hooked_) return;
    hooked = nullptr;
    cx_memory_set_hook(nullptr, nullptr);
  }

 private:
  inline static Scope *hooked = nullptr;  // Whose allocation fails: one at a time.

  static bool Hook(void *arg, size_t size) {
    auto *self = static_cast<Scope *>(arg);
    (void)size;
    if (Scheduler::Running()->tag() != self->call_ || self->left_ == 0 || --self->left_ > 0) {
      return true;
    }
    self->call_->starved = true;
    return false;
  }

  Call *call_;
  void *before_;
  int64_t began_us_;
  bool hooked_;
  uint64_t left_;  // Allocations until one fails; 0: none does any more.
};

}  // namespace simulation

#endif  // CX_TESTS_SIMULATION_SCOPE_H
