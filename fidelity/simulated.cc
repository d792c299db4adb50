#include "fidelity/simulated.h"

#include "dispatcher/core/classify.h"
#include "sim/world/ports.h"

namespace holdfast::fidelity {
namespace {

std::shared_ptr<const sim::Setup> setup(const sim::Defects& defects) {
  auto made = std::make_shared<sim::Setup>();
  made->policy.target = made->policy.start = "refs/heads/main";
  made->defects = defects;
  return made;
}

}  // namespace

Simulated::Simulated(const sim::Defects& defects) : world(sim::begin(setup(defects))) {}

Simulated::Got Simulated::ask(const Effect& effect) {
  world.happened.clear();
  sim::Flight f;
  f.effect = effect;
  f.asked_at = f.asked_true = world.now;
  f.raw = sim::answered(family_of(call_of(effect)) == Family::board ? 200 : 0);
  while (!sim::perform_part(world, f)) f.part += 1;
  return {f.raw, f.value};
}

}  // namespace holdfast::fidelity
