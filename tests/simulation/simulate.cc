// Runs seeds: `simulate --from S --seeds N [--trace]`. Ends with the first that fails, which
// is printed with the command that shows it again.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "tests/simulation/simulation.h"

namespace {

constexpr int kSeedSecondsMax = 120;  // A seed that takes longer has lost its way.

char seed_text[32] = "";

// Says which seed it was that crashed, or went on for ever. Safe in a signal handler.
void OnSignal(int number) {
  const char *what = number == SIGALRM ? ": does not end\n" : ": crashes\n";
  (void)!write(STDOUT_FILENO, "seed ", 5);
  (void)!write(STDOUT_FILENO, seed_text, strlen(seed_text));
  (void)!write(STDOUT_FILENO, what, strlen(what));
  (void)!write(STDOUT_FILENO, "again: make simulate SEEDS=1 TRACE=1 FROM=", 42);
  (void)!write(STDOUT_FILENO, seed_text, strlen(seed_text));
  (void)!write(STDOUT_FILENO, "\n", 1);
  signal(number, SIG_DFL);
  raise(number == SIGALRM ? SIGKILL : number);
}

// On a stack of its own: that of a fiber may be what has run out.
void CatchSignals() {
  static char stack[64 * 1024];
  stack_t place = {};
  place.ss_sp = stack;
  place.ss_size = sizeof stack;
  sigaltstack(&place, nullptr);
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_ONSTACK;
  for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
    sigaction(number, &action, nullptr);
  }
}

[[noreturn]] void Usage() {
  fprintf(stderr, "usage: simulate [--from SEED] [--seeds COUNT] [--trace]\n");
  exit(2);
}

uint64_t Number(const char *text) {
  char *end;
  uint64_t number = text != nullptr ? strtoull(text, &end, 10) : 0;
  if (text == nullptr || *text == '\0' || *end != '\0') Usage();
  return number;
}

struct Options {
  uint64_t from = 1, count = 1;
  simulation::Trace::Mode mode = simulation::Trace::kOff;
};

Options Parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--from") == 0) {
      options.from = Number(argv[++i]);
    } else if (strcmp(argv[i], "--seeds") == 0) {
      options.count = Number(argv[++i]);
    } else if (strcmp(argv[i], "--trace") == 0) {
      options.mode = simulation::Trace::kPrint;
    } else {
      Usage();
    }
  }
  return options;
}

void Add(const simulation::Result &result, simulation::Result *sum) {
  sum->virtual_us += result.virtual_us;
  sum->calls += result.calls;
  sum->changes += result.changes;
  sum->starts += result.starts;
  sum->turns += result.turns;
}

unsigned long long Printed(uint64_t number) { return number; }

void PrintSum(uint64_t seeds, const simulation::Result &sum, double seconds) {
  double simulated = static_cast<double>(sum.virtual_us) / 1e6;
  printf(
      "%llu seeds: %llu requests, %llu changes, %llu starts, %llu turns; %.0f s simulated in "
      "%.1f s of CPU, %.0f times faster\n",
      Printed(seeds), Printed(sum.calls), Printed(sum.changes), Printed(sum.starts),
      Printed(sum.turns), simulated, seconds, simulated / seconds);
}

}  // namespace

int main(int argc, char **argv) {
  Options options = Parse(argc, argv);
  simulation::Result sum;
  int status = 0;
  uint64_t seed = options.from;
  CatchSignals();
  for (; seed - options.from < options.count && status == 0; seed++) {
    snprintf(seed_text, sizeof seed_text, "%llu", Printed(seed));
    alarm(kSeedSecondsMax);
    simulation::Result result = simulation::RunSeed(seed, options.mode);
    if (result.failure.empty()) {
      Add(result, &sum);
      continue;
    }
    printf("seed %s: %s\nagain: make simulate SEEDS=1 TRACE=1 FROM=%s\n", seed_text,
           result.failure.c_str(), seed_text);
    status = 1;
    seed--;
  }
  if (seed > options.from)
    PrintSum(seed - options.from, sum, static_cast<double>(clock()) / CLOCKS_PER_SEC);
  fflush(stdout);
  _exit(status);  // What a failed run has left behind is of no interest.
}
