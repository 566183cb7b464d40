// Runs seeds: `simulate --from S --seeds N [--trace]`. Ends with the first that fails, which
// is printed with the command that shows it again.

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/simulation/simulation.h"

namespace {

constexpr int kSeedSecondsMax = 120;  // A seed that takes longer has lost its way.

volatile sig_atomic_t interrupted = 0;
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

}  // namespace

int main(int argc, char **argv) {
  uint64_t from = 1, count = 1;
  simulation::Trace::Mode mode = simulation::Trace::kOff;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--from") == 0) {
      from = Number(argv[++i]);
    } else if (strcmp(argv[i], "--seeds") == 0) {
      count = Number(argv[++i]);
    } else if (strcmp(argv[i], "--trace") == 0) {
      mode = simulation::Trace::kPrint;
    } else {
      Usage();
    }
  }
  for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) signal(number, OnSignal);

  auto begin = std::chrono::steady_clock::now();
  simulation::Result sum;
  for (uint64_t seed = from; seed - from < count; seed++) {
    snprintf(seed_text, sizeof seed_text, "%llu", static_cast<unsigned long long>(seed));
    alarm(kSeedSecondsMax);
    simulation::Result result = simulation::RunSeed(seed, mode);
    if (!result.failure.empty()) {
      printf("seed %s: %s\nagain: make simulate SEEDS=1 TRACE=1 FROM=%s\n", seed_text,
             result.failure.c_str(), seed_text);
      fflush(stdout);
      _exit(1);
    }
    sum.virtual_us += result.virtual_us;
    sum.calls += result.calls;
    sum.changes += result.changes;
    sum.starts += result.starts;
    sum.turns += result.turns;
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  double simulated = static_cast<double>(sum.virtual_us) / 1e6;
  printf(
      "%llu seeds: %llu requests, %llu starts, %llu turns; %.0f s simulated in %.1f s, "
      "%.0f times faster\n",
      static_cast<unsigned long long>(count), static_cast<unsigned long long>(sum.calls),
      static_cast<unsigned long long>(sum.starts), static_cast<unsigned long long>(sum.turns),
      simulated, seconds, simulated / seconds);
  return 0;
}
