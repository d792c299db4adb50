// How a system call ended, as a raw reply: its code is the errno (0: done), its text the errno's words or
// better ones.
#pragma once

#include <string>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/system/durable_file.h"

namespace holdfast {

inline RawReply answered(int error, const std::string& words = {}) {
  return {Transport::answered,
          error,
          {},
          error == 0      ? std::string{}
          : words.empty() ? errno_words(error)
                          : words};
}

}  // namespace holdfast
