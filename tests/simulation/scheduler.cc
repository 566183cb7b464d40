#include "tests/simulation/scheduler.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace simulation {

namespace {

// Room for the deepest calls of the core, with a sanitizer's frames.
constexpr size_t kStackSize = 1024 * 1024;
constexpr size_t kGuardSize = 4096;

// A run in which so much time passes has lost its way: somebody waits for what never comes.
constexpr int64_t kTimeMaxUs = int64_t{40} * 3600 * 1000000;

Scheduler *running = nullptr;

}  // namespace

struct Fiber {
  std::string name;
  std::function<void()> body;
  ucontext_t context = {};
  void *stack = nullptr;
  bool ready = false;
  bool ended = false;
  const void *waits_for = nullptr;
  int64_t deadline_us = 0;  // 0: none.
  bool timed_out = false;
  void *tag = nullptr;
  void *fake_stack = nullptr;  // The address sanitizer's.

  ~Fiber() {
    if (stack != nullptr) munmap(stack, kStackSize);
  }
};

Scheduler::Scheduler(Dice dice, uint64_t pause_in)
    : dice_(dice), pause_in_(pause_in), root_(std::make_unique<Fiber>()) {}

Scheduler::~Scheduler() {
  for (Fiber *fiber : fibers_) delete fiber;
  for (Fiber *fiber : finished_) delete fiber;
}

Scheduler *Scheduler::Running() { return running; }

const std::string &Scheduler::name() const { return current_->name; }

void *&Scheduler::tag() { return current_->tag; }

// ---- Turns. -------------------------------------------------------------------

void Scheduler::SwitchTo(Fiber *fiber) {
  Fiber *from = current_;
  if (fiber == from) return;
  current_ = fiber;
  turns_++;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(from->ended ? nullptr : &from->fake_stack, fiber->stack,
                                 kStackSize);
#endif
  swapcontext(&from->context, &fiber->context);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
}

void Scheduler::Trampoline() {
  Scheduler *self = running;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  Fiber *fiber = self->current_;
  fiber->body();
  fiber->body = nullptr;
  fiber->ended = true;
  self->WakeAll(fiber);
  self->SwitchAway();
  abort();  // It has ended.
}

// Moves time to the first deadline. Nobody is ready.
void Scheduler::AdvanceTime() {
  int64_t first_us = 0;
  for (const Fiber *fiber : fibers_) {
    if (fiber->deadline_us != 0 && (first_us == 0 || fiber->deadline_us < first_us)) {
      first_us = fiber->deadline_us;
    }
  }
  if (first_us == 0) {
    failure_ = "deadlock: " + DescribeAll();
    SwitchTo(root_.get());
  }
  now_us_ = std::max(now_us_, first_us);
  if (now_us_ > kTimeMaxUs && failure_.empty()) {
    failure_ = "the run does not end: " + DescribeAll();
    SwitchTo(root_.get());
  }
  for (Fiber *fiber : fibers_) {
    if (fiber->deadline_us == 0 || fiber->deadline_us > now_us_) continue;
    fiber->timed_out = true;
    fiber->deadline_us = 0;
    fiber->waits_for = nullptr;
    fiber->ready = true;
    ready_.push_back(fiber);
  }
}

Fiber *Scheduler::Choose() {
  while (ready_.empty()) AdvanceTime();
  size_t place = ready_.size() == 1 ? 0 : dice_.Below(ready_.size());
  Fiber *fiber = ready_[place];
  ready_[place] = ready_.back();
  ready_.pop_back();
  fiber->ready = false;
  return fiber;
}

void Scheduler::SwitchAway() { SwitchTo(Choose()); }

void Scheduler::Pause() {
  if (ready_.empty() || !dice_.OneIn(pause_in_)) return;
  current_->ready = true;
  ready_.push_back(current_);
  SwitchAway();
}

// ---- Waiting. -----------------------------------------------------------------

bool Scheduler::Wait(const void *object, int64_t deadline_us) {
  current_->waits_for = object;
  current_->deadline_us = deadline_us;
  current_->timed_out = false;
  SwitchAway();
  return !current_->timed_out;
}

void Scheduler::Sleep(int64_t us) {
  if (us <= 0) return Pause();
  int64_t deadline_us = now_us_ + us;
  while (now_us_ < deadline_us) Wait(nullptr, deadline_us);
}

void Scheduler::WakeAll(const void *object) {
  for (Fiber *fiber : fibers_) {
    if (fiber->waits_for != object) continue;
    fiber->waits_for = nullptr;
    fiber->deadline_us = 0;
    fiber->ready = true;
    ready_.push_back(fiber);
  }
}

void Scheduler::WakeOne(const void *object) {
  size_t count = 0;
  Fiber *chosen = nullptr;
  for (Fiber *fiber : fibers_) {
    if (fiber->waits_for == object && dice_.OneIn(++count)) chosen = fiber;
  }
  if (chosen == nullptr) return;
  chosen->waits_for = nullptr;
  chosen->deadline_us = 0;
  chosen->ready = true;
  ready_.push_back(chosen);
}

// ---- Fibers. ------------------------------------------------------------------

Fiber *Scheduler::Create(std::string name, std::function<void()> body) {
  Fiber *fiber;
  if (finished_.empty()) {
    fiber = new Fiber;
    fiber->stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fiber->stack == MAP_FAILED) abort();
    mprotect(fiber->stack, kGuardSize, PROT_NONE);  // Who runs out of it crashes at once.
  } else {
    fiber = finished_.back();
    finished_.pop_back();
  }
  fiber->name = std::move(name);
  fiber->body = std::move(body);
  fiber->ended = false;
  fiber->tag = nullptr;
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = kStackSize;
  fiber->context.uc_link = nullptr;
  makecontext(&fiber->context, Trampoline, 0);
  fibers_.push_back(fiber);
  fiber->ready = true;
  ready_.push_back(fiber);
  return fiber;
}

void Scheduler::Join(Fiber *fiber) {
  while (!fiber->ended) Wait(fiber, 0);
  fibers_.erase(std::find(fibers_.begin(), fibers_.end(), fiber));
  finished_.push_back(fiber);
}

void Scheduler::Run(std::function<void()> body) {
  Fiber *first = Create("operator", [this, body = std::move(body)] {
    body();
    SwitchTo(root_.get());
  });
  running = this;
  current_ = root_.get();
  ready_.erase(std::find(ready_.begin(), ready_.end(), first));
  first->ready = false;
  SwitchTo(first);
  running = nullptr;
}

void Scheduler::Stop(const std::string &failure) {
  failure_ = failure;
  SwitchTo(root_.get());
  abort();  // Nobody comes back here.
}

std::string Scheduler::DescribeAll() const {
  std::string text;
  for (const Fiber *fiber : fibers_) {
    if (fiber->ended) continue;
    text += (text.empty() ? "" : ", ") + fiber->name;
    if (fiber->deadline_us != 0) text += " (for a time)";
  }
  return "these wait: " + text;
}

}  // namespace simulation
