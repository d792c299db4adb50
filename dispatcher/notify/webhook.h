// Notices as HTTP POSTs, signed so that the receiver knows whose they are, and when they were sent.
//
//   Holdfast-Event: question              Holdfast-Signature: t=1700000000,v1=<hex>
//   Idempotency-Key: <the notice's id>
//
// v1 is HMAC-SHA256 under the shared secret over "<t>.<body>", with t in seconds since 1970: whoever has
// recorded a request cannot send it again much later without being seen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "dispatcher/board/remote/http_client.h"
#include "dispatcher/notify/sink.h"

namespace holdfast {

// "t=1700000000,v1=..."
std::string signature_of(std::string_view secret, std::int64_t seconds_now, std::string_view body);

// `client.tries` is one here: who tells decides when to tell again. 2xx is heard; 408, 425, 429 and 5xx are
// perhaps; anything else is a refusal, a redirection too.
std::unique_ptr<Sink> make_webhook(HttpClientOptions client, std::string secret);

}  // namespace holdfast
