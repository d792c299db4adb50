// The state key of the whole world. See sim/base/fold.h for what is in it and what is not.
#pragma once

#include "sim/base/digest.h"
#include "sim/world/world.h"

namespace holdfast::sim {

Digest key_of(const World&);

}  // namespace holdfast::sim
