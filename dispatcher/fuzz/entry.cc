// One target as libFuzzer calls it; which one is said when it is compiled.
#include <cstddef>
#include <cstdint>

#include "dispatcher/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  holdfast::fuzz::HOLDFAST_FUZZ_TARGET({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
