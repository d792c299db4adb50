#include "dispatcher/server/answer_cache.h"

namespace holdfast::server {
namespace {

// Everything of a request that an answer to a GET can depend on. No part of it holds a line break.
std::string key_of(const HttpRequest& request) {
  std::string key;
  for (const std::string& segment : request.path) (key += segment) += '\n';
  key += '\n';
  for (const auto& [name, value] : request.query) (((key += name) += '\n') += value) += '\n';
  if (const auto same = request.headers.find("if-none-match"); same != request.headers.end())
    (key += '\n') += same->second;
  return key;
}

}  // namespace

std::shared_ptr<const HttpAnswer> AnswerCache::find(const HttpRequest& request) {
  if (request.method != "GET") return nullptr;
  const auto now = changes_();
  if (!now) return nullptr;
  const std::scoped_lock lock(mutex_);
  if (*now != as_of_) return nullptr;
  const auto found = kept_.find(key_of(request));
  return found == kept_.end() ? nullptr : found->second;
}

void AnswerCache::keep(const HttpRequest& request, std::optional<std::int64_t> before,
                       const HttpAnswer& answer) {
  if (request.method != "GET" || !before || (answer.status != 200 && answer.status != 304)) return;
  std::string key = key_of(request);
  const std::size_t bytes = key.size() + answer.body.size() + 500;
  if (bytes > answer_bytes_max) return;
  auto kept = std::make_shared<const HttpAnswer>(answer);
  const std::scoped_lock lock(mutex_);
  if (as_of_ != *before) {
    // Perhaps it is the older of two: then what the next one finds is nothing, and never something wrong.
    kept_.clear();
    bytes_ = 0;
    as_of_ = *before;
  }
  if (bytes_ + bytes > all_bytes_max) return;
  if (kept_.emplace(std::move(key), std::move(kept)).second) bytes_ += bytes;
}

}  // namespace holdfast::server
