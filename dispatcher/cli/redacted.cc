#include "dispatcher/cli/redacted.h"

#include <algorithm>
#include <array>

#include "dispatcher/system/durable_file.h"

namespace holdfast::cli {
namespace {

constexpr std::string_view in_its_place = "[redacted]";
constexpr std::size_t shortest_secret = 8;  // a shorter one is a word, and would take words out
constexpr std::size_t learnt_max = 1000;

bool ends_an_authority(char c) {
  return static_cast<unsigned char>(c) <= 0x20 ||
         std::string_view("/?#'\"<>\\").find(c) != std::string_view::npos;
}

// "https://user:password@host": what stands before the last @ of the authority.
void take_out_of_addresses(std::string& text) {
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 1)) {
    const std::size_t begin = at + 3;
    std::size_t end = begin;
    while (end < text.size() && !ends_an_authority(text[end])) ++end;
    const auto sign = std::string_view(text).substr(begin, end - begin).rfind('@');
    if (sign != std::string_view::npos) text.replace(begin, sign, in_its_place);
  }
}

void take_out_after(std::string& text, std::string_view word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t begin = at + word.size();
    std::size_t end = begin;
    while (end < text.size() && static_cast<unsigned char>(text[end]) > 0x20 && text[end] != '"' &&
           text[end] != '\'')
      ++end;
    if (end > begin) text.replace(begin, end - begin, in_its_place);
  }
}

}  // namespace

Redactor::Redactor(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) learn(secret);
}

void Redactor::learn(const std::string& secret) {
  if (secret.size() < shortest_secret || std::ranges::find(secrets_, secret) != secrets_.end()) return;
  if (secrets_.size() >= learnt_max) secrets_.erase(secrets_.begin());
  secrets_.push_back(secret);
}

std::string Redactor::redacted(std::string_view given) const {
  std::string text(given);
  for (const std::string& secret : secrets_)
    for (auto at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + in_its_place.size()))
      text.replace(at, secret.size(), in_its_place);
  take_out_of_addresses(text);
  for (const std::string_view word : {"Bearer ", "bearer ", "Basic ", "basic "}) take_out_after(text, word);
  return text;
}

std::vector<std::string> secrets_of(const Config& config) {
  std::vector<std::string> secrets;
  for (const std::string& path : {config.token_file, config.state + "/http-token", config.board.token_file,
                                  config.notify.secret_file, config.state + "/webhook-secret"}) {
    if (path.empty()) continue;
    std::string text = read_file(path, 4096).text;
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.pop_back();
    if (!text.empty()) secrets.push_back(std::move(text));
  }
  return secrets;
}

}  // namespace holdfast::cli
