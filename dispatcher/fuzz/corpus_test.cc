// Every target over its corpus and over mutations of it: the same ones in each run. Without coverage this
// finds less than `./test fuzz` does, but it finds at once what a change has broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "dispatcher/fuzz/targets.h"

namespace holdfast::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> corpus_of(std::string_view name) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(HOLDFAST_FUZZ_CORPUS) / name))
    files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return texts;
}

// splitmix64: the same numbers with every compiler.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t n) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>((z ^ (z >> 31U)) % n);
  }

 private:
  std::uint64_t state_;
};

// A few cuts, flips, copies and splices, as a careless or hostile sender would make them.
std::string mutated(const std::vector<std::string>& corpus, Dice& dice) {
  std::string text = corpus[dice.below(corpus.size())];
  for (std::size_t times = 1 + dice.below(4); times > 0; --times) {
    const std::size_t at = dice.below(text.size() + 1);
    const std::size_t length = dice.below(16);
    switch (dice.below(6)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, length, static_cast<char>(dice.below(256))); break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(dice.below(256));
        break;
      case 3: text.insert(at, text.substr(dice.below(text.size() + 1), length * 4)); break;
      case 4: text.resize(at); break;
      default: {
        const std::string& other = corpus[dice.below(corpus.size())];
        text.insert(at, other.substr(dice.below(other.size() + 1), 64));
      }
    }
  }
  return text;
}

class FuzzCorpus : public testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, HoldsOverTheCorpusAndMutationsOfIt) {
  const Target target = GetParam();
  const auto corpus = corpus_of(target.name);
  ASSERT_FALSE(corpus.empty());
  for (const std::string& text : corpus) target.judge(text);
  Dice dice{20261129};
  for (int i = 0; i < target.mutations; ++i) target.judge(mutated(corpus, dice));
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus, testing::ValuesIn(targets),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace holdfast::fuzz
