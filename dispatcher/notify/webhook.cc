#include "dispatcher/notify/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <vector>

#include "dispatcher/core/markers.h"

namespace holdfast {
namespace {

class Webhook final : public Sink {
 public:
  Webhook(const HttpClientOptions& options, std::string secret)
      : client_(options),
        now_(options.now),
        secret_(std::move(secret)),
        target_(options.url.prefix.empty() ? "/" : "") {}

  Telling tell(const Notice& notice, const std::string& id, const std::string& body) override {
    HttpCall call;
    call.method = "POST";
    call.target = target_;
    call.headers = {{"Holdfast-Event", words_for(notice.kind)},
                    {"Idempotency-Key", id},
                    {"Holdfast-Signature", signature_of(secret_, now_().ms / 1000, body)}};
    call.body = body;
    const HttpReply reply = client_.call(call);
    if (reply.transport != Transport::answered) return {Heard::perhaps, printable(reply.words, 300)};
    if (reply.status >= 200 && reply.status < 300) return {Heard::yes, {}};
    const bool later =
        reply.status == 408 || reply.status == 425 || reply.status == 429 || reply.status >= 500;
    return {later ? Heard::perhaps : Heard::refused, "it answered " + std::to_string(reply.status)};
  }

 private:
  HttpClient client_;
  std::function<Instant()> now_;
  std::string secret_;
  std::string target_;
};

}  // namespace

std::string signature_of(std::string_view secret, std::int64_t seconds_now, std::string_view body) {
  const std::string stamp = std::to_string(seconds_now);
  const std::string signed_text = stamp + "." + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  std::string text = "t=" + stamp + ",v1=";
  const std::vector<unsigned char> message(signed_text.begin(), signed_text.end());
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), message.data(), message.size(),
           digest.data(), &length) == nullptr)
    return text;  // no memory; the receiver refuses it
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned int i = 0; i < length; ++i) {
    const unsigned char byte = digest.at(i);
    text += digits.at(byte >> 4U);
    text += digits.at(byte & 15U);
  }
  return text;
}

std::unique_ptr<Sink> make_webhook(HttpClientOptions client, std::string secret) {
  client.tries = 1;
  client.body_bytes_max = 64 << 10;
  return std::make_unique<Webhook>(client, std::move(secret));
}

}  // namespace holdfast
