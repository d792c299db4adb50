// For tests: the shipped dispatcher's parts, ended by SIGKILL at a chosen step. The shipped program holds
// nothing of the kind.
//   holdfast-dying-dispatcher CONFIG TICKET N    dies at the N-th moment of that ticket, where every effect
//   of it has two: before and after
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "dispatcher/cli/installation.h"
#include "dispatcher/config/config.h"

int main(int argc, char** argv) {
  using namespace holdfast;
  if (argc != 4) return 64;
  const auto config = load_config(argv[1]);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().words.c_str());
    return 2;
  }
  const auto installation = cli::open_installation(*config, LedgerMode::dispatcher);
  if (!installation) {
    std::fprintf(stderr, "%s\n", installation.error().words.c_str());
    return 2;
  }
  Policy policy = config->policy;
  for (char** entry = environ; *entry != nullptr; ++entry) policy.environment.emplace_back(*entry);
  int left = static_cast<int>(std::strtol(argv[3], nullptr, 10));
  DriverOptions options;
  options.news = (*installation)->news_sources();
  options.watch = [&](const AttemptId& id) { (*installation)->watch(id); };
  options.unwatch = [&](const AttemptId& id) { (*installation)->unwatch(id); };
  options.log = [&](const EffectLine& line) {
    if (ticket_of(line.effect).value != argv[2]) return;
    if (--left <= 0) {
      std::fprintf(stderr, "dies %s: %s\n", line.answer ? "after" : "before", describe(line.effect).c_str());
      ::kill(getpid(), SIGKILL);
    }
  };
  Driver driver((*installation)->world(), policy, std::move(options));
  driver.run(seconds(1));
  return 0;
}
