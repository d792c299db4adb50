// What a worker calls to talk back: `holdfast-runner ready`, `accepted`, `say DONE|REVIEW|QUESTION text...`.
// They find their files by the worker's environment.
#pragma once

#include <string>
#include <vector>

namespace holdfast {

// nullopt-like: -1 where `words` is no hook at all; else the exit status.
int run_hook(const std::vector<std::string>& words);

}  // namespace holdfast
